/* SPDX-License-Identifier: MIT
 *
 * timing.c: how long a program takes for a packet: the median, because on a busy machine
 * one interruption outweighs a thousand packets in a mean. Kept as a histogram with 16
 * steps to each power of two, so it is good to 3 %.
 */
#include "engine.h"

#include <time.h>

uint64_t timing_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* What looking at the clock costs, so that programs are not charged for it. */
uint64_t timing_clock_cost(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 200; i++) {
		uint64_t before = timing_clock(), cost = timing_clock() - before;

		if (cost < best)
			best = cost;
	}
	return best;
}

static unsigned int step_of(uint64_t ns)
{
	unsigned int log = ns < 16 ? 0 : 60 - (unsigned int)__builtin_clzll(ns);

	return log ? log * 16 + (ns >> (log - 1) & 15) : (unsigned int)ns;
}

/* The middle of a step; its inverse. */
static double step_ns(unsigned int step)
{
	unsigned int log = step / 16;

	if (!log)
		return step;
	return (double)(16 + step % 16) * (double)(1ull << (log - 1)) +
	       (double)(1ull << (log - 1)) / 2;
}

void timing_add(struct timing *timing, uint64_t ns)
{
	timing->steps[step_of(ns)]++;
	timing->count++;
}

double timing_median(const struct timing *timing)
{
	uint64_t below = 0;
	unsigned int i = 0;

	while (i < TIMING_STEPS - 1 && below + timing->steps[i] <= timing->count / 2)
		below += timing->steps[i++];
	return timing->count ? step_ns(i) : 0;
}
