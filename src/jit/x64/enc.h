/* SPDX-License-Identifier: MIT
 *
 * enc.h: writes x86-64 instructions, always in their shortest form. What there is stands
 * in enc.def; the functions here are by shape of operands.
 *
 * The buffer never overflows: writing stops at its end, and `full` says so.
 */
#ifndef PINTLE_JIT_X64_ENC_H
#define PINTLE_JIT_X64_ENC_H

#include "base/base.h"

enum x64_reg {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, REG8, REG9, REG10, REG11, REG12, REG13,
	REG14, REG15, NO_REG = 0xff,
};

/* Condition codes, as in the low bits of the opcodes. */
enum x64_cc {
	CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L,
	CC_GE, CC_LE, CC_G,
};

enum x64_op {
#define X64(name, ...) X64_##name,
#include "jit/x64/enc.def"
	NR_X64_OPS,
};

/* [base + index * scale + disp]; no base with NO_REG, no index likewise. */
struct x64_mem {
	u8 base, index;
	u8 scale; /* as in SIB: 0-3 */
	s32 disp;
};

struct x64 {
	u8 *start, *at, *end;
	bool full;
};

static inline struct x64_mem x64_at(u8 base, s32 disp)
{
	return (struct x64_mem){base, NO_REG, 0, disp};
}

/* op reg, rm (or op rm, reg: the opcode says which); a row with a digit ignores @reg. */
void x64_rr(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 rm);
void x64_rm(struct x64 *x, enum x64_op op, bool wide, u8 reg, struct x64_mem mem);
/* The same with an immediate behind it, of @n bytes. */
void x64_rri(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 rm, s32 imm, u32 n);
void x64_rmi(struct x64 *x, enum x64_op op, bool wide, u8 reg, struct x64_mem mem, s32 imm,
	     u32 n);
/* VEX: reg, vvvv, rm in the order of the encoding. */
void x64_vex(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 vvvv, u8 rm);
void x64_vex_mem(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 vvvv,
		 struct x64_mem mem);

/* One of ADD, OR, AND, SUB, XOR, CMP (name its _RM row) with a number: the shortest form
 * that does it. */
void x64_alu_imm(struct x64 *x, enum x64_op op, bool wide, u8 reg, s32 imm);
void x64_alu_mem_imm(struct x64 *x, enum x64_op op, bool wide, struct x64_mem mem, s32 imm);
/* test reg, imm */
void x64_test_imm(struct x64 *x, bool wide, u8 reg, s32 imm);
/* reg = imm; flags are lost. */
void x64_mov_imm(struct x64 *x, u8 reg, u64 imm);
void x64_imul_imm(struct x64 *x, bool wide, u8 reg, u8 rm, s32 imm);
/* One of the shifts (name its _I row). */
void x64_shift_imm(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 count);
void x64_setcc(struct x64 *x, enum x64_cc cc, u8 reg);
void x64_cmov(struct x64 *x, enum x64_cc cc, bool wide, u8 reg, u8 rm);

void x64_push(struct x64 *x, u8 reg);
void x64_pop(struct x64 *x, u8 reg);
void x64_bswap(struct x64 *x, bool wide, u8 reg);
void x64_cdq(struct x64 *x, bool wide); /* rdx = sign of rax */
void x64_ret(struct x64 *x);
void x64_leave(struct x64 *x);
void x64_vzeroupper(struct x64 *x);
void x64_endbr(struct x64 *x);
void x64_trap(struct x64 *x); /* int3 */
void x64_nops(struct x64 *x, u32 bytes); /* long ones */

/*
 * Jumps. Backward: to a known address. Forward: returns where the displacement is, which
 * x64_patch() fills in; @near reserves four bytes, else one.
 */
void x64_jmp_to(struct x64 *x, const u8 *target);
void x64_jcc_to(struct x64 *x, enum x64_cc cc, const u8 *target);
u8 *x64_jmp(struct x64 *x, bool near);
u8 *x64_jcc(struct x64 *x, enum x64_cc cc, bool near);
/* False when @target is out of reach. */
bool x64_patch(u8 *disp, bool near, const u8 *target);
void x64_call_rel(struct x64 *x, const u8 *target);
/* Whether rel32 reaches from anywhere in the buffer. */
bool x64_reaches(const struct x64 *x, const void *target);

const char *x64_mnemonic(enum x64_op op);

#endif
