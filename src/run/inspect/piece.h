/* SPDX-License-Identifier: MIT
 *
 * piece.h: the native code of an object, subprogram by subprogram: for perf.c and gdb.c.
 *
 *	for (bool more = piece_first(&p, object); more; more = piece_next(&p))
 */
#ifndef PINTLE_RUN_PIECE_H
#define PINTLE_RUN_PIECE_H

#include "run/run.h"

struct piece {
	const struct pintle_object *object;
	const struct pintle_prog *prog;
	const struct code_frame *frame;
	u32 sub;
	u64 addr; /* of its first byte */
	u32 size; /* bytes */
	char name[256];
};

bool piece_first(struct piece *p, const struct pintle_object *object);
bool piece_next(struct piece *p);
/* The source line of code instruction @insn, or NULL: has none, or is not of this piece. */
const struct image_line *piece_line(const struct piece *p, u32 insn);

#endif
