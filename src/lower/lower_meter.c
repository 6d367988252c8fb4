/* SPDX-License-Identifier: MIT
 *
 * lower_meter.c: programs with a budget: turns are counted where loops begin and where
 * callbacks do, so that no cycle goes uncounted; and beside each instruction that takes or
 * gives something, the run's list of what it holds is kept. When the budget is used up,
 * frames return as for an exception (lower_end.c), and the runtime gives back what is in the
 * list (src/run/meter.c).
 *
 * Which instructions take and give is what the verifier saw there. Where it is not known
 * here how something would be given back, the program cannot have a budget.
 */
#include "lower/code.h"
#include "base/arena.h"

/* --- turns --- */

static void mark_head(struct lower *l, s64 target)
{
	while (target >= 0 && target < l->proof->ninsns && !l->proof->at[target].reached)
		target++;
	if (target >= 0 && target < l->proof->ninsns)
		l->heads[target] = true;
}

static void mark_heads(struct lower *l, u32 at)
{
	const struct insn *insn = &l->proof->insns[at];
	const char *why;
	enum isa_op op = isa_decode(insn, l->proof->ninsns - at, &why);
	enum isa_kind kind = isa_info(op)->kind;
	s32 off = op == OP_JAL ? insn->imm : insn->off;

	if (op == OP_LD_FUNC)
		mark_head(l, (s64)at + 1 + insn->imm);
	if ((kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO) && off < 0)
		mark_head(l, (s64)at + 1 + off);
}

int lower_meter_init(struct lower *l)
{
	u32 n = l->proof->ninsns;

	if (!l->link->budget)
		return 0;
	l->code->metered = l->code->budgets = true;
	l->code->budget = *l->link->budget;
	l->heads = arena_array(l->code->arena, n, sizeof(l->heads[0]));
	if (!l->heads)
		return log_fail(l->log, -ENOMEM, "out of memory");
	for (u32 at = 0; at < n; at++)
		if (l->proof->at[at].reached)
			mark_heads(l, at);
	return 0;
}

void lower_turn(struct lower *l)
{
	if (l->code->metered && l->heads[l->at])
		lower_leave(l, CODE_TURN);
}

/* --- what is held --- */

static int note(struct lower *l, u16 op, u8 reg, struct code_hold hold)
{
	struct code_hold *copy = arena_memdup(l->code->arena, &hold, sizeof(hold));

	if (!copy)
		return log_fail(l->log, -ENOMEM, "out of memory");
	lower_emit(l, (struct code_insn){op, .src = reg, .ptr = copy});
	return 0;
}

static int hold(struct lower *l, u8 reg, struct code_hold hold)
{
	return note(l, CODE_HOLD, reg, hold);
}

static int drop(struct lower *l, u8 reg, enum hold_kind kind, s32 off)
{
	return note(l, CODE_DROP, reg, (struct code_hold){(u8)kind, off, NULL});
}

static int unknown(struct lower *l, const char *what)
{
	return lower_fail(l, -ENOTSUP,
			  "unsupported: a budget for a program that may hold %s when it is "
			  "used up", what);
}

static void *helper(const struct lower *l, u32 id)
{
	return l->link->helper ? l->link->helper(l->link->data, l->proof->prog->type, id)
			       : NULL;
}

/* What the helper @give ends. */
static int hold_by_helper(struct lower *l, u8 reg, enum hold_kind kind, u32 give)
{
	void *fn = helper(l, give);

	if (!fn)
		return unknown(l, abi_helper_name(give));
	return hold(l, reg, (struct code_hold){(u8)kind, 0, fn});
}

static int hold_object(struct lower *l, u8 reg, const struct btf *btf, u32 type)
{
	struct code_hold how = {0};

	if (!l->link->put || !l->link->put(l->link->data, btf, type, &how))
		return unknown(l, btf_type_name(btf, type));
	return hold(l, reg, how);
}

