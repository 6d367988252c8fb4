/* SPDX-License-Identifier: MIT
 *
 * jit.c: a unit of native code: the programs of one object, packed into one block.
 */
#include "jit/jit.h"
#include "base/arena.h"

enum {
	INSN_ROOM = 48,	  /* more than the longest sequence but a few; see -ENOSPC */
	SUB_ROOM = 512,	  /* prologues that clear a whole stack */
	PROG_ALIGN = 32,
};

struct added {
	struct code *code;
	u32 start, callbacks; /* offset in the block; index in `callback` */
};

struct jit {
	struct jit_rt rt;
	struct jit_mem *mem;
	struct plan plan;
	struct jit_out out;
	VEC(u32) insn_at;
	VEC(u32) callback;
	VEC(struct added) added;
};

struct jit *jit_begin(const struct jit_rt *rt, u32 ninsns, u32 nsubprogs, int *err)
{
	size_t size = (size_t)ninsns * INSN_ROOM + (size_t)nsubprogs * SUB_ROOM + 4096;
	struct jit *jit = calloc(1, sizeof(*jit));

	*err = -ENOMEM;
	if (!jit)
		return NULL;
	jit->rt = *rt;
	jit->mem = jit_mem_new((const void *)rt->put, size, err);
	if (!jit->mem) {
		free(jit);
		return NULL;
	}
	jit->out.start = jit->out.at = jit_mem_start(jit->mem);
	jit->out.end = jit->out.at + jit_mem_size(jit->mem);
	return jit;
}

static u8 *align(u8 *at, const u8 *end)
{
	u8 *to = (u8 *)ROUND_UP((uintptr_t)at, PROG_ALIGN);

	to = to < end ? to : at;
	memset(at, 0xcc, (size_t)(to - at));
	return to;
}

static bool reserve(struct jit *jit, const struct code *code)
{
	if (!vec_reserve(&jit->callback, code->nsubprogs) || !vec_reserve(&jit->added, 1) ||
	    !plan_make(&jit->plan, code))
		return false;
	jit->insn_at.n = 0;
	return vec_reserve(&jit->insn_at, code->ninsns + 1);
}

static void note_frames(struct code *code, u32 start)
{
	for (u32 i = 0; i < code->nsubprogs; i++) {
		struct code_frame *frame = &code->frames[i];

		if (!frame->size)
			continue;
		frame->start -= start;
		frame->entry -= start;
		frame->body -= start;
		frame->end -= start;
	}
}

/* Code that was made by hand has no arena, and nobody who asks. */
static bool note_places(struct code *code, const u32 *insn_at, u32 start)
{
	if (!code->arena)
		return true;
	note_frames(code, start);
	code->native_at = arena_array(code->arena, code->ninsns, sizeof(insn_at[0]));
	for (u32 i = 0; code->native_at && i < code->ninsns; i++)
		code->native_at[i] = insn_at[i] - start;
	return code->native_at != NULL;
}

int jit_add(struct jit *jit, struct log *log, struct code *code)
{
	u32 nfixes = jit->out.fixes.n;
	u8 *before = jit->out.at, *start;
	int err;

	if (!reserve(jit, code))
		return log_fail(log, -ENOMEM, "out of memory");
	jit->out.insn_at = jit->insn_at.v;
	jit->out.callback = jit->callback.v + jit->callback.n;
	jit->out.at = start = align(jit->out.at, jit->out.end);
	jit->out.frames = NULL;
	if (code->arena) {
		code->frames = arena_array(code->arena, code->nsubprogs, sizeof(code->frames[0]));
		if (!code->frames)
			return log_fail(log, -ENOMEM, "out of memory");
		jit->out.frames = code->frames;
	}
	err = jit_generate(&jit->rt, log, &jit->plan, &jit->out);
	if (err) {
		jit->out.at = before;
		jit->out.fixes.n = nfixes;
		return err;
	}
	code->native_size = (u32)(jit->out.at - start);
	if (!note_places(code, jit->insn_at.v, (u32)(start - jit->out.start))) {
		jit->out.at = before;
		jit->out.fixes.n = nfixes;
		return log_fail(log, -ENOMEM, "out of memory");
	}
	vec_push(&jit->added, (struct added){code, (u32)(start - jit->out.start),
					     jit->callback.n});
	jit->callback.n += code->nsubprogs;
	return 0;
}

static code_native *native_at(const struct jit *jit, u32 off)
{
	return (code_native *)(uintptr_t)(jit->out.start + off);
}

static void publish(const struct jit *jit, const struct added *added)
{
	struct code *code = added->code;

	code->native = native_at(jit, added->start);
	code->direct = code->metered ? NULL : code->native;
	for (u32 i = 0; i < code->nsubprogs; i++) {
		u32 off = jit->callback.v[added->callbacks + i];

		code->funcs[i].native = off ? native_at(jit, off) : NULL;
	}
}

/* What was only needed to get here. */
static void drop_scratch(struct jit *jit)
{
	plan_free(&jit->plan);
	vec_free(&jit->insn_at);
	vec_free(&jit->callback);
	vec_free(&jit->added);
	vec_free(&jit->out.fixes);
}

int jit_seal(struct jit *jit, struct log *log)
{
	int err = jit_mem_seal(jit->mem, (size_t)(jit->out.at - jit->out.start),
			       jit->out.fixes.v, jit->out.fixes.n);

	for (u32 i = 0; i < jit->added.n && !err; i++)
		publish(jit, &jit->added.v[i]);
	drop_scratch(jit);
	if (err)
		return log_fail(log, err, "memory cannot be made executable: %s",
				strerror(-err));
	return 0;
}

void jit_free(struct jit *jit)
{
	if (!jit)
		return;
	drop_scratch(jit);
	jit_mem_free(jit->mem);
	free(jit);
}
