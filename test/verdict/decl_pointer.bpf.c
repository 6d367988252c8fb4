/* SPDX-License-Identifier: MIT
 *
 * A pointer to a pointer.
 */
#include "verdict.h"

BOOK("D11") POLICY(kernel, accept)
OBJECT_REJECT("D_POINTEE");

struct value {
	struct T *__kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
