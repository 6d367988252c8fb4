/* SPDX-License-Identifier: MIT
 *
 * gen_div.c: division. By powers of two it is a shift or a mask, by other numbers a
 * multiplication; in general the machine
 * wants rax and rdx and traps where programs get 0 (by zero) or a wrapped result
 * (INT_MIN by -1), so those are tested first.
 */
#include "jit/x64/gen.h"

struct division {
	bool wide, sign, mod;
	bool imm;
	u8 dst, by; /* machine registers; of the divisor, wherever it was put */
	bool save_rax, save_rdx;
};

static bool is_power(u64 v)
{
	return v && !(v & (v - 1));
}

static void keep(struct gen *g, const struct division *d, u8 reg)
{
	if (d->wide)
		gen_mov_reg(g, true, d->dst, reg);
	else
		x64_rr(&g->x, X64_MOV_RM, false, d->dst, reg);
}

/* --- by a number that makes it easy --- */

static bool by_power(struct gen *g, const struct division *d, u64 by)
{
	u64 mask = by - 1;

	if (d->sign || !is_power(by))
		return false;
	if (!d->mod) {
		if (by > 1)
			x64_shift_imm(&g->x, X64_SHR_I, d->wide, d->dst,
				      (u8)__builtin_ctzll(by));
		else
			keep(g, d, d->dst);
	} else if (!mask) {
		x64_mov_imm(&g->x, d->dst, 0);
	} else if (mask == 0xff || mask == 0xffff) {
		x64_rr(&g->x, mask == 0xff ? X64_MOVZX8 : X64_MOVZX16, false, d->dst, d->dst);
	} else if (mask <= INT32_MAX) {
		x64_alu_imm(&g->x, X64_AND_RM, false, d->dst, (s32)mask);
	} else {
		x64_mov_imm(&g->x, T0, mask);
		x64_rr(&g->x, X64_AND_RM, true, d->dst, T0);
	}
	return true;
}

/*
 * By any other number, unsigned: a multiplication with its inverse, m = ceil(2^(bits + l) /
 * by) (Granlund and Montgomery, "Division by invariant integers using multiplication",
 * 1994). m * by exceeds the power by e < by; where e <= 2^l, the quotient is exact for every
 * dividend. The m of 33 or 65 bits that some divisors need are left to the division.
 */
static bool inverse(u64 by, u32 bits, u64 *m, u32 *l)
{
	u64 max = bits == 64 ? UINT64_MAX : UINT32_MAX;

	for (*l = 0; *l < bits - 1 && by >> *l; ++*l) {
		unsigned __int128 power = (unsigned __int128)1 << (bits - 1) << 1 << *l;
		unsigned __int128 up = power / by + 1;
		unsigned __int128 e = up * by - power;

		if (up > max)
			return false;
		if (e <= (u64)1 << *l) {
			*m = (u64)up;
			return true;
		}
	}
	return false;
}

/* 32 bits: the product fits the machine's word. T0: the quotient. */
static void quotient32(struct gen *g, const struct division *d, u64 m, u32 l)
{
	x64_rr(&g->x, X64_MOV_RM, false, T0, d->dst);
	x64_mov_imm(&g->x, T1, m);
	x64_rr(&g->x, X64_IMUL, true, T0, T1);
	x64_shift_imm(&g->x, X64_SHR_I, true, T0, (u8)(32 + l));
}

/* 64 bits: the upper half of the product, which mulx takes of rdx and another. */
static void quotient64(struct gen *g, const struct division *d, u64 m, u32 l)
{
	bool save = d->dst == RDX || gen_live_after(g, R3);

	if (save)
		gen_mov_reg(g, true, T1, RDX);
	x64_mov_imm(&g->x, RDX, m);
	x64_vex(&g->x, X64_MULX, true, T0, T0, d->dst == RDX ? (u8)T1 : d->dst);
	if (l)
		x64_shift_imm(&g->x, X64_SHR_I, true, T0, (u8)l);
	if (save)
		gen_mov_reg(g, true, RDX, T1);
}

static bool by_inverse(struct gen *g, const struct division *d, u64 by)
{
	u64 m = 0;
	u32 l = 0;

	if (d->sign || by > INT32_MAX || (d->wide && !g->bmi2) ||
	    !inverse(by, d->wide ? 64 : 32, &m, &l))
		return false;
	if (d->wide)
		quotient64(g, d, m, l);
	else
		quotient32(g, d, m, l);
	if (!d->mod) {
		gen_mov_reg(g, true, d->dst, T0);
		return true;
	}
	x64_imul_imm(&g->x, d->wide, T0, T0, (s32)by);
	x64_rr(&g->x, X64_SUB_RM, d->wide, d->dst, T0);
	return true;
}

