/* SPDX-License-Identifier: MIT
 *
 * make.h: what the files share that make up programs for diff.c.
 *
 *	make.c       numbers, single instructions, control flow, the program
 *	make_alu.c   arithmetic, and runs of it that are one instruction of a machine
 *	make_mem.c   memory: the stack, the program's own, pools, an arena
 *	make_call.c  calls
 *
 * A program keeps the address of its memory in one of r6-r9 (`hold`). Other registers hold
 * numbers, and addresses only between their making and their use, so that no result
 * depends on where the stack lies. After a call, r1-r5 are set again.
 */
#ifndef TEST_JIT_MAKE_H
#define TEST_JIT_MAKE_H

#include "jit/diff.h"

enum {
	MAX_INSNS = 4096,
	MEM_SIZE = DIFF_MEM, /* around the address that programs get: half on either side */
	MAX_SUBS = 4,
	STACK = 128,
};

struct gen { /* a program under way */
	u64 random;
	struct code_insn v[MAX_INSNS];
	u8 keep[MAX_INSNS]; /* addresses and loops: not to be taken out */
	u32 n;
	u32 hold;	    /* register with the address of the memory */
	u32 reserved;	    /* registers that loops count in, as bits */
	u32 unset;	    /* registers that hold nothing */
	u32 sub, nsubs;
	u32 entry[MAX_SUBS], frame[MAX_SUBS];
	u64 unwritten[MAX_SUBS];
	struct code_func funcs[MAX_SUBS];
	u32 leaves[64], nleaves; /* jumps to the end of the subprogram, where runs end early */
	bool keeping;
	bool metered; /* loops and callbacks count turns; what is held is noted */
	bool plain; /* only what a kernel's verifier takes */
};

/* --- make.c--- */
u64 make_next(struct gen *g);
u32 make_below(struct gen *g, u32 n);
bool make_chance(struct gen *g, u32 percent);
u64 make_number(struct gen *g);
void make_emit(struct gen *g, u32 op, u32 dst, u32 src, s32 off, s64 imm);
void make_emit_kept(struct gen *g, u32 op, u32 dst, u32 src, s32 off, s64 imm);
u32 make_any_dst(struct gen *g);
u32 make_any_src(struct gen *g);
void make_set_number(struct gen *g, u32 reg);
void make_set_args(struct gen *g);
u32 make_random_op(struct gen *g, enum isa_kind kind);
void make_program(struct gen *g, u64 seed, bool plain, struct code *code);

/* --- make_alu.c --- */
void make_alu(struct gen *g);
void make_divide(struct gen *g);
void make_idiom(struct gen *g);
void make_rotate(struct gen *g);
void make_scaled(struct gen *g);
void make_popcount(struct gen *g);

/* --- make_mem.c --- */

/* An arena of one page in the middle of nothing: accesses hit one of its edges, where some
 * bytes of a number may be there and others not, or any place of the 4 GB. */
enum { ARENA_AT = 0x10000, ARENA_PAGE = 4096, ARENA_EDGE = 64 };

extern u8 make_memory[MEM_SIZE]; /* of the program that runs */
extern u8 *make_arena;		/* the window; NULL: not to be had */
void make_load(struct gen *g);
void make_copy(struct gen *g);
void make_bytewise(struct gen *g);
void make_network(struct gen *g);
void make_store(struct gen *g);
void make_locked(struct gen *g);
void make_safe_load(struct gen *g);
void make_pool_init(void);
void make_in_pool(struct gen *g);
void make_store_user(struct gen *g);
void make_arena_init(void);
void make_in_arena(struct gen *g);
void make_scratch(struct gen *g);

/* --- make_call.c --- */

extern const struct code *make_tail_target; /* of this run */
void make_call(struct gen *g);
void make_leave(struct gen *g, u32 op);
void make_turn(struct gen *g);
void make_call_sub(struct gen *g);
void make_tail_call(struct gen *g);
void make_exchange(struct gen *g);

#endif
