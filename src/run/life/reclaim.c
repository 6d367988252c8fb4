/* SPDX-License-Identifier: MIT
 *
 * reclaim.c: the thread that makes a host's deferred calls, if it wants one (J23), and
 * reports of grace periods that do not end (J8, J12).
 *
 * The thread comes by on a signal of a safe point, and every now and then. A child of fork
 * has no such thread: there, safe points do the work again.
 */
#include "run/life/reclaim.h"
#include "run/life/thread.h"

#include <semaphore.h>
#include <time.h>

enum { PERIOD_MS = 20 };

struct reclaimer {
	struct pintle_host *host;
	pthread_t thread;
	sem_t wake;
	atomic(u32) woken, stop;
};

u64 clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

static void wait_for_work(struct reclaimer *r)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += PERIOD_MS * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	sem_timedwait(&r->wake, &t);
	atomic_store_explicit(&r->woken, 0, memory_order_relaxed);
}

static void *reclaim(void *data)
{
	static const struct timespec nap = {.tv_nsec = 500000};
	struct reclaimer *r = data;

	while (!atomic_load_explicit(&r->stop, memory_order_acquire)) {
		wait_for_work(r);
		while (defer_waiting(r->host) &&
		       !atomic_load_explicit(&r->stop, memory_order_relaxed)) {
			defer_advance(r->host);
			nanosleep(&nap, NULL);
		}
	}
	return NULL;
}

int reclaim_start(struct pintle_host *host)
{
	struct reclaimer *r;
	sigset_t before;
	int err;

	if (!host->opts.reclaim_thread)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->host = host;
	sem_init(&r->wake, 0, 0);
	signals_block(&before);
	err = pthread_create(&r->thread, NULL, reclaim, r);
	signals_restore(&before);
	if (err) {
		sem_destroy(&r->wake);
		free(r);
		return -err;
	}
	host->reclaimer = r;
	return 0;
}

void reclaim_stop(struct pintle_host *host)
{
	struct reclaimer *r = host->reclaimer;

	if (!r)
		return;
	atomic_store_explicit(&r->stop, 1, memory_order_release);
	sem_post(&r->wake);
	pthread_join(r->thread, NULL);
	reclaim_lost(host);
}

void reclaim_lost(struct pintle_host *host)
{
	struct reclaimer *r = host->reclaimer;

	host->reclaimer = NULL;
	if (r)
		sem_destroy(&r->wake);
	free(r);
}

void reclaim_wake(struct pintle_host *host)
{
	struct reclaimer *r = host->reclaimer;

	if (!atomic_exchange_explicit(&r->woken, 1, memory_order_relaxed))
		sem_post(&r->wake);
}

bool reclaim_is_self(const struct pintle_host *host)
{
	return host->reclaimer && pthread_equal(host->reclaimer->thread, pthread_self());
}

/* ------------------------------------------------------------------ stalls */

static void tell_slot(struct pintle_host *host, const struct slot_ctx *slot)
{
	const struct pintle_prog *prog = __atomic_load_n(&slot->prog, __ATOMIC_RELAXED);
	char line[160];

	if (!prog)
		return;
	snprintf(line, sizeof(line), "stalled: slot %u is running '%s'", slot->index,
		 prog->image->name);
	host_log(host, PINTLE_LOG_ERROR, line);
}

/* The read section keeps programs that are named from being freed meanwhile. */
void stall_report(struct pintle_host *host, u64 ms)
{
	char line[160];

	snprintf(line, sizeof(line),
		 "stalled: a grace period has lasted %llu ms, %u calls wait: a run or a read "
		 "section does not end", (unsigned long long)ms, defer_waiting(host));
	host_log(host, PINTLE_LOG_ERROR, line);
	run_read_lock(host);
	for (u32 i = 0; i < slot_count(host); i++)
		tell_slot(host, slot_at(host, i));
	run_read_unlock(host);
}
