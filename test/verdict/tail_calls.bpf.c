/* SPDX-License-Identifier: MIT
 *
 * What may end a function early belongs into functions that return a number.
 */
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} progs SEC(".maps");

static __noinline void continues_without_result(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &progs, 1);
}

REJECT(RETURNS_INT, "tail_call is only allowed in functions that return 'int'")
XDP(tail_call_without_result)
{
	continues_without_result(ctx);
	return 0;
}

static __noinline void no_result(struct xdp_md *ctx)
{
	hide(ctx);
}

ACCEPT
XDP(no_tail_call_without_result)
{
	no_result(ctx);
	return 0;
}
