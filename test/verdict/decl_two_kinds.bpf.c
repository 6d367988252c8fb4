/* SPDX-License-Identifier: MIT
 *
 * Two kinds at once.
 */
#include "verdict.h"

BOOK("D20") POLICY(kernel, accept)
OBJECT_REJECT("type tags on one pointer");

struct value {
	struct T __kptr __kptr_untrusted *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
