/* SPDX-License-Identifier: MIT
 *
 * timers.c: timers and work of programs, one after another on one thread, by a clock that
 * stands still unless the test moves it: every answer of bpf_timer_*() and bpf_wq_*(), what
 * ends a timer, and random operations against a plain list.
 */
#include "run/run.h"
#include "run/timers_host.h"
#include "unit/fail_alloc.h"

#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

PINTLE_HOOK(int, timers_hook, int, key, long, n)

uint64_t timers_now;
long (*timers_nested_do)(long key);

struct value { /* as in timers.bpf.c */
	struct tick tick;
	uint64_t timer[2], wq[2];
};

uint64_t timers_clock(void *data, int id)
{
	uint64_t now = __atomic_load_n(&timers_now, __ATOMIC_RELAXED);

	return id == CLOCK_REALTIME ? now + 1000000 : now;
}

long timers_nested(long key)
{
	return timers_nested_do ? timers_nested_do(key) : 0;
}

int timers_call_hook(int key, long n)
{
	return timers_hook(key, n);
}

struct pintle_object *timers_load(struct pintle_host *host)
{
	struct pintle_object *object = pintle_open(host, test_object("run/timers.bpf.o"), NULL);

	if (!object || pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return object;
}

struct timers timers_begin(const struct pintle_host_opts *opts)
{
	struct timers t = {.host = pintle_host_new(opts)};

	CHECK(t.host);
	timers_now = 1000;
	timers_nested_do = NULL;
	if (pintle_host_add_self(t.host) || pintle_hook_add(t.host, timers_hook) ||
	    pintle_export(t.host, timers_nested, 0))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(t.host));
	t.object = timers_load(t.host);
	return t;
}

void timers_end(struct timers t)
{
	pintle_close(t.object);
	pintle_host_free(t.host);
}

int timers_run_prog(struct pintle_object *object, const char *prefix, const char *map, int key,
		    long n)
{
	uint64_t args[] = {(uint64_t)key, (uint64_t)n}, result = 0;
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s", prefix, map ? "_" : "", map ? map : "");
	CHECK(pintle_prog_find(object, name));
	CHECK_EQ(pintle_prog_run(pintle_prog_find(object, name), args, &result), 0);
	return (int)result;
}

struct tick timers_tick(struct timers t, const char *map, uint32_t key)
{
	struct value v = {0};

	if (pintle_map_lookup(pintle_map_find(t.object, map), &key, &v))
		v.tick.fired = -1;
	CHECK(!v.timer[0] && !v.timer[1] && !v.wq[0] && !v.wq[1]); /* no address is told */
	return v.tick;
}

void timers_set(struct timers t, const char *map, uint32_t key, struct tick tick)
{
	struct value v = {.tick = tick, .timer = {-1, -1}, .wq = {-1, -1}};

	CHECK_EQ(pintle_map_update(pintle_map_find(t.object, map), &key, &v, 0), 0);
}

static const struct pintle_host_opts by_hand = {
	.size = sizeof(by_hand), .max_slots = 8, .clock = timers_clock};
static const struct pintle_host_opts by_hand_interpreted = {
	.size = sizeof(by_hand), .max_slots = 8, .clock = timers_clock, .jit = PINTLE_JIT_OFF};

static const char *const maps[] = {"array", "hash", "lean", "lru"};

#define RUN(prefix, map, key, n) timers_run_prog(t.object, prefix, map, key, n)
#define FIRED(map, key) timers_tick(t, map, key).fired

/* ------------------------------------------------------------------ answers */

