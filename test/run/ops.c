/* SPDX-License-Identifier: MIT
 *
 * ops.c: operations tables: registered, declared, loaded, called, attached, replaced, held
 * and let go, and whatever is wrong with each.
 */
#include "run/ops_host.h"
#include "run/run.h"
#include "unit/btf_build.h"
#include "unit/elf_edit.h"
#include "unit/fail_alloc.h"

#include <sys/wait.h>
#include <unistd.h>

PINTLE_OPS(cc_ops)

struct no_ops {
	int number;
};
PINTLE_OPS(no_ops)

struct odd_ops {
	int (*many)(int a, int b, int c, int d, int e, int f);
};
PINTLE_OPS(odd_ops)

struct text_ops {
	char *(*text)(int a);
};
PINTLE_OPS(text_ops)

struct stub_ops {
	int (*run)(int a);
};
PINTLE_OPS(stub_ops)

int stub_ops__run(long a);
int stub_ops__run(long a)
{
	return (int)a;
}

/* Names for parameters. */
int cc_ops__rest(struct flow *f__nullable);
int cc_ops__drop(struct flow *f__ref, int why);
int cc_ops__rest(struct flow *f__nullable)
{
	return f__nullable ? 1 : 0;
}
int cc_ops__drop(struct flow *f__ref, int why)
{
	return f__ref ? why : 0;
}

struct flow *flow_get(struct flow *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
	return f;
}

void flow_put(struct flow *f)
{
	__atomic_fetch_sub(&f->refs, 1, __ATOMIC_RELAXED);
}

int flow_nap(struct flow *f)
{
	return f->window + 1;
}

const struct cc_ops *ops_current(void)
{
	return cc_ops_current();
}

const struct cc_ops *ops_get(void)
{
	return cc_ops_get();
}

#define ALL_OPTIONAL .optional = "*", .sleepable = "nap"

struct pintle_host *ops_host(const struct pintle_host_opts *host_opts,
			     const struct pintle_ops_opts *opts)
{
	struct pintle_host *host = pintle_host_new(host_opts);

	CHECK(host);
	if (pintle_host_add_self(host) || pintle_export(host, flow_get, PINTLE_ACQUIRE) ||
	    pintle_export(host, flow_put, PINTLE_RELEASE) ||
	    pintle_export(host, flow_nap, PINTLE_SLEEPABLE) ||
	    pintle_ops_register(host, &cc_ops_pintle_ops, opts))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return host;
}

/* Tables that are made for whoever asks for them. */
TEST(ops_optional_tables)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *object =
		pintle_open(host, test_object("run/ops.bpf.o"),
			    PINTLE_OPTS(pintle_open_opts, .tables = "third"));
	const struct cc_ops *ops;

	CHECK(object);
	CHECK_EQ(pintle_load(object), 0);
	CHECK_EQ(pintle_ops_attach(pintle_map_find(object, "third")), 0);
	ops = ops_get();
	CHECK(ops && ops->init && !ops->window);
	CHECK_EQ(ops->init(NULL), 3);
	pintle_ops_put(ops);
	pintle_close(object);
	object = ops_load(host); /* as long as nobody asks, there is none */
	CHECK(!pintle_map_find(object, "third"));
	pintle_close(object);
	object = pintle_open(host, test_object("run/ops.bpf.o"),
			     PINTLE_OPTS(pintle_open_opts, .tables = "*"));
	CHECK(object && pintle_map_find(object, "third") && pintle_map_find(object, "first"));
	pintle_close(object);
	CHECK(!pintle_open(host, test_object("run/ops.bpf.o"),
			   PINTLE_OPTS(pintle_open_opts, .tables = "third|fourth")));
	CHECK_HAS(pintle_host_error(host), "the object has no operations 'fourth'");
	pintle_host_free(host);
}

struct pintle_object *ops_load(struct pintle_host *host)
{
	struct pintle_object *object = pintle_open(host, test_object("run/ops.bpf.o"), NULL);

