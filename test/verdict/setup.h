/* SPDX-License-Identifier: MIT
 *
 * setup.h: the maps of the rule book's section K: value V in array A and hash B, VL with a
 * lock in array C, and a map without pointer fields.
 */
#ifndef VERDICT_SETUP_H
#define VERDICT_SETUP_H

#include "verdict.h"

struct value {
	char buf[8];
	struct T __kptr_untrusted *un;
	struct T __kptr *ref;
	struct U __kptr *refu;
	struct M __kptr_untrusted *um;
	struct W __kptr_untrusted *unw;
	struct T __kptr *arr[3];
	long x;
};

struct locked {
	struct bpf_spin_lock lock;
	struct T __kptr *ref;
	struct T __kptr_untrusted *un;
	long x;
};

struct plain {
	long a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} A SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} C SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct plain);
} plain SEC(".maps");

/* Element 1 of @map; of a hash it may be missing. */
#define element(map)                                                                     \
	({                                                                               \
		__u32 key_ = 1;                                                          \
		bpf_map_lookup_elem(&(map), &key_);                                      \
	})

/* struct value *v, or return. */
#define WITH_VALUE(v)                                                                    \
	struct value *v = element(A);                                                    \
	if (!v)                                                                          \
		return 0

#endif
