/* SPDX-License-Identifier: MIT
 *
 * What native code makes of idioms: that it is the short form where it may be, the long
 * one where it may not, and the same number either way.
 */
#include "test.h"
#include "unit/bare.h"

#define MASKS                                                                            \
	"r2 = 0x5555555555555555 ll\nr3 = 0x3333333333333333 ll\n"                       \
	"r4 = 0x0f0f0f0f0f0f0f0f ll\nr5 = 0x0101010101010101 ll\n"
#define SUM                                                                              \
	"r7 = r6\nr7 >>= 1\nr7 &= r2\nr6 -= r7\nr7 = r6\nr7 &= r3\nr6 >>= 2\nr6 &= r3\n"   \
	"r7 += r6\nr6 = r7\nr6 >>= 4\nr7 += r6\nr7 &= r4\nr7 *= r5\nr7 >>= 56\n"

static bool has_bytes(const struct bare *b, const void *bytes, size_t n)
{
	return memmem((const void *)(uintptr_t)b->code->native, b->code->native_size, bytes, n);
}

/* Whether @text became a popcnt (@else_: there is no native code); it must give @want for
 * @arg. */
static bool becomes(const char *text, u64 arg, u64 want, bool else_)
{
	struct bare b;
	bool native, found;

	bare_make(&b, text);
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, arg, 0), want);
	native = b.code->native != NULL;
	found = native && (has_bytes(&b, "\xf3\x48\x0f\xb8", 4) ||
			   has_bytes(&b, "\xf3\x4c\x0f\xb8", 4) ||
			   has_bytes(&b, "\xf3\x4d\x0f\xb8", 4) ||
			   has_bytes(&b, "\xf3\x49\x0f\xb8", 4) ||
			   has_bytes(&b, "\xf3\x0f\xb8", 3) ||
			   has_bytes(&b, "\xf3\x44\x0f\xb8", 4));
	bare_free(&b);
	return native ? found : else_;
}

static bool counts(const char *text, u64 arg, u64 want)
{
	return becomes(text, arg, want, true);
}

TEST(jit_counts_bits_in_one_instruction)
{
	const u64 x = 0xf00dfeedcafe1234;
	const u64 n = (u64)__builtin_popcountll(x);

	if (!__builtin_cpu_supports("popcnt"))
		SKIP("no popcnt here");
	CHECK(counts("r6 = r1\n" MASKS SUM "r0 = r7\nexit", x, n));
	CHECK(counts("r6 = r1\nr0 = 0\n" MASKS "r9 = 3\n" SUM "r0 += r7\nr6 = r1\nr9 += -1\n"
		     "if r9 != 0 goto -19\nexit", x, 3 * n));
	CHECK(counts("w6 = w1\nw7 = w6\nw7 >>= 1\nw7 &= 0x55555555\nw6 -= w7\nw7 = w6\n"
		     "w7 &= 0x33333333\nw6 >>= 2\nw6 &= 0x33333333\nw6 += w7\nw7 = w6\n"
		     "w7 >>= 4\nw7 += w6\nw7 &= 0x0f0f0f0f\nw7 *= 0x01010101\nw7 >>= 24\n"
		     "r0 = r7\nexit", x, (u64)__builtin_popcount((u32)x)));
}

/* A mask that is not always the mask, a part that is needed, a jump into the middle. */
TEST(jit_counts_no_bits_where_it_must_not)
{
	const u64 x = 0xf00dfeedcafe1234;
	u64 n = (u64)__builtin_popcountll(x);

	CHECK(!becomes("r6 = r1\n" MASKS "if r1 != 7 goto +1\nr2 = 5\n" SUM "r0 = r7\nexit",
		       x, n, false) || !__builtin_cpu_supports("popcnt"));
	counts("r6 = r1\nr2 = 1 ll\nr2 = 0x5555555555555555 ll\nr3 = 0x3333333333333333 ll\n"
	       "r4 = 0x0f0f0f0f0f0f0f0f ll\nr5 = 0x0101010101010101 ll\n" SUM "r0 = r7\nexit",
	       x, n);
	counts("r6 = r1\n" MASKS SUM "r0 = r7\nr0 += r6\nr1 = r6\nexit", x,
	       n + (u64)({
		       u64 v = x - (x >> 1 & 0x5555555555555555);

		       v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
		       v >> 4;
	       }));
}

