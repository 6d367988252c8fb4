/* SPDX-License-Identifier: MIT
 *
 * timers_race.c: timers and work under threads: started, cancelled, deleted, updated and
 * evicted by several, called by two, while objects come and go. What it proves is in the
 * sanitizers' hands, and in that it ends.
 */
#include "run/timers_host.h"

#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 3 };

#ifdef TEST_TSAN
enum { ROUNDS = 2000, REPLACEMENTS = 10 };
#else
enum { ROUNDS = 20000, REPLACEMENTS = 40 };
#endif

struct race {
	struct timers t;
	_Atomic int stop;
	_Atomic u64 threads;
};

static u32 rng(u64 *state, u32 n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (u32)(*state % n);
}

/* What the programs do without being told: any of them, on any key of a few. */
static void random_op(struct race *r, u64 *state)
{
	static const char *const ops[] = {"init", "callback", "start", "start", "start_at",
					  "cancel", "all", "all", "delete"};
	static const char *const maps[] = {"array", "hash", "lean", "lru"};
	const char *map = maps[rng(state, 4)];
	u32 key = rng(state, 6);
	struct tick tick = {.todo = rng(state, 4), .again = rng(state, 2)};

	if (rng(state, 10) == 0)
		timers_set(r->t, map, key, tick);
	else if (rng(state, 8) == 0)
		timers_run_prog(r->t.object, "wq_all", NULL, (int)key, 0);
	else
		timers_run_prog(r->t.object, ops[rng(state, 9)], map, (int)key,
				rng(state, 20000));
}

static void *operate(void *data)
{
	struct race *r = data;
	u64 state = atomic_fetch_add(&r->threads, 1) * 77 + 12345;

	for (int i = 0; i < ROUNDS; i++) {
		random_op(r, &state);
		if (i % 4 == 0)
			timers_call_hook((int)rng(&state, 6), (long)rng(&state, 20000));
	}
	pintle_thread_leave(r->t.host);
	return NULL;
}

static void *drive(void *data)
{
	struct race *r = data;

	while (!atomic_load(&r->stop)) {
		pintle_timers_run(r->t.host, 3);
		pintle_work_run(r->t.host, 3);
	}
	pintle_thread_leave(r->t.host);
	return NULL;
}

static void replace_objects(struct race *r)
{
	struct pintle_object *now = NULL;

	for (int i = 0; i < REPLACEMENTS; i++) {
		struct pintle_object *next = timers_load(r->t.host);

		CHECK_EQ(pintle_attach(next), 0);
		pintle_close(now);
		now = next;
	}
	pintle_close(now);
}

static void race(const struct pintle_host_opts *opts)
{
	struct race r = {.t = timers_begin(opts)};
	pthread_t threads[THREADS], driver;

	CHECK_EQ(pthread_create(&driver, NULL, drive, &r), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, operate, &r), 0);
	replace_objects(&r);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&r.stop, 1);
	pthread_join(driver, NULL);
	timers_end(r.t);
}

TEST(race_timers_and_work)
{
	race(PINTLE_OPTS(pintle_host_opts, .max_slots = 16, .timer_thread = true,
			 .work_thread = true));
}

TEST(race_timers_and_work_interpreted)
{
	race(PINTLE_OPTS(pintle_host_opts, .max_slots = 16, .timer_thread = true,
			 .jit = PINTLE_JIT_OFF));
}

static pthread_barrier_t both;

static long meet(long key)
{
	pthread_barrier_wait(&both);
	return 0;
}

static void *run_some(void *host)
{
	pintle_timers_run(host, 1);
	pintle_thread_leave(host);
	return NULL;
}

TEST(race_timer_cancel_waits_for_the_callback)
{
	struct timers t = timers_begin(
		PINTLE_OPTS(pintle_host_opts, .max_slots = 4, .clock = timers_clock));
	pthread_t thread;

	pthread_barrier_init(&both, NULL, 2);
	for (int i = 0; i < 50; i++) {
		timers_nested_do = meet;
		timers_set(t, "hash", 1, (struct tick){.todo = TODO_CALL_HOST, .again = 1});
		CHECK_EQ(timers_run_prog(t.object, "all", "hash", 1, 0), 0);
		CHECK_EQ(pthread_create(&thread, NULL, run_some, t.host), 0);
		pthread_barrier_wait(&both);
		CHECK(timers_run_prog(t.object, "cancel", "hash", 1, 0) >= 0);
		/* It has ended, and what it started was cancelled. */
		CHECK_EQ(timers_tick(t, "hash", 1).fired, 1);
		CHECK_EQ(pintle_timers_next(t.host), -ENOENT);
		pthread_join(thread, NULL);
	}
	pthread_barrier_destroy(&both);
	timers_end(t);
}
