/* SPDX-License-Identifier: MIT
 *
 * checks.c: see checks.h. Nothing here knows how the domains work inside.
 */
#include "checks.h"

#include "reference.h"

#include <inttypes.h>
#include <stdarg.h>

const struct frame frames[NR_FRAMES] = {
	{"low", 0, 0, false},
	{"zero", 0, 0, true},
	{"bit31", 1ull << 31, 0, true},
	{"bit32", 1ull << 32, 0, true},
	{"bit63", 1ull << 63, 0, true},
	{"s32min", ~0ull << 31, 0, true},
	{"-2^32", ~0ull << 32, 0, true},
	{"bytes", 0, 7, false},
	{"top32", 0, -31, false},
	{"over31", 0, -32, false},
	{"top64", 0, -63, false},
};

u64 frame_number(const struct frame *f, unsigned bits, unsigned i)
{
	unsigned shift =
		f->shift >= 0 ? (unsigned)f->shift : (unsigned)-f->shift + 1 - bits;
	u64 x = i - (f->around ? 1ull << (bits - 1) : 0);

	return f->base + (x << shift);
}

struct scalar abstract(const u64 *x, u32 count)
{
	struct scalar r = scalar_const(x[0]);

	for (u32 i = 1; i < count; i++) {
		s32 low = (s32)x[i];

		r.bits = tnum_union(r.bits, tnum_const(x[i]));
		r.umin = x[i] < r.umin ? x[i] : r.umin;
		r.umax = x[i] > r.umax ? x[i] : r.umax;
		r.smin = (s64)x[i] < r.smin ? (s64)x[i] : r.smin;
		r.smax = (s64)x[i] > r.smax ? (s64)x[i] : r.smax;
		r.u32min = (u32)low < r.u32min ? (u32)low : r.u32min;
		r.u32max = (u32)low > r.u32max ? (u32)low : r.u32max;
		r.s32min = low < r.s32min ? low : r.s32min;
		r.s32max = low > r.s32max ? low : r.s32max;
	}
	return scalar_sync(r);
}

static void elements_push(struct elements *e, struct element el)
{
	if (e->count == e->room) {
		e->room = e->room ? 2 * e->room : 64;
		e->at = realloc(e->at, e->room * sizeof(*e->at));
		if (!e->at)
			abort();
	}
	e->at[e->count++] = el;
}

void elements_free(struct elements *e)
{
	free(e->at);
	*e = (struct elements){0};
}

static void add_scalar(struct elements *e, const struct frame *f, unsigned bits,
		       struct scalar s)
{
	struct element el = {.s = s};

	for (unsigned i = 0; i < 1u << bits; i++)
		if (scalar_has(s, frame_number(f, bits, i)))
			el.members[el.count++] = frame_number(f, bits, i);
	for (u32 i = 0; i < e->count; i++)
		if (!memcmp(&e->at[i].s, &s, sizeof(s)))
			return;
	if (el.count)
		elements_push(e, el);
}

void add_tnums(struct elements *e, const struct frame *f, unsigned bits)
{
	for (unsigned value = 0; value < 1u << bits; value++) {
		for (unsigned mask = 0; mask < 1u << bits; mask++) {
			struct scalar s = scalar_unknown();
			u64 lowest = frame_number(f, bits, value);

			if (value & mask || f->around)
				continue;
			s.bits = (struct tnum){lowest, frame_number(f, bits, mask)};
			add_scalar(e, f, bits, scalar_sync(s));
		}
	}
}

void add_intervals(struct elements *e, const struct frame *f, unsigned bits)
{
	for (unsigned lo = 0; lo < 1u << bits; lo++) {
		for (unsigned hi = lo; hi < 1u << bits; hi++) {
			u64 x = frame_number(f, bits, lo), y = frame_number(f, bits, hi);

			if (x <= y)
				add_scalar(e, f, bits, scalar_urange(x, y));
			if ((s64)x <= (s64)y)
				add_scalar(e, f, bits, scalar_srange((s64)x, (s64)y));
		}
	}
}

