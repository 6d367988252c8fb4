/* SPDX-License-Identifier: MIT
 *
 * ops_race.c: tables replaced under load, with their objects: who reads the place once sees
 * one table whole, numbers and functions; who holds a table goes on calling it after its
 * object was closed.
 */
#include "run/ops_host.h"

#include <pthread.h>
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
	pintle_close(now);
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
