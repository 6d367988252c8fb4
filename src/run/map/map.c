/* SPDX-License-Identifier: MIT
 *
 * map.c: what all kinds of map have in common: checking of attributes, references, the
 * list of a host's maps, copies of values under their lock. Kinds are in map/<kind>.c.
 *
 * Every attribute is checked here but for those limits that only a kind knows.
 *
 * Life: map_create() gives one reference. The last map_put() queues a deferred call; it
 * drops the pin of the references after a grace period, when no program can hold a value
 * (M20). Deferred calls of the map's own hold a pin each. The last pin frees, with nobody
 * else there.
 *
 * Ordering
 *  M-A: what was done to a map before map_put() is seen by the thread that frees it:
 *       drops of references and pins release, and the last one acquires.
 */
#include "run/async/async.h"
#include "run/lock.h"
#include "run/map/outer.h"

#include <limits.h>
#include <sys/mman.h>

/* Attribute flags of bpf(2) that have no name in abi.h. */
enum { MAPF_NUMA_NODE = 1 << 2, MAPF_RDONLY = 1 << 3, MAPF_WRONLY = 1 << 4 };

/* Flags every kind takes. A node of memory means nothing here; hosts hold handles, and
 * these two say what a handle may do. */
enum { COMMON_FLAGS = MAPF_NUMA_NODE | MAPF_RDONLY | MAPF_WRONLY | MAPF_RDONLY_PROG |
		      MAPF_WRONLY_PROG };

static const struct map_ops *const kinds[] = {
	&map_array_ops,
	&map_hash_ops,
	&map_percpu_array_ops,
	&map_percpu_hash_ops,
	&map_lru_hash_ops,
	&map_lru_percpu_hash_ops,
	&map_lpm_trie_ops,
	&map_queue_ops,
	&map_stack_ops,
	&map_bloom_ops,
	&map_ringbuf_ops,
	&map_user_ringbuf_ops,
	&map_array_of_maps_ops,
	&map_hash_of_maps_ops,
	&map_prog_array_ops,
	&map_struct_ops_ops,
	&map_task_storage_ops,
	&map_sk_storage_ops,
	&map_inode_storage_ops,
	&map_cgrp_storage_ops,
	&map_arena_ops,
};

const struct map_ops *map_ops_of(u32 type)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->type == type)
			return kinds[i];
	return NULL;
}

/* ------------------------------------------------------------------ attributes */

static int bad_size(struct log *log, const struct image_map *def, const char *what,
		    u32 size)
{
	return log_fail(log, -EINVAL, "map '%s': %s is %u: a map of type %s has none",
			def->name, what, size, abi_map_type(def->type)->name);
}

static int check_key_size(struct log *log, const struct image_map *def,
			  const struct map_ops *ops)
{
	if (ops->keyless)
		return def->key_size ? bad_size(log, def, "key_size", def->key_size) : 0;
	if (!def->key_size)
		return log_fail(log, -EINVAL, "map '%s': key_size is 0", def->name);
	if (!abi_map_type(def->type)->any_key && def->key_size != 4)
		return log_fail(
			log, -EINVAL,
			"map '%s': key_size is %u: the key of a map of type %s is "
			"an index of 4 bytes",
			def->name, def->key_size, abi_map_type(def->type)->name);
	return 0;
}

static int check_sizes(struct log *log, const struct image_map *def,
		       const struct map_ops *ops)
{
	TRY(check_key_size(log, def, ops));
	if (ops->valueless && def->value_size)
		return bad_size(log, def, "value_size", def->value_size);
	if (!ops->valueless && !def->value_size)
		return log_fail(log, -EINVAL, "map '%s': value_size is 0", def->name);
	if (!def->max_entries && !ops->unbounded)
		return log_fail(log, -EINVAL, "map '%s': max_entries is 0", def->name);
	if (def->map_extra && !ops->extra)
		return log_fail(log, -EINVAL,
				"map '%s': map_extra means nothing to type %s", def->name,
				abi_map_type(def->type)->name);
	if (def->value_size > INT_MAX - 8 || def->key_size > INT_MAX - 8)
		return log_fail(log, -E2BIG,
				"map '%s': key or value is larger than 2 GiB", def->name);
	return 0;
}

