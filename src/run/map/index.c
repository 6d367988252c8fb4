/* SPDX-License-Identifier: MIT
 *
 * index.c: see index.h.
 */
#include "run/map/index.h"

int index_remove(struct map *map, const void *key)
{
	return -EINVAL;
}

int index_next_key(struct map *map, const void *key, void *next)
{
	u32 index = key ? index_of(key) : UINT32_MAX;

	if (index == map->max_entries - 1)
		return -ENOENT;
	index = index < map->max_entries ? index + 1 : 0;
	memcpy(next, &index, sizeof(index));
	return 0;
}

u32 index_count(struct map *map)
{
	return map->max_entries;
}
