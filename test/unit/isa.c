/* SPDX-License-Identifier: MIT
 *
 * The instruction table and its decoder: every row is reached, every stray bit refused.
 */
#include "test.h"

#include "isa/table.h"

/* @op with every operand set to something, and nothing else. */
static void encode(enum isa_op op, struct insn insn[2])
{
	const struct isa_row *row = &isa_rows[op];

	memset(insn, 0, 2 * sizeof(*insn));
	insn->code = row->info.code;
	if (row->operands & HAS_DST)
		insn->dst = R3;
	if (row->operands & HAS_SRC)
		insn->src = R4;
	if (row->operands & HAS_OFF)
		insn->off = -24;
	if (row->operands & HAS_IMM)
		insn->imm = 77;
	if (row->operands & HAS_IMM2)
		insn[1].imm = 88;
	if (row->select == SEL_SRC)
		insn->src = (u8)row->value;
	if (row->select == SEL_OFF)
		insn->off = row->value;
	if (row->select == SEL_IMM)
		insn->imm = row->value;
}

static const char *why_refused(const struct insn *insn, u32 left)
{
	const char *why = NULL;

	CHECK_EQ(isa_decode(insn, left, &why), OP_BAD);
	CHECK(why != NULL);
	CHECK_EQ(isa_decode(insn, left, NULL), OP_BAD);
	return why;
}

TEST(isa_rows_of_a_code_stand_together_and_share_a_selector)
{
	bool seen[256] = {false};

	for (u32 op = 1; op < NR_OPS; op++) {
		const struct isa_row *row = &isa_rows[op], *prev = &isa_rows[op - 1];

		CHECK_EQ(row->text == NULL, 0);
		if (op > 1 && row->info.code == prev->info.code) {
			CHECK(row->select != SEL_NONE);
			CHECK_EQ(row->select, prev->select);
			continue;
		}
		CHECK(!seen[row->info.code]);
		seen[row->info.code] = true;
	}
}

TEST(isa_every_row_decodes_to_itself)
{
	const char *why;
	struct insn insn[2];

	for (u32 op = 1; op < NR_OPS; op++) {
		encode(op, insn);
		why = "";
		CHECK_STR(isa_info(isa_decode(insn, 2, &why))->name, isa_info(op)->name);
		CHECK_STR(why, "");
	}
}

TEST(isa_every_opcode_byte_without_row_is_refused)
{
	bool known[256] = {false};

	for (u32 op = 1; op < NR_OPS; op++)
		known[isa_info(op)->code] = true;
	for (u32 code = 0; code < 256; code++) {
		struct insn insn[2] = {{.code = (u8)code}};

		if (!known[code])
			CHECK_STR(why_refused(insn, 2), "unknown opcode");
	}
}

/* Bytes of RFC 9669 that are no instruction, by hand: the table must not know them. */
TEST(isa_unassigned_opcodes_are_unknown)
{
	static const u8 codes[] = {
		0x00, 0x01, 0x08, 0x10, 0x38, 0x58, 0x60, 0x68, 0x70, 0x78, 0x80, 0x88, 0x8e,
		0x86, 0x8c, 0x8f, 0x96, 0x98, 0x99, 0x9d, 0x9e, 0x0d, 0x0e, 0xd8, 0xdf, 0xe1,
		0xe4, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xf4, 0xf5, 0xf7, 0xfc, 0xfd, 0xff,
		0xe3, 0xeb, 0xf3, 0xfb, 0xc2, 0xda, 0x82, 0xa1, 0xb9,
	};

	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		struct insn insn[2] = {{.code = codes[i]}};

		CHECK_STR(why_refused(insn, 2), "unknown opcode");
	}
}

