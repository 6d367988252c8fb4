/* SPDX-License-Identifier: MIT
 *
 * precise.c: which numbers pruning must compare. A number is imprecise until something
 * depends on it: the bound of an access, a branch decided by it, a size. Then the value
 * is followed back through the steps of the path, and every number it came from is marked
 * precise in each stored state passed on the way.
 *
 * Invariants
 *  - a precise mark in a stored state implies that what it came from is marked in all
 *    stored states above it; so a walk may stop at a mark that is already there;
 *  - marks only ever get more. Marking too much costs pruning, marking too little would
 *    make it unsound: where a step cannot be undone, everything is marked.
 */
#include "verify/walk.h"

/* The values followed: registers and slots by frame. */
struct track {
	u16 regs[MAX_FRAMES];
	u64 slots[MAX_FRAMES];
};

enum { LINK_BITS = 10, LINK_SLOT = 128, ARG_REGS = 0x3e };

/* Registers and slots in 10 bits, never 0. */
u64 link_encode(u32 frame, bool slot, u32 index)
{
	return slot ? LINK_SLOT + frame * NSLOTS + index : frame * 16 + index + 1;
}

static bool link_in(const struct track *t, u32 code)
{
	if (code >= LINK_SLOT) {
		code -= LINK_SLOT;
		return t->slots[code / NSLOTS] >> code % NSLOTS & 1;
	}
	code--;
	return t->regs[code / 16] >> code % 16 & 1;
}

static void link_add(struct track *t, u32 code)
{
	if (code >= LINK_SLOT) {
		code -= LINK_SLOT;
		t->slots[code / NSLOTS] |= BIT64(code % NSLOTS);
		return;
	}
	code--;
	t->regs[code / 16] |= (u16)BIT(code % 16);
}

static bool track_empty(const struct track *t)
{
	for (u32 f = 0; f < MAX_FRAMES; f++)
		if (t->regs[f] || t->slots[f])
			return false;
	return true;
}

/* --- undoing one step --- */

/* Values linked at a jump learnt of one another there: one followed, all followed. */
static void undo_links(struct track *t, u64 linked)
{
	bool any = false;

	for (u64 l = linked; l; l >>= LINK_BITS)
		any |= link_in(t, l & (BIT64(LINK_BITS) - 1));
	for (u64 l = linked; any && l; l >>= LINK_BITS)
		link_add(t, l & (BIT64(LINK_BITS) - 1));
}

static void undo_alu(u16 *regs, const struct insn *in, const struct isa_info *info)
{
	bool move = info->sub >= ALU_MOV && info->sub <= ALU_MOVSX32;

	if (!(*regs & BIT(in->dst)))
		return;
	if (move)
		*regs &= (u16)~BIT(in->dst);
	if (info->src_reg)
		*regs |= (u16)BIT(in->src);
}

static void undo_jmp(struct track *t, const struct step *step, const struct insn *in,
		     const struct isa_info *info)
{
	u16 *regs = &t->regs[step->frame];
	bool dst = !(step->flags & STEP_DST_PTR);
	bool src = info->src_reg && !(step->flags & STEP_SRC_PTR);
	u16 both = (u16)((dst ? BIT(in->dst) : 0) | (src ? BIT(in->src) : 0));

	undo_links(t, step->linked);
	if (*regs & both)
		*regs |= both;
	/* The operands' links again: one may only now have been added. */
	undo_links(t, step->linked);
}

static void undo_load(struct track *t, const struct step *step, u32 dst)
{
	if (!(t->regs[step->frame] & BIT(dst)))
		return;
	t->regs[step->frame] &= (u16)~BIT(dst);
	if (step->flags & STEP_STACK)
		t->slots[step->acc_frame] |= BIT64(step->slot);
}

static void undo_store(struct track *t, const struct step *step, const struct insn *in,
		       const struct isa_info *info)
{
	u64 slot = BIT64(step->slot);

	if (!(step->flags & STEP_SPILL) || !(t->slots[step->acc_frame] & slot))
		return;
	t->slots[step->acc_frame] &= ~slot;
	if (info->src_reg)
		t->regs[step->frame] |= (u16)BIT(in->src);
}

/* The old value comes back; what is in memory then is a mere number. */
static void undo_atomic(struct track *t, const struct step *step, const struct insn *in,
			const struct isa_info *info)
{
	if (info->sub == ATOMIC_CMPXCHG)
		undo_load(t, step, R0);
	else if (info->sub >= ATOMIC_FETCH_ADD)
		undo_load(t, step, in->src);
}

