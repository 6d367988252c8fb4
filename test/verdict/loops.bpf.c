/* SPDX-License-Identifier: MIT
 *
 * CFLAGS: -mcpu=v4
 * Loops: those that end are walked to their end; others are refused.
 */
#include "verdict.h"

ACCEPT RETVAL(100)
XDP(bounded)
{
	int sum = 0;

	for (int i = 0; i < 100; i++) {
		sum++;
		hide(sum);
	}
	return sum;
}

REJECT(INFINITE_LOOP, "infinite loop detected at insn")
XDP_ASM(nothing_changes)
{
	ASM("r0 = 0				\n"
	    "1: if r0 == 0 goto 1b		\n"
	    "exit" ::: "memory");
}

REJECT(INFINITE_LOOP, "infinite loop detected at insn")
XDP_ASM(nothing_that_counts_changes)
{
	ASM("call %[bpf_get_prandom_u32]	\n"
	    "r6 = r0				\n"
	    "1: call %[bpf_get_prandom_u32]	\n"
	    "if r0 != r6 goto 1b		\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

REJECT(BUDGET, "BPF program is too large. Processed")
XDP_ASM(too_long)
{
	ASM("r1 = 0				\n"
	    "1: r1 += 1				\n"
	    "if r1 < 0x7fffffff goto 1b		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

/* Each iteration leaves a branch to be walked later. */
REJECT(TOO_COMPLEX, "jumps is too complex")
XDP_ASM(too_many_branches)
{
	ASM("r6 = 0				\n"
	    "r7 = 0				\n"
	    "1: call %[bpf_get_prandom_u32]	\n"
	    "if r0 > 7 goto 2f			\n"
	    "r7 ^= r6				\n"
	    "2: r6 += 1				\n"
	    "if r6 < 100000 goto 1b		\n"
	    "r0 = r7				\n"
	    "r0 &= 1				\n"
	    "exit" :: SYM(bpf_get_prandom_u32) : "memory");
}

static long count(__u32 i, int *sum)
{
	*sum += 1;
	return 0;
}

ACCEPT RETVAL(1000)
XDP(many_by_helper)
{
	int sum = 0;

	bpf_loop(1000, count, &sum, 0);
	return sum;
}

/* may_goto ends any loop at last. */
ACCEPT
XDP_ASM(may_goto)
{
	ASM("r0 = 0				\n"
	    "1: may_goto 2f			\n"
	    "r0 += 1				\n"
	    "goto 1b				\n"
	    "2: r0 = 0				\n"
	    "exit" ::: "memory");
}

/* What the loop leaves behind is known only as far as every iteration agrees. */
REJECT(STACK_BOUNDS, "invalid read from stack")
XDP(index_after_loop)
{
	char buf[16] = {0};
	int i = 0;

	for (; i < 32; i++)
		if (bpf_get_prandom_u32() == 5)
			break;
	hide(i);
	return *(volatile char *)(buf + i);
}

ACCEPT
XDP(index_after_loop_tested)
{
	char buf[16] = {0};
	unsigned int i = 0;

	for (; i < 32; i++)
		if (bpf_get_prandom_u32() == 5)
			break;
	hide(i);
	if (i >= 16)
		return 0;
	return *(volatile char *)(buf + i);
}
