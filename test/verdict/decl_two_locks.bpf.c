/* SPDX-License-Identifier: MIT
 *
 * Two locks in one value.
 */
#include "verdict.h"

BOOK("D41") POLICY(kernel, reject, "the second one")
OBJECT_REJECT("the second one");

struct value {
	struct bpf_spin_lock a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
