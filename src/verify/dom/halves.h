/* SPDX-License-Identifier: MIT
 *
 * halves.h: ranges the way the domains compute with them (private to src/verify/dom).
 *
 * An unsigned and a signed range of the same w-bit number together say exactly this: an
 * interval of the numbers whose sign bit is clear, and an interval of those whose sign
 * bit is set; either may be empty. Within one such *half* signed and unsigned order
 * agree, so every operation is written once, for a pair of halves, and serves both orders
 * and both widths. Numbers are kept as w-bit patterns in a u64.
 *
 * An *arc* is an interval on the circle of w-bit numbers: from lo upwards to hi, passing
 * zero if hi < lo. Sums, differences and products of halves are arcs.
 *
 * Invariant: an empty half is exactly HALF_NONE, so that hulls and bounds need no branch.
 */
#ifndef PINTLE_HALVES_H
#define PINTLE_HALVES_H

#include "verify/dom/scalar.h"

struct half {
	u64 lo, hi;
};

struct halves {
	struct half of[2]; /* by the sign bit */
};

/* A scalar taken apart; the low 32 bits have halves of their own. */
struct view {
	struct tnum bits;
	struct halves w64, w32;
};

#define HALF_NONE ((struct half){~0ull, 0})

static inline u64 top_bit(unsigned w)
{
	return 1ull << (w - 1);
}

static inline u64 all_bits(unsigned w)
{
	return ~0ull >> (64 - w);
}

