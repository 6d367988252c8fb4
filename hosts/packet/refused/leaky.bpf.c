/* SPDX-License-Identifier: MIT
 *
 * leaky.bpf.c: refused: on one path the reference to the flow is never given back.
 */
#include "../parse.h"

SEC("xdp")
int leaky(struct xdp_md *ctx)
{
	struct flow_key key;
	struct tcphdr *tcp;
	struct flow *flow;

	if (!parse_flow(ctx, &key, &tcp))
		return XDP_PASS;
	flow = flow_lookup(ctx, &key);
	if (!flow)
		return XDP_PASS;
	flow_count(ctx, flow);
	if (tcp && tcp->syn)
		return XDP_PASS; /* and the flow? */
	flow_put(flow);
	return XDP_PASS;
}
