/* SPDX-License-Identifier: MIT
 *
 * What arithmetic and conditions compute at the edges, written down from RFC 9669
 * (§4.1 arithmetic, §4.2 byte swaps, §4.3 jumps): not computed here, so that the table
 * cannot agree with itself. The 32-bit result is what all of dst holds afterwards.
 */
#include "test.h"

#include "isa/isa.h"

#define MIN64 0x8000000000000000
#define MAX64 0x7fffffffffffffff
#define ONES64 0xffffffffffffffff
#define MIN32 0x80000000
#define MAX32 0x7fffffff
#define ONES32 0xffffffff

static const struct {
	enum isa_alu op;
	u64 dst, src, wide, narrow;
} alu_cases[] = {
	{ALU_ADD, 1, 2, 3, 3},
	{ALU_ADD, ONES64, 1, 0, 0},
	{ALU_ADD, ONES32, 1, 0x100000000, 0},
	{ALU_ADD, MAX64, 1, MIN64, 0},
	{ALU_ADD, MAX32, 1, MIN32, MIN32},
	{ALU_ADD, 0xaaaaaaaa00000001, (u64)-2, 0xaaaaaaa9ffffffff, ONES32},

	{ALU_SUB, 3, 2, 1, 1},
	{ALU_SUB, 0, 1, ONES64, ONES32},
	{ALU_SUB, MIN64, 1, MAX64, ONES32},
	{ALU_SUB, 0x100000000, 1, ONES32, ONES32},
	{ALU_SUB, 0x5555555500000000, 0x5555555500000000, 0, 0},

	{ALU_MUL, 3, 5, 15, 15},
	{ALU_MUL, ONES64, ONES64, 1, 1},
	{ALU_MUL, 0x100000000, 0x100000000, 0, 0},
	{ALU_MUL, 0xffffffff, 0xffffffff, 0xfffffffe00000001, 1},
	{ALU_MUL, MIN64, (u64)-1, MIN64, 0},
	{ALU_MUL, 0x80000000, 2, 0x100000000, 0},

	{ALU_DIV, 7, 2, 3, 3},
	{ALU_DIV, 7, 0, 0, 0},
	{ALU_DIV, ONES64, 0, 0, 0},
	{ALU_DIV, ONES64, 2, MAX64, MAX32},
	{ALU_DIV, MIN64, ONES64, 0, 0},
	{ALU_DIV, 0xfffffffe, 0xffffffff, 0, 0},
	{ALU_DIV, 0x100000007, 2, 0x80000003, 3},
	/* the low half of the divisor is 0: the 32-bit form divides by zero */
	{ALU_DIV, 0x500000007, 0x100000000, 5, 0},
	/* -10 / 3 without sign: imm 3 on 2^64 - 10 and 2^32 - 10 */
	{ALU_DIV, (u64)-10, 3, 0x5555555555555552, 0x55555552},

	{ALU_SDIV, 7, 2, 3, 3},
	{ALU_SDIV, (u64)-7, 2, (u64)-3, 0xfffffffd},
	{ALU_SDIV, 7, (u64)-2, (u64)-3, 0xfffffffd},
	{ALU_SDIV, (u64)-7, (u64)-2, 3, 3},
	{ALU_SDIV, (u64)-7, 0, 0, 0},
	{ALU_SDIV, MIN64, (u64)-1, MIN64, 0},
	{ALU_SDIV, MIN32, (u64)-1, 0xffffffff80000000, MIN32},
	{ALU_SDIV, 0xffffffff80000000, (u64)-1, MIN32, MIN32},
	{ALU_SDIV, MIN64, 1, MIN64, 0},
	{ALU_SDIV, MAX64, (u64)-1, 0x8000000000000001, 1},
	{ALU_SDIV, 0x00000000ffffffff, 2, MAX32, 0},

	{ALU_MOD, 7, 3, 1, 1},
	{ALU_MOD, 7, 0, 7, 7},
	{ALU_MOD, 0xaaaaaaaa00000007, 0, 0xaaaaaaaa00000007, 7},
	{ALU_MOD, 0x500000007, 0x100000000, 7, 7},
	{ALU_MOD, ONES64, 16, 15, 15},
	{ALU_MOD, (u64)-13, 3, 0, 0},
	{ALU_MOD, MIN64, ONES64, MIN64, 0},

	{ALU_SMOD, 7, 3, 1, 1},
	{ALU_SMOD, (u64)-13, 3, (u64)-1, 0xffffffff},
	{ALU_SMOD, 13, (u64)-3, 1, 1},
	{ALU_SMOD, (u64)-13, (u64)-3, (u64)-1, 0xffffffff},
	{ALU_SMOD, (u64)-13, 0, (u64)-13, 0xfffffff3},
	{ALU_SMOD, MIN64, (u64)-1, 0, 0},
	{ALU_SMOD, 0xffffffff80000000, (u64)-1, 0, 0},
	{ALU_SMOD, 0xaaaaaaaa80000000, 0, 0xaaaaaaaa80000000, MIN32},

	{ALU_OR, 0xf0f0f0f0f0f0f0f0, 0x0f0f0f0f0f0f0f0f, ONES64, ONES32},
	{ALU_OR, 0, 0, 0, 0},
	{ALU_OR, MIN64, 1, 0x8000000000000001, 1},
	{ALU_AND, ONES64, (u64)-8, 0xfffffffffffffff8, 0xfffffff8},
	{ALU_AND, 0xf0f0f0f0f0f0f0f0, 0x0f0f0f0f0f0f0f0f, 0, 0},
	{ALU_AND, MIN64, ONES64, MIN64, 0},
	{ALU_XOR, ONES64, ONES64, 0, 0},
	{ALU_XOR, 0x12345678, (u64)-1, 0xffffffffedcba987, 0xedcba987},

	{ALU_LSH, 1, 0, 1, 1},
	{ALU_LSH, 1, 31, MIN32, MIN32},
	{ALU_LSH, 1, 32, 0x100000000, 1},	   /* 32 & 31 = 0 */
	{ALU_LSH, 1, 63, MIN64, MIN32},		   /* 63 & 31 = 31 */
	{ALU_LSH, 1, 64, 1, 1},			   /* 64 & 63 = 0 */
	{ALU_LSH, 1, 65, 2, 2},
	{ALU_LSH, 1, (u64)-1, MIN64, MIN32},
	{ALU_LSH, 0xffffffff, 4, 0xffffffff0, 0xfffffff0},
	{ALU_RSH, MIN64, 63, 1, 0},
	{ALU_RSH, MIN32, 31, 1, 1},
	{ALU_RSH, ONES64, 32, ONES32, ONES32},
	{ALU_RSH, ONES64, 64, ONES64, ONES32},
	{ALU_RSH, 0xdeadbeef80000000, 4, 0x0deadbeef8000000, 0x08000000},
	{ALU_ARSH, MIN64, 63, ONES64, 0},
	{ALU_ARSH, MIN32, 31, 1, ONES32},
	{ALU_ARSH, 0xffffffff80000000, 4, 0xfffffffff8000000, 0xf8000000},
	{ALU_ARSH, MAX64, 62, 1, ONES32},
	{ALU_ARSH, MIN64, 64, MIN64, 0},
	{ALU_ARSH, 0x80000000, 32, 0, MIN32},	   /* 32 & 31 = 0 */

	{ALU_NEG, 0, 0, 0, 0},
	{ALU_NEG, 1, 99, ONES64, ONES32},
	{ALU_NEG, MIN64, 0, MIN64, 0},
	{ALU_NEG, MIN32, 0, 0xffffffff80000000, MIN32},
	{ALU_NEG, ONES64, 0, 1, 1},

	{ALU_MOV, 7, ONES64, ONES64, ONES32},
	{ALU_MOV, ONES64, 0x1234567800000000, 0x1234567800000000, 0},
	{ALU_MOVSX8, 0, 0x7f, 0x7f, 0x7f},
	{ALU_MOVSX8, 0, 0x80, 0xffffffffffffff80, 0xffffff80},
	{ALU_MOVSX8, ONES64, 0xabcdef00, 0, 0},
	{ALU_MOVSX16, 0, 0x7fff, 0x7fff, 0x7fff},
	{ALU_MOVSX16, 0, 0x12348000, 0xffffffffffff8000, 0xffff8000},
	{ALU_MOVSX32, 0, MAX32, MAX32, MAX32},
	{ALU_MOVSX32, 0, 0x5555555580000000, 0xffffffff80000000, MIN32},
};

