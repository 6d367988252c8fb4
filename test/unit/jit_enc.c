/* SPDX-License-Identifier: MIT
 *
 * The x86-64 encoder, one line an instruction: the bytes, the text, the call that writes
 * it. objdump must read the bytes as that text.
 */
#include "test.h"

#include "jit/x64/enc.h"

#include <ctype.h>
#include <unistd.h>

#if defined(__x86_64__)

static u8 code[4096];
static char wanted[16384]; /* all texts, a line each */

static void check(const struct x64 *x, const u8 *from, const char *bytes,
		  const char *text)
{
	char hex[64] = "";

	for (const u8 *p = from; p < x->at; p++)
		snprintf(hex + 2 * (p - from), 3, "%02x", *p);
	if (strcmp(hex, bytes))
		test_fail(__FILE__, __LINE__, "%s is %s, want %s", text, hex, bytes);
	strcat(strcat(wanted, text), "\n");
}

#define E(bytes, text, call)                                                             \
	from = x->at;                                                                    \
	call;                                                                            \
	check(x, from, bytes, text);

static void write_all(struct x64 *x)
{
	const u8 *from;

	*x = (struct x64){code, code, code + sizeof(code), false};
	*wanted = 0;
	/* clang-format off */
	E("4803c3", "add rax, rbx", x64_rr(x, X64_ADD_RM, true, RAX, RBX))
	E("4103c1", "add eax, r9d", x64_rr(x, X64_ADD_RM, false, RAX, REG9))
	E("4c036f08", "add r13, qword ptr [rdi + 8]", x64_rm(x, X64_ADD_RM, true, REG13, x64_at(RDI, 8)))
	E("41014d00", "add dword ptr [r13 + 0], ecx", x64_rm(x, X64_ADD_MR, false, RCX, x64_at(REG13, 0)))
	E("f04901b42480000000", "lock add qword ptr [r12 + 128], rsi", x64_rm(x, X64_ADD_LOCK, true, RSI, x64_at(REG12, 128)))
	E("490bd7", "or rdx, r15", x64_rr(x, X64_OR_RM, true, RDX, REG15))
	E("234dfc", "and ecx, dword ptr [rbp - 4]", x64_rm(x, X64_AND_RM, false, RCX, x64_at(RBP, -4)))
	E("492bf0", "sub rsi, r8", x64_rr(x, X64_SUB_RM, true, RSI, REG8))
	E("4533d2", "xor r10d, r10d", x64_rr(x, X64_XOR_RM, false, REG10, REG10))
	E("483bfe", "cmp rdi, rsi", x64_rr(x, X64_CMP_RM, true, RDI, RSI))
	E("4805e8030000", "add rax, 1000", x64_alu_imm(x, X64_ADD_RM, true, RAX, 1000))
	E("4881c3e8030000", "add rbx, 1000", x64_alu_imm(x, X64_ADD_RM, true, RBX, 1000))
	E("4183c6f8", "add r14d, -8", x64_alu_imm(x, X64_ADD_RM, false, REG14, -8))
	E("4883ef80", "sub rdi, -128", x64_alu_imm(x, X64_ADD_RM, true, RDI, 128))
	E("25ff0f0000", "and eax, 4095", x64_alu_imm(x, X64_AND_RM, false, RAX, 4095))
	E("4983f9ff", "cmp r9, -1", x64_alu_imm(x, X64_CMP_RM, true, REG9, -1))
	E("4d85c9", "test r9, r9", x64_alu_imm(x, X64_CMP_RM, true, REG9, 0))
	E("41837c240821", "cmp dword ptr [r12 + 8], 33", x64_alu_mem_imm(x, X64_CMP_RM, false, x64_at(REG12, 8), 33))
	E("816c240870110100", "sub dword ptr [rsp + 8], 70000", x64_alu_mem_imm(x, X64_SUB_RM, false, x64_at(RSP, 8), 70000))
	E("803f2d", "cmp byte ptr [rdi], 45", x64_rmi(x, X64_CMP_BYTE_I8, false, 0, x64_at(RDI, 0), 45, 1))
	E("66837f0c08", "cmp word ptr [rdi + 12], 8", x64_rmi(x, X64_CMP_WORD_I8, false, 0, x64_at(RDI, 12), 8, 1))
	E("4885d1", "test rcx, rdx", x64_rr(x, X64_TEST_MR, true, RDX, RCX))
	E("a810", "test al, 16", x64_test_imm(x, true, RAX, 16))
	E("40f6c610", "test sil, 16", x64_test_imm(x, false, RSI, 16))
	E("41f6c501", "test r13b, 1", x64_test_imm(x, true, REG13, 1))
	E("a900000100", "test eax, 65536", x64_test_imm(x, true, RAX, 65536))
	E("f7c700000100", "test edi, 65536", x64_test_imm(x, true, RDI, 65536))
	E("48f7c70000ffff", "test rdi, -65536", x64_test_imm(x, true, RDI, -65536))
	E("498bc7", "mov rax, r15", x64_rr(x, X64_MOV_RM, true, RAX, REG15))
	E("488938", "mov qword ptr [rax], rdi", x64_rm(x, X64_MOV_MR, true, RDI, x64_at(RAX, 0)))
	E("40887301", "mov byte ptr [rbx + 1], sil", x64_rm(x, X64_MOV_BYTE_MR, false, RSI, x64_at(RBX, 1)))
	E("884b01", "mov byte ptr [rbx + 1], cl", x64_rm(x, X64_MOV_BYTE_MR, false, RCX, x64_at(RBX, 1)))
	E("66458988d4feffff", "mov word ptr [r8 - 300], r9w", x64_rm(x, X64_MOV_WORD_MR, false, REG9, x64_at(REG8, -300)))
	E("c70707000000", "mov dword ptr [rdi], 7", x64_rmi(x, X64_MOV_MI, false, 0, x64_at(RDI, 0), 7, 4))
	E("48c745f8ffffffff", "mov qword ptr [rbp - 8], -1", x64_rmi(x, X64_MOV_MI, true, 0, x64_at(RBP, -8), -1, 4))
	E("66c7070700", "mov word ptr [rdi], 7", x64_rmi(x, X64_MOV_WORD_MI, false, 0, x64_at(RDI, 0), 7, 2))
	E("41c6042407", "mov byte ptr [r12], 7", x64_rmi(x, X64_MOV_BYTE_MI, false, 0, x64_at(REG12, 0), 7, 1))
	E("33c0", "xor eax, eax", x64_mov_imm(x, RAX, 0))
	E("41b8ffffffff", "mov r8d, 4294967295", x64_mov_imm(x, REG8, 0xffffffff))
	E("48c7c7feffffff", "mov rdi, -2", x64_mov_imm(x, RDI, -2ull))
	E("49bbefcdab8967452301", "movabs r11, 81985529216486895", x64_mov_imm(x, REG11, 0x123456789abcdef))
	E("400fb6c7", "movzx eax, dil", x64_rr(x, X64_MOVZX8, false, RAX, RDI))
	E("440fb6c9", "movzx r9d, cl", x64_rr(x, X64_MOVZX8, false, REG9, RCX))
	E("0fb74e04", "movzx ecx, word ptr [rsi + 4]", x64_rm(x, X64_MOVZX16, false, RCX, x64_at(RSI, 4)))
	E("480fbe17", "movsx rdx, byte ptr [rdi]", x64_rm(x, X64_MOVSX8, true, RDX, x64_at(RDI, 0)))
	E("410fbfc0", "movsx eax, r8w", x64_rr(x, X64_MOVSX16, false, RAX, REG8))
	E("4863c7", "movsxd rax, edi", x64_rr(x, X64_MOVSX32, true, RAX, RDI))
	E("488d44b710", "lea rax, [rdi + rsi*4 + 16]", x64_rm(x, X64_LEA, true, RAX, (struct x64_mem){RDI, RSI, 2, 16}))
	E("428d0ced00000000", "lea ecx, [r13*8 + 0]", x64_rm(x, X64_LEA, false, RCX, (struct x64_mem){NO_REG, REG13, 3, 0}))
	E("4f8d4c2d00", "lea r9, [r13 + r13*1 + 0]", x64_rm(x, X64_LEA, true, REG9, (struct x64_mem){REG13, REG13, 0, 0}))
	E("0f38f007", "movbe eax, dword ptr [rdi]", x64_rm(x, X64_MOVBE, false, RAX, x64_at(RDI, 0)))
	E("f3480fb8c1", "popcnt rax, rcx", x64_rr(x, X64_POPCNT, true, RAX, RCX))
	E("f3440fb8cf", "popcnt r9d, edi", x64_rr(x, X64_POPCNT, false, REG9, RDI))
	E("490faff8", "imul rdi, r8", x64_rr(x, X64_IMUL, true, RDI, REG8))
	E("6bc164", "imul eax, ecx, 100", x64_imul_imm(x, false, RAX, RCX, 100))
	E("4d69c0e8030000", "imul r8, r8, 1000", x64_imul_imm(x, true, REG8, REG8, 1000))
	E("48f7d6", "not rsi", x64_rr(x, X64_NOT, true, 0, RSI))
	E("41f7de", "neg r14d", x64_rr(x, X64_NEG, false, 0, REG14))
	E("48f7e1", "mul rcx", x64_rr(x, X64_MUL, true, 0, RCX))
	E("49f7f3", "div r11", x64_rr(x, X64_DIV, true, 0, REG11))
	E("f7ff", "idiv edi", x64_rr(x, X64_IDIV, false, 0, RDI))
	E("49ff442430", "inc qword ptr [r12 + 48]", x64_rm(x, X64_INC, true, 0, x64_at(REG12, 48)))
	E("ffc8", "dec eax", x64_rr(x, X64_DEC, false, 0, RAX))
	E("48d1e0", "shl rax", x64_shift_imm(x, X64_SHL_I, true, RAX, 1))
	E("41c1ef0d", "shr r15d, 13", x64_shift_imm(x, X64_SHR_I, false, REG15, 13))
	E("48c1fa3f", "sar rdx, 63", x64_shift_imm(x, X64_SAR_I, true, RDX, 63))
	E("c1c105", "rol ecx, 5", x64_shift_imm(x, X64_ROL_I, false, RCX, 5))
	E("48c1cb09", "ror rbx, 9", x64_shift_imm(x, X64_ROR_I, true, RBX, 9))
	E("48d3e7", "shl rdi, cl", x64_rr(x, X64_SHL_CL, true, 0, RDI))
	E("6641c1c008", "rol r8w, 8", x64_rri(x, X64_ROL16_I, false, 0, REG8, 8, 1))
	E("c4e2f1f7c7", "shlx rax, rdi, rcx", x64_vex(x, X64_SHLX, true, RAX, RCX, RDI))
	E("c44203f7ca", "shrx r9d, r10d, r15d", x64_vex(x, X64_SHRX, false, REG9, REG15, REG10))
	E("c462eaf76b08", "sarx r13, qword ptr [rbx + 8], rdx", x64_vex_mem(x, X64_SARX, true, REG13, RDX, x64_at(RBX, 8)))
	E("c462a3f6d6", "mulx r10, r11, rsi", x64_vex(x, X64_MULX, true, REG10, REG11, RSI))
	E("c4e238f2c2", "andn eax, r8d, edx", x64_vex(x, X64_ANDN, false, RAX, REG8, RDX))
	E("0fcf", "bswap edi", x64_bswap(x, false, RDI))
	E("490fce", "bswap r14", x64_bswap(x, true, REG14))
	E("488707", "xchg qword ptr [rdi], rax", x64_rm(x, X64_XCHG, true, RAX, x64_at(RDI, 0)))
	E("f0440fc14b04", "lock xadd dword ptr [rbx + 4], r9d", x64_rm(x, X64_XADD, false, REG9, x64_at(RBX, 4)))
	E("f0490fb17d00", "lock cmpxchg qword ptr [r13 + 0], rdi", x64_rm(x, X64_CMPXCHG, true, RDI, x64_at(REG13, 0)))
	E("400f95c6", "setne sil", x64_setcc(x, CC_NE, RSI))
	E("0f92c0", "setb al", x64_setcc(x, CC_B, RAX))
	E("490f4ef9", "cmovle rdi, r9", x64_cmov(x, CC_LE, true, RDI, REG9))
	E("0f47c1", "cmova eax, ecx", x64_cmov(x, CC_A, false, RAX, RCX))
	E("ffd0", "call rax", x64_rr(x, X64_CALL_M, false, 0, RAX))
	E("41ff5310", "call qword ptr [r11 + 16]", x64_rm(x, X64_CALL_M, false, 0, x64_at(REG11, 16)))
	E("41ffe3", "jmp r11", x64_rr(x, X64_JMP_M, true, 0, REG11))
	E("4154", "push r12", x64_push(x, REG12))
	E("5b", "pop rbx", x64_pop(x, RBX))
	E("4899", "cqo", x64_cdq(x, true))
	E("99", "cdq", x64_cdq(x, false))
	E("c9", "leave", x64_leave(x))
	E("c3", "ret", x64_ret(x))
	E("f30f1efa", "endbr64", x64_endbr(x))
	E("cc", "int3", x64_trap(x))
	E("0f57c0", "xorps xmm0, xmm0", x64_rr(x, X64_XORPS, false, 0, 0))
	E("0f1145f0", "movups xmmword ptr [rbp - 16], xmm0", x64_rm(x, X64_MOVUPS_MR, false, 0, x64_at(RBP, -16)))
	E("0f298500feffff", "movaps xmmword ptr [rbp - 512], xmm0", x64_rm(x, X64_MOVAPS_MR, false, 0, x64_at(RBP, -512)))
	E("c4e17e6f4720", "vmovdqu ymm0, ymmword ptr [rdi + 32]", x64_vex_mem(x, X64_VMOVDQU_RM, false, 0, 0, x64_at(RDI, 32)))
	E("c4c17e7f4508", "vmovdqu ymmword ptr [r13 + 8], ymm0", x64_vex_mem(x, X64_VMOVDQU_MR, false, 0, 0, x64_at(REG13, 8)))
	E("c5f877", "vzeroupper", x64_vzeroupper(x))
	/* clang-format on */
}

