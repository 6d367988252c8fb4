/* SPDX-License-Identifier: MIT
 *
 * async_api.c: the host's side of timers and work queues: descriptors for its loop, and
 * making the calls.
 */
#include "run/async/async.h"
#include "run/lock.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* The one that is kept in @at: @fd, or who was faster's. -errno. */
static int keep(atomic(int) *at, int fd)
{
	int none = -1;

	if (fd < 0)
		return -errno;
	/* release: pairs with the acquires of those who set it */
	if (atomic_compare_exchange_strong_explicit(at, &none, fd, memory_order_release,
						    memory_order_acquire))
		return fd;
	close(fd);
	return none;
}

int timers_fd(struct pintle_host *host)
{
	atomic(int) *at = &host->asyncs->timer_fd;
	int fd = atomic_load_explicit(at, memory_order_acquire);

	if (fd >= 0)
		return fd;
	fd = keep(at, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
	if (fd >= 0)
		timers_set_fd(host); /* for what was started before there was one */
	return fd;
}

int work_fd(struct pintle_host *host)
{
	atomic(int) *at = &host->asyncs->work_fd;
	int fd = atomic_load_explicit(at, memory_order_acquire);

	if (fd >= 0)
		return fd;
	fd = keep(at, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (fd >= 0)
		work_tell(host);
	return fd;
}

static int told(struct pintle_host *host, int fd, const char *what)
{
	return fd < 0 ? host_fail(host, fd, "%s: no descriptor: %s", what, strerror(-fd)) : fd;
}

int pintle_timers_fd(struct pintle_host *host)
{
	TRY(host_check(host));
	if (host->opts.clock)
		return host_fail(host, -EOPNOTSUPP,
				 "timers: no descriptor tells when a clock of the host's own "
				 "(option clock) has come so far: call pintle_timers_run()");
	return told(host, timers_fd(host), "timers");
}

int pintle_work_fd(struct pintle_host *host)
{
	TRY(host_check(host));
	return told(host, work_fd(host), "work");
}

int64_t pintle_timers_next(struct pintle_host *host)
{
	TRY(host_check(host));
	return timers_next(host);
}

/* A callback that waits for others' ends must not be made to run them. */
static int check_outside(struct pintle_host *host)
{
	TRY(host_check(host));
	return slot_current() || run_read_ongoing() ? -EBUSY : 0;
}

int64_t pintle_timers_run(struct pintle_host *host, unsigned int budget)
{
	TRY(check_outside(host));
	return timers_run(host, budget);
}

int64_t pintle_work_run(struct pintle_host *host, unsigned int budget)
{
	TRY(check_outside(host));
	return work_run(host, budget);
}
