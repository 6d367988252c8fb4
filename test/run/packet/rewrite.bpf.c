/* SPDX-License-Identifier: MIT
 *
 * rewrite.bpf.c: an XDP program as it would be for a kernel, with nothing of Pintle: tags
 * IPv4 frames with VLAN 42, cuts IPv6 frames to their headers, answers ARP requests to the
 * sender by XDP_TX, redirects what is of port 53, drops ICMP.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct vlan {
	__be16 tci, proto;
};

static int push_vlan(struct xdp_md *ctx)
{
	struct ethhdr *eth, old;
	struct vlan *vlan;
	void *end;

	if (bpf_xdp_load_bytes(ctx, 0, &old, sizeof(old)))
		return XDP_ABORTED;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*vlan)))
		return XDP_ABORTED;
	end = (void *)(long)ctx->data_end;
	eth = (void *)(long)ctx->data;
	vlan = (void *)(eth + 1);
	if ((void *)(vlan + 1) > end)
		return XDP_ABORTED;
	__builtin_memcpy(eth->h_dest, old.h_dest, sizeof(old.h_dest));
	__builtin_memcpy(eth->h_source, old.h_source, sizeof(old.h_source));
	eth->h_proto = bpf_htons(ETH_P_8021Q);
	vlan->tci = bpf_htons(42);
	vlan->proto = old.h_proto;
	return XDP_PASS;
}

static int on_ipv4(struct xdp_md *ctx, struct iphdr *ip, void *end)
{
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (ip->protocol == IPPROTO_ICMP)
		return XDP_DROP;
	if (ip->protocol == IPPROTO_UDP && (void *)(udp + 1) <= end &&
	    (udp->dest == bpf_htons(53) || udp->source == bpf_htons(53)))
		return bpf_redirect(ctx->ingress_ifindex, 0);
	return push_vlan(ctx);
}

static int cut(struct xdp_md *ctx)
{
	int keep = sizeof(struct ethhdr) + sizeof(struct ipv6hdr);
	int more = (int)bpf_xdp_get_buff_len(ctx) - keep;

	if (more > 0 && bpf_xdp_adjust_tail(ctx, -more))
		return XDP_ABORTED;
	return XDP_PASS;
}

SEC("xdp")
int rewrite(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	unsigned char mac[ETH_ALEN];

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	switch (bpf_ntohs(eth->h_proto)) {
	case ETH_P_IP:
		return on_ipv4(ctx, (void *)(eth + 1), end);
	case ETH_P_IPV6:
		return cut(ctx);
	case ETH_P_ARP:
		__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
		__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
		__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
		return XDP_TX;
	}
	return 77; /* no such code: aborted */
}

char _license[] SEC("license") = "GPL";
