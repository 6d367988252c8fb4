/* SPDX-License-Identifier: MIT
 *
 * jit.h: native code. Who loads programs begins a unit, adds the code of each program to
 * it, and seals it; then code.native of each can be called. What cannot be compiled stays
 * interpreted: the two do the same.
 *
 *	jit.c       one unit: memory, symbols, all or nothing
 *	blind.c     hides the constants of programs
 *	plan.c      what a generator wants to know: targets, liveness, subprograms
 *	mem.c       memory that is writable first and executable then; faults in it
 *	<machine>/  the generator for one machine: jit_generate()
 */
#ifndef PINTLE_JIT_JIT_H
#define PINTLE_JIT_JIT_H

#include "jit/mem.h"
#include "jit/plan.h"

/* What native code needs of the runtime: functions, and where things are in the execution
 * slot, which it gets as the last argument. */
struct jit_rt {
	u16 index, goto_budget, tail_calls, faults; /* offsets of u32, u32, u32, u64 */
	u16 ending, thrown, turns; /* offsets of u32, u64, u64 */
	/* What code with a budget calls. */
	bool (*turn)(void *slot);
	void (*hold)(void *slot, const struct code_hold *how, u64 value);
	void (*drop)(void *slot, const struct code_hold *how, u64 value);
	void (*keep)(void *slot, const void *storable, u64 object);
	void (*leave)(void *slot, u64 fp, u64 size);
	u32 max_tail_calls;
	/* Calls put(obj) after a grace period. */
	void (*put)(void *slot, void (*put)(void *obj), void *obj);
	/* Continues a tail call in a program that has no native code. */
	u64 (*tail)(const struct code *code, u64 r1, void *slot);
	/* What CODE_IN_REGION and CODE_STORE_USER ask. */
	bool (*in_region)(const void *pool, u64 addr, u32 size);
	u64 (*user_handle)(const void *slot, u64 pointer);
	bool safe_loads; /* faults are recovered: jit_resume() is asked */
};

struct jit;

enum { JIT_BLIND_GROWTH = 3 }; /* instructions that one becomes, at most */

/* NULL and *err; -ENOTSUP: no generator for this machine. @ninsns, @nsubprogs: of all code
 * that will be added. */
struct jit *jit_begin(const struct jit_rt *rt, u32 ninsns, u32 nsubprogs, int *err);
/* Compiles @code, which must outlive @jit. -ENOTSUP with words when something in it has no
 * native form. */
int jit_add(struct jit *jit, struct log *log, struct code *code);
/* Makes what was added executable and sets code.native and code.funcs[].native. */
int jit_seal(struct jit *jit, struct log *log);
/*
 * Rewrites @code, which must have an arena, so that none of the program's constants that are
 * longer than a byte appear in native code. Before jit_add(). -ENOTSUP, -EIO, -ENOMEM with words;
 * @code is as it was then.
 */
int jit_blind(struct log *log, struct code *code);
/* After the last run of any of it. NULL is fine. */
void jit_free(struct jit *jit);

/* --- between jit.c and a generator --- */

struct jit_out { /* what a generator writes for one program */
	u8 *at, *end;		 /* room; at moves behind what was written */
	VEC(struct jit_fix) fixes; /* `at` and `resume` from the start of the block */
	const u8 *start;	 /* of the block */
	u32 *insn_at;		 /* by code instruction and one more: offset from the block */
	u32 *callback;		 /* by subprogram: offset of its entry for callbacks */
	struct code_frame *frames; /* by subprogram, from the start of the block; or NULL */
};

/* 0; -ENOTSUP with words; -ENOSPC: does not fit; -ENOMEM. */
int jit_generate(const struct jit_rt *rt, struct log *log, const struct plan *plan,
		 struct jit_out *out);

#endif
