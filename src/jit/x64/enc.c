/* SPDX-License-Identifier: MIT
 *
 * enc.c: the encoder. Prefixes, REX, opcode, ModRM, SIB, displacement and immediate from
 * the rows of enc.def; the shortest encoding each time. Knows nothing of BPF.
 */
#include "jit/x64/enc.h"

enum { P_NONE, P_66, P_F3, P_F2 }; /* in the order of VEX.pp */
enum { M_1, M_0F, M_0F38, M_0F3A }; /* in the order of VEX.mmmmm */
enum { BYTE_REG = 1, BYTE_RM = 2, LOCK = 4, VEX = 8, W64 = 16, OP16 = 32, L256 = 64 };
enum { LONGEST = 16 };

struct row {
	u8 prefix, map, opcode;
	s8 digit;
	u8 flags;
};

static const struct row rows[NR_X64_OPS] = {
#define X64(name, mnemonic, ...) [X64_##name] = {__VA_ARGS__},
#include "jit/x64/enc.def"
};

static const char *const mnemonics[NR_X64_OPS] = {
#define X64(name, mnemonic, ...) [X64_##name] = mnemonic,
#include "jit/x64/enc.def"
};

const char *x64_mnemonic(enum x64_op op)
{
	return mnemonics[op];
}

/* Where the next instruction goes; when there is no room, over the start of the buffer. */
static u8 *begin(struct x64 *x)
{
	if (unlikely(x->end - x->at < LONGEST)) {
		x->full = true;
		x->at = x->start;
	}
	return x->at;
}

static u8 *put32(u8 *p, u32 v)
{
	memcpy(p, &v, 4);
	return p + 4;
}

static u8 *put_imm(u8 *p, s32 imm, u32 n)
{
	memcpy(p, &imm, 4);
	return p + n;
}

static bool is_s8(s64 v)
{
	return v == (s8)v;
}

/* --- prefixes and opcode --- */

static u8 *legacy(u8 *p, const struct row *r)
{
	if (r->flags & LOCK)
		*p++ = 0xf0;
	if (r->prefix == P_F3)
		*p++ = 0xf3;
	if (r->flags & OP16)
		*p++ = 0x66;
	return p;
}

static u8 *opcode(u8 *p, const struct row *r)
{
	if (r->map != M_1)
		*p++ = 0x0f;
	if (r->map == M_0F38)
		*p++ = 0x38;
	*p++ = r->opcode;
	return p;
}

static bool byte_needs_rex(u8 reg)
{
	return reg >= RSP && reg <= RDI;
}

static u8 *rex(u8 *p, bool wide, u8 reg, u8 index, u8 base, bool force)
{
	u8 bits = (u8)(wide << 3 | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1));

	if (bits || force)
		*p++ = 0x40 | bits;
	return p;
}

static u8 *modrm_reg(u8 *p, u8 reg, u8 rm)
{
	*p++ = (u8)(0xc0 | (reg & 7) << 3 | (rm & 7));
	return p;
}

static u8 *modrm_mem(u8 *p, u8 reg, struct x64_mem m)
{
	bool sib = m.index != NO_REG || m.base == NO_REG || (m.base & 7) == RSP;
	u8 mod = 2, low = (u8)((reg & 7) << 3);

	if (m.base == NO_REG || (!m.disp && (m.base & 7) != RBP))
		mod = 0;
	else if (is_s8(m.disp))
		mod = 1;
	*p++ = (u8)(mod << 6 | low | (sib ? RSP : (m.base & 7)));
	if (sib)
		*p++ = (u8)(m.scale << 6 | (m.index == NO_REG ? RSP : (m.index & 7)) << 3 |
			    (m.base == NO_REG ? RBP : (m.base & 7)));
	if (mod == 1)
		*p++ = (u8)m.disp;
	else if (mod == 2 || m.base == NO_REG)
		p = put32(p, (u32)m.disp);
	return p;
}

