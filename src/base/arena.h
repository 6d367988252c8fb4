/* SPDX-License-Identifier: MIT */
#ifndef PINTLE_BASE_ARENA_H
#define PINTLE_BASE_ARENA_H

#include "base/base.h"

struct arena;

/* A new, empty arena; NULL when out of memory. */
struct arena *arena_new(void);

/* Frees everything the arena gave out. NULL is fine. */
void arena_free(struct arena *arena);

/* @size zeroed bytes, 16-byte aligned, or NULL. A size of 0 gives a unique pointer. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_memdup(struct arena *arena, const void *from, size_t size);
char *arena_strdup(struct arena *arena, const char *from);
char *arena_strndup(struct arena *arena, const char *from, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) FORMAT(2, 3);

/* Bytes taken from the system so far. */
size_t arena_bytes(const struct arena *arena);

#define arena_new_of(arena, type) ((type *)arena_alloc(arena, sizeof(type)))

#endif
