/* SPDX-License-Identifier: MIT
 *
 * vectors.c: what the C code of the domains computes on random inputs, as text, so that
 * prove.py can check its model of that code: `check-domains --vectors COUNT [SEED]`.
 *
 * A line is a name, hexadecimal inputs, a colon, hexadecimal outputs. A tnum is value and
 * mask, a half lo and hi, halves are the positive and the negative half, a view is bits,
 * w64 and w32; a bool is 0 or 1; nothing follows a 0 that says "empty".
 */
#include "vectors.h"

#include "checks.h"
#include "verify/dom/range.h"

#include <inttypes.h>

static void put(u64 x)
{
	printf(" %" PRIx64, x);
}

static void put_tnum(struct tnum t)
{
	put(t.value);
	put(t.mask);
}

static void put_half(struct half h)
{
	put(h.lo);
	put(h.hi);
}

static void put_halves(const struct halves *h)
{
	put_half(h->of[0]);
	put_half(h->of[1]);
}

static void put_view(const struct view *v)
{
	put_tnum(v->bits);
	put_halves(&v->w64);
	put_halves(&v->w32);
}

/* ---- tnums ---- */

static const struct {
	const char *name;
	struct tnum (*of)(struct tnum a, struct tnum b);
} tnum_twos[] = {
	{"tnum_add", tnum_add}, {"tnum_sub", tnum_sub}, {"tnum_and", tnum_and},
	{"tnum_or", tnum_or}, {"tnum_xor", tnum_xor}, {"tnum_mul", tnum_mul},
	{"tnum_union", tnum_union},
};

/* Few or many unknown bits, in a run or scattered. */
static struct tnum random_tnum(u64 *seed)
{
	u64 r = random_next(seed), value = random_next(seed), mask = random_next(seed);

	if (r % 4 == 0)
		return random_element(seed).s.bits;
	if (r % 4 == 1)
		mask = (1ull << (r >> 8) % 64) - 1;
	if (r % 4 == 2)
		mask &= random_next(seed) & random_next(seed);
	if (r & 64)
		value >>= (r >> 16) % 64;
	if (r & 128)
		mask >>= (r >> 24) % 64;
	return (struct tnum){value & ~mask, mask};
}

static void tnum_vectors(u64 *seed)
{
	struct tnum a = random_tnum(seed), b = random_tnum(seed);
	u8 shift = random_next(seed) % 64, bytes = 1 << random_next(seed) % 4;

	for (size_t i = 0; i < ARRAY_SIZE(tnum_twos); i++) {
		printf("%s", tnum_twos[i].name);
		put_tnum(a);
		put_tnum(b);
		printf(" :");
		put_tnum(tnum_twos[i].of(a, b));
		printf("\n");
	}
#define ONE(name, arg, call)                                                             \
	printf(name);                                                                    \
	put_tnum(a);                                                                     \
	put(arg);                                                                        \
	printf(" :");                                                                    \
	put_tnum(call);                                                                  \
	printf("\n")
	ONE("tnum_lsh", shift, tnum_lsh(a, shift));
	ONE("tnum_rsh", shift, tnum_rsh(a, shift));
	ONE("tnum_arsh64", shift, tnum_arsh(a, shift, 64));
	ONE("tnum_arsh32", shift % 32, tnum_arsh(tnum_cast(a, 4), shift % 32, 32));
	ONE("tnum_cast", bytes, tnum_cast(a, bytes));
	ONE("tnum_bswap", bytes, tnum_bswap(a, bytes));
	ONE("tnum_neg", 0, tnum_neg(a));
#undef ONE
}

/* ---- ranges ---- */

static const struct {
	const char *name;
	range_rule *rule;
} rules[] = {
	{"range_add", range_add}, {"range_sub", range_sub}, {"range_mul", range_mul},
	{"range_div", range_div}, {"range_sdiv", range_sdiv}, {"range_mod", range_mod},
	{"range_smod", range_smod}, {"range_and", range_and}, {"range_or", range_or},
	{"range_xor", range_xor},
};

static const struct {
	const char *name;
	range_shift *rule;
} shifts[] = {
	{"range_lsh", range_lsh}, {"range_rsh", range_rsh}, {"range_arsh", range_arsh},
};