static void answers(struct timers t, const char *map)
{
	CHECK_EQ(RUN("start", map, 3, 100), -EINVAL);
	CHECK_EQ(RUN("cancel", map, 3, 0), -EINVAL);
	CHECK_EQ(RUN("callback", map, 3, 0), -EINVAL);
	CHECK_EQ(RUN("init", map, 3, 2), -EINVAL); /* no such clock */
	CHECK_EQ(RUN("init", map, 3, 16 | 1), -EINVAL);
	CHECK_EQ(RUN("init", map, 3, 1), 0);
	CHECK_EQ(RUN("init", map, 3, 1), -EBUSY);
	CHECK_EQ(RUN("start", map, 3, 100), -EINVAL); /* no callback */
	CHECK_EQ(RUN("cancel", map, 3, 0), 0);
	CHECK_EQ(pintle_timers_next(t.host), -ENOENT);
	CHECK_EQ(RUN("callback", map, 3, 0), 0);
	CHECK_EQ(RUN("pin", map, 3, 2), -EINVAL);
	CHECK_EQ(RUN("pin", map, 3, 4), -EINVAL);
	CHECK_EQ(RUN("start", map, 3, 100), 0);
	CHECK_EQ(pintle_timers_next(t.host), 100);
	timers_now += 99;
	CHECK_EQ(pintle_timers_run(t.host, 0), 0);
	CHECK_EQ(RUN("start", map, 3, 100), 0); /* moves it */
	timers_now += 99;
	CHECK_EQ(pintle_timers_run(t.host, 0), 0);
	timers_now += 1;
	CHECK_EQ(pintle_timers_next(t.host), 0);
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(FIRED(map, 3), 1);
	CHECK_EQ(timers_tick(t, map, 3).last, timers_now);
	CHECK_EQ(timers_tick(t, map, 3).key, 3);
	CHECK_EQ(pintle_timers_run(t.host, 0), 0); /* once */
	CHECK_EQ(RUN("start_at", map, 3, timers_now + 7), 0);
	CHECK_EQ(pintle_timers_next(t.host), 7);
	CHECK_EQ(RUN("cancel", map, 3, 0), 1);
	CHECK_EQ(RUN("cancel", map, 3, 0), 0);
	CHECK_EQ(RUN("start", map, 3, 1), -EINVAL); /* the callback went with it */
	CHECK_EQ(RUN("all", map, 3, -1), 0); /* never: the sum stops at the end of time */
	CHECK(pintle_timers_next(t.host) > 1000000000);
}

TEST(timer_answers)
{
	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		struct timers t = timers_begin(&by_hand);

		answers(t, maps[i]);
		timers_end(t);
		t = timers_begin(&by_hand_interpreted);
		answers(t, maps[i]);
		timers_end(t);
	}
}

