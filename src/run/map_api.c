/* SPDX-License-Identifier: MIT
 *
 * map_api.c: the map operations of hosts (pintle_map_*): checks of what a caller hands
 * in, a read section around each operation, and a safe point after those that retire
 * something.
 *
 * What bpf(2) answers by an errno alone (no such key, exists, full) has no words here
 * either: these are answers, not failures. Misuse has words.
 */
#include "run/map.h"

enum { MAPF_RDONLY = 1 << 3, MAPF_WRONLY = 1 << 4 }; /* what a handle may do */

PINTLE_API const char *pintle_map_name(const struct pintle_map *map)
{
	return map->image->name;
}

PINTLE_API uint32_t pintle_map_key_size(const struct pintle_map *map)
{
	return map->image->key_size;
}

PINTLE_API uint32_t pintle_map_value_size(const struct pintle_map *map)
{
	u32 size = map->image->value_size;

	if (!abi_map_type(map->image->type)->percpu)
		return size;
	return ROUND_UP(size, 8) * slot_count(map->object->host);
}

/* Any thread may do this at any time, so the words go to the log callback only. */
static int misuse(const struct pintle_map *map, int err, const char *what)
{
	char line[256];

	snprintf(line, sizeof(line), "map '%.128s': %s", map->image->name, what);
	host_log(map->object->host, PINTLE_LOG_ERROR, line);
	return err;
}

static int check(const struct pintle_map *map, bool args, bool write)
{
	if (!map)
		return -EINVAL;
	if (!args)
		return misuse(map, -EINVAL, "key or value is NULL");
	if (!map->map)
		return misuse(map, -EINVAL, "its object is not loaded");
	if (write && map->map->frozen)
		return misuse(map, -EPERM,
			      "frozen: its values are constants to programs");
	if (map->map->flags & (write ? MAPF_RDONLY : MAPF_WRONLY))
		return misuse(map, -EPERM,
			      write ? "made read-only for hosts (BPF_F_RDONLY)" :
				      "made write-only for hosts (BPF_F_WRONLY)");
	return 0;
}

PINTLE_API int pintle_map_lookup(const struct pintle_map *map, const void *key,
				 void *value)
{
	int err;

	TRY(check(map, key && value, false));
	run_read_lock(map->map->host);
	err = map->map->ops->read(map->map, key, value);
	run_read_unlock(map->map->host);
	return err;
}

static int write_once(struct map *map, const void *key, const void *value, u64 flags)
{
	int err;

	run_read_lock(map->host);
	err = map->ops->write(map, key, value, flags);
	run_read_unlock(map->host);
	return err;
}

PINTLE_API int pintle_map_update(struct pintle_map *map, const void *key,
				 const void *value, uint64_t flags)
{
	int err;

	TRY(check(map, key && value, true));
	err = write_once(map->map, key, value, flags);
	if (err == -ENOMEM) {
		/* What waits for a grace period may be all there is: unlike a program, a
		 * host can wait for it (inside a run or a section this does nothing). */
		defer_drain(map->map->host);
		err = write_once(map->map, key, value, flags);
	}
	defer_safe_point(map->map->host);
	return err;
}

PINTLE_API int pintle_map_delete(struct pintle_map *map, const void *key)
{
	int err;

	TRY(check(map, key, true));
	run_read_lock(map->map->host);
	err = map->map->ops->remove(map->map, key);
	run_read_unlock(map->map->host);
	defer_safe_point(map->map->host);
	return err;
}

PINTLE_API int pintle_map_next_key(const struct pintle_map *map, const void *key,
				   void *next)
{
	int err;

	TRY(check(map, next, false));
	run_read_lock(map->map->host);
	err = map->map->ops->next_key(map->map, key, next);
	run_read_unlock(map->map->host);
	return err;
}

PINTLE_API uint32_t pintle_map_count(const struct pintle_map *map)
{
	return map && map->map ? map->map->ops->count(map->map) : 0;
}

PINTLE_API void *pintle_map_data(struct pintle_map *map, size_t *size)
{
	struct map *m = map ? map->map : NULL;

	if (!m || map->image->kind == IMAP_DECLARED || m->fields || !m->ops->direct)
		return NULL;
	if (size)
		*size = m->value_size;
	return m->ops->direct(m);
}
