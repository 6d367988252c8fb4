/* SPDX-License-Identifier: MIT
 *
 * verify.c: image in, proof out. The passes, in order:
 *
 *	cfg_check	structure, once per instruction	     cfg.c
 *	exception_check	the exception callback is there	     throw.c
 *	live_compute	what may still be read		     live.c
 *	walk		the program, then each callback that
 *			runs later and each global
 *			subprogram that something called     walk.c
 *	cfg_stack	the deepest chain of frames	     cfg.c
 *	make_proof	what lower may rely on
 *
 * Everything of a verification lives in one arena and goes with it, on every way out; the
 * proof has an arena of its own.
 */
#include "verify/walk.h"
#include "abi/format.h"

#include <time.h>

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

static int env_init(struct env *env)
{
	u32 n = env->prog->ninsns;

	env->arena = arena_new();
	if (!env->arena)
		return out_of_memory(env);
	env->notes = arena_array(env->arena, (size_t)n + 1, sizeof(*env->notes));
	env->subs = arena_array(env->arena, env->prog->nsubprogs, sizeof(*env->subs));
	env->places = arena_array(env->arena, n, sizeof(*env->places));
	if (!env->notes || !env->subs || !env->places)
		return out_of_memory(env);
	for (u32 i = 0; i < n; i++)
		env->notes[i].proof.map = -1;
	env->random = n * 2654435761u + 1;
	return 0;
}

/* --- the walks --- */

static int walk_from(struct env *env, int err)
{
	env->log_line = 0;
	if (!err && log_wants(env->log, LOG_INSN)) {
		log_print(env->log, LOG_INSN, "%u:", env->insn);
		state_print(env, env->cur, LOG_INSN);
	}
	return err ? err : walk_all(env);
}

/* Queued by what was walked so far. */
static int walk_asyncs(struct env *env, const struct async **at)
{
	int err;

	while ((err = async_state(env, at)) == ASYNC_READY) {
		log_print(env->log, LOG_INSN, "\nValidating async callback func#%u...\n",
			  env->cur->frames[0]->subprog);
		TRY(walk_from(env, 0));
	}
	return err;
}

/* Global subprograms call one another: until no new one is needed. */
static int walk_globals(struct env *env)
{
	const struct async *at = NULL;

	TRY(walk_asyncs(env, &at));
	for (u32 i = 1; i < env->prog->nsubprogs; i++) {
		struct subprog_note *sub = &env->subs[i];
		u8 mode = sub->needed & (u8)~sub->checked;

		if (!sub->global || !mode)
			continue;
		mode = mode & WALKED_AWAKE ? WALKED_AWAKE : WALKED_ASLEEP;
		sub->checked |= mode;
		log_print(env->log, LOG_INSN, "\nValidating %s() func#%u...\n",
			  env->prog->subprogs[i].name, i);
		TRY(walk_from(env, global_state(env, i, mode == WALKED_ASLEEP)));
		TRY(walk_asyncs(env, &at));
		i = 0;
	}
	return 0;
}

static int run_passes(struct env *env, u16 *depths, u32 *max_stack)
{
	TRY(cfg_check(env));
	TRY(check_maps_used(env));
	TRY(exception_check(env));
	TRY(live_compute(env));
	TRY(walk_from(env, main_state(env)));
	TRY(walk_globals(env));
	env->cur = NULL;
	return cfg_stack(env, depths, max_stack);
}

/* --- the proof --- */

static void finish_insn(struct proof_insn *out, const struct insn_note *note)
{
	*out = note->proof;
	out->branch = note->went == WENT_TAKEN ? 1 : note->went == WENT_ON ? 0 : -1;
}

/* Fields of the program's own structs were found by this verification: they go with it. */
static bool keep_field(struct arena *arena, struct proof_insn *at)
{
	struct field *field;

	if (!at->field)
		return true;
	field = arena_memdup(arena, at->field, sizeof(*field));
	if (!field)
		return false;
	field->path = field->path ? arena_strdup(arena, field->path) : NULL;
	at->field = field;
	return true;
}

static bool keep_format(struct arena *arena, struct proof_insn *at)
{
	if (!at->format)
		return true;
	at->format = arena_memdup(arena, at->format, sizeof(*at->format));
	return at->format;
}

