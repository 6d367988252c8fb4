/* SPDX-License-Identifier: MIT
 *
 * walk.c: the path-sensitive walk. One path is followed at a time; every branch that
 * could go both ways queues the other one, the last queued being walked first. There is
 * no recursion in C: the depth of a program costs memory, not stack.
 *
 * Invariants
 *  - env->cur is the state before the instruction env->insn;
 *  - the steps of env->cur lead from its parent (a stored state) to env->insn;
 *  - a state with branches > 0 is an ancestor of the current path, and only those are.
 */
#include "verify/walk.h"

enum { DEFAULT_BUDGET = 1000000, MAX_PENDING = 8192, COMMENT_COLUMN = 39 };

struct pending {
	struct state *state;
	u32 insn, prev;
};

int out_of_memory(struct env *env)
{
	return log_fail(env->log, -ENOMEM, "out of memory");
}

int push_state(struct env *env, struct state *state, u32 insn)
{
	if (env->npending >= MAX_PENDING) {
		state_free(env, state);
		return reject(env, RULE_TOO_COMPLEX, env->npending);
	}
	if (!pool_grow(env, (void **)&env->pending, &env->cap_pending, env->npending,
		       env->npending + 1, sizeof(struct pending))) {
		state_free(env, state);
		return out_of_memory(env);
	}
	if (state->parent)
		state->parent->branches++;
	env->pending[env->npending++] = (struct pending){state, insn, env->insn};
	return 0;
}

struct state *push_branch(struct env *env, u32 insn, int *err)
{
	enum isa_kind kind = isa_info(env->notes[env->insn].op)->kind;
	bool jump = kind == KIND_JMP || kind == KIND_MAY_GOTO;
	struct state *state = state_copy_at(env, env->cur, jump ? insn : UINT32_MAX);

	*err = state ? push_state(env, state, insn) : out_of_memory(env);
	return *err ? NULL : state;
}

/* The next queued branch becomes the current path; false: none is left. */
static bool next_path(struct env *env)
{
	struct pending *p;

	log_effect(env);
	path_done(env, env->cur);
	state_free(env, env->cur);
	env->cur = NULL;
	if (!env->npending)
		return false;
	p = &env->pending[--env->npending];
	env->cur = p->state;
	env->prev_insn = p->prev;
	env->insn = p->insn;
	prune_begin_path(env);
	if (log_wants(env->log, LOG_INSN)) {
		log_print(env->log, LOG_INSN, "\nfrom %u to %u:", p->prev, p->insn);
		state_print(env, env->cur, LOG_INSN);
	}
	return true;
}

/* --- the log --- */

static const char *name_of_helper(void *data, s32 id)
{
	const char *name = abi_helper_name((u32)id);

	return name ? name : "unknown";
}

static const char *name_of_ksym(void *data, s32 i)
{
	const struct image *image = data;

	return i >= 0 && (u32)i < image->nksyms ? image->ksyms[i].name : NULL;
}

static const char *name_of_map(void *data, s32 i)
{
	const struct image *image = data;

	return i >= 0 && (u32)i < image->nmaps ? image->maps[i].name : NULL;
}

const char *insn_text(struct env *env, u32 insn)
{
	struct isa_names names = {name_of_helper, name_of_ksym, name_of_map,
				  (void *)(uintptr_t)env->image};
	static const char none[] = "?";
	char *buf;

	if (!env->names)
		env->names = arena_alloc(env->arena, 8 * sizeof(env->names[0]));
	if (!env->names)
		return none;
	buf = env->names[env->name_turn++ % 8];
	isa_disasm(env->prog->insns + insn, env->prog->ninsns - insn, &names, buf,
		   sizeof(env->names[0]));
	return buf;
}

static void log_source(struct env *env)
{
	const struct image_line *line = image_line_of(env->prog, env->insn);
	u32 at = line ? (u32)(line - env->prog->lines) + 1 : 0;

	if (!line || at == env->log_line)
		return;
	env->log_line = at;
	log_print(env->log, LOG_INSN, "; %s @ %s:%u\n", line->text ? line->text : "",
		  line->file ? line->file : "?", line->line);
}

static void log_insn(struct env *env)
{
	char text[160];
	int n;

	log_source(env);
	n = snprintf(text, sizeof(text), "%u: %s", env->insn, insn_text(env, env->insn));
	log_print(env->log, LOG_INSN, "%s", text);
	env->line_width = n;
	env->line_open = true;
	env->line_broken = false;
}

void log_break(struct env *env)
{
	if (!env->line_open)
		return;
	log_print(env->log, LOG_INSN, "\n");
	env->line_open = false;
	env->line_broken = true;
}

/*
 * Behind the instruction: the registers and slots it touched. As in the kernel's log, those
 * of other instructions than jumps as the next one finds them, after a state was stored.
 */
