/* SPDX-License-Identifier: MIT
 *
 * hash_of_maps.c: a hash whose values are maps that are like one template (A31). A value
 * is the address of a map, of which it holds one reference: the pool drops it where it
 * would destroy fields (pool_opts.maps), so a map lives as what is in a field would: M25.
 *
 * A lookup by a program gives the map; one by a host its id.
 *
 * Ordering and progress: those of hash.c; an address is set before its element is linked
 * (H-A) and emptied after it was unlinked.
 */
#include "run/map/hash.h"
#include "run/map/outer.h"

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct map inside = *proto;

	inside.value_size = inside.value_stride = sizeof(struct map *);
	return hash_create(log, &inside, def, (struct hash_kind){.maps = true}, out);
}

static struct map *inner_of(struct hash *h, struct elem *e)
{
	return __atomic_load_n((struct map **)elem_value(&h->pool, e), __ATOMIC_ACQUIRE);
}

static void *lookup(struct map *map, const void *key)
{
	struct elem *e = hash_find(hash_of(map), key);

	return e ? inner_of(hash_of(map), e) : NULL;
}

/* A failed update gives its element back, and that the reference. */
static int put(struct map *map, const void *key, void *inner, u64 flags)
{
	TRY(template_fits(map, inner));
	if (flags > MAP_EXIST)
		return -EINVAL;
	return hash_update(map, key, &inner, flags, false);
}

static void read_id(struct hash *h, struct elem *e, void *to)
{
	const struct map *inner = inner_of(h, e);

	memset(to, 0, sizeof(u32));
	if (inner)
		memcpy(to, &inner->id, sizeof(inner->id));
}

static int read_value(struct map *map, const void *key, void *value)
{
	struct elem *e = hash_find(hash_of(map), key);

	if (!e)
		return -ENOENT;
	read_id(hash_of(map), e, value);
	return 0;
}

static int take(struct map *map, const void *key, void *value)
{
	return hash_take(map, key, read_id, value);
}

const struct map_ops map_hash_of_maps_ops = {
	.type = MAP_HASH_OF_MAPS,
	.flags = MAPF_NO_PREALLOC | MAPF_ZERO_SEED,
	.create = create,
	.free = hash_free,
	.lookup = lookup,
	.put = put,
	.remove = hash_remove,
	.take = take,
	.next_key = hash_next_key,
	.count = hash_count,
	.read = read_value,
};
