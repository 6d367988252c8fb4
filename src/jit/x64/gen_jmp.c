/* SPDX-License-Identifier: MIT
 *
 * gen_jmp.c: jumps, and the code out of line that some of them lead to.
 *
 * How far a forward jump goes is known once the first pass has written everything long:
 * whatever lies between can only get shorter in the second.
 */
#include "jit/x64/gen.h"

static const u8 conds[NR_COND] = {
	[COND_EQ] = CC_E,  [COND_NE] = CC_NE,  [COND_GT] = CC_A,   [COND_GE] = CC_AE,
	[COND_LT] = CC_B,  [COND_LE] = CC_BE,  [COND_SGT] = CC_G,  [COND_SGE] = CC_GE,
	[COND_SLT] = CC_L, [COND_SLE] = CC_LE, [COND_SET] = CC_NE,
};

/* --- distances --- */

/* With up to @more bytes behind the jump that belong to the same instruction. */
static bool is_far(const struct gen *g, u32 to, u32 more)
{
	return !g->last_pass || to - g->out->insn_at[g->next] > INT8_MAX - more;
}

static void note_jump(struct gen *g, u8 *disp, bool near, u32 target)
{
	if (!vec_push(&g->jumps, (struct gen_jump){disp, near, target}))
		g->oom = true;
}

void gen_branch(struct gen *g, enum x64_cc cc, u32 target)
{
	bool near;

	if (target < g->next) {
		x64_jcc_to(&g->x, cc, g->out->start + g->out->insn_at[target]);
		return;
	}
	near = is_far(g, g->out->insn_at[target], 0);
	note_jump(g, x64_jcc(&g->x, cc, near), near, target);
}

void gen_goto(struct gen *g, u32 target)
{
	bool near;

	if (target == g->next)
		return;
	if (target < g->next) {
		x64_jmp_to(&g->x, g->out->start + g->out->insn_at[target]);
		return;
	}
	near = is_far(g, g->out->insn_at[target], 0);
	note_jump(g, x64_jmp(&g->x, near), near, target);
}

void gen_fix_jumps(struct gen *g)
{
	for (u32 i = 0; i < g->jumps.n; i++) {
		const struct gen_jump *j = &g->jumps.v[i];

		g->wrong |= !x64_patch(j->disp, j->near,
				       g->out->start + g->out->insn_at[j->target]);
	}
	for (u32 i = 0; i < g->calls.n; i++) {
		const struct gen_call *c = &g->calls.v[i];
		u32 sub = 0;

		while (g->plan->subs.v[sub].start != c->start ||
		       g->plan->subs.v[sub].end == c->start)
			sub++;
		g->wrong |= !x64_patch(c->disp, true, g->out->start + g->entry.v[sub]);
	}
}

/* --- conditions --- */

/* Whether the instruction before has compared @dst with 0 already. The result of one that is
 * 32 bits wide has no upper half. */
static bool is_compared(const struct gen *g, const struct code_insn *insn, u8 dst)
{
	const struct isa_info *info = isa_info((enum isa_op)insn->op);

	return g->flags_at == g->x.at && g->flags_reg == dst && !info->src_reg && !insn->imm &&
	       (info->sub == COND_EQ || info->sub == COND_NE) &&
	       (info->wide || !g->flags_wide) && !plan_is_target(g->plan, g->at);
}

enum x64_cc gen_compare(struct gen *g, const struct code_insn *insn)
{
	const struct isa_info *info = isa_info((enum isa_op)insn->op);
	u8 dst = gen_reg(insn->dst), src = gen_reg(insn->src);
	bool test = info->sub == COND_SET;

	if (is_compared(g, insn, dst))
		return (enum x64_cc)conds[info->sub];
	if (info->src_reg)
		x64_rr(&g->x, test ? X64_TEST_MR : X64_CMP_MR, info->wide, src, dst);
	else if (test)
		x64_test_imm(&g->x, info->wide, dst, (s32)insn->imm);
	else
		x64_alu_imm(&g->x, X64_CMP_RM, info->wide, dst, (s32)insn->imm);
	return (enum x64_cc)conds[info->sub];
}