/* Of 32 or 64 bits. */
static struct half random_half(u64 *seed, unsigned w)
{
	struct element el = random_element(seed);
	struct view v;
	int sign = random_next(seed) & 1;

	view_of(&v, &el.s);
	if (half_empty((w == 64 ? v.w64 : v.w32).of[sign]))
		sign = !sign;
	return (w == 64 ? v.w64 : v.w32).of[sign];
}

static void range_vectors(u64 *seed)
{
	unsigned w = random_next(seed) & 1 ? 64 : 32;
	struct half a = random_half(seed, w), b = random_half(seed, w);
	struct amounts k = {random_next(seed) % w, 0};
	struct halves r;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		r = halves_none();
		rules[i].rule(&r, a, b, w);
		printf("%s %x", rules[i].name, w);
		put_half(a);
		put_half(b);
		printf(" :");
		put_halves(&r);
		printf("\n");
	}
	k.max = k.min + random_next(seed) % (w - k.min);
	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		r = halves_none();
		shifts[i].rule(&r, a, k, w);
		printf("%s %x", shifts[i].name, w);
		put_half(a);
		put(k.min);
		put(k.max);
		printf(" :");
		put_halves(&r);
		printf("\n");
	}
}

/* ---- views ---- */

/* A view whose parts do not agree yet. */
static struct view random_view(u64 *seed)
{
	struct element a = random_element(seed), b = random_element(seed);
	struct view x, y;
	u64 r = random_next(seed);

	a.s = scalar_union(a.s, b.s);
	view_of(&x, &a.s);
	view_of(&y, &b.s);
	if (r & 1)
		x.bits = y.bits;
	if (r & 2)
		x.w64 = y.w64;
	if (r & 4)
		x.w32 = y.w32;
	return x;
}

static void extend_vector(struct view v, u8 bytes, bool sign)
{
	printf("view_extend %x %x", bytes, sign);
	put_view(&v);
	printf(" :");
	view_extend(&v, bytes, sign);
	put_view(&v);
	printf("\n");
}

static void learn_vector(int cond, bool wide, bool taken, struct view a, struct view b)
{
	bool good;

	printf("branch_learn %x %x %x", cond, wide ? 64 : 32, taken);
	put_view(&a);
	put_view(&b);
	good = branch_learn((enum isa_cond)cond, wide, taken, &a, &b);
	printf(" : %x", good);
	if (good) {
		put_view(&a);
		put_view(&b);
	}
	printf("\n");
}

static void view_vectors(u64 *seed)
{
	struct view a = random_view(seed), b = random_view(seed), v = a;
	bool good;

	printf("view_round");
	put_view(&v);
	good = view_round(&v);
	printf(" : %x", good);
	if (good)
		put_view(&v);
	printf("\n");
	for (int bytes = 1; bytes < 8; bytes *= 2) {
		extend_vector(a, bytes, false);
		extend_vector(a, bytes, true);
	}
	for (int i = 0; i < 4 * NR_COND; i++)
		learn_vector(i / 4, i & 1, i & 2, a, b);
}

/* view_of() of ranges that do not agree yet. */
static void scalar_vectors(u64 *seed)
{
	struct element el = random_element(seed);
	struct scalar s = el.s, all = scalar_unknown();
	struct view v;

	if (random_next(seed) & 1)
		s.umin = all.umin, s.u32max = all.u32max;
	if (random_next(seed) & 1)
		s.smax = all.smax, s.s32min = all.s32min;
	printf("halves_of 40 %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " :", s.umin,
	       s.umax, (u64)s.smin, (u64)s.smax);
	view_of(&v, &s);
	put_halves(&v.w64);
	printf("\nhalves_of 20 %x %x %x %x :", s.u32min, s.u32max, (u32)s.s32min,
	       (u32)s.s32max);
	put_halves(&v.w32);
	printf("\n");
}

void print_vectors(int count, u64 seed)
{
	for (int i = 0; i < count; i++) {
		tnum_vectors(&seed);
		range_vectors(&seed);
		view_vectors(&seed);
		scalar_vectors(&seed);
	}
}
