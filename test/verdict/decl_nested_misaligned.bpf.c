/* SPDX-License-Identifier: MIT
 *
 * Aligned in its struct, which is not.
 */
#include "verdict.h"

BOOK("D40")
OBJECT_REJECT("is not a multiple of 8");

struct inner {
	struct T __kptr *ref;
};

struct value {
	int n;
	struct inner inner;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
