/* SPDX-License-Identifier: MIT
 *
 * fork.c: fork() in a process with hosts (rule book J8, J05).
 *
 * The child has one thread. Readers of threads that are gone would stall every grace period
 * and, worse, lie in memory that new threads reuse; locks that they held would stay taken,
 * what they were changing half changed. So a fork waits until no other thread is inside of
 * the library, for PATIENCE_MS at most: it must not wait for a run that sleeps, nor for one
 * that waits for the forking thread. Those who come meanwhile wait for the fork. When all are
 * outside, liburcu's reclaim thread is parked; the locks that are taken outside of sections
 * are taken in any case.
 *
 * In the child the dead threads' readers are unlinked and their slots freed, before anything
 * creates a thread. Where one of them was inside, or the forking thread itself is in a run
 * or section, the child's hosts are torn: every call fails with -ECHILD or does nothing,
 * and nothing is ever freed. The child finds that out for itself: what a thread stored in
 * its own record before it went on, the child sees before it sees the rest, for a fork
 * copies no store without those of the same thread before it.
 *
 * Locks: rcu.c's lock of grace periods, then the thread lock, then a host's queue locks, its
 * words', and the leaves. No call-outs under any of them.
 */
#define _LGPL_SOURCE /* MIT is compatible; what we inline is under ten lines by design */
#include "run/async/async.h"
#include "run/life/epoch.h"
#include "run/lock.h"
#include "run/map/ring.h"

#include <time.h>
#include <urcu/urcu-memb.h>

enum { PATIENCE_MS = 50 };

atomic(u32) fork_near; /* how many threads are about to */
static THREAD_LOCAL bool forking; /* other libraries' handlers may call us */
static THREAD_LOCAL bool parked;  /* of the fork under way: everybody was outside */
static const struct timespec nap = {.tv_nsec = 20000};

int torn_fail(struct pintle_host *host)
{
	return host_fail(host, -ECHILD, "this process is a fork of one in which another thread "
			 "was using the library, or forked from inside a run: nothing works on "
			 "its hosts");
}

void config_begin(struct pintle_host *host, int *state)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, state);
	fork_wait();
	atomic_fetch_add_explicit(&host->configuring, 1, memory_order_seq_cst);
}

void config_end(struct pintle_host *host, int state)
{
	atomic_fetch_sub_explicit(&host->configuring, 1, memory_order_release);
	pthread_setcancelstate(state, &state);
}

static bool inside(void)
{
	return thread_me.running || _urcu_memb_read_ongoing() ||
	       atomic_load_explicit(&thread_me.epoch.in, memory_order_relaxed);
}

void fork_wait(void)
{
	while (atomic_load_explicit(&fork_near, memory_order_acquire) && !forking && !inside())
		nanosleep(&nap, NULL);
}

/* Who has a short way in (enter.h) is sent the long one. */
static bool is_inside(const struct thread_rec *rec, u64 unused)
{
	if (rec == &thread_me)
		return false;
	__atomic_store_n((u64 *)&rec->last.id, 0, __ATOMIC_RELAXED);
	__atomic_store_n((u32 *)&rec->short_way, 0, __ATOMIC_RELAXED);
	return atomic_load_explicit(&rec->epoch.in, memory_order_acquire) != 0;
}

/* Whether another thread is in the middle of something. Under the thread lock. */
static bool others_inside(void)
{
	bool busy = threads_any(is_inside, 0);

	for (struct slot_table *t = thread_tables(); t; t = t->next)
		busy |= atomic_load_explicit(&t->host->configuring, memory_order_acquire) ||
			defer_is_busy(t->host);
	return busy;
}

static bool quiet(void)
{
	bool busy;

	thread_lock();
	busy = others_inside();
	thread_unlock();
	return !busy;
}

static bool wait_for_others(void)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		if (quiet())
			return true;
		nanosleep(&nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 <
		 PATIENCE_MS);
	return false;
}

/* What ends no sooner than everybody's sections. In a child of a fork that could not wait for
 * those nothing works, so that it needs none of it. */
static void park(void)
{
	urcu_memb_call_rcu_before_fork();
	rcu_before_fork();
}

static void before_fork(void)
{
	if (inside()) /* must not wait for grace periods */
		return;
	forking = true;
	atomic_fetch_add_explicit(&fork_near, 1, memory_order_seq_cst);
	parked = wait_for_others();
	if (parked)
		park();
	thread_lock();
	for (struct slot_table *t = thread_tables(); t; t = t->next) {
		defer_before_fork(t->host);
		lock_take(&t->host->words_lock);
		host_leaf_locks(t->host, lock_take);
	}
}

static void release_words(void)
{
	for (struct slot_table *t = thread_tables(); t; t = t->next) {
		host_leaf_locks(t->host, lock_drop);
		lock_drop(&t->host->words_lock);
	}
}

static void release_locks(bool child)
{
	for (struct slot_table *t = thread_tables(); t; t = t->next)
		defer_after_fork(t->host, child);
	for (struct slot_table *t = thread_tables(); child && t; t = t->next)
		asyncs_after_fork(t->host);
	thread_unlock();
	if (parked)
		rcu_after_fork();
	forking = false;
	if (child)
		atomic_store_explicit(&fork_near, 0, memory_order_release);
	else
		atomic_fetch_sub_explicit(&fork_near, 1, memory_order_release);
}

static void after_fork_parent(void)
{
	if (inside())
		return;
	release_words();
	release_locks(false);
	if (parked)
		urcu_memb_call_rcu_after_fork_parent();
}

static void tear(void)
{
	for (struct slot_table *t = thread_tables(); t; t = t->next)
		t->host->torn = true;
	slot_forget();
}

static void renew_rings(struct pintle_host *host)
{
	for (struct map *map = host->maps; map; map = map->next)
		if (map->type == MAP_RINGBUF || map->type == MAP_USER_RINGBUF)
			ring_after_fork(ring_of(map));
}

/* liburcu's thread is made anew. */
static void child_callbacks(void)
{
	sigset_t before;

	signals_block(&before);
	urcu_memb_call_rcu_after_fork_child();
	signals_restore(&before);
}

static void after_fork_child(void)
{
	bool torn;

	if (inside()) {
		tear();
		return;
	}
	release_words(); /* the dead threads' are about to go */
	torn = others_inside() || !parked;
	if (torn)
		tear();
	threads_bury(torn);
	for (struct slot_table *t = thread_tables(); t; t = t->next)
		renew_rings(t->host);
	release_locks(true);
	if (parked)
		child_callbacks();
}

int fork_init(void)
{
	return pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}
