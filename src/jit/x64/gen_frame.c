/* SPDX-License-Identifier: MIT
 *
 * gen_frame.c: notes what the frame of each subprogram looks like, for debuggers. It must
 * say what gen_prologue() does.
 */
#include "jit/x64/gen.h"

/* The machine's number of a register, and DWARF's (System V ABI, figure 3.36). */
static const u8 dwarf_regs[16] = {
	[RAX] = 0,    [RCX] = 2,    [RDX] = 1,	  [RBX] = 3,
	[RSP] = 7,    [RBP] = 6,    [RSI] = 4,	  [RDI] = 5,
	[REG8] = 8,   [REG9] = 9,   [REG10] = 10, [REG11] = 11,
	[REG12] = 12, [REG13] = 13, [REG14] = 14, [REG15] = 15,
};

void gen_frame_begin(struct gen *g, u32 sub)
{
	if (g->out->frames)
		g->out->frames[sub].start = gen_off(g, g->x.at);
}

void gen_frame_body(struct gen *g, u32 sub)
{
	struct code_frame *frame = g->out->frames ? &g->out->frames[sub] : NULL;

	if (!frame)
		return;
	frame->entry = g->entry.v[sub];
	frame->body = gen_off(g, g->x.at);
	frame->by_fp = g->has_frame;
	frame->size = 8 + 8 * g->has_frame + g->frame + 8 * g->pad + 8 * g->nsaved;
	frame->nsaved = (u8)g->nsaved;
	for (u32 i = 0; i < g->nsaved; i++)
		frame->saved[i] = dwarf_regs[g->saved[i]];
}

void gen_frame_end(struct gen *g, u32 sub)
{
	if (g->out->frames)
		g->out->frames[sub].end = gen_off(g, g->x.at);
}
