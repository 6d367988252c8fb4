/* SPDX-License-Identifier: MIT
 *
 * A tag that means nothing beside one that does.
 */
#include "verdict.h"

BOOK("D21") POLICY(kernel, reject, "D_TAG")
OBJECT_ACCEPT;

struct value {
	struct T __kptr *ref;
	struct T __attribute__((btf_type_tag("foo"))) *foreign;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
