/* SPDX-License-Identifier: MIT
 *
 * helper_env.c: helpers that tell time, place and chance.
 */
#include "run/async/async.h"
#include "run/helper/helpers.h"

#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* The run's host may have a clock of its own, which knows no coarse one. */
static u64 clock_ns(clockid_t clock)
{
	const struct slot_ctx *slot = slot_current();
	struct timespec t;

	if (slot && slot->host->opts.clock)
		return host_clock(slot->host, clock == CLOCK_MONOTONIC_COARSE ? CLOCK_MONOTONIC
									      : clock);
	clock_gettime(clock, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

/* u64(): nanoseconds since the system started, without sleep. */
HELPER_FN(ktime_get_ns)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* u64(): the same with sleep. */
HELPER_FN(ktime_get_boot_ns)
{
	return clock_ns(CLOCK_BOOTTIME);
}

/* u64(): as of the last tick: cheaper than ktime_get_ns. */
HELPER_FN(ktime_get_coarse_ns)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

/* u64(): international atomic time. */
HELPER_FN(ktime_get_tai_ns)
{
	return clock_ns(CLOCK_TAI);
}

/* u64(): ticks of 1/100 s, the USER_HZ of every Linux; a process cannot know the
 * kernel's. */
HELPER_FN(jiffies64)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE) / 10000000;
}

/* u32(): splitmix64 on the slot's own state; not for secrets. */
HELPER_FN(get_prandom_u32)
{
	struct slot_ctx *slot = slot_current();
	u64 x = slot->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (u32)(x >> 32);
}

/* u32(): the execution slot (J14). */
HELPER_FN(get_smp_processor_id)
{
	return slot_current()->index;
}

/* long(): slots belong to no node. */
HELPER_FN(get_numa_node_id)
{
	return 0;
}

/* u64(): process id << 32 | thread id. */
HELPER_FN(get_current_pid_tgid)
{
	return (u64)(u32)getpid() << 32 | (u32)gettid();
}

/* u64(): group id << 32 | user id. */
HELPER_FN(get_current_uid_gid)
{
	return (u64)getgid() << 32 | getuid();
}

/* long(buf, size): 0, the thread's name NUL-terminated and padded with zeros; or
 * -EINVAL. */
HELPER_FN(get_current_comm)
{
	char name[16] = "", *buf = helper_ptr(a);
	u32 size = (u32)b;

	if (!buf || !size)
		return helper_err(-EINVAL);
	memset(buf, 0, size);
	if (prctl(PR_GET_NAME, name))
		return helper_err(-EINVAL);
	name[sizeof(name) - 1] = 0;
	snprintf(buf, size, "%s", name);
	return 0;
}

/* u64(ctx): what the host gave the attachment that runs; 0 when there is none. */
HELPER_FN(get_attach_cookie)
{
	return slot_current()->cookie;
}
