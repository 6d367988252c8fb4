/* SPDX-License-Identifier: MIT
 *
 * map_api.c: the map operations of hosts (pintle_map_*): checks of what a caller hands
 * in, a read section around each operation, and a safe point after those that retire
 * something.
 *
 * What bpf(2) answers by an errno alone (no such key, exists, full) has no words here
 * either: these are answers, not failures. Misuse has words.
 */
#include "run/memory/buffer.h"
#include "run/map/map.h"

enum { MAPF_RDONLY = 1 << 3, MAPF_WRONLY = 1 << 4 }; /* what a handle may do */

PINTLE_API const char *pintle_map_name(const struct pintle_map *map)
{
	return map->image->name;
}

PINTLE_API uint32_t pintle_map_key_size(const struct pintle_map *map)
{
	/* Object storage: an address, whatever the declaration says. */
	return map->map ? map->map->key_size : map->image->key_size;
}

PINTLE_API uint32_t pintle_map_value_size(const struct pintle_map *map)
{
	u32 size = map->image->value_size;

	if (!abi_map_type(map->image->type)->percpu)
		return size;
	return ROUND_UP(size, 8) * slot_count(map_host(map));
}

/* Any thread may do this at any time, so the words go to the log callback only. */
static int misuse(const struct pintle_map *map, int err, const char *what)
{
	char line[256];

	snprintf(line, sizeof(line), "map '%.128s': %s", map->image->name, what);
	host_log(map_host(map), PINTLE_LOG_ERROR, line);
	return err;
}

enum rights { READS = 1, WRITES = 2 };

static int check_rights(const struct pintle_map *map, u32 rights)
{
	const struct map *m = map->map;

	if (rights & WRITES && __atomic_load_n(&m->frozen, __ATOMIC_SEQ_CST))
		return misuse(map, -EPERM,
			      "frozen: its values are constants to programs");
	if (rights & WRITES && m->flags & MAPF_RDONLY)
		return misuse(map, -EPERM, "made read-only for hosts (BPF_F_RDONLY)");
	if (rights & READS && m->flags & MAPF_WRONLY)
		return misuse(map, -EPERM, "made write-only for hosts (BPF_F_WRONLY)");
	return 0;
}

/* @there: whether the kind has the operation. */
#define TRY_CHECK(map, rights, op)                                                       \
	do {                                                                             \
		TRY(check_handle(map));                                                  \
		TRY(check_rights(map, rights));                                          \
		if (!(map)->map->ops->op)                                                \
			return -EOPNOTSUPP;                                              \
	} while (0)

static int check_handle(const struct pintle_map *map)
{
	if (!map)
		return -EINVAL;
	if (unlikely(map_host(map)->torn))
		return -ECHILD;
	return map->map ? 0 : misuse(map, -EINVAL, "its object is not loaded");
}

/* Kinds without keys get none. */
static int check_key(const struct pintle_map *map, const void *key)
{
	bool keyless = map->map->ops->keyless;

	if (!key == keyless)
		return 0;
	return misuse(map, -EINVAL, keyless ? "a key is given; its kind has none"
					    : "key or value is NULL");
}

static int check_value(const struct pintle_map *map, const void *value)
{
	return value ? 0 : misuse(map, -EINVAL, "key or value is NULL");
}

/* ------------------------------------------------------------------ one element */

/* Frozen meanwhile: freezing waits for sections that may have seen it otherwise. */
static bool is_frozen(const struct map *map)
{
	return __atomic_load_n(&map->frozen, __ATOMIC_SEQ_CST);
}

static int write_once(struct map *map, const void *key, const void *value, u64 flags)
{
	int err;

	run_read_lock(map->host);
	err = is_frozen(map) ? -EPERM : map->ops->write(map, key, value, flags);
	run_read_unlock(map->host);
	return err;
}

static int remove_once(struct map *map, const void *key)
{
	int err;

	run_read_lock(map->host);
	err = is_frozen(map) ? -EPERM : map->ops->remove(map, key);
	run_read_unlock(map->host);
	return err;
}

/* What is read and removed, or only read. */
static int read_once(struct map *map, const void *key, void *value, bool take)
{
	int err;

	run_read_lock(map->host);
	if (take)
		err = is_frozen(map) ? -EPERM : map->ops->take(map, key, value);
	else
		err = map->ops->read(map, key, value);
	run_read_unlock(map->host);
	return err;
}

/* E6, J21: the buffers that the value names are pinned first, so that it cannot fail half
 * way; a reader may see the new value's fields empty for a moment. */
