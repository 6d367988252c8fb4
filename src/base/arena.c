/* SPDX-License-Identifier: MIT
 *
 * arena.c: memory of one stage, freed in one call. Blocks double from 4 KiB to 1 MiB;
 * what is larger than a block gets a block of its own. Not thread-safe: a stage is one
 * thread's work.
 */
#include "base/arena.h"

#include <stdarg.h>

enum { ALIGN = 16, FIRST_BLOCK = 4096, LAST_BLOCK = 1 << 20 };

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ALIGN) char bytes[];
};

struct arena {
	struct block *blocks;
	size_t total, next_size;
};

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->next_size = FIRST_BLOCK;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *b = arena->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
}

static struct block *block_add(struct arena *arena, size_t need)
{
	size_t size = need > arena->next_size ? need : arena->next_size;
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->next = arena->blocks;
	b->used = 0;
	b->size = size;
	arena->blocks = b;
	arena->total += sizeof(*b) + size;
	if (arena->next_size < LAST_BLOCK)
		arena->next_size *= 2;
	return b;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *b = arena->blocks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = ROUND_UP(size ? size : 1, (size_t)ALIGN);
	if (!b || b->size - b->used < size)
		b = block_add(arena, size);
	if (!b)
		return NULL;
	p = b->bytes + b->used;
	b->used += size;
	return memset(p, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(arena, count * size);
}

void *arena_memdup(struct arena *arena, const void *from, size_t size)
{
	void *p = arena_alloc(arena, size);

	return p && size ? memcpy(p, from, size) : p;
}

char *arena_strndup(struct arena *arena, const char *from, size_t len)
{
	char *p = arena_alloc(arena, len + 1);

	return p ? memcpy(p, from, len) : NULL;
}

char *arena_strdup(struct arena *arena, const char *from)
{
	return arena_strndup(arena, from, strlen(from));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char *p = NULL;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len >= 0)
		p = arena_alloc(arena, (size_t)len + 1);
	if (p)
		vsnprintf(p, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	return p;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->total;
}
