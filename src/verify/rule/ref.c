/* SPDX-License-Identifier: MIT
 *
 * ref.c: references, locks and sections end before the program does (B18-B22).
 *
 * Invariant of the walk: every reference in state->held is carried by no register, or by
 * registers with that `ref`; giving it back makes all of them unreadable.
 */
#include "verify/rule/rule.h"

/* Index of the innermost frame that is a callback; 0 when none is. */
static u32 callback_frame(const struct state *state)
{
	for (u32 i = state->nframes; i-- > 0;)
		if (state->frames[i]->callback != FRAME_CALL)
			return i;
	return 0;
}

int check_release_here(struct env *env, u32 regno, u32 ref)
{
	struct held *held = ref ? held_find(env->cur, HELD_REF, ref) : NULL;

	if (!held)
		return reject(env, RULE_RELEASE_UNREF, regno);
	if (held->frame < callback_frame(env->cur))
		return reject(env, RULE_RELEASE_CALLBACK, regno, ref);
	return 0;
}

int check_releasable(struct env *env, u32 regno, const struct reg *reg)
{
	if (!reg->ref || !held_find(env->cur, HELD_REF, reg->ref))
		return reject(env, RULE_RELEASE_UNREF, regno);
	if (reg->off || has_var_off(reg))
		return reject(env, RULE_RELEASE_OFF, regno);
	return check_release_here(env, regno, reg->ref);
}

int ref_take_or_null(struct env *env, u32 *ref)
{
	id_new(env); /* as kernels number them: people compare logs */
	return ref_take(env, ref);
}

int ref_take(struct env *env, u32 *ref)
{
	u32 id = id_new(env);

	*ref = held_add(env, HELD_REF, id, NULL);
	if (!*ref)
		return -E2BIG;
	/* Of whichever subprogram of the callback: the callback answers for it. */
	held_find(env->cur, HELD_REF, *ref)->frame = (u8)callback_frame(env->cur);
	return 0;
}

static bool in_callback(const struct state *state)
{
	return state->frames[state->nframes - 1]->callback != FRAME_CALL;
}

/* The return of a callback gives account only of what the callback took. */
static int check_refs(struct env *env, const char *what, u32 from_frame)
{
	const struct state *state = env->cur;

	for (u32 i = 0; i < state->nheld; i++) {
		const struct held *held = &state->held[i];

		if (held->kind == HELD_REF && held->frame >= from_frame)
			return reject(env, RULE_REF_LEAK, held->id, held->insn, what);
	}
	return 0;
}

int check_nothing_held(struct env *env, const char *what)
{
	const struct state *state = env->cur;

	/* Elsewhere a callback ends the whole program, or may. */
	if (!strcmp(what, "callback return") && in_callback(state) && state->nframes > 1)
		return check_refs(env, what, state->nframes - 1);
	if (held_lock(state))
		return reject(env, RULE_LOCK_OPEN, what);
	if (state->rcu_depth)
		return reject(env, RULE_RCU_OPEN, what);
	if (state->preempt_depth)
		return reject(env, RULE_PREEMPT_OPEN, what, state->preempt_depth,
			      state->preempt_depth == 1 ? " is" : "(s) are");
	return check_refs(env, what, 0);
}
