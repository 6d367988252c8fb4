/* SPDX-License-Identifier: MIT
 *
 * A list that no lock guards.
 */
#include "verdict.h"

BOOK("D42") POLICY(kernel, reject, "D_LOCK")
OBJECT_REJECT("no struct bpf_spin_lock beside it");

struct node {
	struct bpf_list_node link;
	long n;
};

struct value {
	struct bpf_list_head list __contains(node, link);
};

struct node *seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
