/* SPDX-License-Identifier: MIT
 *
 * lower_map.c: helpers that are a few instructions. A lookup in an array becomes a
 * comparison and an address, one with a constant key an address, either with the check for
 * NULL that follows; a lookup in any other map that is known calls the map kind's own
 * function. The number of the execution slot is
 * one load.
 */
#include "lower/code.h"

static void emit(struct lower *l, u32 op, u8 dst, u8 src, s32 off, s64 imm)
{
	lower_emit(l, (struct code_insn){(u16)op, dst, src, off, {.imm = imm}});
}

/* --- the check for NULL that follows most lookups --- */

/*
 *	call lookup; [w1 = 2; r3 = 4;] if r0 == 0 goto null
 *
 * is one jump where r0 is not read at `null`: it is taken when the index is too large. What
 * is loaded in between is loaded before.
 */
struct check {
	u32 end;   /* instruction of the program behind the jump */
	s32 null, element; /* where to go on; instructions of the program */
	u16 loaded; /* registers, as bits */
};

enum { MOST_LOADS = 2 };

static bool is_load(const struct insn *insn, enum isa_op op)
{
	return (op == OP_MOV64_IMM || op == OP_MOV32_IMM) && insn->dst != R0;
}

static bool find_check(const struct lower *l, struct check *c)
{
	u32 at = l->at + 1;
	enum isa_op op;

	for (c->loaded = 0;; at++) {
		if (at >= l->proof->ninsns || !l->proof->at[at].reached || l->target[at])
			return false;
		op = lower_op_at(l, at);
		if (!is_load(&l->proof->insns[at], op) || at - l->at > MOST_LOADS)
			break;
		c->loaded |= (u16)BIT(l->proof->insns[at].dst);
	}
	if ((op != OP_JEQ64_IMM && op != OP_JNE64_IMM) || l->proof->insns[at].dst != R0 ||
	    l->proof->insns[at].imm || l->proof->at[at].branch != -1)
		return false;
	c->end = at + 1;
	c->null = c->element = (s32)c->end;
	*(op == OP_JEQ64_IMM ? &c->null : &c->element) += l->proof->insns[at].off;
	return c->null >= 0 && c->element >= 0 && (u32)c->null < l->proof->ninsns &&
	       (u32)c->element < l->proof->ninsns;
}

/* What find_check() has found between the call and the jump. */
static void do_loads(struct lower *l, const struct check *c)
{
	for (u32 at = l->at + 1; at + 1 < c->end; at++)
		emit(l, lower_op_at(l, at), l->proof->insns[at].dst, 0, 0,
		     l->proof->insns[at].imm);
}

/* The jump is done with; on to the element. */
static void end_check(struct lower *l, const struct check *c)
{
	if (c->element != (s32)c->end)
		emit(l, OP_JA, 0, 0, c->element, 0);
	l->skip = c->end;
}

/* --- where the key comes from --- */

/*
 * Keys are numbers that programs put on their stack just before:
 *
 *	*(u32 *)(r10 - 4) = w7; r2 = r10; r2 += -4; [r1 = map;] call lookup
 *
 * They need not be loaded again while the register still holds them, and not be compared
 * when the register was set to a number.
 */
struct key {
	bool stored; /* by an instruction that was found, */
	u8 reg;	     /* from this register, */
	bool held;   /* which holds it still, */
	bool constant; /* and was set to `number` before that */
	u32 number;
	/* While searching: */
	s32 off;     /* of r2 from the frame pointer, as far as it is known */
	bool based;  /* it is known: r2 was computed from there on */
	u16 written; /* registers, as bits, by what was walked over */
};

/* Looks at one instruction before the call; false: the search ends. */
static bool key_from(const struct lower *l, struct key *k, u32 at)
{
	const struct insn *i = &l->proof->insns[at];
	enum isa_op op = lower_op_at(l, at);

	if (op == OP_ADD64_IMM && i->dst == R2 && !k->based) {
		k->off += i->imm;
	} else if (op == OP_MOV64_REG && i->dst == R2 && !k->based) {
		k->based = i->src == R_FP;
		return k->based;
	} else if (op == OP_STX32 && i->dst == R_FP && k->based && i->off == k->off &&
		   !k->stored) {
		k->stored = true;
		k->reg = i->src;
		k->held = !(k->written & BIT(i->src));
	} else if (op == OP_LD_MAP || op == OP_LD_IMM64 || op == OP_MOV64_IMM ||
		   op == OP_MOV32_IMM) {
		if (i->dst == R2 && !k->based)
			return false;
		if (k->stored && i->dst == k->reg) {
			k->constant = op == OP_MOV64_IMM || op == OP_MOV32_IMM;
			k->number = (u32)i->imm;
			return false;
		}
		k->written |= (u16)BIT(i->dst);
	} else {
		return false;
	}
	return true;
}

