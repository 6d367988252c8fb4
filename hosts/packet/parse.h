/* SPDX-License-Identifier: MIT
 *
 * parse.h: for programs: the flow a packet belongs to. Every byte is read only after a
 * comparison with data_end has shown that it is there.
 */
#ifndef PARSE_H
#define PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <pintle/bpf.h>

#include "packet.h"

#define NULL ((void *)0)

struct ports {
	__be16 source, dest;
};

static __always_inline void *parse_ip(struct iphdr *ip, void *end, struct flow_key *key)
{
	if ((void *)(ip + 1) > end || ip->ihl < 5)
		return NULL;
	key->family = 4;
	key->proto = ip->protocol;
	__builtin_memcpy(key->src, &ip->saddr, 4);
	__builtin_memcpy(key->dst, &ip->daddr, 4);
	/* Later fragments carry no ports. */
	if (ip->frag_off & bpf_htons(0x1fff))
		return NULL;
	return (void *)ip + ip->ihl * 4;
}

static __always_inline void *parse_ipv6(struct ipv6hdr *ip, void *end,
					struct flow_key *key)
{
	if ((void *)(ip + 1) > end)
		return NULL;
	key->family = 6;
	key->proto = ip->nexthdr;
	__builtin_memcpy(key->src, &ip->saddr, 16);
	__builtin_memcpy(key->dst, &ip->daddr, 16);
	return ip + 1;
}

/* Whether the packet is of TCP or UDP; fills @key in, and *@tcp of TCP packets (or NULL). */
static __always_inline _Bool parse_flow(struct xdp_md *ctx, struct flow_key *key,
					struct tcphdr **tcp)
{
	void *end = (void *)(long)ctx->data_end, *next = NULL;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct ports *ports;

	*tcp = NULL;
	__builtin_memset(key, 0, sizeof(*key));
	if ((void *)(eth + 1) > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		next = parse_ip((void *)(eth + 1), end, key);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		next = parse_ipv6((void *)(eth + 1), end, key);
	ports = next;
	if (!next || (void *)(ports + 1) > end)
		return 0;
	if (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP)
		return 0;
	key->sport = ports->source;
	key->dport = ports->dest;
	if (key->proto == IPPROTO_TCP && next + sizeof(struct tcphdr) <= end)
		*tcp = next;
	return 1;
}

#endif
