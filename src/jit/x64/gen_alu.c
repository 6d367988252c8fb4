/* SPDX-License-Identifier: MIT
 *
 * gen_alu.c: arithmetic, moves, shifts, byte order. 32-bit operations of this machine
 * clear the upper half as those of programs do.
 */
#include "jit/x64/gen.h"

void gen_mov_reg(struct gen *g, bool wide, u8 to, u8 from)
{
	if (to != from)
		x64_rr(&g->x, X64_MOV_RM, wide, to, from);
}

/* The _RM rows; 0 where it is not one machine instruction. */
static const u8 simple[NR_ALU] = {
	[ALU_ADD] = X64_ADD_RM, [ALU_SUB] = X64_SUB_RM, [ALU_OR] = X64_OR_RM,
	[ALU_AND] = X64_AND_RM, [ALU_XOR] = X64_XOR_RM,
};

static void zero_extend(struct gen *g, bool wide, u8 reg)
{
	if (!wide)
		x64_rr(&g->x, X64_MOV_RM, false, reg, reg);
}

/* --- with a number --- */

/* x & imm where that is an extension; false: it is not. */
static bool and_extends(struct gen *g, bool wide, u8 dst, u64 imm)
{
	if (imm == 0xff)
		x64_rr(&g->x, X64_MOVZX8, false, dst, dst);
	else if (imm == 0xffff)
		x64_rr(&g->x, X64_MOVZX16, false, dst, dst);
	else if (imm == 0xffffffff)
		x64_rr(&g->x, X64_MOV_RM, false, dst, dst);
	else
		return false;
	return true;
}

static void simple_imm(struct gen *g, enum isa_alu alu, bool wide, u8 dst, s64 imm)
{
	if (!wide)
		imm = alu == ALU_AND ? (s64)(u32)imm : (s32)imm;
	if (alu == ALU_AND && and_extends(g, wide, dst, (u64)imm))
		return;
	/* Masks of 31 bits and less clear the upper half either way. */
	if (alu == ALU_AND && imm >= 0 && imm < BIT64(31))
		wide = false;
	if (!wide)
		imm = (s32)imm;
	if (alu != ALU_AND && !imm) {
		zero_extend(g, wide, dst);
		return;
	}
	if (alu == ALU_XOR && imm == -1) {
		x64_rr(&g->x, X64_NOT, wide, 0, dst);
		return;
	}
	if (imm != (s32)imm) {
		x64_mov_imm(&g->x, T0, (u64)imm);
		x64_rr(&g->x, simple[alu], wide, dst, T0);
	} else if (imm == (alu == ALU_SUB ? -1 : 1) && (alu == ALU_ADD || alu == ALU_SUB)) {
		x64_rr(&g->x, X64_INC, wide, 0, dst);
	} else if (imm == (alu == ALU_SUB ? 1 : -1) && (alu == ALU_ADD || alu == ALU_SUB)) {
		x64_rr(&g->x, X64_DEC, wide, 0, dst);
	} else {
		x64_alu_imm(&g->x, simple[alu], wide, dst, (s32)imm);
	}
	gen_flags_set(g, dst, wide);
}

static bool is_power(u64 v)
{
	return v && !(v & (v - 1));
}

static void mul_imm(struct gen *g, bool wide, u8 dst, s64 imm)
{
	u64 u = wide ? (u64)imm : (u32)imm;

	if (!u) {
		x64_mov_imm(&g->x, dst, 0);
	} else if (u == 1) {
		zero_extend(g, wide, dst);
	} else if (is_power(u)) {
		x64_shift_imm(&g->x, X64_SHL_I, wide, dst, (u8)__builtin_ctzll(u));
	} else if (u == 3 || u == 5 || u == 9) {
		struct x64_mem m = {dst, dst, (u8)__builtin_ctzll(u - 1), 0};

		x64_rm(&g->x, X64_LEA, wide, dst, m);
	} else {
		x64_imul_imm(&g->x, wide, dst, dst, (s32)imm);
	}
}

/* --- shifts --- */

static const u8 shifts[NR_ALU] = {
	[ALU_LSH] = X64_SHL_I, [ALU_RSH] = X64_SHR_I, [ALU_ARSH] = X64_SAR_I,
};
static const u8 shifts_bmi2[NR_ALU] = {
	[ALU_LSH] = X64_SHLX, [ALU_RSH] = X64_SHRX, [ALU_ARSH] = X64_SARX,
};

static void shift_imm(struct gen *g, enum isa_alu alu, bool wide, u8 dst, s64 imm)
{
	u8 count = (u8)(imm & (wide ? 63 : 31));

	if (!count)
		zero_extend(g, wide, dst);
	else
		x64_shift_imm(&g->x, shifts[alu], wide, dst, count);
}

