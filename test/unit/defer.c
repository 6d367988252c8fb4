/* SPDX-License-Identifier: MIT
 *
 * Deferred calls: once each, after a grace period of both domains, where it is safe.
 */
#include "test.h"

#include "unit/bare.h"
#include "unit/fail_alloc.h"

#include <pthread.h>
#include <unistd.h>

static atomic(u32) calls;

static void count(void *obj)
{
	atomic_fetch_add((atomic(u32) *)obj, 1);
}

TEST(defer_calls_once_and_drain_waits)
{
	struct pintle_host host;

	bare_host(&host);
	calls = 0;
	for (int i = 0; i < 1000; i++)
		defer_call(&host, count, &calls);
	defer_drain(&host);
	CHECK_EQ(calls, 1000);
	defer_drain(&host);
	bare_host_free(&host);
	CHECK_EQ(calls, 1000);
}

TEST(defer_freeing_a_host_makes_the_calls)
{
	struct pintle_host host;

	bare_host(&host);
	calls = 0;
	defer_call(&host, count, &calls);
	bare_host_free(&host);
	CHECK_EQ(calls, 1);
}

static void yield_until(struct pintle_host *host, u32 want)
{
	for (int i = 0; i < 5000 && calls < want; i++) {
		usleep(1000);
		defer_safe_point(host);
	}
}

TEST(defer_safe_points_make_the_calls)
{
	struct pintle_host host;

	bare_host(&host);
	calls = 0;
	for (u32 i = 1; i <= 3; i++) {
		defer_call(&host, count, &calls);
		CHECK_EQ(calls, i - 1); /* never at once */
		yield_until(&host, i);
		CHECK_EQ(calls, i);
	}
	bare_host_free(&host);
}

TEST(defer_not_inside_sections)
{
	struct pintle_host host;

	bare_host(&host);
	calls = 0;
	run_read_lock(&host);
	defer_call(&host, count, &calls);
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		defer_safe_point(&host);
	}
	defer_drain(&host); /* does not wait for itself */
	CHECK_EQ(calls, 0);
	run_read_unlock(&host);
	defer_drain(&host);
	CHECK_EQ(calls, 1);
	bare_host_free(&host);
}

/* --- another thread's section holds them back --- */

struct reader {
	struct pintle_host host;
	pthread_barrier_t inside;
	bool sleepable;
	atomic(bool) done;
};

static void *read_slowly(void *arg)
{
	struct reader *r = arg;
	struct slot_ctx *slot = slot_get(&r->host);

	if (r->sleepable)
		sleep_enter(slot);
	else
		run_read_lock(&r->host);
	pthread_barrier_wait(&r->inside);
	usleep(100000);
	atomic_store(&r->done, true);
	if (r->sleepable)
		sleep_leave(slot);
	else
		run_read_unlock(&r->host);
	return NULL;
}

static void note_order(void *obj)
{
	struct reader *r = obj;

	if (atomic_load(&r->done))
		atomic_fetch_add(&calls, 1);
}

static void check_waits(bool sleepable, bool drain)
{
	static struct reader r;
	pthread_t thread;

	bare_host(&r.host);
	r.sleepable = sleepable;
	r.done = false;
	calls = 0;
	pthread_barrier_init(&r.inside, NULL, 2);
	CHECK_EQ(pthread_create(&thread, NULL, read_slowly, &r), 0);
	pthread_barrier_wait(&r.inside);
	defer_call(&r.host, note_order, &r);
	if (drain)
		defer_drain(&r.host);
	else
		yield_until(&r.host, 1);
	CHECK_EQ(calls, 1);
	pthread_join(thread, NULL);
	bare_host_free(&r.host);
}

TEST(defer_waits_for_both_domains)
{
	check_waits(false, true);
	check_waits(false, false);
	check_waits(true, true);
	check_waits(true, false);
}

/* --- calls that defer --- */

struct again {
	struct pintle_host *host;
	u32 left;
};

