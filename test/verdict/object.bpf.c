/* SPDX-License-Identifier: MIT
 *
 * Objects of the program's own structs (rule book section G, cases K.12).
 */
#include "local.h"

REJECT(REF_LEAK, "Unreleased reference") BOOK("O01")
P(leaked)
{
	NEW(L, p);
	p->a = 1;
	return 0;
}

REJECT(NULL_DEREF, "ptr_or_null_'") BOOK("O02")
P(written_untested)
{
	struct L *p = bpf_obj_new(struct L);

	p->a = 1;
	if (p)
		bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("O03") RETVAL(0)
P(written_and_dropped)
{
	NEW(L, p);
	p->a = 1;
	p->b = p->a + 1;
	bpf_obj_drop(p);
	return 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("O04")
P(dropped_untested)
{
	bpf_obj_drop(bpf_obj_new(struct L));
	return 0;
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted") BOOK("O05")
P(dropped_twice)
{
	NEW(L, p);
	bpf_obj_drop(p);
	bpf_obj_drop(p);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("O05")
P(read_after_drop)
{
	NEW(L, p);
	bpf_obj_drop(p);
	return p->a;
}

REJECT(RELEASE_OFF, "must have zero offset when passed to release func") BOOK("O06")
P(dropped_inside)
{
	NEW(L, p);
	bpf_obj_drop(&p->b);
	return 0;
}

REJECT(BTF_BEYOND, "access beyond struct L") BOOK("O07")
P(written_beyond)
{
	NEW(L, p);
	((volatile long *)p)[2] = 1;
	bpf_obj_drop(p);
	return 0;
}

REJECT(BTF_SPECIAL, "direct access to bpf_rb_node is disallowed") BOOK("O08")
P(node_read)
{
	long x;

	NEW(G, p);
	x = *(volatile long *)&p->r;
	bpf_obj_drop(p);
	return x;
}

REJECT(BTF_SPECIAL, "direct access to bpf_refcount is disallowed") BOOK("O08")
P(count_written)
{
	NEW(LR, p);
	*(volatile int *)&p->ref = 2;
	bpf_obj_drop(p);
	return 0;
}

REJECT(BTF_SPECIAL, "direct access to kptr is disallowed") BOOK("O09")
P(field_loaded)
{
	struct T *p;

	NEW(H, h);
	p = h->t;
	bpf_obj_drop(h);
	return p != NULL;
}

REJECT(BTF_SPECIAL, "direct access to kptr is disallowed") BOOK("O09")
P(field_stored)
{
	NEW(H, h);
	*(struct T *volatile *)&h->t = NULL;
	bpf_obj_drop(h);
	return 0;
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted") BOOK("O11")
P(loaded_and_dropped)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_ALLOC, "arg#0 expected pointer to allocated object") BOOK("O12")
P(host_object_dropped)
{
	struct T *p = t_find(n);

	if (p)
		bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("O13") RETVAL(0)
P(shared)
{
	struct LR *q;

	NEW(LR, p);
	q = bpf_refcount_acquire(p);
	q->a = 1;
	bpf_obj_drop(q);
	bpf_obj_drop(p);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("O14")
P(shared_and_leaked)
{
	struct LR *q;

	NEW(LR, p);
	q = bpf_refcount_acquire(p);
	q->a = 1;
	bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_NOREF, "doesn't point to a type with bpf_refcount field") BOOK("O15")
P(not_counted)
{
	struct L *q;

	NEW(L, p);
	q = bpf_refcount_acquire(p);
	bpf_obj_drop(q);
	bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("O16") RETVAL(0)
P(loaded_and_shared)
{
	WITH_VALUE(v);
	struct LR *p = v->lr;

	if (!p)
		return 0;
	p = bpf_refcount_acquire(p);
	if (p)
		bpf_obj_drop(p);
	return 0;
}

/* Its count may be 0 already: another thread took it out of the field, and dropped it. */
REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("O17")
	KERNEL(accept, "the count is taken for above 0 there")
P(loaded_and_shared_untested)
{
	WITH_VALUE(v);
	struct LR *p = v->lr;

	if (!p)
		return 0;
	p = bpf_refcount_acquire(p);
	bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_OWNING, "is neither owning or non-owning ref") BOOK("O18")
Q(loaded_outside_and_shared)
{
	WITH_VALUE(v);
	struct LR *p = v->lr;

	if (!p)
		return 0;
	p = bpf_refcount_acquire(p);
	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(RELEASE_OFF, "must have zero offset")
	KERNEL(accept, "the offset is not looked at there")
P(shared_inside)
{
	void *q;

	NEW(LR, p);
	q = bpf_refcount_acquire_impl(&p->a, NULL);
	bpf_obj_drop(q);
	bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("O19") RETVAL(0)
	POLICY(kernel, reject, "R1 type=ptr_ expected=fp") KERNEL(reject, "objects are no memory for helpers there")
P(output_buffer)
{
	NEW(H, p);
	bpf_get_current_comm(&p->a, sizeof(p->a));
	bpf_obj_drop(p);
	return 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper") BOOK("O19")
P(output_buffer_over_field)
{
	NEW(H, p);
	bpf_get_current_comm(p, sizeof(*p));
	bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("O21") RETVAL(0)
P(atomic_on_own)
{
	NEW(L, p);
	__sync_fetch_and_add(&p->a, 1);
	bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("O21") RETVAL(0)
P(atomic_on_loaded)
{
	WITH_VALUE(v);
	struct L *p = v->loc;

	if (p)
		__sync_fetch_and_add(&p->a, 1);
	return 0;
}

REJECT(BTF_RDONLY, "only read is supported") BOOK("O22")
P(atomic_on_host_object)
{
	__sync_fetch_and_add(&t->pid, 1);
	return 0;
}

REJECT(LEAK, "leaks addr into object") BOOK("O23")
	POLICY(kernel, accept) KERNEL(accept, "privileged programs may show addresses")
P(address_stored)
{
	NEW(L, p);
	p->a = (long)ctx;
	bpf_obj_drop(p);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("O24")
P(old_leaked_in_object)
{
	struct T *new = t_find(n);
	struct H *h;

	if (!new)
		return 0;
	h = bpf_obj_new(struct H);
	if (!h) {
		t_put(new);
		return 0;
	}
	bpf_kptr_xchg(&h->t, new);
	bpf_obj_drop(h);
	return 0;
}

ACCEPT BOOK("X35") RETVAL(0)
P(into_object)
{
	struct T *new = t_find(n), *old;
	struct H *h;

	if (!new)
		return 0;
	h = bpf_obj_new(struct H);
	if (!h) {
		t_put(new);
		return 0;
	}
	old = bpf_kptr_xchg(&h->t, new);
	if (old)
		t_put(old);
	bpf_obj_drop(h);
	return 0;
}

REJECT(XCHG_DST, "expected=map_value, ptr_") BOOK("X36")
P(out_of_loaded_object)
{
	struct T *old;

	WITH_VALUE(v);
	struct H *h = v->hd;

	if (!h)
		return 0;
	old = bpf_kptr_xchg(&h->t, NULL);
	if (old)
		t_put(old);
	return 0;
}

ACCEPT BOOK("X37") RETVAL(0)
P(out_of_object)
{
	struct T *old;

	WITH_VALUE(v);
	struct H *h = bpf_kptr_xchg(&v->hd, NULL);

	if (!h)
		return 0;
	old = bpf_kptr_xchg(&h->t, NULL);
	if (old)
		t_put(old);
	bpf_obj_drop(h);
	return 0;
}

REJECT(XCHG_NO_SLOTS, "has no valid kptr")
P(object_without_fields)
{
	NEW(L, p);
	bpf_kptr_xchg((void **)&p->a, NULL);
	bpf_obj_drop(p);
	return 0;
}

REJECT(XCHG_NO_KPTR, "doesn't point to kptr")
P(beside_field_of_object)
{
	NEW(H, p);
	bpf_kptr_xchg((void **)&p->a, NULL);
	bpf_obj_drop(p);
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access, R2 type=local_ptr_L expected=ptr_T") BOOK("X21")
P(local_into_host_field)
{
	void *old;

	WITH_VALUE(v);
	NEW(L, p);
	old = bpf_kptr_xchg((void **)&v->ref, p);
	return old != NULL;
}

ACCEPT BOOK("X23") RETVAL(0)
P(local_into_local_field)
{
	struct L *old;

	WITH_VALUE(v);
	NEW(L, p);
	old = bpf_kptr_xchg(&v->loc, p);
	if (old)
		bpf_obj_drop(old);
	return 0;
}

/* 4 bytes of padding stand behind the count. */
REJECT(BTF_WALK, "struct LR doesn't have field at offset 4")
P(between_members)
{
	NEW(LR, p);
	*(volatile int *)((char *)p + 4) = 1;
	bpf_obj_drop(p);
	return 0;
}

struct L2 {
	long a, b;
};

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("X24")
P(same_layout)
{
	struct L *old;

	WITH_VALUE(v);
	NEW(L2, p);
	old = bpf_kptr_xchg((void **)&v->loc, p);
	if (old)
		bpf_obj_drop(old);
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("X25")
	KERNEL(accept, "per-CPU and plain objects are confused there")
P(object_into_percpu_field)
{
	struct L *old;

	WITH_VALUE(v);
	NEW(L, p);
	old = bpf_kptr_xchg((void **)&v->pc, p);
	if (old)
		bpf_percpu_obj_drop(old);
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("X26")
P(percpu_into_object_field)
{
	struct L *p = bpf_percpu_obj_new(struct L), *old;

	if (!p)
		return 0;
	WITH_VALUE(v);
	old = bpf_kptr_xchg((void **)&v->loc, p);
	if (old)
		bpf_obj_drop(old);
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("S20")
P(local_into_host_unreferenced)
{
	WITH_VALUE(v);
	NEW(L, p);
	*(void *volatile *)&v->un = p;
	bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("S21") RETVAL(0)
P(remembered_and_dropped)
{
	WITH_VALUE(v);
	NEW(L, p);
	v->unl = p;
	bpf_obj_drop(p);
	return 0;
}

ACCEPT BOOK("S22") RETVAL(0) POLICY(kernel, reject, "invalid kptr access")
	KERNEL(reject, "only fresh objects are remembered there")
P(remembered_again)
{
	WITH_VALUE(v);
	struct L *p = v->unl;

	hide(p);
	v->unl = p;
	return 0;
}

REJECT(OBJ_TYPE, "type ID argument must be of a struct")
P(no_struct)
{
	void *p = bpf_obj_new_impl(pintle_type_id(long), NULL);

	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_TYPE_RANGE, "local type ID argument must be in range [0, U32_MAX]")
P(no_type)
{
	void *p = bpf_obj_new_impl(1ull << 32, NULL);

	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(NOT_CONST, "must be a known constant")
P(unknown_type)
{
	void *p = bpf_obj_new_impl(n, NULL);

	if (p)
		bpf_obj_drop(p);
	return 0;
}

/* One drop, of either of two types. */
ACCEPT RETVAL(0)
P(either)
{
	void *p;

	if (n) {
		p = bpf_obj_new(struct L);
		ASM("r1 = 1" : : : "r1"); /* else the compiler makes one call of the two */
	} else {
		p = bpf_obj_new(struct H);
		ASM("r1 = 2" : : : "r1");
	}
	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_MIXED, "same insn cannot be used with objects of different types")
	KERNEL(accept, "no rule against it there")
P(either_made)
{
	__u64 l = pintle_type_id(struct L), h = pintle_type_id(struct H);
	void *p;

	hide(l);
	hide(h);
	p = bpf_obj_new_impl(n ? l : h, NULL);
	if (p)
		bpf_obj_drop(p);
	return 0;
}

ACCEPT RETVAL(0)
P(each)
{
	if (n) {
		NEW(L, p);
		bpf_obj_drop(p);
		ASM("r1 = 1" : : : "r1"); /* else the compiler makes one of the two */
	} else {
		NEW(H, p);
		bpf_obj_drop(p);
		ASM("r1 = 2" : : : "r1");
	}
	return 0;
}

struct unguarded {
	struct bpf_list_head list __contains(G, l);
};

#ifndef FOR_KERNEL
REJECT(OBJ_RECORD, "the special fields of struct unguarded are declared wrongly")
P(wrong_fields)
{
	NEW(unguarded, p);
	bpf_obj_drop(p);
	return 0;
}
#endif

/* Nothing keeps the object when the section has ended: reads are fault-safe. */
ACCEPT RETVAL(0) POLICY(kernel, reject, "invalid mem access 'scalar'")
	KERNEL(reject, "what is left of an object there is of no use")
Q(read_after_section)
{
	volatile long x = 0;

	WITH_VALUE(v);
	bpf_rcu_read_lock();
	struct L *p = v->loc;

	if (!p) {
		bpf_rcu_read_unlock();
		return 0;
	}
	bpf_rcu_read_unlock();
	x = p->a;
	return x & 0;
}