static int check_flags(struct log *log, const struct image_map *def,
		       const struct map_ops *ops)
{
	u32 unknown = def->flags & ~(ops->flags | (u32)COMMON_FLAGS);
	u32 prog = MAPF_RDONLY_PROG | MAPF_WRONLY_PROG, host = MAPF_RDONLY | MAPF_WRONLY;

	if (unknown)
		return log_fail(log, -EINVAL,
				"map '%s': flags 0x%x mean nothing to type %s", def->name,
				unknown, abi_map_type(def->type)->name);
	if ((def->flags & prog) == prog || (def->flags & host) == host)
		return log_fail(log, -EINVAL,
				"map '%s': flags 0x%x: both read-only and write-only",
				def->name, def->flags);
	return 0;
}

static int check_def(struct log *log, const struct image_map *def,
		     const struct map_ops *ops)
{
	const char *type = abi_map_type(def->type)->name;

	if (!ops)
		return log_fail(log, -EOPNOTSUPP,
				"map '%s': maps of type %s (%u) are unsupported in this "
				"version",
				def->name, type ? type : "unknown", def->type);
	TRY(check_sizes(log, def, ops));
	TRY(check_flags(log, def, ops));
	return abi_check_fields(log, NULL, def->name, def->type, def->flags, def->value_size,
				def->record);
}

/* ------------------------------------------------------------------ life */

static void list_add(struct map *map)
{
	struct pintle_host *host = map->host;

	lock_take(&host->maps_lock);
	map->id = ++host->map_ids;
	map->next = host->maps;
	map->pprev = &host->maps;
	if (map->next)
		map->next->pprev = &map->next;
	host->maps = map;
	lock_drop(&host->maps_lock);
}

static void list_remove(struct map *map)
{
	struct pintle_host *host = map->host;

	lock_take(&host->maps_lock);
	*map->pprev = map->next;
	if (map->next)
		map->next->pprev = map->pprev;
	lock_drop(&host->maps_lock);
}

static void proto_fill(struct map *map, struct pintle_host *host,
		       const struct image_map *def, const struct map_ops *ops)
{
	*map = (struct map){
		.ops = ops,
		.host = host,
		.type = def->type,
		.key_size = def->key_size,
		.value_size = def->value_size,
		.max_entries = def->max_entries,
		.flags = def->flags,
		.value_stride = ROUND_UP(def->value_size, 8),
		.frozen = def->frozen,
		.refs = 1,
		.pins = 1,
	};
}

static int proto_fields(struct log *log, struct map *map, const struct image_map *def)
{
	char what[128];

	snprintf(what, sizeof(what), "map '%s'", def->name);
	TRY(fields_create(log, map->host, what, def->record, &map->fields));
	map->lock_off = fields_lock_off(map->fields);
	map->name = strdup(def->name);
	if (!map->name) {
		fields_free(map->fields);
		return log_fail(log, -ENOMEM, "%s: out of memory", what);
	}
	return 0;
}

int map_proto(struct log *log, struct pintle_host *host, const struct image_map *def,
	      struct map *map)
{
	const struct map_ops *ops = map_ops_of(def->type);

	TRY(check_def(log, def, ops));
	proto_fill(map, host, def, ops);
	return proto_fields(log, map, def);
}

static void proto_free(struct map *proto)
{
	template_free(proto->template);
	fields_free(proto->fields);
	free(proto->name);
}

static int make_template(struct log *log, struct map *proto, const struct image_map *inner)
{
	bool of_maps = proto->type == MAP_ARRAY_OF_MAPS || proto->type == MAP_HASH_OF_MAPS;

	if (!of_maps)
		return 0;
	if (!inner)
		return log_fail(log, -EINVAL,
				"map '%s': it does not say what its inner maps are: add "
				"__array(values, struct ...)", proto->name);
	if (proto->value_size != sizeof(u32))
		return log_fail(log, -EINVAL,
				"map '%s': value_size is %u: that of a map of maps is 4",
				proto->name, proto->value_size);
	return template_create(log, proto, inner, &proto->template);
}

int map_create(struct log *log, struct pintle_host *host, const struct image_map *def,
	       const struct image_map *inner, struct map **out)
{
	struct map proto;
	int err;

	*out = NULL;
	TRY(map_proto(log, host, def, &proto));
	err = make_template(log, &proto, inner);
	if (!err)
		err = proto.ops->create(log, &proto, def, out);
	if (err) {
		proto_free(&proto);
		return err;
	}
	list_add(*out);
	return 0;
}

void map_pin(struct map *map)
{
	atomic_fetch_add_explicit(&map->pins, 1, memory_order_relaxed);
}

