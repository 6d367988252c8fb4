/* SPDX-License-Identifier: MIT
 *
 * What programs rely on the value domains to find out, as tables: the state of operands
 * and the text of the result. The rows are the idioms that compilers emit for bounds, and
 * the cases that users of other verifiers have been bitten by.
 */
#include "test.h"
#include "verify/dom/scalar.h"

/* Numbers given as a range; MASK: only the bits below are unknown; ANY: nothing known. */
static struct scalar num(u64 x)
{
	return scalar_const(x);
}

static struct scalar below(u64 max)
{
	return scalar_urange(0, max);
}

static struct scalar mask(u64 bits)
{
	return scalar_alu(ALU_AND, true, scalar_unknown(), scalar_const(bits));
}

#define ANY scalar_unknown()
#define U(lo, hi) scalar_urange(lo, hi)
#define S(lo, hi) scalar_srange(lo, hi)
#define U32 scalar_zext(scalar_unknown(), 4)
#define SMALL(n) "scalar(smin=smin32=0,smax=umax=smax32=umax32=" n ")"

static void check_text(const char *file, int line, struct scalar got, const char *want)
{
	char buf[512];

	scalar_print(buf, sizeof(buf), got);
	if (strcmp(buf, want))
		test_fail(file, line, "is\n  %s, want\n  %s", buf, want);
}

#define IS(got, want) check_text(__FILE__, __LINE__, got, want)

static struct scalar alu64(enum isa_alu op, struct scalar a, struct scalar b)
{
	return scalar_alu(op, true, a, b);
}

static struct scalar alu32(enum isa_alu op, struct scalar a, struct scalar b)
{
	return scalar_alu(op, false, a, b);
}

static bool is_range(struct scalar s, u64 lo, u64 hi)
{
	return s.umin == lo && s.umax == hi && (s64)lo <= (s64)hi && s.smin == (s64)lo &&
	       s.smax == (s64)hi;
}

static bool is_srange(struct scalar s, s64 lo, s64 hi)
{
	return s.smin == lo && s.smax == hi;
}

TEST(scalar_text_is_the_kernels)
{
	IS(num(42), "42");
	IS(num(-5), "-5");
	IS(num(32767), "32767");
	IS(num(32768), "0x8000");
	IS(num(-32768), "-32768");
	IS(num(-32769), "0xffffffffffff7fff");
	IS(num(0xfffffffb), "0xfffffffb");
	IS(ANY, "scalar()");
	IS(mask(0xff),
	   "scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))");
	IS(U32, "scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))");
	IS(S(-10, 10), "scalar(smin=smin32=-10,smax=smax32=10)");
	IS(S(-10, -5), "scalar(smin=smin32=-10,smax=smax32=-5,umin=0xfffffffffffffff6,"
		       "umax=0xfffffffffffffffb,umin32=0xfffffff6,umax32=0xfffffffb,"
		       "var_off=(0xfffffffffffffff0; 0xf))");
	IS(S(-65535, 65535), "scalar(smin=0xffffffffffff0001,smax=smax32=0xffff,"
			     "smin32=0xffff0001)");
	IS(S(-65535, -65530), "scalar(smin=0xffffffffffff0001,smax=0xffffffffffff0006,"
			      "umin=0xffffffffffff0001,umax=0xffffffffffff0006,"
			      "smin32=umin32=0xffff0001,smax32=umax32=0xffff0006,"
			      "var_off=(0xffffffffffff0000; 0x7))");
	IS(U(0xffff0001, 0xffff0006), "scalar(smin=umin=smin32=umin32=0xffff0001,"
				      "smax=umax=smax32=umax32=0xffff0006,"
				      "var_off=(0xffff0000; 0x7))");
	IS(U(40000, ~0ull), "scalar(umin=40000)");
	IS(U(65535, ~0ull), "scalar(umin=65535)");
	IS(U(65536, ~0ull), "scalar(umin=0x10000)");
	IS(U(66000, 70000), "scalar(smin=umin=smin32=umin32=0x101d0,"
			    "smax=umax=smax32=umax32=0x11170,var_off=(0x10000; 0x1fff))");
}

