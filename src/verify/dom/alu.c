/* SPDX-License-Identifier: MIT
 *
 * alu.c: what an arithmetic instruction makes of what is known of its operands.
 *
 * scalar_alu() is the only entry; `alu_ops` has a row for every operation. Bits come from
 * tnum.c, ranges from range.c, for every pair of halves of the operands. Where the low 32
 * bits of a result depend on the low 32 bits of the operands only (`low`), the 32-bit
 * rule runs beside the 64-bit one. view_sync() then lets each part sharpen the others.
 *
 * Semantics are RFC 9669's: shift amounts are taken modulo the width, 32-bit forms see
 * the low halves and zero the upper half of the result. Byte swaps have but one form.
 */
#include "isa/isa.h"
#include "verify/dom/range.h"

struct alu_op;
/* @dst becomes dst op src; in the 32-bit form both are cut to 32 bits already. */
typedef void alu_run(const struct alu_op *op, bool wide, struct view *dst,
		     const struct view *src);

struct alu_op {
	alu_run *run;
	struct tnum (*bits)(struct tnum a, struct tnum b);
	range_rule *range;
	struct tnum (*shift_bits)(struct tnum a, u8 amount, u8 w);
	range_shift *shift;
	u8 bytes;	     /* of the operand that count */
	bool low;	     /* the low 32 bits depend on nothing above them */
	bool whole;	     /* there is no 32-bit form */
	bool no_dst, no_src; /* not an operand */
};

/* The bits below the lowest that may be set in @b. */
static u64 below_lowest(struct tnum b)
{
	u64 maybe = b.value | b.mask;

	return (maybe & -maybe) - 1;
}

/* a - q * b agrees with a in the bits below the lowest of b, signed or not; b = 0 too. */
static struct tnum mod_bits(struct tnum a, struct tnum b)
{
	u64 known = below_lowest(b);

	return (struct tnum){a.value & known, (a.mask & known) | ~known};
}

/* Division by 2^n is a shift; other quotients have no bits but those of their range. */
static struct tnum div_bits(struct tnum a, struct tnum b)
{
	if (!b.mask && b.value && !(b.value & (b.value - 1)))
		return tnum_rsh(a, (u8)__builtin_ctzll(b.value));
	return tnum_unknown();
}

static struct tnum no_bits(struct tnum a, struct tnum b)
{
	return tnum_unknown();
}

static void arith(const struct alu_op *op, bool wide, struct view *a,
		  const struct view *b)
{
	struct view r = {.bits = op->bits(a->bits, b->bits)};

	if (wide)
		range_pairs(&r.w64, op->range, &a->w64, &b->w64, 64);
	if (!wide || op->low)
		range_pairs(&r.w32, op->range, &a->w32, &b->w32, 32);
	else
		r.w32 = halves_all(32);
	*a = r;
}

static void negate(const struct alu_op *op, bool wide, struct view *a,
		   const struct view *b)
{
	struct view zero;

	view_const(&zero, 0);
	arith(op, wide, &zero, a);
	*a = zero;
}

static struct halves each_half(range_shift *rule, const struct halves *a,
			       struct amounts k, unsigned w)
{
	struct halves r = halves_none();

	for (int i = 0; i < 2; i++)
		if (!half_empty(a->of[i]))
			rule(&r, a->of[i], k, w);
	return r;
}

/* The shift amounts that @b stands for, least to greatest. */
static struct amounts amounts_of(const struct view *b, unsigned w)
{
	const struct halves *h = w == 64 ? &b->w64 : &b->w32;
	u64 min = halves_umin(h), max = halves_umax(h);

	if (max >= w) {
		min = b->bits.value & (w - 1);
		max = (b->bits.value | b->bits.mask) & (w - 1);
	}
	return (struct amounts){(u8)min, (u8)max};
}

enum { FEW_AMOUNTS = 8 }; /* are tried one by one */

/* Many amounts: all that is left of the bits are the zeros at the low end. */
static struct tnum shift_any(const struct alu_op *op, struct tnum a, struct amounts k)
{
	if (!op->low)
		return tnum_unknown();
	return (struct tnum){0, ~tnum_lsh((struct tnum){0, below_lowest(a)}, k.min).mask};
}

static struct tnum shift_bits(const struct alu_op *op, struct tnum a, struct tnum by,
			      struct amounts k, u8 w)
{
	struct tnum r = op->shift_bits(a, k.min, w);

	if (k.max - k.min >= FEW_AMOUNTS)
		return shift_any(op, a, k);
	by = tnum_and(by, tnum_const(w - 1u));
	for (u8 i = k.min + 1; i <= k.max; i++)
		if (tnum_has(by, i))
			r = tnum_union(r, op->shift_bits(a, i, w));
	return r;
}

