/* SPDX-License-Identifier: MIT
 *
 * Two kinds at once, by the tags of the proposal.
 */
#include "verdict.h"

BOOK("D26") POLICY(seed, reject, "ref, percpu and user exclude each other")
OBJECT_REJECT("D_TAG");

struct value {
	struct T __attribute__((btf_type_tag("kernel.bpf.percpu")))
		__attribute__((btf_type_tag("kernel.bpf.ref")))
		__attribute__((btf_type_tag("kernel.bpf.btf_id"))) *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
