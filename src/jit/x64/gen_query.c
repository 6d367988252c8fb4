/* SPDX-License-Identifier: MIT
 *
 * gen_query.c: operations that ask the runtime something in the middle of other work: a
 * call that programs do not know of, so that all their registers stay as they are.
 */
#include "jit/x64/gen.h"

struct kept { /* on the machine's stack, an even number */
	u8 reg[8];
	u32 n;
};

/* Whatever a callee may clobber and @mask names; registers of the program, as bits. */
static void keep(struct gen *g, u16 mask, struct kept *kept)
{
	static const u8 clobbered[] = {R0, R1, R2, R3, R4, R5, CODE_SCRATCH};

	kept->n = 0;
	for (u32 i = 0; i < ARRAY_SIZE(clobbered); i++)
		if (mask & BIT(clobbered[i]))
			kept->reg[kept->n++] = gen_reg(clobbered[i]);
	if (kept->n % 2)
		kept->reg[kept->n++] = T1;
	for (u32 i = 0; i < kept->n; i++)
		x64_push(&g->x, kept->reg[i]);
}

static void restore(struct gen *g, const struct kept *kept)
{
	for (u32 i = kept->n; i-- > 0;)
		x64_pop(&g->x, kept->reg[i]);
}

void gen_turn(struct gen *g)
{
	struct kept kept;

	keep(g, 0x3f | BIT(CODE_SCRATCH), &kept); /* whatever is alive where it came from */
	gen_mov_reg(g, true, RDI, SLOT);
	gen_call_fn(g, (const void *)g->rt->turn);
	x64_rr(&g->x, X64_TEST_BYTE_MR, false, RAX, RAX);
	restore(g, &kept);
}

static u16 live_and(const struct gen *g, u32 reg)
{
	return (u16)(plan_live(g->plan, g->at) | BIT(reg));
}

/* dst = in_region(pool, dst, size) ? dst : 0 */
static void in_region(struct gen *g, const struct code_insn *insn)
{
	u8 dst = gen_reg(insn->dst);
	struct kept kept;

	keep(g, live_and(g, insn->dst), &kept);
	gen_mov_reg(g, true, RSI, dst);
	x64_mov_imm(&g->x, RDX, (u32)insn->off);
	x64_mov_imm(&g->x, RDI, (u64)(uintptr_t)insn->ptr);
	gen_call_fn(g, (const void *)g->rt->in_region);
	gen_mov_reg(g, false, T0, RAX);
	restore(g, &kept);
	x64_mov_imm(&g->x, T1, 0);
	x64_rr(&g->x, X64_TEST_BYTE_MR, false, T0, T0);
	x64_cmov(&g->x, CC_E, true, dst, T1);
}

/* *(dst + off) = user_handle(slot, src) */
static void store_user(struct gen *g, const struct code_insn *insn)
{
	struct kept kept;

	keep(g, live_and(g, insn->dst), &kept);
	gen_mov_reg(g, true, RSI, gen_reg(insn->src));
	gen_mov_reg(g, true, RDI, SLOT);
	gen_call_fn(g, (const void *)g->rt->user_handle);
	gen_mov_reg(g, true, T0, RAX);
	restore(g, &kept);
	x64_rm(&g->x, X64_MOV_MR, true, T0, x64_at(gen_reg(insn->dst), insn->off));
}

/* fn(slot, how, src) */
static void held(struct gen *g, const struct code_insn *insn, const void *fn)
{
	struct kept kept;

	keep(g, live_and(g, insn->src), &kept);
	gen_mov_reg(g, true, RDX, gen_reg(insn->src));
	x64_mov_imm(&g->x, RSI, (u64)(uintptr_t)insn->ptr);
	gen_mov_reg(g, true, RDI, SLOT);
	gen_call_fn(g, fn);
	restore(g, &kept);
}

bool gen_query(struct gen *g, const struct code_insn *insn)
{
	if (insn->op == CODE_IN_REGION)
		in_region(g, insn);
	else if (insn->op == CODE_STORE_USER)
		store_user(g, insn);
	else if (insn->op == CODE_HOLD)
		held(g, insn, (const void *)g->rt->hold);
	else if (insn->op == CODE_DROP)
		held(g, insn, (const void *)g->rt->drop);
	else if (insn->op == CODE_KEEP)
		held(g, insn, (const void *)g->rt->keep);
	else
		return false;
	return true;
}
