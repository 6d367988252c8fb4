/* SPDX-License-Identifier: MIT
 *
 * The assembler: every row goes to text and back, labels, and errors with their place.
 */
#include "test.h"

#include "base/arena.h"
#include "base/log.h"
#include "isa/table.h"

struct assembled {
	struct arena *arena;
	struct log log;
	struct insn *insns;
	u32 count;
	int err;
};

static struct assembled assemble(const char *text)
{
	struct assembled as = {.arena = arena_new()};

	CHECK(as.arena != NULL);
	as.err = isa_assemble(as.arena, &as.log, text, &as.insns, &as.count);
	return as;
}

static void done(struct assembled *as)
{
	arena_free(as->arena);
	log_free(&as->log);
}

static void check_same(const struct insn *got, const struct insn *want, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		CHECK_EQ(got[i].code, want[i].code);
		CHECK_EQ(got[i].dst, want[i].dst);
		CHECK_EQ(got[i].src, want[i].src);
		CHECK_EQ(got[i].off, want[i].off);
		CHECK_EQ(got[i].imm, want[i].imm);
	}
}

/* @op with each operand set; @variant picks the numbers. */
static void encode(enum isa_op op, u32 variant, struct insn insn[2])
{
	static const s16 offs[] = {-24, 0, 8, INT16_MIN, INT16_MAX};
	static const s32 imms[] = {77, 0, -1, INT32_MIN, INT32_MAX};
	static const u8 regs[] = {R3, R0, R10, R9, R1};
	const struct isa_row *row = &isa_rows[op];

	memset(insn, 0, 2 * sizeof(*insn));
	insn->code = row->info.code;
	if (row->operands & HAS_DST)
		insn->dst = regs[variant] & 15;
	if (row->operands & HAS_SRC)
		insn->src = regs[ARRAY_SIZE(regs) - 1 - variant] & 15;
	if (row->operands & HAS_OFF)
		insn->off = offs[variant];
	if (row->operands & HAS_IMM)
		insn->imm = imms[variant];
	if (row->operands & HAS_IMM2)
		insn[1].imm = imms[ARRAY_SIZE(imms) - 1 - variant];
	if (row->select == SEL_SRC)
		insn->src = row->value & 15;
	if (row->select == SEL_OFF)
		insn->off = row->value;
	if (row->select == SEL_IMM)
		insn->imm = row->value;
}

static void check_round_trip(const struct insn *insn, enum isa_op op)
{
	struct assembled as;
	char text[128];

	CHECK_EQ(isa_decode(insn, 2, NULL), op);
	isa_disasm(insn, 2, NULL, text, sizeof(text));
	as = assemble(text + strlen("(xx) "));
	CHECK_STR(log_text(&as.log), "");
	CHECK_EQ(as.err, 0);
	CHECK_EQ(as.count, isa_slots(op));
	check_same(as.insns, insn, as.count);
	done(&as);
}

TEST(isa_asm_every_row_round_trips)
{
	struct insn insn[2];

	for (u32 op = 1; op < NR_OPS; op++)
		for (u32 variant = 0; variant < 5; variant++) {
			encode(op, variant, insn);
			check_round_trip(insn, op);
		}
}

TEST(isa_asm_accepts_other_spacings_and_bases)
{
	static const struct {
		const char *text;
		struct insn insn;
	} cases[] = {
		{"r2 = *(u32 *)(r1 + 4)", {0x61, R2, R1, 4, 0}},
		{"r2=*(u32*)(r1+4)", {0x61, R2, R1, 4, 0}},
		{"  r2 = *( u32 * ) ( r1 +0x4 )  ", {0x61, R2, R1, 4, 0}},
		{"\tr2 = *(u64 *)(r10 - 8)\r", {0x79, R2, R10, -8, 0}},
		{"r2 = *(u64 *)(r10)", {0x79, R2, R10, 0, 0}},
		{"*(u64 *)(r10 -8)=r1", {0x7b, R10, R1, -8, 0}},
		{"r1 += 0x10", {0x07, R1, R0, 0, 16}},
		{"r1 += -0x10", {0x07, R1, R0, 0, -16}},
		{"r1 += - 16", {0x07, R1, R0, 0, -16}},
		{"r1 += -2147483648", {0x07, R1, R0, 0, INT32_MIN}},
		{"w1 &= 0xffffffff", {0x54, R1, R0, 0, -1}},
		{"w1 &= 4294967295", {0x54, R1, R0, 0, -1}},
		{"r1 = -5", {0xb7, R1, R0, 0, -5}},
		{"r1 = - r1", {0x87, R1, R0, 0, 0}},
		{"w1 = 0x80000000", {0xb4, R1, R0, 0, INT32_MIN}},
		{"if r1 == -5 goto +3", {0x15, R1, R0, 3, -5}},
		{"if r1 == 0xfffffffb goto pc+3", {0x15, R1, R0, 3, -5}},
		{"if w1 == 4294967295 goto pc-3", {0x16, R1, R0, -3, -1}},
		{"if r1 s> r2 goto -1", {0x6d, R1, R2, -1, 0}},
		{"goto + 3", {0x05, R0, R0, 3, 0}},
		{"call bpf_map_lookup_elem#1", {0x85, R0, 0, 0, 1}},
		{"call 1", {0x85, R0, 0, 0, 1}},
		{"call kfunc#2", {0x85, R0, 2, 0, 2}},
		{"call pc+2", {0x85, R0, 1, 0, 2}},
		{"call +2", {0x85, R0, 1, 0, 2}},
		{"*(u32 *)(r10 -8) = 0xffffffff", {0x62, R10, R0, -8, -1}},
		{"r1 = atomic64_fetch_add((u64*)(r2+0),r1)", {0xdb, R2, R1, 0, 1}},
		{"lock *(u64*)(r2+0) += r1", {0xdb, R2, R1, 0, 0}},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct assembled as = assemble(cases[i].text);

		CHECK_STR(log_text(&as.log), "");
		CHECK_EQ(as.count, 1);
		check_same(as.insns, &cases[i].insn, 1);
		done(&as);
	}
}

