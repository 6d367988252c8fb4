/* SPDX-License-Identifier: MIT
 *
 * reference.h: RFC 9669 arithmetic and comparisons on numbers, written on its own so that
 * the domains are not tested against the code they share (isa_alu, isa_cond). Plain and
 * slow on purpose: one operation at a time, at 64 bits, on zero- or sign-extended operands.
 */
#ifndef PINTLE_REFERENCE_H
#define PINTLE_REFERENCE_H

#include "isa/isa.h"

static inline s64 ref_signed(bool wide, u64 x)
{
	return wide ? (s64)x : (s64)(s32)x;
}

static inline u64 ref_sdiv(s64 x, s64 y)
{
	if (y == 0)
		return 0;
	return y == -1 ? -(u64)x : (u64)(x / y);
}

static inline u64 ref_smod(s64 x, s64 y)
{
	if (y == 0)
		return (u64)x;
	return y == -1 ? 0 : (u64)(x % y);
}

/* The lowest @bytes of @x in the other order. */
static inline u64 ref_reverse(u64 x, int bytes)
{
	u64 r = 0;

	for (int i = 0; i < bytes; i++)
		r |= (x >> (8 * i) & 0xff) << (8 * (bytes - 1 - i));
	return r;
}

static inline u64 ref_alu(enum isa_alu op, bool wide, u64 dst, u64 src)
{
	u64 x = wide ? dst : (u32)dst, y = wide ? src : (u32)src;
	s64 sx = ref_signed(wide, dst), sy = ref_signed(wide, src);
	unsigned shift = (unsigned)y & (wide ? 63 : 31);
	u64 r = 0;

	switch (op) {
	case ALU_ADD: r = x + y; break;
	case ALU_SUB: r = x - y; break;
	case ALU_MUL: r = x * y; break;
	case ALU_DIV: r = y ? x / y : 0; break;
	case ALU_SDIV: r = ref_sdiv(sx, sy); break;
	case ALU_MOD: r = y ? x % y : x; break;
	case ALU_SMOD: r = ref_smod(sx, sy); break;
	case ALU_OR: r = x | y; break;
	case ALU_AND: r = x & y; break;
	case ALU_XOR: r = x ^ y; break;
	case ALU_LSH: r = x << shift; break;
	case ALU_RSH: r = x >> shift; break;
	case ALU_ARSH: r = (u64)(sx >> shift); break;
	case ALU_NEG: r = -x; break;
	case ALU_MOV: r = y; break;
	case ALU_MOVSX8: r = (u64)(s64)(s8)y; break;
	case ALU_MOVSX16: r = (u64)(s64)(s16)y; break;
	case ALU_MOVSX32: r = (u64)(s64)(s32)y; break;
	case ALU_LE16: return (u16)dst;
	case ALU_LE32: return (u32)dst;
	case ALU_LE64: return dst;
	case ALU_BE16: case ALU_BSWAP16: return ref_reverse(dst, 2);
	case ALU_BE32: case ALU_BSWAP32: return ref_reverse(dst, 4);
	case ALU_BE64: case ALU_BSWAP64: return ref_reverse(dst, 8);
	case NR_ALU: break;
	}
	return wide ? r : (u32)r;
}

static inline bool ref_cond(enum isa_cond cond, bool wide, u64 dst, u64 src)
{
	u64 x = wide ? dst : (u32)dst, y = wide ? src : (u32)src;
	s64 sx = ref_signed(wide, dst), sy = ref_signed(wide, src);

	switch (cond) {
	case COND_EQ: return x == y;
	case COND_NE: return x != y;
	case COND_GT: return x > y;
	case COND_GE: return x >= y;
	case COND_LT: return x < y;
	case COND_LE: return x <= y;
	case COND_SGT: return sx > sy;
	case COND_SGE: return sx >= sy;
	case COND_SLT: return sx < sy;
	case COND_SLE: return sx <= sy;
	case COND_SET: return x & y;
	case NR_COND: break;
	}
	return false;
}

#endif
