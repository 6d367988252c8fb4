/* SPDX-License-Identifier: MIT
 *
 * Plain stores to pointer fields (rule book K.3).
 */
#include "setup.h"

ACCEPT BOOK("S01") RETVAL(0)
P(immediate_null)
{
	WITH_VALUE(v);
	ASM("*(u64 *)(%0 + 8) = 0" : : "r"(v) : "memory");
	return 0;
}

REJECT(SLOT_IMM, "BPF_ST imm must be 0 when storing to kptr at off=8") BOOK("S02")
P(immediate_one)
{
	WITH_VALUE(v);
	ASM("*(u64 *)(%0 + 8) = 1" : : "r"(v) : "memory");
	return 0;
}

ACCEPT BOOK("S03") RETVAL(0)
P(null_in_register)
{
	WITH_VALUE(v);
	long zero = 0;

	ASM("*(u64 *)(%0 + 8) = %1" : : "r"(v), "r"(zero) : "memory");
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("S04")
P(unknown_number)
{
	WITH_VALUE(v);
	v->un = (struct T *)(long)n;
	return 0;
}

/* The path with 0 must not hide the one with any number. */
REJECT(SLOT_TYPE, "invalid kptr access") BOOK("S05")
P(zero_or_number)
{
	WITH_VALUE(v);
	long number = 0;

	hide(number);
	if (bpf_get_prandom_u32() > 7)
		ASM("%0 = %1" : "=r"(number) : "r"((long)n));
	else
		ASM("%0 = 0" : "=r"(number));
	ASM("*(u64 *)(%0 + 8) = %1" : : "r"(v), "r"(number) : "memory");
	return 0;
}

REJECT(SLOT_SIZE, "kptr access size must be BPF_DW") BOOK("S06")
P(half)
{
	WITH_VALUE(v);
	*(volatile __u32 *)&v->un = 0;
	return 0;
}

REJECT(SLOT_MISALIGN, "kptr access misaligned expected=8 off=15") BOOK("S07")
P(misaligned)
{
	WITH_VALUE(v);
	ASM("*(u64 *)(%0 + 15) = 0" : : "r"(v) : "memory");
	return 0;
}

REJECT(SLOT_VAR_OFF, "kptr access cannot have variable offset") BOOK("S08")
P(variable_offset)
{
	WITH_VALUE(v);
	*(volatile char *)&v->buf[n & 15] = 0;
	return 0;
}

ACCEPT BOOK("S09") RETVAL(0)
P(hook_argument)
{
	WITH_VALUE(v);
	v->un = t;
	return 0;
}

ACCEPT BOOK("S10") RETVAL(0)
P(loaded_unreferenced)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	hide(p);
	v->un = p;
	return 0;
}

ACCEPT BOOK("S11") RETVAL(0)
P(loaded_referenced)
{
	WITH_VALUE(v);
	v->un = v->ref;
	return 0;
}

ACCEPT BOOK("S12") RETVAL(0)
P(members)
{
	WITH_VALUE(v);
	v->un = t->parent;
	v->un = t->peer;
	return 0;
}

/* A struct that lies within the object. */
ACCEPT BOOK("S13") RETVAL(0)
P(embedded)
{
	WITH_VALUE(v);
	v->um = &t->mask;
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("S14")
P(beside_embedded)
{
	WITH_VALUE(v);
	v->um = (void *)&t->mask.bits[1];
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("S15")
P(inside_object)
{
	WITH_VALUE(v);
	v->un = (void *)((char *)t + 8);
	return 0;
}

REJECT(BTF_NEG, "invalid negative access") BOOK("S16")
P(before_object)
{
	WITH_VALUE(v);
	v->un = (void *)((char *)t - 8);
	return 0;
}

REJECT(BTF_VAR_ARG, "variable trusted_ptr_ access var_off=") BOOK("S17")
P(somewhere_in_object)
{
	WITH_VALUE(v);
	v->un = (void *)((char *)t + (n & 8));
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access") BOOK("S18")
P(another_struct)
{
	WITH_VALUE(v);
	v->unw = (void *)t;
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access, R") BOOK("S19")
P(stack_address)
{
	WITH_VALUE(v);
	long local = n;

	ASM("*(u64 *)(%0 + 8) = r10" : : "r"(v), "r"(&local) : "memory");
	return 0;
}

REJECT(SLOT_TYPE, "invalid kptr access, R") BOOK("S19")
P(context)
{
	WITH_VALUE(v);
	v->un = (void *)ctx;
	return 0;
}

REJECT(SLOT_TYPE, "type=map_value expected=ptr_T") BOOK("S19")
P(value_itself)
{
	WITH_VALUE(v);
	v->un = (void *)v;
	return 0;
}

REJECT(SLOT_STORE_REF, "store to referenced kptr disallowed") BOOK("S23")
P(null_to_referenced)
{
	WITH_VALUE(v);
	*(struct T *volatile *)&v->ref = NULL;
	return 0;
}

REJECT(SLOT_STORE_REF, "store to referenced kptr disallowed") BOOK("S24")
P(argument_to_referenced)
{
	WITH_VALUE(v);
	v->ref = t;
	return 0;
}

/* Remembering an object does not give it away. */
REJECT(REF_LEAK, "Unreleased reference") BOOK("S26")
P(remembered_not_put)
{
	WITH_VALUE(v);
	struct T *p = t_find(n);

	if (p)
		v->un = p;
	return 0;
}

ACCEPT RETVAL(0)
P(remembered_and_put)
{
	WITH_VALUE(v);
	struct T *p = t_find(n);

	if (!p)
		return 0;
	v->un = p;
	t_put(p);
	return 0;
}

/* Plain bytes would let anyone read the address as a number. */
REJECT(LEAK, "leaks addr into map") BOOK("S27") POLICY(kernel, accept)
	KERNEL(accept, "privileged programs may show addresses")
P(address_to_bytes)
{
	WITH_VALUE(v);
	v->x = (long)t;
	return 0;
}

REJECT(SLOT_MODE, "BPF_MEM instruction mode") BOOK("S28")
P(atomic_add)
{
	WITH_VALUE(v);
	ASM("lock *(u64 *)(%0 + 8) += %1" : : "r"(v), "r"((long)n) : "memory");
	return 0;
}

/* Under the value's lock fields are loaded and stored as usual. */
ACCEPT BOOK("S29") RETVAL(0)
P(under_lock)
{
	struct locked *l = element(C);

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	if (l->un)
		l->x++;
	l->un = t;
	bpf_spin_unlock(&l->lock);
	return 0;
}

REJECT(RET_LEAK, "R0 leaks addr as return value") BOOK("S30") POLICY(kernel, accept)
	KERNEL(accept, "privileged programs may show addresses")
P(returned)
{
	WITH_VALUE(v);
	struct T *p = v->un;
	long out = (long)p;

	ASM("%0 = %1" : "=r"(out) : "r"(p));
	ASM("r0 = %0\n\texit" : : "r"(out));
	return 0;
}

/* The lock itself is not a number. */
REJECT(FIELD_DIRECT, "bpf_spin_lock cannot be accessed directly by load/store")
P(lock_by_hand)
{
	struct locked *l = element(C);

	if (l)
		*(volatile int *)&l->lock = 0;
	return 0;
}