/* CLOCK_REALTIME is 1000000 ahead here. */
TEST(timer_clocks)
{
	struct timers t = timers_begin(&by_hand);

	CHECK_EQ(RUN("init", "array", 0, 0), 0);
	CHECK_EQ(RUN("init", "array", 1, 7), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(RUN("callback", "array", i, 0), 0);
	CHECK_EQ(RUN("start_at", "array", 0, timers_now + 1000000 + 5), 0);
	CHECK_EQ(RUN("start", "array", 1, 9), 0);
	CHECK_EQ(pintle_timers_next(t.host), 5);
	timers_now += 5;
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(FIRED("array", 0), 1);
	CHECK_EQ(pintle_timers_next(t.host), 4);
	timers_now += 4;
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(FIRED("array", 1), 1);
	timers_end(t);
}

TEST(timer_is_started_by_its_callback)
{
	struct timers t = timers_begin(&by_hand);

	timers_set(t, "hash", 1, (struct tick){.again = 10});
	CHECK_EQ(RUN("all", "hash", 1, 0), 0);
	for (int i = 1; i < 100; i++) {
		CHECK_EQ(pintle_timers_run(t.host, 0), 1);
		CHECK_EQ(FIRED("hash", 1), i);
		CHECK_EQ(pintle_timers_next(t.host), 10);
		timers_now += 10;
	}
	/* Of what is due, some; what callbacks start is for the next time. */
	for (int i = 2; i < 7; i++) {
		CHECK_EQ(RUN("all", "hash", i, 0), 0);
		CHECK_EQ(pintle_timers_next(t.host), 0);
	}
	CHECK_EQ(pintle_timers_run(t.host, 2), 2);
	CHECK_EQ(pintle_timers_run(t.host, 2), 2);
	CHECK_EQ(pintle_timers_run(t.host, 0), 2);
	timers_end(t);
}

/* One that is always due long since keeps none that is due from being called. */
TEST(timer_in_the_past_lets_others_come)
{
	struct timers t = timers_begin(&by_hand);

	timers_set(t, "hash", 1, (struct tick){.todo = TODO_START_IN_THE_PAST});
	for (int i = 1; i < 4; i++)
		CHECK_EQ(RUN("all", "hash", i, 0), 0);
	for (int i = 1; i < 4; i++) {
		CHECK_EQ(pintle_timers_run(t.host, 0), i == 1 ? 3 : 1);
		CHECK_EQ(FIRED("hash", 1), i);
		CHECK_EQ(FIRED("hash", 3), 1);
		CHECK_EQ(pintle_timers_next(t.host), 0);
	}
	timers_end(t);
}

/* ------------------------------------------------------------------ callbacks' own doings */

static long nested_answer;

static long note_answer(long answer)
{
	struct timespec tick = {.tv_nsec = 0};

	nanosleep(&tick, NULL);
	return nested_answer = answer;
}

static struct timers nested_in;

/* Runs a hook inside the callback, which cancels the callback's own timer. */
static long cancel_from_inside(long key)
{
	CHECK_EQ(pintle_timers_run(nested_in.host, 0), -EBUSY);
	CHECK_EQ(pintle_work_run(nested_in.host, 0), -EBUSY);
	return timers_run_prog(nested_in.object, "cancel", "hash", (int)key, 0);
}

TEST(timer_callback_and_its_own_timer)
{
	struct timers t = timers_begin(&by_hand);

	timers_set(t, "hash", 1, (struct tick){.todo = TODO_CANCEL_OWN, .again = 5});
	CHECK_EQ(RUN("all", "hash", 1, 0), 0);
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(timers_tick(t, "hash", 1).answer, -EDEADLK);
	CHECK_EQ(pintle_timers_next(t.host), 5); /* nothing happened to it */

	timers_set(t, "hash", 1, (struct tick){.todo = TODO_CALL_HOST});
	CHECK_EQ(pintle_timers_next(t.host), -ENOENT); /* the update cancelled it */
	CHECK_EQ(RUN("all", "hash", 1, 0), 0);
	timers_nested_do = cancel_from_inside;
	nested_in = t;
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(timers_tick(t, "hash", 1).answer, -EDEADLK);

	timers_set(t, "hash", 1, (struct tick){.todo = TODO_DELETE_OWN, .again = 5});
	timers_nested_do = note_answer;
	nested_answer = 0;
	CHECK_EQ(RUN("all", "hash", 1, 0), 0);
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(nested_answer, -EINVAL);
	CHECK_EQ(pintle_timers_next(t.host), -ENOENT);
	CHECK_EQ(FIRED("hash", 1), -1); /* no such key */

	timers_set(t, "hash", 1, (struct tick){.todo = TODO_CANCEL_OTHER});
	CHECK_EQ(RUN("all", "hash", 1, 0), 0);
	CHECK_EQ(RUN("all", "hash", 2, 0), 0);
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK_EQ(timers_tick(t, "hash", 1).answer, 1);
	timers_end(t);
}

/* ------------------------------------------------------------------ what ends a timer */

TEST(timer_goes_with_its_element)
{
	struct timers t = timers_begin(&by_hand);

	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		CHECK_EQ(RUN("all", maps[i], 1, 10), 0);
		CHECK_EQ(pintle_timers_next(t.host), 10);
		if (i) /* arrays do not delete */
			CHECK_EQ(RUN("delete", maps[i], 1, 0), 0);
		else
			timers_set(t, maps[i], 1, (struct tick){0});
		CHECK_EQ(pintle_timers_next(t.host), -ENOENT);
		CHECK_EQ(RUN("start", maps[i], 1, 10), -EINVAL);
		CHECK_EQ(RUN("all", maps[i], 1, 10), 0); /* another one */
		timers_set(t, maps[i], 1, (struct tick){0});
		CHECK_EQ(pintle_timers_next(t.host), -ENOENT);
	}
	CHECK_EQ(RUN("start_deleted", NULL, 5, 0), -EPERM);
	for (int i = 0; i < 100; i++) /* eviction, from eight */
		CHECK_EQ(RUN("all", "lru", i, 10), 0);
	timers_now += 10;
	CHECK_EQ(pintle_timers_run(t.host, 0), 8);
	timers_end(t);
}