void add_sets(struct elements *e, const struct frame *f, unsigned bits)
{
	for (u32 set = 1; set < 1u << (1u << bits); set++) {
		u64 x[MAX_MEMBERS];
		u32 n = 0;

		for (unsigned i = 0; i < 1u << bits; i++)
			if (set >> i & 1)
				x[n++] = frame_number(f, bits, i);
		add_scalar(e, f, bits, abstract(x, n));
	}
}

static void say(struct tally *t, const char *fmt, ...) FORMAT(2, 3);

static void say(struct tally *t, const char *fmt, ...)
{
	size_t at = strlen(t->wrong);
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->wrong + at, sizeof(t->wrong) - at, fmt, args);
	va_end(args);
}

static void say_scalar(struct tally *t, const char *what, struct scalar s)
{
	char buf[256];

	scalar_print(buf, sizeof(buf), s);
	say(t, " %s %s", what, buf);
}

/* Synced values stay as they are. */
static bool settled(struct scalar s)
{
	struct scalar again = scalar_sync(s);

	return !memcmp(&again, &s, sizeof(s));
}

static void measure(struct tally *t, struct scalar got, const u64 *results, u32 count)
{
	if (t->measure)
		t->best += scalar_within(abstract(results, count), got);
}

bool check_alu(struct tally *t, enum isa_alu op, bool wide, const struct element *a,
	       const struct element *b)
{
	struct scalar r = scalar_alu(op, wide, a->s, b->s);
	u64 results[MAX_MEMBERS * MAX_MEMBERS];
	u32 n = 0;

	t->calls++;
	for (u32 i = 0; i < a->count; i++) {
		for (u32 j = 0; j < b->count; j++) {
			u64 x = a->members[i], y = b->members[j];

			results[n] = ref_alu(op, wide, x, y);
			if (scalar_has(r, results[n++]))
				continue;
			say(t,
			    "alu %d wide %d: 0x%" PRIx64 ", 0x%" PRIx64
			    " gives 0x%" PRIx64,
			    op, wide, x, y, results[n - 1]);
			say_scalar(t, "not in", r);
			say_scalar(t, "of", a->s);
			say_scalar(t, "and", b->s);
			return false;
		}
	}
	t->checks += n;
	measure(t, r, results, n);
	if (settled(r))
		return true;
	say(t, "alu %d wide %d: not settled", op, wide);
	say_scalar(t, "is", r);
	return false;
}

/* The members for which the branch goes this way; what was learnt must hold them. */
struct taken {
	struct scalar a, b;
	u64 x[MAX_MEMBERS * MAX_MEMBERS], y[MAX_MEMBERS * MAX_MEMBERS];
	u32 count;
};

static bool check_way(struct tally *t, enum isa_cond cond, bool wide, bool way,
		      const struct element *a, const struct element *b)
{
	struct taken k = {.a = a->s, .b = b->s};

	branch_refine(cond, wide, way, &k.a, &k.b);
	for (u32 i = 0; i < a->count; i++) {
		for (u32 j = 0; j < b->count; j++) {
			u64 x = a->members[i], y = b->members[j];

			if (ref_cond(cond, wide, x, y) != way)
				continue;
			k.x[k.count] = x;
			k.y[k.count++] = y;
			if (scalar_has(k.a, x) && scalar_has(k.b, y))
				continue;
			say(t,
			    "cond %d wide %d way %d: 0x%" PRIx64 ", 0x%" PRIx64 " lost",
			    cond, wide, way, x, y);
			say_scalar(t, "by", a->s);
			say_scalar(t, "and", b->s);
			return false;
		}
	}
	t->calls++;
	t->checks += k.count;
	if (t->measure && k.count)
		t->best += scalar_within(abstract(k.x, k.count), k.a) &&
			   scalar_within(abstract(k.y, k.count), k.b);
	else if (t->measure)
		t->best += scalar_empty(k.a);
	if (scalar_within(a->s, k.a) && scalar_within(b->s, k.b) && settled(k.a) &&
	    settled(k.b))
		return true;
	say(t, "cond %d wide %d way %d: not narrower or not settled", cond, wide, way);
	say_scalar(t, "from", a->s);
	say_scalar(t, "and", b->s);
	return false;
}