static bool by_constant(struct gen *g, const struct division *d, s64 imm)
{
	u64 by = d->wide ? (u64)imm : (u32)imm;

	if (!by) {
		if (d->mod)
			keep(g, d, d->dst);
		else
			x64_mov_imm(&g->x, d->dst, 0);
		return true;
	}
	if (d->sign && imm == -1) {
		if (d->mod)
			x64_mov_imm(&g->x, d->dst, 0);
		else
			x64_rr(&g->x, X64_NEG, d->wide, 0, d->dst);
		return true;
	}
	return by_power(g, d, by) || by_inverse(g, d, by);
}

/* --- in general --- */

/* rax, rdx and the divisor to where they are wanted. */
static void set_up(struct gen *g, struct division *d, const struct code_insn *insn)
{
	u8 src = d->imm ? NO_REG : gen_reg(insn->src);

	d->save_rax = d->dst != RAX && gen_live_after(g, R0);
	d->save_rdx = d->dst != RDX && gen_live_after(g, R3);
	if (d->save_rax || src == RAX)
		gen_mov_reg(g, true, T0, RAX);
	if (d->save_rdx || src == RDX)
		gen_mov_reg(g, true, T1, RDX);
	d->by = src == RAX ? T0 : src == RDX ? T1 : src;
	if (d->imm) {
		d->by = T2;
		x64_mov_imm(&g->x, T2, (u64)insn->imm);
	}
	gen_mov_reg(g, true, RAX, d->dst);
}

static void by_zero(struct gen *g, const struct division *d)
{
	if (d->mod)
		keep(g, d, RAX);
	else
		x64_mov_imm(&g->x, d->dst, 0);
}

static void by_minus_one(struct gen *g, const struct division *d)
{
	if (d->mod) {
		x64_mov_imm(&g->x, d->dst, 0);
		return;
	}
	x64_rr(&g->x, X64_NEG, d->wide, 0, RAX);
	gen_mov_reg(g, true, d->dst, RAX);
}

static void divide(struct gen *g, const struct division *d)
{
	struct x64 *x = &g->x;

	if (d->sign)
		x64_cdq(x, d->wide);
	else
		x64_rr(x, X64_XOR_RM, false, RDX, RDX);
	x64_rr(x, d->sign ? X64_IDIV : X64_DIV, d->wide, 0, d->by);
	gen_mov_reg(g, true, d->dst, d->mod ? RDX : RAX);
}

/* With the tests in front, for divisors that are not known. */
static void divide_tested(struct gen *g, const struct division *d)
{
	struct x64 *x = &g->x;
	u8 *zero, *minus = NULL, *done, *done2 = NULL;

	x64_rr(x, X64_TEST_MR, d->wide, d->by, d->by);
	zero = x64_jcc(x, CC_E, false);
	if (d->sign) {
		x64_alu_imm(x, X64_CMP_RM, d->wide, d->by, -1);
		minus = x64_jcc(x, CC_E, false);
	}
	divide(g, d);
	done = x64_jmp(x, false);
	if (d->sign) {
		x64_patch(minus, false, x->at);
		by_minus_one(g, d);
		done2 = x64_jmp(x, false);
	}
	x64_patch(zero, false, x->at);
	by_zero(g, d);
	x64_patch(done, false, x->at);
	if (done2)
		x64_patch(done2, false, x->at);
}

void gen_div(struct gen *g, const struct code_insn *insn, const struct isa_info *info)
{
	struct division d = {
		.wide = info->wide,
		.sign = info->sub == ALU_SDIV || info->sub == ALU_SMOD,
		.mod = info->sub == ALU_MOD || info->sub == ALU_SMOD,
		.imm = !info->src_reg,
		.dst = gen_reg(insn->dst),
	};

	if (d.imm && by_constant(g, &d, insn->imm))
		return;
	set_up(g, &d, insn);
	if (d.imm)
		divide(g, &d);
	else
		divide_tested(g, &d);
	if (d.save_rax)
		gen_mov_reg(g, true, RAX, T0);
	if (d.save_rdx)
		gen_mov_reg(g, true, RDX, T1);
}
