/* SPDX-License-Identifier: MIT
 *
 * One place that is owned and remembered at once: plain stores would leak what is owned.
 */
#include "verdict.h"

POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

struct value {
	struct T __kptr *other;
	union {
		struct T __kptr *ref;
		struct T __kptr_untrusted *un;
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
