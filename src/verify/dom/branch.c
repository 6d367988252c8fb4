/* SPDX-License-Identifier: MIT
 *
 * branch.c: what a comparison decides, and what is learnt on either side of it.
 *
 * Every condition, taken or not, is one of six facts: equal, different, less, at most (in
 * unsigned or signed order), some common bit, no common bit; the others are these with
 * the operands exchanged. Both operands are unknown in general and both are narrowed. A
 * 32-bit comparison speaks of the low halves only; view_sync() carries it up.
 * test/proofs/model.py follows the learn functions line by line: change both together.
 */
#include "verify/dom/range.h"

enum fact { EQUAL, DIFFERENT, LESS, AT_MOST, SLESS, SAT_MOST, COMMON, DISJOINT };

struct claim {
	enum fact fact;
	bool exchange; /* of src and dst, rather than dst and src */
};

static const struct claim claims[NR_COND][2] = { /* by whether it is taken */
	[COND_EQ]  = {{DIFFERENT, false}, {EQUAL, false}},
	[COND_NE]  = {{EQUAL, false},     {DIFFERENT, false}},
	[COND_GT]  = {{AT_MOST, false},   {LESS, true}},
	[COND_GE]  = {{LESS, false},      {AT_MOST, true}},
	[COND_LT]  = {{AT_MOST, true},    {LESS, false}},
	[COND_LE]  = {{LESS, true},       {AT_MOST, false}},
	[COND_SGT] = {{SAT_MOST, false},  {SLESS, true}},
	[COND_SGE] = {{SLESS, false},     {SAT_MOST, true}},
	[COND_SLT] = {{SAT_MOST, true},   {SLESS, false}},
	[COND_SLE] = {{SLESS, true},      {SAT_MOST, false}},
	[COND_SET] = {{DISJOINT, false},  {COMMON, false}},
};

static const struct halves *range_at(const struct view *a, unsigned w)
{
	return w == 64 ? &a->w64 : &a->w32;
}

static struct tnum bits_at(const struct view *a, unsigned w)
{
	return w == 64 ? a->bits : tnum_subreg(a->bits);
}

/* Keeps of the w-bit range what lies on the arc lo..hi. */
static void keep_arc(struct view *a, u64 lo, u64 hi, unsigned w)
{
	struct halves *h = w == 64 ? &a->w64 : &a->w32;

	*h = halves_meet(*h, halves_arc(lo, hi, w));
}

/* Keeps what agrees with the low @w bits of @bits. */
static bool keep_bits(struct view *a, struct tnum bits, unsigned w)
{
	bits.mask |= ~all_bits(w);
	return bits_meet(&a->bits, bits);
}

/* ---- what may be: false only when the fact cannot hold ---- */

static bool halves_overlap(const struct halves *a, const struct halves *b)
{
	struct halves both = halves_meet(*a, *b);

	return !halves_empty(&both);
}

static bool may_equal(const struct view *a, const struct view *b, unsigned w)
{
	return tnum_overlap(bits_at(a, w), bits_at(b, w)) &&
	       halves_overlap(&a->w32, &b->w32) &&
	       (w == 32 || halves_overlap(&a->w64, &b->w64));
}

static bool may_differ(const struct view *a, const struct view *b, unsigned w)
{
	struct tnum x = bits_at(a, w), y = bits_at(b, w);

	return x.mask || y.mask || x.value != y.value;
}

static bool may_less(const struct view *a, const struct view *b, unsigned w)
{
	return halves_umin(range_at(a, w)) < halves_umax(range_at(b, w));
}

static bool may_at_most(const struct view *a, const struct view *b, unsigned w)
{
	return halves_umin(range_at(a, w)) <= halves_umax(range_at(b, w));
}

/* Signed order is unsigned order with the sign bit turned over. */
static u64 signed_rank(u64 x, unsigned w)
{
	return x ^ top_bit(w);
}

static bool may_sless(const struct view *a, const struct view *b, unsigned w)
{
	return signed_rank(halves_smin(range_at(a, w)), w) <
	       signed_rank(halves_smax(range_at(b, w)), w);
}

static bool may_sat_most(const struct view *a, const struct view *b, unsigned w)
{
	return signed_rank(halves_smin(range_at(a, w)), w) <=
	       signed_rank(halves_smax(range_at(b, w)), w);
}

static bool may_share(const struct view *a, const struct view *b, unsigned w)
{
	struct tnum both = tnum_and(bits_at(a, w), bits_at(b, w));
	struct halves h;

	range_pairs(&h, range_and, range_at(a, w), range_at(b, w), w);
	return (both.value | both.mask) && halves_umax(&h);
}

static bool may_be_disjoint(const struct view *a, const struct view *b, unsigned w)
{
	struct tnum both = tnum_and(bits_at(a, w), bits_at(b, w));
	struct halves h;

	range_pairs(&h, range_and, range_at(a, w), range_at(b, w), w);
	return !both.value && !halves_umin(&h);
}

/* ---- what is learnt: false when the fact turns out not to hold ---- */

static bool learn_equal(struct view *a, struct view *b, unsigned w)
{
	struct tnum bits = bits_at(b, w);

	if (!tnum_overlap(bits_at(a, w), bits))
		return false;
	a->w32 = b->w32 = halves_meet(a->w32, b->w32);
	if (w == 64)
		a->w64 = b->w64 = halves_meet(a->w64, b->w64);
	return keep_bits(b, bits_at(a, w), w) && keep_bits(a, bits, w);
}

