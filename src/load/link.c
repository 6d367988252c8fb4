/* SPDX-License-Identifier: MIT
 *
 * link.c: makes each program whole: its own instructions, then every subprogram it calls
 * or takes the address of, each once, in the order they are met.
 */
#include "load/load.h"

enum { MAX_INSNS = 1000000, MAX_LINKED = 16 * MAX_INSNS };

struct linking {
	struct loader *ld;
	VEC(struct insn) insns;
	VEC(struct load_func *) funcs; /* in the program so far; each has .at */
	const struct load_func *exception_cb; /* one of them, or NULL */
};

static void forget(struct linking *l)
{
	for (u32 i = 0; i < l->funcs.n; i++)
		l->funcs.v[i]->at = -1;
	vec_free(&l->funcs);
	vec_free(&l->insns);
}

static int append(struct linking *l, struct load_func *func)
{
	struct loader *ld = l->ld;
	u32 n = func->end - func->start;

	if (l->insns.n + n > MAX_INSNS)
		return load_fail(ld, -E2BIG, "'%s' and its subprograms have more than %u "
				 "instructions", l->funcs.n ? l->funcs.v[0]->name : func->name,
				 MAX_INSNS);
	/* Each program has its own copy of what it calls. */
	ld->linked += n;
	if (ld->linked > MAX_LINKED)
		return load_fail(ld, -E2BIG, "all programs together have more than %u "
				 "instructions", MAX_LINKED);
	if (!vec_reserve(&l->insns, n) || !vec_push(&l->funcs, func))
		return load_nomem(ld);
	func->at = (s32)l->insns.n;
	memcpy(l->insns.v + l->insns.n, ld->secs[func->sec].insns + func->start,
	       n * sizeof(struct insn));
	l->insns.n += n;
	return 0;
}

/* Appends what instruction @i of @func refers to, and points it there. */
static int link_insn(struct linking *l, struct load_func *func, u32 i)
{
	struct load_func *target;
	struct insn *insn;
	u32 at = (u32)func->at + i;

	TRY(reloc_target(l->ld, func->sec, func->start + i, &target));
	if (!target)
		return 0;
	if (target->at < 0)
		TRY(append(l, target));
	insn = &l->insns.v[at]; /* append() may have moved them */
	if (insn->code == 0x18) {
		insn[0].src = IMM_FUNC;
		insn[1].imm = 0;
	}
	insn->imm = target->at - (s32)at - 1;
	return 0;
}

/* What the program names as its exception callback belongs to it, called or not. When
 * there is none of the name, the verifier will say so. */
static int append_exception_cb(struct linking *l, const struct load_func *main)
{
	struct loader *ld = l->ld;
	const char *name = NULL;
	u32 count;

	if (ld->image->btf && main->func)
		name = btf_decl_tag(ld->image->btf, main->func, -1, "exception_callback:",
				    &count);
	for (u32 i = 0; name && i < ld->funcs.n; i++) {
		struct load_func *func = &ld->funcs.v[i];

		if (strcmp(func->name, name) || func->at >= 0)
			continue;
		l->exception_cb = func;
		return append(l, func);
	}
	return 0;
}

static int link_all(struct linking *l, struct load_func *main)
{
	TRY(append(l, main));
	TRY(append_exception_cb(l, main));
	for (u32 f = 0; f < l->funcs.n; f++) {
		struct load_func *func = l->funcs.v[f];
		const struct insn *insns = l->ld->secs[func->sec].insns + func->start;

		for (u32 i = 0; i < func->end - func->start; i++) {
			TRY(link_insn(l, func, i));
			i += insns[i].code == 0x18; /* not its second half */
		}
	}
	return 0;
}

static u32 count_lines(const struct loader *ld, const struct load_func *func, u32 *first)
{
	u32 lo = 0, hi = ld->lines.n, n = 0;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct load_line *l = &ld->lines.v[mid];

		if (l->sec < func->sec || (l->sec == func->sec && l->insn < func->start))
			lo = mid + 1;
		else
			hi = mid;
	}
	*first = lo;
	while (lo + n < ld->lines.n && ld->lines.v[lo + n].sec == func->sec &&
	       ld->lines.v[lo + n].insn < func->end)
		n++;
	return n;
}

