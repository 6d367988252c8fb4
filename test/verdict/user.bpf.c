/* SPDX-License-Identifier: MIT
 *
 * Pointers into the memory of others (rule book section E, cases K.8).
 */
#include "local.h"

#ifndef FOR_KERNEL

struct held {
	struct X __kptr_user *user;
	struct X __kptr_percpu *pc;
	struct T __kptr_untrusted *un;
	struct T __kptr *ref;
	long x;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct held);
} held SEC(".maps");

#define WITH_HELD(v)                                                                     \
	struct held *v = element(held);                                                  \
	if (!v)                                                                          \
		return 0

REJECT(BTF_USER, "access user memory") BOOK("U01")
P(field_read)
{
	WITH_HELD(v);
	struct X *p = v->user;

	return p ? p->a : 0;
}

ACCEPT BOOK("U02")
P(field_probed)
{
	long x = 0;

	WITH_HELD(v);
	struct X *p = v->user;

	if (p)
		bpf_probe_read_user(&x, sizeof(x), p);
	return x & 0;
}

REJECT(ARG_KIND, "R1 type=user_ptr_ expected=percpu_ptr_") BOOK("U03")
P(field_opened)
{
	WITH_HELD(v);
	struct X *p = v->user, *c;

	if (!p)
		return 0;
	c = bpf_this_cpu_ptr(p);
	return c->a;
}

REJECT(SLOT_TYPE, "type=untrusted_ptr_or_null_T expected=user_ptr_X") BOOK("U04")
P(untrusted_into_field)
{
	WITH_HELD(v);
	*(void *volatile *)&v->user = v->un;
	return 0;
}

REJECT(SLOT_TYPE, "type=ptr_T expected=user_ptr_X") BOOK("U04")
P(owned_into_field)
{
	WITH_HELD(v);
	struct T *p = t_find(n);

	if (!p)
		return 0;
	*(void *volatile *)&v->user = p;
	t_put(p);
	return 0;
}

REJECT(SLOT_TYPE, "type=percpu_ptr_or_null_X expected=user_ptr_X") BOOK("U04")
P(percpu_into_field)
{
	WITH_HELD(v);
	*(struct X *volatile *)&v->user = v->pc;
	return 0;
}

REJECT(SLOT_TYPE, "type=user_ptr_X expected=ptr_T or untrusted_ptr_") BOOK("U05")
P(user_into_unreferenced)
{
	WITH_HELD(v);
	*(void *volatile *)&v->un = t->up;
	return 0;
}

REJECT(SLOT_STORE_REF, "store to referenced kptr disallowed") BOOK("U05")
P(user_into_referenced)
{
	WITH_HELD(v);
	*(void *volatile *)&v->ref = t->up;
	return 0;
}

REJECT(SLOT_TYPE, "type=user_ptr_X expected=percpu_ptr_X") BOOK("U05")
P(user_into_percpu)
{
	WITH_HELD(v);
	*(struct X *volatile *)&v->pc = t->up;
	return 0;
}

ACCEPT BOOK("U06")
P(stored_back)
{
	WITH_HELD(v);
	struct X *p = v->user;

	*(struct X *volatile *)&v->user = NULL;
	v->user = p;
	ASM("*(u64 *)(%0 + 0) = 0" : : "r"(v) : "memory");
	return 0;
}

ACCEPT
P(member_stored)
{
	WITH_HELD(v);
	v->user = t->up;
	return 0;
}

ACCEPT BOOK("I13")
P(exchanged)
{
	WITH_HELD(v);
	struct X *old = pintle_xchg(&v->user, t->up);
	long x = 0;

	if (old)
		bpf_probe_read_user(&x, sizeof(x), old);
	return x & 0;
}

REJECT(XCHG_NOT_REF, "kptr isn't referenced kptr")
P(exchanged_by_helper)
{
	WITH_HELD(v);
	bpf_kptr_xchg((void **)&v->user, NULL);
	return 0;
}

REJECT(BTF_USER, "access user memory") BOOK("U07")
P(member_read)
{
	return t->up->a;
}

ACCEPT BOOK("U08")
P(member_probed)
{
	long x = 0;

	bpf_probe_read_user(&x, sizeof(x), t->up);
	return x & 0;
}

extern int x_use(struct X *x) __ksym;

REJECT(ARG_KIND, "R1 type=user_ptr_ expected=ptr_") BOOK("U09")
P(member_passed)
{
	return x_use(t->up);
}

ACCEPT
Q(copied)
{
	long x = 0;

	bpf_copy_from_user(&x, sizeof(x), t->up);
	return x & 0;
}

REJECT(SLEEP_RCU, "sleepable helper bpf_copy_from_user#148 in rcu_read_lock region") BOOK("U11")
Q(copied_in_section)
{
	long x = 0;

	bpf_rcu_read_lock();
	bpf_copy_from_user(&x, sizeof(x), t->up);
	bpf_rcu_read_unlock();
	return x & 0;
}

#endif
