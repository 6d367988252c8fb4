/* SPDX-License-Identifier: MIT
 *
 * One field more.
 */
#include "verdict.h"

BOOK("D37") POLICY(max11, reject, "more than 11 special fields")
OBJECT_ACCEPT;

struct value {
	struct T __kptr *ref[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
