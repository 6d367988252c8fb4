/* SPDX-License-Identifier: MIT
 *
 * scalar.c: makes scalars, brings their parts to agree, compares and joins them.
 *
 * view_sync() is where knowledge flows between the bits, the ranges and the low 32 bits.
 * Each step only ever removes numbers that another part excludes, so it is sound in any
 * order and may stop at any time; it repeats while something moves, a bounded number of
 * times. Everything here works on halves (halves.h). test/proofs/model.py follows
 * view_round() and what it calls line by line: change both together.
 */
#include "verify/dom/halves.h"

enum { SYNC_ROUNDS = 5 }; /* one or two are the rule; the bound is for the rest */

void view_unknown(struct view *v)
{
	v->bits = (struct tnum){0, ~0ull};
	v->w64 = halves_all(64);
	v->w32 = halves_all(32);
}

/* The halves that hold @x alone. */
static void halves_const(struct halves *h, u64 x, bool sign)
{
	h->of[sign] = (struct half){x, x};
	h->of[!sign] = HALF_NONE;
}

void view_const(struct view *v, u64 value)
{
	v->bits = (struct tnum){value, 0};
	halves_const(&v->w64, value, value >> 63);
	halves_const(&v->w32, (u32)value, (u32)value >> 31);
}

/* The numbers of umin..umax (unsigned order) that are also in smin..smax (signed). */
static inline void halves_of(struct halves *r, u64 umin, u64 umax, u64 smin, u64 smax,
			     unsigned w)
{
	bool from_neg = smin & top_bit(w), to_neg = smax & top_bit(w);

	r->of[0] = r->of[1] = HALF_NONE;
	if (!to_neg)
		r->of[0] = half_make(from_neg ? umin : max_u64(umin, smin),
				     min_u64(umax, smax));
	if (from_neg)
		r->of[1] = half_make(max_u64(umin, smin),
				     to_neg ? min_u64(umax, smax) : umax);
}

void view_of(struct view *v, const struct scalar *a)
{
	v->bits = a->bits;
	halves_of(&v->w64, a->umin, a->umax, (u64)a->smin, (u64)a->smax, 64);
	halves_of(&v->w32, a->u32min, a->u32max, (u32)a->s32min, (u32)a->s32max, 32);
}

void view_low(struct view *v)
{
	v->bits = (struct tnum){(u32)v->bits.value, (u32)v->bits.mask};
	v->w64.of[0] = half_make(halves_umin(&v->w32), halves_umax(&v->w32));
	v->w64.of[1] = HALF_NONE;
}

struct scalar view_scalar(const struct view *v)
{
	return (struct scalar){
		.bits = v->bits,
		.umin = halves_umin(&v->w64),
		.umax = halves_umax(&v->w64),
		.smin = (s64)halves_smin(&v->w64),
		.smax = (s64)halves_smax(&v->w64),
		.u32min = (u32)halves_umin(&v->w32),
		.u32max = (u32)halves_umax(&v->w32),
		.s32min = (s32)halves_smin(&v->w32),
		.s32max = (s32)halves_smax(&v->w32),
	};
}

/*
 * The least member of @t that is >= x, in *next; false when there is none. At the highest
 * known bit where x disagrees, either the member is larger there (and least below), or an
 * unknown 0 bit of x further up must become 1.
 */
static inline bool tnum_next(struct tnum t, u64 x, u64 *next)
{
	u64 differ = (x ^ t.value) & ~t.mask;
	u64 from, raise;

	*next = x;
	if (!differ)
		return true;
	from = ~0ull >> __builtin_clzll(differ); /* the bit that differs, and all below */
	if (t.value & (from ^ (from >> 1))) {
		*next = (x & ~from) | (t.value & from);
		return true;
	}
	raise = t.mask & ~x & ~from;
	raise &= -raise;
	*next = (x & -raise) | raise | (t.value & (raise - 1));
	return raise;
}

/* The greatest member of @t that is <= x: the mirror image. */
static inline bool tnum_prev(struct tnum t, u64 x, u64 *prev)
{
	struct tnum mirror = {~t.value & ~t.mask, t.mask};
	bool found = tnum_next(mirror, ~x, prev);

	*prev = ~*prev;
	return found;
}

/* Moves the ends of a half to members of @t. */
static void half_fit_bits(struct half *a, struct tnum t)
{
	u64 lo, hi;

	if (half_empty(*a))
		return;
	if (tnum_next(t, a->lo, &lo) && tnum_prev(t, a->hi, &hi))
		*a = half_make(lo, hi);
	else
		*a = HALF_NONE;
}

