/* SPDX-License-Identifier: MIT
 *
 * Verdicts on control flow: structure, loops, subprograms, callbacks.
 */
#include "verify_fixture.h"

#include "base/arena.h"
#include "base/log.h"

TEST(verify_structure)
{
	static const struct verify_case cases[] = {
		REJECT("unreachable", "unreachable insn 2", "r0 = 0\nexit\nr0 = 1\nexit"),
		REJECT("jump out", "jump out of range from insn 0 to 6", "goto +5\nr0 = 0\nexit"),
		REJECT("jump before", "jump out of range from insn 1 to -1", "r0 = 0\ngoto -3\nexit"),
		REJECT("into an immediate", "jump into the middle of ldimm64 insn 2",
		       "goto +1\nr0 = 0x5\nexit", "reject"),
		REJECT("runs off the end", "last insn is not an exit or jmp", "r0 = 0\nr0 = 1"),
		REJECT("last is a conditional jump", "last insn is not an exit or jmp",
		       "r0 = 0\nif r0 == 0 goto -2"),
		REJECT("jump to another subprogram", "jump out of range",
		       "call f\nif r0 == 0 goto +1\nexit\nf:\nr0 = 0\nexit"),
		REJECT("falls into another subprogram", "last insn is not an exit or jmp",
		       "r1 = 5\ncall f\nf:\nr0 = 0\nexit"),
		REJECT("call through a register", "unknown opcode 8d", "r6 = 0\ncallx r6\nr0 = 0\nexit"),
		ACCEPT("goto and gotol", "goto +0\ngotol +0\nr0 = 0\nexit"),
		REJECT("recursion", "recurs", "call f\nexit\nf:\ncall f\nexit", "reject"),
		REJECT("mutual recursion", "recurs", "call f\nexit\nf:\ncall g\nexit\ng:\ncall f\nexit", "reject"),
		REJECT("nine frames", "the call stack of 9 frames is too deep",
		       "call a\nexit\na:\ncall b\nexit\nb:\ncall c\nexit\nc:\ncall d\nexit\nd:\ncall e\nexit\n"
		       "e:\ncall f\nexit\nf:\ncall g\nexit\ng:\ncall h\nexit\nh:\nr0 = 0\nexit"),
		ACCEPT("eight frames",
		       "call a\nexit\na:\ncall b\nexit\nb:\ncall c\nexit\nc:\ncall d\nexit\nd:\ncall e\nexit\n"
		       "e:\ncall f\nexit\nf:\ncall g\nexit\ng:\nr0 = 0\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_loops)
{
	static const struct verify_case cases[] = {
		ACCEPT("counted", "r0 = 0\nl:\nr0 += 1\nif r0 < 100 goto l\nexit"),
		ACCEPT("counted down", "r0 = 100\nl:\nr0 -= 1\nif r0 != 0 goto l\nexit"),
		REJECT("endless", "infinite loop detected at insn", "r0 = 0\nl:\ngoto l"),
		REJECT("endless with a condition", "infinite loop detected",
		       "r0 = 0\nl:\nif r0 == 0 goto l\nexit"),
		REJECT("endless on an unknown number", "infinite loop detected",
		       "r6 = 0\nl:\n" RANDOM "if r0 != 5 goto l\nexit"),
		REJECT("counter never reaches", "infinite loop detected",
		       "r0 = 1\nr1 = 1\nl:\nr0 ^= r1\nif r0 != 5 goto l\nexit", "reject"),
		ACCEPT("unknown bound", "r6 = *(u32 *)(r1 +12)\nr6 &= 63\nr7 = 0\n"
				       "l:\nif r7 >= r6 goto e\nr7 += 1\ngoto l\ne:\nr0 = 0\nexit"),
		ACCEPT("array sum", MAP_VALUE "r6 = r0\nr7 = 0\nr0 = 0\n"
		       "l:\nr1 = r6\nr1 += r7\nr2 = *(u8 *)(r1 +0)\nr0 += r2\nr7 += 1\nif r7 < 48 goto l\nexit"),
		REJECT("array sum, one too far", "invalid access to map value, value_size=48 off=48 size=1",
		       MAP_VALUE "r6 = r0\nr7 = 0\nr0 = 0\n"
		       "l:\nr1 = r6\nr1 += r7\nr2 = *(u8 *)(r1 +0)\nr0 += r2\nr7 += 1\nif r7 < 49 goto l\nexit"),
		ACCEPT("nested", "r6 = 0\no:\nr7 = 0\ni:\nr7 += 1\nif r7 < 10 goto i\nr6 += 1\n"
				"if r6 < 10 goto o\nr0 = 0\nexit"),
		ACCEPT("may_goto without a counter", "r0 = 0\nl:\nmay_goto +1\ngoto l\nexit"),
		ACCEPT("may_goto counting", "r0 = 0\nl:\nmay_goto +2\nr0 += 1\ngoto l\nexit"),
		ACCEPT("may_goto over an array", MAP_VALUE "r6 = r0\nr7 = 0\nr0 = 0\n"
		       "l:\nmay_goto e\nif r7 >= 48 goto e\nr1 = r6\nr1 += r7\nr2 = *(u8 *)(r1 +0)\nr0 += r2\n"
		       "r7 += 1\ngoto l\ne:\nexit"),
		REJECT("may_goto over an array, unchecked", "R1 ", MAP_VALUE "r6 = r0\nr7 = 0\nr0 = 0\n"
		       "l:\nmay_goto e\nr1 = r6\nr1 += r7\nr2 = *(u8 *)(r1 +0)\nr0 += r2\n"
		       "r7 += 1\ngoto l\ne:\nexit", "reject"),
		ACCEPT("nested may_goto", "r6 = 0\nr7 = 0\no:\nmay_goto e\nr6 += 1\ni:\nmay_goto o2\nr7 += 1\ngoto i\n"
		       "o2:\ngoto o\ne:\nr0 = r7\nexit"),
		REJECT("may_goto and use after", "R6 ", MAP_VALUE "r6 = r0\nr7 = 0\n"
		       "l:\nmay_goto e\nr7 += 1\ngoto l\ne:\nr6 += r7\nr0 = *(u8 *)(r6 +0)\nexit", "reject"),
		REJECT("a pointer lost in the second round", "R6 invalid mem access 'scalar'",
		       "r6 = r1\nl:\nmay_goto e\nr0 = *(u32 *)(r6 +12)\nr6 = 0\ngoto l\ne:\nr0 = 0\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_subprograms)
{
	static const struct verify_case cases[] = {
		ACCEPT("argument and result", "r1 = 5\ncall f\nexit\nf:\nr0 = r1\nr0 += 1\nexit"),
		REJECT("argument not set", "R2 !read_ok", "r1 = 5\ncall f\nexit\nf:\nr0 = r2\nexit"),
		REJECT("result not set", "R0 !read_ok", "r1 = 5\ncall f\nexit\nf:\nr1 = 0\nexit"),
		REJECT("r1 after a call", "R1 !read_ok", "r1 = 5\ncall f\nr0 = r1\nexit\nf:\nr0 = 0\nexit"),
		ACCEPT("r6 survives", "r6 = r1\ncall f\nr0 = *(u32 *)(r6 +12)\nexit\nf:\nr6 = 0\nr0 = 0\nexit"),
		REJECT("r6 is not passed", "R6 !read_ok", "r6 = r1\ncall f\nexit\nf:\nr0 = r6\nexit"),
		ACCEPT("bounds come back", MAP_VALUE "r6 = r0\n" RANDOM "r1 = r0\ncall f\nr6 += r0\n"
		       "r0 = *(u8 *)(r6 +0)\nexit\nf:\nr0 = r1\nr0 &= 31\nexit"),
		REJECT("bounds of one return only", "R6 min value is outside",
		       MAP_VALUE "r6 = r0\n" RANDOM "r1 = r0\ncall f\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\n"
		       "f:\nr0 = r1\nif r1 == 500 goto +2\nr0 &= 31\nexit\nexit"),
		ACCEPT("a test in the callee holds for the caller's copy",
		       MAP_VALUE "r6 = r0\n" RANDOM "r7 = r0\nr1 = r0\ncall f\nif r0 == 0 goto e\nr6 += r7\n"
		       "r0 = *(u8 *)(r6 +0)\nexit\ne:\nr0 = 0\nexit\nf:\nr0 = 0\nif r1 > 47 goto +1\nr0 = 1\nexit"),
		ACCEPT("called twice", "r1 = 1\ncall f\nr6 = r0\nr1 = 2\ncall f\nr0 += r6\nexit\nf:\nr0 = r1\nexit"),
		ACCEPT("a map value from a callee",
		       "call f\nif r0 == 0 goto +1\nr0 = *(u64 *)(r0 +0)\nexit\n"
		       "f:\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map[id:1]\ncall 1\nexit"),
		REJECT("a map value from a callee, untested", "map_value_or_null",
		       "call f\nr0 = *(u64 *)(r0 +0)\nexit\n"
		       "f:\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map[id:1]\ncall 1\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_callbacks)
{
#define LOOP(n, ctx) "r1 = " n "\nr2 = subprog[cb]\nr3 = " ctx "\nr4 = 0\ncall 181\n"
	static const struct verify_case cases[] = {
		ACCEPT("bpf_loop", LOOP("10", "0") "r0 = 0\nexit\ncb:\nr0 = 0\nexit", "skip"),
		REJECT("returns too much", "At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]",
		       LOOP("10", "0") "r0 = 0\nexit\ncb:\nr0 = 2\nexit", "skip"),
		REJECT("returns an unknown number", "At callback return the register R0 has unknown scalar value",
		       LOOP("10", "0") "r0 = 0\nexit\ncb:\n" RANDOM "exit", "skip"),
		REJECT("returns nothing", "R0 !read_ok", LOOP("10", "0") "r0 = 0\nexit\ncb:\nr1 = 0\nexit", "skip"),
		ACCEPT("counts on the caller's stack",
		       "*(u64 *)(r10 -8) = 0\n" "r1 = 10\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\n"
		       "r0 = *(u64 *)(r10 -8)\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit", "skip"),
		REJECT("what it counted is not bounded", "R6 ",
		       MAP_VALUE "r6 = r0\n*(u64 *)(r10 -8) = 0\nr1 = 100\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\n"
		       "call 181\nr1 = *(u64 *)(r10 -8)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit", "skip"),
		ACCEPT("two iterations at most", MAP_VALUE
		       "r6 = r0\n*(u64 *)(r10 -8) = 0\nr1 = 2\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\n"
		       "call 181\nr1 = *(u64 *)(r10 -8)\nr6 += r1\nr0 = *(u8 *)(r6 +45)\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit", "skip"),
		REJECT("two iterations, room for one", "outside of the allowed memory range", MAP_VALUE
		       "r6 = r0\n*(u64 *)(r10 -8) = 0\nr1 = 2\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\n"
		       "call 181\nr1 = *(u64 *)(r10 -8)\nr6 += r1\nr0 = *(u8 *)(r6 +46)\nexit\n"
		       "cb:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit", "skip"),
		REJECT("zero iterations", "R6 ", /* r8 spilled is set by the callback only */
		       MAP_VALUE "r6 = r0\n*(u64 *)(r10 -8) = 1000\nr1 = 2\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\n"
		       "call 181\nr1 = *(u64 *)(r10 -8)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit\n"
		       "cb:\n*(u64 *)(r2 +0) = 0\nr0 = 0\nexit", "skip"),
		REJECT("spoils a spilled pointer", "R1 invalid mem access 'scalar'",
		       "*(u64 *)(r10 -8) = r1\nr1 = 10\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\n"
		       "r1 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r1 +12)\nexit\n"
		       "cb:\n*(u64 *)(r2 +0) = 0\nr0 = 0\nexit", "skip"),
		REJECT("a callback inside itself", "recurs",
		       LOOP("10", "0") "r0 = 0\nexit\ncb:\n" LOOP("10", "0") "r0 = 0\nexit", "skip"),
		ACCEPT("each element", "r1 = map[id:0]\nr2 = subprog[cb]\nr3 = 0\nr4 = 0\ncall 164\nr0 = 0\nexit\n"
				       "cb:\nr0 = *(u64 *)(r3 +40)\nr0 = 0\nexit", "skip"),
		REJECT("each element, too far", "value_size=48",
		       "r1 = map[id:0]\nr2 = subprog[cb]\nr3 = 0\nr4 = 0\ncall 164\nr0 = 0\nexit\n"
		       "cb:\nr0 = *(u64 *)(r3 +48)\nr0 = 0\nexit", "skip"),
		REJECT("a key is not written", "write to change key",
		       "r1 = map[id:0]\nr2 = subprog[cb]\nr3 = 0\nr4 = 0\ncall 164\nr0 = 0\nexit\n"
		       "cb:\n*(u32 *)(r2 +0) = 0\nr0 = 0\nexit", "skip"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

/* f: continues in another program, or returns 3. */
#define TAIL "f:\nr2 = map[id:2]\nr3 = 0\ncall 12\nr0 = 3\nexit"

TEST(verify_tail_calls_come_back_with_anything)
{
	static const struct verify_case cases[] = {
		ACCEPT("the main program's", "r2 = map[id:2]\nr3 = 0\ncall 12\nr0 = 0\nexit"),
		REJECT("result unknown", "math between map_value pointer and register",
		       "r7 = r1\n" MAP_VALUE "r6 = r0\nr1 = r7\ncall f\nr6 += r0\n"
		       "r0 = *(u8 *)(r6 +0)\nexit\n" TAIL, "skip"),
		ACCEPT("result tested",
		       "r7 = r1\n" MAP_VALUE "r6 = r0\nr1 = r7\ncall f\nif r0 > 47 goto +3\nr6 += r0\n"
		       "r0 = *(u8 *)(r6 +0)\nexit\nr0 = 0\nexit\n" TAIL, "skip"),
		REJECT("the packet may have changed", "R6 invalid mem access 'scalar'",
		       "r6 = *(u32 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\nr3 = r6\nr3 += 1\n"
		       "if r3 > r2 goto +2\ncall f\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit\n" TAIL, "skip"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_budget_is_kept_quickly)
{
	struct verified v;
	struct verify_opts opts = {0};

	verify_text(&v, "r6 = 0\nr7 = 0\nl:\nr6 += 1\nr7 += 3\nr7 &= 1023\nif r6 < 10000000 goto l\n"
			"r0 = r7\nexit", &opts);
	CHECK(v.err);
	CHECK_HAS(log_text(&v.log), "BPF program is too large. Processed 1000001 insn");
	CHECK(v.stats.time_ns < 10000000000ull); /* sanitizers, busy machines */
	verify_done(&v);
}

TEST(verify_proof_tells_dead_code_and_branches)
{
	struct verified v;

	verify_text(&v, "r0 = 5\nif r0 == 5 goto +1\nr0 = 7\nr1 = 0x5\nif r0 > 9 goto +0\nexit", NULL);
	CHECK_EQ(v.err, 0);
	CHECK(v.proof->at[0].reached);
	CHECK_EQ(v.proof->at[1].branch, 1);
	CHECK(!v.proof->at[2].reached);
	CHECK(v.proof->at[3].reached);
	CHECK(v.proof->at[4].reached);
	CHECK_EQ(v.proof->at[5].branch, 0);
	verify_done(&v);
	verify_text(&v, RANDOM "r1 = 0\nif r0 > 9 goto +1\nr1 = *(u64 *)(r10 -24)\ncall f\nexit\n"
			"f:\n*(u64 *)(r10 -8) = r1\nr0 = 0\nexit", NULL);
	CHECK_EQ(v.err, 0);
	CHECK_EQ(v.proof->at[2].branch, -1);
	CHECK_EQ(v.proof->at[3].access, ACCESS_PLAIN);
	CHECK_EQ(v.proof->stack_depth[0], 24);
	CHECK_EQ(v.proof->stack_depth[1], 8);
	CHECK_EQ(v.proof->max_stack, 48);
	verify_done(&v);
}

/* @n instructions that fill the stack in a ring, with a branch now and then. */
static struct insn *long_program(u32 n)
{
	struct insn *insns = calloc(n, sizeof(*insns));

	CHECK(insns != NULL);
	insns[0] = (struct insn){.code = 0xb7};
	for (u32 i = 1; i < n - 1; i++)
		insns[i] = i % 256 == 255 ? (struct insn){.code = 0x61, .dst = R6, .src = R1, .off = 12}
			   : i % 256 == 0 ? (struct insn){.code = 0x25, .dst = R6, .off = 1, .imm = (s32)i}
			   : i % 2	  ? (struct insn){.code = 0x07, .imm = 1}
				       : (struct insn){.code = 0x7b, .dst = R10,
						       .off = (s16)(-8 * (s32)(1 + i % 64))};
	insns[n - 1] = (struct insn){.code = 0x95};
	return insns;
}

TEST(verify_takes_long_programs)
{
	static const u32 lengths[] = {4096, 400000, 1000000};

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct insn *insns = long_program(lengths[i]);
		struct verified v;

		verify_insns(&v, insns, lengths[i], NULL);
		/* A million is more than the budget, with what is walked twice. */
		if (lengths[i] < 1000000)
			CHECK_EQ(v.err, 0);
		else
			CHECK_EQ(v.why.rule, RULE_BUDGET);
		verify_done(&v);
		free(insns);
	}
}
