/* SPDX-License-Identifier: MIT
 *
 * index.h: operations that all maps with an index for a key share: every index below
 * max_entries is there, from creation to the end.
 */
#ifndef PINTLE_MAP_INDEX_H
#define PINTLE_MAP_INDEX_H

#include "run/map.h"

static inline u32 index_of(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

int index_remove(struct map *map, const void *key); /* M09: -EINVAL */
int index_next_key(struct map *map, const void *key, void *next);
u32 index_count(struct map *map);

#endif