static u8 high_bit(u8 reg)
{
	return reg == NO_REG ? 0 : reg;
}

static u8 *op_rr(u8 *p, const struct row *r, bool wide, u8 reg, u8 rm)
{
	bool force = (r->flags & BYTE_REG && byte_needs_rex(reg)) ||
		     (r->flags & BYTE_RM && byte_needs_rex(rm));

	if (r->digit >= 0)
		reg = (u8)r->digit;
	p = rex(legacy(p, r), wide && !(r->flags & W64), reg, 0, rm, force);
	return modrm_reg(opcode(p, r), reg, rm);
}

static u8 *op_rm(u8 *p, const struct row *r, bool wide, u8 reg, struct x64_mem m)
{
	bool force = r->flags & BYTE_REG && byte_needs_rex(reg);

	if (r->digit >= 0)
		reg = (u8)r->digit;
	p = rex(legacy(p, r), wide && !(r->flags & W64), reg, high_bit(m.index),
		high_bit(m.base), force);
	return modrm_mem(opcode(p, r), reg, m);
}

void x64_rr(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 rm)
{
	x->at = op_rr(begin(x), &rows[op], wide, reg, rm);
}

void x64_rm(struct x64 *x, enum x64_op op, bool wide, u8 reg, struct x64_mem mem)
{
	x->at = op_rm(begin(x), &rows[op], wide, reg, mem);
}

void x64_rri(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 rm, s32 imm, u32 n)
{
	x->at = put_imm(op_rr(begin(x), &rows[op], wide, reg, rm), imm, n);
}

void x64_rmi(struct x64 *x, enum x64_op op, bool wide, u8 reg, struct x64_mem mem, s32 imm,
	     u32 n)
{
	x->at = put_imm(op_rm(begin(x), &rows[op], wide, reg, mem), imm, n);
}

/* --- VEX --- */

static u8 *vex_prefix(u8 *p, const struct row *r, bool wide, u8 reg, u8 vvvv, u8 index,
		      u8 base)
{
	*p++ = 0xc4;
	*p++ = (u8)((~reg >> 3 & 1) << 7 | (~index >> 3 & 1) << 6 | (~base >> 3 & 1) << 5 |
		    r->map);
	*p++ = (u8)(wide << 7 | (~vvvv & 15) << 3 | !!(r->flags & L256) << 2 | r->prefix);
	*p++ = r->opcode;
	return p;
}

void x64_vex(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 vvvv, u8 rm)
{
	u8 *p = vex_prefix(begin(x), &rows[op], wide, reg, vvvv, 0, rm);

	x->at = modrm_reg(p, reg, rm);
}

void x64_vex_mem(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 vvvv,
		 struct x64_mem m)
{
	u8 *p = vex_prefix(begin(x), &rows[op], wide, reg, vvvv, high_bit(m.index),
			   high_bit(m.base));

	x->at = modrm_mem(p, reg, m);
}

/* --- numbers --- */

/* The rows of a group stand together: _RM, _MR, _I, _I8, _LOCK. */
enum { TO_I = X64_ADD_I - X64_ADD_RM, TO_I8 = X64_ADD_I8 - X64_ADD_RM };

void x64_alu_imm(struct x64 *x, enum x64_op op, bool wide, u8 reg, s32 imm)
{
	u8 *p;

	if (op == X64_CMP_RM && !imm) {
		x64_rr(x, X64_TEST_MR, wide, reg, reg);
	} else if (is_s8(imm)) {
		x64_rri(x, op + TO_I8, wide, 0, reg, imm, 1);
	} else if (imm == 128 && (op == X64_ADD_RM || op == X64_SUB_RM)) {
		op = op == X64_ADD_RM ? X64_SUB_RM : X64_ADD_RM;
		x64_rri(x, op + TO_I8, wide, 0, reg, -128, 1);
	} else if (reg == RAX) {
		p = rex(begin(x), wide, 0, 0, 0, false);
		*p++ = (u8)(rows[op].opcode + 2);
		x->at = put_imm(p, imm, 4);
	} else {
		x64_rri(x, op + TO_I, wide, 0, reg, imm, 4);
	}
}