static void halves_fit_bits(struct halves *a, struct tnum t)
{
	half_fit_bits(&a->of[0], t);
	half_fit_bits(&a->of[1], t);
}

/* The least x >= *x whose low 32 bits are in @low; false when there is none. */
static bool low_next(const struct halves *low, u64 *x)
{
	u64 high = *x & ~0xffffffffull;
	u32 at = (u32)*x;

	for (int s = 0; s < 2; s++) {
		if (at > low->of[s].hi || half_empty(low->of[s]))
			continue;
		*x = high | max_u64(at, low->of[s].lo);
		return true;
	}
	*x = (high + (1ull << 32)) | halves_umin(low);
	return high + (1ull << 32);
}

static bool low_prev(const struct halves *low, u64 *x)
{
	u64 high = *x & ~0xffffffffull;
	u32 at = (u32)*x;

	for (int s = 1; s >= 0; s--) {
		if (at < low->of[s].lo)
			continue;
		*x = high | min_u64(at, low->of[s].hi);
		return true;
	}
	*x = (high - (1ull << 32)) | halves_umax(low);
	return high;
}

static void half_fit_low(struct half *h, const struct halves *low)
{
	if (half_empty(*h))
		return;
	if (low_next(low, &h->lo) && low_prev(low, &h->hi))
		*h = half_make(h->lo, h->hi);
	else
		*h = HALF_NONE;
}

/* Moves the ends of the 64-bit halves to numbers whose low half is in @low. */
static void halves_fit_low(struct halves *a, const struct halves *low)
{
	if (halves_is_all(low, 32))
		return;
	half_fit_low(&a->of[0], low);
	half_fit_low(&a->of[1], low);
}

/* The least tnum that holds both halves: what differs within either and between them. */
static struct tnum halves_bits(const struct halves *a)
{
	struct half x = half_empty(a->of[0]) ? a->of[1] : a->of[0];
	struct half y = half_empty(a->of[1]) ? a->of[0] : a->of[1];
	u64 mask = bits_below((x.lo ^ x.hi) | (y.lo ^ y.hi)) | (x.lo ^ y.lo);

	return (struct tnum){x.lo & ~mask, mask};
}

static struct tnum low_bits(const struct view *v)
{
	return (struct tnum){(u32)v->bits.value, (u32)v->bits.mask};
}

/* One turn of the wheel: bits -> ranges -> low ranges -> bits. False: nothing is left. */
bool view_round(struct view *v)
{
	struct halves part;
	struct tnum low;

	halves_fit_bits(&v->w32, low_bits(v));
	halves_fit_bits(&v->w64, v->bits);
	if (halves_empty(&v->w32))
		return false;
	halves_fit_low(&v->w64, &v->w32);
	if (halves_empty(&v->w64))
		return false;
	part = halves_trunc(&v->w64, 32);
	v->w32 = halves_meet(v->w32, part);
	if (halves_empty(&v->w32) || !bits_meet(&v->bits, halves_bits(&v->w64)))
		return false;
	low = halves_bits(&v->w32);
	return bits_meet(&v->bits, (struct tnum){low.value, low.mask | ~0ull << 32});
}

static bool half_fits(struct half a, struct tnum t)
{
	return half_empty(a) || (bits_have(t, a.lo) && bits_have(t, a.hi));
}

/*
 * Would another turn change nothing? The ends of the 64-bit halves have low halves in w32
 * (just seen to), w32 lies in what w64 leaves it, and the bits follow from both. Only
 * whether every end is still among the bits is open.
 */
static bool settled(const struct view *v)
{
	struct tnum low = low_bits(v);

	return half_fits(v->w64.of[0], v->bits) && half_fits(v->w64.of[1], v->bits) &&
	       half_fits(v->w32.of[0], low) && half_fits(v->w32.of[1], low);
}

static bool sync_const(struct view *v)
{
	u64 x = v->bits.value;
	bool fits = halves_has(&v->w64, x) && halves_has(&v->w32, (u32)x);

	if (fits)
		view_const(v, x);
	return fits;
}

bool view_sync(struct view *v)
{
	if (!v->bits.mask)
		return sync_const(v);
	for (int i = 0; i < SYNC_ROUNDS; i++) {
		if (!view_round(v))
			return false;
		if (settled(v))
			break;
	}
	return true;
}