/* Byte order: the width is the operation's, whatever the class. On a little-endian host. */
static const struct {
	enum isa_alu op;
	u64 dst, want;
} swap_cases[] = {
	{ALU_LE16, 0x0123456789abcdef, 0xcdef},
	{ALU_LE32, 0x0123456789abcdef, 0x89abcdef},
	{ALU_LE64, 0x0123456789abcdef, 0x0123456789abcdef},
	{ALU_BE16, 0x0123456789abcdef, 0xefcd},
	{ALU_BE32, 0x0123456789abcdef, 0xefcdab89},
	{ALU_BE64, 0x0123456789abcdef, 0xefcdab8967452301},
	{ALU_BSWAP16, 0x0123456789abcdef, 0xefcd},
	{ALU_BSWAP32, 0x0123456789abcdef, 0xefcdab89},
	{ALU_BSWAP64, 0x0123456789abcdef, 0xefcdab8967452301},
	{ALU_BSWAP16, 0xffffffffffff0080, 0x8000},
	{ALU_BSWAP32, 0xffffffff00000080, 0x80000000},
	{ALU_BE64, 0x80, MIN64},
};

/* Rows of truth: wide and narrow for each condition, in the order of enum isa_cond. */
static const struct {
	u64 a, b;
	const char *wide, *narrow; /* eq ne gt ge lt le sgt sge slt sle set */
} cond_cases[] = {
	/*                              =!>g<lSGsLt */
	{0, 0,                         "10010101010", "10010101010"},
	{1, 0,                         "01110011000", "01110011000"},
	{0, 1,                         "01001100110", "01001100110"},
	{1, 1,                         "10010101011", "10010101011"},
	{ONES64, 0,                    "01110000110", "01110000110"},
	{0, ONES64,                    "01001111000", "01001111000"},
	{ONES64, ONES64,               "10010101011", "10010101011"},
	{MIN64, MAX64,                 "01110000110", "01001111000"},
	{MAX64, MIN64,                 "01001111000", "01110000110"},
	{ONES32, ONES64,               "01001111001", "10010101011"},
	{MIN32, MAX32,                 "01110011000", "01110000110"},
	{MAX32, MIN32,                 "01001100110", "01001111000"},
	{0x100000000, 0,               "01110011000", "10010101010"},
	{0x100000001, 0x200000001,     "01001100111", "10010101011"},
	{0xffffffff80000000, MIN32,    "01110000111", "10010101011"},
	{2, 5,                         "01001100110", "01001100110"},
	{6, 5,                         "01110011001", "01110011001"},
	{(u64)-5, (u64)-6,             "01110011001", "01110011001"},
	{(u64)-6, (u64)-5,             "01001100111", "01001100111"},
};

