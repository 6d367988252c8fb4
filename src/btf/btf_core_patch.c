/* SPDX-License-Identifier: MIT
 *
 * btf_core_patch.c: a CO-RE answer put into its instruction. What the compiler left there
 * must be the value by the program's own types: otherwise the relocation is not this
 * instruction's.
 */
#include "btf/btf.h"

#include "base/log.h"
#include "isa/isa.h"

#include <stdarg.h>

struct patch {
	struct log *log;
	const char *where;
	struct insn *insn;
	u32 left;
	const struct core_relo *relo;
	const struct core_result *res;
};

enum { /* parts of an opcode byte, RFC 9669 §3 */
	CLASS = 0x07, LDX = 0x01, ST = 0x02, STX = 0x03, ALU32 = 0x04, ALU64 = 0x07,
	SOURCE = 0x08,
	SIZE = 0x18, SIZE_W = 0x00, SIZE_H = 0x08, SIZE_B = 0x10, SIZE_DW = 0x18,
	MODE = 0xe0, MODE_MEM = 0x60, MODE_MEMSX = 0x80, MODE_ATOMIC = 0xc0,
	LD_IMM64 = 0x18, CALL = 0x85,
};

FORMAT(2, 3) static int bad(struct patch *p, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return log_fail(p->log, -EINVAL, "%s: CO-RE relocation: %s", p->where, text);
}

static int poison(struct insn *insn, u32 n)
{
	while (n--)
		*insn++ = (struct insn){.code = CALL, .imm = CORE_POISON};
	return 0;
}

static int check_old(struct patch *p, u64 old)
{
	if (!p->res->local_known || old == p->res->local)
		return 0;
	return bad(p, "the instruction holds %llu, where the program's types say %llu",
		   (unsigned long long)old, (unsigned long long)p->res->local);
}

/* A 32-bit immediate stands for a 64-bit number by its sign in 64-bit operations; in
 * 32-bit ones either reading will do. */
static int patch_alu(struct patch *p)
{
	bool wide = (p->insn->code & CLASS) == ALU64;
	u64 v = p->res->value;

	if (p->insn->code & SOURCE)
		return bad(p, "an operation on registers has no place for a value");
	if (v != (u64)(s64)(s32)v && (wide || v > UINT32_MAX))
		return bad(p, "%llu does not fit the instruction", (unsigned long long)v);
	if ((s32)p->res->local != p->insn->imm)
		TRY(check_old(p, (u64)(s64)p->insn->imm));
	p->insn->imm = (s32)v;
	return 0;
}

static int patch_imm64(struct patch *p)
{
	struct insn *insn = p->insn;

	if (p->left < 2 || insn[1].code)
		return bad(p, "a 64-bit immediate is cut off");
	if (insn[0].src)
		return bad(p, "the 64-bit immediate is not a plain number");
	TRY(check_old(p, (u64)(u32)insn[1].imm << 32 | (u32)insn[0].imm));
	insn[0].imm = (s32)p->res->value;
	insn[1].imm = (s32)(p->res->value >> 32);
	return 0;
}

/* --- loads and stores --- */

static const u8 size_codes[9] = {
	[1] = SIZE_B, [2] = SIZE_H, [4] = SIZE_W, [8] = SIZE_DW,
};
static const u8 code_sizes[4] = {4, 2, 1, 8};

static bool is_width(u32 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void set_mode(struct insn *insn, u8 mode, u32 size)
{
	insn->code = (u8)((insn->code & CLASS) | mode | size_codes[size]);
}

/*
 * An access of another width. Unsigned integers and pointers simply change theirs. Signed
 * ones do when the load extends the sign, or when it filled the register before; else the
 * shifts that follow would extend the wrong bit, and the instruction is poison.
 */
static int patch_width(struct patch *p)
{
	const struct core_result *res = p->res;
	struct insn *insn = p->insn;
	u8 mode = insn->code & MODE;
	bool load = (insn->code & CLASS) == LDX;
	u32 old = code_sizes[(insn->code & SIZE) >> 3];

	if (old != res->mem_local)
		return bad(p, "accesses %u bytes of a field of %u, which has %u in the host", old,
			   res->mem_local, res->mem_size);
	if (res->mem_exact || !is_width(res->mem_size) || mode == MODE_ATOMIC)
		return poison(insn, 1);
	if (!res->mem_signed)
		set_mode(insn, mode == MODE_MEMSX && res->mem_size == 8 ? MODE_MEM : mode,
			 res->mem_size);
	else if (load && (mode == MODE_MEMSX || old == 8))
		set_mode(insn, res->mem_size == 8 ? MODE_MEM : MODE_MEMSX, res->mem_size);
	else
		return poison(insn, 1);
	return 0;
}

static int patch_mem(struct patch *p)
{
	u8 mode = p->insn->code & MODE, class = p->insn->code & CLASS;

	if (mode != MODE_MEM && !(mode == MODE_MEMSX && class == LDX) &&
	    !(mode == MODE_ATOMIC && class == STX))
		return bad(p, "not a load or store it could apply to (code 0x%02x)",
			   p->insn->code);
	if (p->res->value > INT16_MAX)
		return bad(p, "offset %llu is too large for the instruction",
			   (unsigned long long)p->res->value);
	TRY(check_old(p, (u64)(s64)p->insn->off));
	p->insn->off = (s16)p->res->value;
	if (p->relo->kind != CORE_FIELD_BYTE_OFFSET) /* a size, as an offset */
		return 0;
	return p->res->mem_local == p->res->mem_size ? 0 : patch_width(p);
}

static bool is_imm64(const struct insn *insn)
{
	return insn->code == LD_IMM64;
}

int core_patch(struct log *log, const char *where, struct insn *insns, u32 left,
	       const struct core_relo *relo, const struct core_result *res)
{
	struct patch p = {log, where, insns, left, relo, res};

	if (!left)
		return bad(&p, "no instruction there");
	if (is_imm64(insns) && left < 2)
		return bad(&p, "a 64-bit immediate is cut off");
	if (res->poison)
		return poison(insns, is_imm64(insns) ? 2 : 1);
	if (is_imm64(insns))
		return patch_imm64(&p);
	switch (insns->code & CLASS) {
	case ALU32:
	case ALU64:
		return patch_alu(&p);
	case LDX:
	case ST:
	case STX:
		return patch_mem(&p);
	}
	return bad(&p, "instruction 0x%02x has no place for a value", insns->code);
}
