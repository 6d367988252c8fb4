/* SPDX-License-Identifier: MIT
 *
 * signal.c: J04: programs in signal handlers that interrupt runs of the same thread: no
 * lock is waited for, what was interrupted goes on as if nothing had been, and no run is
 * counted twice or lost.
 */
#include "fixture/host.h"
#include "run/run.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { WORKERS = 2, ROUNDS = 1500, MOST_ROUNDS = 200000, HANDLED = 300 };

static struct {
	struct pintle_host *host;
	atomic(u64) handled, ran, rounds;
	atomic(u32) working, spoilt;
} storm;

static void on_signal(int sig)
{
	int n = (int)(atomic_fetch_add(&storm.handled, 1) & 127), saved = errno;

	errno = 77; /* a handler's calls leave it as it is */
	if (test_hook_s(hook_t, n) == 1)
		atomic_fetch_add(&storm.ran, 1);
	if (errno != 77)
		atomic_fetch_add(&storm.spoilt, 1);
	errno = saved;
}

static void *worker(void *data)
{
	u64 *bad = data;

	CHECK_EQ(pintle_thread_enter(storm.host), 0);
	for (int i = 0; i < ROUNDS || (atomic_load(&storm.ran) < HANDLED && i < MOST_ROUNDS);
	     i++) {
		*bad += test_hook_p(hook_t, i) != (i & 1 ? 7 : 3);
		atomic_fetch_add(&storm.rounds, 1);
	}
	atomic_fetch_sub(&storm.working, 1);
	return NULL;
}

static void check_totals(struct pintle_object *object, u64 hits, u64 works)
{
	u32 key = 0;
	u64 totals[2];

	CHECK_EQ(pintle_map_lookup(pintle_map_find(object, "totals"), &key, totals), 0);
	CHECK_EQ(totals[0], hits);
	CHECK_EQ(totals[1], works);
}

static u64 runs_of(struct pintle_prog *prog)
{
	struct pintle_prog_info info = {.size = sizeof(info)};

	CHECK_EQ(pintle_prog_info(prog, &info), 0);
	return info.runs;
}

static void attach(struct pintle_object *object, const char *name)
{
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(object, name)), 0);
}

static void check_storm(enum pintle_jit jit)
{
	/* Two signals, each of which holds back itself: handlers nest, but not without end. */
	struct sigaction act = {.sa_handler = on_signal}, before[2];
	struct pintle_host *host = test_host_new();
	struct pintle_object *object;
	pthread_t threads[WORKERS];
	u64 bad[WORKERS] = {0};

	host->opts.jit = jit;
	storm.host = host;
	atomic_store(&storm.handled, 0);
	atomic_store(&storm.ran, 0);
	atomic_store(&storm.rounds, 0);
	atomic_store(&storm.spoilt, 0);
	atomic_store(&storm.working, WORKERS);
	object = pintle_open(host, test_object("run/signal.bpf.o"), NULL);
	if (!object || pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	attach(object, "work");
	attach(object, "interrupts");
	CHECK_EQ(sigaction(SIGUSR1, &act, &before[0]), 0);
	CHECK_EQ(sigaction(SIGUSR2, &act, &before[1]), 0);
	for (u32 i = 0; i < WORKERS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, worker, &bad[i]), 0);
	while (atomic_load(&storm.working)) {
		for (u32 i = 0; i < 2 * WORKERS; i++)
			pthread_kill(threads[i / 2], i % 2 ? SIGUSR2 : SIGUSR1);
		sched_yield();
	}
	for (u32 i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_EQ(bad[i], 0);
	}
	CHECK_EQ(sigaction(SIGUSR1, &before[0], NULL), 0);
	CHECK_EQ(sigaction(SIGUSR2, &before[1], NULL), 0);
	CHECK(atomic_load(&storm.ran) >= HANDLED);
	CHECK_EQ(atomic_load(&storm.spoilt), 0);
	check_totals(object, atomic_load(&storm.ran), atomic_load(&storm.rounds));
	CHECK_EQ(runs_of(pintle_prog_find(object, "interrupts")), atomic_load(&storm.ran));
	CHECK_EQ(runs_of(pintle_prog_find(object, "work")), atomic_load(&storm.rounds));
	pintle_close(object);
	test_host_free(host);
}

TEST(J04_signal_storm_native)
{
#ifdef TEST_TSAN
	SKIP("of native code's exchanges it sees nothing");
#endif
	check_storm(PINTLE_JIT_AUTO);
}

TEST(J04_signal_storm_interpreted)
{
	check_storm(PINTLE_JIT_OFF);
}

static atomic(u32) got;

static void without_slot(int sig)
{
	atomic_store(&got, test_hook_s(hook_t, 1) == 0 ? 1 : 2);
}

static void *signals_itself(void *data)
{
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&got), 1);
	CHECK_EQ(pintle_thread_enter(storm.host), 0);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&got), 2);
	pintle_thread_leave(storm.host);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&got), 1);
	return NULL;
}

TEST(J04_a_thread_without_a_slot_runs_nothing_in_a_handler)
{
	struct sigaction act = {.sa_handler = without_slot}, before;
	struct pintle_host *host = test_host_new();
	struct pintle_object *object;
	pthread_t t;

	storm.host = host;
	object = pintle_open(host, test_object("run/signal.bpf.o"), NULL);
	if (!object || pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	attach(object, "interrupts");
	CHECK_EQ(sigaction(SIGUSR1, &act, &before), 0);
	CHECK_EQ(pthread_create(&t, NULL, signals_itself, NULL), 0);
	pthread_join(t, NULL);
	CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
	pintle_close(object);
	test_host_free(host);
}

PINTLE_HOOK(int, sleeps_in_handlers, int, n)

struct T *signal_find(int id);
struct T *signal_find(int id)
{
	return t_find(id);
}

TEST(J04_what_does_not_fit_a_handler_is_not_registered)
{
	struct pintle_host *host = test_host_new();

	CHECK_EQ(pintle_hook_add(host, sleeps_in_handlers, .in_signals = true, .sleepable = true),
		 -EINVAL);
	CHECK(strstr(pintle_host_error(host), "nothing sleeps in a signal handler"));
	CHECK_EQ(pintle_helper_add(host, "hook/s", "bpf_redirect", (void (*)(void))t_use),
		 -EINVAL);
	CHECK(strstr(pintle_host_error(host), "runs in signal handlers"));
	CHECK_EQ(pintle_export(host, signal_find, PINTLE_ACQUIRE | PINTLE_SIGNAL_SAFE), -EINVAL);
	CHECK(strstr(pintle_host_error(host), "it must move no references"));
	test_host_free(host);
}