TEST(isa_stray_fields_are_refused_in_every_row)
{
	struct insn insn[2];

	for (u32 op = 1; op < NR_OPS; op++) {
		const struct isa_row *row = &isa_rows[op];

		encode(op, insn);
		if (!(row->operands & HAS_DST)) {
			insn->dst = 1;
			why_refused(insn, 2);
			insn->dst = 0;
		}
		if (!(row->operands & HAS_SRC) && row->select != SEL_SRC) {
			insn->src = 1;
			why_refused(insn, 2);
			insn->src = 0;
		}
		if (!(row->operands & HAS_OFF) && row->select != SEL_OFF) {
			for (int off = -32768; off < 32768; off++) {
				insn->off = (s16)off;
				CHECK_EQ(isa_decode(insn, 2, NULL), off ? OP_BAD : op);
			}
			insn->off = 0;
		}
		if (!(row->operands & HAS_IMM) && row->select != SEL_IMM) {
			insn->imm = 1;
			why_refused(insn, 2);
			insn->imm = INT32_MIN;
			why_refused(insn, 2);
		}
	}
}

TEST(isa_registers_over_10_are_refused)
{
	struct insn insn[2];

	for (u32 op = 1; op < NR_OPS; op++) {
		for (u32 reg = 0; reg < 16; reg++) {
			encode(op, insn);
			insn->dst = reg & 15;
			if (isa_rows[op].operands & HAS_DST)
				CHECK_EQ(isa_decode(insn, 2, NULL), reg > R10 ? OP_BAD : op);
			encode(op, insn);
			insn->src = reg & 15;
			if (isa_rows[op].operands & HAS_SRC)
				CHECK_EQ(isa_decode(insn, 2, NULL), reg > R10 ? OP_BAD : op);
		}
	}
	CHECK_STR(why_refused(&(struct insn){0xbf, R0, 11, 0, 0}, 1), "R11 is invalid");
	CHECK_STR(why_refused(&(struct insn){0xb7, 15, 0, 0, 0}, 1), "R15 is invalid");
}

