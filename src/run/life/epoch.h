/* SPDX-License-Identifier: MIT
 *
 * epoch.h: grace periods by asking, for memory that is used again soon: elements of maps.
 * liburcu's (rcu.c) tell after milliseconds, from another thread; these pass as soon as
 * somebody looks and every section is young enough: microseconds under load. Only what
 * this library alone reads may wait for them: a host's own liburcu sections do not count.
 *
 * How: an epoch, for the whole process, that moves on only while no section is open that
 * began in an earlier one. What was unpublished in epoch e is seen by nobody in e + 2.
 * (Fraser, "Practical lock freedom", 2004, with the readers' fences moved to the one who
 * asks, as liburcu's memb flavour does.) epoch.c has the reasoning.
 */
#ifndef PINTLE_RUN_EPOCH_H
#define PINTLE_RUN_EPOCH_H

#include "run/life/thread.h"

/* An epoch is a number in steps of EPOCH_STEP, so that a thread's word for the epoch it is
 * in has room for how many of its sections are nested: below EPOCH_STEP of them. */
enum { EPOCH_STEP = 1 << 16, EPOCH_NEST = EPOCH_STEP - 1 };

extern struct epochs {
	atomic(u64) now; /* from EPOCH_STEP; with a section's 1 added */
	atomic(u32) cost; /* of an epoch_advance(), in ns, about */
} epochs __attribute__((aligned(64)));

/* The thread's first section opens. */
static inline void epoch_open(void)
{
	/* acquire: E-C, pairs with epoch_stamp(); release: E-B, pairs with
	 * epoch_open_before() */
	atomic_store_explicit(&thread_me.epoch.in,
			      atomic_load_explicit(&epochs.now, memory_order_acquire),
			      memory_order_release);
	/* E-A: the other half is the barrier in epoch_advance() */
	__asm__ volatile("" ::: "memory");
}

/* Around every read section and run of this thread, which thread_enter() knows. Nests. */
static inline void epoch_enter(void)
{
	u64 in = atomic_load_explicit(&thread_me.epoch.in, memory_order_relaxed);

	if (likely(!in))
		epoch_open();
	else
		atomic_store_explicit(&thread_me.epoch.in, in + 1, memory_order_relaxed);
}

static inline void epoch_close(struct epoch_reader *r)
{
	u64 in = atomic_load_explicit(&r->in, memory_order_relaxed);

	/* release: E-B, pairs with the acquire in epoch_open_before() */
	if (likely((in & EPOCH_NEST) == 1))
		atomic_store_explicit(&r->in, 0, memory_order_release);
	else
		atomic_store_explicit(&r->in, in - 1, memory_order_relaxed);
}

static inline void epoch_leave(void)
{
	epoch_close(&thread_me.epoch);
}

/* The thread is in no section, whatever it left open. */
static inline void epoch_reset(struct epoch_reader *r)
{
	atomic_store_explicit(&r->in, 0, memory_order_release);
}

/* Whether there are epochs: not where the system has no membarrier(2). */
bool epoch_usable(void);
/* For what was unpublished before. */
u64 epoch_stamp(void);
/* Whether nobody sees any more what got @stamp. */
static inline bool epoch_passed(u64 stamp)
{
	/* acquire: E-B, pairs with the release in epoch_advance() */
	return atomic_load_explicit(&epochs.now, memory_order_acquire) >= stamp + 2 * EPOCH_STEP;
}
/* Whether a section of domain N is open, of a thread that we registered, that began before
 * @stamp was got, or in its epoch. Not under the thread lock. */
bool epoch_anyone(u64 stamp);
/* Moves on by one epoch if it can. Never blocks; may be called in a section. */
void epoch_advance(void);
/* How much is worth an epoch_advance(), which costs the more the more threads run. */
u32 epoch_batch(void);

#endif