bool map_try_pin(struct map *map)
{
	u32 n = atomic_load_explicit(&map->pins, memory_order_relaxed);

	while (n)
		if (atomic_compare_exchange_weak_explicit(&map->pins, &n, n + 1,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	return false;
}

static void map_free(struct map *map)
{
	struct map proto = *map;

	list_remove(map);
	map->ops->free(map);
	proto_free(&proto);
}

void map_unpin(struct map *map)
{
	/* M-A: release and acquire pair with each other */
	if (atomic_fetch_sub_explicit(&map->pins, 1, memory_order_acq_rel) == 1)
		map_free(map);
}

static void unpin_deferred(void *map)
{
	map_unpin(map);
}

void map_get(struct map *map)
{
	u32 old = atomic_fetch_add_explicit(&map->refs, 1, memory_order_relaxed);

	BUG_ON(!old || old == UINT32_MAX);
	(void)old;
}

/* What its end frees at least: elements that are allocated one by one are not counted. */
static u64 weight(const struct map *map)
{
	u64 each = (u64)map->value_stride + map->key_size;

	if (map->ops->valueless)
		return map->max_entries;
	if (map->flags & MAPF_NO_PREALLOC)
		return 0;
	return map->max_entries * each * (map->ops->lookup_percpu ? slot_count(map->host) : 1);
}

void map_put(struct map *map)
{
	/* M-A: release and acquire pair with each other */
	if (!map || atomic_fetch_sub_explicit(&map->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (map->fields && map->fields->async)
		asyncs_settle(map->host);
	defer_call_sized(map->host, unpin_deferred, map, weight(map));
}

/* ------------------------------------------------------------------ values */

int map_check_update(const struct map *map, u64 flags)
{
	if ((flags & ~(u64)MAP_LOCK) > MAP_EXIST)
		return -EINVAL;
	return (flags & MAP_LOCK) && map->lock_off < 0 ? -EINVAL : 0;
}

void map_value_write(const struct map *map, void *value, const void *from, bool locked)
{
	u32 *lock = (u32 *)((char *)value + (locked ? map->lock_off : 0));

	if (locked)
		lock_take(lock);
	fields_copy_in(map->fields, value, from, map->value_size);
	if (locked)
		lock_drop(lock);
}

void map_value_read(const struct map *map, void *to, void *value)
{
	bool locked = map->lock_off >= 0;
	u32 *lock = (u32 *)((char *)value + (locked ? map->lock_off : 0));

	if (locked)
		lock_take(lock);
	fields_copy_out(map->fields, to, value, map->value_size);
	if (locked)
		lock_drop(lock);
}

/* ------------------------------------------------------------------ memory */

enum { LARGE = 4 << 20, PAGE = 4096 };

void *map_calloc(u64 n, u64 size)
{
	char *at = calloc(n, size);
	uintptr_t begin = ROUND_UP((uintptr_t)at, (uintptr_t)PAGE);

	/* Nothing of it was touched yet. A wish: no matter if it is not granted. */
	if (at && n * size >= LARGE)
		madvise((void *)begin, n * size - PAGE, MADV_HUGEPAGE);
	return at;
}

/* ------------------------------------------------------------------ who holds what */

struct tally {
	const struct fields *fields;
	const struct storable *storable;
	u64 n;
};

static void tally_value(void *data, void *value)
{
	struct tally *t = data;

	for (u32 i = 0; i < t->fields->n; i++) {
		const struct run_field *f = &t->fields->at[i];

		if (f->kind == FIELD_REF && f->storable == t->storable)
			t->n += !!__atomic_load_n((void **)((char *)value + f->off),
						  __ATOMIC_RELAXED);
	}
}

static bool may_hold(const struct map *map, const struct storable *storable)
{
	for (u32 i = 0; map->fields && i < map->fields->n; i++)
		if (map->fields->at[i].storable == storable)
			return true;
	return false;
}

u64 map_count_stored(struct pintle_host *host, const struct storable *storable)
{
	struct tally t = {.storable = storable};

	/* The list's lock keeps maps from going, the read section their elements. */
	run_read_lock(host);
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next) {
		if (!may_hold(map, storable))
			continue;
		t.fields = map->fields;
		map->ops->each_value(map, tally_value, &t);
	}
	lock_drop(&host->maps_lock);
	run_read_unlock(host);
	return t.n;
}
