/* SPDX-License-Identifier: MIT
 *
 * The tags of the proposal that began typed pointers.
 */
#include "verdict.h"

BOOK("D24") POLICY(seed, accept)
OBJECT_REJECT("D_TAG");

struct value {
	struct T __attribute__((btf_type_tag("kernel.bpf.ref")))
		__attribute__((btf_type_tag("kernel.bpf.btf_id"))) *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
