/* SPDX-License-Identifier: MIT
 *
 * Pinned memory in a map of which nobody is the owner.
 */
#include "verdict.h"

BOOK("D48")
OBJECT_REJECT("a map of type array cannot hold a field of kind uptr");

struct buffer {
	char bytes[8];
};

struct value {
	struct buffer __uptr *u;
};

union full {
	struct buffer buffer;
} *seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
