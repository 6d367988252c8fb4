/* SPDX-License-Identifier: MIT
 *
 * A pointer that is const: nothing could be stored.
 */
#include "verdict.h"

BOOK("D29") POLICY(kernel, accept)
OBJECT_REJECT("the pointer is const");

struct value {
	struct T __kptr *const ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
