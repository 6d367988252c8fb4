/* SPDX-License-Identifier: MIT
 *
 * enter.h: the short way into a run and out of it, for prog.c and hook.c, and of a read
 * section, for rcu.c. Into a run: of a thread that
 * is in no run and no read section, for a program that does not sleep, when this thread's
 * last run was of the same host too. Whatever else goes the long way (run_begin()), which
 * also prepares the short one (slot_note()).
 *
 * What makes it short: one comparison says that the thread has a slot and is a reader that
 * this library registered, where membarrier(2) does the fences; that nothing is open makes
 * constants of most of what is stored, so that a run waits for no store of the run before.
 *
 * Guarantees: those of rcu.c and epoch.h, whose sections these are: epoch first, then
 * domain N; closed in the opposite order.
 */
#ifndef PINTLE_RUN_ENTER_H
#define PINTLE_RUN_ENTER_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN
#endif
#elif defined(__SANITIZE_THREAD__)
#define TSAN
#endif
#ifndef TSAN
#define _LGPL_SOURCE /* MIT is compatible; what we inline is under ten lines by design */
#endif
#include "run/life/epoch.h"

#include <urcu/urcu-memb.h>

#if defined(__clang__) /* native code is called as a function of six numbers */
#define RUN_ATTR __attribute__((no_sanitize("function")))
#else
#define RUN_ATTR
#endif

#ifdef TSAN /* which sees nothing of what is inlined: the same steps by functions */

static inline bool quick_possible(void)
{
	return thread_me.reader;
}

static inline bool in_section(const struct thread_rec *me)
{
	return atomic_load_explicit(&me->epoch.in, memory_order_relaxed) || run_read_ongoing();
}

static inline void quick_open(void)
{
	run_read_lock_now(NULL);
}

static inline void quick_leave(struct thread_rec *me)
{
	run_read_unlock(NULL);
}

static inline bool quick_lock(void)
{
	return false;
}

static inline bool quick_unlock(void)
{
	return false;
}

#else

/* rcu.c: the end of a section inside another; the rest of the end of the last one. */
void quick_leave_inner(void);
void quick_leave_wake(void);

/* Whether this thread's sections need no look at anything but its own memory. */
static inline bool quick_possible(void)
{
	thread_me.gp = &urcu_memb_gp;
	return thread_me.reader && urcu_memb_has_sys_membarrier;
}

/*
 * Ours, which are one of epoch.h each, or the host's own of liburcu. A signal handler's run may
 * find us anywhere between the first store of quick_begin() and the last of quick_leave(): the
 * epoch is open there, so that it goes the long way, which nests. Where it is not, the handler
 * leaves things as they were.
 */
static inline bool in_section(const struct thread_rec *me)
{
	return atomic_load_explicit(&me->epoch.in, memory_order_relaxed) ||
	       (_CMM_LOAD_SHARED(me->reader->ctr) & URCU_GP_CTR_NEST_MASK);
}

static inline void quick_open(void)
{
	epoch_open();
	_CMM_STORE_SHARED(thread_me.reader->ctr, _CMM_LOAD_SHARED(thread_me.gp->ctr));
	cmm_barrier(); /* the fence is in liburcu's membarrier(2) */
}

/* When a section of liburcu is the last, so is ours. */
static inline void quick_leave(struct thread_rec *me)
{
	struct urcu_reader *reader = me->reader;

	if (unlikely((_CMM_LOAD_SHARED(reader->ctr) & URCU_GP_CTR_NEST_MASK) !=
		     URCU_GP_COUNT)) {
		quick_leave_inner();
		return;
	}
	cmm_barrier();
	_CMM_STORE_SHARED(reader->ctr, 0);
	cmm_barrier();
	if (unlikely(uatomic_read(&me->gp->futex) == -1)) { /* somebody waits, and sleeps */
		quick_leave_wake();
		return;
	}
	/* release: E-B, pairs with the acquire in epoch_open_before() */
	atomic_store_explicit(&me->epoch.in, 0, memory_order_release);
}

/* The short way into a read section: false: go the long one. */
static inline bool quick_lock(void)
{
	struct thread_rec *me = &thread_me;

	if (unlikely(!atomic_load_explicit(&me->short_way, memory_order_relaxed)) ||
	    unlikely(in_section(me)))
		return false;
	quick_open();
	return true;
}

/* And out of one that is inside of nothing: a run that sleeps is a section of epoch.h only,
 * and so may be what a signal handler interrupts. */
static inline bool quick_unlock(void)
{
	struct thread_rec *me = &thread_me;
	u64 in = atomic_load_explicit(&me->epoch.in, memory_order_relaxed);

	if (unlikely(!atomic_load_explicit(&me->short_way, memory_order_relaxed)) ||
	    unlikely((in & EPOCH_NEST) != 1))
		return false;
	quick_leave(me);
	return true;
}

#endif

/* The slot, with everything open that a run needs; NULL: go the long way. */
static inline struct slot_ctx *quick_begin(u64 id)
{
	struct slot_ctx *slot;

	/* relaxed: a fork may take it away meanwhile (fork.c) */
	if (unlikely(__atomic_load_n(&thread_me.last.id, __ATOMIC_RELAXED) != id) ||
	    unlikely(in_section(&thread_me)))
		return NULL;
	slot = thread_me.last.slot;
	if (!slot)
		__builtin_unreachable(); /* it was noted with the id */
	quick_open();
	thread_me.running = slot;
	return slot;
}

/* Deferred calls are published inside the section: who waits for it finds them. The
 * thread's memory is found through the slot, which costs no register during the run. */
static inline void quick_end(struct slot_ctx *slot)
{
	if (unlikely(slot->open != NULL))
		defer_publish(slot);
	slot->owner->running = NULL;
	quick_leave(slot->owner);
	if (unlikely(atomic_load_explicit(slot->waiting, memory_order_relaxed)))
		defer_safe_point(slot->host);
}

/* --- one program of it --- */

static inline void count_run(struct prog_count *c)
{
	u64 runs = atomic_load_explicit(&c->runs, memory_order_relaxed);

	atomic_store_explicit(&c->runs, runs + 1, memory_order_relaxed);
}

/* Between quick_begin() and quick_end(); prog->native must not be NULL. Afterwards the
 * slot says which program it was: one register less to save. */
RUN_ATTR static inline u64 quick_run(struct slot_ctx *slot, const struct pintle_prog *prog,
				     const void *ctx)
{
	u64 result;

	/* relaxed: who looks from outside reports what a run hangs in */
	__atomic_store_n(&slot->prog, prog, __ATOMIC_RELAXED);
	result = prog->native((u64)(uintptr_t)ctx, 0, 0, 0, 0, slot);
	count_run(&slot->prog->counts[slot->index]);
	if (unlikely(slot->faults))
		prog_count_faults(slot);
	__atomic_store_n(&slot->prog, NULL, __ATOMIC_RELAXED);
	return result;
}

#endif
