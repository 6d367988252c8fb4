/* SPDX-License-Identifier: MIT
 *
 * More fields than there may be.
 */
#include "verdict.h"

BOOK("D37")
OBJECT_REJECT("more than 64 special fields");

struct value {
	struct T __kptr *refs[65];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
