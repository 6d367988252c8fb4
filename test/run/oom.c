/* SPDX-License-Identifier: MIT
 *
 * oom.c: a load in which allocation number N fails, for every N: it gives -ENOMEM with
 * words, leaves nothing behind, and works again when memory is there.
 */
#include "fixture/host.h"
#include "run/run.h"
#include "test.h"
#include "unit/fail_alloc.h"

enum { MOST = 20000 };

/* Which program of which object the test loads. */
static const char *object_name, *program;

/* Opens and loads one program. 0, or the errno; *closed what pintle_close() takes. */
static int open_and_load(struct pintle_host *host, struct pintle_object **obj)
{
	*obj = pintle_open(host, test_object(object_name), NULL);
	if (!*obj)
		return strstr(pintle_host_error(host), "memory") ? -ENOMEM : -EINVAL;
	return pintle_load_with(*obj, PINTLE_OPTS(pintle_load_opts, .only = program));
}

static void load_failing(struct pintle_host *host, void (*fail)(u32), u32 n, bool *failed,
			 bool *loaded)
{
	struct pintle_object *obj;
	int err;

	fail(n);
	err = open_and_load(host, &obj);
	*failed = fail_alloc_off();
	*loaded = !err;
	if (err && err != -ENOMEM)
		test_fail(__FILE__, __LINE__, "allocation %u: error %d: %s", n, err,
			  pintle_host_error(host));
	if (err && !*pintle_host_error(host))
		test_fail(__FILE__, __LINE__, "allocation %u: no words", n);
	pintle_close(obj);
	pintle_drain(host);
	CHECK(!pintle_open(host, "nothing here", NULL)); /* the host keeps its last words */
}

/* Fails every allocation in turn; what is alive afterwards is what was before. */
static void every_load(const char *object, const char *only, void (*fail)(u32),
		       bool may_survive)
{
	struct pintle_host *host = test_host_new();
	bool failed = true, loaded;
	u32 n = 0;
	s64 live;

	object_name = object;
	program = only;
	load_failing(host, fail, MOST, &failed, &loaded); /* what is allocated once only */
	load_failing(host, fail, 1, &failed, &loaded);
	live = fail_alloc_blocks();
	for (failed = true; failed && n < MOST; ) {
		load_failing(host, fail, ++n, &failed, &loaded);
		if (failed && loaded && !may_survive)
			test_fail(__FILE__, __LINE__, "allocation %u failed unnoticed", n);
		if (fail_alloc_blocks() > live)
			test_fail(__FILE__, __LINE__, "allocation %u: %lld blocks leaked", n,
				  (long long)(fail_alloc_blocks() - live));
	}
	CHECK(loaded);
	CHECK(n > 20 && n < MOST);
	test_host_free(host);
}

TEST(load_out_of_memory_from_the_nth_allocation_on)
{
	if (!fail_alloc_works())
		SKIP("a sanitizer has its own allocator");
	every_load("verdict/kptr_first.bpf.o", "store_and_put_old", fail_alloc_at, false);
}

/* One lost allocation may be made good: a log line shorter, a queue drained. */
TEST(load_with_one_failed_allocation)
{
	if (!fail_alloc_works())
		SKIP("a sanitizer has its own allocator");
	every_load("verdict/kptr_first.bpf.o", "store_and_put_old", fail_alloc_only, true);
}

/* Types of programs' own, lists, trees, objects that own others. */
TEST(load_of_local_types_out_of_memory)
{
	if (!fail_alloc_works())
		SKIP("a sanitizer has its own allocator");
	every_load("verdict/graph.bpf.o", "added", fail_alloc_at, false);
	every_load("verdict/graph.bpf.o", "added", fail_alloc_only, true);
}

TEST(host_out_of_memory_at_every_allocation)
{
	s64 live;
	u32 n = 0;
	bool failed = true;

	if (!fail_alloc_works())
		SKIP("a sanitizer has its own allocator");
	pintle_host_free(pintle_host_new(NULL));
	live = fail_alloc_blocks();
	while (failed) {
		struct pintle_host *host;
		int err = -ENOMEM;

		fail_alloc_at(++n);
		host = pintle_host_new(NULL);
		if (host)
			err = pintle_host_add_self(host);
		failed = fail_alloc_off();
		CHECK(failed ? err == -ENOMEM : !err);
		CHECK(!failed || *pintle_host_error(host));
		pintle_host_free(host);
		CHECK(fail_alloc_blocks() <= live);
		live = fail_alloc_blocks();
	}
	CHECK(n > 5);
}
