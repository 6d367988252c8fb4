/* SPDX-License-Identifier: MIT
 *
 * dynptr.h: what is behind a program's struct bpf_dynptr: memory whose size is known at
 * run time only, or bytes of an object of the host that only callbacks reach (dynptr.c).
 * It lies on the program's stack or in a helper's frame, 16 bytes; the verifier sees to it
 * that only the functions made for it touch it.
 */
#ifndef PINTLE_RUN_DYNPTR_H
#define PINTLE_RUN_DYNPTR_H

#include "base/base.h"

struct pintle_host;

struct dynptr {
	char *data; /* NULL: of no memory; with a source: the object */
	u32 size;   /* from `off` on, and DYNPTR_RDONLY */
	u32 off;    /* and, in the upper bits, the number of its source; 0: none */
};

enum { DYNPTR_RDONLY = (int)(1u << 31), DYNPTR_MAX = (1 << 24) - 1,
       DYNPTR_SOURCE_SHIFT = 24, MAX_DYNPTR_SOURCES = 255 };

static inline u32 dynptr_size(const struct dynptr *d)
{
	return d->size & ~(u32)DYNPTR_RDONLY;
}

static inline u32 dynptr_off(const struct dynptr *d)
{
	return d->off & DYNPTR_MAX;
}

static inline u32 dynptr_source(const struct dynptr *d)
{
	return d->off >> DYNPTR_SOURCE_SHIFT;
}

static inline bool dynptr_writable(const struct dynptr *d)
{
	return d->data && !(d->size & (u32)DYNPTR_RDONLY);
}

/* @len bytes at @off are all there. */
static inline bool dynptr_has(const struct dynptr *d, u64 off, u64 len)
{
	return d->data && add_fits(off, len, dynptr_size(d));
}

/* The address of @len bytes at @off of plain memory, or NULL when they are not all there. */
static inline char *dynptr_at(const struct dynptr *d, u64 off, u64 len)
{
	return dynptr_has(d, off, len) && !dynptr_source(d) ? d->data + d->off + off : NULL;
}

/* --- dynptr.c --- */

/* 0; -E2BIG out of bounds; -EINVAL of no memory, or read-only; what a source says. */
int dynptr_read(const struct dynptr *d, u64 off, void *to, u64 len);
int dynptr_write(const struct dynptr *d, u64 off, const void *from, u64 len);

/* The functions of special.def. */
s64 dynptr_adjust(struct dynptr *d, u64 start, u64 end);
u64 dynptr_is_null(const struct dynptr *d);
u64 dynptr_is_rdonly(const struct dynptr *d);
s64 dynptr_get_size(const struct dynptr *d);
s64 dynptr_clone(const struct dynptr *d, struct dynptr *to);
s64 dynptr_copy(struct dynptr *to, u64 to_off, const struct dynptr *from, u64 from_off, u64 len);
s64 dynptr_memset(struct dynptr *d, u64 off, u64 len, u64 byte);
void *dynptr_part(const struct dynptr *d, u64 off, void *buffer, u64 len);
void *dynptr_part_rdwr(const struct dynptr *d, u64 off, void *buffer, u64 len);
s64 dynptr_from_source(void *object, u64 flags, struct dynptr *d, u64 source);

#endif
