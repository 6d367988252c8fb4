/* SPDX-License-Identifier: MIT
 *
 * gen_call.c: entering and leaving subprograms, and calls. Arguments are where callees
 * expect them already.
 *
 * Frame of a subprogram:
 *
 *	return address
 *	rbp of the caller	when the program uses its stack; rbp points here
 *	stack of the program	cleared where it may be read before it is written
 *	8 bytes of padding	when calls are made and alignment needs them
 *	saved registers
 *
 * A program that needs the execution slot gets it in r9, keeps it in r12, and hands it on
 * that way; its callbacks, which come from C, are entered through a few instructions
 * that do the same.
 */
#include "jit/x64/gen.h"

/* --- prologue and epilogue --- */

static void choose_saved(struct gen *g, bool main)
{
	g->nsaved = 0;
	for (u32 reg = R6; reg <= R9; reg++)
		if (g->sub->used & BIT(reg))
			g->saved[g->nsaved++] = gen_reg(reg);
	if (main && g->plan->needs_slot)
		g->saved[g->nsaved++] = SLOT;
}

/* Whether the 16 bytes from @at bytes below the frame pointer on must be cleared. */
static bool needs_clearing(const u64 *unwritten, u32 at)
{
	u32 slot = at / 8 - 2;

	return !unwritten || slot >= 64 || *unwritten >> slot & 3;
}

static void clear_stack(struct gen *g, u32 sub)
{
	const u64 *unwritten = g->code->unwritten ? &g->code->unwritten[sub] : NULL;
	bool zero = false;

	for (u32 at = 16; at <= g->frame; at += 16) {
		if (!needs_clearing(unwritten, at))
			continue;
		if (!zero)
			x64_rr(&g->x, X64_XORPS, false, 0, 0);
		zero = true;
		x64_rm(&g->x, X64_MOVAPS_MR, false, 0, x64_at(RBP, -(s32)at));
	}
}

void gen_prologue(struct gen *g)
{
	u32 sub = (u32)(g->sub - g->plan->subs.v), bytes;
	struct x64 *x = &g->x;

	choose_saved(g, !sub);
	g->has_frame = g->sub->used & BIT(R_FP);
	g->frame = g->has_frame ? g->code->frame[sub] : 0;
	bytes = 8 + 8 * g->has_frame + g->frame + 8 * g->nsaved;
	g->pad = g->sub->calls && bytes % 16;
	if (!sub || (g->sub->callback && !g->plan->needs_slot))
		x64_endbr(x);
	if (g->has_frame) {
		x64_push(x, RBP);
		gen_mov_reg(g, true, RBP, RSP);
		if (g->frame + 8 * g->pad)
			x64_alu_imm(x, X64_SUB_RM, true, RSP, (s32)(g->frame + 8 * g->pad));
		clear_stack(g, sub);
	} else if (g->pad) {
		x64_push(x, RCX);
	}
	for (u32 i = 0; i < g->nsaved; i++)
		x64_push(x, g->saved[i]);
	if (!sub && g->plan->needs_slot)
		gen_mov_reg(g, true, SLOT, REG9);
}

/* Everything but the return. */
static void epilogue(struct gen *g)
{
	for (u32 i = g->nsaved; i-- > 0;)
		x64_pop(&g->x, g->saved[i]);
	if (g->has_frame)
		x64_leave(&g->x);
	else if (g->pad)
		x64_pop(&g->x, RCX);
}

void gen_exit(struct gen *g)
{
	epilogue(g);
	x64_ret(&g->x);
}

void gen_callback_entry(struct gen *g, u32 sub)
{
	struct x64 *x = &g->x;
	u8 *disp;

	if (!g->plan->needs_slot) { /* its own entry will do */
		g->out->callback[sub] = gen_off(g, x->at);
		return;
	}
	g->out->callback[sub] = gen_off(g, x->at);
	x64_endbr(x);
	x64_push(x, SLOT);
	gen_mov_reg(g, true, SLOT, REG9);
	x64_call_rel(x, x->at);
	disp = x->at - 4;
	x64_pop(x, SLOT);
	x64_ret(x);
	x64_patch(disp, true, x->at);
}

/* --- calls --- */

void gen_call_fn(struct gen *g, const void *fn)
{
	if (x64_reaches(&g->x, fn)) {
		x64_call_rel(&g->x, fn);
		return;
	}
	x64_mov_imm(&g->x, RAX, (u64)(uintptr_t)fn);
	x64_rr(&g->x, X64_CALL_M, false, 0, RAX);
}

