/* SPDX-License-Identifier: MIT
 *
 * Per-CPU objects and variables (rule book section D, cases K.7).
 */
#include "local.h"

REJECT(REF_LEAK, "Unreleased reference") BOOK("P01")
P(leaked)
{
	return bpf_percpu_obj_new(struct L) != NULL;
}

ACCEPT BOOK("P02") RETVAL(0)
P(dropped)
{
	struct L *p = bpf_percpu_obj_new(struct L);

	if (p)
		bpf_percpu_obj_drop(p);
	return 0;
}

REJECT(OBJ_DROP, "arg#0 expected for bpf_percpu_obj_drop_impl()") BOOK("P03")
P(dropped_as_plain)
{
	struct L *p = bpf_percpu_obj_new(struct L);

	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_DROP, "arg#0 expected for bpf_obj_drop_impl()") BOOK("P04")
P(plain_dropped_as_percpu)
{
	NEW(L, p);
	bpf_percpu_obj_drop(p);
	return 0;
}

REJECT(BTF_PERCPU, "access percpu memory") BOOK("P05")
P(read_directly)
{
	struct L *p = bpf_percpu_obj_new(struct L);
	long x = 0;

	if (p) {
		x = p->a;
		bpf_percpu_obj_drop(p);
	}
	return x;
}

/* While it is the program's own nobody else sees it, but nothing keeps it either. */
REJECT(ARG_KIND, "R1 type=percpu_local_ptr_ expected=percpu_ptr_") BOOK("P06")
P(own_opened)
{
	struct L *p = bpf_percpu_obj_new(struct L), *c;

	if (!p)
		return 0;
	c = bpf_this_cpu_ptr(p);
	c->a = 1;
	bpf_percpu_obj_drop(p);
	return 0;
}

ACCEPT BOOK("P07") RETVAL(0)
P(this_cpu)
{
	WITH_VALUE(v);
	struct L *p = v->pc, *c;

	if (!p)
		return 0;
	c = bpf_this_cpu_ptr(p);
	c->a = 1;
	return 0;
}

REJECT(ARG_KIND, "expected=percpu_ptr_") BOOK("P08")
P(this_cpu_untested)
{
	struct L *c;

	WITH_VALUE(v);
	c = bpf_this_cpu_ptr(v->pc);
	c->a = 1;
	return 0;
}

ACCEPT BOOK("P09") RETVAL(0)
P(per_cpu)
{
	WITH_VALUE(v);
	struct L *p = v->pc, *c;

	if (!p)
		return 0;
	c = bpf_per_cpu_ptr(p, 0);
	if (c)
		c->a = 1;
	return 0;
}

/* There may be no such CPU. */
REJECT(NULL_DEREF, "ptr_or_null_'") BOOK("P10")
	POLICY(kernel, accept)
	KERNEL(accept, "the test of the CPU's number is forgotten there")
P(per_cpu_untested)
{
	WITH_VALUE(v);
	struct L *p = v->pc, *c;

	if (!p)
		return 0;
	c = bpf_per_cpu_ptr(p, 0);
	c->a = 1;
	return 0;
}

REJECT(BTF_PERCPU, "access percpu memory") BOOK("P11")
P(loaded_and_read)
{
	WITH_VALUE(v);
	struct L *p = v->pc;

	return p ? p->a : 0;
}

ACCEPT BOOK("P12") RETVAL(0)
P(opened_after_exchange)
{
	struct L *p = bpf_percpu_obj_new(struct L), *old, *c;

	if (!p)
		return 0;
	struct value *v = element(A);
	if (!v) {
		bpf_percpu_obj_drop(p);
		return 0;
	}
	old = bpf_kptr_xchg(&v->pc, p);
	if (old)
		bpf_percpu_obj_drop(old);
	c = bpf_this_cpu_ptr(p);
	c->a = 1;
	return 0;
}

REJECT(ARG_KIND, "R1 type=scalar expected=percpu_ptr_") BOOK("P13")
Q(opened_after_exchange_outside)
{
	struct L *p = bpf_percpu_obj_new(struct L), *old, *c;

	if (!p)
		return 0;
	struct value *v = element(A);
	if (!v) {
		bpf_percpu_obj_drop(p);
		return 0;
	}
	old = bpf_kptr_xchg(&v->pc, p);
	if (old)
		bpf_percpu_obj_drop(old);
	c = bpf_this_cpu_ptr(p);
	c->a = 1;
	return 0;
}

REJECT(ARG_KIND, "R1 type=untrusted_ptr_ expected=percpu_ptr_") BOOK("P14")
Q(opened_outside)
{
	WITH_VALUE(v);
	struct L *p = v->pc, *c;

	if (!p)
		return 0;
	c = bpf_this_cpu_ptr(p);
	return c->a;
}

ACCEPT BOOK("P15") RETVAL(0)
Q(opened_in_section)
{
	long x = 0;

	WITH_VALUE(v);
	bpf_rcu_read_lock();
	struct L *p = v->pc, *c;

	if (p) {
		c = bpf_this_cpu_ptr(p);
		x = c->a;
	}
	bpf_rcu_read_unlock();
	return x & 0;
}

REJECT(PERCPU_SPECIAL, "must not contain special fields") BOOK("P16")
P(counted)
{
	void *p = bpf_percpu_obj_new(struct LR);

	if (p)
		bpf_percpu_obj_drop(p);
	return 0;
}