/* Shifted left by 32 or more, the low half of @a is all that remains, at the top. */
static void shift(const struct alu_op *op, bool wide, struct view *a,
		  const struct view *b)
{
	unsigned w = wide ? 64 : 32;
	struct amounts k = amounts_of(b, w);

	a->bits = shift_bits(op, a->bits, b->bits, k, (u8)w);
	if (wide)
		a->w64 = each_half(op->shift, &a->w64, k, 64);
	if (wide && op->low && k.min >= 32)
		a->w64 = halves_meet(a->w64, each_half(op->shift, &a->w32, k, 64));
	if (!wide || (op->low && k.max < 32))
		a->w32 = each_half(op->shift, &a->w32, k, 32);
	else
		a->w32 = halves_all(32);
}

static struct tnum lsh_bits(struct tnum a, u8 amount, u8 w)
{
	return tnum_lsh(a, amount);
}

static struct tnum rsh_bits(struct tnum a, u8 amount, u8 w)
{
	return tnum_rsh(a, amount);
}

static void move(const struct alu_op *op, bool wide, struct view *a, const struct view *b)
{
	*a = *b;
}

static void move_sext(const struct alu_op *op, bool wide, struct view *a,
		      const struct view *b)
{
	*a = *b;
	view_extend(a, op->bytes, true);
}

static void truncate(const struct alu_op *op, bool wide, struct view *a,
		     const struct view *b)
{
	view_extend(a, op->bytes, false);
}

/* The bits say all that survives of a range. */
static void swap(const struct alu_op *op, bool wide, struct view *a, const struct view *b)
{
	struct tnum bits = tnum_bswap(a->bits, op->bytes);

	view_unknown(a);
	a->bits = bits;
}

#define ARITH(bits_, range_, ...) {.run = arith, .bits = bits_, .range = range_, __VA_ARGS__}
#define SHIFT(bits_, range_, ...)                                                        \
	{.run = shift, .shift_bits = bits_, .shift = range_, __VA_ARGS__}
#define BYTES(run_, bytes_) {.run = run_, .bytes = bytes_, .whole = true, .no_src = true}

static const struct alu_op alu_ops[NR_ALU] = {
	[ALU_ADD]  = ARITH(tnum_add, range_add, .low = true),
	[ALU_SUB]  = ARITH(tnum_sub, range_sub, .low = true),
	[ALU_MUL]  = ARITH(tnum_mul, range_mul, .low = true),
	[ALU_DIV]  = ARITH(div_bits, range_div),
	[ALU_SDIV] = ARITH(no_bits, range_sdiv),
	[ALU_MOD]  = ARITH(mod_bits, range_mod),
	[ALU_SMOD] = ARITH(mod_bits, range_smod),
	[ALU_OR]   = ARITH(tnum_or, range_or, .low = true),
	[ALU_AND]  = ARITH(tnum_and, range_and, .low = true),
	[ALU_XOR]  = ARITH(tnum_xor, range_xor, .low = true),

	[ALU_LSH]  = SHIFT(lsh_bits, range_lsh, .low = true),
	[ALU_RSH]  = SHIFT(rsh_bits, range_rsh),
	[ALU_ARSH] = SHIFT(tnum_arsh, range_arsh),

	[ALU_NEG]  = {.run = negate, .bits = tnum_sub, .range = range_sub, .low = true,
		      .no_src = true},

	[ALU_MOV]     = {.run = move, .no_dst = true},
	[ALU_MOVSX8]  = {.run = move_sext, .bytes = 1, .no_dst = true},
	[ALU_MOVSX16] = {.run = move_sext, .bytes = 2, .no_dst = true},
	[ALU_MOVSX32] = {.run = move_sext, .bytes = 4, .no_dst = true},

	[ALU_LE16] = BYTES(truncate, 2),
	[ALU_LE32] = BYTES(truncate, 4),
	[ALU_LE64] = BYTES(truncate, 8),
	[ALU_BE16] = BYTES(swap, 2),
	[ALU_BE32] = BYTES(swap, 4),
	[ALU_BE64] = BYTES(swap, 8),
	[ALU_BSWAP16] = BYTES(swap, 2),
	[ALU_BSWAP32] = BYTES(swap, 4),
	[ALU_BSWAP64] = BYTES(swap, 8),
};

struct scalar scalar_alu(enum isa_alu alu, bool wide, struct scalar dst,
			 struct scalar src)
{
	const struct alu_op *op = &alu_ops[alu];
	struct view a, b;

	BUG_ON(alu >= NR_ALU);
	if (op->no_dst)
		dst = src;
	if (op->no_src)
		src = dst;
	if (is_empty(&dst) || is_empty(&src))
		return scalar_none();
	if (wide && op->run == move)
		return src;
	if (!dst.bits.mask && !src.bits.mask)
		return scalar_const(isa_alu(alu, wide, dst.bits.value, src.bits.value));
	wide |= op->whole;
	view_of(&a, &dst);
	view_of(&b, &src);
	if (!wide) {
		view_low(&a);
		view_low(&b);
	}
	op->run(op, wide, &a, &b);
	if (!wide)
		view_low(&a);
	return view_done(&a);
}