TEST(scalar_text_of_operations_is_the_kernels)
{
	struct scalar x = ANY, y = num((u64)-10), z = num(10);

	IS(alu64(ALU_ARSH, ANY, num(60)), "scalar(smin=smin32=-8,smax=smax32=7)");
	IS(alu64(ALU_LSH, ANY, num(3)),
	   "scalar(smax=0x7ffffffffffffff8,umax=0xfffffffffffffff8,smax32=0x7ffffff8,"
	   "umax32=0xfffffff8,var_off=(0x0; 0xfffffffffffffff8))");
	IS(alu64(ALU_ARSH, alu64(ALU_LSH, ANY, num(32)), num(32)),
	   "scalar(smin=0xffffffff80000000,smax=0x7fffffff)");
	IS(alu64(ALU_OR, ANY, num(1)),
	   "scalar(smin=0x8000000000000001,umin=umin32=1,smin32=0x80000001,"
	   "var_off=(0x1; 0xfffffffffffffffe))");
	IS(alu32(ALU_AND, ANY, num(0x80000001)),
	   "scalar(smin=0,smax=umax=umax32=0x80000001,smax32=1,var_off=(0x0; "
	   "0x80000001))");
	IS(scalar_alu(ALU_BSWAP32, true, below(0xffff), ANY),
	   "scalar(smin=0,smax=umax=umax32=0xffff0000,smax32=0x7fff0000,"
	   "var_off=(0x0; 0xffff0000))");
	IS(alu64(ALU_MOVSX8, ANY, ANY), "scalar(smin=smin32=-128,smax=smax32=127)");
	branch_refine(COND_SLT, false, false, &x, &y);
	IS(x, "scalar(smin32=-10)");
	branch_refine(COND_GT, false, false, &x, &z);
	IS(x, "scalar(smax=0x7fffffff0000000a,umax=0xffffffff0000000a,smin32=0,"
	      "smax32=umax32=10,var_off=(0x0; 0xffffffff0000000f))");
}

TEST(scalar_text_fits_its_buffer)
{
	char buf[16];
	int n = scalar_print(buf, sizeof(buf), mask(0xff));

	CHECK_EQ(n, (int)strlen("scalar(smin=smin32=0,smax=umax=smax32=umax32=255,"
				"var_off=(0x0; 0xff))"));
	CHECK_STR(buf, "scalar(smin=smi");
	CHECK_EQ(scalar_print(NULL, 0, mask(0xff)), n);
	CHECK_EQ(tnum_print(buf, sizeof(buf), tnum_const(16)), 4);
	CHECK_STR(buf, "0x10");
	tnum_print(buf, sizeof(buf), (struct tnum){0, 0xff});
	CHECK_STR(buf, "(0x0; 0xff)");
}

TEST(scalar_arithmetic_on_ranges)
{
	CHECK(is_range(alu64(ALU_ADD, below(10), below(5)), 0, 15));
	CHECK(is_range(alu64(ALU_SUB, U(10, 20), U(1, 5)), 5, 19));
	CHECK(is_srange(alu64(ALU_SUB, below(10), below(5)), -5, 10));
	CHECK(is_range(alu64(ALU_AND, ANY, num(0xff)), 0, 0xff));
	CHECK(is_range(alu64(ALU_AND, ANY, below(100)), 0, 100));
	CHECK(is_range(alu64(ALU_OR, U(4, 10), below(3)), 4, 11));
	CHECK(is_range(alu64(ALU_XOR, below(5), below(7)), 0, 7));
	CHECK(is_range(alu64(ALU_MUL, U(2, 10), U(3, 5)), 6, 50));
	CHECK(is_srange(alu64(ALU_MUL, S(-3, 7), S(-5, 2)), -35, 15));
	CHECK(is_srange(alu64(ALU_MUL, S(-3, -2), S(4, 5)), -15, -8));
	CHECK(is_srange(alu64(ALU_NEG, S(-3, 7), ANY), -7, 3));
	CHECK(is_srange(alu64(ALU_ADD, S(-10, 10), num(3)), -7, 13));
	/* An addition that always wraps still has bounds. */
	CHECK(is_range(alu64(ALU_ADD, U(-10ull, -5ull), num(20)), 10, 15));
}