bool check_branch(struct tally *t, enum isa_cond cond, bool wide, const struct element *a,
		  const struct element *b)
{
	int taken = branch_taken(cond, wide, a->s, b->s);

	for (u32 i = 0; taken >= 0 && i < a->count; i++) {
		for (u32 j = 0; j < b->count; j++) {
			if (ref_cond(cond, wide, a->members[i], b->members[j]) == taken)
				continue;
			say(t, "cond %d wide %d: not always %d", cond, wide, taken);
			say_scalar(t, "for", a->s);
			say_scalar(t, "and", b->s);
			return false;
		}
	}
	return check_way(t, cond, wide, true, a, b) &&
	       check_way(t, cond, wide, false, a, b);
}

bool check_all_alu(struct tally *t, const struct elements *a, const struct elements *b)
{
	for (int op = 0; op < 2 * NR_ALU; op++) {
		bool unary = op / 2 == ALU_NEG || op / 2 >= ALU_MOV;

		for (u32 i = 0; i < a->count; i++)
			for (u32 j = 0; j < (unary ? 1 : b->count); j++)
				if (!check_alu(t, (enum isa_alu)(op / 2), op & 1,
					       &a->at[i], unary ? &a->at[i] : &b->at[j]))
					return false;
	}
	return true;
}

bool check_all_branches(struct tally *t, const struct elements *a,
			const struct elements *b)
{
	for (int cond = 0; cond < 2 * NR_COND; cond++)
		for (u32 i = 0; i < a->count; i++)
			for (u32 j = 0; j < b->count; j++)
				if (!check_branch(t, (enum isa_cond)(cond / 2), cond & 1,
						  &a->at[i], &b->at[j]))
					return false;
	return true;
}

/* ---- tnums alone ---- */

static u64 two_add(u64 x, u64 y)
{
	return x + y;
}
static u64 two_sub(u64 x, u64 y)
{
	return x - y;
}
static u64 two_mul(u64 x, u64 y)
{
	return x * y;
}
static u64 two_and(u64 x, u64 y)
{
	return x & y;
}
static u64 two_or(u64 x, u64 y)
{
	return x | y;
}
static u64 two_xor(u64 x, u64 y)
{
	return x ^ y;
}

static const struct two {
	const char *name;
	struct tnum (*of)(struct tnum a, struct tnum b);
	u64 (*number)(u64 x, u64 y);
	bool exact;
} twos[] = {
	{"add", tnum_add, two_add, true},  {"sub", tnum_sub, two_sub, true},
	{"mul", tnum_mul, two_mul, false}, {"and", tnum_and, two_and, true},
	{"or", tnum_or, two_or, true},	   {"xor", tnum_xor, two_xor, true},
};

/* The members of a tnum, one after the other: start with t.value. False: no more. */
static bool next_member(struct tnum t, u64 *x)
{
	*x = t.value | (((*x | ~t.mask) + 1) & t.mask);
	return *x != t.value;
}

static bool check_two(struct tally *t, const struct two *f, struct tnum a, struct tnum b)
{
	struct tnum r = f->of(a, b), best;
	u64 x = a.value, y = b.value;

	best = tnum_const(f->number(x, y));
	do {
		do {
			best = tnum_union(best, tnum_const(f->number(x, y)));
			t->checks++;
		} while (next_member(b, &y));
	} while (next_member(a, &x));
	t->calls++;
	t->best += tnum_in(best, r);
	if (tnum_in(r, best) && (!f->exact || tnum_in(best, r)) && !(r.value & r.mask))
		return true;
	say(t,
	    "tnum_%s of (0x%" PRIx64 "; 0x%" PRIx64 ") and (0x%" PRIx64 "; 0x%" PRIx64
	    ")",
	    f->name, a.value, a.mask, b.value, b.mask);
	return false;
}

