/* SPDX-License-Identifier: MIT
 *
 * An object that could be in a tree and in a list, with one owner only.
 */
#include "verdict.h"

BOOK("D43") POLICY(kernel, reject, "D_REFCNT")
OBJECT_REJECT("D_REFCNT");

struct node {
	struct bpf_list_node link;
	struct bpf_rb_node branch;
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
