/* SPDX-License-Identifier: MIT
 *
 * range.c: arithmetic on ranges, half by half (halves.h).
 *
 * A rule sees one interval of each operand, all of one sign, as w-bit patterns, and adds
 * to the result an interval or arc that holds every outcome. Add, sub, and, or and the
 * shifts by a known amount are exact for the two intervals; the rest is the usual corner
 * arithmetic.
 *
 * Semantics are RFC 9669's: x / 0 = 0, x % 0 = x, the least number / -1 = itself.
 * test/proofs/model.py follows the rules line by line: change both together.
 */
#include "verify/dom/range.h"

void range_pairs(struct halves *r, range_rule *rule, const struct halves *a,
		 const struct halves *b, unsigned w)
{
	*r = halves_none();
	for (int i = 0; i < 4; i++)
		if (!half_empty(a->of[i & 1]) && !half_empty(b->of[i >> 1]))
			rule(r, a->of[i & 1], b->of[i >> 1], w);
}

void range_add(struct halves *r, struct half a, struct half b, unsigned w)
{
	halves_add_arc(r, a.lo + b.lo, a.hi + b.hi, w);
}

void range_sub(struct halves *r, struct half a, struct half b, unsigned w)
{
	halves_add_arc(r, a.lo - b.hi, a.hi - b.lo, w);
}

/* The arc that lo..hi makes on the circle; all of it when it is longer than that. */
static struct halves wide_arc(__int128 lo, __int128 hi, unsigned w)
{
	if ((unsigned __int128)(hi - lo) >> w)
		return halves_all(w);
	return halves_arc((u64)lo, (u64)hi, w);
}

static struct halves mul_unsigned(struct half a, struct half b, unsigned w)
{
	unsigned __int128 lo = (unsigned __int128)a.lo * b.lo;
	unsigned __int128 hi = (unsigned __int128)a.hi * b.hi;

	if ((hi - lo) >> w)
		return halves_all(w);
	return halves_arc((u64)lo, (u64)hi, w);
}

/* @a is of the negative half, @b of either: the ends of the product as integers. */
static struct halves mul_signed(struct half a, struct half b, unsigned w)
{
	__int128 alo = sign_extend(a.lo, w), ahi = sign_extend(a.hi, w);
	__int128 blo = sign_extend(b.lo, w), bhi = sign_extend(b.hi, w);

	if (blo < 0)
		return wide_arc(ahi * bhi, alo * blo, w);
	return wide_arc(alo * bhi, ahi * blo, w);
}

/* A pattern with its sign bit set may be read as either integer; both readings hold. */
void range_mul(struct halves *r, struct half a, struct half b, unsigned w)
{
	struct halves part = mul_unsigned(a, b, w);

	if (a.lo & top_bit(w))
		part = halves_meet(part, mul_signed(a, b, w));
	else if (b.lo & top_bit(w))
		part = halves_meet(part, mul_signed(b, a, w));
	*r = halves_hull(*r, part);
}

/* Magnitudes of a half read as signed: the least number's is top_bit(w). */
static struct half magnitude(struct half a, unsigned w)
{
	if (a.lo & top_bit(w))
		return (struct half){-a.hi & all_bits(w), -a.lo & all_bits(w)};
	return a;
}

static void add_signed(struct halves *r, struct half magn, bool negative, unsigned w)
{
	if (negative)
		halves_add_arc(r, -magn.hi, -magn.lo, w);
	else
		halves_add_arc(r, magn.lo, magn.hi, w);
}

/* Takes 0 off a divisor's interval; true: it was there. */
static bool take_zero(struct half *b)
{
	bool zero = !b->lo;

	b->lo += zero;
	return zero;
}

static void div_any(struct halves *r, struct half a, struct half b, bool negative,
		    unsigned w)
{
	if (take_zero(&b))
		halves_add_half(r, 0, 0, 0);
	if (b.lo <= b.hi)
		add_signed(r, (struct half){a.lo / b.hi, a.hi / b.lo}, negative, w);
}

void range_div(struct halves *r, struct half a, struct half b, unsigned w)
{
	div_any(r, a, b, false, w);
}

void range_sdiv(struct halves *r, struct half a, struct half b, unsigned w)
{
	bool negative = (a.lo ^ b.lo) & top_bit(w);

	div_any(r, magnitude(a, w), magnitude(b, w), negative, w);
}

/*
 * With one quotient q for every pair, the remainder a - q * b is monotone in both;
 * otherwise only 0 <= remainder <= min(a, b - 1) is known.
 */
static struct half remainder_of(struct half a, struct half b)
{
	u64 q = a.lo / b.hi;

