/* SPDX-License-Identifier: MIT
 *
 * A lock in a map that takes elements away when it likes.
 */
#include "verdict.h"

BOOK("D50")
OBJECT_REJECT("a map of type lru_hash cannot hold a field of kind bpf_spin_lock");

struct value {
	struct bpf_spin_lock lock;
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