/* What an exchange on @field takes out of it. */
static int hold_taken(struct lower *l, u8 reg, const struct field *field)
{
	void *type = NULL;

	if (field && field->kind == FIELD_REF && !field->local)
		return hold_object(l, reg, field->btf, field->type);
	if (field && field->kind == FIELD_REF)
		return hold(l, reg, (struct code_hold){HOLD_LOCAL, 0, NULL});
	if (field && field->kind == FIELD_PERCPU && field->local && l->link->local)
		type = l->link->local(l->link->data, field->type);
	if (!type)
		return unknown(l, "what an exchange takes");
	return hold(l, reg, (struct code_hold){HOLD_PERCPU, 0, type});
}

static int hold_percpu(struct lower *l)
{
	u32 type = l->proof->at[l->at].type;
	void *local = l->link->local ? l->link->local(l->link->data, type) : NULL;

	if (!local)
		return unknown(l, "a per-CPU object");
	return hold(l, R0, (struct code_hold){HOLD_PERCPU, 0, local});
}

/* --- the engine's own functions --- */

static s32 node_off(const struct lower *l)
{
	const struct field *root = l->proof->at[l->at].field;

	return root ? (s32)root->node_off : -1;
}

static int before_special(struct lower *l, u32 special)
{
	if (lower_is_nothing(l, special))
		return 0;
	switch (special) {
	case KS_RCU_READ_UNLOCK:
		return drop(l, R0, HOLD_SECTION, 0);
	case KS_OBJ_DROP:
	case KS_PERCPU_OBJ_DROP:
		return drop(l, R1, HOLD_LOCAL, 0);
	case KS_LIST_PUSH_FRONT:
	case KS_LIST_PUSH_BACK:
	case KS_RBTREE_ADD:
		if (node_off(l) < 0)
			return unknown(l, "an element");
		return drop(l, R2, HOLD_LOCAL, node_off(l));
	}
	return l->proof->at[l->at].gives ? unknown(l, "what is given there") : 0;
}

static int after_special(struct lower *l, const struct abi_kfunc *kfunc)
{
	if (lower_is_nothing(l, kfunc->special))
		return 0;
	switch (kfunc->special) {
	case KS_RCU_READ_LOCK:
		return hold(l, R0, (struct code_hold){HOLD_SECTION, 0, NULL});
	case KS_OBJ_NEW:
	case KS_REFCOUNT_ACQUIRE:
		return hold(l, R0, (struct code_hold){HOLD_LOCAL, 0, NULL});
	case KS_PERCPU_OBJ_NEW:
		return hold_percpu(l);
	case KS_LIST_POP_FRONT:
	case KS_LIST_POP_BACK:
	case KS_RBTREE_REMOVE:
		if (node_off(l) < 0)
			return unknown(l, "an element");
		return hold(l, R0, (struct code_hold){HOLD_LOCAL, node_off(l), NULL});
	case KS_RBTREE_ADD:
		lower_leave(l, CODE_IF_ENDING);
		return 0;
	}
	if (kfunc->flags & KF_ITER_NEW)
		return 0;
	return l->proof->at[l->at].takes ? unknown(l, kfunc->name) : 0;
}

/* --- iterators --- */

static int before_iter(struct lower *l, const struct abi_kfunc *kfunc)
{
	void *destroy = NULL;

	/* Nothing but its own memory. */
	if (kfunc->special == KS_ITER_NUM_NEW || kfunc->special == KS_ITER_NUM_DESTROY)
		return 0;
	if (kfunc->flags & KF_ITER_DESTROY)
		return drop(l, R1, HOLD_ITER, 0);
	if (l->link->iter_destroy)
		destroy = l->link->iter_destroy(l->link->data, kfunc);
	return destroy ? hold(l, R1, (struct code_hold){HOLD_ITER, 0, destroy})
		       : unknown(l, "an iterator");
}

/* --- functions of the host --- */

static int before_kfunc(struct lower *l, const struct abi_kfunc *kfunc)
{
	const struct proof_insn *at = &l->proof->at[l->at];

	if (kfunc->flags & (KF_ITER_NEW | KF_ITER_DESTROY))
		return before_iter(l, kfunc);
	if (kfunc->special != KS_NONE)
		return before_special(l, kfunc->special);
	if (!at->gives)
		return 0;
	if (!at->gives_arg || at->gives_arg > R5)
		return unknown(l, "one object or another");
	return drop(l, at->gives_arg, HOLD_STORABLE, 0);
}