TEST(scalar_division_by_ranges_and_zero)
{
	CHECK(is_range(alu64(ALU_DIV, U(100, 200), num(10)), 10, 20));
	CHECK(is_range(alu64(ALU_DIV, U(100, 200), U(2, 5)), 20, 100));
	CHECK(is_range(alu64(ALU_DIV, U(100, 200), below(5)), 0, 200));
	CHECK(is_range(alu64(ALU_DIV, U(100, 200), num(0)), 0, 0));
	CHECK(is_range(alu64(ALU_DIV, ANY, num(16)), 0, ~0ull >> 4));
	CHECK(is_range(alu64(ALU_MOD, ANY, num(10)), 0, 9));
	CHECK(is_range(alu64(ALU_MOD, U(3, 7), num(10)), 3, 7));
	CHECK(is_range(alu64(ALU_MOD, U(23, 27), num(10)), 3, 7));
	CHECK(is_range(alu64(ALU_MOD, U(3, 7), num(0)), 3, 7));
	CHECK(is_range(alu64(ALU_MOD, below(7), below(3)), 0, 7));
	CHECK(is_range(alu32(ALU_MOD, ANY, U(1, 100)), 0, 99));
	CHECK(is_srange(alu64(ALU_SDIV, S(-100, 50), num(10)), -10, 5));
	CHECK(is_srange(alu64(ALU_SDIV, S(-100, 50), num(-10)), -5, 10));
	CHECK(is_srange(alu64(ALU_SDIV, num(1ull << 63), num(-1)), INT64_MIN, INT64_MIN));
	CHECK(is_srange(alu64(ALU_SMOD, ANY, num(-10)), -9, 9));
	CHECK(is_srange(alu64(ALU_SMOD, S(-100, 0), num(10)), -9, 0));
	CHECK(is_range(alu64(ALU_SMOD, num(1ull << 63), num(-1)), 0, 0));
}

TEST(scalar_shifts_by_ranges)
{
	CHECK(is_range(alu64(ALU_LSH, num(1), below(5)), 1, 32));
	CHECK(is_range(alu64(ALU_LSH, U(1, 3), below(3)), 1, 24));
	CHECK(is_range(alu64(ALU_LSH, num(1), mask(31)), 1, 1ull << 31));
	CHECK(is_range(alu64(ALU_RSH, U(16, 64), U(1, 3)), 2, 32));
	CHECK(is_range(alu64(ALU_RSH, ANY, num(56)), 0, 255));
	CHECK(is_srange(alu64(ALU_ARSH, S(-64, 64), U(2, 4)), -16, 16));
	CHECK(is_srange(alu64(ALU_LSH, S(-5, 3), num(4)), -80, 48));
	CHECK(is_range(alu32(ALU_RSH, ANY, num(24)), 0, 255));
	/* Amounts are modulo the width. */
	CHECK(is_range(alu64(ALU_LSH, U(1, 3), num(65)), 2, 6));
	CHECK(is_range(alu32(ALU_LSH, U(1, 3), num(33)), 2, 6));
}

TEST(scalar_moves_and_casts)
{
	CHECK(is_range(alu32(ALU_MOV, ANY, S(-1, 5)), 0, ~0u));
	CHECK(is_range(alu32(ALU_MOV, ANY, U(1, 5)), 1, 5));
	CHECK(is_srange(alu64(ALU_MOVSX32, ANY, U(0xfffffff0, 0xffffffff)), -16, -1));
	CHECK(is_srange(alu64(ALU_MOVSX8, ANY, U(250, 260)), -6, 4));
	CHECK(is_range(alu32(ALU_MOVSX16, ANY, U(0xfff0, 0xfff8)), 0xfffffff0,
		       0xfffffff8));
	CHECK(is_range(scalar_zext(U(0x1234, 0x1240), 1), 0x34, 0x40));
	CHECK(is_srange(scalar_sext(ANY, 2), -32768, 32767));
	CHECK(is_range(scalar_alu(ALU_BE16, false, ANY, ANY), 0, 0xffff));
}