struct pointing {
	void *p;
	long a;
};

REJECT(PERCPU_SCALARS, "type ID argument must be of a struct of scalars") BOOK("P17")
P(with_pointer)
{
	void *p = bpf_percpu_obj_new(struct pointing);

	if (p)
		bpf_percpu_obj_drop(p);
	return 0;
}

struct large {
	char bytes[600];
};

REJECT(PERCPU_SIZE, "bpf_percpu_obj_new type size (600) is greater than 512") BOOK("P18")
P(too_large)
{
	void *p = bpf_percpu_obj_new(struct large);

	if (p)
		bpf_percpu_obj_drop(p);
	return 0;
}

#ifndef FOR_KERNEL

/* ---- variables of the host ---- */

extern struct X host_percpu __ksym;
extern long host_counter __ksym;

struct held {
	struct X __kptr_percpu *pc;
	struct T __kptr_untrusted *un;
	struct X __kptr_user *user;
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

REJECT(ARG_KIND, "R1 type=percpu_ptr_or_null_ expected=percpu_ptr_") BOOK("P19")
P(field_opened_untested)
{
	struct X *c;

	WITH_HELD(v);
	c = bpf_this_cpu_ptr(v->pc);
	return c->a;
}

REJECT(SLOT_TYPE, "type=untrusted_ptr_or_null_T expected=percpu_ptr_X") BOOK("P20")
P(untrusted_into_field)
{
	WITH_HELD(v);
	*(void *volatile *)&v->pc = v->un;
	return 0;
}

REJECT(SLOT_TYPE, "type=trusted_ptr_T expected=percpu_ptr_X") BOOK("P20")
P(plain_into_field)
{
	WITH_HELD(v);
	*(void *volatile *)&v->pc = t;
	return 0;
}

REJECT(SLOT_TYPE, "type=user_ptr_X expected=percpu_ptr_X") BOOK("P20")
P(user_into_field)
{
	WITH_HELD(v);
	*(struct X *volatile *)&v->pc = t->up;
	return 0;
}

ACCEPT BOOK("P21") POLICY(percpu612, reject, "store to referenced kptr disallowed")
P(field_stored_back)
{
	WITH_HELD(v);
	struct X *p = v->pc;

	*(struct X *volatile *)&v->pc = NULL;
	v->pc = p;
	ASM("*(u64 *)(%0 + 0) = 0" : : "r"(v) : "memory");
	return 0;
}

ACCEPT BOOK("P22")
P(variable_stored)
{
	WITH_HELD(v);
	v->pc = &host_percpu;
	return 0;
}

ACCEPT BOOK("P22")
Q(variable_loaded)
{
	WITH_HELD(v);
	struct X *p = v->pc, *c;

	if (!p)
		return 0;
	c = bpf_this_cpu_ptr(p);
	return c->a & 0;
}

ACCEPT BOOK("P23")
P(number_read)
{
	long *c = bpf_this_cpu_ptr(&host_counter);

	return *c & 0;
}

REJECT(MEM_WRITE, "cannot write into rdonly_mem") BOOK("P23")
P(number_written)
{
	long *c = bpf_this_cpu_ptr(&host_counter);

	*c = 1;
	return 0;
}

REJECT(NULL_DEREF, "ptr_or_null_'") BOOK("P24")
P(struct_untested)
{
	struct X *c = bpf_per_cpu_ptr(&host_percpu, 0);

	return c->a;
}

ACCEPT BOOK("P24")
P(struct_tested)
{
	struct X *c = bpf_per_cpu_ptr(&host_percpu, 0);

	return c ? c->a & 0 : 0;
}

REJECT(BTF_PERCPU, "access percpu memory") BOOK("P25")
P(struct_directly)
{
	return host_percpu.a;
}

/* ---- members of objects: they go with the object ---- */

REJECT(ARG_KIND, "R1 type=percpu_rcu_ptr_or_null_ expected=percpu_ptr_")
P(member_untested)
{
	struct X *c = bpf_this_cpu_ptr(t->percpu);

	return c->a;
}

ACCEPT
P(member_tested)
{
	struct X *p = t->percpu, *c;

	if (!p)
		return 0;
	c = bpf_this_cpu_ptr(p);
	return c->a & 0;
}

REJECT(SLOT_TYPE, "expected=percpu_ptr_X")
P(member_remembered)
{
	WITH_HELD(v);
	v->pc = t->percpu;
	return 0;
}

/* The address is a name, not memory: no member of it has one. */
REJECT(PERCPU_OFF, "a per-CPU pointer must have zero offset")
P(inside_variable)
{
	char *p = (char *)&host_percpu;
	long *c;

	hide(p);
	c = bpf_this_cpu_ptr(p + 4);
	return *c;
}

/* By instruction: nothing is counted. */
ACCEPT
P(field_exchanged)
{
	WITH_HELD(v);
	struct X *old = pintle_xchg(&v->pc, &host_percpu), *c;

	if (!old)
		return 0;
	c = bpf_this_cpu_ptr(old);
	return c->a & 0;
}

REJECT(XCHG_NOT_REF, "kptr isn't referenced kptr")
P(field_exchanged_by_helper)
{
	WITH_HELD(v);
	bpf_kptr_xchg((void **)&v->pc, NULL);
	return 0;
}

#endif