	if (!object || pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return object;
}

/* ------------------------------------------------------------------ registration */

static void refused(struct pintle_host *host, struct pintle_ops *ops,
		    const struct pintle_ops_opts *opts, int err, const char *words)
{
	CHECK_EQ(pintle_ops_register(host, ops, opts), err);
	CHECK_HAS(pintle_host_error(host), words);
	CHECK(!ops->type);
}

TEST(ops_registration)
{
	struct pintle_host *host = pintle_host_new(NULL);
	struct pintle_ops unknown = {"struct_of_nobody"}, nameless = {0};
	const struct pintle_ops_opts wrong = {.size = sizeof(wrong), .optional = "init|acks"};
	const struct pintle_ops_opts slow = {.size = sizeof(slow), .sleepable = "flags"};

	CHECK_EQ(pintle_host_add_self(host), 0);
	refused(host, &nameless, NULL, -EINVAL, "no name");
	refused(host, &unknown, NULL, -ENOENT, "not in the host's BTF");
	refused(host, &no_ops_pintle_ops, NULL, -EINVAL, "no pointer to a function");
	refused(host, &odd_ops_pintle_ops, NULL, -EINVAL, "6 parameters");
	refused(host, &text_ops_pintle_ops, NULL, -EINVAL, "pointer that is to no struct");
	refused(host, &stub_ops_pintle_ops, NULL, -EINVAL, "another prototype");
	refused(host, &cc_ops_pintle_ops, &wrong, -ENOENT, "'acks'");
	refused(host, &cc_ops_pintle_ops, &slow, -ENOENT, "'flags'");
	CHECK_EQ(pintle_ops_add(host, cc_ops, ALL_OPTIONAL), 0);
	CHECK_EQ(pintle_ops_add(host, cc_ops, ALL_OPTIONAL), -EEXIST);
	CHECK(!cc_ops_current() && !cc_ops_get());
	pintle_host_free(host);
	CHECK(!cc_ops_pintle_ops.type && !cc_ops_get());
}

/* What a hook that is gone leaves in the table of program types is somebody else's. */
TEST(ops_programs_are_of_their_type)
{
	struct pintle_hook hook = {.name = "gone_hook"};
	struct pintle_host *host = pintle_host_new(NULL);
	struct bb b;
	u32 i32;
	int type;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	bb_func(&b, "pintle_hook__gone_hook", bb_proto(&b, i32, {"n", i32}));
	bb_blob(&b);
	CHECK_EQ(pintle_host_add_self(host), 0);
	CHECK_EQ(pintle_host_add_btf(host, "gone", b.blob, b.size), 0);
	CHECK_EQ(pintle_hook_register(host, &hook, NULL), 0);
	CHECK_EQ(pintle_host_remove_btf(host, "gone"), 0);
	CHECK_EQ(pintle_ops_add(host, cc_ops, ALL_OPTIONAL), 0);
	type = prog_type_find(host, "struct_ops/cc_ops");
	CHECK(type >= 0);
	for (u32 i = 0; i < abi_find_ops(&host->abi, "cc_ops")->nmembers; i++)
		CHECK_EQ(abi_find_ops(&host->abi, "cc_ops")->members[i].type->bit, type);
	pintle_host_free(host);
	bb_free(&b);
}

/* ------------------------------------------------------------------ calls */

static void calls(const struct cc_ops *ops)
{
	struct flow f = {.window = 20};

	CHECK_EQ(ops->init(&f), 21);
	ops->ack(&f, 200, -30);
	CHECK_EQ(ops->init(&f), 190);
	ops->ack(&f, 1, 0);
	CHECK_EQ(ops->window(&f, -3), -60);
	CHECK_EQ(ops->full(&f), 0);
	f.window = 0x300;
	CHECK_EQ(ops->full(&f), 1);
	CHECK_EQ(ops->rest(&f), 0x300);
	CHECK_EQ(ops->rest(NULL), -1);
	f.refs = 1;
	CHECK_EQ(ops->drop(&f, 77), 77);
	CHECK(ops->pick(&f) == &f);
	CHECK_EQ(f.refs, 1);
	f.window = 1;
	CHECK(!ops->pick(&f));
	CHECK_EQ(ops->nap(&f), 2);
}

static void numbers(const struct cc_ops *ops)
{
	CHECK_STR(ops->name, "first");
	CHECK_EQ(ops->flags, 7);
	CHECK_EQ(ops->limits[0], 3);
	CHECK_EQ(ops->limits[1], -4);
	CHECK(!ops->cookie);
}

static void one_life(struct pintle_host *host)
{
	struct pintle_object *object = ops_load(host);
	struct pintle_map *first = pintle_map_find(object, "first");
	struct pintle_map *second = pintle_map_find(object, "second");
	const struct cc_ops *ops;
	struct flow f = {.window = 2};

	CHECK(first && second && !pintle_map_find(object, "third"));
	CHECK(!ops_current());
	CHECK_EQ(pintle_ops_attach(first), 0);
	ops = ops_current();
	CHECK(ops);
	calls(ops);
	numbers(ops);
	CHECK_EQ(pintle_ops_attach(first), -EEXIST);
	CHECK_EQ(pintle_ops_attach(second), -EBUSY);
	CHECK_HAS(pintle_host_error(host), "replace it");
	CHECK_EQ(pintle_ops_replace(first, second), 0);
	CHECK(ops_current() != ops);
	ops = ops_current();
	CHECK_EQ(ops->init(&f), 2001);
	CHECK_EQ(ops->window(&f, 3), -6);
	CHECK(!ops->ack && !ops->drop);
	CHECK_STR(ops->name, "second");
	CHECK_EQ(pintle_ops_replace(first, second), -ENOENT);
	CHECK_EQ(pintle_ops_replace(second, first), 0);
	numbers(ops_current());
	pintle_ops_detach(first);
	pintle_ops_detach(first);
	CHECK(!ops_current());
	CHECK_EQ(pintle_ops_attach(second), 0);
	pintle_close(object);
	CHECK(!ops_current());
}

TEST(ops_tables_called_and_replaced)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));

	one_life(host);
	pintle_host_free(host);
	host = ops_host(PINTLE_OPTS(pintle_host_opts, .jit = PINTLE_JIT_OFF),
			PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	one_life(host);
	pintle_host_free(host);
}

