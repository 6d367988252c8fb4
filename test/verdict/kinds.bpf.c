/* SPDX-License-Identifier: MIT
 *
 * Pointer fields that hold objects of the program's own types.
 */
#include "verdict.h"

struct L {
	long a, b;
};

struct H {
	struct T __kptr *t;
	long a;
};

struct L seen_l; /* in full, for BTF */
struct H seen_h;

struct value {
	struct L __kptr *loc;
	struct H __kptr *hd;
	struct L __percpu_kptr *pc;
#ifndef FOR_KERNEL
	struct T __kptr_user *user;
#endif
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} A SEC(".maps");

#define WITH_VALUE(v)                                                                    \
	__u32 key_ = 1;                                                                  \
	struct value *v = bpf_map_lookup_elem(&A, &key_);                                \
	if (!v)                                                                          \
		return 0

ACCEPT BOOK("D17") BOOK("L16")
P(local_object)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	if (p)
		p->b = ++p->a;
	return 0;
}

REJECT(BTF_RDONLY, "only read is supported") BOOK("L17")
Q(local_object_outside_section)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	if (p)
		p->a = 1;
	return 0;
}

ACCEPT BOOK("L18")
Q(local_object_read_outside_section)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	return p ? p->a & 0 : 0;
}

REJECT(BTF_SPECIAL, "direct access to kptr is disallowed") BOOK("O10")
P(field_of_local_object)
{
	WITH_VALUE(v);
	struct H *p = v->hd;

	return p && p->t ? 1 : 0;
}

REJECT(BTF_BEYOND, "access beyond struct L") BOOK("O07")
P(beyond_local_object)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	if (p)
		((volatile long *)p)[2] = 1;
	return 0;
}

/* A T is no L. */
REJECT(SLOT_TYPE, "invalid kptr access") BOOK("X22")
P(host_object_into_local)
{
	WITH_VALUE(v);
	struct T *new = t_find(n);
	struct L *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->loc, new);
	return old == (void *)1;
}

REJECT(LEAK, "leaks addr into object") BOOK("O23")
	KERNEL(accept, "privileged programs may show addresses")
P(address_into_object)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	if (p)
		p->a = (long)ctx;
	return 0;
}

REJECT(SLOT_STORE_REF, "store to referenced kptr disallowed") BOOK("S25")
P(null_to_percpu)
{
	WITH_VALUE(v);
	ASM("*(u64 *)(%0 + 16) = 0" : : "r"(v) : "memory");
	return 0;
}

/* A member that has one copy per CPU is opened by a helper only. */
REJECT(BTF_PERCPU, "access percpu memory") BOOK("P25")
P(percpu_member)
{
	struct X *p = t->percpu;

	return p ? p->a : 0;
}
