/* SPDX-License-Identifier: MIT
 *
 * Loads of pointer fields (rule book K.2).
 */
#include "setup.h"

struct T __kptr *gt SEC(".data.gt");

/* What is loaded may be NULL. */
REJECT(NULL_DEREF, "invalid mem access 'untrusted_ptr_or_null_") BOOK("L01")
P(un_untested)
{
	WITH_VALUE(v);
	return v->un->pid;
}

/* Reads through what may dangle are recovered. */
ACCEPT BOOK("L02") RETVAL(0)
P(un_tested)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	return p ? p->pid : 0;
}

/* Half a pointer. */
REJECT(SLOT_SIZE, "kptr access size must be BPF_DW") BOOK("L03")
P(half)
{
	WITH_VALUE(v);
	return *(volatile __u32 *)&v->ref;
}

REJECT(SLOT_MISALIGN, "kptr access misaligned expected=16 off=17") BOOK("L04")
P(one_byte_later)
{
	WITH_VALUE(v);
	return *(volatile long *)((char *)v + 17) != 0;
}

REJECT(SLOT_MISALIGN, "kptr access misaligned expected=8 off=4") BOOK("L05")
P(four_bytes_before)
{
	WITH_VALUE(v);
	return *(volatile long *)((char *)v + 4) != 0;
}

/* A variable offset that stays beside the fields. */
ACCEPT BOOK("L06") RETVAL(0)
P(variable_beside)
{
	WITH_VALUE(v);
	return v->buf[n & 7];
}

REJECT(SLOT_VAR_OFF, "kptr access cannot have variable offset") BOOK("L07")
P(variable_over)
{
	WITH_VALUE(v);
	return v->buf[n & 15];
}

REJECT(SLOT_VAR_OFF, "kptr access cannot have variable offset") BOOK("L08")
P(variable_element)
{
	WITH_VALUE(v);
	unsigned long i = n & 3;

	if (i > 2)
		return 0;
	return v->arr[i] != NULL;
}

REJECT(SLOT_SIZE, "kptr access size must be BPF_DW") BOOK("L09")
P(sign_extended)
{
	WITH_VALUE(v);
	long out;

	ASM("%0 = *(s32 *)(%1 + 16)" : "=r"(out) : "r"(v));
	return out > 0;
}

/* Inside a read section a host object that fields hold is protected by it. */
ACCEPT BOOK("L10") POLICY(ldx, reject, "R1 must be a rcu pointer") RETVAL(0)
P(ref_raised)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 1;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("L11")
P(ref_untested)
{
	WITH_VALUE(v);
	struct T *p = t_get(v->ref);

	if (p)
		t_put(p);
	return 1;
}

REJECT(KFUNC_RCU, "R1 must be a rcu pointer") BOOK("L12")
P(un_raised)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 1;
}

/* Nobody promises that a U stays until the section ends. */
REJECT(KFUNC_RCU, "R1 must be a rcu pointer") BOOK("L13")
P(not_rcu_safe)
{
	WITH_VALUE(v);
	struct U *u = v->refu;

	return u ? u_rcu(u) : 0;
}

REJECT(BTF_RDONLY, "only read is supported") BOOK("L14")
P(write_ref)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	if (p)
		p->pid = 1;
	return 0;
}

REJECT(BTF_RDONLY, "only read is supported") BOOK("L15")
P(write_un)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	if (p)
		p->pid = 1;
	return 0;
}

/* Constant offsets are fine once the pointer is known not to be NULL. */
ACCEPT BOOK("L19") RETVAL(0)
P(constant_offset)
{
	WITH_VALUE(v);
	struct T *p = v->ref;
	int out;

	if (!p)
		return 0;
	ASM("%1 += 4\n\t%0 = *(u32 *)(%1 + 0)" : "=r"(out), "+r"(p));
	return out;
}

REJECT(PTR_NULL_MATH, "pointer arithmetic on rcu_ptr_or_null_") BOOK("L20")
P(arithmetic_before_test)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	ASM("%0 += 8" : "+r"(p));
	return p != NULL;
}