static void note_effect(struct env *env, u32 insn, u32 frame)
{
	const struct insn *in = &env->prog->insns[insn];
	u32 op = env->notes[insn].op;
	const struct step *step = cur_step(env);
	struct effect *effect = &env->effect;

	*effect = (struct effect){insn, frame, isa_reads(in, op) | isa_writes(in, op), 0};
	if (isa_info(op)->kind == KIND_CALL)
		effect->regs = BIT(R0);
	if (step && step->flags & STEP_STACK && step->acc_frame == frame)
		effect->slots = BIT64(step->slot);
	if (isa_info(op)->kind == KIND_JMP)
		log_effect(env);
}

/* Up to the column of comments, if the line ends before. */
static int line_pad(const struct env *env)
{
	int pad = COMMENT_COLUMN - 2 - env->line_width;

	return pad > 0 ? pad : 0;
}

void log_effect(struct env *env)
{
	const struct effect *effect = &env->effect;

	if (!env->line_open && !env->line_broken)
		return;
	if (!env->cur || env->cur->nframes != effect->frame + 1) {
		log_break(env);
		return;
	}
	if (env->line_broken)
		log_print(env->log, LOG_INSN, "%u:", effect->insn);
	else
		log_print(env->log, LOG_INSN, "%*s ;", line_pad(env), "");
	frame_print(env, env->cur, effect->frame, effect->regs, effect->slots, LOG_INSN);
	log_print(env->log, LOG_INSN, "\n");
	env->line_open = env->line_broken = false;
	if (log_wants(env->log, LOG_STATE)) {
		log_print(env->log, LOG_STATE, "%u:", env->insn);
		state_print(env, env->cur, LOG_STATE);
	}
}

/* --- the loop --- */

static exec_fn *const execs[] = {
	[KIND_CAST] = exec_cast,
	[KIND_ALU] = exec_alu,		 [KIND_LD_IMM64] = exec_imm64,
	[KIND_LDX] = exec_ldx,		 [KIND_ST] = exec_st,
	[KIND_STX] = exec_stx,		 [KIND_ATOMIC] = exec_atomic,
	[KIND_LOAD_ACQ] = exec_load_acq, [KIND_STORE_REL] = exec_store_rel,
	[KIND_JMP] = exec_jmp,		 [KIND_JA] = exec_ja,
	[KIND_MAY_GOTO] = exec_may_goto, [KIND_CALL] = exec_call,
	[KIND_EXIT] = exec_exit,	 [KIND_LD_ABS] = exec_ld_abs,
};

struct step *cur_step(struct env *env)
{
	struct state *state = env->cur;

	return state && state->nsteps ? &state->steps[state->nsteps - 1] : NULL;
}

static int record_step(struct env *env)
{
	struct state *state = env->cur;

	if (!pool_grow(env, (void **)&state->steps, &state->cap_steps, state->nsteps,
		       state->nsteps + 1, sizeof(struct step)))
		return out_of_memory(env);
	state->steps[state->nsteps++] =
		(struct step){.insn = env->insn, .frame = (u8)(state->nframes - 1)};
	return 0;
}

static int exec_one(struct env *env, u32 *next)
{
	struct insn_note *note = &env->notes[env->insn];
	const struct isa_info *info = isa_info(note->op);

	if (note->writes_fp)
		return reject(env, RULE_FP_WRITE);
	note->proof.reached = true;
	*next = env->insn + isa_slots(note->op);
	return execs[info->kind](env, cur_insn(env), next);
}

/* One instruction of the current path. PATH_ENDED, 0, or an error. */
static int walk_insn(struct env *env)
{
	u32 budget = env->opts->max_insns ? env->opts->max_insns : DEFAULT_BUDGET;
	u32 insn = env->insn, frame, next;
	bool loud;
	int err;

	if (++env->insns_processed > budget)
		return reject(env, RULE_BUDGET, env->insns_processed);
	if (env->notes[insn].prune_point || env->cur->nsteps >= MAX_STEPS) {
		err = prune_visit(env);
		if (err)
			return err; /* 1 is PATH_ENDED */
	}
	TRY(record_step(env));
	if (env->opts->watch)
		env->cur->watched = env->opts->watch(env->opts->watch_data, env,
						     env->cur->watched);
	frame = env->cur->nframes - 1;
	loud = log_wants(env->log, LOG_INSN);
	if (loud) {
		log_effect(env);
		log_insn(env);
	}
	err = exec_one(env, &next);
	if (err < 0)
		return err;
	if (loud)
		note_effect(env, insn, frame);
	env->prev_insn = insn;
	env->insn = next;
	return err;
}

int walk_all(struct env *env)
{
	for (;;) {
		int err = walk_insn(env);

		if (err < 0)
			return err;
		if (err == PATH_ENDED && !next_path(env))
			return 0;
	}
}