/* A choice that depends on the one before stays a jump; others are moves. */
TEST(jit_chooses_by_jump_in_searches)
{
	static const u8 cmov[] = {0x0f, 0x47}; /* cmova, whatever REX */
	struct bare b;

	bare_make(&b, "r0 = r1\nr3 = r0\nr3 += 8\nr4 = r3\nr4 <<= 2\nif r4 > r2 goto +1\nr0 = r3\n"
		      "exit");
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, 1, 100), 9);
	CHECK_EQ(bare_run(&b, 1, 35), 1);
	CHECK(!b.code->native || !has_bytes(&b, (u8[]){0x0f, 0x46}, 2));
	bare_free(&b);
	bare_make(&b, "r0 = r1\nif r0 <= r2 goto +1\nr0 = r2\nexit");
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, 1, 100), 1);
	CHECK_EQ(bare_run(&b, 101, 100), 100);
	CHECK(!b.code->native || has_bytes(&b, cmov, 2));
	bare_free(&b);
}

/* Bytes that are read one by one, and whether one load became of them. */
static void reads(const char *text, u64 want, bool merged)
{
	static const u8 memory[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99};
	struct bare b;

	bare_make(&b, text);
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, (uintptr_t)memory, 0), want);
	if (b.code->native) /* one load has no byte in it */
		CHECK_EQ(!has_bytes(&b, "\x0f\xb6", 2), merged);
	bare_free(&b);
}

TEST(jit_reads_packed_numbers_at_once)
{
	reads("r0 = *(u8 *)(r1 +2)\nr0 <<= 8\nr2 = *(u8 *)(r1 +1)\nr0 |= r2\nexit", 0x3322, true);
	reads("r0 = *(u8 *)(r1 +1)\nw0 <<= 8\nr2 = *(u8 *)(r1 +2)\nw0 |= w2\nexit", 0x2233, true);
	reads("r0 = *(u8 *)(r1 +1)\nw0 <<= 8\nr2 = *(u8 *)(r1 +2)\nw0 |= w2\nr0 = be16 r0\nexit",
	      0x3322, true);
	reads("r0 = *(u8 *)(r1 +1)\nw0 <<= 24\nr2 = *(u8 *)(r1 +2)\nw2 <<= 16\nw0 |= w2\n"
	      "r2 = *(u8 *)(r1 +3)\nw2 <<= 8\nr3 = *(u8 *)(r1 +4)\nw3 |= w2\nw0 |= w3\nexit",
	      0x22334455, true);
	/* one is missing, is needed, or is not where it should be */
	reads("r0 = *(u8 *)(r1 +3)\nr0 <<= 8\nr2 = *(u8 *)(r1 +1)\nr0 |= r2\nexit", 0x4422, false);
	reads("r0 = *(u8 *)(r1 +2)\nr0 <<= 8\nr2 = *(u8 *)(r1 +1)\nr0 |= r2\nr0 += r2\nexit",
	      0x3344, false);
	reads("r0 = *(u8 *)(r1 +2)\nr0 <<= 16\nr2 = *(u8 *)(r1 +1)\nr0 |= r2\nexit", 0x330022,
	      false);
	reads("r0 = *(u16 *)(r1 +1)\nr0 = be16 r0\nexit", 0x2233, true);
	reads("r0 = *(u32 *)(r1 +1)\nr0 = be32 r0\nexit", 0x22334455, true);
	reads("r0 = *(u64 *)(r1 +1)\nr0 = bswap64 r0\nexit", 0x2233445566778899, true);
	reads("r0 = *(u64 *)(r1 +0)\nr0 = be32 r0\nexit", 0x11223344, true);
}

/* A loop that counts down compares nothing; one that ends by a jump back stays one jump. */
TEST(jit_loops_end_in_one_jump)
{
	struct bare b;

	bare_make(&b, "r0 = 0\nr2 = 5\nagain: r0 += r2\nw2 += -1\nif w2 == 0 goto +2\n"
		      "goto again\nr0 = 3\nr0 += 1\nexit");
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, 0, 0), 16);
	CHECK(!b.code->native || !has_bytes(&b, "\x85\xf6", 2)); /* test esi, esi */
	bare_free(&b);
	/* 32 bits of a 64-bit result say nothing about all of it, nor the other way round */
	CHECK_EQ(run_text("r2 = 0x100000001 ll\nr2 -= 1\nr0 = 1\nif w2 == 0 goto +1\nr0 = 2\nexit",
			  0, 0), 1);
	CHECK_EQ(run_text("r2 = 0x100000001 ll\nr2 -= 1\nif w2 == 0 goto +2\nr0 = 2\nexit\n"
			  "r0 = 1\nexit", 0, 0), 1);
	CHECK_EQ(run_text("r2 = 0x100000001 ll\nw2 -= 1\nif r2 == 0 goto +2\nr0 = 2\nexit\n"
			  "r0 = 1\nexit", 0, 0), 1);
}
