/* SPDX-License-Identifier: MIT
 *
 * The stack: its bounds, and pointers on it.
 */
#include "verdict.h"

ACCEPT RETVAL(7)
XDP_ASM(spill_and_fill)
{
	ASM("r1 = 7				\n"
	    "*(u64 *)(r10 - 512) = r1		\n"
	    "r0 = *(u64 *)(r10 - 512)		\n"
	    "exit" ::: "memory");
}

REJECT(STACK_BOUNDS, "invalid write to stack R10 off=-520 size=8")
XDP_ASM(below)
{
	ASM("*(u64 *)(r10 - 520) = 0		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(STACK_BOUNDS, "invalid write to stack R10 off=0 size=8")
XDP_ASM(above)
{
	ASM("*(u64 *)(r10 + 0) = 0		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(MISALIGNED, "misaligned stack access off 0+0+-4 size 8")
XDP_ASM(across_the_top)
{
	ASM("r0 = *(u64 *)(r10 - 4)		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(MISALIGNED, "misaligned stack access")
XDP_ASM(misaligned)
{
	ASM("*(u64 *)(r10 - 12) = 0		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

/* Part of an address is a number that shows it. */
REJECT(STACK_SPILL, "invalid size of register spill")
XDP_ASM(half_spilled)
{
	ASM("*(u32 *)(r10 - 8) = r1		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(STACK_FILL, "invalid size of register fill")
XDP_ASM(half_filled)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "r0 = *(u32 *)(r10 - 8)		\n"
	    "exit" ::: "memory");
}

/* Somewhere in the stack: bytes, as long as all of it is inside. */
ACCEPT RETVAL(0)
XDP_ASM(variable_read)
{
	ASM("*(u64 *)(r10 - 8) = 0		\n"
	    "*(u64 *)(r10 - 16) = 0		\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "r0 &= 7				\n"
	    "r0 += -16				\n"
	    "r1 = r10				\n"
	    "r1 += r0				\n"
	    "r0 = *(u8 *)(r1 + 0)		\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

REJECT(STACK_VAR, "invalid variable-offset read from stack")
XDP_ASM(variable_read_beyond)
{
	ASM("*(u64 *)(r10 - 8) = 0		\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "r0 &= 15				\n"
	    "r0 += -8				\n"
	    "r1 = r10				\n"
	    "r1 += r0				\n"
	    "r0 = *(u8 *)(r1 + 0)		\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

/* Where a pointer went nobody would know. */
REJECT(STACK_VAR_SPILL, "pointer")
	KERNEL(accept, "privileged programs may lose pointers")
XDP_ASM(spilled_somewhere)
{
	ASM("r6 = r1				\n"
	    "*(u64 *)(r10 - 8) = 0		\n"
	    "*(u64 *)(r10 - 16) = 0		\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "r0 &= 8				\n"
	    "r0 += -16				\n"
	    "r1 = r10				\n"
	    "r1 += r0				\n"
	    "*(u64 *)(r1 + 0) = r6		\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

/* A variable write over a spilled pointer: it is gone. */
REJECT(STACK_ADDRESS, "corrupted spill memory")
XDP_ASM(variable_write_over_spill)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "*(u64 *)(r10 - 16) = 0		\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "r0 &= 15				\n"
	    "r0 += -16				\n"
	    "r1 = r10				\n"
	    "r1 += r0				\n"
	    "*(u8 *)(r1 + 0) = 1		\n"
	    "r1 = *(u64 *)(r10 - 8)		\n"
	    "r0 = *(u32 *)(r1 + 0)		\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

/* The callee's frame is gone when it returns. */
static __noinline void *own_frame(void)
{
	void *out;

	ASM("%0 = r10" : "=r"(out));
	return out;
}

REJECT(RET_STACK, "cannot return stack pointer to the caller")
XDP(frame_returned)
{
	return own_frame() == (void *)1;
}

static __noinline int leave_address(void **where)
{
	void *here;

	ASM("%0 = r10" : "=r"(here));
	*where = here;
	return 0;
}

REJECT(STACK_CALLER, "cannot spill pointers to stack into stack frame of the caller")
XDP(address_left_in_caller)
{
	void *p = NULL;

	leave_address(&p);
	hide(p);
	return p == (void *)1;
}

static __noinline int set(int *where)
{
	*where = 5;
	return 0;
}

ACCEPT RETVAL(5)
XDP(written_by_callee)
{
	int local = 0;

	set(&local);
	return local;
}

/* 512 bytes are for the whole chain of calls. */
static __noinline int deep(int n)
{
	volatile char buf[300];

	buf[n & 255] = n;
	return buf[0];
}

REJECT(STACK_TOO_BIG, "combined stack size of 2 calls is")
XDP(two_big_frames)
{
	volatile char buf[300];

	buf[bpf_get_prandom_u32() & 255] = deep(3);
	return buf[0] & 1;
}

ACCEPT
XDP(big_frames_in_turn)
{
	return (deep(1) + deep(2)) & 1;
}

REJECT(STACK_ADDRESS, "corrupted spill memory")
	KERNEL(accept, "privileged programs may read what is left of an address")
XDP_ASM(rest_of_spill)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "*(u8 *)(r10 - 8) = 0		\n"
	    "r0 = *(u64 *)(r10 - 8)		\n"
	    "r0 &= 1				\n"
	    "exit" ::: "memory");
}

/* A spilled pointer among the bytes that may be read. */
REJECT(STACK_ADDRESS, "corrupted spill memory")
	KERNEL(accept, "privileged programs may read addresses")
XDP_ASM(variable_read_of_spill)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "*(u64 *)(r10 - 16) = 0		\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "r0 &= 15				\n"
	    "r0 += -16				\n"
	    "r1 = r10				\n"
	    "r1 += r0				\n"
	    "r0 = *(u8 *)(r1 + 0)		\n"
	    "r0 &= 1				\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

/* Atomic operations on a spilled pointer would make it a number. */
REJECT(STACK_ADDRESS, "corrupted spill memory")
XDP_ASM(exchanged_address)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "r2 = 0				\n"
	    "r2 = xchg_64(r10 - 8, r2)		\n"
	    "r0 = r2				\n"
	    "r0 &= 1				\n"
	    "exit" ::: "memory");
}

/* One path leaves a number there, the other an address. */
REJECT(STACK_ADDRESS, "corrupted spill memory")
	KERNEL(accept, "privileged programs may read addresses")
XDP_ASM(address_on_one_path)
{
	ASM("r6 = r1				\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "if r0 > 7 goto 1f			\n"
	    "*(u32 *)(r10 - 8) = 0		\n"
	    "goto 2f				\n"
	    "1: *(u64 *)(r10 - 8) = r6		\n"
	    "*(u8 *)(r10 - 1) = 0		\n"
	    "2: r0 = *(u32 *)(r10 - 8)		\n"
	    "r0 &= 1				\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

/* A place is reused: what is written over all of an address is a number. */
ACCEPT RETVAL(5)
XDP_ASM(place_reused)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "r1 = 5				\n"
	    "*(u32 *)(r10 - 4) = r1		\n"
	    "r0 = *(u32 *)(r10 - 4)		\n"
	    "exit" ::: "memory");
}
