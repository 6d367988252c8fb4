/* SPDX-License-Identifier: MIT
 *
 * thread.c: threads come and go: registration with liburcu at the first need, clean-up
 * when a thread ends.
 *
 * A thread that the host itself registered with liburcu is left alone: we neither register
 * nor unregister it. (A host that uses liburcu must therefore register a thread before
 * that thread's first call into Pintle.)
 *
 * The state here is per process because threads and fork are. It is the only such state
 * besides the signal handlers of fault.c.
 *
 * Locks: rcu.c's lock of grace periods, then `registry.lock`, then a host's queue locks.
 * No call-outs under any of them.
 */
#define _LGPL_SOURCE /* MIT is compatible; what we inline is under ten lines by design */
#include "run/life/epoch.h"

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

void signals_block(sigset_t *before)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &set, before);
}

void signals_restore(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

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

	slot_forget(); /* before anybody else gets the slots: handlers use what is noted */
	thread_lock();
	while (rec->slots)
		slot_release(rec->slots);
	rec_unlink(rec);
	rec->running = NULL;
	epoch_reset(&rec->epoch);
	/* Cancelled inside a section (J06): who waits for it sleeps until it closes. */
	while (rec->reader && _urcu_memb_read_ongoing())
		urcu_memb_read_unlock();
	if (rec->reader)
		urcu_memb_unregister_thread();
	rec->reader = NULL;
	thread_unlock();
}

struct slot_table *thread_tables(void)
{
	return registry.tables;
}

/* What a run was deferring may be half written. */
static void forget_runs(struct thread_rec *rec)
{
	for (struct slot_ctx *slot = rec->slots; slot; slot = slot->next)
		slot->open = NULL;
}

/* The dead threads' thread-local memory is still as it was at this point. */
static void bury(struct thread_rec *rec, bool torn)
{
	if (torn)
		forget_runs(rec);
	while (rec->slots)
		slot_release(rec->slots);
	if (rec->reader)
		cds_list_del(&rec->reader->node);
	rec_unlink(rec);
}

void threads_bury(bool torn)
{
	struct thread_rec *rec, *next;

	for (rec = registry.threads; rec; rec = next) {
		next = rec->next;
		if (rec != &thread_me)
			bury(rec, torn);
	}
}

static void init_once(void)
{
	registry.err = pthread_key_create(&registry.key, thread_ends);
	if (!registry.err)
		registry.err = fork_init();
}

static int prepare(void)
{
	pthread_once(&registry.once, init_once);
	return -registry.err;
}

int thread_known(void)
{
	TRY(prepare());
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

int thread_add_table(struct slot_table *table)
{
	TRY(prepare()); /* a host may fork before a thread of it comes here */
	thread_lock();
	table->next = registry.tables;
	table->pprev = &registry.tables;
	if (table->next)
		table->next->pprev = &table->next;
	registry.tables = table;
	thread_unlock();
	return 0;
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
