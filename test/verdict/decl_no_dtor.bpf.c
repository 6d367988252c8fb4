/* SPDX-License-Identifier: MIT
 *
 * W has no destructor: nothing could drop a reference to it.
 */
#include "verdict.h"

BOOK("D15") POLICY(kernel, reject, "D_NODTOR")
OBJECT_REJECT("D_NODTOR");

struct value {
	struct W __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
