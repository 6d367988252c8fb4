/* SPDX-License-Identifier: MIT
 *
 * thread.c: threads come and go: registration with liburcu at the first need, clean-up
 * when a thread ends, and fork.
 *
 * A thread that the host itself registered with liburcu is left alone: we neither register
 * nor unregister it. (A host that uses liburcu must therefore register a thread before
 * that thread's first call into Pintle.)
 *
 * fork: the child has one thread. Readers of threads that are gone would
 * stall every grace period and, worse, lie in memory that new threads reuse. Before a fork
 * liburcu's reclaim thread is parked and our locks are taken; in the child the dead
 * threads' readers are unlinked and their slots freed, before anything creates a thread.
 *
 * The state here is per process because threads and fork are. It is the only such state
 * besides the signal handlers of fault.c.
 *
 * Locks: rcu.c's lock of grace periods, then `registry.lock`, then a host's queue locks.
 * No call-outs under any of them.
 */
#define _LGPL_SOURCE /* MIT is compatible; what we inline is under ten lines by design */
#include "run/async.h"
#include "run/epoch.h"
#include "run/lock.h"

#include <sched.h>
#include <urcu/urcu-memb.h>

static struct {
	pthread_mutex_t lock;
	pthread_once_t once;
	pthread_key_t key;
	int err;
	struct thread_rec *threads;
	struct slot_table *tables;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

THREAD_LOCAL struct thread_rec thread_me;

void thread_lock(void)
{
	pthread_mutex_lock(&registry.lock);
}

void thread_unlock(void)
{
	pthread_mutex_unlock(&registry.lock);
}

bool thread_try_lock(void)
{
	return !pthread_mutex_trylock(&registry.lock);
}

bool threads_any(bool (*fn)(const struct thread_rec *rec, u64 with), u64 with)
{
	for (struct thread_rec *rec = registry.threads; rec; rec = rec->next)
		if (fn(rec, with))
			return true;
	return false;
}

struct thread_rec *thread_self(void)
{
	return &thread_me;
}

static void rec_link(struct thread_rec *rec)
{
	rec->next = registry.threads;
	rec->pprev = &registry.threads;
	if (rec->next)
		rec->next->pprev = &rec->next;
	registry.threads = rec;
	rec->listed = true;
}

/* What every host keeps for a thread goes with it. */
static void rec_unlink(struct thread_rec *rec)
{
	for (struct slot_table *t = registry.tables; t; t = t->next)
		words_forget(t->host, rec);
	*rec->pprev = rec->next;
	if (rec->next)
		rec->next->pprev = rec->pprev;
	rec->listed = false;
}

/* The pthread key's destructor. Other keys' destructors may run programs afterwards: the
 * thread then registers again, and this is called again. */
static void thread_ends(void *arg)
{
	struct thread_rec *rec = arg;

	thread_lock();
	while (rec->slots)
		slot_release(rec->slots);
	rec_unlink(rec);
	epoch_reset(&rec->epoch);
	/* Cancelled inside a section (J06): who waits for it sleeps until it closes. */
	while (rec->reader && _urcu_memb_read_ongoing())
		urcu_memb_read_unlock();
	if (rec->reader)
		urcu_memb_unregister_thread();
	rec->reader = NULL;
	thread_unlock();
	slot_forget();
}

/* A fork inside a read section must not wait for grace periods: such a child may exec or
 * exit, not run programs. */
static bool fork_unprepared(void)
{
	return _urcu_memb_read_ongoing();
}

static void before_fork(void)
{
	if (fork_unprepared())
		return;
	urcu_memb_call_rcu_before_fork();
	rcu_before_fork();
	thread_lock();
	for (struct slot_table *t = registry.tables; t; t = t->next) {
		defer_before_fork(t->host);
		lock_take(&t->host->words_lock);
		host_leaf_locks(t->host, lock_take);
	}
}

static void release_words(void)
{
	for (struct slot_table *t = registry.tables; t; t = t->next) {
		host_leaf_locks(t->host, lock_drop);
		lock_drop(&t->host->words_lock);
	}
}

static void release_locks(bool child)
{
	for (struct slot_table *t = registry.tables; t; t = t->next)
		defer_after_fork(t->host, child);
	for (struct slot_table *t = registry.tables; child && t; t = t->next)
		asyncs_after_fork(t->host);
	thread_unlock();
	rcu_after_fork();
}

static void after_fork_parent(void)
{
	if (fork_unprepared())
		return;
	release_words();
	release_locks(false);
	urcu_memb_call_rcu_after_fork_parent();
}

/* The dead threads' thread-local memory is still as it was at this point. */
static void bury(struct thread_rec *rec)
{
	while (rec->slots)
		slot_release(rec->slots);
	if (rec->reader)
		cds_list_del(&rec->reader->node);
	rec_unlink(rec);
}

static void after_fork_child(void)
{
	struct thread_rec *rec, *next;

	if (fork_unprepared())
		return;
	release_words(); /* the dead threads' are about to go */
	for (rec = registry.threads; rec; rec = next) {
		next = rec->next;
		if (rec != &thread_me)
			bury(rec);
	}
	release_locks(true);
	urcu_memb_call_rcu_after_fork_child();
}

static void init_once(void)
{
	registry.err = pthread_key_create(&registry.key, thread_ends);
	if (!registry.err)
		registry.err = pthread_atfork(before_fork, after_fork_parent,
					      after_fork_child);
}

int thread_known(void)
{
	pthread_once(&registry.once, init_once);
	if (registry.err)
		return -registry.err;
	if (thread_me.listed)
		return 0;
	if (pthread_setspecific(registry.key, &thread_me))
		return -ENOMEM;
	thread_lock();
	rec_link(&thread_me);
	thread_unlock();
	return 0;
}

int thread_enter(void)
{
	TRY(thread_known());
	if (!URCU_TLS(urcu_memb_reader).registered) {
		thread_lock();
		urcu_memb_register_thread();
		thread_me.reader = &URCU_TLS(urcu_memb_reader);
		thread_unlock();
	}
	return 0;
}

void thread_enter_or_wait(void)
{
	while (thread_enter())
		sched_yield();
}

void thread_add_table(struct slot_table *table)
{
	thread_lock();
	table->next = registry.tables;
	table->pprev = &registry.tables;
	if (table->next)
		table->next->pprev = &table->next;
	registry.tables = table;
	thread_unlock();
}

void thread_remove_table(struct slot_table *table)
{
	thread_lock();
	for (u32 i = 0; i < table->n; i++)
		if (table->at[i].owner)
			slot_release(&table->at[i]);
	*table->pprev = table->next;
	if (table->next)
		table->next->pprev = table->pprev;
	thread_unlock();
}
