/* SPDX-License-Identifier: MIT
 *
 * objects.bpf.c: objects that programs allocate and drop, and elements with a field for one,
 * STEPS a run.
 */
#include "work.h"
#include <pintle/bpf.h>
#include "kinds.h"

struct item {
	u64 a, b;
};

SEC("xdp") int allocate_drop(struct xdp_md *ctx)
{
	u32 done = 0;

	for (u32 i = 0; i < STEPS; i++) {
		struct item *item = bpf_obj_new(struct item);

		if (!item)
			break;
		item->a = i;
		bpf_obj_drop(item);
		done++;
	}
	return done;
}

/* Values with a pointer field, which is empty: elements come and go. */
struct holder {
	struct item __kptr *item;
	u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CELLS);
	__type(key, u32);
	__type(value, struct holder);
} holders SEC(".maps");

SEC("xdp") int churn_holders(struct xdp_md *ctx)
{
	struct holder value = {};
	u32 done = 0;

	for (u32 i = 0; i < STEPS; i++) {
		u32 key = bpf_get_prandom_u32() & (CELLS - 1);

		bpf_map_delete_elem(&holders, &key);
		done += !bpf_map_update_elem(&holders, &key, &value, BPF_ANY);
	}
	return done;
}

char _license[] SEC("license") = "GPL";
