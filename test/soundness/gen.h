/* SPDX-License-Identifier: MIT
 *
 * gen.h: random programs for the verifier's tests, mostly such as it accepts: arithmetic,
 * branches, stack, values of an array, loops, a subprogram. They are of the type and for the
 * maps of unit/verify_fixture.h.
 */
#ifndef PINTLE_TEST_GEN_H
#define PINTLE_TEST_GEN_H

#include "isa/isa.h"

enum { GEN_MAX = 512, GEN_CTX_SLOT = -48 };

struct gen {
	u64 seed;
	struct insn insns[GEN_MAX];
	u32 n, far; /* far: a jump leads there */
	u16 number, value; /* registers that hold one, as far as the text goes */
};

/* The program of @seed; the same seed always gives the same one. */
void gen_program(struct gen *g, u64 seed);
/* A number below @n, and one at the edges of things. */
u32 gen_roll(struct gen *g, u32 n);
s32 gen_edge(struct gen *g);

#endif
