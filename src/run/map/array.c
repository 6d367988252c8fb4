/* SPDX-License-Identifier: MIT
 *
 * array.c: a flat array of values, global data among them. Every index below max_entries
 * exists from creation to the end: nothing is inserted or deleted (M09), updates write in
 * place and then destroy what the slots of the element held (F.4, M03, M04) - but for
 * updates under the value's lock, which leave slots alone (M07).
 *
 * Values begin at a multiple of 8, the first at a multiple of 64. Readers and writers
 * need no lock: bytes move as F-C in field.c says, slots as F-A. Progress: wait-free but
 * for locked updates.
 */
#include "run/map/index.h"

struct array {
	struct map map;
	void *storage; /* what was allocated */
	char *values;
};

enum { LINE = 64 };

static struct array *array_of(struct map *map)
{
	return container_of(map, struct array, map);
}

static void *value_at(struct array *a, u32 index)
{
	return a->values + (size_t)index * a->map.value_stride;
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	u64 size = (u64)proto->value_stride * proto->max_entries; /* below 2^63 */
	struct array *a;

	if (size > (u64)1 << 46)
		return log_fail(log, -E2BIG,
				"map '%s': %u values of %u bytes are too many", def->name,
				def->max_entries, def->value_size);
	a = calloc(1, sizeof(*a));
	if (a)
		a->storage = map_calloc(1, size + LINE);
	if (!a || !a->storage) {
		free(a);
		return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
				def->name, (unsigned long long)size);
	}
	a->map = *proto;
	a->values = (char *)ROUND_UP((uintptr_t)a->storage, LINE);
	if (def->data)
		fields_copy_in(a->map.fields, a->values, def->data, proto->value_size);
	*out = &a->map;
	return 0;
}

static void destroy(struct map *map)
{
	struct array *a = array_of(map);

	for (u32 i = 0; map->fields && i < map->max_entries; i++)
		fields_destroy(map->host, map->fields, value_at(a, i));
	free(a->storage);
	free(a);
}

bool map_array_layout(struct map *map, struct link_array *out)
{
	if (map->ops != &map_array_ops)
		return false;
	*out = (struct link_array){array_of(map)->values, map->max_entries, map->value_stride, 0};
	return true;
}

static void *lookup(struct map *map, const void *key)
{
	u32 index = index_of(key);

	return index < map->max_entries ? value_at(array_of(map), index) : NULL;
}

static int update(struct map *map, const void *key, const void *value, u64 flags)
{
	u32 index = index_of(key);
	void *at;

	TRY(map_check_update(map, flags));
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags & MAP_NOEXIST)
		return -EEXIST;
	at = value_at(array_of(map), index);
	map_value_write(map, at, value, flags & MAP_LOCK);
	if (!(flags & MAP_LOCK))
		fields_destroy(map->host, map->fields, at);
	return 0;
}

static int read_value(struct map *map, const void *key, void *value)
{
	void *at = lookup(map, key);

	if (!at)
		return -ENOENT;
	map_value_read(map, value, at);
	return 0;
}

static s64 for_each(struct map *map, u64 (*fn)(void *data, const void *key, void *value),
		    void *data)
{
	for (u32 i = 0; i < map->max_entries; i++) {
		u32 key = i;

		if (fn(data, &key, value_at(array_of(map), i)))
			return (s64)i + 1;
	}
	return map->max_entries;
}

static void each_value(struct map *map, void (*fn)(void *data, void *value), void *data)
{
	for (u32 i = 0; i < map->max_entries; i++)
		fn(data, value_at(array_of(map), i));
}

static const void *key_of(struct map *map, const void *value, u32 *index)
{
	*index = (u32)((u64)((const char *)value - array_of(map)->values) / map->value_stride);
	return index;
}

static void *direct(struct map *map)
{
	return array_of(map)->values;
}

const struct map_ops map_array_ops = {
	.type = MAP_ARRAY,
	.flags = MAPF_MMAPABLE | MAPF_INNER_MAP,
	.create = create,
	.free = destroy,
	.lookup = lookup,
	.update = update,
	.remove = index_remove,
	.next_key = index_next_key,
	.count = index_count,
	.read = read_value,
	.write = update,
	.for_each = for_each,
	.each_value = each_value,
	.key_of = key_of,
	.direct = direct,
};
