/* SPDX-License-Identifier: MIT
 *
 * epoch.c: see epoch.h. The state is the process's, as threads are.
 *
 * Let an element be unlinked by U, after which its stamp s is read, and let a reader R
 * have found it by a load L before U was visible. advance(e) is the step from e to e + 1.
 *
 * Ordering
 *  E-A: R stored the epoch it is in, e_R, before L in its program. advance(e) runs
 *       membarrier(2) between whatever came before and its look at the readers: each
 *       thread passes a full fence at some point meanwhile. If L comes before that point
 *       of R's thread, so does the store of e_R, and the look finds it; if L comes after,
 *       L sees all that was visible when the barrier began.
 *  E-C: epoch_stamp() is a read-modify-write that releases, as every change of `now` is:
 *       who reads an epoch later than s, and acquires, sees U. So e_R <= s. Then
 *       advance(s + 1) either finds R, which is too old, and does nothing; or R's section
 *       has ended; or L comes after its barrier, when U was visible, and did not find the
 *       element. So in epoch s + 2 no section is left that found it.
 *  E-B: what a reader did in its section happens before the reuse: the release stores of
 *       `in` pair with the acquire loads in epoch_open_before(), the release in advance()
 *       with the acquire load in epoch_passed().
 *  E-D: a thread that is not yet on the list of threads when advance() looks begins its
 *       first section later: the lock of that list is held during the look.
 *
 * Progress: sections are wait-free. Who advances takes no lock that is held, and does
 * nothing while another is at it; a section that does not end stops all epochs, and those
 * who wait take new memory instead.
 */
#define _LGPL_SOURCE /* MIT is compatible; what we inline is under ten lines by design */
#include "run/life/epoch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

struct epochs epochs = {.now = EPOCH_STEP + 1};

static int barrier(int command)
{
	int saved = errno, err = (int)syscall(SYS_membarrier, command, 0, 0);

	errno = saved;
	return err;
}

static void find_out(void)
{
	if (!barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		atomic_store_explicit(&epochs.cost, 1, memory_order_release);
}

bool epoch_usable(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_out);
	return atomic_load_explicit(&epochs.cost, memory_order_relaxed);
}

u64 epoch_stamp(void)
{
	/* acq_rel: E-C, pairs with advance() and epoch_enter() */
	return atomic_fetch_add_explicit(&epochs.now, 0, memory_order_acq_rel);
}

static bool epoch_open_before(const struct thread_rec *rec, u64 epoch)
{
	/* acquire: E-B, pairs with epoch_enter() and epoch_leave() */
	u64 in = atomic_load_explicit(&rec->epoch.in, memory_order_acquire);

	return in && (in | EPOCH_NEST) < epoch;
}

static u32 ns_since(const struct timespec *begin)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u32)((t.tv_sec - begin->tv_sec) * 1000000000 + t.tv_nsec - begin->tv_nsec);
}

/* A mean that forgets, so that one time the thread was descheduled does not last. */
static void count_cost(u32 ns)
{
	enum { MOST = 50000 };
	u32 mean = atomic_load_explicit(&epochs.cost, memory_order_relaxed);

	mean += ((s32)min_u32(ns, MOST) - (s32)mean) / 8;
	atomic_store_explicit(&epochs.cost, max_u32(mean, 1), memory_order_relaxed);
}

/* With the list of threads locked. */
static void advance(void)
{
	u64 now = atomic_load_explicit(&epochs.now, memory_order_relaxed);
	struct timespec begin;

	if (threads_any(epoch_open_before, now))
		return; /* what the barrier would not change */
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) /* E-A */
		return;
	count_cost(ns_since(&begin));
	if (threads_any(epoch_open_before, now))
		return;
	/* acq_rel: E-B and E-C, pairs with epoch_passed(), epoch_stamp(), epoch_enter() */
	atomic_fetch_add_explicit(&epochs.now, EPOCH_STEP, memory_order_acq_rel);
}

/* Not a run that sleeps, of whatever host: domain S is its host's. */
static bool section_open_before(const struct thread_rec *rec, u64 epoch)
{
	return epoch_open_before(rec, epoch) && rec->reader &&
	       (CMM_LOAD_SHARED(rec->reader->ctr) & URCU_GP_CTR_NEST_MASK);
}

bool epoch_anyone(u64 stamp)
{
	bool any;

	thread_lock();
	any = threads_any(section_open_before, stamp + EPOCH_STEP);
	thread_unlock();
	return any;
}

void epoch_advance(void)
{
	if (!thread_try_lock())
		return;
	advance();
	thread_unlock();
}

u32 epoch_batch(void)
{
	enum { NS_EACH = 5, LEAST = 32, MOST = 2048 };
	u32 n = atomic_load_explicit(&epochs.cost, memory_order_relaxed) / NS_EACH;

	return max_u32(LEAST, min_u32(n, MOST));
}