/* The count must be in cl; X64_x_CL is the row after X64_x_I. */
static void shift_cl(struct gen *g, enum isa_alu alu, bool wide, u8 dst, u8 src)
{
	u8 work = dst == RCX ? T0 : dst;

	if (src == RCX && dst != RCX) {
		x64_rr(&g->x, shifts[alu] + 1, wide, 0, dst);
		return;
	}
	gen_mov_reg(g, true, T0, RCX);
	gen_mov_reg(g, false, RCX, src);
	x64_rr(&g->x, shifts[alu] + 1, wide, 0, work);
	gen_mov_reg(g, true, RCX, T0);
}

static void shift_reg(struct gen *g, enum isa_alu alu, bool wide, u8 dst, u8 src)
{
	if (g->bmi2)
		x64_vex(&g->x, shifts_bmi2[alu], wide, dst, src, dst);
	else
		shift_cl(g, alu, wide, dst, src);
}

/* --- byte order --- */

static void swap16(struct gen *g, u8 dst)
{
	x64_rri(&g->x, X64_ROL16_I, false, 0, dst, 8, 1);
	x64_rr(&g->x, X64_MOVZX16, false, dst, dst);
}

static void byte_order(struct gen *g, enum isa_alu alu, u8 dst)
{
	switch (alu) {
	case ALU_LE16:
		x64_rr(&g->x, X64_MOVZX16, false, dst, dst);
		break;
	case ALU_LE32:
		zero_extend(g, false, dst);
		break;
	case ALU_BE16:
	case ALU_BSWAP16:
		swap16(g, dst);
		break;
	case ALU_BE32:
	case ALU_BSWAP32:
		x64_bswap(&g->x, false, dst);
		break;
	case ALU_BE64:
	case ALU_BSWAP64:
		x64_bswap(&g->x, true, dst);
		break;
	default: /* ALU_LE64 */
		break;
	}
}

/* --- all --- */

static void move(struct gen *g, const struct code_insn *insn, enum isa_alu alu, bool wide)
{
	static const u8 extend[] = {X64_MOVSX8, X64_MOVSX16, X64_MOVSX32};
	u8 dst = gen_reg(insn->dst), src = gen_reg(insn->src);

	if (alu != ALU_MOV)
		x64_rr(&g->x, extend[alu - ALU_MOVSX8], wide, dst, src);
	else if (!isa_info((enum isa_op)insn->op)->src_reg)
		x64_mov_imm(&g->x, dst, wide ? (u64)insn->imm : (u32)insn->imm);
	else if (wide)
		gen_mov_reg(g, true, dst, src);
	else
		x64_rr(&g->x, X64_MOV_RM, false, dst, src);
}

static void binary_imm(struct gen *g, enum isa_alu alu, bool wide, u8 dst, s64 imm)
{
	if (shifts[alu])
		shift_imm(g, alu, wide, dst, imm);
	else if (alu == ALU_MUL)
		mul_imm(g, wide, dst, imm);
	else
		simple_imm(g, alu, wide, dst, imm);
}

static void simple_reg(struct gen *g, enum isa_alu alu, bool wide, u8 dst, u8 src)
{
	x64_rr(&g->x, simple[alu], wide, dst, src);
	gen_flags_set(g, dst, wide);
}

static void binary_reg(struct gen *g, enum isa_alu alu, bool wide, u8 dst, u8 src)
{
	if (shifts[alu])
		shift_reg(g, alu, wide, dst, src);
	else if (alu == ALU_MUL)
		x64_rr(&g->x, X64_IMUL, wide, dst, src);
	else
		simple_reg(g, alu, wide, dst, src);
}

void gen_alu(struct gen *g, const struct code_insn *insn)
{
	const struct isa_info *info = isa_info((enum isa_op)insn->op);
	enum isa_alu alu = (enum isa_alu)info->sub;
	u8 dst = gen_reg(insn->dst);

	if (alu >= ALU_MOV && alu <= ALU_MOVSX32)
		move(g, insn, alu, info->wide);
	else if (alu >= ALU_LE16)
		byte_order(g, alu, dst);
	else if (alu == ALU_NEG)
		x64_rr(&g->x, X64_NEG, info->wide, 0, dst);
	else if (alu == ALU_DIV || alu == ALU_SDIV || alu == ALU_MOD || alu == ALU_SMOD)
		gen_div(g, insn, info);
	else if (info->src_reg)
		binary_reg(g, alu, info->wide, dst, gen_reg(insn->src));
	else
		binary_imm(g, alu, info->wide, dst, insn->imm);
}
