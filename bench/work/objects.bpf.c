/* SPDX-License-Identifier: MIT
 *
 * objects.bpf.c: objects that programs allocate and drop, STEPS a run.
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

char _license[] SEC("license") = "GPL";
