/* SPDX-License-Identifier: MIT
 *
 * lower_map.c: helpers that are a few instructions. A lookup in an array becomes a
 * comparison and an address, one with a constant key an address; a lookup in any other map
 * that is known calls the map kind's own function. The number of the execution slot is
 * one load.
 */
#include "lower/code.h"

static void emit(struct lower *l, u32 op, u8 dst, u8 src, s32 off, s64 imm)
{
	lower_emit(l, (struct code_insn){(u16)op, dst, src, off, {.imm = imm}});
}

/* The element's address from its index in r0; r1 is free, as a call clobbers it. */
static void element(struct lower *l, const struct link_array *a)
{
	if (a->block) {
		emit(l, CODE_CPU, R1, 0, 0, 0);
		emit(l, OP_MUL64_IMM, R1, 0, 0, (s64)a->block);
	}
	if (a->stride != 1)
		emit(l, OP_MUL64_IMM, R0, 0, 0, a->stride);
	if (a->block)
		emit(l, OP_ADD64_REG, R0, R1, 0, 0);
	emit(l, OP_LD_IMM64, R1, 0, 0, (s64)(uintptr_t)a->values);
	emit(l, OP_ADD64_REG, R0, R1, 0, 0);
}

static void lookup_constant(struct lower *l, const struct link_array *a, u32 key)
{
	if (a->block) {
		emit(l, CODE_CPU, R0, 0, 0, 0);
		emit(l, OP_MUL64_IMM, R0, 0, 0, (s64)a->block);
	}
	emit(l, OP_LD_IMM64, a->block ? R1 : R0, 0, 0,
	     (s64)(uintptr_t)(a->values + (size_t)key * a->stride));
	if (a->block)
		emit(l, OP_ADD64_REG, R0, R1, 0, 0);
}

static void lookup_array(struct lower *l, const struct link_array *a)
{
	u32 jump = l->insns.n + 1, skip;

	emit(l, OP_LDX32, R0, R2, 0, 0);
	emit(l, OP_JGE32_IMM, R0, LOWER_LOCAL, 0, (s32)a->max_entries);
	element(l, a);
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
		if (at->const_key && at->key < a.max_entries)
			lookup_constant(l, &a, at->key);
		else
			lookup_array(l, &a);
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
