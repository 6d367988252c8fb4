/* SPDX-License-Identifier: MIT
 *
 * Packets: nothing is read or written before its end was compared.
 */
#include "verdict.h"

#define PACKET(data, end)                                                                \
	char *data = (char *)(long)ctx->data;                                            \
	char *end = (char *)(long)ctx->data_end

ACCEPT RETVAL(0)
XDP(compared)
{
	PACKET(data, end);
	if (data + 14 > end)
		return 0;
	return *(__u16 *)(data + 12);
}

REJECT(REGION_PACKET, "invalid access to packet, off=0 size=1")
XDP(not_compared)
{
	return *(volatile char *)(long)ctx->data;
}

REJECT(REGION_PACKET, "invalid access to packet, off=12 size=4")
XDP(beyond_compared)
{
	PACKET(data, end);
	if (data + 14 > end)
		return 0;
	return *(volatile __u32 *)(data + 12);
}

/* The other side of the comparison proves nothing. */
REJECT(REGION_PACKET, "invalid access to packet")
XDP(wrong_side)
{
	PACKET(data, end);
	if (data + 14 <= end)
		return 0;
	return *(volatile char *)data;
}

ACCEPT
XDP(written)
{
	PACKET(data, end);
	if (data + 14 > end)
		return 0;
	data[0] = 1;
	return 2;
}

/* A length from the packet itself, bounded and compared. */
ACCEPT
XDP(variable_header)
{
	PACKET(data, end);
	__u32 len;

	if (data + 1 > end)
		return 0;
	len = (*data & 15) * 4;
	data += len;
	if (data + 4 > end)
		return 0;
	return *(volatile char *)(data + 3) & 1;
}

REJECT(REGION_PACKET, "invalid access to packet")
XDP(variable_header_not_compared)
{
	PACKET(data, end);
	__u32 len;

	if (data + 1 > end)
		return 0;
	len = (*data & 15) * 4;
	return *(volatile char *)(data + len);
}

REJECT(REGION_PACKET, "offset is outside of the packet")
XDP(negative_offset)
{
	PACKET(data, end);
	long off;

	if (data + 64 > end)
		return 0;
	off = (bpf_get_prandom_u32() & 15) - 8;
	hide(off);
	return *(volatile char *)(data + off);
}

REJECT(REGION_PACKET, "invalid access to packet")
XDP(before_start)
{
	PACKET(data, end);
	if (data + 14 > end)
		return 0;
	return *(volatile char *)(data - 1);
}

/* The end is a limit, not memory. */
REJECT(MEM_ACCESS, "invalid mem access 'pkt_end'")
XDP(end_read)
{
	return *(volatile char *)(long)ctx->data_end;
}

/* After the packet has moved nothing that was known of it holds. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(moved)
{
	PACKET(data, end);
	if (data + 14 > end)
		return 0;
	bpf_xdp_adjust_head(ctx, 4);
	return *(volatile char *)data;
}

ACCEPT
XDP(moved_and_compared_again)
{
	bpf_xdp_adjust_head(ctx, 4);
	PACKET(data, end);
	if (data + 14 > end)
		return 0;
	return *(volatile char *)data & 1;
}

REJECT(ATOMIC_STORE, "BPF_ATOMIC stores into R")
XDP(atomic)
{
	PACKET(data, end);
	if (data + 8 > end)
		return 0;
	ASM("lock *(u64 *)(%0 + 0) += %1" : : "r"(data), "r"(1L) : "memory");
	return 0;
}

REJECT(ATOMIC_LOAD, "BPF_ATOMIC loads from R1 pkt is not allowed")
XDP_ASM(load_acquire)
{
	ASM("r2 = *(u32 *)(r1 + 4)		\n"
	    "r1 = *(u32 *)(r1 + 0)		\n"
	    "r3 = r1				\n"
	    "r3 += 8				\n"
	    "if r3 > r2 goto 1f			\n"
	    ".8byte 0x00000100000010db		\n" /* r0 = load_acquire((u64 *)(r1 + 0)) */
	    "1: r0 = 0				\n"
	    "exit" ::: "memory");
}

/* The metadata before the packet ends where the packet begins. */
ACCEPT
XDP(metadata)
{
	char *meta = (char *)(long)ctx->data_meta;
	char *data = (char *)(long)ctx->data;

	if (meta + 4 > data)
		return 0;
	return *(volatile char *)meta & 1;
}

REJECT(REGION_PACKET, "invalid access to packet")
XDP(metadata_not_compared)
{
	char *meta = (char *)(long)ctx->data_meta;

	return *(volatile char *)meta;
}

/* Comparison with the metadata's own end only. */
REJECT(REGION_PACKET, "invalid access to packet")
XDP(metadata_against_end)
{
	char *meta = (char *)(long)ctx->data_meta;
	char *data = (char *)(long)ctx->data;

	if (meta + 4 > data)
		return 0;
	return *(volatile char *)(data + 2);
}

/* Helpers read packets, too. */
ACCEPT
XDP(checksum)
{
	PACKET(data, end);
	if (data + 16 > end)
		return 0;
	return bpf_csum_diff((__be32 *)data, 16, NULL, 0, 0) & 1;
}

REJECT(REGION_PACKET, "invalid access to packet")
XDP(checksum_not_compared)
{
	PACKET(data, end);
	if (data + 12 > end)
		return 0;
	return bpf_csum_diff((__be32 *)data, 16, NULL, 0, 0) & 1;
}