static int write_pinning(struct map *map, const void *key, const void *value, u64 flags)
{
	void **pins;
	void *at;
	int err;

	if (flags & MAP_LOCK)
		return -EOPNOTSUPP;
	pins = calloc(map->fields->n, sizeof(*pins));
	if (!pins)
		return -ENOMEM;
	err = uptrs_pin(map->host, map->fields, value, pins);
	run_read_lock(map->host);
	if (!err) {
		err = map->ops->write(map, key, value, flags);
		at = err ? NULL : map->ops->lookup(map, key);
		if (at)
			uptrs_store(map->host, map->fields, at, pins);
		else
			uptrs_drop(map->host, pins, map->fields->n);
	}
	run_read_unlock(map->host);
	free(pins);
	return err;
}

PINTLE_API int pintle_map_lookup(const struct pintle_map *map, const void *key,
				 void *value)
{
	TRY_CHECK(map, READS, read);
	TRY(check_key(map, key));
	TRY(check_value(map, value));
	return read_once(map->map, key, value, false);
}

static int write(struct map *map, const void *key, const void *value, u64 flags)
{
	int err;

	if (unlikely(fields_have_uptr(map->fields)))
		return write_pinning(map, key, value, flags);
	err = write_once(map, key, value, flags);

	if (err != -ENOMEM)
		return err;
	/* What waits for a grace period may be all there is: unlike a program, a host can
	 * wait for it (inside a run or a section this does nothing). */
	defer_drain(map->host);
	return write_once(map, key, value, flags);
}

PINTLE_API int pintle_map_update(struct pintle_map *map, const void *key,
				 const void *value, uint64_t flags)
{
	int err;

	TRY_CHECK(map, WRITES, write);
	TRY(check_key(map, key));
	TRY(check_value(map, value));
	err = write(map->map, key, value, flags);
	defer_safe_point(map->map->host);
	return err;
}

PINTLE_API int pintle_map_delete(struct pintle_map *map, const void *key)
{
	int err;

	TRY_CHECK(map, WRITES, remove);
	TRY(check_key(map, key));
	err = remove_once(map->map, key);
	defer_safe_point(map->map->host);
	return err;
}

PINTLE_API int pintle_map_lookup_and_delete(struct pintle_map *map, const void *key,
					    void *value)
{
	int err;

	TRY_CHECK(map, READS | WRITES, take);
	TRY(check_key(map, key));
	TRY(check_value(map, value));
	err = read_once(map->map, key, value, true);
	defer_safe_point(map->map->host);
	return err;
}

/* ------------------------------------------------------------------ many elements */

static int next_key(const struct pintle_map *map, const void *key, void *next)
{
	int err;

	run_read_lock(map->map->host);
	err = map->map->ops->next_key(map->map, key, next);
	run_read_unlock(map->map->host);
	return err;
}

PINTLE_API int pintle_map_next_key(const struct pintle_map *map, const void *key,
				   void *next)
{
	TRY_CHECK(map, READS, next_key);
	TRY(check_value(map, next));
	return next_key(map, key, next);
}

/* A batch under way: the @i-th key and value of the caller's arrays. */
struct batch {
	char *keys, *values;
	u32 n, max;
};

static void *key_nth(const struct pintle_map *map, const struct batch *b)
{
	return b->keys + (size_t)b->n * map->map->key_size;
}

static void *value_nth(const struct pintle_map *map, const struct batch *b)
{
	return b->values + (size_t)b->n * pintle_map_value_size(map);
}

static int check_batch(const struct pintle_map *map, const void *keys, const void *values,
		       const u32 *count, u64 flags, u64 allowed)
{
	if (!keys || !values || !count)
		return misuse(map, -EINVAL, "batch: keys, values or count is NULL");
	return flags & ~allowed ? -EINVAL : 0;
}

/* One element more, if its key is still there. */
static int batch_step(const struct pintle_map *map, struct batch *b, bool take)
{
	int err = read_once(map->map, key_nth(map, b), value_nth(map, b), take);

	b->n += !err;
	return err == -ENOENT ? 0 : err;
}

/* From after the key at @from. What is visited is found by next_key(), which goes on
 * after a key that went meanwhile; @to gets the last one. */
static int batch_walk(const struct pintle_map *map, const void *from, void *to,
		      struct batch *b, bool take)
{
	u32 size = map->map->key_size;
	char *cursor = malloc(size);
	int err = cursor ? 0 : -ENOMEM;
	bool begun = from;

