/* SPDX-License-Identifier: MIT
 *
 * diff.h: the interpreter against native code, on generated programs. Each is a piece of
 * code as lower() makes it, with every operation, operand shape, register and size in it;
 * both run it on the same memory, and must leave the same result, memory, fault count and
 * loop budget.
 */
#ifndef TEST_JIT_DIFF_H
#define TEST_JIT_DIFF_H

#include "run/run.h"

struct diff_result {
	u64 seed;	/* of the program that failed */
	char words[65536]; /* what differs, and the program made small */
};

/*
 * Generates and compares @n programs from @seed on; false and *result at the first that
 * differs. @blind: constants are hidden in native code. @skipped: how many could not be compiled, e.g. for lack of executable memory.
 */
bool diff_run(struct pintle_host *host, bool blind, u64 seed, u64 n, u64 *skipped,
	      struct diff_result *result);

enum { DIFF_MEM = 256 };

struct diff_plain {
	const struct code_insn *insns; /* until the next one; r1: the middle of the memory */
	u32 n;
	u64 result;
	u8 before[DIFF_MEM], after[DIFF_MEM]; /* memory */
	bool compiled;
};

/* One program of what a kernel's verifier takes, and what it does, said by the interpreter.
 * False: native code, if there is any, says something else. */
bool diff_plain(struct pintle_host *host, u64 seed, struct diff_plain *out);

#endif
