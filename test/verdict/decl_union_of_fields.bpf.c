/* SPDX-License-Identifier: MIT
 *
 * Two fields in one place: what one stores the other would load.
 */
#include "verdict.h"

POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

struct value {
	union {
		struct T __kptr *t;
		struct U __kptr *u;
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
