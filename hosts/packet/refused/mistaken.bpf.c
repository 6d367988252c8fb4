/* SPDX-License-Identifier: MIT
 *
 * mistaken.bpf.c: refused: a frame is put where flows are kept.
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
int mistaken(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct last *l = bpf_map_lookup_elem(&last, &zero);
	struct frame *frame;
	void *old;

	if (!l)
		return XDP_PASS;
	frame = frame_take(ctx);
	if (!frame)
		return XDP_DROP;
	old = bpf_kptr_xchg(&l->flow, (void *)frame);
	if (old)
		flow_put(old);
	return XDP_DROP;
}
