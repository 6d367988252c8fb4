/* SPDX-License-Identifier: MIT
 *
 * A tag of another era.
 */
#include "verdict.h"

BOOK("D22") POLICY(kernel, accept) POLICY(tags519, accept)
OBJECT_REJECT("a tag of another era");

struct value {
	struct T __attribute__((btf_type_tag("kptr_ref"))) *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
