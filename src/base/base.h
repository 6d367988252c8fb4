/* SPDX-License-Identifier: MIT
 *
 * base.h: the words every file uses: integer names, TRY, BUG_ON, small macros.
 *
 * Errors are 0 or a negative errno; the words for people go to a struct log.
 * A program's fault is never a BUG_ON(); BUG_ON() is for our own broken promises.
 */
#ifndef PINTLE_BASE_H
#define PINTLE_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))
#define BIT64(n) (1ull << (n))
#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Propagate an error, or go on. */
#define TRY(expr)                                                                        \
	do {                                                                             \
		int try_err_ = (expr);                                                   \
		if (try_err_)                                                            \
			return try_err_;                                                 \
	} while (0)

/* Our fault, in debug builds: stop where it happened. */
#ifdef NDEBUG
#define BUG_ON(cond) ((void)(cond))
#else
#define BUG_ON(cond)                                                                     \
	do {                                                                             \
		if (unlikely(cond)) {                                                    \
			fprintf(stderr, "%s:%d: bug: %s\n", __FILE__, __LINE__, #cond);  \
			abort();                                                         \
		}                                                                        \
	} while (0)
#endif

static inline u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

static inline u32 max_u32(u32 a, u32 b)
{
	return a > b ? a : b;
}

/* a + b, or false when it does not fit: for offsets and sizes read from files. */
static inline bool add_fits(u64 a, u64 b, u64 limit)
{
	return a <= limit && b <= limit - a;
}

#endif