/* Words the kernel uses for the same bytes. */
TEST(isa_refusals_say_why)
{
	static const struct {
		struct insn insn;
		const char *why;
	} cases[] = {
		{{0xb7, R0, R0, 8, 0}, "BPF_MOV uses reserved fields"},
		{{0xb7, R0, R1, 0, 0}, "BPF_MOV uses reserved fields"},
		{{0xbf, R0, R1, 64, 0}, "BPF_MOV uses reserved fields"},
		{{0xbf, R0, R1, 8, 1}, "BPF_MOV uses reserved fields"},
		{{0xbc, R0, R1, 32, 0}, "BPF_MOV uses reserved fields"},
		{{0x87, R1, R0, 0, 5}, "BPF_NEG uses reserved fields"},
		{{0x84, R1, R1, 0, 0}, "BPF_NEG uses reserved fields"},
		{{0x8f, R1, R1, 0, 0}, "unknown opcode"},
		{{0xd7, R1, R0, 0, 8}, "BPF_END uses reserved fields"},
		{{0xd4, R1, R1, 0, 16}, "BPF_END uses reserved fields"},
		{{0xd4, R1, R0, 1, 16}, "BPF_END uses reserved fields"},
		{{0xdc, R1, R0, 0, 0}, "BPF_END uses reserved fields"},
		{{0x07, R1, R0, 1, 16}, "BPF_ALU uses reserved fields"},
		{{0x07, R1, R1, 0, 16}, "BPF_ALU uses reserved fields"},
		{{0x0f, R1, R1, 0, 16}, "BPF_ALU uses reserved fields"},
		{{0x0f, R1, R1, 1, 0}, "BPF_ALU uses reserved fields"},
		{{0x3f, R1, R1, 2, 0}, "BPF_ALU uses reserved fields"},
		{{0x94, R1, R0, -1, 3}, "BPF_ALU uses reserved fields"},
		{{0x79, R2, R1, 4, 5}, "BPF_LDX uses reserved fields"},
		{{0x7a, R10, R1, -8, 77}, "BPF_ST uses reserved fields"},
		{{0x7b, R10, R1, -8, 1}, "BPF_STX uses reserved fields"},
		{{0x30, R1, R0, 0, 5}, "BPF_LD_[ABS|IND] uses reserved fields"},
		{{0x50, R0, R1, 4, 5}, "BPF_LD_[ABS|IND] uses reserved fields"},
		{{0xdb, R10, R1, -8, 0xe0}, "BPF_ATOMIC uses invalid atomic opcode"},
		{{0xdb, R10, R1, -8, 0x101}, "BPF_ATOMIC uses invalid atomic opcode"},
		{{0xc3, R10, R1, -8, 0x11}, "BPF_ATOMIC uses invalid atomic opcode"},
		{{0xcb, R10, R1, -8, 0xff}, "BPF_ATOMIC uses invalid atomic opcode"},
		{{0xcb, R10, R1, -8, 0}, "invalid atomic operand size"},
		{{0xd3, R10, R1, -8, 0xf1}, "invalid atomic operand size"},
		{{0x05, R0, R0, 0, 1}, "BPF_JA uses reserved fields"},
		{{0x05, R0, R1, 0, 0}, "BPF_JA uses reserved fields"},
		{{0x06, R0, R0, 1, 0}, "BPF_JA uses reserved fields"},
		{{0xe5, R0, R0, 0, 1}, "invalid may_goto imm"},
		{{0xe5, R0, R1, 0, 0}, "invalid may_goto imm"},
		{{0xdd, R1, R2, 0, 5}, "BPF_JMP/JMP32 uses reserved fields"},
		{{0x15, R1, R2, 0, 0}, "BPF_JMP/JMP32 uses reserved fields"},
		{{0x85, R0, 3, 0, 5}, "BPF_CALL uses reserved fields"},
		{{0x85, R1, R0, 0, 1}, "BPF_CALL uses reserved fields"},
		{{0x85, R0, 2, 1, 1}, "BPF_CALL uses reserved fields"},
		{{0x8d, R0, R0, 0, 1}, "BPF_CALL uses reserved fields"},
		{{0x95, R0, R0, 0, 1}, "BPF_EXIT uses reserved fields"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_STR(why_refused(&cases[i].insn, 1), cases[i].why);
	CHECK_STR(why_refused(&cases[0].insn, 0), "no instruction left");
}

TEST(isa_ld_imm64_needs_its_second_half)
{
	static const char invalid[] = "invalid bpf_ld_imm64 insn";
	struct insn insn[2] = {{0x18, R1, IMM_PLAIN, 0, 5}};

	CHECK_EQ(isa_decode(insn, 2, NULL), OP_LD_IMM64);
	CHECK_STR(why_refused(insn, 1), invalid);
	insn[1].code = 0xb7;
	CHECK_STR(why_refused(insn, 2), invalid);
	insn[1] = (struct insn){.dst = 1};
	CHECK_STR(why_refused(insn, 2), invalid);
	insn[1] = (struct insn){.src = 1};
	CHECK_STR(why_refused(insn, 2), invalid);
	insn[1] = (struct insn){.off = 1};
	CHECK_STR(why_refused(insn, 2), invalid);
	insn[1] = (struct insn){.imm = 1};
	CHECK_EQ(isa_decode(insn, 2, NULL), OP_LD_IMM64);
	insn->off = 1;
	CHECK_STR(why_refused(insn, 2), "BPF_LD_IMM64 uses reserved fields");
	insn->off = 0;
	insn->src = IMM_MAP;
	CHECK_STR(why_refused(insn, 2), "unrecognized bpf_ld_imm64 insn");
	insn->src = IMM_MAP_VALUE;
	CHECK_EQ(isa_decode(insn, 2, NULL), OP_LD_MAP_VALUE);
	insn->src = 7;
	CHECK_STR(why_refused(insn, 2), "unrecognized bpf_ld_imm64 insn");
}

TEST(isa_info_is_right)
{
	static const struct {
		struct insn insn;
		const char *name;
		enum isa_kind kind;
		u8 sub, size;
		bool wide, sign, src_reg;
	} cases[] = {
		{{0x07}, "ADD64_IMM", KIND_ALU, ALU_ADD, 0, true, false, false},
		{{0x0c}, "ADD32_REG", KIND_ALU, ALU_ADD, 0, false, false, true},
		{{0x3f, .off = 1}, "SDIV64_REG", KIND_ALU, ALU_SDIV, 0, true, false, true},
		{{0xb7}, "MOV64_IMM", KIND_ALU, ALU_MOV, 0, true, false, false},
		{{0xbc, .off = 8}, "MOVSX8_32", KIND_ALU, ALU_MOVSX8, 0, false, false, true},
		{{0xdc, .imm = 32}, "BE32", KIND_ALU, ALU_BE32, 0, true, false, false},
		{{0x71}, "LDX8", KIND_LDX, 0, 1, false, false, true},
		{{0x89}, "LDXS16", KIND_LDX, 0, 2, false, true, true},
		{{0x62}, "ST32", KIND_ST, 0, 4, false, false, false},
		{{0x7b}, "STX64", KIND_STX, 0, 8, false, false, true},
		{{0xdb, .imm = 0xe1}, "ATOMIC_XCHG64", KIND_ATOMIC, ATOMIC_XCHG, 8, true, false,
		 true},
		{{0xc3, .imm = 0xf1}, "ATOMIC_CMPXCHG32", KIND_ATOMIC, ATOMIC_CMPXCHG, 4, false,
		 false, true},
		{{0xcb, .imm = 0x100}, "LOAD_ACQ16", KIND_LOAD_ACQ, 0, 2, false, false, true},
		{{0xd3, .imm = 0x110}, "STORE_REL8", KIND_STORE_REL, 0, 1, false, false, true},
		{{0x66}, "JSGT32_IMM", KIND_JMP, COND_SGT, 0, false, false, false},
		{{0x4d}, "JSET64_REG", KIND_JMP, COND_SET, 0, true, false, true},
		{{0x05}, "JA", KIND_JA, 0, 0, true, false, false},
		{{0x06}, "JAL", KIND_JA, 0, 0, false, false, false},
		{{0xe5}, "MAY_GOTO", KIND_MAY_GOTO, 0, 0, true, false, false},
		{{0x85}, "CALL_HELPER", KIND_CALL, CALL_HELPER, 0, false, false, false},
		{{0x85, .src = 1}, "CALL_SUBPROG", KIND_CALL, CALL_SUBPROG, 0, false, false,
		 false},
		{{0x95}, "EXIT", KIND_EXIT, 0, 0, false, false, false},
		{{0xbf, .off = 1, .imm = 1}, "CAST", KIND_CAST, 0, 0, true, false, true},
		{{0x20}, "LD_ABS32", KIND_LD_ABS, 0, 4, false, false, false},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct isa_info *info = isa_info(isa_decode(&cases[i].insn, 1, NULL));

		CHECK_STR(info->name, cases[i].name);
		CHECK_EQ(info->kind, cases[i].kind);
		CHECK_EQ(info->sub, cases[i].sub);
		CHECK_EQ(info->size, cases[i].size);
		CHECK_EQ(info->wide, cases[i].wide);
		CHECK_EQ(info->sign, cases[i].sign);
		CHECK_EQ(info->src_reg, cases[i].src_reg);
		CHECK_EQ(info->code, cases[i].insn.code);
	}
	CHECK_STR(isa_info(OP_BAD)->name, "BAD");
	CHECK_STR(isa_info((enum isa_op)9999)->name, "BAD");
}

TEST(isa_registers_read_and_written)
{
	enum { ARGS = 0x3e };
	static const struct {
		struct insn insn;
		u16 reads, writes;
	} cases[] = {
		{{0xb7, R3, R0, 0, 1}, 0, BIT(3)},		  /* r3 = 1 */
		{{0xbf, R3, R4, 0, 0}, BIT(4), BIT(3)},		  /* r3 = r4 */
		{{0xbc, R3, R4, 8, 0}, BIT(4), BIT(3)},		  /* w3 = (s8)w4 */
		{{0x07, R3, R0, 0, 1}, BIT(3), BIT(3)},		  /* r3 += 1 */
		{{0x0f, R3, R4, 0, 0}, BIT(3) | BIT(4), BIT(3)},  /* r3 += r4 */
		{{0x87, R3, R0, 0, 0}, BIT(3), BIT(3)},		  /* r3 = -r3 */
		{{0xdc, R3, R0, 0, 16}, BIT(3), BIT(3)},	  /* r3 = be16 r3 */
		{{0x79, R3, R4, 0, 0}, BIT(4), BIT(3)},		  /* r3 = *(r4) */
		{{0x7a, R3, R0, 0, 7}, BIT(3), 0},		  /* *(r3) = 7 */
		{{0x7b, R3, R4, 0, 0}, BIT(3) | BIT(4), 0},	  /* *(r3) = r4 */
		{{0xdb, R3, R4, 0, 0}, BIT(3) | BIT(4), 0},	  /* *(r3) += r4 */
		{{0xdb, R3, R4, 0, 1}, BIT(3) | BIT(4), BIT(4)},  /* fetch_add */
		{{0xdb, R3, R4, 0, 0xe1}, BIT(3) | BIT(4), BIT(4)},
		{{0xdb, R3, R4, 0, 0xf1}, BIT(0) | BIT(3) | BIT(4), BIT(0)},
		{{0xdb, R3, R4, 0, 0x100}, BIT(4), BIT(3)},
		{{0xdb, R3, R4, 0, 0x110}, BIT(3) | BIT(4), 0},
		{{0x15, R3, R0, 0, 5}, BIT(3), 0},
		{{0x1e, R3, R4, 0, 0}, BIT(3) | BIT(4), 0},
		{{0x05, R0, R0, 1, 0}, 0, 0},
		{{0xe5, R0, R0, 1, 0}, 0, 0},
		{{0x85, R0, R0, 0, 1}, ARGS, ARGS | BIT(0)},
		{{0x85, R0, 1, 0, 1}, ARGS, ARGS | BIT(0)},
		{{0x8d, R6, R0, 0, 0}, ARGS | BIT(6), ARGS | BIT(0)},
		{{0x95, R0, R0, 0, 0}, BIT(0), 0},
		{{0x20, R0, R0, 0, 1}, BIT(6), ARGS | BIT(0)},
		{{0x40, R0, R7, 0, 1}, BIT(6) | BIT(7), ARGS | BIT(0)},
	};
	static const struct insn imm64[2] = {{0x18, R3, 0, 0, 1}};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		enum isa_op op = isa_decode(&cases[i].insn, 1, NULL);

		CHECK(op != OP_BAD);
		CHECK_EQ(isa_reads(&cases[i].insn, op), cases[i].reads);
		CHECK_EQ(isa_writes(&cases[i].insn, op), cases[i].writes);
		CHECK_EQ(isa_slots(op), 1);
	}
	CHECK_EQ(isa_reads(imm64, OP_LD_IMM64), 0);
	CHECK_EQ(isa_writes(imm64, OP_LD_IMM64), BIT(3));
	CHECK_EQ(isa_slots(OP_LD_IMM64), 2);
	CHECK_EQ(isa_slots(OP_LD_MAP_VALUE), 2);
	CHECK_EQ(isa_slots(OP_BAD), 1);
}

static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

TEST(isa_random_bytes_decode_or_say_why)
{
	u64 state = 0x9e3779b97f4a7c15;
	char text[128], small[8];

	for (u32 i = 0; i < 200000; i++) {
		u64 raw[2] = {next_random(&state), i % 2 ? 0 : next_random(&state)};
		const char *why = NULL;
		struct insn insn[2];
		enum isa_op op;
		int len;

		if (i % 3)
			raw[0] &= 0x101ffff00ff; /* few bits: more that decodes */
		memcpy(insn, raw, sizeof(insn));
		op = isa_decode(insn, 1 + i % 2, &why);
		CHECK_EQ(op == OP_BAD, why != NULL);
		len = isa_disasm(insn, 1 + i % 2, NULL, text, sizeof(text));
		CHECK(len > 0 && (size_t)len < sizeof(text));
		CHECK_EQ(isa_disasm(insn, 1 + i % 2, NULL, small, sizeof(small)), len);
		CHECK_EQ(strlen(small), len < 8 ? len : 7);
		CHECK_EQ(isa_disasm(insn, 1 + i % 2, NULL, NULL, 0), len);
	}
}
