/* SPDX-License-Identifier: MIT
 *
 * claims.h: what the verifier said of every register and stack slot, at every instruction
 * of every path that it walked, and whether a concrete run agrees.
 *
 * The claims of one verification (without pruning) form a tree by path. A run goes down
 * from the root: the claim it is at must hold of all it has; the next one is a child. Only
 * where a loop was closed on a state before is there no child; then any claim of that
 * instruction will do, and from there on what is dead may be anything.
 */
#ifndef PINTLE_TEST_CLAIMS_H
#define PINTLE_TEST_CLAIMS_H

#include "soundness/machine.h"

struct claims;

struct claims *claims_new(void);
void claims_free(struct claims *c);
/* For struct verify_opts. */
u32 claims_watch(void *claims, const struct env *env, u32 last);
/* One run of what was proved while @c watched. NULL, or what is wrong; m->pc: where. */
const char *claims_run(struct claims *c, struct machine *m, struct gen *g,
		       const struct proof *proof);

#endif