static int after_kfunc(struct lower *l, const struct abi_kfunc *kfunc)
{
	const struct btf *btf = kfunc->btf;
	u32 type;

	if (kfunc->special != KS_NONE)
		return after_special(l, kfunc);
	if (l->proof->at[l->at].callback)
		lower_leave(l, CODE_IF_ENDING);
	if (!l->proof->at[l->at].takes || kfunc->flags & KF_ITER_NEW)
		return 0;
	if (!(kfunc->flags & KF_ACQUIRE) || !btf)
		return unknown(l, kfunc->name);
	type = btf_pointee(btf, btf_type(btf, kfunc->proto)->type);
	return hold_object(l, R0, btf, type);
}

/* --- helpers --- */

static int before_helper(struct lower *l, u32 id)
{
	switch (id) {
	case HELPER_SPIN_LOCK:
		return hold_by_helper(l, R1, HOLD_LOCK, HELPER_SPIN_UNLOCK);
	case HELPER_SPIN_UNLOCK:
		return drop(l, R1, HOLD_LOCK, 0);
	case HELPER_RINGBUF_SUBMIT:
	case HELPER_RINGBUF_DISCARD:
		return drop(l, R1, HOLD_RECORD, 0);
	case HELPER_RINGBUF_RESERVE_DYNPTR:
		return hold_by_helper(l, R4, HOLD_DYNPTR, HELPER_RINGBUF_DISCARD);
	case HELPER_RINGBUF_SUBMIT_DYNPTR:
	case HELPER_RINGBUF_DISCARD_DYNPTR:
		return drop(l, R1, HOLD_DYNPTR, 0);
	case HELPER_KPTR_XCHG:
		return l->proof->at[l->at].gives ? drop(l, R2, HOLD_STORABLE, 0) : 0;
	}
	return l->proof->at[l->at].gives ? unknown(l, abi_helper_name(id)) : 0;
}

static int after_helper(struct lower *l, u32 id)
{
	const struct proof_insn *at = &l->proof->at[l->at];

	if (at->helper && at->helper->callback)
		lower_leave(l, CODE_IF_ENDING);
	switch (id) {
	case HELPER_SPIN_LOCK:
		return 0;
	case HELPER_RINGBUF_RESERVE:
		return hold_by_helper(l, R0, HOLD_RECORD, HELPER_RINGBUF_DISCARD);
	case HELPER_RINGBUF_RESERVE_DYNPTR:
		return hold(l, R0, (struct code_hold){HOLD_DYNPTR_MADE, 0, NULL});
	case HELPER_KPTR_XCHG:
		return at->takes ? hold_taken(l, R0, at->field) : 0;
	}
	return at->takes ? unknown(l, abi_helper_name(id)) : 0;
}

/* --- all --- */

static const struct abi_kfunc *kfunc_of(const struct lower *l, const struct insn *insn)
{
	return (u32)insn->imm < l->image->nksyms ? l->image->ksyms[insn->imm].kfunc : NULL;
}

int lower_before(struct lower *l, const struct insn *insn, enum isa_op op)
{
	const struct proof_insn *at = &l->proof->at[l->at];

	if (!l->code->metered)
		return 0;
	if (op == OP_CALL_HELPER)
		return before_helper(l, (u32)insn->imm);
	if (op == OP_CALL_KFUNC)
		return kfunc_of(l, insn) ? before_kfunc(l, kfunc_of(l, insn)) : 0;
	if (!at->gives)
		return 0;
	if (at->access != ACCESS_SLOT_XCHG)
		return unknown(l, "something");
	return drop(l, insn->src, HOLD_STORABLE, 0);
}

int lower_after(struct lower *l, const struct insn *insn, enum isa_op op)
{
	const struct proof_insn *at = &l->proof->at[l->at];

	if (!l->code->metered)
		return 0;
	if (op == OP_CALL_HELPER)
		return after_helper(l, (u32)insn->imm);
	if (op == OP_CALL_KFUNC)
		return kfunc_of(l, insn) ? after_kfunc(l, kfunc_of(l, insn)) : 0;
	if (!at->takes)
		return 0;
	if (at->access != ACCESS_SLOT_XCHG)
		return unknown(l, "something");
	return hold_taken(l, insn->src, at->field);
}
