/* SPDX-License-Identifier: MIT
 *
 * upload.c: objects that come from outside (src/run/inspect/upload.h) are opened and limited
 * as those were whose place they take. What a client may send is in inspect.c.
 */
#include "fixture/host.h"
#include "run/inspect/upload.h"
#include "run/ops_host.h"

static void note_new(void *data, struct pintle_object *old, struct pintle_object *new_)
{
	*(struct pintle_object **)data = new_;
}

/* What took @old's place, from the same file. */
static struct pintle_object *uploaded(struct pintle_object *old, const char *file)
{
	const struct pintle_replace_opts how = {.size = sizeof(how)};
	enum { MOST = 1 << 20 };
	struct upload up = {malloc(MOST), 0};
	struct pintle_object *next = NULL;
	FILE *f = fopen(test_object(file), "re");

	CHECK(up.data && f);
	up.size = fread(up.data, 1, MOST, f);
	fclose(f);
	CHECK_EQ(upload_replace(&up, old, &how, note_new, &next), 0);
	upload_close(&up);
	CHECK(next);
	return next;
}

TEST(upload_has_the_tables_that_were_asked_for)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, .optional = "*",
							      .sleepable = "nap"));
	struct pintle_object *object =
		pintle_open(host, test_object("run/ops.bpf.o"),
			    PINTLE_OPTS(pintle_open_opts, .tables = "third"));

	CHECK(object && !pintle_load(object));
	object = uploaded(object, "run/ops.bpf.o");
	CHECK(pintle_map_find(object, "third"));
	pintle_close(object);
	pintle_host_free(host);
}

TEST(upload_has_the_budgets)
{
	struct pintle_host *host = test_host_new();
	struct pintle_object *object =
		pintle_open(host, test_object("run/inspect.bpf.o"), NULL);
	const struct pintle_prog *keep;

	CHECK(object);
	CHECK_EQ(pintle_load_with(object, PINTLE_OPTS(pintle_load_opts, .budget_turns = 77)), 0);
	object = uploaded(object, "run/inspect.bpf.o");
	keep = pintle_prog_find(object, "keep");
	CHECK(keep && keep->code->metered && keep->code->budget.turns == 77);
	pintle_close(object);
	test_host_free(host);
}