/* Back out of a callee into the call that entered it. Slots still followed were never
 * written: what was read from them rests on nothing. Registers can not be: false. */
static bool undo_push(struct track *t, const struct step *step)
{
	u32 callee = step->frame + 1u;
	u16 args = t->regs[callee] & ARG_REGS;
	bool odd = t->regs[callee] & ~ARG_REGS;

	t->regs[callee] = 0;
	t->slots[callee] = 0;
	if (step->flags & STEP_CB) {
		/* How its arguments come of the call's is the helper's business. */
		if (args)
			t->regs[step->frame] |= ARG_REGS;
		return !odd;
	}
	t->regs[step->frame] &= (u16)~(ARG_REGS | BIT(R0));
	t->regs[step->frame] |= args;
	return !odd;
}

/* Back into a callee that returned. */
static void undo_pop(struct track *t, const struct step *step)
{
	u16 *caller = &t->regs[step->frame - 1];

	if (step->flags & STEP_CB)
		return;
	if (*caller & BIT(R0))
		t->regs[step->frame] |= BIT(R0);
	*caller &= (u16)~(ARG_REGS | BIT(R0));
}

static bool undo(struct env *env, struct track *t, const struct step *step)
{
	const struct insn *in = &env->prog->insns[step->insn];
	const struct isa_info *info = isa_info(env->notes[step->insn].op);
	u16 *regs = &t->regs[step->frame];

	if (step->flags & STEP_PUSH)
		return undo_push(t, step);
	if (step->flags & STEP_POP) {
		undo_pop(t, step);
		return true;
	}
	switch (info->kind) {
	case KIND_ALU:
		undo_alu(regs, in, info);
		break;
	case KIND_CAST: /* a pointer, or a number that rests on nothing */
	case KIND_LD_IMM64:
		*regs &= (u16)~BIT(in->dst);
		break;
	case KIND_LDX:
	case KIND_LOAD_ACQ:
		undo_load(t, step, in->dst);
		break;
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL:
		undo_store(t, step, in, info);
		break;
	case KIND_ATOMIC:
		undo_atomic(t, step, in, info);
		break;
	case KIND_JMP:
		undo_jmp(t, step, in, info);
		break;
	case KIND_CALL:
		*regs &= (u16)~(ARG_REGS | BIT(R0));
		break;
	default:
		break;
	}
	return true;
}

/* --- marking --- */

static bool mark(struct reg *reg, bool *changed)
{
	if (reg->base != REG_SCALAR || reg->precise)
		return false;
	reg->precise = true;
	*changed = true;
	return true;
}

/* Marks what is followed in a stored state; only what is newly marked is followed on. */
static bool mark_state(struct state *state, struct track *t, bool *changed)
{
	for (u32 f = state->nframes; f < MAX_FRAMES; f++)
		if (t->regs[f] || t->slots[f])
			return false;
	for (u32 f = 0; f < state->nframes; f++) {
		struct frame *frame = state->frames[f];

		for (u32 r = 0; t->regs[f] >> r; r++)
			if (t->regs[f] >> r & 1 && !mark(&frame->regs[r], changed))
				t->regs[f] &= (u16)~BIT(r);
		for (u32 i = 0; i < NSLOTS && t->slots[f] >> i; i++)
			if (t->slots[f] >> i & 1 &&
			    (i >= frame->nslots || !slot_has_spill(&frame->stack[i]) ||
			     !mark(&frame->stack[i].spilled, changed)))
				t->slots[f] &= ~BIT64(i);
	}
	return true;
}

static void mark_reg(struct reg *reg, void *changed)
{
	mark(reg, changed);
}

static void mark_everything(struct state *state, bool *changed)
{
	for (; state && !state->all_precise; state = state->parent) {
		state->all_precise = true;
		state_each_reg(state, mark_reg, changed);
	}
}

/* --- the log --- */

static const char *list_regs(u16 regs, char *buf)
{
	size_t n = 0;

	buf[0] = 0;
	for (u32 r = 0; r < NR_REGS; r++)
		if (regs >> r & 1)
			n += (size_t)sprintf(buf + n, "%sr%u", n ? "," : "", r);
	return buf;
}