TEST(timer_goes_with_its_object)
{
	struct timers t = timers_begin(&by_hand);
	struct pintle_object *other = timers_load(t.host);

	CHECK_EQ(RUN("all", "hash", 1, 10), 0);
	CHECK_EQ(timers_run_prog(other, "all", "hash", 2, 20), 0);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(RUN("all", "lean", i, 10), 0);
	pintle_close(t.object);
	CHECK_EQ(pintle_timers_next(t.host), 20);
	timers_now += 20;
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	t.object = other;
	CHECK_EQ(FIRED("hash", 2), 1);
	timers_end(t);
}

static struct pintle_object *closes;

static long close_object(long key)
{
	struct pintle_object *object = closes;

	closes = NULL;
	pintle_close(object);
	return 0;
}

/* The callback goes on to its end; what it starts is nothing any more. */
TEST(timer_object_closed_by_a_callback)
{
	struct timers t = timers_begin(&by_hand);

	closes = t.object;
	timers_nested_do = close_object;
	timers_set(t, "hash", 1, (struct tick){.todo = TODO_CALL_HOST, .again = 5});
	CHECK_EQ(RUN("all", "hash", 1, 0), 0);
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK(!closes);
	CHECK_EQ(pintle_timers_next(t.host), -ENOENT);
	pintle_drain(t.host);
	pintle_host_free(t.host);
}

/* ------------------------------------------------------------------ work */

TEST(work_answers)
{
	struct timers t = timers_begin(&by_hand);

	CHECK_EQ(RUN("wq_start_only", NULL, 1, 0), -EINVAL);
	CHECK_EQ(RUN("wq_all", NULL, 1, 1), -EINVAL);
	CHECK_EQ(RUN("wq_all", NULL, 1, 2), -EINVAL);
	CHECK_EQ(RUN("wq_start_only", NULL, 1, 0), -EINVAL); /* no callback */
	CHECK_EQ(RUN("wq_all", NULL, 1, 4), -EINVAL);
	CHECK_EQ(pintle_work_run(t.host, 0), 0);
	CHECK_EQ(RUN("wq_all", NULL, 1, 0), 0);
	CHECK_EQ(RUN("wq_start_only", NULL, 1, 0), 0); /* is queued already */
	CHECK_EQ(pintle_work_run(t.host, 0), 1);
	CHECK_EQ(FIRED("hash", 1), 1);
	CHECK_EQ(timers_tick(t, "hash", 1).key, 1);
	CHECK_EQ(pintle_work_run(t.host, 0), 0);
	/* Started by its own callback: it is called again, and by the next visit. */
	timers_set(t, "hash", 1, (struct tick){.again = 3});
	CHECK_EQ(RUN("wq_all", NULL, 1, 0), 0);
	for (int i = 1; i < 5; i++) {
		CHECK_EQ(pintle_work_run(t.host, 0), 1);
		CHECK_EQ(FIRED("hash", 1), i);
	}
	CHECK_EQ(pintle_work_run(t.host, 0), 0);
	for (int i = 0; i < 7; i++)
		CHECK_EQ(RUN("wq_all", NULL, i, 0), 0);
	CHECK_EQ(RUN("delete", "hash", 3, 0), 0);
	CHECK_EQ(RUN("delete", "hash", 6, 0), 0);
	CHECK_EQ(pintle_work_run(t.host, 2), 2);
	CHECK_EQ(FIRED("hash", 1), 5); /* in the order of starts: 0, 1 */
	CHECK_EQ(FIRED("hash", 2), 0);
	CHECK_EQ(pintle_work_run(t.host, 0), 3);
	timers_end(t);
}

static long in_section(long key)
{
	return run_read_ongoing();
}

TEST(work_opens_read_sections)
{
	struct timers t = timers_begin(&by_hand);

	CHECK_EQ(RUN("wq_section", NULL, 1, 0), 0);
	timers_nested_do = in_section;
	CHECK_EQ(pintle_work_run(t.host, 0), 1);
	timers_nested_do = NULL;
	CHECK_EQ(timers_tick(t, "hash", 1).answer, 1);
	CHECK_EQ(timers_tick(t, "hash", 1).again, 0);
	CHECK(!run_read_ongoing());
	timers_end(t);
}

/* ------------------------------------------------------------------ descriptors, threads */

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

