/* SPDX-License-Identifier: MIT
 *
 * map/arena.h: arenas: for lower(), which puts their addresses into code, for loading, for
 * programs and for hosts.
 */
#ifndef PINTLE_MAP_ARENA_H
#define PINTLE_MAP_ARENA_H

#include "run/map/map.h"

/* What programs' 32 bits are added to: the lower half of it is 0. */
u64 arena_map_window(const struct map *map);
/* Where its first page is, and how far they may go. */
char *arena_map_start(const struct map *map);
u64 arena_map_size(const struct map *map);
u32 arena_map_pages(const struct map *map); /* allocated now */
/* @n zeroed pages, at @addr (0: anywhere): their address; NULL: not free, or no memory. */
void *arena_map_alloc(struct map *map, u64 addr, u32 n);
/* -EINVAL: not pages of it; -ENOENT: some were not allocated, the others are freed. */
int arena_map_release(struct map *map, u64 addr, u32 n);
/* Variables of the program's: the first bytes; @data NULL: zeros. -ENOMEM. */
int arena_map_fill(struct map *map, const void *data, u64 size);

/* The functions of special.def. */
void *arena_alloc_pages(struct map *map, u64 addr, u64 n, u64 node, u64 flags);
void arena_free_pages(struct map *map, u64 addr, u64 n);

#endif
