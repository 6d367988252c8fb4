/* SPDX-License-Identifier: MIT
 *
 * subprog.c: calls into the program itself. Static subprograms are walked in place, frame
 * upon frame. Global ones are walked once, alone, from what their signature promises, and
 * a call of one only keeps that promise. Callbacks are walked as if the call that takes
 * them went around them: each return executes the call again.
 *
 * Invariants: a caller's r6-r9 and stack are untouched by a callee but through pointers
 * it was given; no pointer to a frame's stack survives the frame.
 */
#include "verify/walk.h"

static const char *subprog_name(const struct env *env, u32 subprog)
{
	const char *name = env->prog->subprogs[subprog].name;

	return name ? name : "subprogram";
}

/* A fresh frame on top of @state for @subprog. */
static int push_frame(struct env *env, struct state *state, u32 subprog, u32 callsite)
{
	struct frame *frame;

	if (state->nframes >= MAX_FRAMES)
		return reject(env, RULE_CALL_DEPTH, state->nframes + 1);
	frame = frame_new(env);
	if (!frame)
		return out_of_memory(env);
	frame->callsite = callsite;
	frame->subprog = subprog;
	frame->regs[R_FP] = reg_pointer(REG_STACK, 0);
	frame->regs[R_FP].frame = state->nframes;
	state->frames[state->nframes++] = frame;
	return 0;
}

/* --- calls of static subprograms --- */

static int call_static(struct env *env, u32 subprog, u32 *next)
{
	struct frame *caller = cur_frame(env), *callee;

	TRY(push_frame(env, env->cur, subprog, env->insn));
	callee = cur_frame(env);
	for (u32 r = R1; r <= R5; r++) {
		callee->regs[r] = caller->regs[r];
		caller->regs[r] = reg_none();
	}
	caller->regs[R0] = reg_none();
	cur_step(env)->flags |= STEP_PUSH;
	*next = env->prog->subprogs[subprog].start;
	return 0;
}

/* --- calls of global ones --- */

static int check_global_call(struct env *env, u32 subprog)
{
	const struct subprog_note *sub = &env->subs[subprog];

	if (held_lock(env->cur))
		return reject(env, RULE_GLOBAL_LOCK);
	if (sub->might_sleep &&
	    (env->cur->rcu_depth || env->cur->preempt_depth || !env->cur->sleepable))
		return reject(env, RULE_GLOBAL_SLEEP, subprog_name(env, subprog));
	return 0;
}

static int call_global(struct env *env, u32 subprog)
{
	TRY(check_global_call(env, subprog));
	TRY(sig_check_call(env, subprog));
	env->subs[subprog].needed = true;
	if (env->subs[subprog].changes_packet)
		packet_forget(env);
	for (u32 r = R0; r <= R5; r++)
		set_reg(env, r, reg_none());
	if (sig_returns(env, subprog))
		set_reg(env, R0, reg_unknown());
	return 0;
}

int call_subprog(struct env *env, const struct insn *insn, u32 *next)
{
	s32 subprog = subprog_at(env, jump_target(env, env->insn));

	BUG_ON(subprog < 0); /* cfg.c */
	if (env->subs[subprog].global)
		return call_global(env, (u32)subprog);
	return call_static(env, (u32)subprog, next);
}

/* --- callbacks --- */

struct callback_shape {
	bool async;
	s64 ret_max;
};

static const struct callback_shape shapes[] = {
	[CB_NONE] = {false, 1},
	[CB_LOOP] = {false, 1},
	[CB_MAP_ELEM] = {false, 1},
	[CB_TIMER] = {true, 0},
	[CB_WQ] = {true, 0},
	[CB_FIND_VMA] = {false, 1},
	[CB_USER_RINGBUF] = {false, 1},
	[CB_RBTREE_LESS] = {false, 1},
};

static void set_callback(struct frame *frame, enum callback_kind kind,
			 const struct reg *args)
{
	for (u32 i = 0; i < 5; i++)
		frame->regs[R1 + i] = args[i];
	frame->cb_kind = (u8)kind;
	frame->callback = shapes[kind].async ? FRAME_ASYNC : FRAME_CALLBACK;
	frame->ret_ranged = true;
	frame->ret_max = shapes[kind].ret_max;
}

/* Alone, later, with nothing of the current path. */
static int push_async(struct env *env, u32 subprog, enum callback_kind kind,
		      const struct reg *args)
{
	struct state *state = state_new(env);
	int err;

	if (!state)
		return out_of_memory(env);
	state->sleepable = kind == CB_WQ;
	env->subs[subprog].async = true;
	err = push_frame(env, state, subprog, UINT32_MAX);
	if (err) {
		state_free(env, state);
		return err;
	}
	set_callback(state->frames[0], kind, args);
	return push_state(env, state, env->prog->subprogs[subprog].start);
}

/* bpf_loop() with a known bound: no more iterations than that need walking. */
static int iterations_left(struct env *env, enum callback_kind kind, bool *left)
{
	const struct reg *count = cur_reg(env, R1);

	*left = true;
	if (kind != CB_LOOP || count->base != REG_SCALAR)
		return 0;
	TRY(mark_precise(env, R1));
	*left = cur_frame(env)->cb_depth < count->num.umax;
	return 0;
}

/* A callback of a callback of ... is a recursion no stack bounds. */
static int check_callback_nesting(struct env *env, u32 subprog)
{
	for (u32 f = 0; f < env->cur->nframes; f++)
		if (env->cur->frames[f]->subprog == subprog)
			return reject(env, RULE_RECURSION, subprog_name(env, subprog),
				      subprog_name(env, subprog));
	return 0;
}

