/* SPDX-License-Identifier: MIT
 *
 * prune.c: states stored at prune points, and when a path may stop because it comes to a
 * place in a state that has been proved already. What "covers" means is equal.c's.
 *
 * A stored state is
 *  - active while paths below it are being walked (branches > 0): it is an ancestor of
 *    the current path. Coming back to it unchanged is an endless loop; coming back to it
 *    at a call or may_goto that ends by itself (iterators: rule/iter.c) closes that loop: by induction, whatever the
 *    next iteration does has been proved if all of the rest is.
 *  - done: everything below it was accepted. Its precise marks are complete, unless
 *  - open: done, but below it a loop was closed on an ancestor that is still active. Its
 *    marks may lack what that ancestor has yet to learn, so it covers only states whose
 *    every number lies within its own, marked or not, and the path that stops there is
 *    kept (a backedge). When the outermost such ancestor is done, the marks travel along
 *    all kept paths until nothing changes; then the loop's states are done for good.
 *
 * Invariants: steps and parents of active and open states stay; a done state's steps are
 * given back. A loop head is never freed, since others point to it.
 */
#include "verify/equal.h"
#include "verify/walk.h"

enum {
	/* Between stored states; inside a loop that is being unrolled. */
	MIN_INSNS = 8,
	MIN_JUMPS = 2,
	MANY_STEPS = 32,
	LOOP_INSNS = 100,
	LOOP_JUMPS = 20,
	/* States in memory beyond which fewer are stored. */
	SPARSE_FROM = 8192,
	/* Ancestors compared at one place. */
	LOOK_CLOSELY = 8,
	LOOK_BACK = 64,
	MAX_OWNERS = 64,
};

/* A path that ended at @to, whose marks it must have once they are complete. */
struct backedge {
	struct state *from, *to, *root;
	struct backedge *next;
};

/* The outermost active ancestor that the proof of @state rests on; NULL: none. */
static struct state *open_root(const struct state *state)
{
	struct state *root = NULL;

	for (struct state *s = state->loop; s; s = s->loop)
		if (s->branches)
			root = s;
	return root;
}

bool same_frames(const struct state *a, const struct state *b)
{
	if (a->nframes != b->nframes)
		return false;
	for (u32 f = 0; f < a->nframes; f++)
		if (a->frames[f]->callsite != b->frames[f]->callsite ||
		    a->frames[f]->callback != b->frames[f]->callback)
			return false;
	return true;
}

/* --- widening --- */

static void widen_reg(const struct reg *old, struct reg *reg)
{
	u16 marks = (old->flags | reg->flags) & (F_ADDRESS | F_PART);

	if (old->base != REG_SCALAR || reg->base != REG_SCALAR || old->precise)
		return;
	if (scalar_within(old->num, reg->num) && scalar_within(reg->num, old->num))
		return;
	*reg = reg_unknown();
	reg->flags = marks;
}

static void widen_slot(const struct slot *old, struct slot *slot)
{
	if (slot_is_spill(old) && slot_is_spill(slot))
		widen_reg(&old->spilled, &slot->spilled);
}

void widen(struct env *env, u32 insn, struct state *state, const struct state *except)
{
	const struct state *old = env->places[insn].active;

	for (u32 n = 0; old && (old == except || !same_frames(old, state)); n++)
		old = n < LOOK_BACK ? old->next : NULL;
	if (!old)
		return;
	for (u32 f = 0; f < state->nframes; f++) {
		const struct frame *a = old->frames[f];
		struct frame *b = state->frames[f];

		for (u32 r = 0; r < R_FP; r++)
			widen_reg(&a->regs[r], &b->regs[r]);
		for (u32 i = 0; i < a->nslots && i < b->nslots; i++)
			widen_slot(&a->stack[i], &b->stack[i]);
	}
}

/* --- loops closed on active states --- */

static void rest_on(struct state *state, struct state *root)
{
	root->loop_head = true;
	for (; state && state != root; state = state->parent)
		if (!state->loop || root->depth < state->loop->depth)
			state->loop = root;
}

static int close_loop(struct env *env, struct state *to, struct state *root)
{
	struct backedge *edge = pool_get(env, sizeof(*edge));

	if (!edge)
		return out_of_memory(env);
	*edge = (struct backedge){state_copy(env, env->cur), to, root, env->backedges};
	if (!edge->from)
		return out_of_memory(env);
	env->backedges = edge;
	rest_on(env->cur->parent, root);
	return 0;
}

static void drop_backedges(struct env *env)
{
	struct backedge **at = &env->backedges, *edge;

	while ((edge = *at)) {
		if (edge->root->branches || open_root(edge->root)) {
			at = &edge->next;
			continue;
		}
		*at = edge->next;
		state_free(env, edge->from);
		pool_put(env, edge, sizeof(*edge));
	}
}

/* The marks go round until all loops agree. */
static void settle_loops(struct env *env)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (struct backedge *edge = env->backedges; edge; edge = edge->next)
			mark_precise_like(env, edge->from, edge->to, &changed);
	}
	drop_backedges(env);
}

