/* SPDX-License-Identifier: MIT
 *
 * Programs that try to reach a pointer field, or an element that went, by another way than
 * an access of the field: what they would put there would be taken for an object.
 */
#include "setup.h"

#ifndef FOR_KERNEL
extern int bpf_iter_rn_new(struct bpf_iter_rn *it, int n) __ksym;
extern int *bpf_iter_rn_next(struct bpf_iter_rn *it) __ksym;
extern void bpf_iter_rn_destroy(struct bpf_iter_rn *it) __ksym;

/* ---- offsets: the field `ref` is at 16, `x` at 72 ---- */

REJECT(REGION_UNBOUNDED, "unbounded memory access")
P(negative_variable_offset)
{
	WITH_VALUE(v);
	ASM("r1 = %1\n\tr1 &= 7\n\tr1 <<= 3\n\tr2 = %0\n\tr2 += 72\n\tr2 -= r1\n\t"
	    "*(u64 *)(r2 + 0) = %1" : : "r"(v), "r"((long)n) : "r1", "r2", "memory");
	return 0;
}

REJECT(SLOT_VAR_OFF, "kptr access cannot have variable offset")
P(offset_from_a_spill)
{
	volatile long slot;

	WITH_VALUE(v);
	slot = n & 63;
	*((volatile char *)v + slot) = 1;
	return 0;
}

/* Value A's pointer is %0, a number %1. */
#define WRITES(asm_)                                                                     \
	do {                                                                             \
		WITH_VALUE(v);                                                           \
		ASM(asm_ : : "r"(v), "r"((long)n) : "r1", "memory");                     \
		return 0;                                                                \
	} while (0)

REJECT(SLOT_SIZE, "kptr access size must be BPF_DW")
P(half_a_field)
{
	WRITES("*(u32 *)(%0 + 16) = %1");
}

REJECT(SLOT_MISALIGN, "kptr access misaligned")
P(over_the_end_of_another)
{
	WRITES("*(u64 *)(%0 + 12) = %1");
}

REJECT(SLOT_MISALIGN, "kptr access misaligned")
P(one_byte_inside)
{
	WRITES("*(u8 *)(%0 + 23) = 0");
}

REJECT(SLOT_STORE_REF, "store to referenced kptr disallowed")
P(constant_into_a_field)
{
	WRITES("*(u64 *)(%0 + 16) = 0");
}

REJECT(SLOT_IMM, "BPF_ST imm must be 0 when storing to kptr")
P(forged_constant)
{
	WRITES("*(u64 *)(%0 + 8) = 4096");
}

REJECT(SLOT_TYPE, "invalid kptr access, R")
P(forged_number)
{
	WRITES("*(u64 *)(%0 + 8) = %1");
}

REJECT(SLOT_TYPE, "invalid kptr access, R")
P(forged_by_exchange)
{
	WRITES("r1 = %1\n\tr1 = xchg_64(%0 + 8, r1)");
}

REJECT(SLOT_MODE, "kptr in map can only be accessed using BPF_MEM")
P(changed_by_an_atomic)
{
	WRITES("lock *(u64 *)(%0 + 16) += %1");
}

REJECT(SLOT_MODE, "kptr in map can only be accessed using BPF_MEM")
P(compared_and_exchanged)
{
	WITH_VALUE(v);
	ASM("r0 = 0\n\tr1 = %1\n\tr0 = cmpxchg_64(%0 + 8, r0, r1)"
	    : : "r"(v), "r"((long)n) : "r0", "r1", "memory");
	return 0;
}

/* ---- memory that functions write ---- */

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper")
P(helper_writes_over_it)
{
	WITH_VALUE(v);
	bpf_get_current_comm(v, 24);
	return 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper")
P(function_writes_over_it)
{
	WITH_VALUE(v);
	return fill_bytes(v, 17) & 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper")
P(size_that_varies)
{
	WITH_VALUE(v);
	return bpf_probe_read_kernel(v, n & 15, t) & 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper")
P(field_as_a_key)
{
	WITH_VALUE(v);
	return bpf_map_lookup_elem(&plain, &v->ref) ? 0 : 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper")
P(value_into_a_value)
{
	__u32 key = 0;

	WITH_VALUE(v);
	return bpf_map_update_elem(&hash, &key, v, 0) & 0;
}

/* Bytes at the field's place in a value that is written are not taken over. */
ACCEPT RETVAL(0)
P(forged_value)
{
	struct value fresh = {};
	struct value *v;
	__u32 key = 1;

	*(volatile long *)((char *)&fresh + 16) = 0x41414141;
	*(volatile long *)((char *)&fresh + 8) = 0x41414141;
	bpf_map_update_elem(&hash, &key, &fresh, 0);
	v = bpf_map_lookup_elem(&hash, &key);
	if (!v)
		return 1;
	return v->ref || v->un ? 2 : 0;
}

/* ---- elements that went ---- */

/* What was exchanged into it is put all the same: the test host counts. */
ACCEPT RETVAL(0)
P(exchange_into_a_dead_element)
{
	struct value fresh = {};
	struct T *p, *old;
	struct value *v;
	__u32 key = 2;

	bpf_map_update_elem(&hash, &key, &fresh, 0);
	v = bpf_map_lookup_elem(&hash, &key);
	if (!v)
		return 1;
	bpf_map_delete_elem(&hash, &key);
	p = t_find(7);
	if (!p)
		return 1;
	old = bpf_kptr_xchg(&v->ref, p);
	if (old)
		t_put(old);
	bpf_map_update_elem(&hash, &key, &fresh, 0);
	v = bpf_map_lookup_elem(&hash, &key);
	return v && v->ref ? 2 : 0;
}

static long puts(__u32 i, void *ctx)
{
	t_put(*(struct T **)ctx);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F16")
P(released_in_a_callback)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	bpf_loop(2, puts, &p, 0);
	return 0;
}

/* ---- releases ---- */

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("F04")
P(stale_copy_in_a_spill)
{
	struct T *volatile copy;
	struct T *p = t_find(n);

	if (!p)
		return 0;
	copy = p;
	t_put(p);
	return copy->pid;
}

/* ---- elements of a read section ---- */

REJECT(ITER_RCU, "expected an RCU CS when using bpf_iter_rn_destroy")
Q(number_after_its_section)
{
	struct bpf_iter_rn it;
	int *p, x = 0;

	bpf_rcu_read_lock();
	bpf_iter_rn_new(&it, 1);
	p = bpf_iter_rn_next(&it);
	bpf_rcu_read_unlock();
	if (p)
		x = *p;
	bpf_iter_rn_destroy(&it);
	return x & 0;
}

ACCEPT RETVAL(0)
Q(number_inside_its_section)
{
	struct bpf_iter_rn it;
	int *p, x = 0;

	bpf_rcu_read_lock();
	bpf_iter_rn_new(&it, 1);
	p = bpf_iter_rn_next(&it);
	if (p)
		x = *p;
	bpf_iter_rn_destroy(&it);
	bpf_rcu_read_unlock();
	return x & 0;
}
#endif
