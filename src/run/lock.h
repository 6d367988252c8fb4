/* SPDX-License-Identifier: MIT
 *
 * lock.h: a lock of four bytes: spins a little, then sleeps on a futex (J25: a thread may
 * be descheduled while it holds one). Unlocked is 0, so zeroed memory holds unlocked
 * locks. It guards hash buckets and free lists, and it is what a program's struct
 * bpf_spin_lock holds. Not recursive; not for signal handlers.
 *
 * Values of the word: 0 free, 1 held, 2 held and somebody may sleep.
 *
 * Ordering
 *  L1: whoever takes the lock sees every store made under it before: the release in
 *      lock_drop() pairs with the acquires in lock_take() and lock_take_slow().
 *
 * Progress: blocking; no fairness.
 */
#ifndef PINTLE_RUN_LOCK_H
#define PINTLE_RUN_LOCK_H

#include "base/base.h"

/* The slow halves, in lock.c. */
void lock_take_slow(u32 *lock);
void lock_wake(u32 *lock);
/* For locks of one bit, which nobody can sleep on: a little while after the @tries-th try
 * to take one, longer by and by (its holder may have been descheduled). */
void lock_pause(u32 tries);

static inline void lock_take(u32 *lock)
{
	u32 want = 0;

	/* acquire: pairs with the release in lock_drop() */
	if (unlikely(!__atomic_compare_exchange_n(lock, &want, 1, false, __ATOMIC_ACQUIRE,
						  __ATOMIC_RELAXED)))
		lock_take_slow(lock);
}

static inline void lock_drop(u32 *lock)
{
	/* release: pairs with the acquires in lock_take() and lock_take_slow() */
	if (unlikely(__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2))
		lock_wake(lock);
}

#endif
