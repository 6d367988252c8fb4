/* SPDX-License-Identifier: MIT
 *
 * array_of_maps.c: an array whose values are maps that are like one template (A31). A
 * lookup by a program gives the map; one by a host its id.
 *
 * Each entry holds one reference. A map that is replaced or removed stays valid for runs
 * that found it: its reference is dropped at once, but what map_put() leads to waits for
 * a grace period of both domains (M25).
 *
 * Ordering: that of index.h. Progress: wait-free.
 */
#include "run/map/index.h"
#include "run/map/outer.h"

struct map_array {
	struct map map;
	atomic(void *) at[]; /* struct map */
};

static struct map_array *array_of(struct map *map)
{
	return container_of(map, struct map_array, map);
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct map_array *a = calloc(1, sizeof(*a) + (u64)proto->max_entries *
							     sizeof(a->at[0]));

	if (!a)
		return log_fail(log, -ENOMEM, "map '%s': no memory for %u entries",
				def->name, def->max_entries);
	a->map = *proto;
	*out = &a->map;
	return 0;
}

static void destroy(struct map *map)
{
	for (u32 i = 0; i < map->max_entries; i++)
		map_put(array_of(map)->at[i]);
	free(array_of(map));
}

static void *lookup(struct map *map, const void *key)
{
	return index_entry(map, array_of(map)->at, index_of(key));
}

static int put(struct map *map, const void *key, void *inner, u64 flags)
{
	void *old;

	if (flags)
		return -EINVAL;
	if (index_of(key) >= map->max_entries)
		return -E2BIG;
	TRY(template_fits(map, inner));
	map_get(inner);
	index_swap(map, array_of(map)->at, key, inner, &old);
	map_put(old);
	return 0;
}

static int remove_map(struct map *map, const void *key)
{
	void *old;

	TRY(index_take(map, array_of(map)->at, key, &old));
	map_put(old);
	return 0;
}

static int read_id(struct map *map, const void *key, void *value)
{
	const struct map *inner = lookup(map, key);

	if (!inner)
		return -ENOENT;
	memcpy(value, &inner->id, sizeof(inner->id));
	return 0;
}

static u32 count(struct map *map)
{
	return index_filled(map, array_of(map)->at);
}

const struct map_ops map_array_of_maps_ops = {
	.type = MAP_ARRAY_OF_MAPS,
	.create = create,
	.free = destroy,
	.lookup = lookup,
	.put = put,
	.remove = remove_map,
	.next_key = index_next_key,
	.count = count,
	.read = read_id,
};