TEST(isa_alu_as_the_rfc_says)
{
	bool seen[NR_ALU] = {false};

	for (u32 i = 0; i < ARRAY_SIZE(alu_cases); i++) {
		enum isa_alu op = alu_cases[i].op;
		u64 dst = alu_cases[i].dst, src = alu_cases[i].src;

		seen[op] = true;
		if (isa_alu(op, true, dst, src) != alu_cases[i].wide ||
		    isa_alu(op, false, dst, src) != alu_cases[i].narrow)
			test_fail(__FILE__, __LINE__,
				  "case %u: op %d of 0x%llx, 0x%llx: 0x%llx and 0x%llx", i, op,
				  (long long)dst, (long long)src,
				  (long long)isa_alu(op, true, dst, src),
				  (long long)isa_alu(op, false, dst, src));
	}
	for (u32 i = 0; i < ARRAY_SIZE(swap_cases); i++) {
		enum isa_alu op = swap_cases[i].op;

		seen[op] = true;
		CHECK_EQ(isa_alu(op, true, swap_cases[i].dst, 0), swap_cases[i].want);
		CHECK_EQ(isa_alu(op, false, swap_cases[i].dst, 0), swap_cases[i].want);
	}
	for (u32 op = 0; op < NR_ALU; op++)
		CHECK(seen[op]);
}

/* Nothing above the low half may matter to, or survive, a 32-bit operation. */
TEST(isa_alu_narrow_ignores_the_upper_half)
{
	for (u32 i = 0; i < ARRAY_SIZE(alu_cases); i++) {
		u64 dst = alu_cases[i].dst ^ 0xdeadbeef00000000;
		u64 src = alu_cases[i].src ^ 0xfeedface00000000;

		CHECK_EQ(isa_alu(alu_cases[i].op, false, dst, src), alu_cases[i].narrow);
		CHECK_EQ(isa_alu(alu_cases[i].op, false, dst, src) >> 32, 0);
	}
}

TEST(isa_cond_as_the_rfc_says)
{
	for (u32 i = 0; i < ARRAY_SIZE(cond_cases); i++) {
		CHECK_EQ(strlen(cond_cases[i].wide), NR_COND);
		CHECK_EQ(strlen(cond_cases[i].narrow), NR_COND);
		for (u32 c = 0; c < NR_COND; c++) {
			bool wide = isa_cond(c, true, cond_cases[i].a, cond_cases[i].b);
			bool narrow = isa_cond(c, false, cond_cases[i].a, cond_cases[i].b);

			if (wide != (cond_cases[i].wide[c] == '1') ||
			    narrow != (cond_cases[i].narrow[c] == '1'))
				test_fail(__FILE__, __LINE__, "case %u, condition %u: %d %d", i,
					  c, wide, narrow);
		}
	}
}

TEST(isa_no_such_operation_is_harmless)
{
	CHECK_EQ(isa_alu(NR_ALU, false, 1, 2), 0);
	CHECK_EQ(isa_alu(NR_ALU, true, 1, 2), 0);
	CHECK_EQ(isa_cond(NR_COND, true, 1, 1), false);
	CHECK_EQ(isa_cond(NR_COND, false, 1, 1), false);
}
