/* SPDX-License-Identifier: MIT
 *
 * lock.c: the contended halves of lock.h. After "Futexes Are Tricky" (Drepper), mutex 2,
 * with a bounded spin in front.
 */
#include "run/lock.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPINS = 128, YIELDS = 16 };

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Waits until the lock looks free, or gives up. */
static bool spin(u32 *lock)
{
	for (int i = 0; i < SPINS; i++) {
		u32 want = 0;

		/* acquire: pairs with the release in lock_drop() */
		if (!__atomic_load_n(lock, __ATOMIC_RELAXED) &&
		    __atomic_compare_exchange_n(lock, &want, 1, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
		relax();
	}
	return false;
}

void lock_take_slow(u32 *lock)
{
	int saved = errno;

	if (spin(lock))
		return;
	/* acquire: pairs with the release in lock_drop(). The word stays 2 while we hold
	 * it: that costs one spare wake, and loses none. */
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
	errno = saved;
}

void lock_wake(u32 *lock)
{
	int saved = errno;

	syscall(SYS_futex, lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	errno = saved;
}

void lock_pause(u32 tries)
{
	static const struct timespec nap = {.tv_nsec = 50000};
	int saved = errno;

	if (tries < SPINS)
		relax();
	else if (tries < SPINS + YIELDS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
	errno = saved;
}
