/* SPDX-License-Identifier: MIT
 *
 * An owner of owners of objects, each of which can be owned.
 */
#include "verdict.h"

BOOK("D45") POLICY(kernel, reject, "D_CYCLE")
OBJECT_REJECT("D_CYCLE");

struct last {
	struct bpf_list_node link;
};

struct middle {
	struct bpf_spin_lock lock;
	struct bpf_list_node link;
	struct bpf_list_head list __contains(last, link);
};

struct top {
	struct bpf_spin_lock lock;
	struct bpf_list_node link;
	struct bpf_list_head list __contains(middle, link);
};

struct value {
	struct bpf_spin_lock lock;
	struct bpf_list_head list __contains(top, link);
};

union all {
	struct top top;
	struct middle middle;
	struct last last;
} *seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
