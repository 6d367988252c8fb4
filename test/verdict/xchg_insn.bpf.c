/* SPDX-License-Identifier: MIT
 *
 * Exchanges by the instruction (rule book K.5).
 */
#include "setup.h"

/* Fields without references give none. */
ACCEPT BOOK("I01") POLICY(kernel, reject, "BPF_MEM instruction mode") RETVAL(0)
	KERNEL(reject, "the instruction form is not there")
P(unreferenced)
{
	WITH_VALUE(v);
	struct T *old = pintle_xchg(&v->un, NULL);

	return old ? old->pid : 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("I02")
P(old_not_put)
{
	WITH_VALUE(v);
	struct T *old = pintle_xchg(&v->ref, NULL);

	return old ? 1 : 0;
}

ACCEPT BOOK("I03") RETVAL(1)
	KERNEL(reject, "the instruction form is not there")
P(stored)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;

	if (!new)
		return 0;
	old = pintle_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return 1;
}

REJECT(RELEASE_UNREF, "must be referenced") BOOK("I04")
P(loaded_and_moved)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	if (!p)
		return 0;
	p = pintle_xchg(&v->ref, (struct T *)((char *)p + 4));
	if (p)
		t_put(p);
	return 0;
}

REJECT(RELEASE_OFF, "must have zero offset") BOOK("I04")
P(inside_object)
{
	WITH_VALUE(v);
	struct T *p = t_find(n);

	if (!p)
		return 0;
	p = pintle_xchg(&v->ref, (struct T *)((char *)p + 4));
	if (p)
		t_put(p);
	return 0;
}

REJECT(RELEASE_UNREF, "must be referenced when passed to release function") BOOK("I05")
P(hook_argument)
{
	WITH_VALUE(v);
	struct T *old = pintle_xchg(&v->ref, t);

	if (old)
		t_put(old);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("I06")
P(copy_used_after)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *copy = new, *old;

	hide(copy);
	if (!new)
		return 0;
	old = pintle_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return copy->pid;
}

REJECT(SLOT_SIZE, "kptr access size must be BPF_DW") BOOK("I07")
P(half)
{
	WITH_VALUE(v);
	return __sync_lock_test_and_set((__u32 *)&v->ref, 0);
}

REJECT(SLOT_VAR_OFF, "kptr access cannot have variable offset") BOOK("I08")
P(variable_offset)
{
	WITH_VALUE(v);
	struct T *old = pintle_xchg(&v->arr[n & 1], NULL);

	if (old)
		t_put(old);
	return 0;
}

REJECT(SLOT_MODE, "BPF_MEM instruction mode") BOOK("I09")
P(compare_and_exchange)
{
	WITH_VALUE(v);
	return __sync_val_compare_and_swap((long *)&v->ref, 0, 0) != 0;
}

REJECT(SLOT_MODE, "BPF_MEM instruction mode") BOOK("I10")
P(fetch_and_add)
{
	WITH_VALUE(v);
	return __sync_fetch_and_add((long *)&v->un, 0) != 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("I11")
P(unknown_number)
{
	WITH_VALUE(v);
	return pintle_xchg(&v->un, (struct T *)(long)n) != NULL;
}

REJECT(KFUNC_TRUST, "must be referenced or trusted") BOOK("I12")
P(old_unreferenced_used)
{
	WITH_VALUE(v);
	struct T *old = pintle_xchg(&v->un, NULL);

	return old ? t_use(old) : 0;
}

ACCEPT BOOK("I14") POLICY(kernel, reject, "BPF_MEM instruction mode") RETVAL(0)
	KERNEL(reject, "the instruction form is not there")
P(under_lock)
{
	struct locked *l = element(C);
	struct T *old;

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	old = pintle_xchg(&l->ref, NULL);
	bpf_spin_unlock(&l->lock);
	if (old)
		t_put(old);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("I15")
P(spilled_copy_used_after)
{
	WITH_VALUE(v);
	struct T *new = t_find(n), *old;
	struct T *volatile spilled = new;

	if (!new)
		return 0;
	old = pintle_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return spilled->pid;
}

/* The same program as X04, and the same verdict (I16). */
REJECT(ARG_MAYBE_NULL, "Possibly NULL pointer passed") BOOK("I16")
P(stored_untested)
{
	WITH_VALUE(v);
	struct T *old = pintle_xchg(&v->ref, t_find(n));

	if (old)
		t_put(old);
	return 1;
}

/* An address does not go where numbers are. */
REJECT(LEAK, "leaks addr into map")
	KERNEL(accept, "privileged programs may show addresses")
P(address_into_bytes)
{
	WITH_VALUE(v);
	return __sync_lock_test_and_set(&v->x, (long)t) != 0;
}