TEST(jit_encoder_bytes)
{
	struct x64 x;

	write_all(&x);
	CHECK(!x.full);
}

/* --- as a disassembler reads it --- */

/* A number, the same for -8 and for 0xfffffff8: operands are at most 32 bits, but for
 * movabs. */
static char *put_number(char *to, const char **from, bool negative)
{
	char *end;
	u64 n = strtoull(*from, &end, 0);

	*from = end;
	n = negative ? 0 - n : n;
	return to + sprintf(to, "%llx",
			    (unsigned long long)((u64)(s64)(s32)n == n ? (u32)n : n));
}

/* Both ways of writing become one: no spaces, small letters, numbers as put_number() has
 * them. */
static void normalise(char *to, const char *from)
{
	char before = ' ';

	for (; *from && *from != '\n' && *from != '#'; before = *from++) {
		const char *digits = *from == '-' ? from + strspn(from, "- ") : from;

		if ((digits != from || !isalnum(before)) && isdigit(*digits)) {
			to = put_number(to, &digits, digits != from);
			from = digits - 1;
		} else if (!isspace(*from)) {
			*to++ = (char)tolower(*from);
		}
	}
	*to = 0;
}

static bool reads_as(const char *got, const char *want)
{
	char a[256], b[256];

	normalise(a, got);
	normalise(b, want);
	if (!strcmp(a, b))
		return true;
	return !strcmp(a, strcat(b, ",1")); /* shl rax */
}