/* Overlap, containment, intersection and union, by looking at every number. */
static bool check_sets(struct tally *t, struct tnum a, struct tnum b, u64 numbers)
{
	struct tnum both = tnum_intersect(a, b), either = tnum_union(a, b);
	bool overlap = false, in = true;

	for (u64 x = 0; x < numbers; x++) {
		bool ina = tnum_has(a, x), inb = tnum_has(b, x);

		overlap |= ina && inb;
		in &= ina || !inb;
		if ((ina || inb) && !tnum_has(either, x))
			break;
		if (tnum_overlap(a, b) && tnum_has(both, x) != (ina && inb))
			break;
		t->checks++;
		if (x == numbers - 1 && overlap == tnum_overlap(a, b) &&
		    in == tnum_in(a, b))
			return true;
	}
	say(t,
	    "tnum sets of (0x%" PRIx64 "; 0x%" PRIx64 ") and (0x%" PRIx64 "; 0x%" PRIx64
	    ")",
	    a.value, a.mask, b.value, b.mask);
	return false;
}

static bool check_tnum_pair(struct tally *t, struct tnum a, struct tnum b, u64 numbers)
{
	for (size_t i = 0; i < ARRAY_SIZE(twos); i++)
		if (!check_two(t, &twos[i], a, b))
			return false;
	return check_sets(t, a, b, numbers);
}

bool check_tnums(struct tally *t, unsigned bits)
{
	u64 numbers = 1ull << bits, patterns = numbers * numbers;

	for (u64 p = 0; p < patterns; p++) {
		struct tnum a = {p / numbers, p % numbers};

		for (u64 q = 0; !(a.value & a.mask) && q < patterns; q++) {
			struct tnum b = {q / numbers, q % numbers};

			if (!(b.value & b.mask) && !check_tnum_pair(t, a, b, numbers))
				return false;
		}
	}
	return true;
}

/* ---- random values at full width ---- */

/* splitmix64 (Steele, Lea, Flood 2014). */
u64 random_next(u64 *seed)
{
	u64 x = *seed += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Small, near a boundary, a few bits, a run of bits, or anything. */
static u64 random_number(u64 *seed)
{
	static const u64 edges[] = {0,		 1ull << 31,  1ull << 32, 1ull << 63,
				    ~0ull << 31, ~0ull << 32, 0x7f,	  0x7fff};
	u64 r = random_next(seed), x = random_next(seed);

	switch (r % 6) {
	case 0:
		return x >> (56 + (r >> 8) % 8);
	case 1:
		return edges[(r >> 8) % ARRAY_SIZE(edges)] + (x & 7) - 4;
	case 2:
		return x & random_next(seed) & random_next(seed) & random_next(seed);
	case 3:
		return x >> (r >> 8) % 64;
	case 4:
		return (u64)((s64)x >> (r >> 8) % 64);
	default:
		return x;
	}
}

/* A member of the range lo..hi, near its ends as often as within. */
static u64 within(u64 *seed, u64 lo, u64 hi)
{
	u64 r = random_next(seed), span = hi - lo + 1;

	if (r % 4 == 0)
		return lo;
	if (r % 4 == 1)
		return hi;
	return span ? lo + random_next(seed) % span : random_next(seed);
}

static struct scalar random_scalar(u64 *seed, const u64 *x, u32 n)
{
	struct scalar s = abstract(x, n), wide = scalar_unknown();
	u64 r = random_next(seed);

	/* Forget some of it, so that the parts do not all say the same. */
	if (r & 1)
		s.bits = wide.bits;
	if (r & 2)
		s.umin = wide.umin, s.umax = wide.umax;
	if (r & 4)
		s.smin = wide.smin, s.smax = wide.smax;
	if (r & 8)
		s.u32min = wide.u32min, s.u32max = wide.u32max;
	if (r & 16)
		s.s32min = wide.s32min, s.s32max = wide.s32max;
	return scalar_sync(s);
}

struct element random_element(u64 *seed)
{
	struct element el = {.count = 1 + random_next(seed) % 4};
	u32 given = el.count;

	for (u32 i = 0; i < given; i++)
		el.members[i] = random_number(seed);
	el.s = random_scalar(seed, el.members, given);
	for (int i = 0; i < 8; i++) {
		u64 x = i & 1 ? within(seed, (u64)el.s.smin, (u64)el.s.smax)
			      : within(seed, el.s.umin, el.s.umax);

		x = el.s.bits.value | (x & el.s.bits.mask);
		if (scalar_has(el.s, x))
			el.members[el.count++] = x;
	}
	return el;
}
