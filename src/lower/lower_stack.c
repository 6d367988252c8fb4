/* SPDX-License-Identifier: MIT
 *
 * lower_stack.c: how much stack a run can need: the deepest chain of calls, each frame
 * rounded up to 16 bytes. The verifier bounds it; an assumed proof is bounded here.
 */
#include "lower/code.h"
#include "base/arena.h"

struct chain {
	u32 frames, bytes;
};

u32 lower_frame_size(const struct lower *l, u32 subprog)
{
	return ROUND_UP((u32)l->proof->stack_depth[subprog], 16);
}

u32 lower_subprog_at(const struct lower *l, s64 start)
{
	const struct image_prog *prog = l->proof->prog;

	for (u32 i = 0; i < prog->nsubprogs; i++)
		if (prog->subprogs[i].start == start)
			return i;
	return prog->nsubprogs;
}

/* The deepest chain that the calls of one subprogram begin; grows from round to round. */
static struct chain below(const struct lower *l, const struct image_subprog *sub,
			  const struct chain *chains)
{
	struct chain max = {0};

	for (u32 at = sub->start; at < sub->end; at++) {
		const struct insn *insn = &l->proof->insns[at];
		u32 callee;

		if (!l->proof->at[at].reached || insn->code != isa_info(OP_CALL_SUBPROG)->code ||
		    insn->src != CALL_SUBPROG)
			continue;
		callee = lower_subprog_at(l, (s64)at + 1 + insn->imm);
		if (callee == l->code->nsubprogs)
			continue; /* refused when it is lowered */
		max.frames = max_u32(max.frames, chains[callee].frames);
		max.bytes = max_u32(max.bytes, chains[callee].bytes);
	}
	return max;
}

static bool round_changes(const struct lower *l, struct chain *chains)
{
	bool changed = false;

	for (u32 i = 0; i < l->code->nsubprogs; i++) {
		struct chain c = below(l, &l->proof->prog->subprogs[i], chains);

		c.frames++;
		c.bytes += lower_frame_size(l, i);
		changed |= c.frames != chains[i].frames || c.bytes != chains[i].bytes;
		chains[i] = c;
	}
	return changed;
}

int lower_stack(struct lower *l)
{
	u32 n = l->code->nsubprogs, rounds = 0;
	struct chain *chains = arena_array(l->code->arena, n, sizeof(chains[0]));

	if (!chains)
		return log_fail(l->log, -ENOMEM, "out of memory");
	while (round_changes(l, chains))
		if (++rounds > MAX_FRAMES)
			break;
	for (u32 i = 0; i < n; i++) {
		if (chains[i].frames > MAX_FRAMES)
			return lower_fail(l, -EINVAL, "calls nest deeper than %d frames",
					  MAX_FRAMES);
		l->code->stack_size = max_u32(l->code->stack_size, chains[i].bytes);
		l->code->frame[i] = lower_frame_size(l, i);
	}
	return 0;
}
