/* SPDX-License-Identifier: MIT
 *
 * Kernels keep no pointer fields in tries; here nothing speaks against it.
 */
#include "verdict.h"

BOOK("D04") POLICY(kernel, reject, "D_MAPTYPE")
OBJECT_ACCEPT;

struct value {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct value);
} map SEC(".maps");
