/* SPDX-License-Identifier: MIT
 *
 * The shape of programs: jumps, ends, reserved bits, instructions that do not exist.
 */
#include "verdict.h"

ACCEPT RETVAL(1)
XDP_ASM(jumps_both_ways)
{
	ASM("r0 = 0				\n"
	    "goto 2f				\n"
	    "1: exit				\n"
	    "2: r0 = 1				\n"
	    "goto 1b" ::: "memory");
}

REJECT(LAST_INSN, "last insn is not an exit or jmp")
XDP_ASM(falls_off)
{
	ASM("r0 = 0" ::: "memory");
}

REJECT(JUMP_RANGE, "jump out of range from insn 0 to 1001")
XDP_ASM(jumps_out)
{
	ASM(".8byte 0x0000000003e80005		\n" /* goto +1000 */
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(JUMP_MIDDLE, "jump into the middle of ldimm64 insn")
XDP_ASM(jumps_into_immediate)
{
	ASM("r0 = 0				\n"
	    "if r1 == 0 goto +1			\n"
	    "r1 = 0x100000000 ll		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(UNREACHABLE, "unreachable insn 1")
XDP_ASM(nobody_comes_here)
{
	ASM("goto +1				\n"
	    "r0 = 1				\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(BAD_INSN, "unknown opcode")
XDP_ASM(no_such_instruction)
{
	ASM(".8byte 0x00000000000000ff		\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(BAD_INSN, "reserved")
XDP_ASM(reserved_bits)
{
	ASM(".8byte 0x00000000000100b7		\n" /* r0 = 0 with an offset of 1 */
	    "exit" ::: "memory");
}

REJECT(FP_WRITE, "frame pointer is read only")
XDP_ASM(frame_pointer)
{
	ASM("r10 = 0				\n"
	    "r0 = 0				\n"
	    "exit" ::: "memory");
}

REJECT(LD_ABS, "legacy packet access is not supported")
XDP_ASM(legacy_packet_load)
{
	ASM("r6 = r1				\n"
	    "r0 = *(u8 *)skb[0]			\n"
	    "exit" ::: "memory");
}
