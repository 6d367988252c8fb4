/* SPDX-License-Identifier: MIT
 *
 * plan.h: what any generator wants to know of code before it writes the first byte, and
 * what has nothing to do with the machine: where control arrives, which registers are
 * alive, what each subprogram needs. One linear pass and a liveness analysis.
 */
#ifndef PINTLE_JIT_PLAN_H
#define PINTLE_JIT_PLAN_H

#include "base/vec.h"
#include "lower/code.h"

enum plan_flag {
	PLAN_TARGET = 1, /* a jump arrives here */
	PLAN_LOOP = 2,	 /* one from below */
	PLAN_TIGHT = 4,	 /* ... which ends a short loop with no other inside */
};

struct plan_sub {
	u32 start, end;	 /* code instructions */
	u16 used;	 /* registers it names, as bits */
	u16 once, often; /* registers it writes in one place, and in several */
	u32 number[NR_CODE_REGS]; /* a place that loads a number into that register */
	bool calls;	 /* calls anything: the machine's stack must be aligned */
	bool callback;	 /* its address is taken: entered from outside */
};

struct plan {
	const struct code *code;
	VEC(u8) flags;	/* by code instruction: enum plan_flag */
	VEC(u16) live;	/* by code instruction: registers that are read after it */
	VEC(struct plan_sub) subs; /* by subprogram, which is also the order of their code */
	bool needs_slot; /* something in it uses the execution slot */
};

/* Fills @plan, whose memory is used again by the next one; false: out of memory. */
bool plan_make(struct plan *plan, const struct code *code);
void plan_free(struct plan *plan);

/* Registers that @insn reads and writes; calls write what they clobber. */
u16 plan_reads(const struct code_insn *insn);
u16 plan_writes(const struct code_insn *insn);

static inline bool plan_is_target(const struct plan *plan, u32 at)
{
	return plan->flags.v[at] & PLAN_TARGET;
}

/* Whether @reg holds the same number wherever @sub reads it: nothing else is written to it,
 * and verified code reads nothing before it was written. */
bool plan_const(const struct plan *plan, const struct plan_sub *sub, u32 reg, u64 *number);

static inline u16 plan_live(const struct plan *plan, u32 at)
{
	return plan->live.v[at];
}

#endif
