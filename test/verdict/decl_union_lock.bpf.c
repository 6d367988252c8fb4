/* SPDX-License-Identifier: MIT
 *
 * A lock that is also a number: who writes the number takes the lock.
 */
#include "verdict.h"

POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

struct value {
	struct T __kptr *ref;
	union {
		struct bpf_spin_lock lock;
		int number;
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