/* Takes @x off the ends. */
static void take_off(struct halves *a, u64 x)
{
	for (int s = 0; s < 2; s++) {
		struct half *h = &a->of[s];

		if (h->lo == x && h->hi == x)
			*h = HALF_NONE;
		else if (!half_empty(*h))
			*h = (struct half){h->lo + (h->lo == x), h->hi - (h->hi == x)};
	}
}

/* When all of @a has the high half of @x, then the low halves differ. */
static void differ_from(struct view *a, u64 x, unsigned w)
{
	if (w == 32 || (halves_umin(&a->w64) >> 32 == x >> 32 &&
			halves_umax(&a->w64) >> 32 == x >> 32))
		take_off(&a->w32, (u32)x);
	if (w == 64)
		take_off(&a->w64, x);
}

static bool learn_differ(struct view *a, struct view *b, unsigned w)
{
	struct tnum x = bits_at(a, w), y = bits_at(b, w);

	if (!y.mask)
		differ_from(a, y.value, w);
	if (!x.mask)
		differ_from(b, x.value, w);
	return may_differ(a, b, w);
}

static bool learn_less(struct view *a, struct view *b, unsigned w)
{
	u64 least = halves_umin(range_at(a, w)), most = halves_umax(range_at(b, w));

	if (least >= most)
		return false;
	keep_arc(a, 0, most - 1, w);
	keep_arc(b, least + 1, ~0ull, w);
	return true;
}

static bool learn_at_most(struct view *a, struct view *b, unsigned w)
{
	u64 least = halves_umin(range_at(a, w)), most = halves_umax(range_at(b, w));

	keep_arc(a, 0, most, w);
	keep_arc(b, least, ~0ull, w);
	return true;
}

static bool learn_sless(struct view *a, struct view *b, unsigned w)
{
	u64 least = halves_smin(range_at(a, w)), most = halves_smax(range_at(b, w));

	if (!may_sless(a, b, w))
		return false;
	keep_arc(a, top_bit(w), most - 1, w);
	keep_arc(b, least + 1, top_bit(w) - 1, w);
	return true;
}

static bool learn_sat_most(struct view *a, struct view *b, unsigned w)
{
	u64 least = halves_smin(range_at(a, w)), most = halves_smax(range_at(b, w));

	keep_arc(a, top_bit(w), most, w);
	keep_arc(b, least, top_bit(w) - 1, w);
	return true;
}

/* Both are at least the lowest bit they may share; a sole one, both have. */
static bool learn_share(struct view *a, struct view *b, unsigned w)
{
	struct tnum both = tnum_and(bits_at(a, w), bits_at(b, w));
	u64 maybe = both.value | both.mask, low = maybe & -maybe;

	if (!maybe)
		return false;
	keep_arc(a, low, ~0ull, w);
	keep_arc(b, low, ~0ull, w);
	if (maybe != low)
		return true;
	return keep_bits(a, (struct tnum){low, ~low}, w) &&
	       keep_bits(b, (struct tnum){low, ~low}, w);
}

static bool learn_disjoint(struct view *a, struct view *b, unsigned w)
{
	u64 ones = bits_at(a, w).value;

	return keep_bits(a, (struct tnum){0, ~bits_at(b, w).value}, w) &&
	       keep_bits(b, (struct tnum){0, ~ones}, w);
}

static const struct {
	bool (*may)(const struct view *a, const struct view *b, unsigned w);
	bool (*learn)(struct view *a, struct view *b, unsigned w);
} facts[] = {
	[EQUAL]     = {may_equal, learn_equal},
	[DIFFERENT] = {may_differ, learn_differ},
	[LESS]      = {may_less, learn_less},
	[AT_MOST]   = {may_at_most, learn_at_most},
	[SLESS]     = {may_sless, learn_sless},
	[SAT_MOST]  = {may_sat_most, learn_sat_most},
	[COMMON]    = {may_share, learn_share},
	[DISJOINT]  = {may_be_disjoint, learn_disjoint},
};

static bool may_be(struct claim c, const struct view *dst, const struct view *src,
		   unsigned w)
{
	return facts[c.fact].may(c.exchange ? src : dst, c.exchange ? dst : src, w);
}

int branch_taken(enum isa_cond cond, bool wide, struct scalar dst, struct scalar src)
{
	struct view a, b;
	unsigned w = wide ? 64 : 32;

	BUG_ON(cond >= NR_COND);
	if (is_empty(&dst) || is_empty(&src))
		return 0;
	view_of(&a, &dst);
	view_of(&b, &src);
	if (!may_be(claims[cond][true], &a, &b, w))
		return 0;
	return may_be(claims[cond][false], &a, &b, w) ? -1 : 1;
}

bool branch_learn(enum isa_cond cond, bool wide, bool taken, struct view *dst,
		  struct view *src)
{
	struct claim c = claims[cond][taken];

	return facts[c.fact].learn(c.exchange ? src : dst, c.exchange ? dst : src,
				   wide ? 64 : 32);
}

void branch_refine(enum isa_cond cond, bool wide, bool taken, struct scalar *dst,
		   struct scalar *src)
{
	struct view a, b;
	bool fits = false;

	BUG_ON(cond >= NR_COND);
	if (!is_empty(dst) && !is_empty(src)) {
		view_of(&a, dst);
		view_of(&b, src);
		fits = branch_learn(cond, wide, taken, &a, &b) && view_sync(&a) &&
		       view_sync(&b);
	}
	*dst = fits ? view_scalar(&a) : scalar_none();
	*src = fits ? view_scalar(&b) : scalar_none();
}
