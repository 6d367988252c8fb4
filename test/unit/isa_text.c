/* SPDX-License-Identifier: MIT
 *
 * Texts of instructions, as the kernel (6.18) writes them in its log.
 */
#include "test.h"

#include "isa/isa.h"

static const struct {
	struct insn insn;
	const char *text;
} texts[] = {
	{{0xb7, R0, R0, 0, 0}, "(b7) r0 = 0"},
	{{0xb7, R0, R0, 0, -5}, "(b7) r0 = -5"},
	{{0xb4, R0, R0, 0, 1}, "(b4) w0 = 1"},
	{{0xbf, R6, R1, 0, 0}, "(bf) r6 = r1"},
	{{0xbc, R0, R1, 0, 0}, "(bc) w0 = w1"},
	{{0xbf, R0, R1, 8, 0}, "(bf) r0 = (s8)r1"},
	{{0xbf, R6, R7, 1, 1}, "(bf) r6 = addr_space_cast(r7, 0, 1)"},
	{{0xbf, R6, R6, 1, 1 << 16}, "(bf) r6 = addr_space_cast(r6, 1, 0)"},
	{{0xbf, R0, R1, 16, 0}, "(bf) r0 = (s16)r1"},
	{{0xbf, R0, R1, 32, 0}, "(bf) r0 = (s32)r1"},
	{{0xbc, R0, R1, 8, 0}, "(bc) w0 = (s8)w1"},
	{{0xbc, R0, R1, 16, 0}, "(bc) w0 = (s16)w1"},
	{{0x07, R1, R0, 0, -8}, "(07) r1 += -8"},
	{{0x04, R1, R0, 0, -8}, "(04) w1 += -8"},
	{{0x0f, R1, R2, 0, 0}, "(0f) r1 += r2"},
	{{0x0c, R1, R2, 0, 0}, "(0c) w1 += w2"},
	{{0x17, R1, R0, 0, 8}, "(17) r1 -= 8"},
	{{0x27, R1, R0, 0, 8}, "(27) r1 *= 8"},
	{{0x37, R1, R0, 0, 8}, "(37) r1 /= 8"},
	{{0x37, R1, R0, 1, 8}, "(37) r1 s/= 8"},
	{{0x3f, R1, R1, 0, 0}, "(3f) r1 /= r1"},
	{{0x3c, R1, R1, 1, 0}, "(3c) w1 s/= w1"},
	{{0x34, R1, R0, 1, -5}, "(34) w1 s/= -5"},
	{{0x94, R1, R0, 1, -5}, "(94) w1 s%= -5"},
	{{0x97, R1, R0, 1, -5}, "(97) r1 s%= -5"},
	{{0x97, R1, R0, 0, -5}, "(97) r1 %= -5"},
	{{0x47, R1, R0, 0, 8}, "(47) r1 |= 8"},
	{{0x57, R1, R0, 0, -8}, "(57) r1 &= -8"},
	{{0xa7, R1, R0, 0, 8}, "(a7) r1 ^= 8"},
	{{0x67, R1, R0, 0, 8}, "(67) r1 <<= 8"},
	{{0x77, R1, R0, 0, 8}, "(77) r1 >>= 8"},
	{{0xc7, R1, R0, 0, 8}, "(c7) r1 s>>= 8"},
	{{0xcc, R1, R1, 0, 0}, "(cc) w1 s>>= w1"},
	{{0x87, R1, R0, 0, 0}, "(87) r1 = -r1"},
	{{0x84, R1, R0, 0, 0}, "(84) w1 = -w1"},
	{{0xd4, R1, R0, 0, 16}, "(d4) r1 = le16 r1"},
	{{0xdc, R1, R0, 0, 32}, "(dc) r1 = be32 r1"},
	{{0xd7, R1, R0, 0, 64}, "(d7) r1 = bswap64 r1"},
	{{0x20, R0, R0, 0, 5}, "(20) r0 = *(u32 *)skb[5]"},
	{{0x28, R0, R0, 0, 5}, "(28) r0 = *(u16 *)skb[5]"},
	{{0x50, R0, R1, 0, 5}, "(50) r0 = *(u8 *)skb[r1 + 5]"},
	{{0x50, R0, R1, 0, -5}, "(50) r0 = *(u8 *)skb[r1 + -5]"},
	{{0x61, R2, R1, 4, 0}, "(61) r2 = *(u32 *)(r1 +4)"},
	{{0x69, R2, R1, -4, 0}, "(69) r2 = *(u16 *)(r1 -4)"},
	{{0x71, R2, R1, 0, 0}, "(71) r2 = *(u8 *)(r1 +0)"},
	{{0x79, R2, R1, 4, 0}, "(79) r2 = *(u64 *)(r1 +4)"},
	{{0x81, R0, R1, 4, 0}, "(81) r0 = *(s32 *)(r1 +4)"},
	{{0x89, R0, R1, 4, 0}, "(89) r0 = *(s16 *)(r1 +4)"},
	{{0x91, R0, R1, 4, 0}, "(91) r0 = *(s8 *)(r1 +4)"},
	{{0x62, R10, R0, -8, -1}, "(62) *(u32 *)(r10 -8) = -1"},
	{{0x72, R10, R0, -8, 255}, "(72) *(u8 *)(r10 -8) = 255"},
	{{0x7a, R10, R0, -8, 77}, "(7a) *(u64 *)(r10 -8) = 77"},
	{{0x63, R10, R1, -8, 0}, "(63) *(u32 *)(r10 -8) = r1"},
	{{0x7b, R10, R1, -8, 0}, "(7b) *(u64 *)(r10 -8) = r1"},
	{{0xc3, R10, R1, -8, 0}, "(c3) lock *(u32 *)(r10 -8) += r1"},
	{{0xdb, R10, R1, -8, 0}, "(db) lock *(u64 *)(r10 -8) += r1"},
	{{0xdb, R10, R1, -8, 0x40}, "(db) lock *(u64 *)(r10 -8) |= r1"},
	{{0xdb, R10, R1, -8, 0x50}, "(db) lock *(u64 *)(r10 -8) &= r1"},
	{{0xdb, R10, R1, -8, 0xa0}, "(db) lock *(u64 *)(r10 -8) ^= r1"},
	{{0xdb, R10, R1, -8, 0x01}, "(db) r1 = atomic64_fetch_add((u64 *)(r10 -8), r1)"},
	{{0xdb, R10, R1, -8, 0x41}, "(db) r1 = atomic64_fetch_or((u64 *)(r10 -8), r1)"},
	{{0xdb, R10, R1, -8, 0x51}, "(db) r1 = atomic64_fetch_and((u64 *)(r10 -8), r1)"},
	{{0xdb, R10, R1, -8, 0xa1}, "(db) r1 = atomic64_fetch_xor((u64 *)(r10 -8), r1)"},
	{{0xdb, R10, R1, -8, 0xe1}, "(db) r1 = atomic64_xchg((u64 *)(r10 -8), r1)"},
	{{0xdb, R10, R1, -8, 0xf1}, "(db) r0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r1)"},
	{{0xc3, R10, R1, -8, 0x01}, "(c3) r1 = atomic_fetch_add((u32 *)(r10 -8), r1)"},
	{{0xc3, R10, R1, -8, 0xe1}, "(c3) r1 = atomic_xchg((u32 *)(r10 -8), r1)"},
	{{0xc3, R10, R1, -8, 0xf1}, "(c3) r0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r1)"},
	{{0xdb, R2, R1, -8, 0x100}, "(db) r2 = load_acquire((u64 *)(r1 -8))"},
	{{0xd3, R2, R1, -8, 0x100}, "(d3) r2 = load_acquire((u8 *)(r1 -8))"},
	{{0xc3, R2, R1, -8, 0x110}, "(c3) store_release((u32 *)(r2 -8), r1)"},
	{{0xcb, R2, R1, -8, 0x110}, "(cb) store_release((u16 *)(r2 -8), r1)"},
	{{0x05, R0, R0, 1, 0}, "(05) goto pc+1"},
	{{0x05, R0, R0, -1, 0}, "(05) goto pc-1"},
	{{0x06, R0, R0, 0, 3}, "(06) gotol pc+3"},
	{{0x06, R0, R0, 0, -70000}, "(06) gotol pc-70000"},
	{{0xe5, R0, R0, 3, 0}, "(e5) may_goto pc+3"},
	{{0x15, R1, R0, 0, -5}, "(15) if r1 == 0xfffffffb goto pc+0"},
	{{0x16, R1, R0, -2, -5}, "(16) if w1 == 0xfffffffb goto pc-2"},
	{{0x55, R0, R0, 3, 0}, "(55) if r0 != 0x0 goto pc+3"},
	{{0x1d, R1, R2, 0, 0}, "(1d) if r1 == r2 goto pc+0"},
	{{0x2e, R1, R2, 0, 0}, "(2e) if w1 > w2 goto pc+0"},
	{{0x35, R1, R0, 0, 5}, "(35) if r1 >= 0x5 goto pc+0"},
	{{0x45, R1, R0, 0, 5}, "(45) if r1 & 0x5 goto pc+0"},
	{{0x65, R1, R0, 0, 5}, "(65) if r1 s> 0x5 goto pc+0"},
	{{0x75, R1, R0, 0, -5}, "(75) if r1 s>= 0xfffffffb goto pc+0"},
	{{0xa5, R1, R0, 0, 5}, "(a5) if r1 < 0x5 goto pc+0"},
	{{0xb5, R1, R0, 0, 5}, "(b5) if r1 <= 0x5 goto pc+0"},
	{{0xc5, R1, R0, 0, 5}, "(c5) if r1 s< 0x5 goto pc+0"},
	{{0xde, R1, R2, 0, 0}, "(de) if w1 s<= w2 goto pc+0"},
	{{0x85, R0, R0, 0, 9999}, "(85) call unknown#9999"},
	{{0x85, R0, 1, 0, -1}, "(85) call pc-1"},
	{{0x85, R0, 2, 0, 5}, "(85) call kfunc#5"},
	{{0x8d, R6, R0, 0, 0}, "(8d) callx r6"},
	{{0x95, R0, R0, 0, 0}, "(95) exit"},
	/* refused by the decoder, still readable */
	{{0xb7, 11, R0, 8, 1}, "(b7) r11 = 1"},
	{{0x87, R1, R0, 0, 5}, "(87) r1 = -r1"},
	{{0xdb, R1, R2, 0, 2}, "(db) invalid"},
	{{0xff, R1, R2, 0, 2}, "(ff) invalid"},
	{{0x18, R1, R0, 0, 2}, "(18) invalid"},
};

