/* SPDX-License-Identifier: MIT
 *
 * image.c: looking things up in an image, and images of bare instructions, whose
 * subprograms begin where calls and function addresses point.
 */
#include "load/image.h"

#include "base/arena.h"
#include "base/log.h"

void image_free(struct image *image)
{
	if (!image)
		return;
	btf_close(image->btf);
	arena_free(image->arena);
}

struct image_prog *image_find_prog(const struct image *image, const char *name)
{
	for (u32 i = 0; i < image->nprogs; i++)
		if (!strcmp(image->progs[i].name, name))
			return &image->progs[i];
	return NULL;
}

const struct image_subprog *image_subprog_of(const struct image_prog *prog, u32 insn)
{
	for (u32 i = 0; i < prog->nsubprogs; i++)
		if (insn >= prog->subprogs[i].start && insn < prog->subprogs[i].end)
			return &prog->subprogs[i];
	return NULL;
}

const struct image_line *image_line_of(const struct image_prog *prog, u32 insn)
{
	const struct image_subprog *sub = image_subprog_of(prog, insn);
	u32 low = 0, high = prog->nlines;

	while (low < high) { /* the first record behind @insn */
		u32 mid = low + (high - low) / 2;

		if (prog->lines[mid].insn <= insn)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || !sub || prog->lines[low - 1].insn < sub->start)
		return NULL;
	return &prog->lines[low - 1];
}

/* ------------------------------------------------------------------ bare instructions */

/* Where the instruction at @at names a subprogram, or -1. Words of a jump out of the
 * program are the reader's. */
static s64 names_subprog(const struct insn *insns, u32 n, u32 at)
{
	const char *why;
	enum isa_op op = isa_decode(&insns[at], n - at, &why);
	s64 target = (s64)at + 1 + insns[at].imm;

	if ((op != OP_CALL_SUBPROG && op != OP_LD_FUNC) || target < 0 || target >= n)
		return -1;
	return target;
}

static u32 mark_starts(bool *starts, const struct insn *insns, u32 n)
{
	u32 count = 1;

	starts[0] = true;
	for (u32 at = 0; at < n; at++) {
		s64 target = names_subprog(insns, n, at);

		if (target < 0 || starts[target])
			continue;
		starts[target] = true;
		count++;
	}
	return count;
}

static int split(struct image *image, struct image_prog *prog)
{
	bool *starts = arena_array(image->arena, prog->ninsns, sizeof(starts[0]));
	u32 n = 0;

	if (!starts)
		return -ENOMEM;
	prog->nsubprogs = mark_starts(starts, prog->insns, prog->ninsns);
	prog->subprogs =
		arena_array(image->arena, prog->nsubprogs, sizeof(prog->subprogs[0]));
	if (!prog->subprogs)
		return -ENOMEM;
	for (u32 at = 0; at < prog->ninsns; at++) {
		if (starts[at]) {
			prog->subprogs[n] = (struct image_subprog){
				.name = n ? "subprog" : prog->name, .start = at};
			n++;
		}
		prog->subprogs[n - 1].end = at + 1;
	}
	return 0;
}

static int fill(struct image *image, const char *name, const struct insn *insns, u32 n)
{
	struct image_prog *prog = arena_new_of(image->arena, struct image_prog);

	image->name = arena_strdup(image->arena, name);
	image->license = arena_strdup(image->arena, "");
	if (!prog || !image->name || !image->license)
		return -ENOMEM;
	image->progs = prog;
	image->nprogs = 1;
	prog->name = prog->section = image->name;
	prog->autoload = true;
	prog->ninsns = n;
	prog->insns = arena_memdup(image->arena, insns, n * sizeof(insns[0]));
	return prog->insns ? split(image, prog) : -ENOMEM;
}

int image_from_insns(struct log *log, const struct abi *abi, const char *name,
		     const struct abi_prog_type *type, const struct insn *insns, u32 n,
		     struct image **out)
{
	struct arena *arena;
	struct image *image;
	int err = -ENOMEM;

	*out = NULL;
	if (!n || n > 1u << 20)
		return log_fail(log, -EINVAL, "%s: %u instructions", name, n);
	arena = arena_new();
	image = arena ? arena_new_of(arena, struct image) : NULL;
	if (image) {
		image->arena = arena;
		image->abi = abi;
		err = fill(image, name, insns, n);
	}
	if (err) {
		arena_free(arena);
		return log_fail(log, err, "%s: out of memory", name);
	}
	image->progs[0].type = type;
	*out = image;
	return 0;
}

void image_record_opts(const struct image *image, struct record_opts *opts)
{
	abi_record_opts(image->abi, opts);
	opts->era = image->tags;
	opts->lenient |= image->lenient_decl;
}