static void call_again(void *obj)
{
	struct again *a = obj;

	atomic_fetch_add(&calls, 1);
	if (!--a->left)
		return;
	defer_call(a->host, call_again, a);
	defer_safe_point(a->host); /* does nothing here */
	defer_drain(a->host);
}

TEST(defer_calls_may_defer)
{
	struct pintle_host host;
	struct again a = {&host, 5};

	bare_host(&host);
	calls = 0;
	defer_call(&host, call_again, &a);
	defer_drain(&host);
	CHECK_EQ(calls, 5);
	bare_host_free(&host);
}

/* --- many threads: nothing lost, nothing early --- */

struct node {
	u64 alive;
	struct node *next;
};

struct stress {
	struct pintle_host host;
	atomic(struct node *) shared;
	atomic(u32) made, freed, bad;
};

static struct stress stress;

static void node_free(void *obj)
{
	struct node *n = obj;

	n->alive = 0;
	atomic_fetch_add(&stress.freed, 1);
	free(n);
}

static void stress_run(struct slot_ctx *slot, bool write)
{
	struct slot_ctx *before;
	struct node *n, *old;

	run_read_lock(&stress.host);
	before = slot_swap(slot);
	n = atomic_load_explicit(&stress.shared, memory_order_acquire);
	if (n && n->alive != 1)
		atomic_fetch_add(&stress.bad, 1);
	if (write) {
		struct node *fresh = malloc(sizeof(*fresh));

		fresh->alive = 1;
		atomic_fetch_add(&stress.made, 1);
		old = atomic_exchange(&stress.shared, fresh);
		if (old)
			defer_call(&stress.host, node_free, old);
	}
	slot_swap(before);
	if (slot->open)
		defer_publish(slot);
	run_read_unlock(&stress.host);
	defer_safe_point(&stress.host);
}

static void *stress_thread(void *arg)
{
	struct slot_ctx *slot = slot_get(&stress.host);

	for (int i = 0; i < 20000; i++)
		stress_run(slot, i % 4 == 0);
	return NULL;
}

TEST(defer_stress)
{
	pthread_t threads[3];

	memset(&stress, 0, sizeof(stress));
	bare_host(&stress.host);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, stress_thread, NULL), 0);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	defer_drain(&stress.host);
	CHECK_EQ(stress.bad, 0);
	CHECK_EQ(stress.freed + 1, stress.made);
	node_free(stress.shared);
	bare_host_free(&stress.host);
}

/* J10: over the limit, a safe point waits and makes the calls itself. */
TEST(defer_is_bounded)
{
	struct pintle_host host;

	bare_host(&host);
	calls = 0;
	for (int i = 0; i < 70000; i++)
		defer_call(&host, count, &calls);
	defer_safe_point(&host);
	CHECK_EQ(calls, 70000);
	bare_host_free(&host);
}

static u32 errors;

static void count_errors(void *data, enum pintle_log_level level, const char *line)
{
	errors += level == PINTLE_LOG_ERROR && strstr(line, "leaked");
}

/* First the reserve, then waiting; where waiting is not possible, a leak that is told. */
TEST(defer_without_memory)
{
	enum { MANY = 3000 };
	struct pintle_host host;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	bare_host(&host);
	host.opts.log = count_errors;
	calls = errors = 0;
	fail_alloc_at(1);
	for (int i = 0; i < MANY; i++)
		pintle_defer(&host, count, &calls);
	CHECK(fail_alloc_off());
	defer_drain(&host);
	CHECK_EQ(calls, MANY);
	CHECK_EQ(errors, 0);
	calls = 0;
	run_read_lock(&host);
	fail_alloc_at(1);
	for (int i = 0; i < MANY; i++)
		pintle_defer(&host, count, &calls);
	fail_alloc_off();
	run_read_unlock(&host);
	defer_drain(&host);
	CHECK(errors > 0 && errors < MANY - 900);
	CHECK_EQ(calls + errors, MANY);
	bare_host_free(&host);
}
