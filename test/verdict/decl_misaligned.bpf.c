/* SPDX-License-Identifier: MIT
 *
 * A pointer at an odd place.
 */
#include "verdict.h"

BOOK("D39")
OBJECT_REJECT("is not a multiple of 8");

struct value {
	int n;
	struct T __kptr *ref;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