	if (!err && from)
		memcpy(cursor, from, size);
	while (!err && b->n < b->max) {
		err = next_key(map, begun ? cursor : NULL, key_nth(map, b));
		if (err)
			break;
		memcpy(cursor, key_nth(map, b), size);
		begun = true;
		err = batch_step(map, b, take);
	}
	if (begun)
		memcpy(to, cursor, size);
	free(cursor);
	return err;
}

static int lookup_batch(const struct pintle_map *map, const void *from, void *to,
			void *keys, void *values, u32 *count, u64 flags, bool take)
{
	struct batch b = {keys, values};
	int err;

	TRY(check_batch(map, keys, values, count, flags, 0));
	if (!to)
		return misuse(map, -EINVAL, "batch: no place for the cursor");
	b.max = *count;
	err = batch_walk(map, from, to, &b, take);
	*count = b.n;
	return err;
}

PINTLE_API int pintle_map_lookup_batch(const struct pintle_map *map, const void *from,
				       void *to, void *keys, void *values,
				       uint32_t *count, uint64_t flags)
{
	TRY_CHECK(map, READS, read);
	TRY_CHECK(map, READS, next_key);
	return lookup_batch(map, from, to, keys, values, count, flags, false);
}

PINTLE_API int pintle_map_lookup_and_delete_batch(struct pintle_map *map,
						  const void *from, void *to, void *keys,
						  void *values, uint32_t *count,
						  uint64_t flags)
{
	int err;

	TRY_CHECK(map, READS | WRITES, take);
	TRY_CHECK(map, READS | WRITES, next_key);
	err = lookup_batch(map, from, to, keys, values, count, flags, true);
	defer_safe_point(map->map->host);
	return err;
}

PINTLE_API int pintle_map_update_batch(struct pintle_map *map, const void *keys,
				       const void *values, uint32_t *count,
				       uint64_t flags)
{
	struct batch b = {(char *)(uintptr_t)keys, (char *)(uintptr_t)values};
	int err = 0;

	TRY_CHECK(map, WRITES, write);
	TRY_CHECK(map, WRITES, next_key); /* kinds without keys have no batches */
	TRY(check_batch(map, keys, values, count, flags, UINT64_MAX));
	for (b.max = *count; b.n < b.max; b.n++) {
		err = write(map->map, key_nth(map, &b), value_nth(map, &b), flags);
		if (err)
			break;
	}
	*count = b.n;
	defer_safe_point(map->map->host);
	return err;
}

PINTLE_API int pintle_map_delete_batch(struct pintle_map *map, const void *keys,
				       uint32_t *count, uint64_t flags)
{
	struct batch b = {(char *)(uintptr_t)keys};
	int err = 0;

	TRY_CHECK(map, WRITES, remove);
	TRY(check_batch(map, keys, keys, count, flags, 0));
	for (b.max = *count; b.n < b.max && !err; b.n += !err)
		err = remove_once(map->map, key_nth(map, &b));
	*count = b.n;
	defer_safe_point(map->map->host);
	return err;
}

/* ------------------------------------------------------------------ the whole */

PINTLE_API uint32_t pintle_map_count(const struct pintle_map *map)
{
	return map && map->map ? map->map->ops->count(map->map) : 0;
}

PINTLE_API int pintle_map_freeze(struct pintle_map *map)
{
	struct map *m;

	TRY(check_handle(map));
	m = map->map;
	if (m->fields)
		return misuse(map, -EOPNOTSUPP,
			      "has special fields: it cannot be frozen"); /* D09 */
	if (m->flags & (MAPF_RDONLY | MAPF_WRONLY))
		return misuse(map, -EPERM, "its handle may not freeze it");
	if (__atomic_load_n(&m->shared, __ATOMIC_RELAXED))
		return misuse(map, -EBUSY, "its bytes were given out for writing");
	if (__atomic_exchange_n(&m->frozen, true, __ATOMIC_SEQ_CST))
		return -EBUSY;
	if (!slot_current() && !run_read_ongoing())
		grace_wait(m->host);
	return 0;
}

/* D08: not with fields, whatever its flags say. */
PINTLE_API void *pintle_map_data(struct pintle_map *map, size_t *size)
{
	struct map *m = map ? map->map : NULL;

	if (!m || m->fields || !m->ops->direct)
		return NULL;
	if (map->image->kind == IMAP_DECLARED &&
	    (!(m->flags & MAPF_MMAPABLE) || m->frozen))
		return NULL;
	__atomic_store_n(&m->shared, true, __ATOMIC_RELAXED);
	if (size)
		*size = m->max_entries > 1 ? (size_t)m->value_stride * m->max_entries
					   : m->value_size;
	return m->ops->direct(m);
}
