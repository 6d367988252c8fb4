/* SPDX-License-Identifier: MIT
 *
 * idiom.c: what compilers write out where the machine they compile for has no instruction,
 * and ours has one: the number of bits that are set.
 *
 * The usual sum of neighbours, in whatever order a compiler has put it:
 *
 *	p = x - (x >> 1 & 0x55..); n = (p & 0x33..) + (p >> 2 & 0x33..);
 *	count = ((n + (n >> 4)) & 0x0f..) * 0x01.. >> (width - 8)
 *
 * is followed symbolically: of each register it is known which part of the sum it holds.
 * What is no step of the sum ends the search; so does a register that holds a part of it
 * and is needed afterwards.
 */
#include "jit/x64/gen.h"

enum part {
	NO_PART, X, HALF, ODD, PAIRS, PAIRS_LOW, PAIRS_UP, PAIRS_HIGH, NIBBLES, NIBBLES_UP,
	BYTES_BOTH, BYTES, SUM, COUNT, CONST,
};

static const struct step {
	u8 alu, from, with, to; /* with CONST: the number below */
	u64 number;
} steps[] = {
	{ALU_RSH, X,	      CONST,	   HALF,       1},
	{ALU_AND, HALF,	      CONST,	   ODD,	       0x5555555555555555},
	{ALU_SUB, X,	      ODD,	   PAIRS,      0},
	{ALU_AND, PAIRS,      CONST,	   PAIRS_LOW,  0x3333333333333333},
	{ALU_RSH, PAIRS,      CONST,	   PAIRS_UP,   2},
	{ALU_AND, PAIRS_UP,   CONST,	   PAIRS_HIGH, 0x3333333333333333},
	{ALU_ADD, PAIRS_LOW,  PAIRS_HIGH,  NIBBLES,    0},
	{ALU_ADD, PAIRS_HIGH, PAIRS_LOW,   NIBBLES,    0},
	{ALU_RSH, NIBBLES,    CONST,	   NIBBLES_UP, 4},
	{ALU_ADD, NIBBLES,    NIBBLES_UP,  BYTES_BOTH, 0},
	{ALU_ADD, NIBBLES_UP, NIBBLES,	   BYTES_BOTH, 0},
	{ALU_AND, BYTES_BOTH, CONST,	   BYTES,      0x0f0f0f0f0f0f0f0f},
	{ALU_MUL, BYTES,      CONST,	   SUM,	       0x0101010101010101},
	{ALU_RSH, SUM,	      CONST,	   COUNT,      56},
};

struct sum {
	u8 part[NR_REGS];
	u64 number[NR_REGS]; /* of a CONST */
	u16 written;
	bool wide;
};

static u64 cut(const struct sum *s, u64 v)
{
	return s->wide ? v : (u32)v;
}

static bool const_of(const struct gen *g, const struct sum *s, const struct code_insn *i,
		     u64 *v)
{
	if (!isa_info((enum isa_op)i->op)->src_reg)
		*v = (u64)i->imm;
	else if (s->part[i->src] == CONST)
		*v = s->number[i->src];
	else
		return !(s->written & BIT(i->src)) && plan_const(g->plan, g->sub, i->src, v);
	return true;
}

static bool is_number(const struct sum *s, const struct step *step, u64 v)
{
	/* The last shift of 32 bits is the one number that is not half of that of 64. */
	if (step->to == COUNT)
		return v == (s->wide ? 56 : 24);
	return cut(s, v) == cut(s, step->number);
}

/* What @i makes of its destination; NO_PART: nothing that belongs here. */
static enum part step_of(const struct gen *g, const struct sum *s, const struct code_insn *i)
{
	const struct isa_info *info = isa_info((enum isa_op)i->op);
	u64 number = 0;
	bool known;

	if (info->kind != KIND_ALU || info->wide != s->wide || s->part[i->dst] == CONST)
		return NO_PART;
	known = const_of(g, s, i, &number);
	for (u32 k = 0; k < ARRAY_SIZE(steps); k++) {
		const struct step *step = &steps[k];

		if (step->alu != info->sub || step->from != s->part[i->dst])
			continue;
		if (step->with == CONST ? known && is_number(s, step, number)
					: info->src_reg && step->with == s->part[i->src])
			return (enum part)step->to;
	}
	return NO_PART;
}

static bool is_number_load(const struct code_insn *i)
{
	return i->op == OP_LD_IMM64 || i->op == OP_MOV64_IMM || i->op == OP_MOV32_IMM;
}

static bool is_copy(const struct sum *s, const struct code_insn *i)
{
	return i->op == OP_MOV64_REG || (i->op == OP_MOV32_REG && !s->wide);
}

/* Follows one instruction; false: it does not belong here. */
static bool follow(const struct gen *g, struct sum *s, const struct code_insn *i)
{
	if (i->op >= NR_OPS || i->dst >= R_FP || i->src > R_FP)
		return false;
	if (is_number_load(i)) {
		s->part[i->dst] = CONST;
		s->number[i->dst] = i->op == OP_MOV32_IMM ? (u32)i->imm : (u64)i->imm;
	} else if (is_copy(s, i)) {
		s->part[i->dst] = s->part[i->src];
		if (s->part[i->dst] == NO_PART || s->part[i->dst] == CONST)
			return false;
	} else {
		s->part[i->dst] = (u8)step_of(g, s, i);
		if (s->part[i->dst] == NO_PART)
			return false;
	}
	s->written |= (u16)BIT(i->dst);
	return true;
}

/* How many instructions the sum takes from here on; 0: it is none. */
static u32 match(const struct gen *g, struct sum *s)
{
	enum { LONGEST = 32 };
	const struct code_insn *i = &g->code->insns[g->at];

	for (u32 n = 0; n < LONGEST && g->at + n < g->sub->end; n++, i++) {
		if ((n && plan_is_target(g->plan, g->at + n)) || !follow(g, s, i))
			return 0;
		if (s->part[i->dst] == COUNT)
			return n + 1;
	}
	return 0;
}

static bool parts_are_dead(const struct gen *g, const struct sum *s, u32 n, u32 result)
{
	u16 live = plan_live(g->plan, g->at + n - 1) & s->written & (u16)~BIT(result);

	for (u32 reg = R0; reg < R_FP; reg++)
		if (live & BIT(reg) && s->part[reg] != CONST)
			return false;
	return true;
}

u32 gen_popcount(struct gen *g)
{
	const struct code_insn *first = &g->code->insns[g->at];
	struct sum s = {.wide = first[1].op == OP_RSH64_IMM};
	u32 n, result;
	u16 live;

	if (!g->popcnt || first->src >= R_FP)
		return 0;
	s.part[first->src] = X;
	n = match(g, &s);
	if (!n)
		return 0;
	result = first[n - 1].dst;
	if (!parts_are_dead(g, &s, n, result))
		return 0;
	g->next = g->at + n;
	x64_rr(&g->x, X64_POPCNT, s.wide, gen_reg(result), gen_reg(first->src));
	live = plan_live(g->plan, g->next - 1);
	for (u32 reg = R0; reg < R_FP; reg++)
		if (reg != result && live & s.written & BIT(reg))
			x64_mov_imm(&g->x, gen_reg(reg), s.number[reg]);
	return n;
}
