/* SPDX-License-Identifier: MIT
 *
 * machine.h: runs what was proved on a machine that trusts nothing: every access is looked
 * up, no code proved dead is reached, no branch proved one-way goes the other. Inputs are at
 * the edges; what a call leaves in r1-r5 and on the stack is junk.
 */
#ifndef PINTLE_TEST_MACHINE_H
#define PINTLE_TEST_MACHINE_H

#include "soundness/gen.h"
#include "verify/verify.h"

enum { MACHINE_VALUE = 48, MACHINE_PACKET = 64, MACHINE_DEPTH = 9, MACHINE_CTX = 1 };

struct machine {
	struct gen *g;
	const struct proof *proof;
	u8 value[MACHINE_VALUE], stack[MACHINE_DEPTH][STACK_SIZE];
	u8 packet[MACHINE_PACKET];
	u32 packet_len;
	u64 regs[MACHINE_DEPTH][NR_REGS], ctx[5]; /* ctx: by words */
	u32 back[MACHINE_DEPTH], frame, pc;
};

void machine_begin(struct machine *m, struct gen *g, const struct proof *proof);
/* One instruction. NULL: go on; "": the program ended; else what is wrong. */
const char *machine_step(struct machine *m);
/* A whole run with fresh inputs; NULL, or what went wrong. */
const char *machine_run(struct machine *m, struct gen *g, const struct proof *proof);

#endif
