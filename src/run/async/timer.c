/* SPDX-License-Identifier: MIT
 *
 * timer.c: timers of map values: bpf_timer_*(), and making the calls that are due, for
 * whoever drives: the host's own loop, a thread of the library's, or both.
 *
 * A callback is a run of its program, in a read section, on the execution slot of the
 * thread that drives. Slots belong to threads, so a timer cannot be pinned to another
 * one's: BPF_F_TIMER_CPU_PIN is -EINVAL, as in kernels that do not know it.
 *
 * Waiting: bpf_timer_cancel() waits for a call of the timer that runs on another slot.
 * Whom a slot waits for is in async_wait, under the lock, so a circle is seen before it
 * closes: who would close it gets -EDEADLK.
 */
#include "run/async/async.h"
#include "run/helper/helpers.h"
#include "run/lock.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	TIMER_ABS = 1,	 /* BPF_F_TIMER_ABS */
	CLOCK_BITS = 15, /* of bpf_timer_init()'s flags */
	SECOND = 1000000000,
	WAIT_SPINS = 64,
};

/* By struct async.clock. */
static const int clocks[NR_CLOCKS] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

u64 host_clock(const struct pintle_host *host, int clock)
{
	struct timespec t;

	if (host->opts.clock)
		return host->opts.clock(host->opts.data, clock);
	clock_gettime(clock, &t);
	return (u64)t.tv_sec * SECOND + (u64)t.tv_nsec;
}

/* ------------------------------------------------------------------ starting */

void timer_unqueue(struct asyncs *all, struct async *a)
{
	deadlines_remove(&all->due[a->clock], a);
}

/* Under the lock; whether it is the first of its clock now. */
static bool queue(struct asyncs *all, struct async *a)
{
	if (a->queued)
		deadlines_remove(&all->due[a->clock], a);
	a->queued = true;
	a->seq = ++all->seq;
	deadlines_add(&all->due[a->clock], a);
	return deadlines_first(&all->due[a->clock]) == a;
}

static int start(struct asyncs *all, struct async *a, u64 deadline, bool *first)
{
	TRY(async_ready(a));
	a->deadline = deadline;
	if (a->runner)
		a->again = true;
	else
		*first = queue(all, a);
	return 0;
}

/* long(timer, map, flags): 0, -EINVAL, -EBUSY, -ENOMEM, -EPERM. */
HELPER_FN(timer_init)
{
	u32 i = 0;

	while (i < NR_CLOCKS && (u64)clocks[i] != (c & CLOCK_BITS))
		i++;
	if (i == NR_CLOCKS || c & ~(u64)CLOCK_BITS)
		return helper_err(-EINVAL);
	return helper_err(async_make(helper_ptr(b), helper_ptr(a), FIELD_TIMER, i));
}

/* long(timer, callback(map, key, value)): 0, -EINVAL, -EPERM. */
HELPER_FN(timer_set_callback)
{
	struct async *timer = async_at(helper_ptr(a));

	return helper_err(timer ? async_set_callback(timer, helper_ptr(b)) : -EINVAL);
}

/* long(timer, nsecs, flags): 0, -EINVAL, -EPERM. */
HELPER_FN(timer_start)
{
	struct async *timer = async_at(helper_ptr(a));
	struct pintle_host *host;
	u64 now, from, at;
	bool first = false;
	int err;

	if (!timer || c & ~(u64)TIMER_ABS)
		return helper_err(-EINVAL);
	host = timer->map->host;
	now = host_clock(host, clocks[timer->clock]);
	from = c & TIMER_ABS ? 0 : now;
	at = from + b < from ? UINT64_MAX : from + b;
	if (at < now) /* due since now: who are due already come first */
		at = now;
	lock_take(&host->asyncs->lock);
	err = start(host->asyncs, timer, at, &first);
	lock_drop(&host->asyncs->lock);
	if (first)
		timers_set_fd(host);
	return helper_err(err);
}

/* ------------------------------------------------------------------ cancelling */

/* Whether @slot, waiting for @a, would wait for itself. */
static bool is_circle(const struct slot_ctx *slot, const struct async *a)
{
	while (a && a->runner) {
		if (a->runner == slot)
			return true;
		a = a->runner->async_wait;
	}
	return false;
}

/* With the lock held before and after. The run we are in keeps @a. */
static void wait_for_call(struct asyncs *all, struct slot_ctx *slot, struct async *a)
{
	static const struct timespec nap = {.tv_nsec = 50000};

	slot->async_wait = a;
	for (u32 spins = 0; a->runner; spins++) {
		lock_drop(&all->lock);
		if (spins >= WAIT_SPINS)
			nanosleep(&nap, NULL);
		lock_take(&all->lock);
	}
	slot->async_wait = NULL;
}

