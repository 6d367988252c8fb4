/* SPDX-License-Identifier: MIT
 *
 * tnum.c: arithmetic on numbers known bit by bit.
 *
 * Invariant: value & mask == 0. Each function is sound; add, sub, and, or, xor, shifts by
 * a known amount, casts, byte swaps and unions give the least tnum there is (CGO 2022,
 * Vishwanathan et al., theorems for add and sub). test/proofs/model.py follows these
 * functions line by line: change both together.
 */
#include "verify/dom/tnum.h"

struct tnum tnum_unknown(void)
{
	return (struct tnum){0, ~0ull};
}

struct tnum tnum_const(u64 value)
{
	return (struct tnum){value, 0};
}

/* All bits from the highest of @x down: 0b0010100 gives 0b0011111. */
static u64 bits_below(u64 x)
{
	return x ? ~0ull >> __builtin_clzll(x) : 0;
}

struct tnum tnum_range(u64 min, u64 max)
{
	u64 mask = bits_below(min ^ max);

	return (struct tnum){min & ~mask, mask};
}

/*
 * The sum of the least members and the sum of the greatest differ exactly where some
 * carry is not known; those bits join the unknown bits of the operands.
 */
struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 least = a.value + b.value;
	u64 most = least + a.mask + b.mask;
	u64 mask = (least ^ most) | a.mask | b.mask;

	return (struct tnum){least & ~mask, mask};
}

/* As addition: the borrows of (least - most) and (most - least) tell which are known. */
struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 diff = a.value - b.value;
	u64 mask = ((diff + a.mask) ^ (diff - b.mask)) | a.mask | b.mask;

	return (struct tnum){diff & ~mask, mask};
}

struct tnum tnum_neg(struct tnum a)
{
	return tnum_sub(tnum_const(0), a);
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 ones = a.value & b.value;
	u64 maybe = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, maybe & ~ones};
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	u64 mask = a.mask | b.mask;

	return (struct tnum){(a.value ^ b.value) & ~mask, mask};
}

/* Adding numbers whose lowest bit is @low (or 0) to @sum tells nothing new: every bit
 * from there up is unknown already. */
static bool idle(struct tnum sum, u64 low)
{
	return (sum.mask | (low - 1)) == ~0ull;
}

/*
 * Schoolbook: for each bit of @a, least first, add the shifted @b: surely, or maybe
 * (either the sum so far or the sum with it).
 */
static struct tnum mul_by_union(struct tnum a, struct tnum b)
{
	u64 low = (b.value | b.mask) & -(b.value | b.mask);
	struct tnum sum = {0, 0};

	for (u64 left = a.value | a.mask; left; left &= left - 1) {
		u64 bit = left & -left;
		struct tnum with =
			tnum_add(sum, (struct tnum){b.value * bit, b.mask * bit});

		if (idle(sum, low * bit))
			break;
		sum = a.value & bit ? with : tnum_union(sum, with);
	}
	return sum;
}

/*
 * Schoolbook with the known parts multiplied at once (CGO 2022, figure 4): a * b is
 * a.value * b.value plus what the unknown bits may add. Neither of the two is always the
 * sharper one, nor is either order of the operands.
 */
static struct tnum mul_by_parts(struct tnum a, struct tnum b)
{
	u64 low = (b.value | b.mask) & -(b.value | b.mask);
	struct tnum sum = {0, 0};

	for (u64 left = a.value | a.mask; left; left &= left - 1) {
		u64 bit = left & -left;
		u64 part = a.value & bit ? b.mask : b.value | b.mask;

		if (idle(sum, low * bit))
			break;
		sum = tnum_add(sum, (struct tnum){0, part * bit});
	}
	return tnum_add(tnum_const(a.value * b.value), sum);
}

/* Any number of a run of bits: 0..2^n - 1, shifted. */
static bool is_run(struct tnum a)
{
	u64 low = a.mask & -a.mask;

	return !a.value && !(a.mask & (a.mask + low));
}

/* @x without the zeros at its end. */
static u64 odd_part(u64 x)
{
	return x ? x >> __builtin_ctzll(x) : 0;
}

/*
 * Do the products have every bit from their lowest up to that of the greatest unknown? So
 * for two runs, and for a run 0..2^n - 1 and an odd constant below 2^n: its multiples
 * take all values modulo 2^n, and one lies in each 2^t..2^(t+1) above.
 */
static bool fills(struct tnum a, struct tnum b)
{
	return is_run(a) &&
	       (is_run(b) || (!b.mask && odd_part(b.value) <= odd_part(a.mask)));
}

/* All bits from that of the product of the lowest up to the highest of the greatest. */
static struct tnum filled(u64 a, u64 b)
{
	u64 low = (a & -a) * (b & -b), most;

	if (__builtin_mul_overflow(a, b, &most))
		most = ~0ull;
	return (struct tnum){0, bits_below(most) & -low};
}

struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	if (!(a.mask | b.mask))
		return tnum_const(a.value * b.value);
	if (fills(a, b) || fills(b, a))
		return filled(a.value | a.mask, b.value | b.mask);
	return tnum_intersect(tnum_intersect(mul_by_union(a, b), mul_by_parts(a, b)),
			      tnum_intersect(mul_by_union(b, a), mul_by_parts(b, a)));
}

struct tnum tnum_lsh(struct tnum a, u8 shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

struct tnum tnum_rsh(struct tnum a, u8 shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

/* An unknown sign spreads as unknown bits, a known one as known bits. */
struct tnum tnum_arsh(struct tnum a, u8 shift, u8 bits)
{
	if (bits == 32)
		return (struct tnum){(u32)((s32)a.value >> shift),
				     (u32)((s32)a.mask >> shift)};
	return (struct tnum){(u64)((s64)a.value >> shift), (u64)((s64)a.mask >> shift)};
}

struct tnum tnum_intersect(struct tnum a, struct tnum b)
{
	u64 mask = a.mask & b.mask;

	return (struct tnum){(a.value | b.value) & ~mask, mask};
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	u64 mask = a.mask | b.mask | (a.value ^ b.value);

	return (struct tnum){a.value & ~mask, mask};
}

struct tnum tnum_cast(struct tnum a, u8 bytes)
{
	u64 keep = bytes >= 8 ? ~0ull : (1ull << (bytes * 8)) - 1;

	return (struct tnum){a.value & keep, a.mask & keep};
}

static u64 swap_bytes(u64 x, u8 bytes)
{
	return bytes ? __builtin_bswap64(x) >> (64 - bytes * 8) : 0;
}

struct tnum tnum_bswap(struct tnum a, u8 bytes)
{
	return (struct tnum){swap_bytes(a.value, bytes), swap_bytes(a.mask, bytes)};
}

struct tnum tnum_subreg(struct tnum a)
{
	return tnum_cast(a, 4);
}

struct tnum tnum_with_subreg(struct tnum a, struct tnum low)
{
	u64 high = ~0ull << 32;

	return (struct tnum){(a.value & high) | (u32)low.value,
			     (a.mask & high) | (u32)low.mask};
}

bool tnum_has(struct tnum a, u64 x)
{
	return (x & ~a.mask) == a.value;
}

bool tnum_in(struct tnum a, struct tnum b)
{
	return !(b.mask & ~a.mask) && tnum_has(a, b.value);
}

bool tnum_overlap(struct tnum a, struct tnum b)
{
	return !((a.value ^ b.value) & ~a.mask & ~b.mask);
}

bool tnum_is_aligned(struct tnum a, u64 size)
{
	return !size || !((a.value | a.mask) & (size - 1));
}
