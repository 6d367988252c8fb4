/* SPDX-License-Identifier: MIT
 *
 * exec_alu.c: arithmetic and moves. Numbers go to the scalar domain; pointers keep their
 * class only under addition and subtraction, and only those that may move at all.
 *
 * Linked scalars: registers with the same id hold the same number but for the constant
 * `off`; a later test of one tells of all (exec_jmp.c). A link is kept only by operations
 * that keep the full 64-bit value, or add a constant to it.
 */
#include "verify/walk.h"

/* Writes a register: every change of one goes through here. */
void set_reg(struct env *env, u32 regno, struct reg value)
{
	value.def = env->insn;
	*cur_reg(env, regno) = value;
	cur_frame(env)->written |= (u16)BIT(regno);
}

static struct reg address_part(void)
{
	struct reg reg = reg_address();

	reg.flags |= F_PART;
	return reg;
}

static struct reg address_u32(void)
{
	struct reg reg = address_part();

	reg.num = scalar_zext(reg.num, 4);
	return reg;
}

/* Before a copy: gives a number its id, so that the copy is linked with it. */
void link_number(struct env *env, struct reg *reg)
{
	if (reg->base != REG_SCALAR || reg->id || scalar_is_const(reg->num))
		return;
	reg->id = id_new(env);
	reg->off = 0;
}

static void unlink_number(struct reg *reg)
{
	reg->id = 0;
	reg->off = 0;
}

/* --- moves --- */

static u32 move_bytes(enum isa_alu alu, bool wide)
{
	switch (alu) {
	case ALU_MOVSX8:
		return 1;
	case ALU_MOVSX16:
		return 2;
	case ALU_MOVSX32:
		return 4;
	default:
		return wide ? 8 : 4;
	}
}

/* Whether the move leaves the number as it is. */
static bool move_keeps(struct scalar num, enum isa_alu alu, bool wide)
{
	u32 bits = 8 * move_bytes(alu, wide);
	bool sign = alu != ALU_MOV;

	if (bits == 64)
		return true;
	return num.umax < BIT64(sign ? bits - 1 : bits);
}

static int exec_mov(struct env *env, const struct insn *insn, const struct isa_info *info)
{
	enum isa_alu alu = (enum isa_alu)info->sub;
	struct reg *src = cur_reg(env, insn->src), value;

	if (!info->src_reg) {
		u64 imm = info->wide ? (u64)(s64)insn->imm : (u32)insn->imm;

		set_reg(env, insn->dst, reg_const(imm));
		return 0;
	}
	TRY(check_readable(env, insn->src));
	if (src->base != REG_SCALAR) {
		/* Part of a pointer, or a changed one, is a mere number. */
		value = alu == ALU_MOV && info->wide ? *src
			: info->wide		     ? address_part()
						     : address_u32();
		set_reg(env, insn->dst, value);
		return 0;
	}
	if (move_keeps(src->num, alu, info->wide)) {
		link_number(env, src);
		set_reg(env, insn->dst, *src);
		return 0;
	}
	value = reg_num(scalar_alu(alu, info->wide, scalar_unknown(), src->num));
	value.flags = part_marks(src->flags);
	set_reg(env, insn->dst, value);
	return 0;
}

/* --- pointers --- */

static const char *const alu_signs[NR_ALU] = {
	[ALU_ADD] = "+=",    [ALU_SUB] = "-=", [ALU_MUL] = "*=",   [ALU_DIV] = "/=",
	[ALU_SDIV] = "/=",  [ALU_MOD] = "%=", [ALU_SMOD] = "%=", [ALU_OR] = "|=",
	[ALU_AND] = "&=",    [ALU_XOR] = "^=", [ALU_LSH] = "<<=",  [ALU_RSH] = ">>=",
	[ALU_ARSH] = "s>>=",
};

static int check_pointer_op(struct env *env, u32 regno, const struct reg *ptr,
			    enum isa_alu alu)
{
	if (alu == ALU_AND || alu == ALU_OR || alu == ALU_XOR)
		return reject(env, RULE_PTR_BITWISE, regno, alu_signs[alu]);
	if (alu != ALU_ADD && alu != ALU_SUB)
		return reject(env, RULE_PTR_OPERATOR, regno, alu_signs[alu]);
	if (alu == ALU_SUB && ptr->base == REG_STACK)
		return reject(env, RULE_PTR_STACK_SUB, regno);
	return 0;
}

/* Sockets stay where they are; other tables move by what is known. */
static bool table_moves(const struct abi_table *table, const struct reg *by)
{
	return table->socket ? reg_is_null(by) : scalar_is_const(by->num);
}

/* Classes that never move, and NULL that must not become something else. */
static int check_pointer_moves(struct env *env, u32 regno, const struct reg *ptr,
			       const struct reg *by)
{
	if (ptr->flags & F_NULL)
		return reject(env, RULE_PTR_NULL_MATH, regno, reg_class_name(env, ptr));
	if (ptr->base == REG_PACKET_END || ptr->base == REG_FUNC ||
	    (ptr->base == REG_MAP && !reg_is_null(by)) ||
	    (ptr->base == REG_TABLE && !table_moves(ptr->table, by)))
		return reject(env, RULE_PTR_FIXED, regno, reg_class_name(env, ptr));
	return 0;
}

