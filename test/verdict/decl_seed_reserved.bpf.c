/* SPDX-License-Identifier: MIT
 *
 * Names that the proposal keeps for later.
 */
#include "verdict.h"

BOOK("D27") POLICY(seed, reject, "are reserved")
OBJECT_ACCEPT;

struct value {
	struct T __attribute__((btf_type_tag("kernel.x"))) *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
