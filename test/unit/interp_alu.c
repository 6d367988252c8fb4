/* SPDX-License-Identifier: MIT
 *
 * The interpreter's arithmetic and jumps: every row of the table on operands at the edges,
 * against isa_alu() and isa_cond(), which are tested against plain numbers; and a few
 * programs whose result is written down.
 */
#include "test.h"

#include "unit/bare.h"

#include <inttypes.h>

static const u64 edges[] = {
	0, 1, 2, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x123456789abcdef0, INT64_MAX, 1ull << 63, UINT64_MAX,
};

static const s32 imms[] = {0, 1, 3, 31, 63, 255, -1, INT32_MIN, INT32_MAX};

/* r0 = r1 op r2, or op imm; run once for each pair of operands. */
static void make_op(struct bare *b, enum isa_op op, s32 imm)
{
	bare_make(b, "r0 = r1\nr0 += r2\nexit");
	CHECK_EQ(bare_lower(b, NULL), 0);
	b->code->insns[1].op = (u16)op;
	b->code->insns[1].imm = imm;
	bare_compile(b);
}

static void check_alu(enum isa_op op, s32 imm)
{
	const struct isa_info *info = isa_info(op);
	struct bare b;

	make_op(&b, op, imm);
	for (u32 i = 0; i < ARRAY_SIZE(edges); i++)
		for (u32 j = 0; j < ARRAY_SIZE(edges); j++) {
			u64 src = info->src_reg ? edges[j] : (u64)(s64)imm;
			u64 want = isa_alu((enum isa_alu)info->sub, info->wide, edges[i], src);
			u64 got = bare_run(&b, edges[i], edges[j]);

			if (got != want)
				test_fail(__FILE__, __LINE__,
					  "%s %" PRIx64 ", %" PRIx64 ": %" PRIx64
					  ", want %" PRIx64, info->name, edges[i], src, got,
					  want);
			if (!info->src_reg)
				break;
		}
	bare_free(&b);
}

TEST(interp_every_alu_row)
{
	for (enum isa_op op = OP_BAD; op < NR_OPS; op++) {
		if (isa_info(op)->kind != KIND_ALU || op == OP_BAD)
			continue;
		for (u32 i = 0; i < (isa_info(op)->src_reg ? 1 : ARRAY_SIZE(imms)); i++)
			check_alu(op, imms[i]);
	}
}

/* r0 = 1 when the jump is taken. */
static void check_jump(enum isa_op op, s32 imm)
{
	const struct isa_info *info = isa_info(op);
	struct bare b;

	bare_make(&b, "if r1 == r2 goto +2\nr0 = 0\nexit\nr0 = 1\nexit");
	CHECK_EQ(bare_lower(&b, NULL), 0);
	b.code->insns[0].op = (u16)op;
	b.code->insns[0].imm = imm;
	bare_compile(&b);
	for (u32 i = 0; i < ARRAY_SIZE(edges); i++)
		for (u32 j = 0; j < ARRAY_SIZE(edges); j++) {
			u64 src = info->src_reg ? edges[j] : (u64)(s64)imm;
			bool want = isa_cond((enum isa_cond)info->sub, info->wide, edges[i],
					     src);

			if (bare_run(&b, edges[i], edges[j]) != want)
				test_fail(__FILE__, __LINE__, "%s %" PRIx64 ", %" PRIx64,
					  info->name, edges[i], src);
		}
	bare_free(&b);
}

TEST(interp_every_jump_row)
{
	for (enum isa_op op = OP_BAD; op < NR_OPS; op++) {
		if (isa_info(op)->kind != KIND_JMP)
			continue;
		for (u32 i = 0; i < (isa_info(op)->src_reg ? 1 : ARRAY_SIZE(imms)); i++)
			check_jump(op, imms[i]);
	}
}

struct written {
	const char *text;
	u64 r1, r2, want;
};

static void check_written(const struct written *w, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u64 got = run_text(w[i].text, w[i].r1, w[i].r2);

		if (got != w[i].want)
			test_fail(__FILE__, __LINE__, "0x%" PRIx64 ", want 0x%" PRIx64 ":\n%s",
				  got, w[i].want, w[i].text);
	}
}

