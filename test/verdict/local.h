/* SPDX-License-Identifier: MIT
 *
 * local.h: the rule book's section K again, for objects that programs allocate: the local
 * types, value V's fields that hold them in array A, values with a lock in
 * array C.
 */
#ifndef VERDICT_LOCAL_H
#define VERDICT_LOCAL_H

#include "verdict.h"

struct L {
	long a, b;
};

struct LR { /* shared */
	struct bpf_refcount ref;
	long a;
};

struct H { /* owns a T */
	struct T __kptr *t;
	long a;
};

struct G { /* in a tree and in a list */
	struct bpf_rb_node r;
	struct bpf_list_node l;
	struct bpf_refcount ref;
	long k;
};

struct O { /* in a tree only */
	struct bpf_rb_node r;
	long k;
};

/* All in full in BTF, whatever the object uses. */
union all_types {
	struct L l;
	struct LR lr;
	struct H h;
	struct G g;
	struct O o;
	struct T t;
	struct U u;
} *all_types;

struct value {
	struct L __kptr *loc;
	struct L __percpu_kptr *pc;
	struct LR __kptr *lr;
	struct H __kptr *hd;
	struct G __kptr *n;
	struct L __kptr_untrusted *unl;
	struct T __kptr *ref;
	struct T __kptr_untrusted *un;
	struct U __kptr *refu;
	long x;
};

struct locked {
	struct bpf_spin_lock lock;
	struct bpf_list_head list __contains(G, l);
	struct bpf_rb_root tree __contains(G, r);
	struct G __kptr *n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} A SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} C SEC(".maps");

/* Data that user space must not map has a section whose name says so. */
#define PRIVATE(name) SEC(".data." #name) __attribute__((aligned(8)))

#define element(map)                                                                     \
	({                                                                               \
		__u32 key_ = 1;                                                          \
		bpf_map_lookup_elem(&(map), &key_);                                      \
	})

#define WITH_VALUE(v)                                                                    \
	struct value *v = element(A);                                                    \
	if (!v)                                                                          \
		return 0

/* struct TYPE *VAR, allocated, or return. */
#define NEW(type, var)                                                                   \
	struct type *var = bpf_obj_new(struct type);                                     \
	if (!var)                                                                        \
		return 0

#define outer(ptr, type, member)                                                         \
	((type *)((char *)(ptr) - __builtin_offsetof(type, member)))

#endif
