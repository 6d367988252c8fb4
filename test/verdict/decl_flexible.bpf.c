/* SPDX-License-Identifier: MIT
 *
 * An array without a length.
 */
#include "verdict.h"

BOOK("D33") POLICY(kernel, accept)
OBJECT_REJECT("an array without a length cannot hold special fields");

struct value {
	long n;
	struct T __kptr *refs[];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