REJECT(BTF_VAR_OFF, "invalid variable offset") BOOK("L21")
P(variable_offset)
{
	WITH_VALUE(v);
	struct T *p = v->ref;
	long i = n & 7;

	if (!p)
		return 0;
	ASM("%0 += %1\n\t%1 = *(u8 *)(%0 + 0)" : "+r"(p), "+r"(i));
	return i;
}

REJECT(BTF_BEYOND, "access beyond struct T at off") BOOK("L22")
P(past_the_end)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	return p ? *(volatile int *)((char *)p + 4096) : 0;
}

REJECT(BTF_NEG, "invalid negative access") BOOK("L23")
P(before_the_start)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	return p ? *(volatile int *)((char *)p - 8) : 0;
}

/* What a dangling pointer leads to is no better. */
REJECT(KFUNC_RCU, "R1 must be a rcu pointer") BOOK("L24")
P(member_of_untrusted)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	if (!p)
		return 0;
	return t_read(p->leader);
}

/* A load makes no reference: there is nothing to give back. */
ACCEPT BOOK("L25") RETVAL(0)
P(only_looked)
{
	WITH_VALUE(v);
	return v->ref != NULL;
}

/* Global data can hold references, too. */
ACCEPT BOOK("L26") RETVAL(0)
P(global_field)
{
	struct T *p = gt;

	return p ? p->pid : 0;
}

/* One instruction reads through two classes of pointers: lowered for the worse one. */
ACCEPT BOOK("L27") RETVAL(0)
P(two_classes)
{
	WITH_VALUE(v);
	void *p;

	if (n > 3)
		p = v->ref;
	else
		p = v->un;
	hide(p);
	return p ? ((struct T *)p)->pid : 0;
}

/* One instruction cannot read the stack and an object. */
REJECT(MIXED_POINTERS, "same insn cannot be used with different pointers") BOOK("L28")
P(two_bases)
{
	struct M local = {{n, 1}};
	void *p = &local;
	long out;

	hide(p);
	if (n > 3)
		p = t;
	ASM("%0 = *(u64 *)(%1 + 0)" : "=r"(out) : "r"(p));
	return out;
}

/* The value itself may be missing. */
REJECT(NULL_DEREF, "invalid mem access 'map_value_or_null'") BOOK("L30")
P(untested_value)
{
	struct value *v = element(hash);

	return v->ref != NULL;
}

/* Acquire loads, too, are for numbers. */
REJECT(SLOT_MODE, "BPF_MEM instruction mode") BOOK("A06")
P(load_acquire)
{
	WITH_VALUE(v);
	struct T *out;

	/* r0 = load_acquire((u64 *)(r1 + 16)) */
	ASM("r1 = %1\n\t.8byte 0x00000100001010db\n\t%0 = r0"
	    : "=r"(out) : "r"(v) : "r0", "r1");
	return out != NULL;
}

/* Of what is no pointer field it is as good as any load. r0 = load_acquire((u64 *)(r1 + 0)) */
#define LOAD_ACQUIRE(from, out)                                                          \
	ASM("r1 = %1\n\t.8byte 0x00000100000010db\n\t%0 = r0"                            \
	    : "=r"(out) : "r"(from) : "r0", "r1", "memory")

ACCEPT BOOK("A07")
P(load_acquire_elsewhere)
{
	long on_stack = 1, a, b, c;

	WITH_VALUE(v);
	struct T *p = v->ref;

	LOAD_ACQUIRE(&on_stack, a);
	LOAD_ACQUIRE(v->buf, b);
	c = 0;
	if (p)
		LOAD_ACQUIRE(p, c);
	return (a + b + c) & 0;
}

/* What may dangle is read fault-safe, in this way too. */
ACCEPT BOOK("A08")
P(load_acquire_untrusted)
{
	WITH_VALUE(v);
	struct T *p = v->un;
	long a = 0;

	if (p)
		LOAD_ACQUIRE(p, a);
	return a & 0;
}

/* A member that is a pointer is read whole. */
REJECT(BTF_PARTIAL, "cannot access ptr member") BOOK("C36")
P(half_a_member)
{
	return *(volatile __u32 *)&t->leader;
}

/* Two members at once. */
REJECT(BTF_WALK, "access beyond the end of member pid (mend:20) in struct T with off 16 size 8")
P(across_members)
{
	return *(volatile long *)&t->pid != 0;
}
