/* SPDX-License-Identifier: MIT
 *
 * set_api.c: maps that hosts make, and what they put into maps of maps and program arrays
 * (pintle_map_create, pintle_map_set_map, pintle_map_set_prog ...); what they let go.
 *
 * A handle that a host made is its own until pintle_map_close(); the map lives as long as
 * anything refers to it.
 */
#include "run/map/outer.h"
#include "run/map/storage.h"

/* A handle of its own, with the definition behind it. */
struct own_map {
	struct pintle_map handle;
	struct image_map def;
	char name[];
};

static struct own_map *own_new(struct pintle_host *host, const struct image_map *def,
			       const char *name)
{
	struct own_map *own;

	if (host_check(host))
		return NULL;
	own = calloc(1, sizeof(*own) + strlen(name) + 1);
	if (!own) {
		host_oom(host);
		return NULL;
	}
	strcpy(own->name, name);
	own->def = *def;
	own->def.name = own->name;
	own->handle.host = host;
	own->handle.image = &own->def;
	return own;
}

static struct pintle_map *own_make(struct own_map *own)
{
	struct pintle_host *host = own->handle.host;
	struct log log = {0};
	int err = map_create(&log, host, &own->def, NULL, &own->handle.map);

	if (!err) {
		log_free(&log);
		return &own->handle;
	}
	host_fail(host, err, "%s", *log.error ? log.error : strerror(-err));
	log_free(&log);
	free(own);
	return NULL;
}

struct pintle_map *pintle_map_create(struct pintle_host *host, const char *name,
				     const struct pintle_map_opts *opts)
{
	struct pintle_map_opts o;
	struct image_map def = {.inner = -1};
	struct own_map *own;

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (!name) {
		host_fail(host, -EINVAL, "map: no name given");
		return NULL;
	}
	def.type = o.type;
	def.key_size = o.key_size;
	def.value_size = o.value_size;
	def.max_entries = o.max_entries;
	def.flags = o.flags;
	def.map_extra = o.extra;
	own = own_new(host, &def, name);
	return own ? own_make(own) : NULL;
}

struct pintle_map *pintle_map_create_inner(struct pintle_map *outer, const char *name,
					   uint32_t max_entries)
{
	const struct image_map *def;
	struct own_map *own;

	if (!outer || !name)
		return NULL;
	if (!outer->object || outer->image->inner < 0) {
		host_fail(map_host(outer), -EINVAL, "map '%s' has no inner maps",
			  outer->image->name);
		return NULL;
	}
	def = &outer->object->image->maps[outer->image->inner];
	own = own_new(map_host(outer), def, name);
	if (own && max_entries)
		own->def.max_entries = max_entries;
	return own ? own_make(own) : NULL;
}

void pintle_map_close(struct pintle_map *map)
{
	struct pintle_host *host;

	if (!map || map->object || map->host->torn)
		return;
	host = map->host;
	map_put(map->map);
	free(container_of(map, struct own_map, handle));
	defer_safe_point(host);
}

uint32_t pintle_map_id(const struct pintle_map *map)
{
	return map && map->map ? map->map->id : 0;
}

/* ------------------------------------------------------------------ object storage */

void pintle_storage_free(struct pintle_host *host, const void *object)
{
	if (host->torn)
		return;
	storage_forget(host, object);
	defer_safe_point(host);
}

/* ------------------------------------------------------------------ references */

static int set(struct pintle_map *map, const void *key, void *ref, u64 flags,
	       const char *what)
{
	int err;

	if (__atomic_load_n(&map->map->frozen, __ATOMIC_SEQ_CST))
		return -EPERM;
	run_read_lock(map->map->host);
	err = map->map->ops->put(map->map, key, ref, flags);
	run_read_unlock(map->map->host);
	defer_safe_point(map->map->host);
	if (err == -EINVAL)
		host_fail(map->map->host, err, "map '%s': flags 0x%llx, or %s",
			  map->image->name, (unsigned long long)flags, what);
	return err;
}

/* Whether @map is loaded and of a kind that holds what is to be set. */
static int check_kind(const struct pintle_map *map, const void *key, const void *ref,
		      bool progs)
{
	if (!map || !key || !ref)
		return -EINVAL;
	TRY(host_check(map_host(map)));
	if (!map->map)
		return host_fail(map_host(map), -EINVAL, "map '%s' is not loaded",
				 map->image->name);
	/* Others that put() what they hold do so while they are loaded only. */
	if (progs)
		return map->map->type == MAP_PROG_ARRAY ? 0 : -EOPNOTSUPP;
	return map->map->template ? 0 : -EOPNOTSUPP;
}

int pintle_map_set_map(struct pintle_map *outer, const void *key,
		       const struct pintle_map *inner, uint64_t flags)
{
	TRY(check_kind(outer, key, inner, false));
	if (!inner->map)
		return host_fail(map_host(outer), -EINVAL, "map '%s' is not loaded",
				 inner->image->name);
	return set(outer, key, inner->map, flags,
		   "the inner map is not like its template: type, sizes, flags, entries "
		   "of an array and special fields must be the same (D_INNER)");
}

int pintle_map_set_prog(struct pintle_map *map, uint32_t index, struct pintle_prog *prog)
{
	TRY(check_kind(map, &index, prog, true));
	return set(map, &index, prog, 0,
		   "the program is not loaded, or of another type than others that the "
		   "array has to do with");
}
