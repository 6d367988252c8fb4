/* SPDX-License-Identifier: MIT
 *
 * make_alu.c: arithmetic, and runs of it that compilers write and a generator may write as one
 * instruction.
 */
#include "jit/make.h"

/* As a verifier wants it: shifts of less than the width, no division by a plain zero. */
static s32 operand(const struct gen *g, u32 op, s32 imm)
{
	const struct isa_info *info = isa_info((enum isa_op)op);
	bool shifts = info->sub == ALU_LSH || info->sub == ALU_RSH || info->sub == ALU_ARSH;
	bool divides = info->sub >= ALU_DIV && info->sub <= ALU_SMOD;

	if (!g->plain || info->src_reg)
		return imm;
	if (shifts)
		return imm & (info->wide ? 63 : 31);
	return divides && !imm ? 1 : imm;
}

void make_alu(struct gen *g)
{
	u32 op = make_random_op(g, KIND_ALU), dst = make_any_dst(g), src = make_any_src(g);

	make_emit(g, op, dst, src, 0, operand(g, op, (s32)make_number(g)));
}

void make_divide(struct gen *g)
{
	static const u16 ops[] = {OP_DIV32_IMM, OP_DIV64_IMM, OP_MOD32_IMM, OP_MOD64_IMM,
				  OP_SDIV32_IMM, OP_SMOD64_IMM};
	static const s32 by[] = {3, 5, 7, 10, 100, 1000, 641, 1000000007, INT32_MAX};
	u32 op = ops[make_below(g, ARRAY_SIZE(ops))];
	s32 imm = make_chance(g, 50) ? by[make_below(g, ARRAY_SIZE(by))]
				: (s32)(make_number(g) >> make_below(g, 32));

	make_emit(g, op, make_any_dst(g), 0, 0, operand(g, op, imm));
}

/* Runs of what compilers write, which the generator may write as one instruction. */
void make_idiom(struct gen *g)
{
	static const u16 ops[] = {
		OP_ADD64_REG, OP_ADD64_IMM, OP_ADD32_REG, OP_ADD32_IMM, OP_LSH64_IMM,
		OP_LSH32_IMM, OP_RSH64_IMM, OP_RSH32_IMM, OP_OR64_REG, OP_OR32_REG,
		OP_AND64_IMM, OP_AND32_IMM, OP_SUB64_REG, OP_SUB32_REG, OP_XOR64_REG,
		OP_MOV32_REG, OP_MOV64_REG, OP_BE16, OP_BE32, OP_BE64, OP_ARSH64_IMM,
		OP_MUL64_REG, OP_SUB64_IMM, OP_LSH64_REG, OP_LSH32_REG, OP_RSH64_REG,
	};
	u32 a = make_any_dst(g), b = make_any_dst(g), n = 2 + make_below(g, 5);

	make_emit(g, make_chance(g, 50) ? OP_MOV64_REG : OP_MOV32_REG, a, make_chance(g, 70) ? b : make_any_src(g),
	     0, 0);
	for (u32 i = 0; i < n; i++) {
		u32 dst = make_chance(g, 60) ? a : b, src = make_chance(g, 50) ? b : make_any_src(g);
		s32 imm = make_chance(g, 60) ? (s32)make_below(g, 64) : (s32)make_number(g);
		u32 op = ops[make_below(g, ARRAY_SIZE(ops))];

		make_emit(g, op, dst, src, 0, operand(g, op, imm));
	}
}

void make_rotate(struct gen *g)
{
	bool wide = make_chance(g, 50);
	u32 a = make_any_dst(g), b = make_any_dst(g), x = make_chance(g, 50) ? b : make_any_src(g);
	u32 bits = wide ? 64 : 32, k = 1 + make_below(g, bits - 1);

	make_emit(g, wide ? OP_MOV64_REG : OP_MOV32_REG, a, x, 0, 0);
	make_emit(g, wide ? OP_LSH64_IMM : OP_LSH32_IMM, a, 0, 0, k);
	if (x != b)
		make_emit(g, wide ? OP_MOV64_REG : OP_MOV32_REG, b, x, 0, 0);
	make_emit(g, wide ? OP_RSH64_IMM : OP_RSH32_IMM, b, 0, 0,
	     make_chance(g, 80) ? bits - k : make_below(g, bits));
	if (make_chance(g, 50))
		make_emit(g, wide ? OP_OR64_REG : OP_OR32_REG, a, b, 0, 0);
	else
		make_emit(g, wide ? OP_OR64_REG : OP_OR32_REG, b, a, 0, 0);
	if (make_chance(g, 50))
		make_set_number(g, make_chance(g, 50) ? a : b);
}