TEST(isa_asm_64_bit_immediates)
{
	static const struct {
		const char *text;
		u64 value;
	} cases[] = {
		{"r1 = 0x5", 5},
		{"r1 = 5 ll", 5},
		{"r1 = -5ll", 0},
		{"r1 = -5 ll", (u64)-5},
		{"r1 = 2147483648", 0x80000000},
		{"r1 = -2147483649", 0xffffffff7fffffff},
		{"r1 = 18446744073709551615", UINT64_MAX},
		{"r1 = 0xffffffffffffffff", UINT64_MAX},
		{"r1 = -9223372036854775808", BIT64(63)},
		{"r1 = 0x123456789ABCDEF0 ll", 0x123456789abcdef0},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct assembled as = assemble(cases[i].text);

		if (cases[i].value) {
			CHECK_STR(log_text(&as.log), "");
			CHECK_EQ(as.count, 2);
			CHECK_EQ(isa_decode(as.insns, 2, NULL), OP_LD_IMM64);
			CHECK_EQ((u64)(u32)as.insns[1].imm << 32 | (u32)as.insns[0].imm,
				 cases[i].value);
		} else {
			CHECK_STR(as.log.error, "1:6: not a number");
		}
		done(&as);
	}
}

TEST(isa_asm_labels_and_comments)
{
	static const struct insn want[] = {
		{0xb7, R0, R0, 0, 0},
		{0x18, R2, IMM_FUNC, 0, 10}, /* to 12: from the slot after this one, 2 */
		{0},
		{0x15, R1, R0, 4, 0},  /* 3 -> 8 */
		{0x07, R0, R0, 0, 1},
		{0x05, R0, R0, -3, 0}, /* 5 -> 3 */
		{0x06, R0, R0, 0, -4}, /* 6 -> 3 */
		{0xe5, R0, R0, 0, 0},  /* 7 -> 8 */
		{0x85, R0, 1, 0, 3},   /* 8 -> 12 */
		{0x85, R0, 0, 0, 1},
		{0xdd, R1, R2, -1, 0}, /* 10 -> 10 */
		{0x95, R0, R0, 0, 0},
		{0xb7, R0, R0, 0, 7},
		{0x95, R0, R0, 0, 0},
	};
	static const char text[] =
		"# a program\n"
		"; of no use\n"
		"\n"
		"start: r0 = 0\t\t; zero\n"
		"	r2 = subprog[sub]\n"
		"loop:\n"
		"	if r1 == 0 goto out\n"
		"	r0 += 1 # one more\n"
		"	goto loop\n"
		"	gotol loop\n"
		"	may_goto out;\n"
		"out: exit_label.2: call sub\n"
		"	call bpf_map_lookup_elem#1 #comment\n"
		"self:	if r1 s<= r2 goto self\n"
		"	exit\n"
		"sub:	r0 = 7\n"
		"	exit\n"
		"end:";
	struct assembled as = assemble(text);

	CHECK_STR(log_text(&as.log), "");
	CHECK_EQ(as.count, ARRAY_SIZE(want));
	check_same(as.insns, want, as.count);
	done(&as);
}

TEST(isa_asm_of_nothing_is_nothing)
{
	static const char *const texts[] = {"", "\n\n", "  ; nothing", "# nothing", "here:"};

	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		struct assembled as = assemble(texts[i]);

		CHECK_EQ(as.err, 0);
		CHECK_EQ(as.count, 0);
		CHECK(as.insns != NULL);
		done(&as);
	}
}

