/* SPDX-License-Identifier: MIT
 *
 * table.h: the rows of isa.def as data, for the files of this folder. Everybody else has
 * isa_info() and the functions of isa.h, or includes isa.def.
 */
#ifndef PINTLE_ISA_TABLE_H
#define PINTLE_ISA_TABLE_H

#include "isa/isa.h"

enum { /* struct isa_row.operands */
	IN_DST = 0x1,
	OUT_DST = 0x2,
	IN_SRC = 0x4,
	OUT_SRC = 0x8,
	IN_R0 = 0x10,
	OUT_R0 = 0x20,
	IN_ARGS = 0x40, /* r1-r5 */
	OUT_ARGS = 0x80,
	IN_R6 = 0x100,
	HAS_OFF = 0x200,
	HAS_IMM = 0x400,
	HAS_IMM2 = 0x800, /* imm of the second slot */

	HAS_DST = IN_DST | OUT_DST,
	HAS_SRC = IN_SRC | OUT_SRC,
};

enum isa_select { SEL_NONE, SEL_SRC, SEL_OFF, SEL_IMM };

enum isa_family {
#define ISA_FAMILY(name, ...) FAMILY_##name,
#include "isa/isa.def"
};

struct isa_row {
	struct isa_info info;
	enum isa_family family;
	u16 operands;
	u8 select; /* enum isa_select */
	s16 value; /* what the selected field holds */
	const char *text;
};

extern const struct isa_row isa_rows[NR_OPS];

/*
 * The row whose code and selector are those of @insn, whatever its other fields hold;
 * OP_BAD when there is none.
 */
enum isa_op isa_find(const struct insn *insn);

#endif
