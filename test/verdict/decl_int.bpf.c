/* SPDX-License-Identifier: MIT
 *
 * What is pointed to is no struct.
 */
#include "verdict.h"

BOOK("D11") POLICY(kernel, accept)
OBJECT_REJECT("D_POINTEE");

struct value {
	int __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
