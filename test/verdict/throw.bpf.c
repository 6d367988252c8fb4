/* SPDX-License-Identifier: MIT
 *
 * Exception callbacks: named by a tag, global, one number in and one out, nobody else's.
 */
#include "verdict.h"

#define CAUGHT_BY(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

__noinline int caught(__u64 cookie)
{
	return cookie & 1;
}

__noinline int caught_too(__u64 cookie)
{
	return 0;
}

ACCEPT RETVAL(0)
KERNEL(reject, "libbpf before 1.3 leaves the callback out of the program")
CAUGHT_BY(caught)
XDP(one_exception_callback)
{
	return 0;
}

REJECT(THROW_TAGS, "multiple exception callback tags for main subprog 'two_exception_callbacks'")
CAUGHT_BY(caught) CAUGHT_BY(caught_too)
XDP(two_exception_callbacks)
{
	return 0;
}

REJECT(THROW_MISSING, "could not be found in BTF")
CAUGHT_BY(nowhere)
XDP(no_such_exception_callback)
{
	return 0;
}

static __noinline __attribute__((used)) int hidden_cb(__u64 cookie)
{
	return 0;
}

REJECT(THROW_STATIC, "must have global linkage")
CAUGHT_BY(hidden_cb)
XDP(static_exception_callback)
{
	return 0;
}

__noinline int caught_memory(__u32 *cookie)
{
	return 0;
}

REJECT(THROW_ARG, "exception cb only supports single integer argument")
CAUGHT_BY(caught_memory)
XDP(exception_callback_of_pointer)
{
	return 0;
}

__noinline int caught_two(__u64 cookie, __u64 more)
{
	return 0;
}

REJECT(THROW_ARG, "exception cb only supports single integer argument")
CAUGHT_BY(caught_two)
XDP(exception_callback_of_two)
{
	return 0;
}

REJECT(THROW_CALL, "cannot call exception cb directly")
CAUGHT_BY(caught)
XDP(calls_exception_callback)
{
	return caught(ctx->rx_queue_index);
}

__noinline void caught_for_nothing(__u64 cookie)
{
	asm volatile("");
}

REJECT(NOT_READABLE, "R0 !read_ok")
CAUGHT_BY(caught_for_nothing)
XDP(exception_callback_without_result)
{
	return 0;
}

/* ---- what a throw makes the program return ---- */

ACCEPT RETVAL(9)
P(throws_in_main)
{
	bpf_assert_with(n != 1, 9);
	return 1;
}

ACCEPT RETVAL(1)
P(throws_nothing)
{
	bpf_assert_with(n == 1, 9);
	return 1;
}

ACCEPT RETVAL(0)
P(asserts_without_a_number)
{
	bpf_assert(n == 2);
	return 5;
}

/* Each frame keeps something alive over its call. */
static __noinline int deepest(struct T *t, int n)
{
	volatile __u64 space[4] = {n, n, n, n};

	if (n == 3)
		bpf_throw(40 + space[3]);
	return space[n & 3];
}

static __noinline int deeper(struct T *t, int n)
{
	int a = deepest(t, n + 1), b = deepest(t, n);

	return a + b + n;
}

static __noinline int deep(struct T *t, int n)
{
	int a = t_read(t), b = deeper(t, n + 1);

	return a + b;
}

ACCEPT RETVAL(43)
P(throws_from_three_frames_down)
{
	int a = deep(t, n);

	return a + t_read(t);
}

__noinline int caught_next(__u64 cookie)
{
	volatile __u64 space[16] = {cookie};

	return deepest(0, 0) + space[0] + 1;
}

ACCEPT RETVAL(44)
CAUGHT_BY(caught_next)
KERNEL(reject, "libbpf before 1.3 leaves the callback out of the program")
P(callback_makes_the_result)
{
	int a = deep(t, n);

	return a + t_read(t);
}

ACCEPT RETVAL(45)
CAUGHT_BY(caught_next)
KERNEL(reject, "libbpf before 1.3 leaves the callback out of the program")
P(callback_of_a_throw_in_main)
{
	volatile __u64 space[8] = {n};

	bpf_assert_with(space[0] != 1, 44);
	return 0;
}

/* What it throws is the cookie: its own frame is as good as main's. */
__noinline int caught_and_thrown(__u64 cookie)
{
	if (cookie < 100)
		bpf_throw(cookie + 1);
	return 0;
}

REJECT(THROW_CALLBACK, "cannot be called from callback subprog")
CAUGHT_BY(caught_and_thrown)
P(throws_in_the_exception_callback)
{
	bpf_throw(n);
	return 0;
}

__noinline int global_throws(int n)
{
	if (n == 1)
		bpf_throw(7);
	return n;
}

__noinline int global_above(int n)
{
	return global_throws(n) + 1;
}

ACCEPT RETVAL(7)
P(throws_from_global_functions)
{
	int a = global_above(n);

	return a + n;
}

static long turn_throws(__u32 i, void *data)
{
	return global_throws(i);
}

REJECT(THROW_CALLBACK, "cannot be called from callback subprog")
P(throws_in_a_callback)
{
	bpf_loop(4, turn_throws, 0, 0);
	return 0;
}

static long turn(__u32 i, __u64 *sum)
{
	*sum += i;
	return 0;
}

ACCEPT RETVAL(6)
P(throws_behind_a_callback)
{
	__u64 sum = 0;

	bpf_loop(4, turn, &sum, 0);
	bpf_throw(sum);
	return 0;
}

int numbers[16];

/* The range holds behind it. */
ACCEPT RETVAL(0)
P(asserts_a_range)
{
	__s64 at = n;

	bpf_assert_range_with(at, 0, 15, 3);
	return numbers[at];
}

REJECT(REGION_MAX, "max value is outside")
P(asserts_half_a_range)
{
	__s64 at = n;

	bpf_assert_range_with(at, 0, 16, 3);
	return numbers[at];
}

static __noinline int holding_throws(struct T *t, int n)
{
	struct T *p = t_find(n);
	int a;

	if (!p)
		return 0;
	a = deepest(t, n);
	t_put(p);
	return a;
}

REJECT(REF_LEAK, "bpf_throw would lead to reference leak")
P(throws_while_a_caller_holds)
{
	return holding_throws(t, n);
}
