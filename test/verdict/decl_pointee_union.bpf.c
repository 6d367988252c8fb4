/* SPDX-License-Identifier: MIT
 *
 * A union is no struct.
 */
#include "verdict.h"

BOOK("D12") POLICY(kernel, accept)
OBJECT_REJECT("D_POINTEE");

union number {
	long a, b;
} seen;

struct value {
	union number __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
