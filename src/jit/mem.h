/* SPDX-License-Identifier: MIT
 *
 * mem.h: memory for native code, and where a fault in it goes on.
 *
 * One block holds the code of all programs that are loaded together. It is written first,
 * then sealed: from then on it can be executed and read, never written again. At no time
 * is it both writable and executable.
 */
#ifndef PINTLE_JIT_MEM_H
#define PINTLE_JIT_MEM_H

#include "base/log.h"

struct jit_mem;

/* A load at `at` that faults goes on at `resume`. Offsets in the block. */
struct jit_fix {
	u32 at, resume;
};

/* A writable block of at least @size bytes, near @near where that is possible; or NULL and
 * *err: -ENOMEM, or what mmap() says. */
struct jit_mem *jit_mem_new(const void *near, size_t size, int *err);
u8 *jit_mem_start(const struct jit_mem *mem);
size_t jit_mem_size(const struct jit_mem *mem);
/*
 * Gives back what is beyond @used, makes the rest executable, and registers @fixes, which
 * are sorted by `at`, with jit_resume(). -EACCES or the like where the system does not let
 * a process make memory executable.
 */
int jit_mem_seal(struct jit_mem *mem, size_t used, const struct jit_fix *fixes, u32 nfixes);
/* Nobody executes it any more. NULL is fine. */
void jit_mem_free(struct jit_mem *mem);

/* Where a fault at @pc goes on, or 0: not one of ours. From signal handlers. */
uintptr_t jit_resume(uintptr_t pc);

#endif
