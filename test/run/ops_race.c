/* SPDX-License-Identifier: MIT
 *
 * ops_race.c: tables replaced under load, with their objects: who reads the place once sees
 * one table whole, numbers and functions; who holds a table goes on calling it after its
 * object was closed.
 */
#include "run/ops_host.h"

#include <pthread.h>
#include <unistd.h>
#include <stdatomic.h>

enum { THREADS = 3 };

#ifdef TEST_TSAN
enum { REPLACEMENTS = 20 };
#else
enum { REPLACEMENTS = 150 };
#endif

struct race {
	struct pintle_host *host;
	atomic_int stop, halves;
	atomic_long calls;
};

/* "first" multiplies by what is positive, "second" by what is not. */
static void use(struct race *r, const struct cc_ops *ops)
{
	struct flow f = {.window = 5};
	bool second = ops->name[0] == 's';

	for (int i = 0; i < 3; i++)
		if (ops->window(&f, 3) != (second ? -15 : 15) || !ops->nap == !second)
			atomic_fetch_add(&r->halves, 1);
	atomic_fetch_add(&r->calls, 1);
}

static void *read_in_sections(void *data)
{
	struct race *r = data;

	while (!atomic_load(&r->stop)) {
		const struct cc_ops *ops;

		pintle_read_lock(r->host);
		ops = ops_current();
		if (ops)
			use(r, ops);
		pintle_read_unlock(r->host);
	}
	pintle_thread_leave(r->host);
	return NULL;
}

static void *hold(void *data)
{
	struct race *r = data;

	while (!atomic_load(&r->stop)) {
		const struct cc_ops *ops = ops_get();

		if (!ops)
			continue;
		use(r, ops);
		if (ops->nap && ops->nap(&(struct flow){.window = 8}) != 9)
			atomic_fetch_add(&r->halves, 1);
		pintle_ops_put(ops);
	}
	pintle_thread_leave(r->host);
	return NULL;
}

/* However late the others are. */
static void wait_for_a_call(const struct race *r)
{
	while (!atomic_load(&r->calls))
		usleep(100);
}

static void replace(struct race *r)
{
	struct pintle_object *now = ops_load(r->host);
	struct pintle_map *table = pintle_map_find(now, "first");

	CHECK_EQ(pintle_ops_attach(table), 0);
	for (int i = 0; i < REPLACEMENTS; i++) {
		struct pintle_object *next = ops_load(r->host);
		struct pintle_map *map = pintle_map_find(next, i % 2 ? "first" : "second");

		CHECK_EQ(pintle_ops_replace(table, map), 0);
		pintle_close(now);
		now = next;
		table = map;
	}
	wait_for_a_call(r);
	pintle_close(now);
}

/* A whole object with its tables in another's place. Generations alternate in window()'s sign
 * only if the object is another: here each is the same, so that what counts is that no call
 * finds nothing, and that who asks in a section gets one table whole. */
static void replace_objects(struct race *r, int rounds)
{
	struct pintle_object *now = ops_load(r->host);

	const void *before;

	CHECK_EQ(pintle_ops_attach(pintle_map_find(now, "first")), 0);
	before = ops_current();
	for (int i = 0; i < rounds; i++) {
		struct pintle_object *next =
			pintle_open(r->host, test_object("run/ops.bpf.o"), NULL);

		if (!next || pintle_object_replace(now, next, NULL))
			test_fail(__FILE__, __LINE__, "%s", pintle_host_error(r->host));
		now = next;
		CHECK(ops_current() && ops_current() != before);
		before = ops_current();
	}
	wait_for_a_call(r);
	pintle_close(now);
	CHECK(!ops_current());
}

/* PINTLE_ROUNDS=1000 is the acceptance (make check-replace). */
TEST(race_replace_under_load_with_tables)
{
	const char *rounds = getenv("PINTLE_ROUNDS");
	struct race r = {.host = ops_host(PINTLE_OPTS(pintle_host_opts, .max_slots = 8),
					  PINTLE_OPTS(pintle_ops_opts, .optional = "*",
						      .sleepable = "nap"))};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, i ? hold : read_in_sections, &r), 0);
	replace_objects(&r, rounds ? atoi(rounds) : 20);
	atomic_store(&r.stop, 1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(atomic_load(&r.halves), 0);
	CHECK(atomic_load(&r.calls) > 0);
	pintle_host_free(r.host);
}

/* A host that keeps its table itself refuses a new one: everything is as before. */
static int refuse_update(void *data, const void *table, const void *old)
{
	return *(int *)data;
}

static int take(void *data, const void *table)
{
	return 0;
}

TEST(replace_with_tables_refused_by_the_host)
{
	int answer = -EPERM;
	struct pintle_host *host =
		ops_host(NULL, PINTLE_OPTS(pintle_ops_opts, .optional = "*", .sleepable = "nap",
					   .reg = take, .update = refuse_update,
					   .data = &answer));
	struct pintle_object *old = ops_load(host);
	struct pintle_object *next = pintle_open(host, test_object("run/ops.bpf.o"), NULL);
	struct flow f = {.window = 5};
	const void *before;

	CHECK_EQ(pintle_ops_attach(pintle_map_find(old, "first")), 0);
	before = ops_current();
	CHECK_EQ(pintle_object_replace(old, next, NULL), -EPERM);
	CHECK_HAS(pintle_host_error(host), "the host does not take it");
	CHECK(ops_current() == before);
	CHECK_EQ(ops_current()->window(&f, 3), 15);
	answer = 0;
	CHECK_EQ(pintle_object_replace(old, next, NULL), 0);
	CHECK(ops_current() && ops_current() != before);
	CHECK_EQ(ops_current()->window(&f, 3), 15);
	pintle_close(next);
	CHECK(!ops_current());
	pintle_host_free(host);
}

TEST(race_ops_replaced_under_load)
{
	struct race r = {.host = ops_host(PINTLE_OPTS(pintle_host_opts, .max_slots = 8),
					  PINTLE_OPTS(pintle_ops_opts, .optional = "*",
						      .sleepable = "nap"))};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, i ? hold : read_in_sections, &r), 0);
	replace(&r);
	atomic_store(&r.stop, 1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(atomic_load(&r.halves), 0);
	CHECK(atomic_load(&r.calls) > 0);
	pintle_host_free(r.host);
}
