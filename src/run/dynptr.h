/* SPDX-License-Identifier: MIT
 *
 * dynptr.h: what is behind a program's struct bpf_dynptr: memory whose size is known at
 * run time only. It lies on the program's stack or in a helper's frame, 16 bytes; the
 * verifier sees to it that only the functions made for it touch it.
 */
#ifndef PINTLE_RUN_DYNPTR_H
#define PINTLE_RUN_DYNPTR_H

#include "base/base.h"

struct dynptr {
	char *data; /* NULL: of no memory */
	u32 size;   /* from `off` on, and DYNPTR_RDONLY */
	u32 off;
};

enum { DYNPTR_RDONLY = (int)(1u << 31), DYNPTR_MAX = (1 << 24) - 1 };

static inline u32 dynptr_size(const struct dynptr *d)
{
	return d->size & ~(u32)DYNPTR_RDONLY;
}

static inline bool dynptr_writable(const struct dynptr *d)
{
	return d->data && !(d->size & (u32)DYNPTR_RDONLY);
}

/* The address of @len bytes at @off, or NULL when they are not all there. */
static inline char *dynptr_at(const struct dynptr *d, u64 off, u64 len)
{
	return d->data && add_fits(off, len, dynptr_size(d)) ? d->data + d->off + off
							     : NULL;
}

#endif