PINTLE_HOOK(int, like_a_member, struct flow *, f)

/* It was proved for a table's calls: arguments may be counted there, and functions others. */
TEST(ops_programs_fit_no_hook)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *object;

	CHECK_EQ(pintle_hook_add(host, like_a_member), 0);
	object = ops_load(host);
	CHECK(!pintle_link_attach(
		pintle_prog_find(object, "init"),
		PINTLE_OPTS(pintle_link_opts, .hook = &like_a_member_pintle_hook)));
	CHECK_HAS(pintle_host_error(host), "it is no program for hooks");
	pintle_close(object);
	pintle_host_free(host);
}

/* Attaching an object attaches all of it, or nothing. */
TEST(ops_tables_of_an_object)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *object = ops_load(host);
	struct pintle_map *first = pintle_map_find(object, "first");
	uint32_t key = 0, next, one = 1;
	struct cc_ops value;

	CHECK_EQ(pintle_attach(object), -EBUSY); /* two of one struct */
	CHECK(!ops_current());
	CHECK_EQ(pintle_map_value_size(first), sizeof(value));
	CHECK_EQ(pintle_map_lookup(first, &key, &value), 0);
	CHECK(!value.init && !value.nap);
	CHECK_STR(value.name, "first");
	CHECK_EQ(pintle_map_lookup(first, &one, &value), -ENOENT);
	CHECK_EQ(pintle_map_update(first, &key, &value, 0), -EOPNOTSUPP);
	CHECK(pintle_map_delete(first, &key) < 0);
	CHECK_EQ(pintle_map_next_key(first, NULL, &next), 0);
	CHECK_EQ(pintle_map_count(first), 1);
	CHECK_EQ(pintle_ops_attach(pintle_map_find(object, ".bss")
					   ? pintle_map_find(object, ".bss")
					   : pintle_map_find(object, ".data")), -EINVAL);
	pintle_close(object);
	object = pintle_open(host, test_object("run/ops.bpf.o"), NULL);
	CHECK_EQ(pintle_ops_attach(pintle_map_find(object, "first")), -EINVAL);
	CHECK_EQ(pintle_load_with(object, PINTLE_OPTS(pintle_load_opts, .only = "init")), 0);
	CHECK_EQ(pintle_ops_attach(pintle_map_find(object, "first")), -EINVAL);
	CHECK_HAS(pintle_host_error(host), "in part");
	/* It is no map of maps, nor a program array. */
	CHECK_EQ(pintle_map_set_map(pintle_map_find(object, "first"), &(int){0},
				    pintle_map_find(object, "first"), 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_set_prog(pintle_map_find(object, "first"), 0,
				     pintle_prog_find(object, "init")), -EOPNOTSUPP);
	pintle_close(object);
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ the host's say */

struct say {
	int regs, unregs, updates, fail;
	char seen[256];
	const void *last, *old;
};

static int say_init(void *data, void *table, const char *member, const void *value, size_t size)
{
	struct say *say = data;
	struct cc_ops *ops = table;

	snprintf(say->seen + strlen(say->seen), sizeof(say->seen) - strlen(say->seen), "%s:%zu ",
		 member, size);
	if (!strcmp(member, "flags") && *(const unsigned *)value == 7)
		ops->flags = 70;
	return say->fail == 1 && !strcmp(member, "limits") ? -ERANGE : 0;
}

static int say_validate(void *data, const void *table)
{
	return ((struct say *)data)->fail == 2 ? -EDOM : 0;
}

static int say_reg(void *data, const void *table)
{
	struct say *say = data;

	say->regs++;
	say->last = table;
	return say->fail == 3 ? -EPERM : 0;
}

static void say_unreg(void *data, const void *table)
{
	((struct say *)data)->unregs++;
	((struct say *)data)->old = table;
}

static int say_update(void *data, const void *table, const void *old)
{
	struct say *say = data;

	say->updates++;
	say->last = table;
	say->old = old;
	return say->fail == 4 ? -ENOSPC : 0;
}

static int default_init(struct flow *f)
{
	return -5;
}

TEST(ops_host_decides)
{
	static const struct cc_ops defaults = {.init = default_init, .rest = default_init};
	struct say say = {.fail = 1};
	struct pintle_host *host = ops_host(
		NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL, .many = true,
				  .init_member = say_init, .validate = say_validate,
				  .reg = say_reg, .unreg = say_unreg, .update = say_update,
				  .defaults = &defaults, .data = &say));
	struct pintle_object *object = pintle_open(host, test_object("run/ops.bpf.o"), NULL);
	struct pintle_map *first, *second;
	const struct cc_ops *ops;

	CHECK_EQ(pintle_load(object), -ERANGE);
	CHECK_HAS(pintle_host_error(host), "'first': member 'limits'");
	say.fail = 2;
	CHECK_EQ(pintle_load(object), -EDOM);
	say.fail = 0;
	say.seen[0] = 0;
	CHECK_EQ(pintle_load(object), 0);
	CHECK_HAS(say.seen, "name:16 flags:4 limits:8 cookie:8 name:16");
	first = pintle_map_find(object, "first");
	second = pintle_map_find(object, "second");
	say.fail = 3;
	CHECK_EQ(pintle_attach(object), -EPERM);
	say.fail = 0;
	CHECK_EQ(pintle_attach(object), 0);
	CHECK_EQ(say.regs, 3);
	CHECK(!ops_current()); /* they are many: the host knows which */
	ops = say.last;
	CHECK_EQ(ops->rest(NULL), -5);
	CHECK_EQ(pintle_ops_replace(first, second), -EEXIST);
	pintle_ops_detach(second);
	CHECK_EQ(say.unregs, 1);
	say.fail = 4;
	CHECK_EQ(pintle_ops_replace(first, second), -ENOSPC);
	say.fail = 0;
	CHECK_EQ(pintle_ops_replace(first, second), 0);
	CHECK_EQ(say.updates, 2);
	CHECK_EQ(((const struct cc_ops *)say.old)->flags, 70);
	CHECK_STR(((const struct cc_ops *)say.last)->name, "second");
	pintle_close(object);
	CHECK_EQ(say.unregs, 2);
	pintle_host_free(host);
}

