/* SPDX-License-Identifier: MIT
 *
 * helpers.h: implementations of helpers. Each takes the program's r1..r5 as they are and
 * returns r0; a negative errno is returned as the kernel's helper of that name does. The
 * verifier has checked every argument against abi/helpers.def: pointers are valid for
 * their sizes, maps are maps. What it cannot check (flags, formats, values) is checked
 * here.
 */
#ifndef PINTLE_RUN_HELPERS_H
#define PINTLE_RUN_HELPERS_H

#include "abi/format.h"
#include "run/map/map.h"

typedef u64 helper_fn(u64 a, u64 b, u64 c, u64 d, u64 e);

/* Some rows share a function: declared again to no harm. */
#define HELPER(id, name) helper_fn helper_##name;
#include "run/helper/helpers.def"
#undef HELPER

#define HELPER_FN(name) u64 helper_##name(u64 a, u64 b, u64 c, u64 d, u64 e)

static inline void *helper_ptr(u64 reg)
{
	return (void *)(uintptr_t)reg;
}

static inline u64 helper_err(int err)
{
	return (u64)(s64)err;
}

/* --- helper_probe.c --- */
/* How many of @size bytes there programs may ask for. */
u32 probe_room(u64 addr, u32 size);
/* Copies a string that may not be there: bytes with its NUL (at most @size), or -EFAULT
 * with @to zeroed. */
s64 probe_str(char *to, u32 size, const void *from);

/* --- helper_format.c --- */
/*
 * Formats @fmt (NUL within @fmt_size bytes) with @nargs arguments into @to,
 * NUL-terminated when @size > 0. How many bytes it has without the NUL, had there been
 * room; -EINVAL when the format is not one of ours or wants more arguments: then nothing
 * was written. @proof: what of them are addresses and may be read; NULL: none.
 */
s64 format_text(char *to, u32 size, const char *fmt, u32 fmt_size, const u64 *args, u32 nargs,
		const struct format_proof *proof);

#endif