static struct key find_key(const struct lower *l)
{
	enum { FAR = 8 };
	struct key k = {0};
	u32 at = l->at;

	for (u32 n = 0; n < FAR && at; n++) {
		if (l->target[at])
			break;
		at--;
		if (at && !l->proof->insns[at].code) /* the second half of r1 = map */
			at--;
		if (!l->proof->at[at].reached || !key_from(l, &k, at))
			break;
	}
	return k;
}

/* --- arrays --- */

/* A register that a call clobbers, and that nothing has been loaded into since. */
static u8 free_reg(u16 loaded)
{
	u8 reg = R1;

	while (loaded & BIT(reg))
		reg++;
	return reg;
}

/* The element's address from its index in r0. */
static void element(struct lower *l, const struct link_array *a, u8 temp)
{
	if (a->block) {
		emit(l, CODE_CPU, temp, 0, 0, 0);
		emit(l, OP_MUL64_IMM, temp, 0, 0, (s64)a->block);
	}
	if (a->stride != 1)
		emit(l, OP_MUL64_IMM, R0, 0, 0, a->stride);
	if (a->block)
		emit(l, OP_ADD64_REG, R0, temp, 0, 0);
	emit(l, OP_LD_IMM64, temp, 0, 0, (s64)(uintptr_t)a->values);
	emit(l, OP_ADD64_REG, R0, temp, 0, 0);
}

static void lookup_constant(struct lower *l, const struct link_array *a, u32 key)
{
	struct check c;

	if (a->block) {
		emit(l, CODE_CPU, R0, 0, 0, 0);
		emit(l, OP_MUL64_IMM, R0, 0, 0, (s64)a->block);
	}
	emit(l, OP_LD_IMM64, a->block ? R1 : R0, 0, 0,
	     (s64)(uintptr_t)(a->values + (size_t)key * a->stride));
	if (a->block)
		emit(l, OP_ADD64_REG, R0, R1, 0, 0);
	if (!find_check(l, &c))
		return;
	do_loads(l, &c);
	end_check(l, &c);
}

static void lookup_array(struct lower *l, const struct link_array *a, const struct key *k)
{
	u32 jump = l->insns.n + 1, skip;
	struct check c;

	if (k->held)
		emit(l, OP_MOV32_REG, R0, k->reg, 0, 0);
	else
		emit(l, OP_LDX32, R0, R2, 0, 0);
	if (find_check(l, &c) && lower_r0_dead(l, (u32)c.null)) {
		do_loads(l, &c);
		emit(l, OP_JGE32_IMM, R0, 0, c.null, (s32)a->max_entries);
		element(l, a, free_reg(c.loaded));
		end_check(l, &c);
		return;
	}
	emit(l, OP_JGE32_IMM, R0, LOWER_LOCAL, 0, (s32)a->max_entries);
	element(l, a, R1);
	skip = l->insns.n;
	emit(l, OP_JA, 0, LOWER_LOCAL, 1, 0);
	emit(l, OP_MOV64_IMM, R0, 0, 0, 0);
	if (!l->oom)
		l->insns.v[jump].off = (s32)(skip - jump);
}

static bool lookup(struct lower *l)
{
	const struct proof_insn *at = &l->proof->at[l->at];
	struct link_array a;
	void *fn = NULL;

	if (at->map < 0)
		return false;
	if (l->link->array && l->link->array(l->link->data, (u32)at->map, &a) &&
	    a.block <= INT32_MAX) {
		struct key k = find_key(l);

		if (at->const_key && at->key < a.max_entries)
			lookup_constant(l, &a, at->key);
		else if (k.constant && k.number < a.max_entries)
			lookup_constant(l, &a, k.number);
		else
			lookup_array(l, &a, &k);
		return true;
	}
	if (l->link->lookup)
		fn = l->link->lookup(l->link->data, (u32)at->map);
	if (fn)
		lower_emit(l, (struct code_insn){CODE_CALL, .src = 3, .ptr = fn});
	return fn != NULL;
}

bool lower_inline(struct lower *l, u32 helper)
{
	if (!l->link->own_helper ||
	    !l->link->own_helper(l->link->data, l->proof->prog->type, helper))
		return false;
	switch (helper) {
	case HELPER_MAP_LOOKUP:
		return lookup(l);
	case HELPER_CPU:
		emit(l, CODE_CPU, R0, 0, 0, 0);
		return true;
	default:
		return false;
	}
}