static const struct {
	struct insn insn[2];
	const char *plain, *named;
} wide_texts[] = {
	{{{0x18, R1, IMM_PLAIN, 0, 5}}, "(18) r1 = 0x5", "(18) r1 = 0x5"},
	{{{0x18, R1, IMM_PLAIN, 0, -1}, {.imm = -1}},
	 "(18) r1 = 0xffffffffffffffff",
	 "(18) r1 = 0xffffffffffffffff"},
	{{{0x18, R1, IMM_PLAIN, 0, -2}, {.imm = 0x9abcdef}},
	 "(18) r1 = 0x9abcdeffffffffe",
	 "(18) r1 = 0x9abcdeffffffffe"},
	{{{0x18, R1, IMM_MAP, 0, 2}}, "(18) r1 = map[id:2]", "(18) r1 = map[name:sessions]"},
	{{{0x18, R1, IMM_MAP_VALUE, 0, 2}, {.imm = 16}},
	 "(18) r1 = map[id:2][0]+16",
	 "(18) r1 = map[name:sessions][0]+16"},
	{{{0x18, R1, IMM_MAP, 0, 3}}, "(18) r1 = map[id:3]", "(18) r1 = map[id:3]"},
	{{{0x18, R1, IMM_KSYM, 0, 2}}, "(18) r1 = ksym[id:2]", "(18) r1 = ksym[name:conn_put]"},
	{{{0x18, R1, IMM_FUNC, 0, 7}}, "(18) r1 = subprog[+7]", "(18) r1 = subprog[+7]"},
	{{{0x18, R1, IMM_MAP_IDX, 0, 7}}, "(18) r1 = map[idx:7]", "(18) r1 = map[idx:7]"},
	{{{0x18, R1, IMM_MAP_VALUE_IDX, 0, 7}, {.imm = 8}},
	 "(18) r1 = map[idx:7][0]+8",
	 "(18) r1 = map[idx:7][0]+8"},
	{{{0x85, R0, CALL_HELPER, 0, 1}},
	 "(85) call unknown#1",
	 "(85) call bpf_map_lookup_elem#1"},
	{{{0x85, R0, CALL_KFUNC, 0, 2}}, "(85) call kfunc#2", "(85) call conn_put#2"},
};

