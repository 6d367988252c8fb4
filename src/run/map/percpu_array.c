/* SPDX-License-Identifier: MIT
 *
 * percpu_array.c: an array with one copy per execution slot (J14, J16). A slot's copies
 * lie together, and no two slots share a cache line. A program sees the copies of the
 * slot it runs on, which no other thread runs on; hosts see them all, as an array of
 * values each rounded up to 8 bytes, by rising slot.
 *
 * An update by a program writes and destroys slots in its own copy only (M12), one by a
 * host in every copy (M11). No value has a lock. Progress: wait-free.
 */
#include "run/map/index.h"

struct percpu_array {
	struct map map;
	void *storage; /* what was allocated */
	char *values;
	size_t block; /* bytes from one slot's copies to the next's */
	u32 slots;
};

/* MAX_VALUE is the kernel's limit, so that objects are refused here as they are there. */
enum { LINE = 64, MAX_VALUE = 32768 };

static struct percpu_array *array_of(struct map *map)
{
	return container_of(map, struct percpu_array, map);
}

static void *value_at(struct percpu_array *a, u32 index, u32 slot)
{
	return a->values + slot * a->block + (size_t)index * a->map.value_stride;
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	u64 block = ROUND_UP((u64)proto->value_stride * proto->max_entries, LINE);
	u32 slots = slot_count(proto->host);
	struct percpu_array *a;

	if (proto->value_stride > MAX_VALUE ||
	    block > ((u64)1 << 46) / (slots ? slots : 1))
		return log_fail(
			log, -E2BIG,
			"map '%s': %u values of %u bytes for each of %u slots are "
			"too many, or too large (at most %d bytes each)",
			def->name, def->max_entries, def->value_size, slots, MAX_VALUE);
	a = calloc(1, sizeof(*a));
	if (a)
		a->storage = calloc(1, block * slots + LINE);
	if (!a || !a->storage) {
		free(a);
		return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
				def->name, (unsigned long long)block * slots);
	}
	a->map = *proto;
	a->values = (char *)ROUND_UP((uintptr_t)a->storage, LINE);
	a->block = block;
	a->slots = slots;
	*out = &a->map;
	return 0;
}

bool map_percpu_array_layout(struct map *map, struct link_array *out)
{
	struct percpu_array *a = array_of(map);

	if (map->ops != &map_percpu_array_ops)
		return false;
	*out = (struct link_array){a->values, map->max_entries, map->value_stride, a->block};
	return true;
}

static void each_value(struct map *map, void (*fn)(void *data, void *value), void *data)
{
	struct percpu_array *a = array_of(map);

	for (u32 slot = 0; slot < a->slots; slot++)
		for (u32 i = 0; i < map->max_entries; i++)
			fn(data, value_at(a, i, slot));
}

static void destroy_value(void *map, void *value)
{
	fields_destroy(((struct map *)map)->host, ((struct map *)map)->fields, value);
}

static void destroy(struct map *map)
{
	struct percpu_array *a = array_of(map);

	if (map->fields)
		each_value(map, destroy_value, map);
	free(a->storage);
	free(a);
}

static void *lookup_percpu(struct map *map, const void *key, u32 cpu)
{
	struct percpu_array *a = array_of(map);
	u32 index = index_of(key);

	return index < map->max_entries && cpu < a->slots ? value_at(a, index, cpu)
							  : NULL;
}

static void *lookup(struct map *map, const void *key)
{
	struct slot_ctx *slot = slot_current();

	return slot ? lookup_percpu(map, key, slot->index) : NULL;
}

static int check_update(struct map *map, const void *key, u64 flags)
{
	if (flags > MAP_EXIST)
		return -EINVAL;
	if (index_of(key) >= map->max_entries)
		return -E2BIG;
	return flags == MAP_NOEXIST ? -EEXIST : 0;
}

static void write_one(struct map *map, void *at, const void *value)
{
	map_value_write(map, at, value, false);
	fields_destroy(map->host, map->fields, at);
}

static int update(struct map *map, const void *key, const void *value, u64 flags)
{
	void *at;

	TRY(check_update(map, key, flags));
	at = lookup(map, key);
	if (!at)
		return -EINVAL; /* outside of a run nobody has a slot */
	write_one(map, at, value);
	return 0;
}

static int write_all(struct map *map, const void *key, const void *value, u64 flags)
{
	struct percpu_array *a = array_of(map);

	TRY(check_update(map, key, flags));
	for (u32 slot = 0; slot < a->slots; slot++)
		write_one(map, value_at(a, index_of(key), slot),
			  (const char *)value + (size_t)slot * map->value_stride);
	return 0;
}

static int read_all(struct map *map, const void *key, void *value)
{
	struct percpu_array *a = array_of(map);
	u32 pad = map->value_stride - map->value_size;

	if (index_of(key) >= map->max_entries)
		return -ENOENT;
	for (u32 slot = 0; slot < a->slots; slot++) {
		char *to = (char *)value + (size_t)slot * map->value_stride;

		map_value_read(map, to, value_at(a, index_of(key), slot));
		memset(to + map->value_size, 0, pad);
	}
	return 0;
}

static s64 for_each(struct map *map, u64 (*fn)(void *data, const void *key, void *value),
		    void *data)
{
	struct slot_ctx *slot = slot_current();

	for (u32 i = 0; slot && i < map->max_entries; i++) {
		u32 key = i;

		if (fn(data, &key, value_at(array_of(map), i, slot->index)))
			return (s64)i + 1;
	}
	return slot ? map->max_entries : 0;
}

const struct map_ops map_percpu_array_ops = {
	.type = MAP_PERCPU_ARRAY,
	.create = create,
	.free = destroy,
	.lookup = lookup,
	.lookup_percpu = lookup_percpu,
	.update = update,
	.remove = index_remove,
	.next_key = index_next_key,
	.count = index_count,
	.read = read_all,
	.write = write_all,
	.for_each = for_each,
	.each_value = each_value,
};