TEST(isa_asm_errors_say_where_and_why)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"frob r1", "1:1: unexpected 'frob'"},
		{"exot", "1:1: unexpected 'exot'"},
		{"exitx", "1:1: unexpected 'exitx'"},
		{"exit 5", "1:6: unexpected '5'"},
		{"r0 = 0\n  r1 ?= 5", "2:6: unexpected '?'"},
		{"r0 = 0\nexit\n\tr1 = foo", "3:7: unexpected 'foo'"},
		{"r1", "1:3: the instruction ends too early"},
		{"r1 += ; nothing", "1:6: the instruction ends too early"},
		{"if r1 == 5", "1:11: the instruction ends too early"},
		{"r11 = 5", "1:1: there is no such register"},
		{"r0 = r99", "1:6: there is no such register"},
		{"r0 = r99999999999999999999", "1:6: there is no such register"},
		{"w0 = r1", "1:6: unexpected 'r1'"},
		{"r1 = be16 r2", "1:11: must be the same register both times"},
		{"r1 = atomic64_xchg((u64 *)(r2 +0), r3)",
		 "1:36: must be the same register both times"},
		{"r0 += 0xffffffff", "1:7: does not fit in 32 bits with a sign"},
		{"r0 += 2147483648", "1:7: does not fit in 32 bits with a sign"},
		{"w0 += 4294967296", "1:7: does not fit in 32 bits"},
		{"if r1 == 2147483648 goto +1", "1:10: does not fit in 32 bits with a sign"},
		{"r0 = 18446744073709551616", "1:6: does not fit in 64 bits"},
		{"r0 = -9223372036854775809", "1:6: does not fit in 64 bits"},
		{"r0 = 5x", "1:6: not a number"},
		{"r0 = 0x", "1:8: the instruction ends too early"},
		{"r1 = *(u64 *)(r2 +32768)", "1:18: does not fit in 16 bits"},
		{"r1 = *(u64 *)(r2 -32769)", "1:18: does not fit in 16 bits"},
		{"r1 = *(s64 *)(r2 +0)", "1:8: unexpected 's64'"},
		{"r1 = map[name:foo]", "1:10: names are for reading; write id:number"},
		{"call bpf_map_lookup_elem",
		 "1:6: label 'bpf_map_lookup_elem' is nowhere (a helper is written "
		 "name#number)"},
		{"goto nowhere",
		 "1:6: label 'nowhere' is nowhere (a helper is written name#number)"},
		{"a:\nr0 = 0\n a: exit", "3:2: label 'a' stands twice"},
		{"r0 = 0 exit", "1:8: unexpected 'exit'"},
		{"r0 = \x01", "1:6: unexpected byte 0x01"},
		{"\xff", "1:1: unexpected byte 0xff"},
		{"gotolpc+3", "1:1: unexpected 'gotolpc'"},
		{": exit", "1:1: unexpected ':'"},
		{"5: exit", "1:1: unexpected '5'"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct assembled as = assemble(cases[i].text);

		CHECK_STR(as.log.error, cases[i].error);
		CHECK_EQ(as.err, -EINVAL);
		CHECK(!as.insns && !as.count);
		done(&as);
	}
}

TEST(isa_asm_far_labels)
{
	enum { LINES = 32769 };
	struct assembled as;
	char *text = malloc(LINES * 5 + 64), *p = text;

	CHECK(text != NULL);
	p += sprintf(p, "goto far\n");
	for (u32 i = 0; i < 32767; i++)
		p += sprintf(p, "exit\n");
	sprintf(p, "far: exit\n");
	as = assemble(text);
	CHECK_EQ(as.err, 0);
	CHECK_EQ(as.insns[0].off, 32767);
	done(&as);
	sprintf(p, "exit\nfar: exit\n");
	as = assemble(text);
	CHECK_STR(as.log.error, "1:6: label 'far' is too far away (gotol reaches further)");
	done(&as);
	free(text);
}

/* Bits of programs, cut and mixed: an answer or an error, and no crash. */
TEST(isa_asm_survives_mangled_text)
{
	static const char seed[] =
		"a: r1 = *(u64 *)(r2 +8)\nif r1 s> 0x5 goto a\nr0 = atomic_cmpxchg((u32 *)(r1 "
		"+0), r0, r3)\nr1 = map[id:5][0]+8\ncall kfunc#1\nlock *(u32 *)(r1 -4) += r2\n";
	static const char bytes[] = "r0w1+-*/%()[]=<>&|^:;#x \n\t.,pc\x80";
	char text[sizeof(seed)];
	u64 state = 88172645463325252;

	for (u32 i = 0; i < 3000; i++) {
		struct assembled as;

		memcpy(text, seed, sizeof(seed));
		for (u32 edits = 1 + i % 4; edits; edits--) {
			state = state * 6364136223846793005 + 1442695040888963407;
			text[(state >> 33) % (sizeof(seed) - 1)] =
				bytes[(state >> 20) % (sizeof(bytes) - 1)];
		}
		text[i % sizeof(seed)] = 0;
		as = assemble(text);
		CHECK_EQ(as.err != 0, as.log.error[0] != 0);
		done(&as);
	}
}