/* What is known on one side of a branch: dst and src before, the range of dst after. */
static const struct refine_row {
	int line;
	enum isa_cond cond;
	bool wide, taken;
	s64 alo, ahi, blo, bhi; /* signed ranges before */
	s64 min, max;		/* of dst after, signed */
} refine_rows[] = {
	{__LINE__, COND_EQ, true, true, 0, 100, 50, 200, 50, 100},
	{__LINE__, COND_NE, true, true, 5, 9, 5, 5, 6, 9},
	{__LINE__, COND_NE, true, true, 5, 9, 9, 9, 5, 8},
	{__LINE__, COND_EQ, true, false, -9, 9, -9, -9, -8, 9},
	{__LINE__, COND_LT, true, true, 0, 100, 3, 10, 0, 9},
	{__LINE__, COND_LT, true, false, 0, 100, 3, 10, 3, 100},
	{__LINE__, COND_GT, true, true, 0, 100, 3, 10, 4, 100},
	{__LINE__, COND_GE, true, true, 0, 100, 3, 10, 3, 100},
	{__LINE__, COND_LE, true, true, 0, 100, 3, 10, 0, 10},
	{__LINE__, COND_SLT, true, true, -100, 100, -3, 10, -100, 9},
	{__LINE__, COND_SGE, true, true, -100, 100, -3, 10, -3, 100},
	{__LINE__, COND_SGT, true, true, -100, 100, -3, 10, -2, 100},
	{__LINE__, COND_SLE, true, true, -100, 100, -3, 10, -100, 10},
	/* an unsigned test of a signed range removes the negative numbers */
	{__LINE__, COND_LT, true, true, -100, 100, 50, 50, 0, 49},
	{__LINE__, COND_GT, true, true, -100, 40, 50, 50, -100, -1},
	/* a 32-bit test of a number that fits in 32 bits holds for all of it */
	{__LINE__, COND_LT, false, true, 0, 1000, 10, 10, 0, 9},
	{__LINE__, COND_SGT, false, true, -1000, 1000, -5, -5, -4, 1000},
	{__LINE__, COND_EQ, false, true, 0, 1000, 7, 7, 7, 7},
	{__LINE__, COND_SET, true, true, 0, 1000, 512, 512, 512, 1000},
	{__LINE__, COND_SET, true, false, 0, 1000, 512, 512, 0, 511},
	{__LINE__, COND_SET, true, true, 0, 1000, 0x10, 0x10, 0x10, 991},
};

TEST(branch_narrows_the_left_side)
{
	for (size_t i = 0; i < ARRAY_SIZE(refine_rows); i++) {
		const struct refine_row *r = &refine_rows[i];
		struct scalar a = S(r->alo, r->ahi), b = S(r->blo, r->bhi);

		branch_refine(r->cond, r->wide, r->taken, &a, &b);
		if (!is_srange(a, r->min, r->max))
			test_fail(__FILE__, r->line, "is %lld..%lld", (long long)a.smin,
				  (long long)a.smax);
	}
}

TEST(branch_narrows_both_sides)
{
	struct scalar a = U(5, 100), b = U(0, 50);

	branch_refine(COND_LT, true, true, &a, &b);
	CHECK(is_range(a, 5, 49));
	CHECK(is_range(b, 6, 50));
	a = S(-5, 100);
	b = S(-50, 50);
	branch_refine(COND_SGT, true, true, &a, &b);
	CHECK(is_srange(a, -5, 100));
	CHECK(is_srange(b, -50, 50));
	branch_refine(COND_EQ, true, true, &a, &b);
	CHECK(is_srange(a, -5, 50));
	CHECK(is_srange(b, -5, 50));
}

TEST(branch_on_a_low_half_reaches_the_whole)
{
	struct scalar a = U32, b = num(100);

	/* w1 = w0; if w1 > 100 goto out: r1 is bounded */
	branch_refine(COND_GT, false, false, &a, &b);
	CHECK(is_range(a, 0, 100));
	/* r1 s>= -2^31 and <= 2^31 - 1, then w1 in -5..5 */
	a = S(INT32_MIN, INT32_MAX);
	b = num(5);
	branch_refine(COND_SLE, false, true, &a, &b);
	b = num((u32)-5);
	branch_refine(COND_SGE, false, true, &a, &b);
	CHECK(is_srange(a, -5, 5));
	/* if w1 == 0x80: the low bits are known, the others not */
	a = ANY;
	b = num(0x80);
	branch_refine(COND_EQ, false, true, &a, &b);
	CHECK_EQ(a.bits.mask, ~0ull << 32);
	CHECK_EQ(a.bits.value, 0x80);
	CHECK_EQ(a.u32max, 0x80);
}

