/* SPDX-License-Identifier: MIT
 *
 * fuse.c: several instructions of the program that are one or two of the machine's:
 * rotates, three-operand arithmetic, indexed loads, conditional moves, jumps over jumps.
 *
 * Each function looks at the instructions from g->at on, none of which but the first is a
 * jump target, and returns how many it has written, or 0 when they are not its business.
 * It sets g->next before it writes. Registers that the originals would have written must
 * hold what they would have held, unless they are dead: liveness says so.
 */
#include "jit/x64/gen.h"

typedef const struct code_insn *insn_ptr;

/* The @k-th instruction from here, when nothing jumps to it; NULL: there is none. */
static insn_ptr ahead(const struct gen *g, u32 k)
{
	u32 at = g->at + k;

	if (at >= g->sub->end || (k && plan_is_target(g->plan, at)))
		return NULL;
	return &g->code->insns[at];
}

static bool dead_after(const struct gen *g, u32 n, u32 reg)
{
	return !(plan_live(g->plan, g->at + n - 1) & BIT(reg));
}

static u32 begin(struct gen *g, u32 n)
{
	g->next = g->at + n;
	return n;
}

static bool is_move(insn_ptr i)
{
	return i && (i->op == OP_MOV64_REG || i->op == OP_MOV32_REG);
}

/* --- rotates --- */

/*
 *	a = x; a >>= m; [b = x;] b <<= k; b |= a	where k + m is the width, and the
 * same with the shifts in the other order, or into a. Without the second move b is x.
 */
struct rotate {
	u32 x, a, b, left; /* registers of the program; distance */
	bool wide;
	u32 n;
};

static bool shift_of(insn_ptr i, u32 reg, bool wide, bool *left, u32 *count)
{
	if (!i || i->dst != reg)
		return false;
	if (i->op != (wide ? OP_LSH64_IMM : OP_LSH32_IMM) &&
	    i->op != (wide ? OP_RSH64_IMM : OP_RSH32_IMM))
		return false;
	*left = i->op == OP_LSH64_IMM || i->op == OP_LSH32_IMM;
	*count = (u32)i->imm & (wide ? 63 : 31);
	return true;
}

/* Moves of the low half will do for a rotate of the low half. */
static bool moves(insn_ptr i, bool wide)
{
	return is_move(i) && (!wide || i->op == OP_MOV64_REG);
}

static bool match_rotate(const struct gen *g, struct rotate *r)
{
	insn_ptr i = ahead(g, 0), s1 = ahead(g, 1), s2;
	bool left1, left2;
	u32 k1, k2;

	r->a = i->dst;
	r->x = r->b = i->src;
	r->wide = s1 && (s1->op == OP_RSH64_IMM || s1->op == OP_LSH64_IMM);
	if (r->a == r->x || !moves(i, r->wide) || !shift_of(s1, r->a, r->wide, &left1, &k1))
		return false;
	r->n = 2;
	s2 = ahead(g, 2);
	if (moves(s2, r->wide) && s2->src == r->x && s2->dst != r->a) {
		r->b = s2->dst;
		s2 = ahead(g, ++r->n);
	}
	if (!shift_of(s2, r->b, r->wide, &left2, &k2) || left1 == left2 || !k1 ||
	    k1 + k2 != (r->wide ? 64 : 32))
		return false;
	r->n++;
	r->left = left1 ? k1 : k2;
	return true;
}

static u32 fuse_rotate(struct gen *g)
{
	struct rotate r;
	insn_ptr or;
	u32 to, other;
	u8 dst, src;

	if (!match_rotate(g, &r))
		return 0;
	or = ahead(g, r.n++);
	if (!or || (or->op != OP_OR32_REG && or->op != OP_OR64_REG) ||
	    (r.wide && or->op != OP_OR64_REG))
		return 0;
	to = or->dst == r.a ? r.a : r.b;
	other = to == r.a ? r.b : r.a;
	if (or->dst != to || or->src != other || !dead_after(g, r.n, other))
		return 0;
	begin(g, r.n);
	dst = gen_reg(to), src = gen_reg(r.x);
	if (g->bmi2 && dst != src) {
		x64_vex(&g->x, X64_RORX, r.wide, dst, 0, src);
		*g->x.at++ = (u8)((r.wide ? 64 : 32) - r.left);
		return r.n;
	}
	gen_mov_reg(g, r.wide, dst, src);
	x64_shift_imm(&g->x, X64_ROL_I, r.wide, dst, (u8)r.left);
	return r.n;
}

