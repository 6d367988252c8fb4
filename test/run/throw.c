/* SPDX-License-Identifier: MIT
 *
 * throw.c: exceptions at run time, both ways of running; what they return is in
 * test/verdict/throw.bpf.c.
 */
#include "pintle/pintle.h"
#include "test.h"

PINTLE_HOOK(int, throw_hook, int, n)
PINTLE_HOOK(int, throw_inner, int, n)

int throw_nest(int n);
int throw_nest(int n)
{
	return throw_inner(n);
}

static int run(struct pintle_object *object, const char *name, int n)
{
	uint64_t args[] = {(uint64_t)n}, result = 0;

	CHECK_EQ(pintle_prog_run(pintle_prog_find(object, name), args, &result), 0);
	return (int)result;
}

static void check_all(enum pintle_jit jit)
{
	struct pintle_host *host =
		pintle_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = 2, .jit = jit));
	struct pintle_object *object;
	struct pintle_map *table;

	CHECK_EQ(pintle_host_add_self(host), 0);
	CHECK_EQ(pintle_export(host, throw_nest, 0), 0);
	CHECK_EQ(pintle_hook_add(host, throw_hook), 0);
	CHECK_EQ(pintle_hook_add(host, throw_inner), 0);
	object = pintle_open(host, test_object("run/throw.bpf.o"), NULL);
	if (!object || pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(object, "inner")), 0);
	for (int i = 0; i < 3; i++) {
		/* 101 was thrown inside, and nothing outside; then 102 and 101. */
		CHECK_EQ(run(object, "outer", 1), 101 + -1);
		CHECK_EQ(run(object, "outer", 2), 101);
		CHECK_EQ(run(object, "outer", 3), 102);
		CHECK_EQ(run(object, "tail_target", 4), 208);
		CHECK_EQ(run(object, "tail_caller", 0), 999 - 1);
	}
	table = pintle_map_find(object, "table");
	CHECK_EQ(pintle_map_set_prog(table, 0, pintle_prog_find(object, "tail_target")), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(run(object, "tail_caller", 0), 998);
		CHECK_EQ(run(object, "tail_caller", 4), 208 + 999);
	}
	pintle_close(object);
	pintle_host_free(host);
}

TEST(run_throw_native)
{
	check_all(PINTLE_JIT_AUTO);
}

TEST(run_throw_interpreted)
{
	check_all(PINTLE_JIT_OFF);
}
