/* SPDX-License-Identifier: MIT
 *
 * piece.c: see piece.h.
 */
#include "run/inspect/piece.h"

static void describe(struct piece *p)
{
	const struct image_prog *image = p->prog->image;

	p->addr = (uintptr_t)p->prog->code->native + p->frame->start;
	p->size = p->frame->end - p->frame->start;
	snprintf(p->name, sizeof(p->name), "pintle:%s%s%s", image->name,
		 p->sub ? "." : "", p->sub ? image->subprogs[p->sub].name : "");
}

/* The first subprogram from p->sub of p->prog on that has code. */
static bool settle(struct piece *p)
{
	const struct pintle_prog *end = p->object->progs + p->object->image->nprogs;

	for (; p->prog < end; p->prog++, p->sub = 0) {
		const struct code *code = p->prog->code;

		if (!code || !code->native || !code->frames)
			continue;
		for (; p->sub < code->nsubprogs; p->sub++) {
			p->frame = &code->frames[p->sub];
			if (!p->frame->size)
				continue;
			describe(p);
			return true;
		}
	}
	return false;
}

bool piece_first(struct piece *p, const struct pintle_object *object)
{
	*p = (struct piece){.object = object, .prog = object->progs};
	return settle(p);
}

bool piece_next(struct piece *p)
{
	p->sub++;
	return settle(p);
}

const struct image_line *piece_line(const struct piece *p, u32 insn)
{
	const struct code *code = p->prog->code;
	u32 at = code->native_at[insn];

	if (at < p->frame->start || at >= p->frame->end)
		return NULL;
	return image_line_of(p->prog->image, code->origin[insn]);
}