/* Offsets stay small enough that later sums cannot wrap. */
static int check_offset_sane(struct env *env, const struct reg *ptr,
			     const struct reg *reg)
{
	const char *class = reg_class_name(env, ptr);
	s64 smin = reg->num.smin;

	if (scalar_is_const(reg->num) && (smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF))
		return reject(env, RULE_PTR_MATH_CONST, class, (long long)smin);
	if (reg->off >= MAX_VAR_OFF || reg->off <= -MAX_VAR_OFF)
		return reject(env, RULE_PTR_OFFSET, class, reg->off);
	if (smin == INT64_MIN)
		return reject(env, RULE_PTR_MATH_UNBOUND, class);
	if (smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF)
		return reject(env, RULE_PTR_MATH_BOUNDS, (long long)smin, class);
	return 0;
}

static void move_fixed(struct reg *ptr, enum isa_alu alu, s64 by)
{
	ptr->off = (s32)(alu == ALU_ADD ? ptr->off + by : ptr->off - by);
}

/* A packet pointer with a new variable part is another pointer: nothing is known yet of
 * the bytes behind it. Moving back (by an unknown amount) keeps what was known. */
static void move_variable(struct env *env, struct reg *ptr, enum isa_alu alu,
			  struct scalar by)
{
	bool packet = ptr->base == REG_PACKET || ptr->base == REG_PACKET_META;

	ptr->num = scalar_alu(alu, true, ptr->num, by);
	if (!packet)
		return;
	ptr->id = id_new(env);
	ptr->range = 0;
}

static int pointer_math(struct env *env, u32 dst, enum isa_alu alu, struct reg ptr,
			struct reg by)
{
	s64 n = by.num.smin;

	by.off = 0; /* a number's off is a link, not a distance */
	TRY(check_pointer_moves(env, dst, &ptr, &by));
	TRY(check_offset_sane(env, &ptr, &by));
	TRY(check_offset_sane(env, &ptr, &ptr));
	TRY(check_pointer_op(env, dst, &ptr, alu));
	if (scalar_is_const(by.num))
		move_fixed(&ptr, alu, n);
	else
		move_variable(env, &ptr, alu, by.num);
	TRY(check_offset_sane(env, &ptr, &ptr));
	set_reg(env, dst, ptr);
	return 0;
}

/* Any arithmetic on an address in an arena gives one. */
static bool in_arena(const struct reg *dst, const struct reg *src)
{
	return dst->base == REG_ARENA || src->base == REG_ARENA;
}

/*
 * Of one kind and place: that one lies before the other, and how far, is no address. Of
 * what may be NULL, as what is read through it may, the distance is.
 */
bool pointers_related(const struct reg *a, const struct reg *b)
{
	bool packet = a->base == REG_PACKET || a->base == REG_PACKET_META ||
		      a->base == REG_PACKET_END;

	if (packet)
		return b->base == REG_PACKET || b->base == REG_PACKET_META ||
		       b->base == REG_PACKET_END;
	if (a->base != b->base || (a->flags | b->flags) & (F_NULL | F_UNTRUSTED))
		return false;
	switch (a->base) {
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
		return a->map == b->map && a->map_uid == b->map_uid;
	case REG_BTF:
		return btf_same_type(a->btf, a->type, b->btf, b->type);
	case REG_STACK:
	case REG_MEM:
	case REG_CTX:
	case REG_ARENA:
		return true;
	default:
		return false;
	}
}

static int exec_pointer(struct env *env, const struct insn *insn,
			const struct isa_info *info, struct reg src)
{
	struct reg dst = *cur_reg(env, insn->dst);
	enum isa_alu alu = (enum isa_alu)info->sub;

	if (in_arena(&dst, &src)) {
		/* Another address would be a number from here on. */
		if (leaks_address(env, &dst) || leaks_address(env, &src))
			return reject(env, RULE_LEAK, leaks_address(env, &dst) ? insn->dst
									       : insn->src,
				      "arena");
		set_reg(env, insn->dst, arena_reg());
		return 0;
	}
	if (reg_is_pointer(&dst) && reg_is_pointer(&src)) {
		if (alu != ALU_SUB)
			return reject(env, RULE_PTR_PTR, insn->dst, alu_signs[alu]);
		set_reg(env, insn->dst,
			pointers_related(&dst, &src) ? reg_unknown() : address_part());
		return 0;
	}
	/* What is reached at an offset that is an address would tell it (B10). */
	if (leaks_address(env, reg_is_pointer(&dst) ? &src : &dst))
		return reject(env, RULE_LEAK, reg_is_pointer(&dst) ? insn->src : insn->dst,
			      "pointer");
	/* The number decides where the pointer goes. */
	if (!reg_is_pointer(&dst))
		TRY(mark_precise(env, insn->dst));
	else if (info->src_reg)
		TRY(mark_precise(env, insn->src));
	if (!info->wide) {
		if (alu != ALU_SUB)
			return reject(env, RULE_PTR_32BIT, insn->dst);
		set_reg(env, insn->dst, address_part());
		return 0;
	}
	if (reg_is_pointer(&dst))
		return pointer_math(env, insn->dst, alu, dst, src);
	if (alu == ALU_SUB)
		return reject(env, RULE_PTR_FROM_SCALAR, insn->dst);
	return pointer_math(env, insn->dst, alu, src, dst);
}

