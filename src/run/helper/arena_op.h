/* SPDX-License-Identifier: MIT
 *
 * arena_op.h: what the interpreter does in an arena, where a page may not be there: loads
 * give 0 then, stores are dropped, atomic operations do nothing and give 0.
 */
#ifndef PINTLE_RUN_ARENA_OP_H
#define PINTLE_RUN_ARENA_OP_H

#include "run/run.h"

void arena_store(struct slot_ctx *slot, u64 addr, u64 value, u32 size);
/* The atomic operation @op at @addr: src and r0 are registers @src and R0 of @r. */
void arena_atomic(struct slot_ctx *slot, enum isa_op op, u64 addr, u64 *r, u32 src);

#endif
