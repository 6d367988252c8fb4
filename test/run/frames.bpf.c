/* SPDX-License-Identifier: MIT
 *
 * frames.bpf.c: calls within calls, for who looks at stacks (test/run/gdb.sh).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int sink;

static __attribute__((noinline)) long deepest(long x)
{
	sink += x; /* the line gdb.sh looks for */
	return x * 3;
}

static long each(unsigned int i, long *sum)
{
	char buf[64];

	/* The number of the slot makes callbacks be entered with it. */
	buf[i & 63] = (char)bpf_get_smp_processor_id();
	*sum += deepest(buf[3] + (long)i);
	return 0;
}

SEC("xdp")
int outermost(struct xdp_md *ctx)
{
	long sum = 0;

	bpf_loop(3, each, &sum, 0);
	return (int)sum;
}

char _license[] SEC("license") = "GPL";
