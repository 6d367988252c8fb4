/* SPDX-License-Identifier: MIT
 *
 * Exchanges by bpf_kptr_xchg() (rule book K.4).
 */
#include "setup.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct value);
} percpu SEC(".maps");

REJECT(REF_LEAK, "Unreleased reference") BOOK("X01")
P(old_ignored)
{
	WITH_VALUE(v);
	bpf_kptr_xchg(&v->ref, NULL);
	return 0;
}

ACCEPT BOOK("X02") RETVAL(0)
P(taken_and_put)
{
	WITH_VALUE(v);
	struct T *old = bpf_kptr_xchg(&v->ref, NULL);

	if (old)
		t_put(old);
	return 0;
}

ACCEPT BOOK("X03") RETVAL(1)
P(stored)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return 1;
}

REJECT(ARG_MAYBE_NULL, "Possibly NULL pointer passed to helper arg2") BOOK("X04")
P(stored_untested)
{
	WITH_VALUE(v);
	struct T *old = bpf_kptr_xchg(&v->ref, t_find(n));

	if (old)
		t_put(old);
	return 1;
}

/* What went into the field is the field's. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("X05")
P(read_after)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return new->pid;
}

REJECT(KFUNC_PTR, "must point to scalar, or struct with scalar") BOOK("X06")
P(put_after)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	t_put(new);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("X07")
P(copy_read_after)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *copy = new, *old;

	hide(copy);
	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return copy->pid;
}

REJECT(XCHG_NOT_REF, "off=8 kptr isn't referenced kptr") BOOK("X08")
P(unreferenced)
{
	WITH_VALUE(v);
	bpf_kptr_xchg(&v->un, NULL);
	return 0;
}

REJECT(XCHG_NO_KPTR, "off=0 doesn't point to kptr") BOOK("X09")
P(plain_bytes)
{
	WITH_VALUE(v);
	bpf_kptr_xchg(v->buf, NULL);
	return 0;
}

REJECT(XCHG_NO_SLOTS, "has no valid kptr") BOOK("X10")
P(map_without_fields)
{
	struct plain *v = element(plain);

	if (v)
		bpf_kptr_xchg(v, NULL);
	return 0;
}

REJECT(XCHG_CONST_OFF, "doesn't have constant offset") BOOK("X11")
P(variable_offset)
{
	WITH_VALUE(v);
	bpf_kptr_xchg(&v->buf[n & 16], NULL);
	return 0;
}

ACCEPT BOOK("X12") RETVAL(0)
P(constant_element)
{
	WITH_VALUE(v);
	struct T *old = bpf_kptr_xchg(&v->arr[2], NULL);

	if (old)
		t_put(old);
	return 0;
}

REJECT(XCHG_CONST_OFF, "doesn't have constant offset") BOOK("X13")
P(variable_element)
{
	WITH_VALUE(v);
	struct T *old = bpf_kptr_xchg(&v->arr[n & 1], NULL);

	if (old)
		t_put(old);
	return 0;
}

REJECT(XCHG_DST, "expected=map_value, ptr_") BOOK("X14")
P(into_stack)
{
	long local = 0;

	bpf_kptr_xchg(&local, NULL);
	return 0;
}

REJECT(RELEASE_UNREF, "R2 must be referenced when passed to release function") BOOK("X15")
P(loaded)
{
	WITH_VALUE(v);
	struct T *p = v->ref, *old;

	if (!p)
		return 0;
	old = bpf_kptr_xchg(&v->arr[0], p);
	if (old)
		t_put(old);
	return 0;
}

REJECT(RELEASE_UNREF, "R2 must be referenced when passed to release function") BOOK("X16")
P(hook_argument)
{
	WITH_VALUE(v);
	struct T *old = bpf_kptr_xchg(&v->ref, t);

	if (old)
		t_put(old);
	return 0;
}

REJECT(ARG_KIND, "R2 type=scalar expected=ptr_") BOOK("X17")
P(number)
{
	WITH_VALUE(v);
	struct T *old = bpf_kptr_xchg(&v->ref, (void *)(long)n);

	if (old)
		t_put(old);
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("X18")
P(another_type)
{
	WITH_VALUE(v);
	struct T *new = t_find(n);
	struct U *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->refu, new);
	if (old)
		u_put(old);
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access, R2 type=ptr_T expected=ptr_T") BOOK("X19")
P(inside_object)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, (char *)new + 8);
	if (old)
		t_put(old);
	return 0;
}

ACCEPT BOOK("X27") RETVAL(1)
Q(no_section)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;

	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return 1;
}

/* An exchange is one atomic operation: a lock does not forbid it. */
ACCEPT BOOK("X28") RETVAL(0)
	POLICY(kernel, reject, "function calls are not allowed while holding a lock")
	KERNEL(reject, "no call at all under a lock there")
P(under_lock)
{
	struct locked *l = element(C);
	struct T *old;

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	old = bpf_kptr_xchg(&l->ref, NULL);
	bpf_spin_unlock(&l->lock);
	if (old)
		t_put(old);
	return 0;
}

static long empty_one(void *map, __u32 *key, struct value *v, void *ctx)
{
	struct T *old = bpf_kptr_xchg(&v->ref, NULL);

	if (old)
		t_put(old);
	return 0;
}

ACCEPT BOOK("X29") RETVAL(4)
P(in_callback)
{
	return bpf_for_each_map_elem(&A, empty_one, NULL, 0);
}

ACCEPT BOOK("X30") RETVAL(0)
P(not_preemptible)
{
	WITH_VALUE(v);
	struct T *old;

	bpf_preempt_disable();
	old = bpf_kptr_xchg(&v->ref, NULL);
	bpf_preempt_enable();
	if (old)
		t_put(old);
	return 0;
}

ACCEPT BOOK("X31") RETVAL(1)
P(one_after_the_other)
{
	WITH_VALUE(v);
	struct T *a = t_find(n), *b = t_find(n + 1), *old;

	if (!a || !b) {
		if (a)
			t_put(a);
		if (b)
			t_put(b);
		return 0;
	}
	old = bpf_kptr_xchg(&v->ref, a);
	if (old)
		t_put(old);
	old = bpf_kptr_xchg(&v->ref, b);
	if (old)
		t_put(old);
	return 1;
}

ACCEPT BOOK("X33") RETVAL(0)
P(element_of_another_cpu)
{
	__u32 zero = 0;
	struct value *v = bpf_map_lookup_percpu_elem(&percpu, &zero, 0);
	struct T *old;

	if (!v)
		return 0;
	old = bpf_kptr_xchg(&v->ref, NULL);
	if (old)
		t_put(old);
	return 0;
}

/* The element stays memory until the run ends; what is stored there now goes with it. */
ACCEPT BOOK("X34") RETVAL(0)
P(after_delete)
{
	__u32 key = 1;
	struct value *v = bpf_map_lookup_elem(&hash, &key);
	struct T *new, *old;

	if (!v)
		return 0;
	bpf_map_delete_elem(&hash, &key);
	new = t_find(n);
	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return 1;
}
