/* SPDX-License-Identifier: MIT
 *
 * hasty.bpf.c: refused: there may be no flow; the engine's functions are not to be called
 * with NULL.
 */
#include "../parse.h"

SEC("xdp")
int hasty(struct xdp_md *ctx)
{
	struct flow_key key;
	struct tcphdr *tcp;
	struct flow *flow;

	if (!parse_flow(ctx, &key, &tcp))
		return XDP_PASS;
	flow = flow_lookup(ctx, &key);
	flow_count(ctx, flow);
	flow_put(flow);
	return XDP_PASS;
}
