/* SPDX-License-Identifier: MIT
 *
 * decode.c: which instruction eight bytes are, and which registers it touches.
 *
 * Decides, for every pattern of bits, between one op and a refusal with words. What has
 * an op has no stray field: every field that the row does not name as operand or selector
 * is zero, every register exists, a 64-bit immediate has its second half. That r10 may
 * not be written, that jumps land somewhere, that calls exist is the verifier's business.
 */
#include "isa/table.h"

enum { CODE_LD_IMM64 = 0x18, FIRST_NO_REG = NR_REGS, NR_NO_REGS = 16 - NR_REGS };

static const struct {
	const char *reserved, *unknown;
} families[] = {
#define ISA_FAMILY(name, reserved, unknown) [FAMILY_##name] = {reserved, unknown},
#include "isa/isa.def"
};

/* The family of each opcode byte, plus one: 0 for bytes that are no opcode. */
static const u8 family_of[256] = {
#define ISA_OP(name, code, kind, sub, size, wide, sign, src_reg, family, ...)            \
	[code] = family + 1,
#include "isa/isa.def"
};

static const char *const no_reg[NR_NO_REGS] = {
	"R11 is invalid", "R12 is invalid", "R13 is invalid",
	"R14 is invalid", "R15 is invalid",
};

static enum isa_op refuse(const char **why, const char *words)
{
	if (why)
		*why = words;
	return OP_BAD;
}

/* A byte or half-word atomic that exists for words: the size is what is wrong. */
static bool is_narrow_rmw(const struct insn *insn)
{
	struct insn word = *insn;

	if (insn->code != isa_rows[OP_STORE_REL16].info.code &&
	    insn->code != isa_rows[OP_STORE_REL8].info.code)
		return false;
	word.code = isa_rows[OP_STORE_REL32].info.code;
	return isa_find(&word) != OP_BAD;
}

static const char *why_unknown(const struct insn *insn)
{
	u8 family = family_of[insn->code];

	if (!family)
		return "unknown opcode";
	if (is_narrow_rmw(insn))
		return "invalid atomic operand size";
	return families[family - 1].unknown;
}

static bool fields_clean(const struct isa_row *row, const struct insn *insn)
{
	if (insn->dst && !(row->operands & HAS_DST))
		return false;
	if (insn->src && !(row->operands & HAS_SRC) && row->select != SEL_SRC)
		return false;
	if (insn->off && !(row->operands & HAS_OFF) && row->select != SEL_OFF)
		return false;
	return !insn->imm || (row->operands & HAS_IMM) || row->select == SEL_IMM;
}

static bool is_second_half(const struct insn *insn)
{
	return !insn->code && !insn->dst && !insn->src && !insn->off;
}

enum isa_op isa_decode(const struct insn *insns, u32 left, const char **why)
{
	const struct isa_row *row;
	enum isa_op op;

	if (!left)
		return refuse(why, "no instruction left");
	if (insns->code == CODE_LD_IMM64 && (left < 2 || !is_second_half(&insns[1])))
		return refuse(why, "invalid bpf_ld_imm64 insn");
	op = isa_find(insns);
	if (op == OP_BAD)
		return refuse(why, why_unknown(insns));
	row = &isa_rows[op];
	if (!fields_clean(row, insns))
		return refuse(why, families[row->family].reserved);
	if (row->info.kind == KIND_LD_IMM64 && !(row->operands & HAS_IMM2) &&
	    insns[1].imm)
		return refuse(why, families[row->family].unknown);
	if (insns->src >= FIRST_NO_REG)
		return refuse(why, no_reg[insns->src - FIRST_NO_REG]);
	if (insns->dst >= FIRST_NO_REG)
		return refuse(why, no_reg[insns->dst - FIRST_NO_REG]);
	return op;
}

u32 isa_slots(enum isa_op op)
{
	return isa_info(op)->code == CODE_LD_IMM64 ? 2 : 1;
}

enum { MASK_ARGS = BIT(R1) | BIT(R2) | BIT(R3) | BIT(R4) | BIT(R5) };

static u16 operands_of(enum isa_op op)
{
	return (unsigned)op < NR_OPS ? isa_rows[op].operands : 0;
}

u16 isa_reads(const struct insn *insn, enum isa_op op)
{
	u16 operands = operands_of(op), mask = 0;

	if (operands & IN_DST)
		mask |= BIT(insn->dst);
	if (operands & IN_SRC)
		mask |= BIT(insn->src);
	if (operands & IN_R0)
		mask |= BIT(R0);
	if (operands & IN_ARGS)
		mask |= MASK_ARGS;
	if (operands & IN_R6)
		mask |= BIT(R6);
	return mask;
}

u16 isa_writes(const struct insn *insn, enum isa_op op)
{
	u16 operands = operands_of(op), mask = 0;

	if (operands & OUT_DST)
		mask |= BIT(insn->dst);
	if (operands & OUT_SRC)
		mask |= BIT(insn->src);
	if (operands & OUT_R0)
		mask |= BIT(R0);
	if (operands & OUT_ARGS)
		mask |= MASK_ARGS;
	return mask;
}
