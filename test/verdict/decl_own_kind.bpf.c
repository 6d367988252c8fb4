/* SPDX-License-Identifier: MIT
 *
 * A list of objects that have such lists.
 */
#include "verdict.h"

BOOK("D44") POLICY(kernel, reject, "D_CYCLE")
OBJECT_REJECT("D_CYCLE");

struct node {
	struct bpf_spin_lock lock;
	struct bpf_list_node link;
	struct bpf_list_head list __contains(node, link);
};

struct value {
	struct bpf_spin_lock lock;
	struct bpf_list_head list __contains(node, link);
};

struct node *seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
