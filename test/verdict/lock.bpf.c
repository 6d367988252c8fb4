/* SPDX-License-Identifier: MIT
 *
 * The lock of a map value (rule book B27).
 */
#include "setup.h"

#define WITH_LOCKED(l)                                                                   \
	struct locked *l = element(C);                                                   \
	if (!l)                                                                          \
		return 0

ACCEPT RETVAL(1)
P(pair)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	l->x = 1;
	bpf_spin_unlock(&l->lock);
	return l->x;
}

REJECT(LOCK_OPEN, "cannot be used inside bpf_spin_lock-ed region")
P(never_unlocked)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	return 0;
}

REJECT(LOCK_CALL, "function calls are not allowed while holding a lock")
P(call_inside)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	l->x = bpf_get_prandom_u32();
	bpf_spin_unlock(&l->lock);
	return 0;
}

REJECT(LOCK_CALL, "function calls are not allowed while holding a lock")
P(host_call_inside)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	l->x = t_use(t);
	bpf_spin_unlock(&l->lock);
	return 0;
}

/* Static subprograms are part of the program. */
static __noinline int bump(struct locked *l)
{
	return ++l->x;
}

ACCEPT RETVAL(0)
P(subprogram_inside)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	bump(l);
	bpf_spin_unlock(&l->lock);
	return 0;
}

__noinline int global_add(int n)
{
	return n + 1;
}

REJECT(GLOBAL_LOCK, "while holding a lock")
P(global_function_inside)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	l->x = global_add(n);
	bpf_spin_unlock(&l->lock);
	return 0;
}

REJECT(LOCK_TWO, "Locking two bpf_spin_locks are not allowed")
P(two)
{
	__u32 key = 2;
	struct locked *other = bpf_map_lookup_elem(&C, &key);

	WITH_LOCKED(l);
	if (!other)
		return 0;
	bpf_spin_lock(&l->lock);
	bpf_spin_lock(&other->lock);
	bpf_spin_unlock(&other->lock);
	bpf_spin_unlock(&l->lock);
	return 0;
}

REJECT(LOCK_NONE, "bpf_spin_unlock without taking a lock")
P(unlock_alone)
{
	WITH_LOCKED(l);
	bpf_spin_unlock(&l->lock);
	return 0;
}

/* Two look-ups may give two values, or one: they are not the same lock. */
REJECT(LOCK_OTHER, "bpf_spin_unlock of different lock")
P(unlock_another)
{
	__u32 key = 1;
	struct locked *other = bpf_map_lookup_elem(&C, &key);

	WITH_LOCKED(l);
	if (!other)
		return 0;
	bpf_spin_lock(&l->lock);
	bpf_spin_unlock(&other->lock);
	return 0;
}

REJECT(LOCK_ARG, "doesn't point to 'struct bpf_spin_lock'")
P(not_a_lock)
{
	WITH_LOCKED(l);
	bpf_spin_lock((struct bpf_spin_lock *)&l->x);
	bpf_spin_unlock((struct bpf_spin_lock *)&l->x);
	return 0;
}

REJECT(LOCK_CONST_OFF, "bpf_spin_lock has to be at the constant offset")
P(variable_offset)
{
	WITH_LOCKED(l);
	bpf_spin_lock((struct bpf_spin_lock *)((char *)l + (n & 8)));
	bpf_spin_unlock(&l->lock);
	return 0;
}

/* An atomic operation is no call. */
ACCEPT RETVAL(0)
P(atomic_inside)
{
	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	__sync_fetch_and_add(&l->x, 1);
	bpf_spin_unlock(&l->lock);
	return 0;
}

/* The lock was the read section that kept the object (B28). */
REJECT(KFUNC_RCU, "R1 must be a rcu pointer")
	POLICY(kernel, accept) KERNEL(accept, "what a lock protected stays so there")
Q(used_after_unlock)
{
	struct T *p;

	WITH_LOCKED(l);
	bpf_spin_lock(&l->lock);
	p = l->ref;
	bpf_spin_unlock(&l->lock);
	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 0;
}
