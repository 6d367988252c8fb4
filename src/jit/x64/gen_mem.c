/* SPDX-License-Identifier: MIT
 *
 * gen_mem.c: loads, stores, atomic operations, and loads that may fault.
 *
 * Orders come for free: loads of this machine acquire, stores release, locked operations
 * are sequentially consistent (rule book H7, H10).
 */
#include "jit/x64/gen.h"

static struct x64_mem mem_of(u8 reg, s32 off)
{
	return x64_at(gen_reg(reg), off);
}

void gen_load_from(struct gen *g, u8 dst, struct x64_mem mem, u32 size, bool sign)
{
	static const u8 zero[] = {X64_MOVZX8, X64_MOVZX16, X64_MOV_RM, X64_MOV_RM};
	static const u8 extend[] = {X64_MOVSX8, X64_MOVSX16, X64_MOVSX32, X64_MOV_RM};
	u32 log = (u32)__builtin_ctz(size);

	x64_rm(&g->x, sign ? extend[log] : zero[log], sign || size == 8, dst, mem);
}

void gen_load(struct gen *g, const struct code_insn *insn, u32 size, bool sign)
{
	gen_load_from(g, gen_reg(insn->dst), mem_of(insn->src, insn->off), size, sign);
}

void gen_store_to(struct gen *g, const struct code_insn *insn, struct x64_mem mem, u32 size,
		  bool imm)
{
	static const u8 of_reg[] = {X64_MOV_BYTE_MR, X64_MOV_WORD_MR, X64_MOV_MR, X64_MOV_MR};
	static const u8 of_imm[] = {X64_MOV_BYTE_MI, X64_MOV_WORD_MI, X64_MOV_MI, X64_MOV_MI};
	u32 log = (u32)__builtin_ctz(size);

	if (imm)
		x64_rmi(&g->x, of_imm[log], size == 8, 0, mem, (s32)insn->imm,
			min_u32(size, 4));
	else
		x64_rm(&g->x, of_reg[log], size == 8, gen_reg(insn->src), mem);
}

void gen_store(struct gen *g, const struct code_insn *insn, u32 size, bool imm)
{
	gen_store_to(g, insn, mem_of(insn->dst, insn->off), size, imm);
}

/* --- atomics --- */

static const u8 rmw[NR_ATOMIC] = {
	[ATOMIC_ADD] = X64_ADD_LOCK, [ATOMIC_OR] = X64_OR_LOCK,
	[ATOMIC_AND] = X64_AND_LOCK, [ATOMIC_XOR] = X64_XOR_LOCK,
	[ATOMIC_FETCH_OR] = X64_OR_RM, [ATOMIC_FETCH_AND] = X64_AND_RM,
	[ATOMIC_FETCH_XOR] = X64_XOR_RM,
};

/* The machine has no such instruction that returns the old value. */
static void fetch_loop(struct gen *g, const struct code_insn *insn, enum x64_op op, bool wide)
{
	u8 src = gen_reg(insn->src), operand = src == RAX ? (u8)T0 : src;
	struct x64_mem mem = mem_of(insn->dst, insn->off);
	u8 *again;

	gen_mov_reg(g, true, T0, RAX);
	if (mem.base == RAX)
		mem.base = T0;
	x64_rm(&g->x, X64_MOV_RM, wide, RAX, mem);
	again = g->x.at;
	gen_mov_reg(g, wide, T1, RAX);
	x64_rr(&g->x, op, wide, T1, operand);
	x64_rm(&g->x, X64_CMPXCHG, wide, T1, mem);
	x64_jcc_to(&g->x, CC_NE, again);
	if (src == RAX)
		return;
	gen_mov_reg(g, wide, src, RAX);
	gen_mov_reg(g, true, RAX, T0);
}

static void cmpxchg(struct gen *g, const struct code_insn *insn, bool wide)
{
	x64_rm(&g->x, X64_CMPXCHG, wide, gen_reg(insn->src), mem_of(insn->dst, insn->off));
	if (!wide) /* when it succeeds, the upper half stays */
		x64_rr(&g->x, X64_MOV_RM, false, RAX, RAX);
}

void gen_atomic(struct gen *g, const struct code_insn *insn, const struct isa_info *info)
{
	struct x64_mem mem = mem_of(insn->dst, insn->off);
	u8 src = gen_reg(insn->src);

	switch ((enum isa_atomic)info->sub) {
	case ATOMIC_FETCH_ADD:
		x64_rm(&g->x, X64_XADD, info->wide, src, mem);
		break;
	case ATOMIC_XCHG:
		x64_rm(&g->x, X64_XCHG, info->wide, src, mem);
		break;
	case ATOMIC_CMPXCHG:
		cmpxchg(g, insn, info->wide);
		break;
	case ATOMIC_FETCH_OR:
	case ATOMIC_FETCH_AND:
	case ATOMIC_FETCH_XOR:
		fetch_loop(g, insn, rmw[info->sub], info->wide);
		break;
	default:
		x64_rm(&g->x, rmw[info->sub], info->wide, src, mem);
	}
}

/* --- loads that may fault --- */

/*
 * One load, and an exception entry that sends a fault to a stub, which clears the
 * destination and goes on behind the load. Pointers near NULL, the usual kind of bad one,
 * go there without a fault; so do the few good ones of a host that maps its first pages,
 * as in the interpreter.
 */
void gen_safe_load(struct gen *g, const struct code_insn *insn)
{
	static const u8 sizes[] = {1, 2, 4, 8, 1, 2, 4};
	u32 i = insn->op - CODE_SAFE_LDX8, fix = g->out->fixes.n;
	u8 dst = gen_reg(insn->dst), src = gen_reg(insn->src);
	struct gen_stub *stub;

	x64_rri(&g->x, X64_TEST_I, true, 0, src, -65536, 4);
	stub = gen_stub_jump(g, CC_E, STUB_FAULT);
	if (!vec_push(&g->out->fixes, (struct jit_fix){.at = gen_off(g, g->x.at)}) || !stub) {
		g->oom = true;
		return;
	}
	gen_load_from(g, dst, x64_at(src, insn->off), sizes[i], i >= 4);
	stub->dst = dst;
	stub->back = g->x.at;
	stub->fix = fix;
}