static inline s64 sign_extend(u64 x, unsigned w)
{
	return (s64)(x << (64 - w)) >> (64 - w);
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* All bits from the highest of @x down: 0b0010100 gives 0b0011111. */
static inline u64 bits_below(u64 x)
{
	return (~0ull >> __builtin_clzll(x | 1)) & -(u64)(x != 0);
}

static inline bool half_empty(struct half a)
{
	return a.lo > a.hi;
}

static inline struct half half_make(u64 lo, u64 hi)
{
	return lo <= hi ? (struct half){lo, hi} : HALF_NONE;
}

static inline struct halves halves_none(void)
{
	return (struct halves){{HALF_NONE, HALF_NONE}};
}

static inline struct halves halves_all(unsigned w)
{
	return (struct halves){{{0, all_bits(w) >> 1}, {top_bit(w), all_bits(w)}}};
}

static inline bool halves_empty(const struct halves *a)
{
	return half_empty(a->of[0]) && half_empty(a->of[1]);
}

static inline bool halves_same(const struct halves *a, const struct halves *b)
{
	return a->of[0].lo == b->of[0].lo && a->of[0].hi == b->of[0].hi &&
	       a->of[1].lo == b->of[1].lo && a->of[1].hi == b->of[1].hi;
}

static inline bool halves_is_all(const struct halves *a, unsigned w)
{
	struct halves all = halves_all(w);

	return halves_same(a, &all);
}

/* Bounds in unsigned order, and in signed order as patterns; of a non-empty set. */
static inline u64 halves_umin(const struct halves *a)
{
	return min_u64(a->of[0].lo, a->of[1].lo);
}

static inline u64 halves_umax(const struct halves *a)
{
	return max_u64(a->of[0].hi, a->of[1].hi);
}

static inline u64 halves_smin(const struct halves *a)
{
	return half_empty(a->of[1]) ? a->of[0].lo : a->of[1].lo;
}

static inline u64 halves_smax(const struct halves *a)
{
	return half_empty(a->of[0]) ? a->of[1].hi : a->of[0].hi;
}

/* Widens @to by the interval lo..hi, all of one sign. */
static inline void halves_add_half(struct halves *to, u64 lo, u64 hi, unsigned sign)
{
	to->of[sign].lo = min_u64(to->of[sign].lo, lo);
	to->of[sign].hi = max_u64(to->of[sign].hi, hi);
}

/* Widens @to by the arc lo..hi; both are cut to w bits here. */
static inline void halves_add_arc(struct halves *to, u64 lo, u64 hi, unsigned w)
{
	u64 top = top_bit(w), all = all_bits(w);

	lo &= all;
	hi &= all;
	if (!((lo ^ hi) & top) && lo <= hi) {
		halves_add_half(to, lo, hi, !!(lo & top));
	} else if (lo <= hi) {
		halves_add_half(to, lo, top - 1, 0);
		halves_add_half(to, top, hi, 1);
	} else if ((lo & top) && !(hi & top)) {
		halves_add_half(to, lo, all, 1);
		halves_add_half(to, 0, hi, 0);
	} else {
		*to = halves_all(w);
	}
}

static inline struct halves halves_arc(u64 lo, u64 hi, unsigned w)
{
	struct halves r = halves_none();

	halves_add_arc(&r, lo, hi, w);
	return r;
}

static inline struct halves halves_hull(struct halves a, struct halves b)
{
	halves_add_half(&a, b.of[0].lo, b.of[0].hi, 0);
	halves_add_half(&a, b.of[1].lo, b.of[1].hi, 1);
	return a;
}

static inline struct half half_meet(struct half a, struct half b)
{
	return half_make(max_u64(a.lo, b.lo), min_u64(a.hi, b.hi));
}

static inline struct halves halves_meet(struct halves a, struct halves b)
{
	return (struct halves){
		{half_meet(a.of[0], b.of[0]), half_meet(a.of[1], b.of[1])}};
}

static inline bool halves_has(const struct halves *a, u64 x)
{
	return (x >= a->of[0].lo && x <= a->of[0].hi) ||
	       (x >= a->of[1].lo && x <= a->of[1].hi);
}

/* The low @w bits of numbers of a wider range: every half that is no longer than the
 * circle of w bits lies on it as an arc. */
static inline struct halves halves_trunc(const struct halves *a, unsigned w)
{
	struct halves r = halves_none();

	for (int s = 0; s < 2; s++) {
		if (half_empty(a->of[s]))
			continue;
		if (a->of[s].hi - a->of[s].lo > all_bits(w))
			return halves_all(w);
		halves_add_arc(&r, a->of[s].lo, a->of[s].hi, w);
	}
	return r;
}

/* w-bit numbers zero-extended to more than w bits. */
static inline struct halves halves_zext(const struct halves *a)
{
	struct halves r = halves_none();

	halves_add_half(&r, halves_umin(a), halves_umax(a), 0);
	return r;
}

/* w-bit numbers sign-extended to @to bits. */
static inline struct halves halves_sext(const struct halves *a, unsigned w, unsigned to)
{
	struct halves r = *a;

	if (!half_empty(r.of[1])) {
		r.of[1].lo |= all_bits(to) & ~all_bits(w);
		r.of[1].hi |= all_bits(to) & ~all_bits(w);
	}
	return r;
}

/* Keeps of @a what is also in @b; false: nothing. */
static inline bool bits_meet(struct tnum *a, struct tnum b)
{
	u64 mask = a->mask & b.mask;

	if ((a->value ^ b.value) & ~a->mask & ~b.mask)
		return false;
	*a = (struct tnum){(a->value | b.value) & ~mask, mask};
	return true;
}

/* tnum_has() where it is called often. */
static inline bool bits_have(struct tnum a, u64 x)
{
	return (x & ~a.mask) == a.value;
}

static inline bool is_empty(const struct scalar *a)
{
	return a->umin > a->umax || a->smin > a->smax || a->u32min > a->u32max ||
	       a->s32min > a->s32max;
}

/* Views are filled in place: copies of freshly written structs are what costs here. */
void view_of(struct view *v, const struct scalar *a);
void view_const(struct view *v, u64 value);
void view_unknown(struct view *v);
/* Only the low 32 bits, zero-extended. */
void view_low(struct view *v);
/* The low @bytes, zero- or sign-extended. */
void view_extend(struct view *v, u8 bytes, bool sign);
/* Brings the parts to agree; false: no number fits. */
bool view_sync(struct view *v);
/* One turn of view_sync(), and what a branch tells before it: on their own for the
 * proofs. */
bool view_round(struct view *v);
bool branch_learn(enum isa_cond cond, bool wide, bool taken, struct view *dst,
		  struct view *src);
/* The scalar of a view that view_sync() has seen. */
struct scalar view_scalar(const struct view *v);
/* view_sync() and view_scalar(). */
struct scalar view_done(struct view *v);

struct scalar scalar_none(void);

#endif
