/* SPDX-License-Identifier: MIT
 *
 * gen_end.c: runs that end early. A word of the execution slot says so; each frame looks at
 * it behind calls that can set it, and returns. So the machine's stack is left the way it
 * was entered, which debuggers and shadow stacks want.
 */
#include "jit/x64/gen.h"

static struct x64_mem in_slot(u16 off)
{
	return x64_at(SLOT, off);
}

static void set_ending(struct gen *g, enum ending ending)
{
	x64_rmi(&g->x, X64_MOV_MI, false, 0, in_slot(g->rt->ending), (s32)ending, 4);
}

static void jump_unless(struct gen *g, const struct code_insn *insn, enum ending ending)
{
	x64_alu_mem_imm(&g->x, X64_CMP_RM, false, in_slot(g->rt->ending), (s32)ending);
	gen_branch(g, CC_NE, g->at + 1 + (u32)insn->off);
}

static void turn(struct gen *g, const struct code_insn *insn)
{
	struct gen_stub *stub;

	x64_alu_mem_imm(&g->x, X64_SUB_RM, true, in_slot(g->rt->turns), 1);
	stub = gen_stub_jump(g, CC_B, STUB_TURN);
	if (!stub)
		return;
	stub->target = g->at + 1 + (u32)insn->off;
	stub->back = g->x.at;
}

static void end_frame(struct gen *g, const struct code_insn *insn)
{
	x64_mov_imm(&g->x, RDX, (u32)insn->off);
	gen_mov_reg(g, true, RSI, RBP);
	gen_mov_reg(g, true, RDI, SLOT);
	gen_call_fn(g, (const void *)g->rt->leave);
}

bool gen_end(struct gen *g, const struct code_insn *insn)
{
	switch (insn->op) {
	case CODE_THROW:
		x64_rm(&g->x, X64_MOV_MR, true, gen_reg(R1), in_slot(g->rt->thrown));
		set_ending(g, ENDING_THROWN);
		return true;
	case CODE_TURN:
		turn(g, insn);
		return true;
	case CODE_LEAVE:
		end_frame(g, insn);
		return true;
	case CODE_IF_ENDING:
		jump_unless(g, insn, ENDING_NONE);
		return true;
	case CODE_CATCH:
		x64_rm(&g->x, X64_MOV_RM, true, gen_reg(R1), in_slot(g->rt->thrown));
		jump_unless(g, insn, ENDING_THROWN);
		set_ending(g, ENDING_NONE);
		return true;
	}
	return false;
}
