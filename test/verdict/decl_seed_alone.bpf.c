/* SPDX-License-Identifier: MIT
 *
 * A reference without the tag that says it is a typed pointer.
 */
#include "verdict.h"

BOOK("D25") POLICY(seed, reject, "without the tag kernel.bpf.btf_id")
OBJECT_REJECT("D_TAG");

struct value {
	struct T __attribute__((btf_type_tag("kernel.bpf.ref"))) *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