void x64_alu_mem_imm(struct x64 *x, enum x64_op op, bool wide, struct x64_mem mem, s32 imm)
{
	if (is_s8(imm))
		x64_rmi(x, op + TO_I8, wide, 0, mem, imm, 1);
	else
		x64_rmi(x, op + TO_I, wide, 0, mem, imm, 4);
}

void x64_test_imm(struct x64 *x, bool wide, u8 reg, s32 imm)
{
	u8 *p;

	if (imm >= 0 && imm < 0x80 && reg == RAX) {
		p = begin(x);
		*p++ = 0xa8;
		*p++ = (u8)imm;
		x->at = p;
		return;
	}
	/* The sign is compared by nobody, so that a byte may do for 7 bits. */
	if (imm >= 0 && imm < 0x80) {
		x64_rri(x, X64_TEST_BYTE_I, false, 0, reg, imm, 1);
		return;
	}
	wide = wide && imm < 0;
	if (reg != RAX) {
		x64_rri(x, X64_TEST_I, wide, 0, reg, imm, 4);
		return;
	}
	p = rex(begin(x), wide, 0, 0, 0, false);
	*p++ = 0xa9;
	x->at = put_imm(p, imm, 4);
}

void x64_mov_imm(struct x64 *x, u8 reg, u64 imm)
{
	u8 *p;

	if (!imm) {
		x64_rr(x, X64_XOR_RM, false, reg, reg);
	} else if (imm == (u32)imm) {
		p = rex(begin(x), false, 0, 0, reg, false);
		*p++ = (u8)(0xb8 | (reg & 7));
		x->at = put32(p, (u32)imm);
	} else if (imm == (u64)(s32)imm) {
		x64_rri(x, X64_MOV_MI, true, 0, reg, (s32)imm, 4);
	} else {
		p = rex(begin(x), true, 0, 0, reg, false);
		*p++ = (u8)(0xb8 | (reg & 7));
		memcpy(p, &imm, 8);
		x->at = p + 8;
	}
}

void x64_imul_imm(struct x64 *x, bool wide, u8 reg, u8 rm, s32 imm)
{
	if (is_s8(imm))
		x64_rri(x, X64_IMUL_I8, wide, reg, rm, imm, 1);
	else
		x64_rri(x, X64_IMUL_I, wide, reg, rm, imm, 4);
}

void x64_shift_imm(struct x64 *x, enum x64_op op, bool wide, u8 reg, u8 count)
{
	if (count == 1)
		x64_rr(x, op - 1, wide, 0, reg);
	else
		x64_rri(x, op, wide, 0, reg, count, 1);
}

/* --- conditions --- */

static void with_cc(struct x64 *x, const struct row *row, enum x64_cc cc, bool wide, u8 reg,
		    u8 rm)
{
	struct row r = *row;

	r.opcode = (u8)(r.opcode | cc);
	x->at = op_rr(begin(x), &r, wide, reg, rm);
}

void x64_setcc(struct x64 *x, enum x64_cc cc, u8 reg)
{
	with_cc(x, &rows[X64_SETCC], cc, false, 0, reg);
}

void x64_cmov(struct x64 *x, enum x64_cc cc, bool wide, u8 reg, u8 rm)
{
	with_cc(x, &rows[X64_CMOVCC], cc, wide, reg, rm);
}

/* --- those without ModRM --- */

static void op_o(struct x64 *x, u8 base, bool wide, u8 reg)
{
	u8 *p = rex(begin(x), wide, 0, 0, reg, false);

	*p++ = (u8)(base | (reg & 7));
	x->at = p;
}

void x64_push(struct x64 *x, u8 reg)
{
	op_o(x, 0x50, false, reg);
}

