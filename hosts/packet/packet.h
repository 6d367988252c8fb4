/* SPDX-License-Identifier: MIT
 *
 * packet.h: what the packet engine shares with its programs: its types and the functions
 * it exports. One text for both sides: the engine compiles it as it is, programs see the
 * types through CO-RE and the functions as externs.
 *
 * Time is the capture's: nanoseconds of its timestamps, and bpf_ktime_get_ns() gives it
 * too. Every millisecond of it the hook on_timer(now) runs.
 */
#ifndef PACKET_H
#define PACKET_H

#include <linux/types.h>

struct xdp_md; /* of <linux/bpf.h>, which does not go with <pcap/pcap.h> */

/* One direction of a conversation. No padding: it is hashed and compared as bytes, and is
 * part of the interface (no CO-RE). IPv4 addresses are the first 4 bytes, the rest is 0. */
struct flow_key {
	__u8 src[16], dst[16];
	__be16 sport, dport;
	__u8 family; /* 4 or 6 */
	__u8 proto;
	__u16 zero;
};

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#define EXPORTED __ksym
#else
#define EXPORTED
#endif

/* Counted. The engine's table holds one reference until the flow was idle for long. */
struct flow {
	int refs;
	__u32 hash;
	__u64 packets, bytes;
	__u64 last;	    /* time of the last packet counted */
	__u64 users;	    /* programs that used it, as bits */
	struct flow_key key;
	struct engine *engine;
	struct flow *next;  /* in the table's chain */
};

/* Counted. Bytes [data, data + len) of a buffer with room on both sides. */
struct frame {
	int refs;
	__u32 len;
	__u32 cut;	    /* bytes of the original that the capture left out */
	__u64 time;
	__u8 *data, *start, *end;
	struct engine *engine;
	struct frame *next; /* among the frames to be sent */
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

/* The flow of @key, made when there is none; NULL when there are too many. Acquires. */
extern struct flow *flow_lookup(struct xdp_md *ctx, struct flow_key *key) EXPORTED;
/* Another reference, or NULL when the last one is gone. Takes pointers that were read
 * from a field of a map. Acquires. */
extern struct flow *flow_get(struct flow *flow) EXPORTED;
extern void flow_put(struct flow *flow) EXPORTED;
/* Counts the packet of @ctx. Takes pointers that were read from a field of a map. */
extern void flow_count(struct xdp_md *ctx, struct flow *flow) EXPORTED;

/* Makes the frame that is being processed the program's own, whatever the program
 * returns; NULL when it was taken already. Acquires. */
extern struct frame *frame_take(struct xdp_md *ctx) EXPORTED;
extern void frame_put(struct frame *frame) EXPORTED;
/* Writes the frame to the output. Releases. */
extern void frame_send(struct frame *frame) EXPORTED;
extern __u32 frame_len(struct frame *frame) EXPORTED;

#endif
