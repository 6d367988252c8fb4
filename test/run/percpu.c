/* SPDX-License-Identifier: MIT
 *
 * percpu.c: variables of the host and objects of programs that there are once for every
 * execution slot, from registration to what a program reads.
 */
#include "fixture/host.h"
#include "test.h"

#include "run/run.h"

#include <pthread.h>

enum { SLOTS = 128 };

static struct X copies[SLOTS];
static int numbers[SLOTS];

static void *number_at(void *data, uint32_t slot)
{
	return &((int *)data)[slot];
}

static const struct pintle_percpu x_stats = {
	.base = copies, .stride = sizeof(copies[0]), .count = SLOTS};
static const struct pintle_percpu x_number = {.count = SLOTS, .at = number_at, .data = numbers};

static struct pintle_host *host_new(void)
{
	struct pintle_host *host = test_host_new();

	for (int i = 0; i < SLOTS; i++) {
		copies[i].a = i + 1;
		numbers[i] = i + 7;
	}
	CHECK_EQ(pintle_percpu_var(host, x_stats, "X"), 0);
	CHECK_EQ(pintle_percpu_var(host, x_number, "int"), 0);
	return host;
}

static s64 run(struct pintle_object *obj, const char *name, int n)
{
	struct pintle_prog *prog = pintle_prog_find(obj, name);
	uint64_t args[] = {(uintptr_t)hook_t, (uint64_t)n}, result = 0;

	CHECK(prog != NULL);
	CHECK_EQ(pintle_prog_run(prog, args, &result), 0);
	return (s32)result;
}

static struct pintle_object *load(struct pintle_host *host)
{
	struct pintle_object *obj = pintle_open(host, test_object("run/percpu.bpf.o"), NULL);

	if (!obj || pintle_load(obj))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return obj;
}

TEST(percpu_variables_of_the_host)
{
	struct pintle_host *host = host_new();
	struct pintle_object *obj = load(host);
	s64 mine = slot_get(host)->index;

	CHECK_EQ(run(obj, "of_host", 5), (mine + 1) * 10000 + 6 * 100 + mine + 7);
	CHECK_EQ(run(obj, "of_host", SLOTS), -1);
	CHECK_EQ(run(obj, "of_host", -1), -1);
	CHECK_EQ(run(obj, "remembered", 0), -2);
	CHECK_EQ(run(obj, "remembered", 1), 0);
	CHECK_EQ(run(obj, "remembered", 0), mine + 1);
	test_host_free(host);
}

struct other {
	struct pintle_object *obj;
	s64 first, second;
};

static void *on_another_slot(void *data)
{
	struct other *o = data;

	o->first = run(o->obj, "counted", 0);
	o->second = run(o->obj, "counted", 0);
	return NULL;
}

TEST(percpu_objects_of_programs)
{
	struct pintle_host *host = host_new();
	struct other o = {load(host)};
	pthread_t t;

	CHECK_EQ(run(o.obj, "counted", 0), 1);
	CHECK_EQ(run(o.obj, "counted", 0), 2);
	CHECK_EQ(run(o.obj, "counted", 0), 3);
	CHECK_EQ(pthread_create(&t, NULL, on_another_slot, &o), 0);
	pthread_join(t, NULL);
	CHECK_EQ(o.first, 1); /* a copy of its own */
	CHECK_EQ(o.second, 2);
	test_host_free(host);
}

TEST(percpu_registration_is_checked)
{
	struct pintle_host *host = test_host_new();
	static const struct pintle_percpu few = {.base = copies, .stride = 8, .count = 3};
	static const struct pintle_percpu none = {.count = SLOTS};

	CHECK_EQ(pintle_export_percpu(host, "few", "X", &few), -EINVAL);
	CHECK_HAS(pintle_host_error(host), "3 copies, but 128 execution slots");
	CHECK_EQ(pintle_export_percpu(host, "none", "X", &none), -EINVAL);
	CHECK_EQ(pintle_export_percpu(host, "null", "X", NULL), -EINVAL);
	test_host_free(host);
}