int call_callback(struct env *env, u32 subprog, enum callback_kind kind,
		  const struct reg *args)
{
	u32 start = env->prog->subprogs[subprog].start;
	struct state *state;
	bool left;
	int err;

	if (shapes[kind].async)
		return push_async(env, subprog, kind, args);
	TRY(check_callback_nesting(env, subprog));
	TRY(iterations_left(env, kind, &left));
	if (!left) {
		cur_frame(env)->cb_depth = 0;
		return 0;
	}
	state = push_branch(env, start, &err);
	if (!state)
		return err;
	state->loops++;
	state->frames[state->nframes - 1]->cb_depth++;
	/* The pending copy's own last step enters the callback; ours goes on. */
	state->steps[state->nsteps - 1].flags |= STEP_PUSH | STEP_CB;
	TRY(push_frame(env, state, subprog, env->insn));
	set_callback(state->frames[state->nframes - 1], kind, args);
	cur_frame(env)->cb_depth = 0;
	return 0;
}

/* --- returns --- */

static int check_range(struct env *env, const char *when, s64 min, s64 max)
{
	const struct reg *r0 = cur_reg(env, R0);
	char text[256];

	if (r0->base != REG_SCALAR)
		return reject(env, RULE_RET_SCALAR, when, reg_class_name(env, r0));
	TRY(mark_precise(env, R0));
	if (r0->num.smin >= min && r0->num.smax <= max)
		return 0;
	if (r0->num.smin == INT64_MIN && r0->num.smax == INT64_MAX)
		snprintf(text, sizeof(text), "unknown scalar value");
	else if (r0->num.smin == INT64_MIN)
		snprintf(text, sizeof(text), "smax=%lld", (long long)r0->num.smax);
	else if (r0->num.smax == INT64_MAX)
		snprintf(text, sizeof(text), "smin=%lld", (long long)r0->num.smin);
	else
		snprintf(text, sizeof(text), "smin=%lld smax=%lld",
			 (long long)r0->num.smin, (long long)r0->num.smax);
	return reject(env, RULE_RET_RANGE, when, text, (long long)min, (long long)max);
}

static void pop_frame(struct env *env)
{
	struct state *state = env->cur;

	frame_free(env, state->frames[--state->nframes]);
	state->frames[state->nframes] = NULL;
}

static int return_from_callback(struct env *env, const struct frame *frame, u32 *next)
{
	u32 callsite = frame->callsite;

	TRY(check_readable(env, R0));
	TRY(check_range(env, "callback return", frame->ret_min, frame->ret_max));
	cur_step(env)->flags |= STEP_POP | STEP_CB;
	pop_frame(env);
	widen(env, callsite, env->cur, NULL);
	*next = callsite;
	return 0;
}

/* Of a subprogram that has a caller on this path. */
int subprog_return(struct env *env, u32 *next)
{
	struct frame *frame = cur_frame(env);
	struct reg r0 = frame->regs[R0];

	if (r0.base == REG_STACK)
		return reject(env, RULE_RET_STACK);
	if (frame->callback == FRAME_CALLBACK)
		return return_from_callback(env, frame, next);
	*next = frame->callsite + 1;
	cur_step(env)->flags |= STEP_POP;
	pop_frame(env);
	*cur_reg(env, R0) = r0;
	return 0;
}

/* --- exits --- */

static int check_main_exit(struct env *env)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct frame *frame = cur_frame(env);

	if (frame->callback == FRAME_ASYNC)
		return check_range(env, "async callback", frame->ret_min, frame->ret_max);
	if (frame->subprog) /* a global subprogram, alone */
		return sig_check_return(env, frame->subprog);
	if (reg_is_pointer(cur_reg(env, R0)) && !env->abi->policy.ptr_leaks)
		return reject(env, RULE_RET_LEAK);
	if (type && type->has_ret_range)
		return check_range(env, "program exit", type->ret_min, type->ret_max);
	return 0;
}

static bool returns_nothing(struct env *env)
{
	const struct frame *frame = cur_frame(env);

	return frame->subprog && frame->callback == FRAME_CALL &&
	       env->subs[frame->subprog].global && !sig_returns(env, frame->subprog);
}

int exec_exit(struct env *env, const struct insn *insn, u32 *next)
{
	struct frame *frame = cur_frame(env);

	if (frame->callback != FRAME_CALL)
		TRY(check_nothing_held(env, "callback return"));
	if (env->cur->nframes > 1)
		return subprog_return(env, next);
	TRY(check_nothing_held(env, "BPF_EXIT instruction in main prog"));
	if (!returns_nothing(env)) {
		TRY(check_readable(env, R0));
		TRY(check_main_exit(env));
	}
	return PATH_ENDED;
}

/* --- beginnings --- */

static int begin(struct env *env, u32 subprog)
{
	env->cur = state_new(env);
	if (!env->cur)
		return out_of_memory(env);
	env->cur->sleepable = env->prog->sleepable;
	env->insn = env->prev_insn = env->prog->subprogs[subprog].start;
	return push_frame(env, env->cur, subprog, UINT32_MAX);
}

int main_state(struct env *env)
{
	TRY(begin(env, 0));
	env->cur->frames[0]->regs[R1] = reg_pointer(REG_CTX, 0);
	return 0;
}

int global_state(struct env *env, u32 subprog)
{
	TRY(begin(env, subprog));
	return sig_begin(env, subprog);
}