/* --- a move, and arithmetic on the copy --- */

static void lea(struct gen *g, bool wide, u8 dst, u8 base, u8 index, u8 scale, s32 disp)
{
	x64_rm(&g->x, X64_LEA, wide, dst, (struct x64_mem){base, index, scale, disp});
}

/* d = s << k, and perhaps d += t */
static u32 move_shift(struct gen *g, insn_ptr op, bool wide, u8 dst, u8 src)
{
	insn_ptr add = ahead(g, 2);
	u8 k = (u8)op->imm & (wide ? 63 : 31);

	if (!k || k > 3)
		return 0;
	if (add && add->op == (wide ? OP_ADD64_REG : OP_ADD32_REG) && add->dst == op->dst &&
	    add->src != op->dst) {
		begin(g, 3);
		lea(g, wide, dst, gen_reg(add->src), src, k, 0);
		return 3;
	}
	begin(g, 2);
	if (k == 1)
		lea(g, wide, dst, src, src, 0, 0);
	else
		lea(g, wide, dst, NO_REG, src, k, 0);
	return 2;
}

static u32 move_and(struct gen *g, insn_ptr op, u8 dst, u8 src)
{
	if (op->imm != 0xff && op->imm != 0xffff)
		return 0;
	begin(g, 2);
	x64_rr(&g->x, op->imm == 0xff ? X64_MOVZX8 : X64_MOVZX16, false, dst, src);
	return 2;
}

static u32 move_shift_reg(struct gen *g, insn_ptr op, bool wide, enum x64_op shift, u8 dst,
			  u8 src)
{
	if (!g->bmi2 || op->src == op->dst)
		return 0;
	begin(g, 2);
	x64_vex(&g->x, shift, wide, dst, gen_reg(op->src), src);
	return 2;
}

static bool is_power(u64 v)
{
	return v && !(v & (v - 1));
}

static u32 move_mul(struct gen *g, insn_ptr op, bool wide, u8 dst, u8 src)
{
	u64 by = wide ? (u64)op->imm : (u32)op->imm;

	if (is_power(by) || by < 10 || op->imm != (s32)op->imm)
		return 0;
	begin(g, 2);
	x64_imul_imm(&g->x, wide, dst, src, (s32)op->imm);
	return 2;
}

static u32 move_op(struct gen *g, insn_ptr op, u8 dst, u8 src)
{
	switch (op->op) {
	case OP_ADD64_IMM:
	case OP_ADD32_IMM:
		if (op->imm != (s32)op->imm)
			return 0;
		begin(g, 2);
		lea(g, op->op == OP_ADD64_IMM, dst, src, NO_REG, 0, (s32)op->imm);
		return 2;
	case OP_ADD64_REG:
	case OP_ADD32_REG:
		begin(g, 2);
		lea(g, op->op == OP_ADD64_REG, dst, src,
		    op->src == op->dst ? src : gen_reg(op->src), 0, 0);
		return 2;
	case OP_LSH64_IMM:
	case OP_LSH32_IMM:
		return move_shift(g, op, op->op == OP_LSH64_IMM, dst, src);
	case OP_AND64_IMM:
	case OP_AND32_IMM:
		return move_and(g, op, dst, src);
	case OP_LSH64_REG:
	case OP_LSH32_REG:
		return move_shift_reg(g, op, op->op == OP_LSH64_REG, X64_SHLX, dst, src);
	case OP_RSH64_REG:
	case OP_RSH32_REG:
		return move_shift_reg(g, op, op->op == OP_RSH64_REG, X64_SHRX, dst, src);
	case OP_ARSH64_REG:
	case OP_ARSH32_REG:
		return move_shift_reg(g, op, op->op == OP_ARSH64_REG, X64_SARX, dst, src);
	case OP_MUL64_IMM:
	case OP_MUL32_IMM:
		return move_mul(g, op, op->op == OP_MUL64_IMM, dst, src);
	default:
		return 0;
	}
}