TEST(timer_descriptors)
{
	struct timers t = timers_begin(PINTLE_OPTS(pintle_host_opts, .max_slots = 4));
	int work = pintle_work_fd(t.host), fd;

	CHECK_EQ(RUN("all", "hash", 1, 1000000), 0);
	fd = pintle_timers_fd(t.host);
	CHECK(fd >= 0 && work >= 0);
	CHECK_EQ(pintle_timers_fd(t.host), fd);
	CHECK(readable(fd, 1000));
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	CHECK(!readable(fd, 0));
	CHECK_EQ(RUN("all", "hash", 2, 3600000000000), 0);
	CHECK(!readable(fd, 0));
	CHECK_EQ(RUN("all", "hash", 1, 0), 0); /* sooner than the other */
	CHECK(readable(fd, 1000));
	CHECK_EQ(pintle_timers_run(t.host, 0), 1);
	(void)readable(work, 0);
	CHECK_EQ(pintle_work_run(t.host, 0), 0);
	CHECK(!readable(work, 0));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(RUN("wq_all", NULL, i, 0), 0);
	CHECK(readable(work, 0));
	CHECK_EQ(pintle_work_run(t.host, 1), 1);
	CHECK(readable(work, 0)); /* some is left */
	CHECK_EQ(pintle_work_run(t.host, 0), 2);
	CHECK(!readable(work, 0));
	timers_end(t);
}

TEST(timer_threads_of_the_library)
{
	struct timers t = timers_begin(PINTLE_OPTS(pintle_host_opts, .max_slots = 4,
						   .timer_thread = true, .work_thread = true));

	CHECK_EQ(RUN("all", "array", 1, 1000000), 0);
	CHECK_EQ(RUN("wq_all", NULL, 1, 0), 0);
	for (int i = 0; i < 5000; i++) {
		if (FIRED("array", 1) == 1 && FIRED("hash", 1) == 1)
			break;
		usleep(1000);
	}
	CHECK_EQ(FIRED("array", 1), 1);
	CHECK_EQ(FIRED("hash", 1), 1);
	timers_end(t);
}

TEST(timer_options_that_do_not_fit)
{
	struct timers t = timers_begin(&by_hand);

	CHECK_EQ(pintle_timers_fd(t.host), -EOPNOTSUPP);
	CHECK_HAS(pintle_host_error(t.host), "pintle_timers_run()");
	timers_end(t);
	CHECK(!pintle_host_new(PINTLE_OPTS(pintle_host_opts, .clock = timers_clock,
					   .timer_thread = true)));
	CHECK_HAS(pintle_host_error(NULL), "clock");
}