TEST(branch_differs_at_the_ends)
{
	struct scalar a = below(1), b = num(0);

	branch_refine(COND_NE, true, true, &a, &b);
	IS(a, "1");
	a = mask(0x10);
	branch_refine(COND_NE, true, true, &a, &b);
	IS(a, "16");
	a = U32;
	b = num(0xffffffff);
	branch_refine(COND_NE, false, true, &a, &b);
	CHECK(is_range(a, 0, 0xfffffffe));
	a = num(7);
	b = U(7, 9);
	branch_refine(COND_NE, true, true, &a, &b);
	CHECK(is_range(b, 8, 9));
}

TEST(branch_decides)
{
	CHECK_EQ(branch_taken(COND_LT, true, below(5), num(6)), 1);
	CHECK_EQ(branch_taken(COND_LT, true, below(5), num(0)), 0);
	CHECK_EQ(branch_taken(COND_LT, true, below(5), num(5)), -1);
	CHECK_EQ(branch_taken(COND_EQ, true, below(5), num(6)), 0);
	CHECK_EQ(branch_taken(COND_NE, true, below(5), num(6)), 1);
	CHECK_EQ(branch_taken(COND_EQ, true, num(6), num(6)), 1);
	CHECK_EQ(branch_taken(COND_EQ, true, mask(0xf0), num(8)), 0);
	CHECK_EQ(branch_taken(COND_SET, true, mask(0xf0), num(0xf)), 0);
	CHECK_EQ(branch_taken(COND_SET, true, U(8, 15), num(8)), 1);
	CHECK_EQ(branch_taken(COND_SGT, true, S(-5, -1), num(0)), 0);
	CHECK_EQ(branch_taken(COND_GT, true, S(-5, -1), num(0)), 1);
	CHECK_EQ(branch_taken(COND_SLT, false, U(0x80000000, 0x90000000), num(0)), 1);
	CHECK_EQ(branch_taken(COND_EQ, true, U(1ull << 32, 2ull << 32), num(5)), 0);
}

TEST(branch_that_cannot_be_taken_is_empty)
{
	struct scalar a = below(5), b = num(6);

	branch_refine(COND_LT, true, false, &a, &b);
	CHECK(scalar_empty(a) && scalar_empty(b));
	CHECK(!scalar_has(a, 0));
	CHECK(scalar_empty(alu64(ALU_ADD, a, num(1))));
	CHECK(scalar_within(num(1), a));
	CHECK(is_range(scalar_union(a, num(4)), 4, 4));
}

TEST(scalar_parts_sharpen_one_another)
{
	struct scalar a = scalar_unknown();

	/* bits bound the ranges, to members of the tnum */
	a.bits = (struct tnum){1, 0x6};
	a.umin = 2;
	a.umax = 6;
	a = scalar_sync(a);
	CHECK(is_range(a, 3, 5));
	CHECK_EQ(a.bits.mask, 6);
	/* signed and unsigned: nothing in 0..2^63-1 is left */
	a = scalar_unknown();
	a.umin = 100;
	a.smax = 50;
	a = scalar_sync(a);
	CHECK_EQ(a.umin, 1ull << 63);
	CHECK_EQ(a.smax, -1);
	/* the low half bounds the ends of the whole */
	a = scalar_unknown();
	a.umin = 0x100000005;
	a.umax = 0x200000003;
	a.u32min = 10;
	a.u32max = 20;
	a = scalar_sync(a);
	CHECK(is_range(a, 0x10000000a, 0x100000014));
}

TEST(scalar_order_and_join)
{
	CHECK(scalar_within(below(10), U(2, 10)));
	CHECK(!scalar_within(below(10), U(2, 11)));
	CHECK(!scalar_within(mask(0xf0), U(2, 10)));
	CHECK(is_range(scalar_union(U(2, 3), U(8, 9)), 2, 9));
	CHECK(is_srange(scalar_union(num(-1), num(1)), -1, 1));
	CHECK(scalar_is_const(num(3)) && !scalar_is_const(below(3)));
	CHECK(scalar_is_const(U(3, 3)));
}