struct scalar view_done(struct view *v)
{
	return view_sync(v) ? view_scalar(v) : scalar_none();
}

struct scalar scalar_none(void)
{
	return (struct scalar){
		.bits = {0, ~0ull},
		.umin = ~0ull,
		.smin = INT64_MAX,
		.smax = INT64_MIN,
		.u32min = ~0u,
		.s32min = INT32_MAX,
		.s32max = INT32_MIN,
	};
}

struct scalar scalar_unknown(void)
{
	struct view v;

	view_unknown(&v);
	return view_scalar(&v);
}

struct scalar scalar_const(u64 value)
{
	struct view v;

	view_const(&v, value);
	return view_scalar(&v);
}

struct scalar scalar_urange(u64 min, u64 max)
{
	struct view v;

	if (min > max)
		return scalar_none();
	view_unknown(&v);
	v.w64 = halves_arc(min, max, 64);
	return view_done(&v);
}

struct scalar scalar_srange(s64 min, s64 max)
{
	struct view v;

	if (min > max)
		return scalar_none();
	view_unknown(&v);
	v.w64 = halves_arc((u64)min, (u64)max, 64);
	return view_done(&v);
}

struct scalar scalar_sync(struct scalar a)
{
	struct view v;

	if (is_empty(&a))
		return scalar_none();
	view_of(&v, &a);
	return view_done(&v);
}

bool scalar_empty(struct scalar a)
{
	return is_empty(&a);
}

bool scalar_is_const(struct scalar a)
{
	return tnum_is_const(a.bits);
}

bool scalar_has(struct scalar a, u64 x)
{
	return tnum_has(a.bits, x) && x >= a.umin && x <= a.umax && (s64)x >= a.smin &&
	       (s64)x <= a.smax && (u32)x >= a.u32min && (u32)x <= a.u32max &&
	       (s32)x >= a.s32min && (s32)x <= a.s32max;
}

bool scalar_within(struct scalar outer, struct scalar inner)
{
	if (is_empty(&inner))
		return true;
	return tnum_in(outer.bits, inner.bits) && outer.umin <= inner.umin &&
	       outer.umax >= inner.umax && outer.smin <= inner.smin &&
	       outer.smax >= inner.smax && outer.u32min <= inner.u32min &&
	       outer.u32max >= inner.u32max && outer.s32min <= inner.s32min &&
	       outer.s32max >= inner.s32max;
}

struct scalar scalar_union(struct scalar a, struct scalar b)
{
	struct view va, vb, r;

	if (is_empty(&a))
		return b;
	if (is_empty(&b))
		return a;
	view_of(&va, &a);
	view_of(&vb, &b);
	r.bits = tnum_union(va.bits, vb.bits);
	r.w64 = halves_hull(va.w64, vb.w64);
	r.w32 = halves_hull(va.w32, vb.w32);
	return view_done(&r);
}

/* Would the extension of the low @w bits give every number back? */
static bool survives(const struct halves *a, unsigned w, bool sign)
{
	if (!sign)
		return halves_umax(a) <= all_bits(w);
	return (half_empty(a->of[0]) || a->of[0].hi < top_bit(w)) &&
	       (half_empty(a->of[1]) || a->of[1].lo >= -top_bit(w));
}

void view_extend(struct view *v, u8 bytes, bool sign)
{
	u8 w = bytes * 8, up = 64 - w;
	struct halves low;

	if (bytes >= 8 || survives(&v->w64, w, sign))
		return;
	low = halves_trunc(&v->w64, w);
	low = halves_meet(low, halves_trunc(&v->w32, w));
	v->bits = tnum_cast(v->bits, bytes);
	halves_fit_bits(&low, v->bits);
	if (sign)
		v->bits = tnum_arsh(tnum_lsh(v->bits, up), up, 64);
	v->w64 = sign ? halves_sext(&low, w, 64) : halves_zext(&low);
	v->w32 = w == 32 ? low : sign ? halves_sext(&low, w, 32) : halves_zext(&low);
}

static struct scalar extend(struct scalar a, u8 bytes, bool sign)
{
	struct view v;

	if (is_empty(&a))
		return scalar_none();
	view_of(&v, &a);
	view_extend(&v, bytes, sign);
	return view_done(&v);
}

struct scalar scalar_zext(struct scalar a, u8 bytes)
{
	return extend(a, bytes, false);
}

struct scalar scalar_sext(struct scalar a, u8 bytes)
{
	return extend(a, bytes, true);
}