/* --- numbers --- */

static bool divides(const struct isa_info *info)
{
	return info->sub == ALU_DIV || info->sub == ALU_SDIV || info->sub == ALU_MOD ||
	       info->sub == ALU_SMOD;
}

static int check_imm(struct env *env, const struct insn *insn,
		     const struct isa_info *info)
{
	bool shift =
		info->sub == ALU_LSH || info->sub == ALU_RSH || info->sub == ALU_ARSH;
	s32 bits = info->wide ? 64 : 32;

	if (info->src_reg)
		return 0;
	if (divides(info) && !insn->imm)
		return reject(env, RULE_DIV_ZERO);
	if (shift && (insn->imm < 0 || insn->imm >= bits))
		return reject(env, RULE_SHIFT, insn->imm);
	return 0;
}

/* dst += constant keeps the link, at another distance. */
static bool keeps_link(const struct reg *dst, const struct isa_info *info,
		       struct scalar by, s32 *off)
{
	s64 n = (s64)by.bits.value;

	if (!dst->id || !info->wide || !scalar_is_const(by))
		return false;
	if (info->sub != ALU_ADD && info->sub != ALU_SUB)
		return false;
	if (n > INT32_MAX || n < -INT32_MAX)
		return false;
	n = info->sub == ALU_ADD ? dst->off + n : dst->off - n;
	*off = (s32)n;
	return n == (s32)n;
}

/* By how much machines shift then is defined, but nobody means it. */
static bool shifts_too_far(const struct isa_info *info, struct scalar by)
{
	bool shift =
		info->sub == ALU_LSH || info->sub == ALU_RSH || info->sub == ALU_ARSH;

	return shift && by.umax >= (info->wide ? 64 : 32);
}

static int exec_number(struct env *env, const struct insn *insn,
		       const struct isa_info *info, const struct reg *src)
{
	struct reg dst = *cur_reg(env, insn->dst);
	struct scalar by = src->num;
	s32 off = 0;
	/* By an immediate only: a register's constant would have to be marked precise. */
	bool linked = !info->src_reg && keeps_link(&dst, info, by, &off);
	/* What the kernel does not follow, it does not even know to be zero-extended. */
	bool wide = info->wide || env->abi->policy.no_div;

	dst.num = shifts_too_far(info, by) || (divides(info) && env->abi->policy.no_div)
			  ? scalar_zext(scalar_unknown(), wide ? 8 : 4)
			  : scalar_alu((enum isa_alu)info->sub, info->wide, dst.num, by);
	if (linked)
		dst.off = off;
	else
		unlink_number(&dst);
	dst.flags = part_marks(dst.flags | src->flags);
	set_reg(env, insn->dst, dst);
	return 0;
}

static bool is_unary(const struct isa_info *info)
{
	return info->sub == ALU_NEG || info->sub >= ALU_LE16;
}

static int exec_unary(struct env *env, const struct insn *insn,
		      const struct isa_info *info)
{
	struct reg *dst = cur_reg(env, insn->dst);
	struct reg value;

	TRY(check_readable(env, insn->dst));
	value = reg_is_pointer(dst)
			? address_part()
			: reg_num(scalar_alu((enum isa_alu)info->sub, info->wide,
					     dst->num, scalar_const(0)));
	value.flags |= dst->base == REG_SCALAR ? part_marks(dst->flags) : 0;
	set_reg(env, insn->dst, value);
	return 0;
}

int exec_alu(struct env *env, const struct insn *insn, u32 *next)
{
	const struct isa_info *info = isa_info(env->notes[env->insn].op);
	struct reg src;

	env->notes[env->insn].proof.zext = !info->wide;
	if (info->sub >= ALU_MOV && info->sub <= ALU_MOVSX32)
		return exec_mov(env, insn, info);
	if (is_unary(info))
		return exec_unary(env, insn, info);
	if (info->src_reg)
		TRY(check_readable(env, insn->src));
	TRY(check_readable(env, insn->dst));
	TRY(check_imm(env, insn, info));
	src = info->src_reg ? *cur_reg(env, insn->src) : reg_const((u64)(s64)insn->imm);
	if (reg_is_pointer(cur_reg(env, insn->dst)) || reg_is_pointer(&src))
		return exec_pointer(env, insn, info, src);
	return exec_number(env, insn, info, &src);
}
