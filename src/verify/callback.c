/* SPDX-License-Identifier: MIT
 *
 * callback.c: subprograms that helpers and host functions call.
 *
 * A synchronous callback is walked as if the call that takes it went around it: each
 * return executes the call again, so that any number of iterations is covered. What an
 * asynchronous one (of a timer, a work queue) is called with is queued; when the program
 * has been walked, verify.c walks what is queued, each alone, with nothing held: each
 * distinct pair of subprogram and registers once.
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

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

/* What is to be walked later, alone. */
struct async {
	u32 subprog;
	u8 kind; /* enum callback_kind */
	struct reg args[5];
	struct async *next;
};

/* What it is handed only for the call: a dynptr, or a key, which may be a variable of the
 * engine's (array maps) or of an element that is gone later. */
static u32 lent(struct reg *args)
{
	if (args[0].base == REG_DYNPTR)
		return args[0].id;
	if (args[1].base != REG_MAP_KEY)
		return 0;
	args[1].owner = args[2].id; /* the value beside it */
	return args[1].owner;
}

static void set_callback(struct frame *frame, enum callback_kind kind,
			 const struct reg *args)
{
	for (u32 i = 0; i < 5; i++)
		frame->regs[R1 + i] = args[i];
	frame->owner = lent(&frame->regs[R1]);
	frame->cb_kind = (u8)kind;
	frame->callback = shapes[kind].async ? FRAME_ASYNC : FRAME_CALLBACK;
	frame->ret_ranged = true;
	frame->ret_max = shapes[kind].ret_max;
}

/* --- later, alone --- */

/* Map pointers and numbers: which element of which map is all there may be to know. An inner
 * map is not the one it is like. */
static bool same_arg(const struct reg *a, const struct reg *b)
{
	return a->base == b->base && a->flags == b->flags && a->off == b->off &&
	       (a->base < REG_MAP || (a->map == b->map && !a->map_uid == !b->map_uid));
}

static bool same_async(const struct async *a, u32 subprog, enum callback_kind kind,
		       const struct reg *args)
{
	if (a->subprog != subprog || a->kind != kind)
		return false;
	for (u32 i = 0; i < 5; i++)
		if (!same_arg(&a->args[i], &args[i]))
			return false;
	return true;
}

/* Nothing of the current path goes with it, so the same call need not be walked twice. */
static int queue_async(struct env *env, u32 subprog, enum callback_kind kind,
		       const struct reg *args)
{
	struct async **at = &env->asyncs;

	for (; *at; at = &(*at)->next)
		if (same_async(*at, subprog, kind, args))
			return 0;
	*at = arena_new_of(env->arena, struct async);
	if (!*at)
		return out_of_memory(env);
	**at = (struct async){.subprog = subprog, .kind = (u8)kind};
	memcpy((*at)->args, args, sizeof((*at)->args));
	env->subs[subprog].async = true;
	return 0;
}

bool has_work(const struct env *env)
{
	const struct async *a = env->asyncs;

	while (a && a->kind != CB_WQ)
		a = a->next;
	return a;
}

int async_state(struct env *env, const struct async **at)
{
	const struct async *a = *at ? (*at)->next : env->asyncs;

	if (!a)
		return 0;
	*at = a;
	TRY(begin_state(env, a->subprog));
	env->cur->sleepable = a->kind == CB_WQ;
	set_callback(env->cur->frames[0], a->kind, a->args);
	return ASYNC_READY;
}

/* --- now, any number of times --- */

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
		return queue_async(env, subprog, kind, args);
	TRY(check_callback_nesting(env, subprog));
	if (!cur_frame(env)->cb_depth)
		cur_frame(env)->cb_from = env->cur->parent;
	TRY(iterations_left(env, kind, &left));
	if (!left) {
		cur_frame(env)->cb_depth = 0;
		cur_frame(env)->cb_from = NULL;
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
	cur_frame(env)->cb_from = NULL;
	return 0;
}

int callback_return(struct env *env, u32 *next)
{
	const struct frame *frame = cur_frame(env);
	u32 callsite = frame->callsite;

	TRY(check_readable(env, R0));
	TRY(check_ret_range(env, "callback return", R0, frame->ret_min, frame->ret_max));
	cur_step(env)->flags |= STEP_POP | STEP_CB;
	dynptr_owner_ended(env, frame->owner);
	pop_frame(env);
	widen(env, callsite, env->cur, NULL);
	*next = callsite;
	return 0;
}