TEST(ops_member_that_must_be_there)
{
	struct pintle_host *host =
		ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, .optional = "ack|window",
					   .sleepable = "nap"));
	struct pintle_object *object = pintle_open(host, test_object("run/ops.bpf.o"), NULL);

	CHECK_EQ(pintle_load(object), -EINVAL);
	CHECK_HAS(pintle_host_error(host), "operations 'second': member 'full': no program");
	pintle_close(object);
	pintle_host_free(host);
	/* A program that may sleep where functions may not. */
	host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, .optional = "*"));
	object = pintle_open(host, test_object("run/ops.bpf.o"), NULL);
	CHECK_EQ(pintle_load(object), -EINVAL);
	CHECK_HAS(pintle_host_error(host), "may not sleep");
	pintle_close(object);
	pintle_host_free(host);
}

/* Two sections of one name: .BTF describes the first, whatever the size of the other. */
TEST(ops_section_that_is_there_twice)
{
	struct elf_edit e = elf_edit_open("run/ops.bpf.o");
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	Elf64_Shdr *link = elf_edit_shdr(&e, ".struct_ops.link");
	Elf64_Shdr *plain = elf_edit_shdr(&e, ".struct_ops");

	if (plain < link)
		link->sh_name = plain->sh_name;
	else
		plain->sh_name = link->sh_name;
	CHECK(!pintle_open_mem(host, e.data, e.size, NULL));
	CHECK_HAS(pintle_host_error(host), "is not described in .BTF");
	elf_edit_free(&e);
	pintle_host_free(host);
}

/* What a run has from its caller nobody knows how to give back for it. */
TEST(ops_budget_of_who_owns_an_argument)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	static const char *const owners[] = {"drop", "pick"};

	for (u32 i = 0; i < ARRAY_SIZE(owners); i++) {
		struct pintle_object *object = pintle_open(host, test_object("run/ops.bpf.o"),
							   NULL);

		CHECK(object);
		CHECK_EQ(pintle_prog_set_budget(pintle_prog_find(object, owners[i]), 10, 0), 0);
		CHECK_EQ(pintle_load(object), -ENOTSUP);
		CHECK_HAS(pintle_host_error(host), "unsupported: a budget for a program that may "
						   "hold");
		pintle_close(object);
	}
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ holding */

