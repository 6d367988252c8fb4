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

int index_swap(const struct map *map, atomic(void *) * at, const void *key, void *ref,
	       void **old)
{
	u32 index = index_of(key);

	if (index >= map->max_entries)
		return -E2BIG;
	/* release: pairs with the acquire in index_entry() */
	*old = atomic_exchange_explicit(&at[index], ref, memory_order_acq_rel);
	return 0;
}

int index_take(const struct map *map, atomic(void *) * at, const void *key, void **old)
{
	TRY(index_swap(map, at, key, NULL, old));
	return *old ? 0 : -ENOENT;
}

u32 index_filled(const struct map *map, atomic(void *) const *at)
{
	u32 n = 0;

	for (u32 i = 0; i < map->max_entries; i++)
		n += index_entry(map, at, i) != NULL;
	return n;
}
