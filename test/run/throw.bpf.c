/* SPDX-License-Identifier: MIT
 *
 * What is thrown stays within the run, and within the program that a tail call led to.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__array(values, int(void *));
} table SEC(".maps");

extern int throw_nest(int n) __ksym;


static __noinline int thrower(int n)
{
	volatile __u64 space[8] = {n};

	if (n > 0)
		bpf_throw(space[0] + 100);
	return space[0];
}

static __noinline int middle(int n)
{
	int a = thrower(n), b = thrower(n - 1);

	return a + b;
}

/* Runs `inner` in between, through the host, and what that throws is not this run's. */
SEC("hook/throw_hook")
int BPF_PROG(outer, int n)
{
	int inner = throw_nest(n), mine;

	mine = middle(inner - 101);
	return inner + mine;
}

SEC("hook/throw_inner")
int BPF_PROG(inner, int n)
{
	return middle(n);
}

__noinline int caught(__u64 cookie)
{
	return cookie * 2;
}

SEC("hook/throw_hook")
__exception_cb(caught)
int BPF_PROG(tail_target, int n)
{
	return middle(n);
}

/* The caller of the tail call's frame goes on with what was thrown behind it. */
static __noinline int tails(void *ctx)
{
	int none = -1;

	bpf_tail_call(ctx, &table, 0);
	asm volatile("" : "+r"(none)); /* what is returned is not known */
	return none;
}

SEC("hook/throw_hook")
int BPF_PROG(tail_caller, int n)
{
	int r = tails(ctx);

	return r + middle(0) + 1000;
}