static const char *helper_name(void *data, s32 id)
{
	return id == 1 ? "bpf_map_lookup_elem" : NULL;
}

static const char *ksym_name(void *data, s32 index)
{
	return index == 2 ? (const char *)data : NULL;
}

static const char *map_name(void *data, s32 index)
{
	return index == 2 ? "sessions" : NULL;
}

static char conn_put[] = "conn_put";

static const struct isa_names names = {helper_name, ksym_name, map_name, conn_put};

TEST(isa_disasm_writes_what_the_kernel_writes)
{
	char buf[128];

	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		isa_disasm(&texts[i].insn, 1, NULL, buf, sizeof(buf));
		CHECK_STR(buf, texts[i].text);
	}
}

TEST(isa_disasm_of_two_slots_and_names)
{
	struct isa_names none = {0};
	char buf[128];

	for (u32 i = 0; i < ARRAY_SIZE(wide_texts); i++) {
		isa_disasm(wide_texts[i].insn, 2, NULL, buf, sizeof(buf));
		CHECK_STR(buf, wide_texts[i].plain);
		isa_disasm(wide_texts[i].insn, 2, &none, buf, sizeof(buf));
		CHECK_STR(buf, wide_texts[i].plain);
		isa_disasm(wide_texts[i].insn, 2, &names, buf, sizeof(buf));
		CHECK_STR(buf, wide_texts[i].named);
	}
}

TEST(isa_disasm_counts_like_snprintf)
{
	struct insn insn = {0xbf, R6, R1, 0, 0};
	char buf[8] = "zzzzzzz";

	CHECK_EQ(isa_disasm(&insn, 1, NULL, buf, 8), 12);
	CHECK_STR(buf, "(bf) r6");
	CHECK_EQ(isa_disasm(&insn, 1, NULL, buf, 1), 12);
	CHECK_STR(buf, "");
	CHECK_EQ(isa_disasm(&insn, 1, NULL, NULL, 0), 12);
	CHECK_EQ(isa_disasm(&insn, 0, NULL, buf, 8), 0);
	CHECK_STR(buf, "");
}