TEST(jit_encoder_against_disassembler)
{
	char path[] = "/tmp/pintle-enc-XXXXXX", line[256], *want;
	int fd = mkstemp(path);
	struct x64 x;
	FILE *file;

	if (system("command -v objdump >/dev/null 2>&1")) {
		unlink(path);
		SKIP("no objdump");
	}
	write_all(&x);
	CHECK_EQ(write(fd, code, (size_t)(x.at - code)), x.at - code);
	close(fd);
	snprintf(line, sizeof(line),
		 "objdump -D -b binary -m i386:x86-64 -M intel -w --no-show-raw-insn %s",
		 path);
	file = popen(line, "r");
	want = strtok(wanted, "\n");
	while (fgets(line, sizeof(line), file)) {
		const char *text = strstr(line, ":\t");

		if (!text || !want)
			continue;
		if (!reads_as(text + 2, want))
			test_fail(__FILE__, __LINE__, "\"%s\" reads as%s", want,
				  text + 1);
		want = strtok(NULL, "\n");
	}
	pclose(file);
	unlink(path);
	if (want)
		test_fail(__FILE__, __LINE__, "nothing was read for %s", want);
}

TEST(jit_encoder_never_writes_beyond_its_buffer)
{
	u8 buf[64];
	struct x64 x = {buf, buf, buf + 32, false};

	memset(buf, 0xee, sizeof(buf));
	for (int i = 0; i < 100; i++)
		x64_mov_imm(&x, REG11, 0x123456789abcdef);
	CHECK(x.full);
	for (int i = 32; i < 64; i++)
		CHECK_EQ(buf[i], 0xee);
}