/* --- the life of a stored state --- */

static void drop_steps(struct env *env, struct state *state)
{
	pool_put(env, state->steps, state->cap_steps * sizeof(struct step));
	state->steps = NULL;
	state->nsteps = state->cap_steps = 0;
}

/* From the active to the done ones: whatever was stored after it is done already, so it
 * is the newest of its place. */
static void move_to_done(struct env *env, struct state *state)
{
	struct place *place = &env->places[state->insn];

	BUG_ON(place->active != state);
	place->active = state->next;
	state->next = place->done;
	place->done = state;
}

static void state_done(struct env *env, struct state *state)
{
	move_to_done(env, state);
	if (open_root(state))
		return;
	if (state->loop_head)
		settle_loops(env);
	if (!state->loop)
		drop_steps(env, state);
}

void path_done(struct env *env, struct state *state)
{
	for (state = state->parent; state; state = state->parent) {
		BUG_ON(!state->branches);
		if (--state->branches)
			return;
		state_done(env, state);
	}
}

/* One that seldom covers anything costs more than it saves. */
static bool worthless(const struct state *state)
{
	return state->misses > 3 * state->hits + 3;
}

/* It is no longer compared; those that loops rest on stay in memory. */
static void forget(struct env *env, struct state *state)
{
	if (state->loop || state->loop_head)
		return;
	state_free(env, state);
	env->states_now--;
}

/* The place where a branch meets others again is the one to store at, be it near. */
void prune_begin_path(struct env *env)
{
	env->last_store_insns = env->insns_processed - MIN_INSNS;
	env->last_store_jumps = env->jumps_processed - MIN_JUMPS;
}

static bool want_state(struct env *env, bool unrolling)
{
	u32 insns = env->insns_processed - env->last_store_insns;
	u32 jumps = env->jumps_processed - env->last_store_jumps;
	u32 scale = 1 + env->states_now / SPARSE_FROM;

	if (env->notes[env->insn].force_state || env->opts->test_state_freq ||
	    env->cur->nsteps >= min_u32(MANY_STEPS * scale, MAX_STEPS / 2))
		return true;
	if (unrolling)
		return insns >= LOOP_INSNS * scale || jumps >= LOOP_JUMPS * scale;
	return insns >= MIN_INSNS * scale && jumps >= MIN_JUMPS;
}

/* --- links that nobody else has --- */

struct owners {
	struct {
		u32 id, n;
	} of[MAX_OWNERS];
	u32 n;
};

static u32 *owners_of(struct owners *o, u32 id)
{
	for (u32 i = 0; i < o->n; i++)
		if (o->of[i].id == id)
			return &o->of[i].n;
	if (o->n == MAX_OWNERS)
		return NULL;
	o->of[o->n].id = id;
	o->of[o->n].n = 0;
	return &o->of[o->n++].n;
}

static void count_owner(struct owners *o, struct reg *reg)
{
	u32 *n = reg->base == REG_SCALAR && reg->id ? owners_of(o, reg->id) : NULL;

	if (n)
		++*n;
}

static void cut_if_alone(struct owners *o, struct reg *reg)
{
	u32 *n = reg->base == REG_SCALAR && reg->id ? owners_of(o, reg->id) : NULL;

	if (!n || *n > 1)
		return;
	reg->id = 0;
	reg->off = 0;
}

static void each_live_number(struct env *env, struct owners *o,
			     void (*fn)(struct owners *o, struct reg *reg))
{
	struct state *state = env->cur;

	for (u32 f = 0; f < state->nframes; f++) {
		struct frame *frame = state->frames[f];
		u16 regs = live_regs_of(env, state, f, env->insn);
		u64 slots = live_slots_of(env, state, f, env->insn);

		for (u32 r = 0; r < R_FP; r++)
			if (regs & BIT(r))
				fn(o, &frame->regs[r]);
		for (u32 i = 0; i < frame->nslots; i++)
			if (slots & BIT64(i) && slot_has_spill(&frame->stack[i]))
				fn(o, &frame->stack[i].spilled);
	}
}

/*
 * A number linked with dead ones only is not linked: the link would have to be the same in
 * whatever the stored state is to cover, for nothing.
 */
static void cut_lone_links(struct env *env)
{
	struct owners o;

	o.n = 0;
	each_live_number(env, &o, count_owner);
	if (o.n)
		each_live_number(env, &o, cut_if_alone);
}

