/* SPDX-License-Identifier: MIT
 *
 * alu.c: what the arithmetic and the conditions of isa.def compute, on plain numbers.
 * Defined for every operand: the table guards division and masks shifts.
 */
#include "isa/isa.h"

#include <endian.h>

static u64 alu64(enum isa_alu op, u64 a, u64 b)
{
	typedef u64 U;
	typedef s64 S;
	enum { BITS = 64 };

	switch (op) {
#define ISA_ALU(name, expr)                                                              \
	case ALU_##name:                                                                 \
		return expr;
#include "isa/isa.def"
	case NR_ALU:
		break;
	}
	return 0;
}

static u32 alu32(enum isa_alu op, u32 a, u32 b)
{
	typedef u32 U;
	typedef s32 S;
	enum { BITS = 32 };

	switch (op) {
#define ISA_ALU(name, expr)                                                              \
	case ALU_##name:                                                                 \
		return (u32)(expr);
#include "isa/isa.def"
	case NR_ALU:
		break;
	}
	return 0;
}

u64 isa_alu(enum isa_alu op, bool wide, u64 dst, u64 src)
{
	/* byte swaps take all of dst, also those of the 32-bit class */
	if (wide || op >= ALU_LE16)
		return alu64(op, dst, src);
	return alu32(op, (u32)dst, (u32)src);
}

static bool cond64(enum isa_cond cond, u64 a, u64 b)
{
	typedef s64 S;

	switch (cond) {
#define ISA_COND(name, expr)                                                             \
	case COND_##name:                                                                \
		return expr;
#include "isa/isa.def"
	case NR_COND:
		break;
	}
	return false;
}

static bool cond32(enum isa_cond cond, u32 a, u32 b)
{
	typedef s32 S;

	switch (cond) {
#define ISA_COND(name, expr)                                                             \
	case COND_##name:                                                                \
		return expr;
#include "isa/isa.def"
	case NR_COND:
		break;
	}
	return false;
}

bool isa_cond(enum isa_cond cond, bool wide, u64 dst, u64 src)
{
	return wide ? cond64(cond, dst, src) : cond32(cond, (u32)dst, (u32)src);
}