static void call_sub(struct gen *g, const struct code_insn *insn)
{
	struct gen_call call = {.start = g->at + 1 + (u32)insn->off};

	x64_call_rel(&g->x, g->x.at);
	call.disp = g->x.at - 4;
	if (!vec_push(&g->calls, call))
		g->oom = true;
}

/* What came back, as code.def says. */
static void narrow_result(struct gen *g, u32 op)
{
	struct x64 *x = &g->x;

	switch (op) {
	case CODE_CALL_BOOL:
		x64_rr(x, X64_TEST_BYTE_MR, false, RAX, RAX);
		x64_setcc(x, CC_NE, RAX);
		x64_rr(x, X64_MOVZX8, false, RAX, RAX);
		break;
	case CODE_CALL_U8:
		x64_rr(x, X64_MOVZX8, false, RAX, RAX);
		break;
	case CODE_CALL_S8:
		x64_rr(x, X64_MOVSX8, true, RAX, RAX);
		break;
	case CODE_CALL_U16:
		x64_rr(x, X64_MOVZX16, false, RAX, RAX);
		break;
	case CODE_CALL_S16:
		x64_rr(x, X64_MOVSX16, true, RAX, RAX);
		break;
	case CODE_CALL_U32:
		x64_rr(x, X64_MOV_RM, false, RAX, RAX);
		break;
	case CODE_CALL_S32:
		x64_rr(x, X64_MOVSX32, true, RAX, RAX);
		break;
	}
}

static void call_put(struct gen *g, const struct code_insn *insn)
{
	gen_mov_reg(g, true, RDX, RDI);
	x64_mov_imm(&g->x, RSI, (u64)(uintptr_t)insn->ptr);
	gen_mov_reg(g, true, RDI, SLOT);
	gen_call_fn(g, (const void *)g->rt->put);
	x64_mov_imm(&g->x, RAX, 0);
}

/* --- tail calls --- */

/* To a program that has native code: leave this frame, and jump. */
static void tail_jump(struct gen *g)
{
	gen_mov_reg(g, true, REG9, SLOT);
	epilogue(g);
	x64_rr(&g->x, X64_JMP_M, false, 0, T1);
}

/* To one that has not: it runs in the interpreter, and this frame returns its result. */
static void tail_interp(struct gen *g)
{
	gen_mov_reg(g, true, RSI, RDI);
	gen_mov_reg(g, true, RDI, RAX);
	gen_mov_reg(g, true, RDX, SLOT);
	gen_call_fn(g, (const void *)g->rt->tail);
	gen_exit(g);
}

static void tail_call(struct gen *g, const struct code_insn *insn)
{
	struct x64_mem made = x64_at(SLOT, g->rt->tail_calls);
	u8 *too_many, *none, *interp;
	struct x64 *x = &g->x;

	x64_alu_mem_imm(x, X64_CMP_RM, false, made, (s32)g->rt->max_tail_calls);
	too_many = x64_jcc(x, CC_AE, true);
	x64_push(x, RDI);
	x64_push(x, RDI);
	gen_mov_reg(g, true, RDI, RSI);
	gen_mov_reg(g, false, RSI, RDX);
	gen_call_fn(g, insn->ptr);
	x64_pop(x, RDI);
	x64_pop(x, RDI);
	x64_rr(x, X64_TEST_MR, true, RAX, RAX);
	none = x64_jcc(x, CC_E, true);
	x64_rm(x, X64_INC, false, 0, made);
	x64_rm(x, X64_MOV_RM, true, T1, x64_at(RAX, offsetof(struct code, direct)));
	x64_rr(x, X64_TEST_MR, true, T1, T1);
	interp = x64_jcc(x, CC_E, true);
	tail_jump(g);
	x64_patch(interp, true, x->at);
	tail_interp(g);
	x64_patch(too_many, true, x->at);
	x64_patch(none, true, x->at);
	x64_mov_imm(x, RAX, 0);
}

bool gen_call(struct gen *g, const struct code_insn *insn)
{
	switch (insn->op) {
	case OP_CALL_SUBPROG:
		call_sub(g, insn);
		return true;
	case CODE_PUT:
		call_put(g, insn);
		return true;
	case CODE_TAIL_CALL:
		tail_call(g, insn);
		return true;
	}
	if (insn->op < CODE_CALL || insn->op > CODE_CALL_S32)
		return false;
	gen_call_fn(g, insn->ptr);
	narrow_result(g, insn->op);
	return true;
}