void gen_jmp(struct gen *g, const struct code_insn *insn)
{
	u32 target = g->at + 1 + (u32)insn->off;

	if (target == g->next)
		return;
	gen_branch(g, gen_compare(g, insn), target);
}

/* --- out of line --- */

struct gen_stub *gen_stub_jump(struct gen *g, enum x64_cc cc, enum gen_stub_kind kind)
{
	bool near = !g->last_pass || is_far(g, g->stub_at.v[g->stubs.n], 16);

	if (!vec_push(&g->stubs, (struct gen_stub){.kind = (u8)kind, .near = near}) ||
	    (!g->last_pass && !vec_push(&g->stub_at, 0))) {
		g->oom = true;
		return NULL;
	}
	vec_last(&g->stubs)->disp = x64_jcc(&g->x, cc, near);
	return vec_last(&g->stubs);
}

struct gen_stub *gen_stub_add(struct gen *g, enum gen_stub_kind kind)
{
	if (!vec_push(&g->stubs, (struct gen_stub){.kind = (u8)kind}) ||
	    (!g->last_pass && !vec_push(&g->stub_at, 0))) {
		g->oom = true;
		return NULL;
	}
	return vec_last(&g->stubs);
}

static struct x64_mem in_slot(u16 off)
{
	return x64_at(SLOT, off);
}

static void stub_fault(struct gen *g, const struct gen_stub *stub)
{
	g->out->fixes.v[stub->fix].resume = gen_off(g, g->x.at);
	if (stub->dst != NO_REG)
		x64_mov_imm(&g->x, stub->dst, 0);
	if (stub->restore)
		x64_rr(&g->x, X64_MOV_RM, true, RAX, T0);
	x64_rm(&g->x, X64_INC, true, 0, in_slot(g->rt->faults));
	x64_jmp_to(&g->x, stub->back);
}

/* The budget was 0, and the subtraction has made it wrap. */
static void stub_budget(struct gen *g, const struct gen_stub *stub)
{
	x64_rmi(&g->x, X64_MOV_MI, false, 0, in_slot(g->rt->goto_budget), 0, 4);
	x64_jmp_to(&g->x, g->out->start + g->out->insn_at[stub->target]);
}

/* There were none left, and somebody must look. */
static void stub_turn(struct gen *g, const struct gen_stub *stub)
{
	gen_turn(g);
	x64_jcc_to(&g->x, CC_NE, stub->back);
	x64_jmp_to(&g->x, g->out->start + g->out->insn_at[stub->target]);
}

/* All code of the subprogram is written, so that every target is known. */
void gen_stubs(struct gen *g)
{
	for (u32 i = g->first_stub; i < g->stubs.n && !g->oom; i++) {
		const struct gen_stub *stub = &g->stubs.v[i];

		g->stub_at.v[i] = gen_off(g, g->x.at);
		if (stub->disp)
			g->wrong |= !x64_patch(stub->disp, stub->near, g->x.at);
		if (stub->kind == STUB_FAULT)
			stub_fault(g, stub);
		else if (stub->kind == STUB_TURN)
			stub_turn(g, stub);
		else
			stub_budget(g, stub);
	}
	g->first_stub = g->stubs.n;
}

void gen_may_goto(struct gen *g, const struct code_insn *insn)
{
	u32 target = g->at + 1 + (u32)insn->off;
	struct gen_stub *stub;

	x64_alu_mem_imm(&g->x, X64_SUB_RM, false, in_slot(g->rt->goto_budget), 1);
	stub = gen_stub_jump(g, CC_B, STUB_BUDGET);
	if (stub)
		stub->target = target;
}
