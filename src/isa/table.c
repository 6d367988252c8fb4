/* SPDX-License-Identifier: MIT
 *
 * table.c: isa.def as an array, and the way from an opcode byte into it.
 */
#include "isa/table.h"

_Static_assert(NR_OPS <= 256, "last_of[] holds ops in a byte");
_Static_assert(sizeof(struct insn) == 8, "as in an object file");

const struct isa_row isa_rows[NR_OPS] = {
	[OP_BAD] = {.info = {.name = "BAD"}, .text = "invalid"},
#define ISA_OP(name_, code_, kind_, sub_, size_, wide_, sign_, src_reg_, family_,        \
	       operands_, select_, value_, text_)                                        \
	[OP_##name_] = {                                                                 \
		.info = {.name = #name_,                                                 \
			 .kind = kind_,                                                  \
			 .sub = sub_,                                                    \
			 .size = size_,                                                  \
			 .wide = wide_,                                                  \
			 .sign = sign_,                                                  \
			 .src_reg = src_reg_,                                            \
			 .code = code_},                                                 \
		.family = family_,                                                       \
		.operands = operands_,                                                   \
		.select = select_,                                                       \
		.value = value_,                                                         \
		.text = text_,                                                           \
	},
#include "isa/isa.def"
};

/* The last row of each opcode byte (the last initializer wins); OP_BAD where unknown. */
static const u8 last_of[256] = {
#define ISA_OP(name, code, ...) [code] = OP_##name,
#include "isa/isa.def"
};

const struct isa_info *isa_info(enum isa_op op)
{
	return &isa_rows[(unsigned)op < NR_OPS ? op : OP_BAD].info;
}

static bool selected(const struct isa_row *row, const struct insn *insn)
{
	switch ((enum isa_select)row->select) {
	case SEL_NONE:
		return true;
	case SEL_SRC:
		return insn->src == row->value;
	case SEL_OFF:
		return insn->off == row->value;
	case SEL_IMM:
		return insn->imm == row->value;
	}
	return false;
}

enum isa_op isa_find(const struct insn *insn)
{
	u32 op = last_of[insn->code];

	while (op != OP_BAD && isa_rows[op].info.code == insn->code) {
		if (selected(&isa_rows[op], insn))
			return op;
		op--;
	}
	return OP_BAD;
}
