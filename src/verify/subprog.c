/* SPDX-License-Identifier: MIT
 *
 * subprog.c: calls into the program itself, and exits. Static subprograms are walked in
 * place, frame upon frame. Global ones are walked once, alone, from what their signature
 * promises, and a call of one only keeps that promise. Callbacks: callback.c; what is
 * thrown: throw.c.
 *
 * Invariants: a caller's r6-r9 and stack are untouched by a callee but through pointers
 * it was given; no pointer to a frame's stack survives the frame.
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

const char *subprog_name(const struct env *env, u32 subprog)
{
	const char *name = env->prog->subprogs[subprog].name;

	return name ? name : "subprogram";
}

/* A fresh frame on top of @state for @subprog. */
int push_frame(struct env *env, struct state *state, u32 subprog, u32 callsite)
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
	if (sub->throws)
		TRY(check_may_throw(env, env->abi->policy.throw_leaks
						 ? NULL
						 : "global function that may throw"));
	if (env->cur->preempt_depth && env->abi->policy.preempt_no_globals)
		return reject(env, RULE_GLOBAL_PREEMPT);
	if (sub->might_sleep &&
	    (env->cur->rcu_depth || env->cur->preempt_depth || !env->cur->sleepable))
		return reject(env, RULE_GLOBAL_SLEEP, subprog_name(env, subprog));
	return 0;
}

/* Callbacks of work queues sleep though their program does not: what they call is walked
 * for them, too. Kernels believe the program. */
static u8 mode_of(const struct env *env)
{
	bool sleepable = env->abi->policy.legacy_walk ? env->prog->sleepable
						      : env->cur->sleepable;

	return sleepable ? WALKED_ASLEEP : WALKED_AWAKE;
}

