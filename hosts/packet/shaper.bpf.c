/* SPDX-License-Identifier: MIT
 *
 * shaper.bpf.c: a token bucket per flow. What a flow sends within its rate passes at
 * once; what exceeds it waits in the flow's queue, and the timer sends it when there are
 * tokens. The queue is an array of fields of a map's value: putting a frame there moves
 * the program's reference into the map, and sending moves it out again.
 *
 * A flow without a queue and with a full bucket has no element. Frames that still wait
 * when the program is unloaded are given back by the library.
 *
 * Each field is exchanged whole, so no frame can be lost or sent twice. The numbers beside
 * the fields are not locked: the engine runs one program at a time.
 */
#include "parse.h"

#define RATE 16	     /* bytes per millisecond */
#define BURST 4096   /* bytes a quiet flow may send at once */
#define DEPTH 16     /* frames that wait, a power of two */
#define MS 1000000ull

struct bucket {
	__u64 since;	/* when tokens were last added */
	__u32 tokens;	/* bytes that may be sent */
	__u32 head, tail; /* frames sent from and put into the queue so far */
	struct frame __kptr *queue[DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow_key);
	__type(value, struct bucket);
} buckets SEC(".maps");

__u64 delayed, overflowed; /* frames that waited, and frames there was no room for */

/*
 * Exchanges a frame with what is at place @at of the queue. Which field is meant must be
 * known when the program is verified, so there is one exchange for each; the barrier keeps
 * the compiler from making one of them that computes the place.
 */
#define EXCHANGE(i)                                                                      \
	case i: {                                                                        \
		struct frame *old = bpf_kptr_xchg(&b->queue[i], frame);                  \
		asm volatile("");                                                        \
		return old;                                                              \
	}
static struct frame *exchange(struct bucket *b, __u32 at, struct frame *frame)
{
	switch (at % DEPTH) {
	EXCHANGE(0) EXCHANGE(1) EXCHANGE(2) EXCHANGE(3)
	EXCHANGE(4) EXCHANGE(5) EXCHANGE(6) EXCHANGE(7)
	EXCHANGE(8) EXCHANGE(9) EXCHANGE(10) EXCHANGE(11)
	EXCHANGE(12) EXCHANGE(13) EXCHANGE(14) EXCHANGE(15)
	}
	return frame;
}

static void add_tokens(struct bucket *b, __u64 now)
{
	__u64 ms = (now - b->since) / MS, tokens;

	if (now < b->since)
		return;
	b->since += ms * MS;
	tokens = b->tokens + ms * RATE;
	b->tokens = tokens < BURST ? tokens : BURST;
}

static struct bucket *bucket_of(struct flow_key *key, __u64 now)
{
	struct bucket *b = bpf_map_lookup_elem(&buckets, key), full = {};

	if (!b) {
		full.tokens = BURST;
		full.since = now;
		bpf_map_update_elem(&buckets, key, &full, BPF_NOEXIST);
		b = bpf_map_lookup_elem(&buckets, key);
	}
	return b;
}

static int enqueue(struct xdp_md *ctx, struct bucket *b)
{
	struct frame *frame, *old;

	if (b->tail - b->head >= DEPTH) {
		overflowed++;
		return XDP_DROP;
	}
	frame = frame_take(ctx);
	if (!frame)
		return XDP_DROP;
	old = exchange(b, b->tail, frame);
	if (old)
		frame_put(old);
	b->tail++;
	delayed++;
	return XDP_PASS; /* of no consequence: the frame was taken */
}

SEC("xdp")
int shaper(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	__u64 now = bpf_ktime_get_ns();
	struct flow_key key;
	struct tcphdr *tcp;
	struct bucket *b;

	if (!parse_flow(ctx, &key, &tcp))
		return XDP_PASS;
	b = bucket_of(&key, now);
	if (!b)
		return XDP_PASS;
	add_tokens(b, now);
	if (b->head != b->tail || b->tokens < len)
		return enqueue(ctx, b);
	b->tokens -= len;
	return XDP_PASS;
}

static long send_due(void *map, struct flow_key *key, struct bucket *b, __u64 *now)
{
	struct frame *frame;

	add_tokens(b, *now);
	for (int i = 0; i < DEPTH && b->head != b->tail; i++) {
		frame = exchange(b, b->head, NULL);
		if (!frame)
			break;
		if (frame->len > b->tokens) { /* not yet: back to where it was */
			frame = exchange(b, b->head, frame);
			if (frame)
				frame_put(frame);
			break;
		}
		b->tokens -= frame->len;
		b->head++;
		frame_send(frame);
	}
	if (b->head == b->tail && b->tokens == BURST)
		bpf_map_delete_elem(map, key);
	return 0;
}

SEC("hook/on_timer")
int send(__u64 *args)
{
	__u64 now = args[0];

	bpf_for_each_map_elem(&buckets, send_due, &now, 0);
	return 0;
}
