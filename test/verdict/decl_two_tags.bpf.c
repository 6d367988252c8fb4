/* SPDX-License-Identifier: MIT
 *
 * Two tags on one pointer.
 */
#include "verdict.h"

BOOK("D19") POLICY(kernel, accept)
OBJECT_REJECT("type tags on one pointer");

struct value {
	struct T __attribute__((btf_type_tag("kptr"))) __attribute__((btf_type_tag("kptr"))) *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
