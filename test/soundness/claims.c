/* SPDX-License-Identifier: MIT
 *
 * claims.c: see claims.h.
 */
#include "soundness/claims.h"

#include "base/arena.h"
#include "base/vec.h"
#include "verify/walk.h"

enum { MAX_STEP = 100000, MAX_LINKS = 64 };

struct claimed_frame {
	struct reg regs[NR_REGS];
	struct slot *stack;
	u32 nslots;
	u16 live_regs;
	u64 live_slots;
};

struct claim {
	u32 insn, nframes;
	struct claimed_frame *frames;
	u32 child, sibling; /* claims, by index; 0: none */
};

struct claims {
	struct arena *arena;
	VEC(struct claim) all; /* [0] is the root: no instruction */
	VEC(u32) now, next;    /* those the run may be at */
	bool joined;	       /* it left its own path where a loop was closed */
};

struct claims *claims_new(void)
{
	struct claims *c = calloc(1, sizeof(*c));

	if (c)
		c->arena = arena_new();
	if (c && (!c->arena || !vec_push(&c->all, ((struct claim){0})))) {
		claims_free(c);
		return NULL;
	}
	return c;
}

void claims_free(struct claims *c)
{
	if (!c)
		return;
	if (c->arena)
		arena_free(c->arena);
	vec_free(&c->all);
	vec_free(&c->now);
	vec_free(&c->next);
	free(c);
}

static bool copy_frame(struct claims *c, struct claimed_frame *to, const struct frame *from)
{
	memcpy(to->regs, from->regs, sizeof(to->regs));
	to->nslots = from->nslots;
	to->stack = arena_memdup(c->arena, from->stack, from->nslots * sizeof(struct slot));
	return to->stack || !from->nslots;
}

u32 claims_watch(void *claims, const struct env *env, u32 last)
{
	struct claims *c = claims;
	struct claim claim = {.insn = env->insn, .nframes = env->cur->nframes};

	claim.frames = arena_array(c->arena, claim.nframes, sizeof(*claim.frames));
	BUG_ON(!claim.frames);
	for (u32 f = 0; f < claim.nframes; f++) {
		BUG_ON(!copy_frame(c, &claim.frames[f], env->cur->frames[f]));
		claim.frames[f].live_regs = live_regs_of(env, env->cur, f, env->insn);
		claim.frames[f].live_slots = live_slots_of(env, env->cur, f, env->insn);
	}
	claim.sibling = c->all.v[last].child;
	c->all.v[last].child = c->all.n;
	BUG_ON(!vec_push(&c->all, claim));
	return c->all.n - 1;
}

/* --- does a claim hold? --- */

struct links {
	struct {
		u32 id;
		u64 base;
	} at[MAX_LINKS];
	u32 n;
};

/* Numbers with the same id differ by the distance of their offs. */
static bool link_holds(struct links *l, const struct reg *reg, u64 v)
{
	u64 base = v - (u64)(s64)reg->off;

	if (!reg->id)
		return true;
	for (u32 i = 0; i < l->n; i++)
		if (l->at[i].id == reg->id)
			return l->at[i].base == base;
	if (l->n < MAX_LINKS) {
		l->at[l->n].id = reg->id;
		l->at[l->n++].base = base;
	}
	return true;
}

static bool reg_holds(const struct machine *m, struct links *l, const struct reg *reg, u64 v)
{
	u64 moved = v - (u64)(s64)reg->off;

	switch (reg->base) {
	case REG_SCALAR:
		return scalar_has(reg->num, v) && link_holds(l, reg, v);
	case REG_CTX:
		return scalar_has(reg->num, moved - MACHINE_CTX);
	case REG_STACK:
		return scalar_has(reg->num, moved - m->regs[reg->frame][R_FP]);
	case REG_MAP_VALUE:
		return (reg->flags & F_NULL && !v) ||
		       scalar_has(reg->num, moved - (u64)(uintptr_t)m->value);
	case REG_PACKET:
		return scalar_has(reg->num, moved - m->ctx[0]) &&
		       (!reg->range || moved + reg->range <= m->ctx[1]);
	case REG_PACKET_END:
		return moved == m->ctx[1];
	default:
		return true;
	}
}

static bool slot_holds(const struct machine *m, struct links *l, const struct slot *slot,
		       const u8 *bytes)
{
	u64 v = 0;
	u32 n = 0;

	for (; n < 8 && slot->kind[n] == SLOT_SPILL; n++)
		v |= (u64)bytes[n] << 8 * n;
	for (u32 b = n; b < 8; b++)
		if (slot->kind[b] == SLOT_ZERO && bytes[b])
			return false;
	return !n || reg_holds(m, l, &slot->spilled, v);
}

static bool frame_holds(const struct machine *m, struct links *l,
			const struct claimed_frame *frame, u32 f, bool dead_too)
{
	for (u32 r = 0; r < NR_REGS; r++)
		if ((dead_too || frame->live_regs >> r & 1) &&
		    !reg_holds(m, l, &frame->regs[r], m->regs[f][r]))
			return false;
	for (u32 i = 0; i < frame->nslots; i++)
		if ((dead_too || frame->live_slots >> i & 1) &&
		    !slot_holds(m, l, &frame->stack[i],
				&m->stack[f][STACK_SIZE - 8 * (i + 1)]))
			return false;
	return true;
}

static bool claim_holds(const struct machine *m, const struct claim *claim, bool dead_too)
{
	struct links l = {.n = 0};

	if (claim->insn != m->pc || claim->nframes != m->frame + 1)
		return false;
	for (u32 f = 0; f < claim->nframes; f++)
		if (!frame_holds(m, &l, &claim->frames[f], f, dead_too))
			return false;
	return true;
}

/* --- a run --- */

/* The children of where it was that hold; where there is no child, any that holds. */
static bool advance(struct claims *c, const struct machine *m)
{
	bool child = false;

	c->next.n = 0;
	for (u32 i = 0; i < c->now.n; i++)
		for (u32 k = c->all.v[c->now.v[i]].child; k; k = c->all.v[k].sibling) {
			child |= c->all.v[k].insn == m->pc;
			if (claim_holds(m, &c->all.v[k], !c->joined))
				BUG_ON(!vec_push(&c->next, k));
		}
	c->joined |= !child;
	for (u32 k = 1; !child && k < c->all.n; k++)
		if (claim_holds(m, &c->all.v[k], false))
			BUG_ON(!vec_push(&c->next, k));
	c->now.n = 0;
	for (u32 i = 0; i < c->next.n; i++)
		BUG_ON(!vec_push(&c->now, c->next.v[i]));
	return c->now.n;
}

const char *claims_run(struct claims *c, struct machine *m, struct gen *g,
		       const struct proof *proof)
{
	machine_begin(m, g, proof);
	c->now.n = 0;
	c->joined = false;
	BUG_ON(!vec_push(&c->now, 0));
	for (u32 i = 0; i < MAX_STEP; i++) {
		const char *wrong;

		if (!advance(c, m))
			return "what is there is not what was claimed";
		wrong = machine_step(m);
		if (wrong)
			return wrong[0] ? wrong : NULL;
	}
	return "the program does not end";
}
