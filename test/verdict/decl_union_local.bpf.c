/* SPDX-License-Identifier: MIT
 *
 * A struct that programs allocate, with a field in a union.
 */
#include "verdict.h"

POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

struct L {
	long a;
	union {
		struct T __kptr *ref;
		long number;
	};
};

struct value {
	struct L __kptr *loc;
};

struct L *seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