	if (q == a.hi / b.lo)
		return (struct half){a.lo - q * b.hi, a.hi - q * b.lo};
	return (struct half){0, min_u64(a.hi, b.hi - 1)};
}

static void mod_any(struct halves *r, struct half a, struct half b, bool negative,
		    unsigned w)
{
	if (take_zero(&b))
		add_signed(r, a, negative, w);
	if (b.lo <= b.hi)
		add_signed(r, remainder_of(a, b), negative, w);
}

void range_mod(struct halves *r, struct half a, struct half b, unsigned w)
{
	mod_any(r, a, b, false, w);
}

void range_smod(struct halves *r, struct half a, struct half b, unsigned w)
{
	mod_any(r, magnitude(a, w), magnitude(b, w), a.lo & top_bit(w), w);
}

/* Two intervals, and for each the bit where its bounds fork with all bits below: further
 * up its numbers agree. */
struct forked {
	struct half a, b;
	u64 fork_a, fork_b;
};

static struct forked forked(struct half a, struct half b)
{
	return (struct forked){a, b, bits_below(a.lo ^ a.hi), bits_below(b.lo ^ b.hi)};
}

/* The intervals of ~a and ~b fork where those of a and b do. */
static struct forked complement(struct forked f)
{
	return (struct forked){
		{~f.a.hi, ~f.a.lo}, {~f.b.hi, ~f.b.lo}, f.fork_a, f.fork_b};
}

/*
 * The exact bounds of a | b over two intervals (Warren, Hacker's Delight, §4-3), without
 * his loop. Least: at the highest bit that one lower bound has and the other could take
 * (it is 0 there, at or below its fork), take it and clear all below.
 */
static u64 or_least(struct forked f)
{
	u64 take_a = ~f.a.lo & f.b.lo & f.fork_a;
	u64 take_b = ~f.b.lo & f.a.lo & f.fork_b;
	u64 below = bits_below(take_a | take_b);

	if (take_a > take_b)
		f.a.lo &= ~below;
	else
		f.b.lo &= ~below;
	return f.a.lo | f.b.lo;
}

/* Greatest: at the highest bit that both upper bounds have and one can spare, it trades
 * the bit for all below. */
static u64 or_greatest(struct forked f)
{
	return f.a.hi | f.b.hi | bits_below(f.a.hi & f.b.hi & (f.fork_a | f.fork_b));
}

/* a & b = ~(~a | ~b). */
void range_and(struct halves *r, struct half a, struct half b, unsigned w)
{
	struct forked f = complement(forked(a, b));

	halves_add_half(r, ~or_greatest(f), ~or_least(f), !!(a.lo & b.lo & top_bit(w)));
}

void range_or(struct halves *r, struct half a, struct half b, unsigned w)
{
	struct forked f = forked(a, b);

	halves_add_half(r, or_least(f), or_greatest(f), !!((a.lo | b.lo) & top_bit(w)));
}

/* The bits above both forks are known; below, a ^ b = (a | b) - (a & b). */
void range_xor(struct halves *r, struct half a, struct half b, unsigned w)
{
	u64 open = bits_below((a.lo ^ a.hi) | (b.lo ^ b.hi));
	struct half x = {a.lo & open, a.hi & open}, y = {b.lo & open, b.hi & open};
	struct forked f = forked(x, y);
	u64 least = or_least(f), both = ~or_least(complement(f));
	u64 known = (a.lo ^ b.lo) & ~open;

	halves_add_half(r, known | (least > both ? least - both : 0),
			known | or_greatest(f), !!(known & top_bit(w)));
}

/* Shifting left multiplies; a half of the sign bit is read as negative, so that its least
 * number moves furthest. */
void range_lsh(struct halves *r, struct half a, struct amounts k, unsigned w)
{
	bool negative = a.lo & top_bit(w);
	__int128 lo = negative ? sign_extend(a.lo, w) : (s64)a.lo;
	__int128 hi = negative ? sign_extend(a.hi, w) : (s64)a.hi;
	__int128 least = (__int128)1 << k.min, most = (__int128)1 << k.max;

	*r = halves_hull(*r, wide_arc(lo * (negative ? most : least),
				      hi * (negative ? least : most), w));
}

void range_rsh(struct halves *r, struct half a, struct amounts k, unsigned w)
{
	halves_add_arc(r, a.lo >> k.max, a.hi >> k.min, w);
}

void range_arsh(struct halves *r, struct half a, struct amounts k, unsigned w)
{
	bool negative = a.lo & top_bit(w);
	s64 lo = sign_extend(a.lo, w), hi = sign_extend(a.hi, w);

	halves_add_arc(r, (u64)(lo >> (negative ? k.min : k.max)),
		       (u64)(hi >> (negative ? k.max : k.min)), w);
}
