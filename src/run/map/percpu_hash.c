/* SPDX-License-Identifier: MIT
 *
 * percpu_hash.c: a hash whose elements hold a value for each execution slot (J14). A
 * program sees the value of the slot it runs on; a host sees all, as an array of values
 * each rounded up to 8 bytes, by rising slot.
 *
 * An update of a key that exists writes in place and destroys the fields there: a
 * program's its slot's value only, a host's every slot's (F.4). An insertion by a program
 * leaves the other slots' values 0. No value has a lock.
 *
 * An update meets a deletion of the same key in one order or the other: one that found the
 * element writes to it although it may be unlinked by then, which is as if it had come
 * before. What that left in fields goes when the element's quarantine ends (F10).
 *
 * Ordering and progress: those of hash.c; words of values move as F-C in field.c says.
 */
#include "run/map/hash.h"

/* The kernel's limit, so that objects are refused here as they are there. */
enum { MAX_VALUE = 32768 };

/* ------------------------------------------------------------------ values */

static void write_slot(struct hash *h, struct elem *e, u32 slot, const void *value)
{
	void *at = elem_slot_value(&h->pool, e, slot);

	map_value_write(&h->map, at, value, false);
	fields_destroy(h->map.host, h->map.fields, at);
}

void percpu_write(struct hash *h, struct elem *e, const void *value, bool all)
{
	const char *from = value;

	if (!all) {
		write_slot(h, e, slot_current()->index, value);
		return;
	}
	for (u32 i = 0; i < h->pool.slots; i++)
		write_slot(h, e, i, from + (size_t)i * h->map.value_stride);
}

void percpu_fill(struct hash *h, struct elem *e, const void *value, bool all)
{
	const char *from = value;

	if (all) {
		for (u32 i = 0; i < h->pool.slots; i++)
			fields_copy_in(h->map.fields, elem_slot_value(&h->pool, e, i),
				       from + (size_t)i * h->map.value_stride,
				       h->map.value_size);
		return;
	}
	for (u32 i = 0; i < h->pool.slots; i++)
		memset(elem_slot_value(&h->pool, e, i), 0, h->map.value_stride);
	fields_copy_in(h->map.fields,
		       elem_slot_value(&h->pool, e, slot_current()->index), value,
		       h->map.value_size);
}

static void read_elem(struct hash *h, struct elem *e, void *to)
{
	u32 size = h->map.value_size, stride = h->map.value_stride;
	char *at = to;

	for (u32 i = 0; i < h->pool.slots; i++, at += stride) {
		map_value_read(&h->map, at, elem_slot_value(&h->pool, e, i));
		memset(at + size, 0, stride - size);
	}
}

/* ------------------------------------------------------------------ operations */

static void *lookup(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct slot_ctx *slot = slot_current();
	struct elem *e = slot ? hash_find(h, key) : NULL;

	return e ? elem_slot_value(&h->pool, e, slot->index) : NULL;
}

static void *lru_lookup(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct slot_ctx *slot = slot_current();
	struct elem *e = slot ? hash_find(h, key) : NULL;

	if (!e)
		return NULL;
	lru_mark(e);
	return elem_slot_value(&h->pool, e, slot->index);
}

static void *lookup_percpu(struct map *map, const void *key, u32 cpu)
{
	struct hash *h = hash_of(map);
	struct elem *e = cpu < h->pool.slots ? hash_find(h, key) : NULL;

	return e ? elem_slot_value(&h->pool, e, cpu) : NULL;
}

static int update(struct map *map, const void *key, const void *value, u64 flags)
{
	if (!slot_current())
		return -EINVAL; /* outside of a run nobody has a slot */
	return hash_update(map, key, value, flags, false);
}

static int write_all(struct map *map, const void *key, const void *value, u64 flags)
{
	return hash_update(map, key, value, flags, true);
}

static int read_all(struct map *map, const void *key, void *value)
{
	struct elem *e = hash_find(hash_of(map), key);

	if (!e)
		return -ENOENT;
	read_elem(hash_of(map), e, value);
	return 0;
}

static int take(struct map *map, const void *key, void *value)
{
	return hash_take(map, key, read_elem, value);
}

struct each {
	u64 (*fn)(void *data, const void *key, void *value);
	void *data;
	u32 slot;
};

static bool call_each(struct hash *h, struct elem *e, void *data)
{
	const struct each *each = data;

	return each->fn(each->data, elem_key(e),
			elem_slot_value(&h->pool, e, each->slot));
}

static s64 for_each(struct map *map, u64 (*fn)(void *data, const void *key, void *value),
		    void *data)
{
	struct slot_ctx *slot = slot_current();

	if (!slot)
		return 0;
	return hash_walk(hash_of(map), call_each, &(struct each){fn, data, slot->index});
}

/* ------------------------------------------------------------------ kinds */

static int create_kind(struct log *log, const struct map *proto,
		       const struct image_map *def, bool lru, struct map **out)
{
	if (proto->value_stride > MAX_VALUE)
		return log_fail(log, -E2BIG,
				"map '%s': values of %u bytes for each slot; at most %d",
				def->name, def->value_size, MAX_VALUE);
	return hash_create(log, proto, def, (struct hash_kind){true, lru}, out);
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	return create_kind(log, proto, def, false, out);
}

static int lru_create(struct log *log, const struct map *proto,
		      const struct image_map *def, struct map **out)
{
	return create_kind(log, proto, def, true, out);
}

#define PERCPU_OPS                                                                       \
	.free = hash_free, .lookup_percpu = lookup_percpu, .update = update,             \
	.remove = hash_remove, .take = take, .next_key = hash_next_key,                  \
	.count = hash_count, .read = read_all, .write = write_all,                       \
	.for_each = for_each, .each_value = hash_each_value

const struct map_ops map_percpu_hash_ops = {
	.type = MAP_PERCPU_HASH,
	.flags = MAPF_NO_PREALLOC | MAPF_ZERO_SEED,
	.create = create,
	.lookup = lookup,
	PERCPU_OPS,
};

const struct map_ops map_lru_percpu_hash_ops = {
	.type = MAP_LRU_PERCPU_HASH,
	.flags = MAPF_NO_COMMON_LRU | MAPF_ZERO_SEED,
	.create = lru_create,
	.lookup = lru_lookup,
	PERCPU_OPS,
};