static const char *list_slots(u64 slots, char *buf)
{
	size_t n = 0;

	buf[0] = 0;
	for (u32 i = 0; i < NSLOTS; i++)
		if (slots >> i & 1)
			n += (size_t)sprintf(buf + n, "%s-%u", n ? "," : "", 8 * (i + 1));
	return buf;
}

static void log_track(struct env *env, const struct track *t, u32 frame, const char *where)
{
	char regs[64], slots[512];

	log_print(env->log, LOG_STATE, "mark_precise: frame%u:%s regs=%s stack=%s", frame,
		  where, list_regs(t->regs[frame], regs), list_slots(t->slots[frame], slots));
}

static void log_step(struct env *env, const struct track *t, const struct step *step)
{
	log_track(env, t, step->frame, "");
	log_print(env->log, LOG_STATE, " before %u: %s\n", step->insn,
		  insn_text(env, step->insn));
}

/* @after: where the segment ends; -1: where the walk is. */
static void log_segment(struct env *env, const struct state *state, s64 after)
{
	const struct step *last = state->nsteps ? &state->steps[state->nsteps - 1] : NULL;
	u32 first = state->parent  ? state->parent->insn
		    : state->nsteps ? state->steps[0].insn
				    : env->insn;

	log_break(env);
	log_print(env->log, LOG_STATE,
		  "mark_precise: frame%u: last_idx %u first_idx %u subseq_idx %d \n",
		  last ? last->frame : 0, last ? last->insn : env->insn, first, (int)after);
}

static void log_parent(struct env *env, const struct state *state, const struct track *t)
{
	for (u32 f = state->nframes; f-- > 0;) {
		log_track(env, t, f, " parent state");
		log_print(env->log, LOG_STATE, ": ");
		frame_print(env, state, f, 0x7ff, ~0ull, LOG_STATE);
		log_print(env->log, LOG_STATE, "\n");
	}
}

/* Follows @t back from the end of the first @nsteps steps of @state. */
static void follow(struct env *env, struct state *state, u32 nsteps, struct track *t,
		   bool *changed)
{
	bool loud = log_wants(env->log, LOG_STATE);
	s64 after = -1;

	for (;;) {
		if (loud)
			log_segment(env, state, after);
		while (nsteps--) {
			if (loud)
				log_step(env, t, &state->steps[nsteps]);
			if (!undo(env, t, &state->steps[nsteps])) {
				mark_everything(state->parent, changed);
				return;
			}
		}
		state = state->parent;
		if (!state || track_empty(t))
			return;
		if (!mark_state(state, t, changed)) {
			mark_everything(state, changed);
			return;
		}
		if (loud)
			log_parent(env, state, t);
		if (track_empty(t))
			return;
		after = state->insn;
		nsteps = state->nsteps;
	}
}

/* While an instruction runs its own step is the last one: it is not to be undone. */
static void follow_current(struct env *env, struct track *t)
{
	bool changed = false;

	follow(env, env->cur, env->cur->nsteps - 1, t, &changed);
}

int mark_precise(struct env *env, u32 regno)
{
	struct track t = {0};

	if (cur_reg(env, regno)->base != REG_SCALAR)
		return 0;
	t.regs[env->cur->nframes - 1] = (u16)BIT(regno);
	follow_current(env, &t);
	return 0;
}

int mark_precise_slot(struct env *env, u32 frame, u32 slot)
{
	struct track t = {0};

	t.slots[frame] = BIT64(slot);
	follow_current(env, &t);
	return 0;
}

/* The marks of @from, as a set of values to follow. */
static void track_marks(struct track *t, const struct state *from)
{
	for (u32 f = 0; f < from->nframes; f++) {
		const struct frame *frame = from->frames[f];

		for (u32 r = 0; r < R_FP; r++)
			if (frame->regs[r].base == REG_SCALAR && frame->regs[r].precise)
				t->regs[f] |= (u16)BIT(r);
		for (u32 i = 0; i < frame->nslots; i++)
			if (slot_has_spill(&frame->stack[i]) &&
			    frame->stack[i].spilled.precise)
				t->slots[f] |= BIT64(i);
	}
}

int mark_precise_like(struct env *env, struct state *state, const struct state *from,
		      bool *changed)
{
	struct track t = {0};

	track_marks(&t, from);
	if (!track_empty(&t))
		follow(env, state, state->nsteps, &t, changed);
	return 0;
}