static bool finish_insns(struct env *env, struct proof *proof)
{
	u32 n = proof->ninsns;

	for (u32 i = 0; i < n; i++) {
		finish_insn(&proof->at[i], &env->notes[i]);
		if (!keep_field(proof->arena, &proof->at[i]) ||
		    !keep_format(proof->arena, &proof->at[i]))
			return false;
		if (env->notes[i].op == OP_BAD && i) /* the second half of an immediate */
			proof->at[i].reached = proof->at[i - 1].reached;
	}
	return true;
}

static struct proof *new_proof(struct env *env, const u16 *depths)
{
	struct arena *arena = arena_new();
	struct proof *proof = arena ? arena_new_of(arena, struct proof) : NULL;

	if (!proof)
		goto fail;
	proof->arena = arena;
	proof->image = env->image;
	proof->prog = env->prog;
	proof->insns = env->prog->insns;
	proof->ninsns = env->prog->ninsns;
	proof->uses_packet_writes = env->packet_writes;
	proof->sleeps = env->prog->sleepable || has_work(env);
	proof->at = arena_array(arena, proof->ninsns, sizeof(*proof->at));
	proof->stack_depth =
		arena_memdup(arena, depths, env->prog->nsubprogs * sizeof(*depths));
	proof->stack_unwritten =
		arena_array(arena, env->prog->nsubprogs, sizeof(proof->stack_unwritten[0]));
	if (!proof->at || !proof->stack_depth || !proof->stack_unwritten ||
	    !finish_insns(env, proof))
		goto fail;
	for (u32 i = 0; i < env->prog->nsubprogs; i++)
		proof->stack_unwritten[i] = env->subs[i].unwritten;
	return proof;
fail:
	arena_free(arena);
	return NULL;
}

/* --- entries --- */

static void take_stats(const struct env *env, struct verify_stats *stats, u64 start)
{
	if (!stats)
		return;
	*stats =
		(struct verify_stats){.insns = env->insns_processed,
				      .states = env->states_total,
				      .peak_states = env->states_peak,
				      .time_ns = now_ns() - start,
				      .memory = env->arena ? arena_bytes(env->arena) : 0};
}

/* What each subprogram uses, as far as the walk came. */
static void log_stack(const struct env *env, struct log *log)
{
	if (!env->subs || !log_wants(log, LOG_INSN))
		return;
	log_print(log, LOG_INSN, "stack depth ");
	for (u32 i = 0; i < env->prog->nsubprogs; i++)
		log_print(log, LOG_INSN, "%s%u", i ? "+" : "", env->subs[i].stack_depth);
	log_print(log, LOG_INSN, "\n");
}

static int verify_env(struct env *env, struct proof **out)
{
	u32 max_stack = 0;
	u16 *depths;
	int err = env_init(env);

	if (err)
		return err;
	depths = arena_array(env->arena, env->prog->nsubprogs, sizeof(*depths));
	if (!depths)
		return out_of_memory(env);
	TRY(run_passes(env, depths, &max_stack));
	*out = new_proof(env, depths);
	if (!*out)
		return out_of_memory(env);
	(*out)->max_stack = max_stack;
	return 0;
}

int verify(struct arena *arena, struct log *log, const struct image *image,
	   const struct image_prog *prog, const struct verify_opts *opts,
	   struct proof **out, struct rejection *why, struct verify_stats *stats)
{
	static const struct verify_opts defaults;
	u64 start = now_ns();
	struct env env = {.out = arena,
			  .log = log,
			  .abi = image->abi,
			  .image = image,
			  .prog = prog,
			  .opts = opts ? opts : &defaults,
			  .why = why};
	int err;

	*out = NULL;
	if (why)
		memset(why, 0, sizeof(*why));
	if (!prog->nsubprogs || !prog->ninsns)
		return log_fail(log, -EINVAL, "program without instructions");
	err = verify_env(&env, out);
	log_stack(&env, log);
	log_print(log, LOG_INSN,
		  "processed %u insns (limit %u) total_states %u peak_states %u\n",
		  env.insns_processed,
		  env.opts->max_insns ? env.opts->max_insns : 1000000, env.states_total,
		  env.states_peak);
	take_stats(&env, stats, start);
	arena_free(env.arena);
	return err;
}