TEST(interp_arithmetic_as_the_rfc_says)
{
	static const struct written w[] = {
		{"r0 = 5\nr0 -= 7\nexit", 0, 0, -2ull},
		{"w0 = 5\nw0 -= 7\nexit", 0, 0, 0xfffffffe},
		{"w0 = w1\nexit", UINT64_MAX, 0, 0xffffffff},
		{"r0 = -1\nexit", 0, 0, UINT64_MAX},
		{"w0 = -1\nexit", 0, 0, 0xffffffff},
		{"r0 = r1\nr0 /= r2\nexit", 10, 0, 0},
		{"r0 = r1\nr0 %= r2\nexit", 10, 0, 10},
		{"w0 = w1\nw0 %= w2\nexit", 0xa0000000au, 0, 10},
		{"r0 = r1\nr0 s/= r2\nexit", 1ull << 63, UINT64_MAX, 1ull << 63},
		{"r0 = r1\nr0 s%= r2\nexit", 1ull << 63, UINT64_MAX, 0},
		{"r0 = r1\nr0 s/= r2\nexit", -13ull, 4, -3ull},
		{"r0 = r1\nr0 s%= r2\nexit", -13ull, 4, -1ull},
		{"w0 = w1\nw0 s/= w2\nexit", (u32)-13, 4, (u32)-3},
		{"w0 = w1\nw0 s%= w2\nexit", (u32)INT32_MIN, (u32)-1, 0},
		{"r0 = r1\nr0 <<= r2\nexit", 1, 65, 2},
		{"w0 = w1\nw0 <<= w2\nexit", 1, 33, 2},
		{"r0 = r1\nr0 s>>= 4\nexit", -16ull, 0, -1ull},
		{"w0 = w1\nw0 s>>= 4\nexit", 0x80000000, 0, 0xf8000000},
		{"r0 = (s8)r1\nexit", 0x1ff, 0, UINT64_MAX},
		{"w0 = (s8)w1\nexit", 0x80, 0, 0xffffff80},
		{"r0 = (s16)r1\nexit", 0x8000, 0, (u64)-32768},
		{"w0 = (s16)w1\nexit", 0x8000, 0, 0xffff8000},
		{"r0 = (s32)r1\nexit", 0x80000000, 0, 0xffffffff80000000},
		{"r0 = r1\nr0 = be16 r0\nexit", 0x112233, 0, 0x3322},
		{"r0 = r1\nr0 = be32 r0\nexit", 0x1122334455667788, 0, 0x88776655},
		{"r0 = r1\nr0 = be64 r0\nexit", 0x1122334455667788, 0, 0x8877665544332211},
		{"r0 = r1\nr0 = le16 r0\nexit", 0x1122334455667788, 0, 0x7788},
		{"r0 = r1\nr0 = bswap32 r0\nexit", 0x1122334455667788, 0, 0x88776655},
		{"r0 = r1\nr0 = -r0\nexit", 1, 0, UINT64_MAX},
		{"w0 = w1\nw0 = -w0\nexit", 1, 0, 0xffffffff},
		{"r0 = 0x1122334455667788 ll\nexit", 0, 0, 0x1122334455667788},
	};

	check_written(w, ARRAY_SIZE(w));
}

TEST(interp_control_flow)
{
	static const struct written w[] = {
		{"r0 = 0\nagain: r0 += r1\nr1 -= 1\nif r1 != 0 goto again\nexit", 10, 0, 55},
		{"r0 = 1\ngotol over\nr0 = 2\nover: exit", 0, 0, 1},
		{"r0 = 0\nif w1 == w2 goto same\nexit\nsame: r0 = 1\nexit", 0x100000001, 1, 1},
		{"r0 = 0\nif r1 & 4 goto set\nexit\nset: r0 = 1\nexit", 6, 0, 1},
		{"r0 = 0\nif r1 s< -1 goto less\nexit\nless: r0 = 1\nexit", -2ull, 0, 1},
		{"r0 = 0\nif r1 < -1 goto less\nexit\nless: r0 = 1\nexit", 5, 0, 1},
	};

	check_written(w, ARRAY_SIZE(w));
}

TEST(interp_calls_keep_r6_to_r9_and_give_each_frame_a_stack)
{
	static const struct written w[] = {
		{"r6 = 6\nr7 = 7\nr8 = 8\nr9 = 9\ncall f\nr0 += r6\nr0 += r7\nr0 += r8\n"
		 "r0 += r9\nexit\nf: r6 = 0\nr7 = 0\nr8 = 0\nr9 = 0\nr0 = 100\nexit",
		 0, 0, 130},
		{"*(u64 *)(r10 -8) = 1\ncall f\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nexit\n"
		 "f: *(u64 *)(r10 -8) = 40\nr0 = *(u64 *)(r10 -8)\nexit", 0, 0, 41},
		/* arguments and a pointer into the caller's frame */
		{"*(u64 *)(r10 -8) = 3\nr1 = r10\nr1 += -8\nr2 = 4\ncall f\n"
		 "r1 = *(u64 *)(r10 -8)\nr0 += r1\nexit\n"
		 "f: r3 = *(u64 *)(r1 +0)\nr3 *= r2\n*(u64 *)(r1 +0) = r3\nr0 = 1\nexit",
		 0, 0, 13},
		/* eight frames */
		{"r0 = 0\ncall a\nexit\na: r0 += 1\ncall b\nexit\nb: r0 += 1\ncall c\nexit\n"
		 "c: r0 += 1\ncall d\nexit\nd: r0 += 1\ncall e\nexit\ne: r0 += 1\ncall f\nexit\n"
		 "f: r0 += 1\ncall g\nexit\ng: r0 += 1\nexit", 0, 0, 7},
	};

	check_written(w, ARRAY_SIZE(w));
}

TEST(interp_may_goto_ends)
{
	/* counts until the budget is gone */
	u64 n = run_text("r0 = 0\nagain: may_goto out\nr0 += 1\ngoto again\nout: exit", 0, 0);

	CHECK(n > 1000 && n <= 1 << 23);
}