TEST(jit_encoder_jumps)
{
	struct x64 x = {code, code, code + sizeof(code), false};
	u8 *disp;

	x64_jmp_to(&x, code); /* eb fe */
	CHECK(!memcmp(code, "\xeb\xfe", 2));
	x.at = code + 126;
	x64_jcc_to(&x, CC_E, code);
	CHECK(!memcmp(code + 126, "\x74\x80", 2));
	x64_jcc_to(&x, CC_NE, code);
	CHECK(!memcmp(code + 128, "\x0f\x85\x7a\xff\xff\xff", 6));
	disp = x64_jmp(&x, false);
	CHECK(x64_patch(disp, false, x.at + 127));
	CHECK(!x64_patch(disp, false, x.at + 128));
	disp = x64_jcc(&x, CC_A, true);
	CHECK(x64_patch(disp, true, x.at + 128));
	CHECK(!memcmp(disp, "\x80\0\0\0", 4));
}

TEST(jit_encoder_fills_with_long_nops)
{
	struct x64 x = {code, code, code + sizeof(code), false};

	x64_nops(&x, 11);
	CHECK_EQ(x.at - code, 11);
	CHECK(!memcmp(code, "\x66\x0f\x1f\x84\0\0\0\0\0\x66\x90", 11));
}

#endif
