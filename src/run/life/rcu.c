/* SPDX-License-Identifier: MIT
 *
 * rcu.c: read sections, and waiting for them to end. Two domains (rule book J6):
 *
 *	N  around each run that may not sleep and around explicit sections; liburcu's memb
 *	   flavour, shared by all hosts of the process and with host code that uses it too
 *	S  around each sleepable run; by generations, see below
 *
 * Guarantees:
 *  A  grace_wait() returns after every section of either domain that was open when it was
 *     called has closed; what was unpublished before the call is not seen afterwards.
 *  B  Domain S: a run stores the generation it saw, fences, then reads; the waiter
 *     unpublishes, fences, raises the generation, then scans slots. Either the waiter sees
 *     the run (and waits while its generation is older), or the run sees the unpublishing.
 *
 *  C  Every section of either domain is one of epoch.h too.
 *
 * Progress: opening and closing a section is wait-free. Waiting depends on the readers.
 */
#include "run/enter.h"
#include "run/life/reclaim.h"

#include <pintle/pintle.h>

#include <time.h>

/* ThreadSanitizer does not see liburcu's ordering: it is told, and liburcu is called, not
 * inlined. */
#ifdef TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
static char tsan_domain_n;
#define TSAN_SECTION_END() __tsan_release(&tsan_domain_n)
#define TSAN_GRACE_OVER() __tsan_acquire(&tsan_domain_n)
#else
#define TSAN_SECTION_END() ((void)0)
#define TSAN_GRACE_OVER() ((void)0)
#endif

/* Held while waiting for N, so that no fork leaves liburcu's own lock taken. */
static pthread_mutex_t grace_lock = PTHREAD_MUTEX_INITIALIZER;

void rcu_before_fork(void)
{
	pthread_mutex_lock(&grace_lock);
}

void rcu_after_fork(void)
{
	pthread_mutex_unlock(&grace_lock);
}

#ifdef TSAN
static bool thread_registered(void)
{
	return !thread_enter();
}
#else
static bool thread_registered(void)
{
	return URCU_TLS(urcu_memb_reader).registered && thread_me.listed;
}
#endif

bool run_read_ready(void)
{
#ifdef TSAN
	return thread_me.listed && thread_me.reader;
#else
	return thread_registered();
#endif
}

static __attribute__((noinline)) void lock_long(struct pintle_host *host)
{
	if (unlikely(!thread_registered()))
		thread_enter_or_wait();
	if (unlikely(atomic_load_explicit(&fork_near, memory_order_relaxed)))
		fork_wait();
	run_read_lock_now(host);
	/* Inside of the section, which a fork that wants none of it waits for. */
	if (quick_possible())
		atomic_store_explicit(&thread_me.short_way, 1, memory_order_relaxed);
}

void run_read_lock(struct pintle_host *host)
{
	if (unlikely(!quick_lock()))
		lock_long(host);
}

/* A handler must not wait for a fork: it may wait for what the handler interrupts. */
void run_read_lock_now(struct pintle_host *host)
{
	epoch_enter();
	urcu_memb_read_lock();
}

static __attribute__((noinline)) void unlock_long(void)
{
	TSAN_SECTION_END();
	urcu_memb_read_unlock();
	epoch_leave();
}

#ifndef TSAN
void quick_leave_inner(void)
{
	unlock_long();
}

__attribute__((cold)) void quick_leave_wake(void)
{
	urcu_common_wake_up_gp(thread_me.gp);
	epoch_leave();
}
#endif

void run_read_unlock(struct pintle_host *host)
{
	if (unlikely(!quick_unlock()))
		unlock_long();
}

/* The same once more, so that there is one call and no jump to another. */
void pintle_read_lock(struct pintle_host *host)
{
	if (unlikely(!quick_lock()))
		lock_long(host);
}

void pintle_read_unlock(struct pintle_host *host)
{
	if (unlikely(!quick_unlock()))
		unlock_long();
}

bool run_read_ongoing(void)
{
	return urcu_memb_read_ongoing();
}

void rcu_grace_begins(void)
{
	TSAN_SECTION_END();
}

void rcu_grace_over(void)
{
	TSAN_GRACE_OVER();
}

void sleep_enter(struct slot_ctx *slot)
{
	u64 gen;

	if (slot->sleep_depth++)
		return;
	if (unlikely(atomic_load_explicit(&fork_near, memory_order_relaxed)))
		fork_wait();
	epoch_enter();
	gen = atomic_load_explicit(&slot->host->sleep_gen, memory_order_relaxed);
	/* B: pairs with sleep_generation() */
	atomic_store_explicit(&slot->sleep_gen, gen, memory_order_seq_cst);
}

void sleep_leave(struct slot_ctx *slot)
{
	if (--slot->sleep_depth)
		return;
	/* release: pairs with the acquire in sleep_passed() */
	atomic_store_explicit(&slot->sleep_gen, 0, memory_order_release);
	epoch_leave();
}

u64 sleep_generation(struct pintle_host *host)
{
	return atomic_fetch_add_explicit(&host->sleep_gen, 1, memory_order_seq_cst) + 1;
}

bool sleep_passed(struct pintle_host *host, u64 generation)
{
	struct slot_table *table = host->slots;
	u32 high = atomic_load_explicit(&table->high, memory_order_seq_cst);

	for (u32 i = 0; i < high; i++) {
		u64 gen = atomic_load_explicit(&table->at[i].sleep_gen,
					       memory_order_seq_cst);

		if (gen && gen < generation)
			return false;
	}
	return true;
}

/* For how long somebody waits here, who cannot come by at a safe point meanwhile (J12). */
struct patience {
	struct pintle_host *host;
	u64 begin;
	bool told;
};

static void nap_or_tell(struct patience *p)
{
	static const struct timespec nap = {.tv_nsec = 200000};
	u64 limit = p->host->opts.stall_ms ? p->host->opts.stall_ms : 10000, ms;

	nanosleep(&nap, NULL);
	ms = clock_ms() - p->begin;
	if (p->told || ms <= limit)
		return;
	p->told = true;
	stall_report(p->host, ms);
}

/* Before liburcu is asked, which waits without a word: until our own sections are over. */
static void wait_for_sections(struct patience *p)
{
	u64 stamp;

	if (!epoch_usable())
		return;
	stamp = epoch_stamp();
	while (epoch_anyone(stamp)) {
		epoch_advance();
		nap_or_tell(p);
	}
}

void grace_wait(struct pintle_host *host)
{
	struct patience patience = {host, clock_ms(), false};
	u64 generation = sleep_generation(host);
	int state;

	BUG_ON(run_read_ongoing());
	thread_enter_or_wait();
	/* liburcu waits with a lock of its own held. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	wait_for_sections(&patience);
	pthread_mutex_lock(&grace_lock);
	urcu_memb_synchronize_rcu();
	pthread_mutex_unlock(&grace_lock);
	while (!sleep_passed(host, generation))
		nap_or_tell(&patience);
	pthread_setcancelstate(state, &state);
	TSAN_GRACE_OVER();
}
