/* SPDX-License-Identifier: MIT
 *
 * Traps for pruning: programs in which two paths meet and only one of them is safe. A
 * verifier that compares too little accepts them. Each is laid out so that the safe path
 * is walked first.
 */
#include "verify_fixture.h"

#define CTX12 "*(u32 *)(r1 +12)\n"

TEST(verify_prune_traps)
{
	static const struct verify_case cases[] = {
		/* The number matters after the join. */
		REJECT("index differs", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r6 = 0\nif r7 == 0 goto +2\nr6 = 4\ngoto j\nr6 = 100\n"
		       "j:\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nexit", NULL),
		/* ... through a copy, a spill, a copy of that. */
		REJECT("index by way of a spill", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "if r7 == 0 goto +2\nr6 = 4\ngoto j\nr6 = 100\n"
		       "j:\n*(u64 *)(r10 -16) = r6\nr8 = *(u64 *)(r10 -16)\nr9 = r8\nr0 += r9\n"
		       "r0 = *(u8 *)(r0 +0)\nexit", NULL),
		/* ... spilled before the join, read much later. */
		REJECT("spilled before the join", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "if r7 == 0 goto +2\n*(u64 *)(r10 -16) = 4\ngoto j\n"
		       "*(u64 *)(r10 -16) = 100\n"
		       "j:\nr6 = 0\nl:\nr6 += 1\nif r6 < 20 goto l\nr8 = *(u64 *)(r10 -16)\nr0 += r8\n"
		       "r0 = *(u8 *)(r0 +0)\nexit", NULL),
		/* A 32-bit spill. */
		REJECT("32-bit spill before the join", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "if r7 == 0 goto +3\nr6 = 4\n*(u32 *)(r10 -16) = r6\ngoto j\n"
		       "r6 = 100\n*(u32 *)(r10 -16) = r6\n"
		       "j:\nr8 = *(u32 *)(r10 -16)\nr0 += r8\nr0 = *(u8 *)(r0 +0)\nexit", NULL),
		/* The number decides a branch, the branch decides safety. */
		REJECT("branch decided after the join", "R6 invalid mem access 'scalar'",
		       "r7 = " CTX12 "r6 = r1\nr8 = 1\nif r7 == 0 goto +1\ngoto j\nr8 = 0\nr6 = 5\n"
		       "j:\nif r8 == 0 goto bad\nr0 = 0\nexit\nbad:\nr0 = *(u8 *)(r6 +0)\nexit", NULL),
		/* ... and is compared with another register. */
		REJECT("branch on two registers", "R8 invalid mem access 'scalar'",
		       "r7 = " CTX12 "r8 = 1\nr9 = 1\nif r7 == 0 goto +1\ngoto j\nr9 = 2\n"
		       "j:\nif r8 != r9 goto bad\nr0 = 0\nexit\nbad:\nr0 = *(u8 *)(r8 +0)\nexit", "reject"),
		/* Zero bytes by a register: zero on one path only. */
		REJECT("zero byte on one path", "outside of the allowed memory range",
		       "r7 = " CTX12 MAP_VALUE "r6 = 0\nif r7 != 0 goto +1\ngoto j\nr6 = 77\n"
		       "j:\n*(u8 *)(r10 -11) = r6\nr8 = *(u8 *)(r10 -11)\nr0 += r8\nr0 = *(u8 *)(r0 +0)\nexit",
		       NULL),
		/* The index is bounded through another register on one path. */
		REJECT("link on one path", "R0 ",
		       "r7 = " CTX12 MAP_VALUE "r6 = r7\nr6 &= 1023\nr8 = r6\nif r7 != 5 goto +1\ngoto j\n"
		       "r8 = r7\nr8 &= 15\n"
		       "j:\nif r8 > 40 goto e\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nexit\ne:\nr0 = 0\nexit", "reject"),
		/* Precision through the result of a subprogram. */
		REJECT("result of a callee", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r6 = r0\nr1 = r7\ncall f\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\n"
		       "f:\nr0 = 4\nif r1 == 0 goto +1\ngoto j\nr0 = 100\nj:\nr2 = 0\nexit", NULL),
		/* ... through an argument of one. */
		REJECT("argument of a callee", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r6 = r0\nr1 = r0\nr2 = 4\nif r7 == 0 goto +1\ngoto j\nr2 = 100\n"
		       "j:\ncall f\nexit\nf:\nr3 = r2\nr1 += r3\nr0 = *(u8 *)(r1 +0)\nexit", NULL),
		/* ... through the caller's stack, used in a callee. */
		REJECT("stack of the caller", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r1 = r0\nr2 = 4\nif r7 == 0 goto +1\ngoto j\nr2 = 100\n"
		       "j:\n*(u64 *)(r10 -16) = r2\nr2 = r10\nr2 += -16\ncall f\nexit\n"
		       "f:\nr3 = *(u64 *)(r2 +0)\nr1 += r3\nr0 = *(u8 *)(r1 +0)\nexit", NULL),
		/* ... kept in r6 of the caller across a call. */
		REJECT("r6 across a call", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r8 = r0\nr6 = 4\nif r7 == 0 goto +1\ngoto j\nr6 = 100\n"
		       "j:\ncall f\nr8 += r6\nr0 = *(u8 *)(r8 +0)\nexit\nf:\nr6 = 0\nr0 = r6\nexit", NULL),
		/* A dead slot in the callee's view is live in the caller's. */
		REJECT("slot live in the caller", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r8 = r0\nif r7 == 0 goto +2\n*(u64 *)(r10 -24) = 4\ngoto j\n"
		       "*(u64 *)(r10 -24) = 100\nj:\nr1 = 1\ncall f\nr1 = *(u64 *)(r10 -24)\nr8 += r1\n"
		       "r0 = *(u8 *)(r8 +0)\nexit\nf:\nr0 = 0\nif r1 > 5 goto +1\nr0 = 1\nexit", NULL),
		/* A slot read only through a pointer to another one. */
		REJECT("slot read through a pointer", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r8 = r0\nif r7 == 0 goto +2\n*(u64 *)(r10 -24) = 4\ngoto j\n"
		       "*(u64 *)(r10 -24) = 100\nj:\nr2 = r10\nr2 += -32\nr2 += 8\nr1 = *(u64 *)(r2 +0)\nr8 += r1\n"
		       "r0 = *(u8 *)(r8 +0)\nexit", NULL),
		/* ... whose address was itself spilled. */
		REJECT("slot read through a spilled pointer", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r8 = r0\nr2 = r10\nr2 += -24\n*(u64 *)(r10 -40) = r2\n"
		       "if r7 == 0 goto +2\n*(u64 *)(r10 -24) = 4\ngoto j\n*(u64 *)(r10 -24) = 100\n"
		       "j:\nr3 = 0\nr2 = *(u64 *)(r10 -40)\nr1 = *(u64 *)(r2 +0)\nr8 += r1\nr0 = *(u8 *)(r8 +0)\nexit",
		       NULL),
		/* ... by a callee. */
		REJECT("slot read by a callee beside its argument", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r1 = r0\nif r7 == 0 goto +2\n*(u64 *)(r10 -24) = 4\ngoto j\n"
		       "*(u64 *)(r10 -24) = 100\nj:\nr2 = r10\nr2 += -16\ncall f\nexit\n"
		       "f:\nr2 += -8\nr3 = *(u64 *)(r2 +0)\nr1 += r3\nr0 = *(u8 *)(r1 +0)\nexit", NULL),
		/* A pointer on one path, NULL or a number on the other. */
		REJECT("pointer or number", "invalid mem access 'scalar'",
		       "r7 = " CTX12 "r6 = r1\nif r7 == 0 goto +1\ngoto j\nr6 = 0\nj:\nr0 = *(u32 *)(r6 +12)\nexit", NULL),
		REJECT("tested or not", "map_value_or_null",
		       "r7 = " CTX12 "*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map[id:1]\ncall 1\n"
		       "if r7 == 0 goto j\nif r0 != 0 goto j\nexit\nj:\nr0 = *(u64 *)(r0 +0)\nexit", NULL),
		/* A packet checked on one path. */
		REJECT("packet checked or not", "outside of the packet",
		       "r7 = " CTX12 "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 8\nr0 = 0\n"
		       "if r7 == 0 goto j\nif r4 > r3 goto e\nj:\nr0 = *(u64 *)(r2 +0)\ne:\nexit", NULL),
		/* Two values, only one of them tested. */
		REJECT("ids map one to one", "map_value_or_null",
		       "r9 = " CTX12 "*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map[id:1]\ncall 1\nr6 = r0\n"
		       "r2 = r10\nr2 += -8\nr1 = map[id:1]\ncall 1\nr7 = r0\n"
		       "if r9 != 0 goto j\nr6 = r7\nj:\nr8 = 0\nif r6 == 0 goto e\n"
		       "r0 = *(u64 *)(r7 +0)\ne:\nr0 = 0\nexit", "reject"),
		/* The number is what a pointer is added to. */
		REJECT("number plus pointer", "value_size=48 off=100",
		       "r7 = " CTX12 MAP_VALUE "r6 = 4\nif r7 == 0 goto +1\ngoto j\nr6 = 100\n"
		       "j:\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit", NULL),
		/* The bound is in another register. */
		REJECT("bound in another register", "max value is outside",
		       "r7 = " CTX12 "r6 = *(u32 *)(r1 +16)\n" MAP_VALUE "r8 = 40\nif r7 == 0 goto +1\ngoto j\n"
		       "r8 = 1000\nj:\nif r6 > r8 goto e\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nexit\ne:\nr0 = 0\nexit", NULL),
		/* The pointer has moved by more on one path. */
		REJECT("pointer moved by more", "max value is outside",
		       "r7 = " CTX12 "r6 = *(u32 *)(r1 +16)\n" MAP_VALUE "if r7 == 0 goto +3\nr6 &= 31\nr0 += r6\n"
		       "goto j\nr6 &= 1023\nr0 += r6\nj:\nr1 = 0\nr0 = *(u8 *)(r0 +0)\nexit", NULL),
		/* What is asked of a state that another covers is asked of those before it: the
		 * second path is pruned at j, the third must not be at k. */
		REJECT("marks travel to the pruned path", "value_size=48 off=100",
		       "r7 = " CTX12 "r9 = *(u32 *)(r1 +16)\n" MAP_VALUE "r8 = r0\nr6 = 4\nif r7 == 0 goto a\ngoto j\n"
		       "a:\nif r9 == 0 goto b\nr6 = 4\ngoto k\nb:\nr6 = 100\nk:\nr5 = 0\ngoto j\n"
		       "j:\nr8 += r6\nr0 = *(u8 *)(r8 +0)\nexit", NULL),
		/* ... and round a loop that closed before it was asked. */
		REJECT("marks travel round a loop", "R1 invalid mem access 'scalar'",
		       "r6 = " CTX12 "r7 = 1\nr8 = 1\nr9 = 1\nif r6 == 0 goto +1\ngoto l\nr9 = 100\n"
		       "l:\nmay_goto e\nif r7 == 100 goto bad\nr7 = r8\nr8 = r9\ngoto l\n"
		       "bad:\nr1 = 5\nr0 = *(u8 *)(r1 +0)\nexit\ne:\nr0 = 0\nexit", NULL),
		/* Precision is asked for inside a loop, of what was set before it. */
		REJECT("loop uses what came before", "value_size=48",
		       "r7 = " CTX12 MAP_VALUE "r6 = r0\nr8 = 1\nif r7 == 0 goto +1\ngoto j\nr8 = 30\n"
		       "j:\nr9 = 0\nr0 = 0\nl:\nr6 += r8\nr1 = *(u8 *)(r6 +0)\nr9 += 1\nif r9 < 3 goto l\nexit", "reject"),
		/* ... inside a may_goto loop: the first entry converges, the second must not join. */
		REJECT("may_goto entered again with more", "R1 ",
		       "r7 = " CTX12 MAP_VALUE "r6 = r0\nr8 = 1\nif r7 == 0 goto +1\ngoto j\nr8 = 100\n"
		       "j:\nr0 = 0\nl:\nmay_goto e\nr1 = r6\nr1 += r8\nr0 = *(u8 *)(r1 +0)\ngoto l\ne:\nexit", "reject"),
		/* The loop changes a register late; the exit uses it. */
		REJECT("may_goto carries a register round", "",
		       MAP_VALUE "r6 = r0\nr7 = 0\nr8 = 0\nr9 = 0\nl:\nmay_goto e\nr7 = r8\nr8 = r9\nr9 = 100\ngoto l\n"
		       "e:\nr6 += r7\nr0 = *(u8 *)(r6 +0)\nexit", "reject"),
		/* ... and so does the body, only when it comes round a second time. */
		REJECT("may_goto carries a register into a branch", "R1 invalid mem access 'scalar'",
		       "r6 = r1\nr7 = 0\nr8 = 0\nr9 = 0\nl:\nmay_goto e\nif r7 == 100 goto bad\nr7 = r8\nr8 = r9\nr9 = 100\n"
		       "goto l\nbad:\nr1 = 5\nr0 = *(u8 *)(r1 +0)\nexit\ne:\nr0 = 0\nexit", NULL),
		/* Inner loop's state is stored while the outer one still rotates registers. */
		REJECT("nested may_goto carry", "R1 invalid mem access 'scalar'",
		       "r7 = 0\nr8 = 0\nr9 = 0\nl:\nmay_goto e\nif r7 == 100 goto bad\nr7 = r8\nr8 = r9\n"
		       "i:\nmay_goto o\nr9 = 100\ngoto i\no:\ngoto l\nbad:\nr1 = 5\nr0 = *(u8 *)(r1 +0)\nexit\n"
		       "e:\nr0 = 0\nexit", NULL),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_prune_callback_traps)
{
	static const struct verify_case cases[] = {
		/* Each iteration moves a number one place on; only the third is unsafe. */
		REJECT("carried through iterations", "unbounded min value",
		       MAP_VALUE "r6 = r0\n*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -24) = 0\n"
		       "r1 = 100\nr2 = subprog[cb]\nr3 = r10\nr3 += -24\nr4 = 0\ncall 181\n"
		       "r1 = *(u64 *)(r10 -24)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +8)\n*(u64 *)(r2 +0) = r3\nr3 = *(u64 *)(r2 +16)\n"
		       "*(u64 *)(r2 +8) = r3\n*(u64 *)(r2 +16) = 100\nr0 = 0\nexit", "skip"),
		/* The callback's own branch on what an earlier iteration left. */
		REJECT("an iteration sees the one before", "R3 invalid mem access 'scalar'",
		       "*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\n"
		       "r1 = 100\nr2 = subprog[cb]\nr3 = r10\nr3 += -16\nr4 = 0\ncall 181\nr0 = 0\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +0)\nif r3 == 7 goto bad\nr3 = *(u64 *)(r2 +8)\n*(u64 *)(r2 +0) = r3\n"
		       "*(u64 *)(r2 +8) = 7\nr0 = 0\nexit\nbad:\nr0 = *(u8 *)(r3 +0)\nexit", "skip"),
		/* The caller's register decides in the code behind the loop. */
		REJECT("behind the loop", "value_size=48 off=100",
		       "r7 = *(u32 *)(r1 +12)\n" MAP_VALUE "r8 = r0\nr6 = 4\nif r7 == 0 goto +1\ngoto j\nr6 = 100\n"
		       "j:\nr1 = 10\nr2 = subprog[cb]\nr3 = 0\nr4 = 0\ncall 181\nr8 += r6\nr0 = *(u8 *)(r8 +0)\nexit\n"
		       "cb:\nr0 = 0\nexit", "skip"),
		/* The second of two iterations proved nothing of what a second one would do. */
		REJECT("iterations that are left", "value_size=48 off=48",
		       MAP_VALUE "r8 = r0\n*(u64 *)(r10 -8) = 0\nr1 = 2\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\n"
		       "call 181\nr1 = *(u64 *)(r10 -8)\nr8 += r1\nr0 = *(u8 *)(r8 +0)\nexit\n"
		       "cb:\nr6 = r2\n" RANDOM "if r0 == 0 goto +3\nr3 = *(u64 *)(r6 +0)\nr3 += 0\ngoto s\n"
		       "r3 = *(u64 *)(r6 +0)\nr3 += 24\ns:\n*(u64 *)(r6 +0) = r3\nr0 = 0\nexit", "skip"),
		/* The number of iterations differs. */
		REJECT("known iterations", "outside of the allowed memory range",
		       "r7 = *(u32 *)(r1 +12)\n" MAP_VALUE "r8 = r0\n*(u64 *)(r10 -8) = 0\nr1 = 1\nif r7 == 0 goto +1\n"
		       "goto j\nr1 = 3\nj:\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\n"
		       "r1 = *(u64 *)(r10 -8)\nr8 += r1\nr0 = *(u8 *)(r8 +45)\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit", "skip"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}
