/* SPDX-License-Identifier: MIT
 *
 * Verdicts on the stack: bounds, spills, partial and variable accesses.
 */
#include "verify_fixture.h"

TEST(verify_stack_bounds)
{
	static const struct verify_case cases[] = {
		ACCEPT("last byte", "*(u8 *)(r10 -512) = 1\nr0 = *(u8 *)(r10 -512)\nexit"),
		REJECT("below", "invalid write to stack R10 off=-520 size=8",
		       "*(u64 *)(r10 -520) = 1\nr0 = 0\nexit"),
		REJECT("at fp", "invalid read from stack R10 off=0 size=8",
		       "r0 = *(u64 *)(r10 +0)\nexit"),
		REJECT("misaligned", "misaligned stack access off 0+0+-9 size 8",
		       "r0 = *(u64 *)(r10 -9)\nexit"),
		REJECT("crosses fp", "misaligned stack access",
		       "r0 = *(u64 *)(r10 -4)\nexit"),
		ACCEPT("never written is some number", "r0 = *(u64 *)(r10 -8)\nexit"),
		REJECT("huge offset", "invalid write to stack R2 off=-32776 size=8",
		       "r2 = r10\nr2 += -8\n*(u64 *)(r2 -32768) = 1\nr0 = 0\nexit"),
		REJECT("variable, unbounded below", "R2 subtraction from stack pointer",
		       RANDOM "r0 &= 7\nr2 = r10\nr2 -= r0\nr0 = 0\nexit"),
		ACCEPT("variable, inside", "r2 = *(u32 *)(r1 +12)\nr2 &= 7\nr3 = r10\nr3 += -8\nr3 += r2\n"
					   "r0 = *(u8 *)(r3 +0)\nexit"),
		REJECT("variable, outside", "invalid variable-offset",
		       "r2 = *(u32 *)(r1 +12)\nr2 &= 8\nr3 = r10\nr3 += -8\nr3 += r2\n"
		       "r0 = *(u64 *)(r3 +0)\nexit"),
		REJECT("variable, unbounded", "unbounded variable-offset read from stack R3",
		       "r2 = *(u32 *)(r1 +12)\nr3 = r10\nr3 += r2\nr0 = *(u8 *)(r3 +0)\nexit"),
		REJECT("variable, misaligned", "misaligned stack access",
		       "r2 = *(u32 *)(r1 +12)\nr2 &= 7\nr3 = r10\nr3 += -16\nr3 += r2\n"
		       "r0 = *(u64 *)(r3 +0)\nexit"),
		ACCEPT("variable write, aligned",
		       "r2 = *(u32 *)(r1 +12)\nr2 &= 8\nr3 = r10\nr3 += -16\nr3 += r2\n"
		       "*(u64 *)(r3 +0) = 7\nr0 = *(u64 *)(r10 -8)\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_stack_spills)
{
	static const struct verify_case cases[] = {
		ACCEPT("a pointer comes back", "*(u64 *)(r10 -8) = r1\nr2 = *(u64 *)(r10 -8)\n"
					       "r0 = *(u32 *)(r2 +12)\nexit"),
		REJECT("half a pointer", "invalid size of register fill",
		       "*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit"),
		REJECT("half a spill", "invalid size of register spill",
		       "*(u32 *)(r10 -8) = r1\nr0 = 0\nexit"),
		REJECT("a byte over a pointer", "corrupted spill memory",
		       "*(u64 *)(r10 -8) = r1\n*(u8 *)(r10 -5) = 1\nr2 = *(u64 *)(r10 -8)\n"
		       "r0 = *(u32 *)(r2 +12)\nexit"),
		REJECT("an atomic over a pointer", "corrupted spill memory",
		       "*(u64 *)(r10 -8) = r1\nr2 = 0\nlock *(u64 *)(r10 -8) += r2\n"
		       "r2 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r2 +12)\nexit"),
		REJECT("a variable write over a pointer", "corrupted spill memory",
		       "*(u64 *)(r10 -8) = r1\nr2 = *(u32 *)(r1 +12)\nr2 &= 8\nr3 = r10\nr3 += -16\n"
		       "r3 += r2\n*(u64 *)(r3 +0) = 7\nr2 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r2 +12)\nexit"),
		REJECT("a variable spill", "variable", "r2 = *(u32 *)(r1 +12)\nr2 &= 8\nr3 = r10\nr3 += -16\n"
					   "r3 += r2\n*(u64 *)(r3 +0) = r1\nr0 = 0\nexit", "accept"),
		ACCEPT("a number keeps its bounds", MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 31\n"
		       "*(u64 *)(r10 -16) = r0\nr1 = *(u64 *)(r10 -16)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit"),
		ACCEPT("a 32-bit spill keeps its bounds", MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 31\n"
		       "*(u32 *)(r10 -16) = r0\nr1 = *(u32 *)(r10 -16)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit"),
		ACCEPT("the low half of a spill", MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 31\n"
		       "*(u64 *)(r10 -16) = r0\nr1 = *(u32 *)(r10 -16)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit"),
		ACCEPT("the low byte of a spill", MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 31\n"
		       "*(u64 *)(r10 -16) = r0\nr1 = *(u8 *)(r10 -16)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit"),
		REJECT("a byte written into the spill", "R6 max value is outside",
		       MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 31\n*(u64 *)(r10 -16) = r0\n*(u8 *)(r10 -15) = 1\n"
		       "r1 = *(u16 *)(r10 -16)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit"),
		ACCEPT("zero bytes read as zero", MAP_VALUE "*(u64 *)(r10 -16) = 0\nr1 = *(u16 *)(r10 -14)\n"
		       "r0 += r1\nr0 = *(u8 *)(r0 +47)\nexit"),
		ACCEPT("zero bytes by a register", MAP_VALUE "r2 = 0\n*(u8 *)(r10 -11) = r2\nr1 = *(u8 *)(r10 -11)\n"
		       "r0 += r1\nr0 = *(u8 *)(r0 +47)\nexit"),
		ACCEPT("zero by a variable read", MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 7\n"
		       "*(u8 *)(r10 -9) = 0\n*(u8 *)(r10 -10) = 0\n*(u8 *)(r10 -11) = 0\n"
		       "r2 = r10\nr2 += -11\nr0 &= 1\nr2 += r0\nr1 = *(u8 *)(r2 +0)\nr6 += r1\n"
		       "r0 = *(u8 *)(r6 +47)\nexit"),
		REJECT("a helper wrote there", "R6 ",
		       MAP_VALUE "r6 = r0\n*(u64 *)(r10 -16) = 0\nr1 = r10\nr1 += -16\nr2 = 16\nr3 = 0\ncall 4\n"
		       "r1 = *(u64 *)(r10 -16)\nr1 &= 255\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit", "reject"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_stack_of_callers)
{
	static const struct verify_case cases[] = {
		ACCEPT("a callee writes the caller's buffer",
		       "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\ncall f\nr0 = *(u64 *)(r10 -8)\nexit\n"
		       "f:\n*(u64 *)(r1 +0) = 5\nr0 = 0\nexit"),
		ACCEPT("a fetch gives what was there",
		       MAP_VALUE "*(u64 *)(r10 -8) = 40\nr1 = 1\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\n"
		       "r0 += r1\nr0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("a fetch gives what was there, too far", "value_size=48 off=48",
		       MAP_VALUE "*(u64 *)(r10 -8) = 48\nr1 = 1\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\n"
		       "r0 += r1\nr0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("after a fetch anything is there", "math between map_value pointer and register",
		       MAP_VALUE "*(u64 *)(r10 -8) = 40\nr1 = 1\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\n"
		       "r1 = *(u64 *)(r10 -8)\nr0 += r1\nr0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("a callee's stack pointer comes back", "cannot return stack pointer to the caller",
		       "call f\nr0 = 0\nexit\nf:\nr0 = r10\nexit"),
		REJECT("a callee's stack pointer in the caller's stack", "cannot spill pointers to stack into stack frame of the caller",
		       "r1 = r10\nr1 += -8\ncall f\nr0 = 0\nexit\n"
		       "f:\n*(u64 *)(r1 +0) = r10\nr0 = 0\nexit"),
		REJECT("a callee spoils a spilled pointer", "R2 invalid mem access 'scalar'",
		       "*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\ncall f\nr2 = *(u64 *)(r10 -8)\n"
		       "r0 = *(u32 *)(r2 +12)\nexit\nf:\n*(u64 *)(r1 +0) = 5\nr0 = 0\nexit"),
		ACCEPT("a callee stores a pointer for the caller",
		       "r2 = r10\nr2 += -8\ncall f\nr2 = *(u64 *)(r10 -8)\n"
		       "r0 = *(u32 *)(r2 +12)\nexit\nf:\n*(u64 *)(r2 +0) = r1\nr0 = 0\nexit"),
		REJECT("two frames too big", "combined stack size of 2 calls is 544. Too large",
		       "*(u64 *)(r10 -256) = 0\ncall f\nr0 = 0\nexit\n"
		       "f:\n*(u64 *)(r10 -280) = 0\nr0 = 0\nexit"),
		ACCEPT("two frames that fit",
		       "*(u64 *)(r10 -256) = 0\ncall f\nr0 = 0\nexit\n"
		       "f:\n*(u64 *)(r10 -256) = 0\nr0 = 0\nexit"),
		ACCEPT("siblings share",
		       "call f\ncall g\nr0 = 0\nexit\n"
		       "f:\n*(u64 *)(r10 -480) = 0\nr0 = 0\nexit\ng:\n*(u64 *)(r10 -480) = 0\nr0 = 0\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}