static int copy_lines(struct linking *l, struct image_prog *prog)
{
	struct loader *ld = l->ld;
	u32 total = 0, first, n;

	for (u32 f = 0; f < l->funcs.n; f++)
		total += count_lines(ld, l->funcs.v[f], &first);
	prog->lines = arena_array(ld->arena, total, sizeof(*prog->lines));
	if (!prog->lines)
		return load_nomem(ld);
	for (u32 f = 0; f < l->funcs.n; f++) {
		const struct load_func *func = l->funcs.v[f];

		n = count_lines(ld, func, &first);
		for (u32 i = 0; i < n; i++) {
			const struct load_line *from = &ld->lines.v[first + i];

			prog->lines[prog->nlines++] = (struct image_line){
				.insn = from->insn - func->start + (u32)func->at,
				.line = from->line, .col = from->col,
				.file = from->file, .text = from->text};
		}
	}
	return 0;
}

static int copy_subprogs(struct linking *l, struct image_prog *prog)
{
	struct loader *ld = l->ld;
	const struct btf *btf = ld->image->btf;

	prog->nsubprogs = l->funcs.n;
	prog->subprogs = arena_array(ld->arena, l->funcs.n, sizeof(*prog->subprogs));
	if (!prog->subprogs)
		return load_nomem(ld);
	for (u32 f = 0; f < l->funcs.n; f++) {
		const struct load_func *func = l->funcs.v[f];

		prog->subprogs[f] = (struct image_subprog){
			.name = func->name, .start = (u32)func->at,
			.end = (u32)func->at + func->end - func->start, .func = func->func,
			.proto = func->func ? btf_type(btf, func->func)->type : 0,
			.global = func->global && f > 0,
			.exception_cb = func == l->exception_cb};
	}
	return 0;
}

/* What the program is for: its type, or words why it can be none. */
static int place(struct loader *ld, const struct load_func *func, struct image_prog *prog)
{
	struct abi_place place = {.section = prog->section, .name = func->name,
				  .ops = func->ops, .member = func->member,
				  .license = ld->image->license,
				  .arena = ld->arena};

	if (abi_place_prog(ld->abi, &place))
		return load_nomem(ld);
	prog->type = place.type;
	prog->sleepable = place.sleepable;
	prog->wrong = func->wrong ? func->wrong : place.wrong;
	return 0;
}

static int link_prog(struct loader *ld, struct load_func *func, struct image_prog *prog)
{
	struct linking l = {.ld = ld};
	int err;

	prog->name = func->name;
	prog->section = ld->secs[func->sec].name;
	prog->autoload = (*prog->section != '?' || func->wanted) && !func->unwanted;
	err = place(ld, func, prog);
	if (!err)
		err = load_excuse(ld, link_all(&l, func), &prog->wrong);
	for (u32 f = 0; f < l.funcs.n && !prog->wrong; f++)
		prog->wrong = l.funcs.v[f]->wrong;
	if (!err)
		err = copy_subprogs(&l, prog);
	if (!err)
		err = copy_lines(&l, prog);
	if (!err) {
		prog->ninsns = l.insns.n;
		prog->insns = arena_memdup(ld->arena, l.insns.v,
					   l.insns.n * sizeof(struct insn));
		err = prog->insns ? 0 : load_nomem(ld);
	}
	forget(&l);
	return err;
}

static bool is_prog(const struct loader *ld, const struct load_func *func)
{
	return strcmp(ld->secs[func->sec].name, ".text") != 0;
}

int link_progs(struct loader *ld)
{
	struct image *image = ld->image;
	u32 n = 0;

	for (u32 i = 0; i < ld->funcs.n; i++) {
		const struct load_func *func = &ld->funcs.v[i];

		if (is_prog(ld, func) && !func->global)
			return load_fail(ld, -EINVAL, "section '%s': program '%s' is static",
					 ld->secs[func->sec].name, func->name);
		n += is_prog(ld, func);
	}
	image->progs = arena_array(ld->arena, n, sizeof(*image->progs));
	if (!image->progs)
		return load_nomem(ld);
	for (u32 i = 0; i < ld->funcs.n; i++)
		if (is_prog(ld, &ld->funcs.v[i]))
			TRY(link_prog(ld, &ld->funcs.v[i], &image->progs[image->nprogs++]));
	return 0;
}
