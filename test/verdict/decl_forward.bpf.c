/* SPDX-License-Identifier: MIT
 *
 * A struct that nobody has in full.
 */
#include "verdict.h"

BOOK("D14") POLICY(kernel, accept)
OBJECT_REJECT("D_FWD");

struct value {
	struct unheard_of __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
