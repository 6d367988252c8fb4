/* SPDX-License-Identifier: MIT
 *
 * Pointers into the memory of others (rule book section E, cases K.8).
 */
#include "local.h"

struct buffer { /* pinned memory */
	long a;
	char *p;
	char bytes[16];
};

union seen { /* in full, for BTF */
	struct buffer buffer;
} *seen;

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

/* ---- pinned memory: filled in from outside ---- */

struct pinned {
	struct buffer __uptr *u;
	long x;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pinned);
} storage SEC(".maps");

extern struct task_struct *task_find(int id) __ksym;
extern void task_put(struct task_struct *task) __ksym;

static __always_inline struct pinned *pinned_of(int id)
{
	struct task_struct *task = task_find(id);
	struct pinned *v = NULL;

	if (task) {
		v = bpf_task_storage_get(&storage, task, 0, 0);
		task_put(task);
	}
	return v;
}

REJECT(NULL_DEREF, "invalid mem access 'mem_or_null'") BOOK("U12")
Q(pinned_untested)
{
	struct pinned *v = pinned_of(n);

	return v ? v->u->a : 0;
}

ACCEPT BOOK("U13") BOOK("D47")
Q(pinned_used)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	if (b)
		b->bytes[15] = ++b->a;
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=32 off=32 size=8") BOOK("U14")
Q(pinned_beyond)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	return b ? ((volatile long *)b)[4] : 0;
}

REJECT(SLOT_STORE_UPTR, "store to uptr disallowed") BOOK("U15")
Q(pinned_emptied)
{
	struct pinned *v = pinned_of(n);

	if (v)
		ASM("*(u64 *)(%0 + 0) = 0" : : "r"(v) : "memory");
	return 0;
}

REJECT(SLOT_STORE_UPTR, "store to uptr disallowed") BOOK("U15")
Q(pinned_stored)
{
	struct pinned *v = pinned_of(n);

	if (v)
		*(struct buffer *volatile *)&v->u = v->u;
	return 0;
}

REJECT(SLOT_SIZE, "kptr access size must be BPF_DW") BOOK("U16")
Q(pinned_half)
{
	struct pinned *v = pinned_of(n);

	return v ? *(volatile int *)&v->u : 0;
}

REJECT(XCHG_NO_KPTR, "doesn't point to kptr") BOOK("U17")
Q(pinned_exchanged)
{
	struct pinned *v = pinned_of(n);

	if (v)
		bpf_kptr_xchg((void **)&v->u, NULL);
	return 0;
}

ACCEPT BOOK("U18")
Q(pinned_as_buffer)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	if (b)
		bpf_get_current_comm(b->bytes, sizeof(b->bytes));
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("U19")
Q(pinned_pointer)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	return b ? *b->p : 0;
}

/* Nobody pins anything for an object that a program allocates. */
ACCEPT BOOK("U20")
Q(plain_in_object)
{
	struct pinned *p = bpf_obj_new(struct pinned);

	if (!p)
		return 0;
	*(volatile long *)&p->u = 5;
	bpf_obj_drop(p);
	return 0;
}

REJECT(SLEEP_PROG, "bpf_copy_from_user") BOOK("U10")
P(copied_without_sleep)
{
	long x = 0;

	bpf_copy_from_user(&x, sizeof(x), t->up);
	return x & 0;
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
