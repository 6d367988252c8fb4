/* SPDX-License-Identifier: MIT
 *
 * lower_end.c: how a run ends before its program does. Something in the execution slot says
 * that it ends; behind each call that may have brought it about, the frame looks there and
 * goes to its own end, which is written behind the subprogram: other frames return, the
 * main one hands what was thrown to the exception callback, or returns it.
 *
 * The verifier has seen to it that nothing is held where an exception is thrown. What a run
 * without budget left holds is in a list of its own: lower_meter.c.
 */
#include "lower/code.h"
#include "base/arena.h"

static bool calls_throwing(const struct lower *l, u32 at)
{
	const struct insn *insn = &l->proof->insns[at];
	const struct abi_kfunc *kfunc;
	u32 callee;

	if (!l->proof->at[at].reached || insn->code != isa_info(OP_CALL_SUBPROG)->code)
		return false;
	if (insn->src == CALL_KFUNC) {
		if ((u32)insn->imm >= l->image->nksyms)
			return false;
		kfunc = l->image->ksyms[insn->imm].kfunc;
		return kfunc && kfunc->special == KS_THROW;
	}
	if (insn->src != CALL_SUBPROG)
		return false;
	callee = lower_subprog_at(l, (s64)at + 1 + insn->imm);
	return callee < l->code->nsubprogs && l->throws[callee];
}

static bool sub_throws(const struct lower *l, const struct image_subprog *sub)
{
	for (u32 at = sub->start; at < sub->end; at++)
		if (calls_throwing(l, at))
			return true;
	return false;
}

int lower_end_init(struct lower *l)
{
	u32 n = l->code->nsubprogs;
	bool changed = true;

	l->throws = arena_array(l->code->arena, n, sizeof(l->throws[0]));
	if (!l->throws)
		return log_fail(l->log, -ENOMEM, "out of memory");
	while (changed) {
		changed = false;
		for (u32 i = 0; i < n; i++) {
			if (l->throws[i] || !sub_throws(l, &l->proof->prog->subprogs[i]))
				continue;
			l->throws[i] = changed = true;
		}
	}
	return 0;
}

void lower_leave(struct lower *l, u32 op)
{
	if (!vec_push(&l->leaves, l->insns.n))
		l->oom = true;
	lower_emit(l, (struct code_insn){(u16)op, .src = op < NR_OPS ? LOWER_LOCAL : 0});
}

void lower_throw(struct lower *l)
{
	lower_emit(l, (struct code_insn){CODE_THROW});
	lower_leave(l, OP_JA);
}

void lower_called(struct lower *l, s64 target)
{
	u32 callee = lower_subprog_at(l, target);

	if (callee < l->code->nsubprogs && (l->throws[callee] || l->code->metered))
		lower_leave(l, CODE_IF_ENDING);
}

/* The callback begins where main did: nothing of main's stack is needed any more. */
static void call_exception_cb(struct lower *l)
{
	const struct image_prog *prog = l->proof->prog;

	for (u32 i = 0; i < prog->nsubprogs; i++) {
		if (!prog->subprogs[i].exception_cb)
			continue;
		lower_emit(l, (struct code_insn){OP_CALL_SUBPROG,
						 .off = (s32)prog->subprogs[i].start});
		return;
	}
	lower_emit(l, (struct code_insn){OP_MOV64_REG, R0, R1});
}

/* Iterators of a frame end with it, not with the run. */
static void end_stack(struct lower *l, u32 subprog)
{
	u32 size = lower_frame_size(l, subprog);

	if (l->code->metered && size)
		lower_emit(l, (struct code_insn){CODE_LEAVE, .off = (s32)size});
}

static void main_end(struct lower *l)
{
	end_stack(l, 0);
	lower_emit(l, (struct code_insn){CODE_CATCH, .off = 1});
	call_exception_cb(l);
	lower_emit(l, (struct code_insn){OP_EXIT});
}

/* A callback that returns 1 wants no more turns. */
static void frame_end(struct lower *l, u32 subprog)
{
	end_stack(l, subprog);
	lower_emit(l, (struct code_insn){OP_MOV64_IMM, R0, .imm = 1});
	lower_emit(l, (struct code_insn){OP_EXIT});
}

void lower_sub_end(struct lower *l, u32 subprog)
{
	u32 next = l->at;

	for (u32 i = 0; i < l->leaves.n && !l->oom; i++) {
		u32 at = l->leaves.v[i];

		l->insns.v[at].off = (s32)(l->insns.n - (at + 1));
	}
	if (!l->leaves.n)
		return;
	l->leaves.n = 0;
	l->at = l->proof->prog->subprogs[subprog].end - 1;
	if (subprog)
		frame_end(l, subprog);
	else
		main_end(l);
	l->at = next;
}