/* A child has the timers, no thread, and descriptors of its own. */
TEST(timer_after_fork)
{
	struct timers t = timers_begin(PINTLE_OPTS(pintle_host_opts, .max_slots = 4,
						   .timer_thread = true));
	int status;
	pid_t pid;

	CHECK_EQ(RUN("all", "array", 1, 50000000), 0);
	pid = fork();
	if (!pid) {
		int fd = pintle_timers_fd(t.host);

		_exit(fd >= 0 && readable(fd, 5000) && pintle_timers_run(t.host, 0) == 1 &&
				      FIRED("array", 1) == 1
			      ? 0
			      : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	for (int i = 0; i < 5000 && FIRED("array", 1) != 1; i++)
		usleep(1000);
	CHECK_EQ(FIRED("array", 1), 1);
	timers_end(t);
}

/* ------------------------------------------------------------------ memory */

static int init_failing(struct timers t, u32 n, bool *failed)
{
	int err;

	fail_alloc_only(n);
	err = RUN("init", "array", 0, 1);
	*failed = fail_alloc_off();
	return err;
}

TEST(timer_without_memory)
{
	struct timers t = timers_begin(&by_hand);
	bool failed = true;

	if (!fail_alloc_works()) {
		timers_end(t);
		SKIP("a sanitizer has its own allocator");
	}
	for (u32 n = 1; failed; n++) {
		int err = init_failing(t, n, &failed);

		CHECK(n < 20);
		CHECK_EQ(err, failed ? -ENOMEM : 0);
		if (failed)
			CHECK_EQ(RUN("start", "array", 0, 1), -EINVAL);
	}
	CHECK_EQ(RUN("callback", "array", 0, 0), 0);
	fail_alloc_at(1); /* starting takes none */
	CHECK_EQ(RUN("start", "array", 0, 1), 0);
	CHECK_EQ(RUN("cancel", "array", 0, 1), 1);
	(void)fail_alloc_off();
	timers_end(t);
}

/* ------------------------------------------------------------------ against a plain list */

enum { KEYS = 64, STEPS = 20000 };

struct model {
	bool there, init, callback, armed;
	u64 at;
	long fired;
} model[KEYS];

static u64 rng_state;

static u32 rng(u32 n)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (u32)(rng_state % n);
}

static int expect(bool can, int otherwise)
{
	return can ? 0 : otherwise;
}

static void one_step(struct timers t, const char *map)
{
	int key = (int)rng(KEYS);
	u32 after = rng(50);
	struct model *m = &model[key];
	u32 op = rng(7);

	if (op < 5)
		m->there = true;
	switch (op) {
	case 0:
		CHECK_EQ(RUN("init", map, key, 1), expect(!m->init, -EBUSY));
		m->init = true;
		break;
	case 1:
		CHECK_EQ(RUN("callback", map, key, 0), expect(m->init, -EINVAL));
		m->callback = m->init;
		break;
	case 2:
	case 3:
		CHECK_EQ(RUN("start", map, key, after), expect(m->callback, -EINVAL));
		m->at = m->callback ? timers_now + after : m->at;
		m->armed |= m->callback;
		break;
	case 4:
		CHECK_EQ(RUN("cancel", map, key, 0), m->init ? m->armed : -EINVAL);
		m->armed = m->callback = false;
		break;
	case 5:
		CHECK_EQ(RUN("delete", map, key, 0), expect(m->there, -ENOENT));
		*m = (struct model){0};
		break;
	default:
		timers_now += rng(20);
	}
}

static u64 model_next(void)
{
	u64 next = UINT64_MAX;

	for (u32 i = 0; i < KEYS; i++)
		if (model[i].armed && model[i].at < next)
			next = model[i].at;
	return next;
}

static int model_run(void)
{
	int n = 0;

	for (u32 i = 0; i < KEYS; i++) {
		if (!model[i].armed || model[i].at > timers_now)
			continue;
		model[i].armed = false;
		model[i].fired++;
		n++;
	}
	return n;
}

static void check_model(struct timers t, const char *map)
{
	u64 next = model_next();
	int64_t left = next == UINT64_MAX ? -ENOENT : next > timers_now ? next - timers_now : 0;

	CHECK_EQ(pintle_timers_next(t.host), left);
	CHECK_EQ(pintle_timers_run(t.host, 0), model_run());
	for (u32 i = 0; i < KEYS; i++)
		CHECK_EQ(FIRED(map, i), model[i].there ? model[i].fired : -1);
}

static void against_model(const char *map, const struct pintle_host_opts *opts, u64 seed)
{
	struct timers t = timers_begin(opts);

	rng_state = seed;
	memset(model, 0, sizeof(model));
	for (int i = 0; i < STEPS; i++) {
		one_step(t, map);
		if (!rng(8))
			check_model(t, map);
	}
	timers_end(t);
}

TEST(timer_against_a_model)
{
	against_model("hash", &by_hand, 1);
	against_model("lean", &by_hand, 2);
	against_model("hash", &by_hand_interpreted, 3);
}

/* Many: each fires once, in the order of their deadlines. */
TEST(timer_many)
{
	enum { MANY = 100000 };
	struct timers t = timers_begin(&by_hand);
	int64_t n = 0;

	rng_state = 7;
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(RUN("all", "lean", i, rng(1000)), 0);
	for (int i = 0; i < MANY; i += 3)
		CHECK_EQ(RUN("cancel", "lean", i, 0), 1);
	for (int i = 0; i < 1000; i++) {
		n += pintle_timers_run(t.host, 0);
		CHECK(i == 999 || pintle_timers_next(t.host) == 1 ||
		      pintle_timers_next(t.host) > 1 || pintle_timers_next(t.host) == -ENOENT);
		timers_now++;
	}
	CHECK_EQ(n, MANY - (MANY + 2) / 3);
	for (int i = 0; i < MANY; i += 97)
		CHECK_EQ(FIRED("lean", (uint32_t)i), i % 3 != 0);
	timers_end(t);
}
