/* SPDX-License-Identifier: MIT
 *
 * borrowed.bpf.c: refused: a frame that was only looked at in a map is passed to the
 * engine. Nobody owns it here, so by then it may have been sent and freed.
 */
#include "../parse.h"

struct slot {
	struct frame __kptr *frame;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot);
} waiting SEC(".maps");

SEC("hook/on_timer")
int borrowed(__u64 *args)
{
	__u32 zero = 0;
	struct slot *slot = bpf_map_lookup_elem(&waiting, &zero);
	struct frame *frame;

	if (!slot)
		return 0;
	frame = slot->frame;
	return frame ? frame_len(frame) : 0;
}
