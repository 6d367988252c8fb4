/* SPDX-License-Identifier: MIT
 *
 * deadline.c: very many timers in the order in which they are due: PINTLE_TIMERS of them,
 * 100000 unless told; with PINTLE_TEST_TIMES, what each step takes and the memory of one.
 */
#include "run/async/async.h"
#include "test.h"

#include <time.h>

static double ns_each(struct timespec *begin, u32 n)
{
	struct timespec t = *begin;

	clock_gettime(CLOCK_MONOTONIC, begin);
	return ((double)(begin->tv_sec - t.tv_sec) * 1e9 + (double)(begin->tv_nsec - t.tv_nsec)) / n;
}

static void tell(const char *what, double number)
{
	if (getenv("PINTLE_TEST_TIMES"))
		fprintf(stderr, "%s: %.1f\n", what, number);
}

/* Deadlines that look random, each of two timers. */
static void arm_all(struct deadlines *due, struct async *timers, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		timers[i].deadline = (i / 2) * 2654435761u % 1000003;
		timers[i].seq = i;
		deadlines_add(due, &timers[i]);
	}
}

/* Takes them out by order: how many there were. */
static u32 fire_all(struct deadlines *due)
{
	u64 at = 0, seq = 0;
	u32 n = 0;

	for (struct async *a; (a = deadlines_first(due)); n++) {
		CHECK(a->deadline > at || (a->deadline == at && (!n || a->seq > seq)));
		at = a->deadline;
		seq = a->seq;
		deadlines_remove(due, a);
	}
	return n;
}

TEST(deadlines_of_very_many_timers)
{
	const char *asked = getenv("PINTLE_TIMERS");
	u32 n = asked ? (u32)strtoul(asked, NULL, 0) : 100000, left = 0;
	struct async *timers = calloc(n, sizeof(*timers));
	struct deadlines due = {0};
	struct timespec t;

	CHECK(timers);
	CHECK_EQ(deadlines_reserve(&due, n), 0);
	clock_gettime(CLOCK_MONOTONIC, &t);
	arm_all(&due, timers, n);
	tell("arm, ns", ns_each(&t, n));
	for (u32 i = 0; i < n; i++) /* in an order that is not theirs */
		if (i % 3)
			deadlines_remove(&due, &timers[i]);
		else
			left++;
	tell("cancel, ns", ns_each(&t, n - left));
	CHECK_EQ(fire_all(&due), left);
	tell("fire, ns", ns_each(&t, left));
	tell("bytes of one", (double)sizeof(*timers) + sizeof(struct deadline));
	deadlines_free(&due);
	free(timers);
}
