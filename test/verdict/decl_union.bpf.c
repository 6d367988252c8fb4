/* SPDX-License-Identifier: MIT
 *
 * A field in a union: which member is there, nobody knows.
 */
#include "verdict.h"

BOOK("D32") POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

struct value {
	union {
		struct T __kptr *ref;
		long number;
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