/* The address of an element, or what looks like it. */
void make_scaled(struct gen *g)
{
	static const u8 by[] = {1, 2, 3, 4, 8, 16};
	u32 a = make_any_dst(g), t = make_any_dst(g);

	make_emit(g, make_chance(g, 50) ? OP_MUL64_IMM : OP_LSH64_IMM, a, 0, 0, by[make_below(g, 6)]);
	if (make_chance(g, 50))
		make_emit(g, OP_LD_IMM64, t, 0, 0, (s64)make_number(g));
	make_emit(g, OP_ADD64_REG, a, make_chance(g, 80) ? t : make_any_src(g), 0, 0);
}

static void masked(struct gen *g, bool wide, u32 dst, u32 spare, u64 mask)
{
	if (!wide) {
		make_emit(g, OP_AND32_IMM, dst, 0, 0, (s32)mask);
		return;
	}
	make_emit(g, OP_LD_IMM64, spare, 0, 0, (s64)mask);
	make_emit(g, OP_AND64_REG, dst, spare, 0, 0);
}

static void shifted(struct gen *g, bool wide, u32 dst, u32 by)
{
	make_emit(g, wide ? OP_RSH64_IMM : OP_RSH32_IMM, dst, 0, 0,
	     make_chance(g, 97) ? by : make_below(g, 32));
}

static void sum_up(struct gen *g, bool wide, u32 dst, u32 src)
{
	make_emit(g, wide ? OP_ADD64_REG : OP_ADD32_REG, dst, src, 0, 0);
}

/* The count of bits as compilers write it out, now and then not quite. */
void make_popcount(struct gen *g)
{
	bool wide = make_chance(g, 50);
	u32 move = wide ? OP_MOV64_REG : OP_MOV32_REG, mul = wide ? OP_MUL64_REG : OP_MUL32_IMM;
	u32 x = make_any_dst(g), t = make_any_dst(g), c = make_any_dst(g);

	make_emit(g, move, t, x, 0, 0);
	shifted(g, wide, t, 1);
	masked(g, wide, t, c, 0x5555555555555555);
	make_emit(g, wide ? OP_SUB64_REG : OP_SUB32_REG, x, t, 0, 0);
	make_emit(g, move, t, x, 0, 0);
	masked(g, wide, t, c, make_chance(g, 95) ? 0x3333333333333333 : make_number(g));
	shifted(g, wide, x, 2);
	if (wide && make_chance(g, 80))
		make_emit(g, OP_AND64_REG, x, c, 0, 0);
	else
		masked(g, wide, x, c, 0x3333333333333333);
	if (make_chance(g, 50)) {
		u32 other = t;

		t = x, x = other;
	}
	sum_up(g, wide, t, x);
	make_emit(g, move, x, t, 0, 0);
	shifted(g, wide, x, 4);
	sum_up(g, wide, t, x);
	masked(g, wide, t, c, 0x0f0f0f0f0f0f0f0f);
	if (wide)
		make_emit(g, OP_LD_IMM64, c, 0, 0, 0x0101010101010101);
	make_emit(g, mul, t, c, 0, 0x01010101);
	shifted(g, wide, t, wide ? 56 : 24);
	for (u32 i = 0; i < 3; i++) /* what holds parts is dead then, mostly */
		if (make_chance(g, 80) && (i < 1 || x != t) && (i < 2 || c != t))
			make_set_number(g, i == 1 ? x : i == 2 ? c : make_any_dst(g));
}
