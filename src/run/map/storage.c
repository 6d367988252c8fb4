/* SPDX-License-Identifier: MIT
 *
 * storage.c: object storage: a value for each object of the host that a program asked for
 * one, found by the object's address: what task, socket, inode and cgroup storage are to a
 * kernel. The four types differ in name only: the owner is any object of a type that the
 * host registered as storable, and the verifier takes care that it lives.
 *
 * The host says when an object goes (pintle_storage_free()): its values leave every storage
 * map then, and their fields are destroyed as by a deletion. It says so when no program can
 * find the object any more: a program that did could make it a new value. What it forgets
 * stays until the map goes, and an object at the same address would inherit it.
 *
 * A hash of a fixed number of buckets that holds any number of elements, made as they come;
 * everything else is hash.c's.
 */
#include "run/map/storage.h"
#include "run/lock.h"
#include "run/map/hash.h"

enum { BUCKETS = 1 << 14, MAX_ELEMS = 1 << 30, GET_CREATE = 1 };

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct map inside = *proto;

	if (!(proto->flags & MAPF_NO_PREALLOC))
		return log_fail(log, -EINVAL,
				"map '%s': object storage needs BPF_F_NO_PREALLOC",
				def->name);
	if (def->max_entries)
		return log_fail(log, -EINVAL,
				"map '%s': max_entries is %u: object storage has no limit, "
				"so it must be 0", def->name, def->max_entries);
	if (def->key_size != sizeof(u32))
		return log_fail(log, -EINVAL,
				"map '%s': key_size is %u: it is declared as 4",
				def->name, def->key_size);
	inside.key_size = sizeof(void *);
	inside.max_entries = MAX_ELEMS;
	TRY(hash_create(log, &inside, def, (struct hash_kind){.buckets = BUCKETS}, out));
	atomic_fetch_add_explicit(&proto->host->storages, 1, memory_order_relaxed);
	return 0;
}

static void destroy(struct map *map)
{
	atomic_fetch_sub_explicit(&map->host->storages, 1, memory_order_relaxed);
	hash_free(map);
}

static void *find(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct elem *e = hash_find(h, key);

	return e ? elem_value(&h->pool, e) : NULL;
}

void *storage_get(struct map *map, const void *object, const void *init, u64 flags)
{
	void *value;
	int err;

	if (!object || flags & ~(u64)GET_CREATE)
		return NULL;
	value = find(map, &object);
	if (value || !flags)
		return value;
	err = hash_update(map, &object, init, MAP_NOEXIST, false);
	/* Somebody may have been faster, and somebody may have deleted it since. */
	return !err || err == -EEXIST ? find(map, &object) : NULL;
}

static bool is_storage(const struct map *map)
{
	return map->ops->free == destroy;
}

static void unpin(void *map)
{
	map_unpin(map);
}

/* Under the lock of the list of maps: one that is dying is left alone, and must not be the
 * last to let go of one here. */
static void forget_in(struct map *map, const void *object)
{
	if (!hash_find(hash_of(map), &object) || !map_try_pin(map))
		return;
	hash_remove(map, &object);
	defer_call(map->host, unpin, map);
}

void storage_forget(struct pintle_host *host, const void *object)
{
	if (!atomic_load_explicit(&host->storages, memory_order_relaxed))
		return;
	run_read_lock(host);
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next)
		if (is_storage(map))
			forget_in(map, object);
	lock_drop(&host->maps_lock);
	run_read_unlock(host);
}

#define STORAGE(name, type_)                                                             \
	const struct map_ops map_##name##_storage_ops = {                                \
		.type = type_,                                                           \
		.flags = MAPF_NO_PREALLOC,                                               \
		.unbounded = true,                                                       \
		.create = create,                                                        \
		.free = destroy,                                                         \
		.lookup = find,                                                          \
		.update = hash_write,                                                    \
		.remove = hash_remove,                                                   \
		.take = hash_take_value,                                                 \
		.next_key = hash_next_key,                                               \
		.count = hash_count,                                                     \
		.read = hash_read,                                                       \
		.write = hash_write,                                                     \
		.for_each = hash_for_each,                                               \
		.each_value = hash_each_value,                                           \
	}

STORAGE(task, MAP_TASK_STORAGE);
STORAGE(sk, MAP_SK_STORAGE);
STORAGE(inode, MAP_INODE_STORAGE);
STORAGE(cgrp, MAP_CGRP_STORAGE);