static int call_global(struct env *env, u32 subprog)
{
	TRY(check_global_call(env, subprog));
	TRY(sig_check_call(env, subprog));
	env->subs[subprog].needed |= mode_of(env);
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

/* --- returns --- */

/* What programs may return: some functions' results are read as 64 bits, some as 32. */
struct ret_range {
	const char *when;
	s64 min, max;
	bool low;
};

static int check_range(struct env *env, u32 regno, struct ret_range want)
{
	const struct reg *r0 = cur_reg(env, regno);
	s64 min = want.low ? r0->num.s32min : r0->num.smin;
	s64 max = want.low ? r0->num.s32max : r0->num.smax;
	s64 least = want.low ? INT32_MIN : INT64_MIN, most = want.low ? INT32_MAX : INT64_MAX;
	char text[256];

	if (r0->base != REG_SCALAR)
		return reject(env, RULE_RET_SCALAR, want.when, regno, reg_class_name(env, r0));
	if (leaks_address(env, r0))
		return reject(env, RULE_RET_LEAK, regno);
	TRY(mark_precise(env, regno));
	if (min >= want.min && max <= want.max)
		return 0;
	if (min == least && max == most)
		snprintf(text, sizeof(text), "unknown scalar value");
	else if (min == least)
		snprintf(text, sizeof(text), "smax=%lld", (long long)max);
	else if (max == most)
		snprintf(text, sizeof(text), "smin=%lld", (long long)min);
	else
		snprintf(text, sizeof(text), "smin=%lld smax=%lld", (long long)min,
			 (long long)max);
	return reject(env, RULE_RET_RANGE, want.when, regno, text, (long long)want.min,
		      (long long)want.max);
}

int check_ret_range(struct env *env, const char *when, u32 regno, s64 min, s64 max)
{
	return check_range(env, regno, (struct ret_range){when, min, max, false});
}

static void drop_frame(struct env *env, struct state *state)
{
	frame_free(env, state->frames[--state->nframes]);
	state->frames[state->nframes] = NULL;
}

/* Slices do not outlive the stack that they may lie on, nor what the dynptr is of. */
static void lent_end(struct env *env, const struct frame *frame)
{
	dynptr_frame_ends(env->cur, frame);
	for (u32 i = 0; i < frame->nslots; i++)
		if (frame->stack[i].lent)
			lent_forget(env, frame->stack[i].lent);
}

void pop_frame(struct env *env)
{
	lent_end(env, cur_frame(env));
	drop_frame(env, env->cur);
}

/* The same; what the callee left in r0, which may have ended with its frame. */
static struct reg pop_frame_result(struct env *env)
{
	struct frame *frame = cur_frame(env);
	struct reg r0;

	lent_end(env, frame);
	r0 = frame->regs[R0];
	drop_frame(env, env->cur);
	return r0;
}

static void log_frame(struct env *env, const char *what)
{
	if (!log_wants(env->log, LOG_INSN))
		return;
	log_break(env);
	log_print(env->log, LOG_INSN, "%s\n", what);
	frame_print(env, env->cur, env->cur->nframes - 1, 0x7ff, ~0ull, LOG_INSN);
	log_print(env->log, LOG_INSN, "\n");
}

/* Of a subprogram that has a caller on this path. */
int subprog_return(struct env *env, u32 *next)
{
	struct frame *frame = cur_frame(env);
	struct reg r0;

	if (frame->regs[R0].base == REG_STACK)
		return reject(env, RULE_RET_STACK);
	if (frame->callback == FRAME_CALLBACK)
		return callback_return(env, next);
	*next = frame->callsite + 1;
	cur_step(env)->flags |= STEP_POP;
	log_frame(env, "returning from callee:");
	r0 = pop_frame_result(env);
	*cur_reg(env, R0) = r0;
	log_frame(env, "to caller:");
	return 0;
}

/* In @state the frame on top returns, as it does on this path; what its callback was lent
 * goes with it. */
static void return_in(struct env *env, struct state *state)
{
	struct state *cur = env->cur;
	u32 owner = state->frames[state->nframes - 1]->owner;

	env->cur = state;
	pop_frame(env);
	dynptr_owner_ended(env, owner);
	env->cur = cur;
}

int tail_call_return(struct env *env)
{
	const struct frame *frame = cur_frame(env);
	bool callback = frame->callback == FRAME_CALLBACK;
	struct state *state;
	int err;

	if (env->cur->nframes == 1)
		return 0;
	state = push_branch(env, frame->callsite + !callback, &err);
	if (!state)
		return err;
	state->steps[state->nsteps - 1].flags |= STEP_POP | (callback ? STEP_CB : 0);
	return_in(env, state);
	packet_forget_in(state);
	if (callback)
		widen(env, frame->callsite, state, NULL);
	else
		state->frames[state->nframes - 1]->regs[R0] = reg_unknown();
	return 0;
}

/* --- exits --- */

/* What the program as a whole returns: by its exit, or by what was thrown. */
int check_prog_return(struct env *env, u32 regno)
{
	const struct abi_prog_type *type = env->prog->type;

	if (type && type->ret_btf)
		return ops_check_null(env, regno);
	if (leaks_address(env, cur_reg(env, regno)))
		return reject(env, RULE_RET_LEAK, regno);
	if (type && type->has_ret_range)
		return check_range(env, regno,
				   (struct ret_range){"program exit", type->ret_min,
						      type->ret_max, type->ret_32bit});
	return 0;
}

static int check_main_exit(struct env *env)
{
	const struct frame *frame = cur_frame(env);

	if (frame->callback == FRAME_ASYNC)
		return check_ret_range(env, "async callback return", R0, frame->ret_min,
				       frame->ret_max);
	if (frame->subprog && !is_exception_cb(env, frame->subprog))
		return sig_check_return(env, frame->subprog); /* alone */
	return check_prog_return(env, R0);
}

static bool returns_nothing(struct env *env)
{
	const struct frame *frame = cur_frame(env);

	return frame->subprog && frame->callback == FRAME_CALL &&
	       !is_exception_cb(env, frame->subprog) &&
	       env->subs[frame->subprog].global && !sig_returns(env, frame->subprog);
}

int exec_exit(struct env *env, const struct insn *insn, u32 *next)
{
	struct frame *frame = cur_frame(env);
	bool main = !frame->subprog && frame->callback == FRAME_CALL;

	env->jumps_processed++;
	if (frame->callback != FRAME_CALL)
		TRY(check_nothing_held(env, "callback return"));
	if (env->cur->nframes > 1)
		return subprog_return(env, next);
	if (main && env->prog->type && env->prog->type->ret_btf)
		TRY(ops_return(env));
	TRY(check_nothing_held(env, "BPF_EXIT instruction in main prog"));
	if (!returns_nothing(env) && !(main && env->prog->type && env->prog->type->no_ret)) {
		TRY(check_readable(env, R0));
		TRY(check_main_exit(env));
	}
	return PATH_ENDED;
}

/* --- beginnings --- */

int begin_state(struct env *env, u32 subprog)
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
	TRY(begin_state(env, 0));
	env->cur->frames[0]->regs[R1] = reg_pointer(REG_CTX, 0);
	return ops_begin(env);
}

int global_state(struct env *env, u32 subprog, bool sleepable)
{
	TRY(begin_state(env, subprog));
	env->cur->sleepable = sleepable;
	TRY(sig_begin(env, subprog));
	return is_exception_cb(env, subprog) ? exception_begin(env, subprog) : 0;
}