void x64_pop(struct x64 *x, u8 reg)
{
	op_o(x, 0x58, false, reg);
}

void x64_bswap(struct x64 *x, bool wide, u8 reg)
{
	u8 *p = rex(begin(x), wide, 0, 0, reg, false);

	*p++ = 0x0f;
	*p++ = (u8)(0xc8 | (reg & 7));
	x->at = p;
}

static void op_byte(struct x64 *x, bool wide, u8 byte)
{
	u8 *p = rex(begin(x), wide, 0, 0, 0, false);

	*p++ = byte;
	x->at = p;
}

void x64_cdq(struct x64 *x, bool wide)
{
	op_byte(x, wide, 0x99);
}

void x64_ret(struct x64 *x)
{
	op_byte(x, false, 0xc3);
}

void x64_leave(struct x64 *x)
{
	op_byte(x, false, 0xc9);
}

void x64_trap(struct x64 *x)
{
	op_byte(x, false, 0xcc);
}

void x64_vzeroupper(struct x64 *x)
{
	u8 *p = begin(x);

	memcpy(p, "\xc5\xf8\x77", 3);
	x->at = p + 3;
}

void x64_endbr(struct x64 *x)
{
	x->at = put32(begin(x), 0xfa1e0ff3);
}

void x64_nops(struct x64 *x, u32 bytes)
{
	static const u8 nops[10][9] = {
		{0},
		{0x90},
		{0x66, 0x90},
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0x00},
		{0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
		{0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
		{0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	};

	while (bytes) {
		u32 n = min_u32(bytes, 9);

		memcpy(begin(x), nops[n], 9);
		x->at += n;
		bytes -= n;
	}
}

/* --- jumps --- */

static s64 from(const u8 *next, const u8 *target)
{
	return target - next;
}

void x64_jmp_to(struct x64 *x, const u8 *target)
{
	u8 *p = begin(x);

	if (is_s8(from(p + 2, target))) {
		*p++ = 0xeb;
		*p = (u8)from(p + 1, target);
		x->at = p + 1;
	} else {
		*p++ = 0xe9;
		x->at = put32(p, (u32)from(p + 4, target));
	}
}

void x64_jcc_to(struct x64 *x, enum x64_cc cc, const u8 *target)
{
	u8 *p = begin(x);

	if (is_s8(from(p + 2, target))) {
		*p++ = (u8)(0x70 | cc);
		*p = (u8)from(p + 1, target);
		x->at = p + 1;
	} else {
		*p++ = 0x0f;
		*p++ = (u8)(0x80 | cc);
		x->at = put32(p, (u32)from(p + 4, target));
	}
}

u8 *x64_jmp(struct x64 *x, bool near)
{
	u8 *p = begin(x);

	*p++ = near ? 0xe9 : 0xeb;
	x->at = p + (near ? 4 : 1);
	return p;
}

u8 *x64_jcc(struct x64 *x, enum x64_cc cc, bool near)
{
	u8 *p = begin(x);

	if (near)
		*p++ = 0x0f;
	*p++ = (u8)((near ? 0x80 : 0x70) | cc);
	x->at = p + (near ? 4 : 1);
	return p;
}

bool x64_patch(u8 *disp, bool near, const u8 *target)
{
	s64 d = from(disp + (near ? 4 : 1), target);

	if (near) {
		put32(disp, (u32)d);
		return d == (s32)d;
	}
	*disp = (u8)d;
	return is_s8(d);
}

void x64_call_rel(struct x64 *x, const u8 *target)
{
	u8 *p = begin(x);

	*p++ = 0xe8;
	x->at = put32(p, (u32)from(p + 4, target));
}

bool x64_reaches(const struct x64 *x, const void *target)
{
	s64 a = (s64)(uintptr_t)target - (s64)(uintptr_t)x->start;
	s64 b = (s64)(uintptr_t)target - (s64)(uintptr_t)x->end;

	return a == (s32)a && b == (s32)b;
}
