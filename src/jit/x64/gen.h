/* SPDX-License-Identifier: MIT
 *
 * gen.h: what the files of the x86-64 generator share.
 *
 * Registers: r1-r5 are where the System V ABI wants arguments, r0 where it returns, so
 * functions are called as they are; r6-r9 are preserved by callees on both sides. r10 is
 * rbp. r12 holds the execution slot in programs that need it. r10 and r11 of the machine,
 * and r9 (which is CODE_SCRATCH) when nothing holds it, are free within an instruction.
 *
 * Flags live from arithmetic to a jump right behind it that looks at the same register:
 * gen_flags_set(), gen_compare().
 */
#ifndef PINTLE_JIT_X64_GEN_H
#define PINTLE_JIT_X64_GEN_H

#include "jit/jit.h"
#include "jit/x64/enc.h"

enum { T0 = REG10, T1 = REG11, T2 = REG9, SLOT = REG12 };

struct gen_jump { /* displacement still to be filled in */
	u8 *disp;
	bool near;
	u32 target; /* code instruction */
};

enum gen_stub_kind { STUB_FAULT, STUB_BUDGET, STUB_TURN };

struct gen_stub { /* code out of line, behind its subprogram */
	u8 kind, dst;
	bool near, restore; /* STUB_FAULT: rax is in T0 */
	u8 *disp;   /* of the jump to it; NULL: none */
	u8 *back;   /* STUB_FAULT, STUB_TURN: where to go on */
	u32 target; /* STUB_BUDGET, STUB_TURN: instruction to go to */
	u32 fix;    /* STUB_FAULT: index of the exception entry */
};

struct gen_call { /* of a subprogram */
	u8 *disp;
	u32 start; /* code instruction it begins with */
};

struct gen {
	struct x64 x;
	const struct jit_rt *rt;
	struct log *log;
	const struct plan *plan;
	const struct code *code;
	struct jit_out *out;
	const struct plan_sub *sub;
	u32 at;		/* instruction being written */
	u32 next;	/* the one after what is written now */
	bool last_pass; /* insn_at holds the first pass's addresses from `at` on */
	bool bmi2, avx, popcnt, movbe;
	bool oom, wrong;
	/* The zero flag behind `flags_at` is that of the whole of this register. */
	const u8 *flags_at;
	u8 flags_reg;
	bool flags_wide;
	/* of the subprogram */
	u8 saved[5];
	u32 nsaved, frame;
	bool has_frame, pad;
	VEC(struct gen_jump) jumps;
	VEC(struct gen_stub) stubs;
	u32 first_stub;	  /* of the subprogram */
	VEC(u32) stub_at; /* by stub: address in the pass before */
	VEC(struct gen_call) calls;
	VEC(u32) entry; /* by subprogram: address of its prologue */
};

/* The machine's register of @reg. */
extern const u8 gen_regs[NR_CODE_REGS];

static inline u8 gen_reg(u32 reg)
{
	return gen_regs[reg];
}

static inline bool gen_live_after(const struct gen *g, u32 reg)
{
	return plan_live(g->plan, g->next - 1) & BIT(reg);
}

static inline u32 gen_off(const struct gen *g, const u8 *at)
{
	return (u32)(at - g->out->start);
}

/* --- fuse.c --- */
/* Writes as many instructions from g->at on as the machine can do at once, and sets
 * g->next; false: @insn has to be written by itself. */
bool gen_fuse(struct gen *g, const struct code_insn *insn);

/* --- copy.c --- */
u32 gen_copy(struct gen *g); /* as the functions of fuse.c */

/* --- idiom.c --- */
u32 gen_popcount(struct gen *g); /* as the functions of fuse.c */

/* --- merge.c --- */
u32 gen_merge(struct gen *g); /* likewise; from a load on */

/* --- gen_alu.c --- */
void gen_alu(struct gen *g, const struct code_insn *insn);
void gen_mov_reg(struct gen *g, bool wide, u8 to, u8 from); /* of the machine; nothing when equal */

/* What was just written has set the zero flag by its result, register @reg. */
static inline void gen_flags_set(struct gen *g, u8 reg, bool wide)
{
	g->flags_at = g->x.at;
	g->flags_reg = reg;
	g->flags_wide = wide;
}

/* --- gen_div.c --- */
void gen_div(struct gen *g, const struct code_insn *insn, const struct isa_info *info);

/* --- gen_mem.c --- */
void gen_load(struct gen *g, const struct code_insn *insn, u32 size, bool sign);
void gen_store(struct gen *g, const struct code_insn *insn, u32 size, bool imm);
void gen_load_from(struct gen *g, u8 dst, struct x64_mem mem, u32 size, bool sign);
void gen_store_to(struct gen *g, const struct code_insn *insn, struct x64_mem mem, u32 size,
		  bool imm);
void gen_atomic(struct gen *g, const struct code_insn *insn, const struct isa_info *info);
void gen_safe_load(struct gen *g, const struct code_insn *insn);

/* --- gen_jmp.c --- */
void gen_jmp(struct gen *g, const struct code_insn *insn);
/* Compares what the conditional jump @insn compares; the condition that it jumps on. */
enum x64_cc gen_compare(struct gen *g, const struct code_insn *insn);
void gen_goto(struct gen *g, u32 target);
void gen_branch(struct gen *g, enum x64_cc cc, u32 target);
void gen_may_goto(struct gen *g, const struct code_insn *insn);
/* A conditional jump to a new stub, which the caller fills in further; NULL: no memory. */
struct gen_stub *gen_stub_jump(struct gen *g, enum x64_cc cc, enum gen_stub_kind kind);
/* One that only a fault leads to. */
struct gen_stub *gen_stub_add(struct gen *g, enum gen_stub_kind kind);
void gen_stubs(struct gen *g);	  /* writes those of the subprogram */
void gen_fix_jumps(struct gen *g); /* fills in the displacements */

/* --- gen_frame.c --- */
/* Note for debuggers where subprogram @sub begins, where its prologue ends, and it. */
void gen_frame_begin(struct gen *g, u32 sub);
void gen_frame_body(struct gen *g, u32 sub);
void gen_frame_end(struct gen *g, u32 sub);

/* --- gen_call.c --- */
void gen_prologue(struct gen *g);
void gen_exit(struct gen *g);
void gen_callback_entry(struct gen *g, u32 sub);
bool gen_call(struct gen *g, const struct code_insn *insn); /* false: not a call we know */
bool gen_arena(struct gen *g, const struct code_insn *insn); /* gen_arena.c */
bool gen_query(struct gen *g, const struct code_insn *insn); /* IN_REGION, STORE_USER */
void gen_call_fn(struct gen *g, const void *fn);

/* Asks for more turns, keeping all registers; the flags say "zero" when there are none. */
void gen_turn(struct gen *g);

/* --- gen_end.c --- */
bool gen_end(struct gen *g, const struct code_insn *insn); /* runs that end early */

#endif
