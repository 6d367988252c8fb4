/* SPDX-License-Identifier: MIT
 *
 * bounds.bpf.c: helpers that move a packet's bounds, at the edges. A frame passes when
 * everything was as bpf-helpers(7) says; else the program drops it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define EXPECT(cond)                                                                     \
	if (!(cond)) {                                                                   \
		bpf_printk("line %d", __LINE__);                                         \
		return XDP_DROP;                                                         \
	}

static int tail(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	__u8 byte = 1;

	EXPECT(bpf_xdp_adjust_tail(ctx, 100000) < 0);
	EXPECT(bpf_xdp_adjust_tail(ctx, ETH_HLEN - 1 - (int)len) < 0);
	EXPECT(bpf_xdp_get_buff_len(ctx) == len);
	EXPECT(bpf_xdp_adjust_tail(ctx, 8) == 0);
	EXPECT(bpf_xdp_get_buff_len(ctx) == len + 8);
	EXPECT(bpf_xdp_load_bytes(ctx, len, &byte, 1) == 0 && byte == 0);
	EXPECT(bpf_xdp_load_bytes(ctx, len + 8, &byte, 1) < 0);
	EXPECT(bpf_xdp_load_bytes(ctx, 0xffffffff, &byte, 1) < 0);
	EXPECT(bpf_xdp_store_bytes(ctx, len + 8, &byte, 1) < 0);
	EXPECT(bpf_xdp_adjust_tail(ctx, -8) == 0);
	return XDP_PASS;
}

static int head(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	__u8 mark[4] = {1, 2, 3, 4}, back[4] = {};

	EXPECT(bpf_xdp_adjust_head(ctx, -100000) < 0);
	EXPECT(bpf_xdp_adjust_head(ctx, (int)len - ETH_HLEN + 1) < 0);
	EXPECT(bpf_xdp_adjust_head(ctx, -4) == 0);
	EXPECT(bpf_xdp_get_buff_len(ctx) == len + 4);
	EXPECT(bpf_xdp_store_bytes(ctx, 0, mark, 4) == 0);
	EXPECT(bpf_xdp_load_bytes(ctx, 0, back, 4) == 0);
	EXPECT(back[0] == 1 && back[3] == 4);
	EXPECT(bpf_xdp_adjust_head(ctx, 4) == 0);
	EXPECT(bpf_xdp_get_buff_len(ctx) == len);
	return XDP_PASS;
}

static int meta(struct xdp_md *ctx)
{
	__u32 *mark;

	EXPECT(ctx->data_meta == ctx->data);
	EXPECT(bpf_xdp_adjust_meta(ctx, -3) < 0);
	EXPECT(bpf_xdp_adjust_meta(ctx, 4) < 0);
	EXPECT(bpf_xdp_adjust_meta(ctx, -100000) < 0);
	EXPECT(bpf_xdp_adjust_meta(ctx, -4) == 0);
	mark = (void *)(long)ctx->data_meta;
	EXPECT((void *)(mark + 1) <= (void *)(long)ctx->data);
	*mark = 0x12345678;
	EXPECT(bpf_xdp_adjust_head(ctx, -8) == 0); /* metadata moves along */
	mark = (void *)(long)ctx->data_meta;
	EXPECT((void *)(mark + 1) <= (void *)(long)ctx->data);
	EXPECT(*mark == 0x12345678);
	EXPECT(bpf_xdp_adjust_head(ctx, 8) == 0);
	return XDP_PASS;
}

SEC("xdp")
int bounds(struct xdp_md *ctx)
{
	EXPECT(ctx->ingress_ifindex == 1 && ctx->rx_queue_index == 0);
	if (bpf_xdp_get_buff_len(ctx) < ETH_HLEN) { /* too short to be changed at all */
		EXPECT(bpf_xdp_adjust_head(ctx, 0) < 0 && bpf_xdp_adjust_tail(ctx, 0) < 0);
		return XDP_PASS;
	}
	if (tail(ctx) != XDP_PASS || head(ctx) != XDP_PASS)
		return XDP_DROP;
	return meta(ctx);
}

char _license[] SEC("license") = "GPL";
