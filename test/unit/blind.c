/* SPDX-License-Identifier: MIT
 *
 * Constants of programs in native code: hidden where the host wants it (jit/blind.c).
 */
#include "test.h"

#include "jit/diff.h"
#include "jit/jit.h"
#include "unit/bare.h"

/* Every shape a number comes in; 7f5a3c.. and the like are not found by chance. */
static const char *const shapes[] = {
	"r0 = 0x7f5a3c11\nexit",
	"w0 = 0x7f5a3c11\nexit",
	"r0 = 0x7f5a3c1199887766 ll\nexit",
	"r0 = r1\nr0 += 0x7f5a3c11\nexit",
	"r0 = r1\nw0 -= 0x7f5a3c11\nexit",
	"r0 = r1\nr0 *= 0x7f5a3c11\nexit",
	"r0 = r1\nw0 /= 0x7f5a3c11\nexit",
	"r0 = r1\nr0 s%= 0x7f5a3c11\nexit",
	"r0 = r1\nr0 |= 0x7f5a3c11\nexit",
	"r0 = r1\nr0 &= 0x7f5a3c11\nexit",
	"r0 = r1\nw0 ^= 0x7f5a3c11\nexit",
	"r0 = 0\nif r1 > 0x7f5a3c11 goto +1\nr0 = 1\nexit",
	"r0 = 0\nif w1 & 0x7f5a3c11 goto +1\nr0 = 1\nexit",
	"r0 = 3\nr0 += 0x7f5a3c11\nr0 ^= 0x7f5a3c11\nexit",
	"*(u64 *)(r2 +0) = 0x7f5a3c11\nr0 = *(u64 *)(r2 +0)\nexit",
	"*(u32 *)(r2 +4) = 0x7f5a3c11\nr0 = *(u64 *)(r2 +0)\nexit",
};

static bool holds_number(const struct code *code)
{
	static const u8 bytes[] = {0x11, 0x3c, 0x5a, 0x7f},
			wide[] = {0x99, 0x11, 0x3c, 0x5a};
	const u8 *at = (const u8 *)(uintptr_t)code->native;

	for (u32 i = 0; i + 4 <= code->native_size; i++)
		if (!memcmp(at + i, bytes, 4) || !memcmp(at + i, wide, 4))
			return true;
	return false;
}

/* The result of @text on two numbers, and whether its native code shows the constant. */
static u64 run_shape(const char *text, bool blind, bool *shown)
{
	u64 memory[2] = {1, 2}, result;
	struct bare b;

	bare_make(&b, text);
	CHECK_EQ(bare_lower(&b, NULL), 0);
	if (blind)
		CHECK_EQ(jit_blind(&b.log, b.code), 0);
	bare_compile(&b);
	if (!b.jit) {
		bare_free(&b);
		SKIP("no native code here");
	}
	*shown = holds_number(b.code);
	result = bare_run(&b, 0x123456789abcdef, (uintptr_t)memory);
	bare_free(&b);
	return result;
}

TEST(blind_hides_numbers)
{
	bool shown = false, hidden = false;

	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		u64 plain = run_shape(shapes[i], false, &shown);

		CHECK_EQ(run_shape(shapes[i], true, &hidden), plain);
		if (hidden)
			test_fail(__FILE__, __LINE__, "not hidden:\n%s", shapes[i]);
		/* Divisions multiply by another number; two that cancel out may be gone.
		 */
		if (!shown && !strpbrk(shapes[i], "/%^"))
			test_fail(__FILE__, __LINE__, "not there at all:\n%s", shapes[i]);
	}
}

/* Two loads of the same program share no bytes of the number by accident of one key. */
TEST(blind_keys_differ)
{
	struct bare a, b;

	bare_make(&a, shapes[0]);
	bare_make(&b, shapes[0]);
	CHECK_EQ(bare_lower(&a, NULL), 0);
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(jit_blind(&a.log, a.code), 0);
	CHECK_EQ(jit_blind(&b.log, b.code), 0);
	CHECK(a.code->insns[0].imm != b.code->insns[0].imm);
	bare_free(&a);
	bare_free(&b);
}

/* Each bit of a key is either: were one known, so would be that of the number. */
TEST(blind_keys_have_all_bits)
{
	u32 ones = 0, zeros = 0;

	for (u32 i = 0; i < 64; i++) {
		struct bare b;

		bare_make(&b, shapes[0]);
		CHECK_EQ(bare_lower(&b, NULL), 0);
		CHECK_EQ(jit_blind(&b.log, b.code), 0);
		ones |= (u32)b.code->insns[1].imm;
		zeros |= ~(u32)b.code->insns[1].imm;
		bare_free(&b);
	}
	CHECK_EQ(ones, UINT32_MAX);
	CHECK_EQ(zeros, UINT32_MAX);
}

/* Small numbers stay: loop counters and offsets cost nothing more. */
TEST(blind_leaves_bytes)
{
	struct bare b;

	bare_make(&b, "r0 = 1\nr0 += 127\nr0 <<= 5\nif r0 != -128 goto +0\nexit");
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(jit_blind(&b.log, b.code), 0);
	CHECK_EQ(b.code->ninsns, 5);
	bare_free(&b);
}

enum { PROGRAMS = 2000, SEED = 500000 };

TEST(blind_differential)
{
	static struct diff_result result;
	struct pintle_host host;
	u64 skipped = 0;
	bool same;

	bare_host(&host);
	same = diff_run(&host, true, SEED, PROGRAMS, &skipped, &result);
	bare_host_free(&host);
	if (skipped == PROGRAMS)
		SKIP("no native code here");
	CHECK_EQ(skipped, 0);
	if (!same)
		test_fail(__FILE__, __LINE__, "%s", result.words);
}
