/* SPDX-License-Identifier: MIT
 *
 * index.h: operations that all maps with an index for a key share: every index below
 * max_entries is there, from creation to the end. Some of them hold references, or NULL.
 *
 * Ordering of references: what one leads to is complete before it is in an entry: the
 * exchange in index_swap() pairs with the acquire load in index_entry().
 */
#ifndef PINTLE_MAP_INDEX_H
#define PINTLE_MAP_INDEX_H

#include "run/map/map.h"

static inline u32 index_of(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

int index_remove(struct map *map, const void *key); /* M09: -EINVAL */
int index_next_key(struct map *map, const void *key, void *next);
u32 index_count(struct map *map);

/* --- references: @at has max_entries of them --- */

static inline void *index_entry(const struct map *map, atomic(void *) const *at,
				u64 index)
{
	if (index >= map->max_entries)
		return NULL;
	/* acquire: pairs with index_swap() */
	return atomic_load_explicit(&at[index], memory_order_acquire);
}

/* What was there; -E2BIG: no such index. */
int index_swap(const struct map *map, atomic(void *) * at, const void *key, void *ref,
	       void **old);
/* As index_swap() to NULL; -ENOENT when nothing was there. */
int index_take(const struct map *map, atomic(void *) * at, const void *key, void **old);
u32 index_filled(const struct map *map, atomic(void *) const *at);

#endif
