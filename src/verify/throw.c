/* SPDX-License-Identifier: MIT
 *
 * throw.c: exceptions. bpf_throw(cookie) ends the program from any depth: no frame gets to
 * clean up, so nothing may be held there. What the program then returns is the cookie, or
 * what the exception callback makes of it: a global function (u64 cookie) named by the
 * declaration tag "exception_callback:NAME" of the main function. It is verified alone, by
 * its signature, as a second end of the program, and nobody else calls it.
 *
 * What is called from elsewhere (timers, helpers, the exception itself) has no frame of the
 * program to return from: callbacks do not throw.
 */
#include "verify/walk.h"

static const char exception_tag[] = "exception_callback:";

bool is_exception_cb(const struct env *env, u32 subprog)
{
	return env->prog->subprogs[subprog].exception_cb;
}

static const char *tagged(const struct env *env, u32 *count)
{
	u32 func = env->prog->subprogs[0].func;

	*count = 0;
	if (!env->image->btf || !func)
		return NULL;
	return btf_decl_tag(env->image->btf, func, -1, exception_tag, count);
}

/* The callback that the main function names is there, and global; it is needed even when
 * nothing throws. */
int exception_check(struct env *env)
{
	u32 count;
	const char *name = tagged(env, &count);

	if (!count)
		return 0;
	if (count > 1)
		return reject(env, RULE_THROW_TAGS, subprog_name(env, 0));
	for (u32 i = 1; i < env->prog->nsubprogs; i++) {
		if (!is_exception_cb(env, i))
			continue;
		if (!env->subs[i].global)
			return reject(env, RULE_THROW_STATIC, name);
		env->subs[i].needed = env->prog->sleepable ? WALKED_ASLEEP : WALKED_AWAKE;
		return 0;
	}
	return reject(env, RULE_THROW_MISSING, name);
}

static bool has_exception_cb(const struct env *env)
{
	u32 count;

	tagged(env, &count);
	return count > 0;
}

/* Its one argument is the cookie. */
int exception_begin(struct env *env, u32 subprog)
{
	if (sig_nargs(env, subprog) != 1 || cur_reg(env, R1)->base != REG_SCALAR)
		return reject(env, RULE_THROW_ARG);
	return 0;
}

static bool callback_on_path(const struct env *env)
{
	for (u32 f = 0; f < env->cur->nframes; f++) {
		const struct frame *frame = env->cur->frames[f];

		if (frame->callback != FRAME_CALL || is_exception_cb(env, frame->subprog))
			return true;
	}
	return false;
}

int check_may_throw(struct env *env, const char *what)
{
	if (what)
		TRY(check_nothing_held(env, what));
	if (callback_on_path(env))
		return reject(env, RULE_THROW_CALLBACK, env->insn, cur_frame(env)->subprog);
	return 0;
}

int throw_exit(struct env *env, const char *name)
{
	TRY(check_may_throw(env, name));
	TRY(check_readable(env, R1));
	if (!has_exception_cb(env))
		TRY(check_prog_return(env, R1));
	return PATH_ENDED;
}
