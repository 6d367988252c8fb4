/* SPDX-License-Identifier: MIT
 *
 * blind.bpf.c: refused: reads the packet without asking where it ends.
 */
#include "../parse.h"

SEC("xdp")
int blind(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	return eth->h_proto == bpf_htons(ETH_P_ARP) ? XDP_DROP : XDP_PASS;
}