TEST(ops_table_outlives_its_object)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *object = ops_load(host);
	struct pintle_map *first = pintle_map_find(object, "first");
	const struct cc_ops *ops;

	CHECK_EQ(pintle_ops_attach(first), 0);
	ops = ops_get();
	CHECK_EQ(pintle_ops_hold(ops), 0);
	pintle_ops_detach(first);
	CHECK(!ops_get());
	calls(ops);
	CHECK_EQ(pintle_ops_attach(first), -EBUSY);
	CHECK_HAS(pintle_host_error(host), "still holds it");
	pintle_ops_put(ops);
	pintle_close(object);
	calls(ops);
	/* M19: its types' owner may not go either, nor forget what operations there are. */
	CHECK_EQ(pintle_host_remove_btf(host, "/proc/self/exe"), -EBUSY);
	CHECK_HAS(pintle_host_error(host), "is a table of its struct 'cc_ops'");
	pintle_ops_put(ops);
	pintle_ops_put(NULL);
	CHECK_EQ(pintle_host_remove_btf(host, "/proc/self/exe"), 0);
	CHECK(!ops_get());
	pintle_host_free(host);
}

/* In a run or read section nobody waits. */
TEST(ops_let_go_in_a_section)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *object = ops_load(host);
	const struct cc_ops *ops;

	CHECK_EQ(pintle_ops_attach(pintle_map_find(object, "first")), 0);
	pintle_read_lock(host);
	ops = ops_get();
	pintle_close(object);
	pintle_ops_put(ops);
	CHECK_EQ(ops->init(&(struct flow){.window = 4}), 5);
	pintle_read_unlock(host);
	pintle_drain(host);
	pintle_host_free(host);
}

/* In a child where nothing works: no table, and what was held is not waited for. */
TEST(ops_in_a_torn_child)
{
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *object = ops_load(host);
	const struct cc_ops *ops;
	int status;
	pid_t pid;

	CHECK_EQ(pintle_ops_attach(pintle_map_find(object, "first")), 0);
	ops = ops_get();
	pintle_read_lock(host);
	pid = fork();
	if (!pid) {
		alarm(20);
		pintle_ops_detach(pintle_map_find(object, "first"));
		pintle_ops_put(ops);
		_exit(ops_get() || ops->init(&(struct flow){.window = 4}));
	}
	pintle_read_unlock(host);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	pintle_ops_put(ops);
	pintle_close(object);
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ too many, no memory */

TEST(ops_thunks_run_out)
{
	enum { MANY = 80 };
	struct pintle_host *host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	struct pintle_object *objects[MANY];
	int n = 0, err = 0;

	while (!err && n < MANY) {
		objects[n] = pintle_open(host, test_object("run/ops.bpf.o"), NULL);
		CHECK(objects[n]);
		err = pintle_load(objects[n++]);
	}
	CHECK_EQ(err, -ENOSPC);
	CHECK_HAS(pintle_host_error(host), "too many tables");
	CHECK(n > 40);
	while (n)
		pintle_close(objects[--n]);
	pintle_drain(host);
	objects[0] = ops_load(host); /* all are free again */
	pintle_close(objects[0]);
	pintle_host_free(host);
}

static int load_failing(struct pintle_host *host, u32 n, bool *failed)
{
	struct pintle_object *object;
	int err = -ENOMEM;

	fail_alloc_at(n);
	object = pintle_open(host, test_object("run/ops.bpf.o"), NULL);
	if (object)
		err = pintle_load(object);
	if (object && !err)
		err = pintle_ops_attach(pintle_map_find(object, "second"));
	*failed = fail_alloc_off();
	pintle_close(object);
	pintle_drain(host);
	return err;
}

TEST(ops_without_memory)
{
	struct pintle_host *host;
	bool failed = true;
	s64 live;

	if (!fail_alloc_works())
		SKIP("a sanitizer has its own allocator");
	host = ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, ALL_OPTIONAL));
	load_failing(host, 1 << 30, &failed);
	load_failing(host, 1, &failed);
	live = fail_alloc_blocks();
	for (u32 n = 1; failed; n += 1 + n / 50) {
		int err = load_failing(host, n, &failed);

		CHECK_EQ(err, failed ? -ENOMEM : 0);
		CHECK(!ops_current());
		CHECK(fail_alloc_blocks() <= live);
	}
	pintle_host_free(host);
}
