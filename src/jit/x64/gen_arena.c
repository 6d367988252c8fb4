/* SPDX-License-Identifier: MIT
 *
 * gen_arena.c: accesses in arenas: the lower half of a register, added to the window that
 * the code knows. Each instruction that touches memory has an exception entry: where no
 * page is, loads and fetches give 0, and nothing is written.
 */
#include "jit/x64/gen.h"

/* An exception entry for the instruction that is written next. */
static u32 site(struct gen *g)
{
	if (!vec_push(&g->out->fixes, (struct jit_fix){.at = gen_off(g, g->x.at)}))
		g->oom = true;
	return g->out->fixes.n - 1;
}

/* A fault at @fix clears @dst (NO_REG: nothing) and goes on here; @restore: rax is in T0. */
static void fault(struct gen *g, u32 fix, u8 dst, bool restore)
{
	struct gen_stub *stub = gen_stub_add(g, STUB_FAULT);

	if (!stub)
		return;
	stub->dst = dst;
	stub->restore = restore;
	stub->back = g->x.at;
	stub->fix = fix;
}

/* T0 and T1 are the address. */
static struct x64_mem address(struct gen *g, u8 reg, s32 off)
{
	x64_rr(&g->x, X64_MOV_RM, false, T0, gen_reg(reg));
	x64_mov_imm(&g->x, T1, g->code->window);
	return (struct x64_mem){T0, T1, 0, off};
}

/* The same in T2, which leaves both free. */
static struct x64_mem address_alone(struct gen *g, u8 reg, s32 off)
{
	x64_rr(&g->x, X64_MOV_RM, false, T2, gen_reg(reg));
	x64_mov_imm(&g->x, T1, g->code->window);
	x64_rr(&g->x, X64_ADD_RM, true, T2, T1);
	return x64_at(T2, off);
}

static void load(struct gen *g, const struct code_insn *insn)
{
	struct x64_mem mem = address(g, insn->src, insn->off);
	u32 fix = site(g);

	gen_load_from(g, gen_reg(insn->dst), mem, 1u << (insn->op - CODE_ARENA_LDX8), false);
	fault(g, fix, gen_reg(insn->dst), false);
}

static void store(struct gen *g, const struct code_insn *insn)
{
	struct x64_mem mem = address(g, insn->dst, insn->off);
	u32 fix = site(g);

	gen_store_to(g, insn, mem, 1u << (insn->op - CODE_ARENA_STX8), false);
	fault(g, fix, NO_REG, false);
}

/* As gen_mem.c's: what the machine has no fetching form of. */
static void fetch_loop(struct gen *g, struct x64_mem mem, u8 src, enum x64_op op, bool wide)
{
	u8 operand = src == RAX ? (u8)T0 : src, *again;
	u32 first, second;

	gen_mov_reg(g, true, T0, RAX);
	first = site(g);
	x64_rm(&g->x, X64_MOV_RM, wide, RAX, mem);
	again = g->x.at;
	x64_rr(&g->x, X64_MOV_RM, wide, T1, RAX);
	x64_rr(&g->x, op, wide, T1, operand);
	second = site(g);
	x64_rm(&g->x, X64_CMPXCHG, wide, T1, mem);
	x64_jcc_to(&g->x, CC_NE, again);
	if (src != RAX) {
		x64_rr(&g->x, X64_MOV_RM, wide, src, RAX);
		gen_mov_reg(g, true, RAX, T0);
	}
	fault(g, first, src, src != RAX);
	fault(g, second, src, src != RAX);
}

static void cmpxchg(struct gen *g, struct x64_mem mem, u8 src, bool wide)
{
	u32 fix = site(g);

	x64_rm(&g->x, X64_CMPXCHG, wide, src, mem);
	if (!wide) /* when it succeeds, the upper half stays */
		x64_rr(&g->x, X64_MOV_RM, false, RAX, RAX);
	fault(g, fix, RAX, false);
}

static void atomic(struct gen *g, const struct code_insn *insn)
{
	static const u8 ops[NR_ATOMIC] = {
		[ATOMIC_ADD] = X64_ADD_LOCK, [ATOMIC_OR] = X64_OR_LOCK,
		[ATOMIC_AND] = X64_AND_LOCK, [ATOMIC_XOR] = X64_XOR_LOCK,
		[ATOMIC_FETCH_ADD] = X64_XADD, [ATOMIC_XCHG] = X64_XCHG,
		[ATOMIC_FETCH_OR] = X64_OR_RM, [ATOMIC_FETCH_AND] = X64_AND_RM,
		[ATOMIC_FETCH_XOR] = X64_XOR_RM,
	};
	const struct isa_info *info = isa_info((enum isa_op)insn->imm);
	struct x64_mem mem = address_alone(g, insn->dst, insn->off);
	u8 src = gen_reg(insn->src), op = ops[info->sub];
	bool fetch = op == X64_XADD || op == X64_XCHG;
	u32 fix;

	if (info->sub == ATOMIC_CMPXCHG) {
		cmpxchg(g, mem, src, info->wide);
	} else if (op == X64_OR_RM || op == X64_AND_RM || op == X64_XOR_RM) {
		fetch_loop(g, mem, src, (enum x64_op)op, info->wide);
	} else {
		fix = site(g);
		x64_rm(&g->x, (enum x64_op)op, info->wide, src, mem);
		fault(g, fix, fetch ? src : NO_REG, false);
	}
}

/* dst = (u32)src ? window + (u32)src : 0 */
static void user(struct gen *g, const struct code_insn *insn)
{
	x64_rr(&g->x, X64_MOV_RM, false, T0, gen_reg(insn->src));
	x64_mov_imm(&g->x, T1, g->code->window);
	x64_rr(&g->x, X64_ADD_RM, true, T1, T0);
	x64_rr(&g->x, X64_TEST_MR, false, T0, T0);
	x64_cmov(&g->x, CC_NE, true, T0, T1);
	gen_mov_reg(g, true, gen_reg(insn->dst), T0);
}

bool gen_arena(struct gen *g, const struct code_insn *insn)
{
	if (insn->op == CODE_ARENA_USER)
		user(g, insn);
	else if (insn->op == CODE_ARENA_ATOMIC)
		atomic(g, insn);
	else if (insn->op >= CODE_ARENA_LDX8 && insn->op <= CODE_ARENA_LDX64)
		load(g, insn);
	else if (insn->op >= CODE_ARENA_STX8 && insn->op <= CODE_ARENA_STX64)
		store(g, insn);
	else
		return false;
	return true;
}
