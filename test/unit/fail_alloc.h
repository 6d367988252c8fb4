/* SPDX-License-Identifier: MIT
 *
 * fail_alloc.h: makes allocations of this thread fail, for tests of what happens then.
 * Not with sanitizers, which have an allocator of their own, but for fail_alloc_random().
 */
#ifndef TEST_FAIL_ALLOC_H
#define TEST_FAIL_ALLOC_H

#include "base/base.h"

bool fail_alloc_works(void);
/* The @n-th allocation from now fails (1: the next), and those after it. */
void fail_alloc_at(u32 n);
/* Only the @n-th fails. */
void fail_alloc_only(u32 n);
/* From now on one allocation in @one_in fails, of all threads; 0: none. */
void fail_alloc_random(u32 one_in, u32 seed);
/* Back to normal; whether one failed. */
bool fail_alloc_off(void);
/* Blocks in use now, of all threads: what leaks shows in the difference. */
s64 fail_alloc_blocks(void);

#endif