/* The callback goes too: it is to be set again before the next start. */
static int cancel(struct asyncs *all, struct slot_ctx *slot, struct async *a)
{
	bool was;

	if (is_circle(slot, a))
		return -EDEADLK;
	was = async_forget(a);
	if (!a->runner)
		return was;
	a->cancels++;
	wait_for_call(all, slot, a);
	a->cancels--;
	return async_forget(a) || was; /* somebody may have started it again */
}

/* long(timer): 1 if it was started, else 0; -EINVAL, -EDEADLK. */
HELPER_FN(timer_cancel)
{
	struct async *timer = async_at(helper_ptr(a));
	struct asyncs *all;
	int err;

	if (!timer)
		return helper_err(-EINVAL);
	all = timer->map->host->asyncs;
	lock_take(&all->lock);
	err = cancel(all, slot_current(), timer);
	lock_drop(&all->lock);
	return helper_err(err);
}

/* ------------------------------------------------------------------ driving */

/* Which calls one visit makes: those due, and started, before it began. */
struct visit {
	u64 now[NR_CLOCKS], seq;
};

/* Under the lock: the first that is due, taken out of its heap, or NULL. */
static struct async *take_due(struct asyncs *all, const struct visit *v)
{
	for (u32 i = 0; i < NR_CLOCKS; i++) {
		struct async *a = deadlines_first(&all->due[i]);

		if (a && a->deadline <= v->now[i] && a->seq <= v->seq) {
			timer_unqueue(all, a);
			return a;
		}
	}
	return NULL;
}

/* 1: one was done; 0: none is due. */
static int run_one(struct pintle_host *host, const struct visit *v)
{
	struct asyncs *all = host->asyncs;
	struct run_scope scope;
	struct async *a;

	if (!run_begin(&scope, host, false))
		return -EAGAIN;
	lock_take(&all->lock); /* Y-A: inside the run */
	a = take_due(all, v);
	if (a && async_begin(&scope, a) && async_call(&scope, a))
		queue(all, a);
	lock_drop(&all->lock);
	run_end(&scope);
	return a != NULL;
}

static struct visit visit_begin(struct pintle_host *host)
{
	struct visit v;

	for (u32 i = 0; i < NR_CLOCKS; i++)
		v.now[i] = host_clock(host, clocks[i]);
	lock_take(&host->asyncs->lock);
	v.seq = host->asyncs->seq;
	lock_drop(&host->asyncs->lock);
	return v;
}

static void fd_clear(int fd)
{
	u64 n;

	while (fd >= 0 && read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

int64_t timers_run(struct pintle_host *host, u32 budget)
{
	struct asyncs *all = host->asyncs;
	struct visit v;
	int64_t n = 0;
	int err = 0;

	fd_clear(atomic_load_explicit(&all->timer_fd, memory_order_acquire));
	v = visit_begin(host);
	while ((!budget || n < budget) && (err = run_one(host, &v)) > 0)
		n++;
	timers_set_fd(host);
	return err < 0 && !n ? err : n;
}

int64_t timers_next(struct pintle_host *host)
{
	struct asyncs *all = host->asyncs;
	u64 next = UINT64_MAX, now[NR_CLOCKS];

	for (u32 i = 0; i < NR_CLOCKS; i++)
		now[i] = host_clock(host, clocks[i]);
	lock_take(&all->lock);
	for (u32 i = 0; i < NR_CLOCKS; i++) {
		struct async *a = deadlines_first(&all->due[i]);
		u64 left = a && a->deadline > now[i] ? a->deadline - now[i] : 0;

		/* The wall clock may be set meanwhile. */
		if (clocks[i] == CLOCK_REALTIME && !host->opts.clock && left > SECOND)
			left = SECOND;
		if (a && left < next)
			next = left;
	}
	lock_drop(&all->lock);
	if (next == UINT64_MAX)
		return -ENOENT;
	return next < INT64_MAX ? (int64_t)next : INT64_MAX;
}

void timers_set_fd(struct pintle_host *host)
{
	struct asyncs *all = host->asyncs;
	int fd = atomic_load_explicit(&all->timer_fd, memory_order_acquire);
	struct itimerspec spec = {0};
	int64_t next;

	if (fd < 0)
		return;
	lock_take(&all->fd_lock); /* who comes last sets what is true then */
	next = timers_next(host);
	if (next >= 0) {
		spec.it_value.tv_sec = next / SECOND;
		spec.it_value.tv_nsec = next ? next % SECOND : 1;
	}
	timerfd_settime(fd, 0, &spec, NULL);
	lock_drop(&all->fd_lock);
}