static int store_state(struct env *env)
{
	struct state *cur = env->cur, *state;
	struct step *steps = cur->steps;
	u32 nsteps = cur->nsteps, cap = cur->cap_steps;

	cut_lone_links(env);
	cur->steps = NULL;
	cur->nsteps = cur->cap_steps = 0;
	state = state_copy_at(env, cur, env->insn);
	if (!state)
		return out_of_memory(env);
	state->steps = steps;
	state->nsteps = nsteps;
	state->cap_steps = cap;
	state->insn = env->insn;
	state->depth = cur->parent ? cur->parent->depth + 1 : 0;
	state->branches = 1;
	state->next = env->places[env->insn].active;
	env->places[env->insn].active = state;
	cur->parent = state;
	for (u32 f = 0; f < cur->nframes; f++)
		cur->frames[f]->written_slots = cur->frames[f]->written = 0;
	env->last_store_insns = env->insns_processed;
	env->last_store_jumps = env->jumps_processed;
	env->states_total++;
	env->states_now++;
	if (env->states_now > env->states_peak)
		env->states_peak = env->states_now;
	return 0;
}

/* --- comparing --- */

/* Tests only: pretend not to see, now and then. */
static bool blind(struct env *env)
{
	if (env->opts->test_prune_off)
		return true;
	if (!env->opts->test_prune_random)
		return false;
	env->random = env->random * 1103515245 + 12345;
	return env->random >> 16 & 1;
}

static bool is_iter_next(const struct env *env)
{
	const struct abi_kfunc *kfunc = env->notes[env->insn].proof.kfunc;

	return kfunc && kfunc->flags & KF_ITER_NEXT;
}

/*
 * One and the same call went on to more iterations, and those around it are the same calls
 * still: one that was made anew may be made anew for ever.
 */
static bool calls_went_on(const struct state *old, const struct state *cur)
{
	for (u32 f = 0; f < cur->nframes; f++) {
		const struct frame *was = old->frames[f], *is = cur->frames[f];
		bool same = is->cb_from == (was->cb_depth ? was->cb_from : old);

		if (is->cb_depth > was->cb_depth && same)
			return true;
		if (is->cb_depth != was->cb_depth || is->cb_from != was->cb_from)
			return false;
	}
	return false;
}

/*
 * What ends by itself has gone on since @old, at this very place; not only something inside
 * the lap, which the next lap begins anew.
 */
static bool went_on(struct env *env, const struct state *old, const struct state *cur)
{
	if (is_iter_next(env))
		return iter_advanced(env, old, cur);
	if (!iters_same(old, cur))
		return false;
	if (isa_info(env->notes[env->insn].op)->kind == KIND_MAY_GOTO)
		return true;
	return calls_went_on(old, cur);
}

/* The path came back to an ancestor. 1: a loop that converged; 0: goes on. */
static int revisit(struct env *env, struct state *old)
{
	const struct state *cur = env->cur;

	if (old->loops == cur->loops) {
		if (state_covers(env, old, cur, COVER_SAME))
			return reject(env, RULE_INFINITE_LOOP, env->insn);
		return 0;
	}
	if (!env->notes[env->insn].force_state ||
	    !state_covers(env, old, cur, COVER_WITHIN))
		return 0;
	if (!went_on(env, old, cur))
		return 0;
	TRY(close_loop(env, old, old));
	stack_note_pruned(env, old, cur);
	return PATH_ENDED;
}

/* Done, maybe open. 1: it covers the current state. */
static int compare(struct env *env, struct state *old)
{
	struct state *root = open_root(old);
	bool changed;

	if (!state_covers(env, old, env->cur, root ? COVER_WITHIN : COVER_PRECISE))
		return 0;
	if (blind(env) || (root && !iters_kept(root, old, env->cur)))
		return 0;
	old->hits++;
	env->prune_hits++;
	stack_note_pruned(env, old, env->cur);
	if (root)
		TRY(close_loop(env, old, root));
	else
		mark_precise_like(env, env->cur, old, &changed);
	return PATH_ENDED;
}

/*
 * The ancestors stored here, newest first. In a long loop there are many: the newest are
 * all looked at, older ones ever more seldom; an endless loop comes back to each of them.
 */
static int visit_active(struct env *env, bool *unrolling)
{
	u32 n = 0;

	for (struct state *old = env->places[env->insn].active; old && n < LOOK_BACK;
	     old = old->next, n++) {
		int hit;

		if (n >= LOOK_CLOSELY && n & (n - 1))
			continue;
		hit = revisit(env, old);
		if (hit)
			return hit;
		*unrolling |= same_frames(old, env->cur);
	}
	return 0;
}

/* Misses count against a state only where one more would be stored: passing by often
 * between stores is no fault of it. */
static int visit_done(struct env *env, bool storing)
{
	struct state **at = &env->places[env->insn].done, *old;

	while ((old = *at)) {
		int hit = compare(env, old);

		if (hit)
			return hit;
		old->misses += storing;
		if (!worthless(old)) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		forget(env, old);
	}
	return 0;
}

int prune_visit(struct env *env)
{
	bool unrolling = false;
	int hit = visit_active(env, &unrolling);
	bool storing = !hit && want_state(env, unrolling);

	if (!hit)
		hit = visit_done(env, storing);
	if (hit > 0)
		log_effect(env);
	if (hit > 0)
		log_print(env->log, LOG_INSN, "%u: safe\n", env->insn);
	if (hit)
		return hit;
	return storing ? store_state(env) : 0;
}