static u32 fuse_move(struct gen *g)
{
	insn_ptr i = ahead(g, 0), op = ahead(g, 1);

	if (!op || op->op >= NR_OPS || op->dst != i->dst || i->dst == i->src)
		return 0;
	/* After a move of the low half only what looks at the low half. */
	if (i->op == OP_MOV32_REG && isa_info((enum isa_op)op->op)->wide &&
	    op->op != OP_AND64_IMM)
		return 0;
	return move_op(g, op, gen_reg(i->dst), gen_reg(i->src));
}

/* --- d += s; load of [d + off] --- */

static u32 fuse_index(struct gen *g)
{
	insn_ptr add = ahead(g, 0), use = ahead(g, 1);
	const struct isa_info *info;
	struct x64_mem mem;

	if (!use || use->op >= NR_OPS || add->dst == add->src)
		return 0;
	info = isa_info((enum isa_op)use->op);
	mem = (struct x64_mem){gen_reg(add->dst), gen_reg(add->src), 0, use->off};
	if (info->kind == KIND_LDX && use->src == add->dst &&
	    (use->dst == add->dst || dead_after(g, 2, add->dst))) {
		begin(g, 2);
		gen_load_from(g, gen_reg(use->dst), mem, info->size, info->sign);
		return 2;
	}
	if ((info->kind == KIND_STX || info->kind == KIND_ST) && use->dst == add->dst &&
	    (info->kind == KIND_ST || use->src != add->dst) && dead_after(g, 2, add->dst)) {
		begin(g, 2);
		gen_store_to(g, use, mem, info->size, info->kind == KIND_ST);
		return 2;
	}
	return 0;
}

/* --- d *= 2, 4 or 8; [t = number;] d += s --- */

static u32 scale_of(insn_ptr i)
{
	u64 by = i->op == OP_LSH64_IMM ? 1ull << (i->imm & 63) : (u64)i->imm;

	return by == 2 || by == 4 || by == 8 ? (u32)__builtin_ctzll(by) : 0;
}

static u32 fuse_scale(struct gen *g)
{
	insn_ptr mul = ahead(g, 0), load = ahead(g, 1), add;
	u32 k = scale_of(mul), n = 2;
	u8 dst = gen_reg(mul->dst), src;

	if (!k || !load)
		return 0;
	n += load->op == OP_LD_IMM64 && load->dst != mul->dst;
	add = ahead(g, n - 1);
	if (!add || add->op != OP_ADD64_REG || add->dst != mul->dst || add->src == mul->dst ||
	    (n == 3 && add->src != load->dst))
		return 0;
	begin(g, n);
	src = gen_reg(add->src);
	if (n == 3)
		x64_mov_imm(&g->x, src, (u64)load->imm);
	lea(g, true, dst, src, dst, (u8)k, 0);
	return n;
}

/* --- x = 0 or 1 by a condition --- */

static bool is_jump(insn_ptr i)
{
	return i && i->op < NR_OPS && isa_info((enum isa_op)i->op)->kind == KIND_JMP;
}

static bool is_move_imm(insn_ptr i)
{
	return i && (i->op == OP_MOV64_IMM || i->op == OP_MOV32_IMM);
}

static bool compares(insn_ptr jump, u32 reg)
{
	return jump->dst == reg ||
	       (isa_info((enum isa_op)jump->op)->src_reg && jump->src == reg);
}

static u64 move_value(insn_ptr i)
{
	return i->op == OP_MOV64_IMM ? (u64)i->imm : (u32)i->imm;
}

/* x = i1; if (cond) goto +1; x = i2 */
static u32 fuse_setcc(struct gen *g)
{
	insn_ptr one = ahead(g, 0), jump = ahead(g, 1), other = ahead(g, 2);
	u64 taken = move_value(one), fallen;
	enum x64_cc cc;
	u8 dst = gen_reg(one->dst);

	if (!is_jump(jump) || jump->off != 1 || !is_move_imm(other) || other->dst != one->dst ||
	    compares(jump, one->dst))
		return 0;
	fallen = move_value(other);
	begin(g, 3);
	if (taken + fallen == 1 && taken < 2) {
		x64_mov_imm(&g->x, dst, 0);
		cc = gen_compare(g, jump);
		x64_setcc(&g->x, taken ? cc : cc ^ 1, dst);
		return 3;
	}
	x64_mov_imm(&g->x, dst, taken);
	x64_mov_imm(&g->x, T0, fallen);
	cc = gen_compare(g, jump);
	x64_cmov(&g->x, cc ^ 1, true, dst, T0);
	return 3;
}

