/* SPDX-License-Identifier: MIT
 *
 * careless.bpf.c: refused: the flow that was in the map before is forgotten, and with it
 * the reference that the map held.
 */
#include "../parse.h"

struct last {
	struct flow __kptr *flow;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct last);
} last SEC(".maps");

SEC("xdp")
int careless(struct xdp_md *ctx)
{
	struct flow_key key;
	struct tcphdr *tcp;
	struct flow *flow;
	__u32 zero = 0;
	struct last *l = bpf_map_lookup_elem(&last, &zero);

	if (!l || !parse_flow(ctx, &key, &tcp))
		return XDP_PASS;
	flow = flow_lookup(ctx, &key);
	if (flow)
		bpf_kptr_xchg(&l->flow, flow); /* it returns the old one */
	return XDP_PASS;
}