/* --- jumps --- */

/*
 * Whether the new value of a choice, or what it is compared with, was computed from the old
 * value just before: a search that narrows down. A conditional move would make each step
 * wait for the one before; the processor runs ahead of a jump it has foreseen.
 */
static bool chooses_from_itself(const struct gen *g, insn_ptr jump, insn_ptr move)
{
	enum { FAR = 8 };
	u16 from = (u16)(plan_reads(jump) | BIT(move->src)) & (u16)~BIT(move->dst);

	for (u32 at = g->at; at > g->sub->start && at + FAR > g->at; at--) {
		insn_ptr i = &g->code->insns[at - 1];

		if (plan_is_target(g->plan, at) || i->op >= NR_OPS ||
		    isa_info((enum isa_op)i->op)->kind != KIND_ALU)
			return false;
		if (!(from & BIT(i->dst)))
			continue;
		from = (u16)((from & ~plan_writes(i)) | plan_reads(i));
		if (from & BIT(move->dst))
			return true;
	}
	return false;
}

/* if (cond) goto +1; x = y */
static u32 fuse_cmov(struct gen *g)
{
	insn_ptr jump = ahead(g, 0), move = ahead(g, 1);
	enum x64_cc cc;
	u8 src;

	if (jump->off != 1 || !is_move(move) || chooses_from_itself(g, jump, move))
		return 0;
	begin(g, 2);
	src = gen_reg(move->src);
	cc = gen_compare(g, jump);
	if (move->op == OP_MOV32_REG) { /* the machine's would clear the upper half always */
		x64_rr(&g->x, X64_MOV_RM, false, T0, src);
		src = T0;
	}
	x64_cmov(&g->x, cc ^ 1, true, gen_reg(move->dst), src);
	return 2;
}

/* if (cond) goto +1; goto far */
static u32 fuse_over_jump(struct gen *g)
{
	insn_ptr jump = ahead(g, 0), go = ahead(g, 1);
	enum x64_cc cc;

	if (jump->off != 1 || !go || go->op != OP_JA)
		return 0;
	begin(g, 2);
	cc = gen_compare(g, jump);
	gen_branch(g, cc ^ 1, g->at + 2 + (u32)go->off);
	return 2;
}

/* if (cond) goto out; goto loop: one jump each time round */
static u32 fuse_loop_end(struct gen *g)
{
	insn_ptr jump = ahead(g, 0), back = ahead(g, 1);
	u32 out = g->at + 1 + (u32)jump->off;
	enum x64_cc cc;

	if (jump->off <= 1 || !back || back->op != OP_JA || back->off >= 0)
		return 0;
	begin(g, 2);
	cc = gen_compare(g, jump);
	gen_branch(g, cc ^ 1, g->at + 2 + (u32)back->off);
	gen_goto(g, out);
	return 2;
}

/* --- all --- */

static bool starts_popcount(insn_ptr i)
{
	return i && (i->op == OP_RSH64_IMM || i->op == OP_RSH32_IMM) && i->imm == 1;
}

static u32 fuse(struct gen *g, insn_ptr insn)
{
	u32 n;

	switch (insn->op) {
	case OP_MOV64_REG:
	case OP_MOV32_REG:
		n = fuse_rotate(g);
		if (!n && starts_popcount(ahead(g, 1)))
			n = gen_popcount(g);
		return n ? n : fuse_move(g);
	case OP_MOV64_IMM:
	case OP_MOV32_IMM:
		return fuse_setcc(g);
	case OP_ADD64_REG:
		return fuse_index(g);
	case OP_LSH64_IMM:
	case OP_MUL64_IMM:
		return fuse_scale(g);
	case OP_LDX8:
	case OP_LDX16:
	case OP_LDX32:
	case OP_LDX64:
		n = gen_copy(g);
		return n ? n : gen_merge(g);
	}
	if (!is_jump(insn))
		return 0;
	if (insn->off != 1)
		return fuse_loop_end(g);
	n = fuse_cmov(g);
	return n ? n : fuse_over_jump(g);
}

bool gen_fuse(struct gen *g, const struct code_insn *insn)
{
	u32 here = g->out->insn_at[g->at], n = fuse(g, insn);

	for (u32 k = 1; k < n; k++)
		g->out->insn_at[g->at + k] = here;
	return n != 0;
}
