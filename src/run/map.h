/* SPDX-License-Identifier: MIT
 *
 * map.h: what a map kind must provide, and the life of a map.
 *
 * A map is counted: one reference by each loaded object that uses it, one by each handle.
 * When the last goes, it is freed after a grace period; each element's fields are then
 * destroyed. Values never move while a read section that found them is open (F11).
 */
#ifndef PINTLE_RUN_MAP_H
#define PINTLE_RUN_MAP_H

#include "run/run.h"

struct map_ops;

struct map {
	const struct map_ops *ops;
	struct pintle_host *host;
	const char *name;	     /* own copy */
	u32 type, key_size, value_size, max_entries, flags;
	u32 value_stride;	     /* value_size rounded up to 8 */
	struct fields *fields;	     /* special fields of a value; NULL: none */
	_Atomic u32 refs;
	bool frozen;		     /* host writes refused */
};

struct map_ops {
	u32 type;
	/* Allocates the map (ops fill what is after struct map); checks attributes: -EINVAL
	 * and words when they make no sense. */
	int (*create)(struct log *log, struct pintle_host *host, const struct image_map *def,
		      struct map **out);
	/* After the grace period: destroys fields of every element, frees storage. */
	void (*free)(struct map *map);
	/* For programs: the live value or NULL (per-CPU kinds: this slot's). In a read
	 * section. */
	void *(*lookup)(struct map *map, const void *key);
	/* Both for programs and hosts; @value has value_size bytes. Per-CPU kinds write the
	 * current slot's copy when called by a program (@slot >= 0). */
	int (*update)(struct map *map, const void *key, const void *value, u64 flags);
	int (*remove)(struct map *map, const void *key);
	int (*next_key)(struct map *map, const void *key, void *next);
	u32 (*count)(struct map *map);
	/* For hosts: copies out, with special fields zeroed; per-CPU kinds copy every slot. */
	int (*read)(struct map *map, const void *key, void *value);
	int (*write)(struct map *map, const void *key, const void *value, u64 flags);
	/* Calls fn(map, key, value, ctx) until it returns non-zero; how many were visited. */
	s64 (*for_each)(struct map *map, u64 (*fn)(void *data, const void *key, void *value),
			void *data);
	/* The value of index 0 for global data; NULL for other kinds. */
	void *(*direct)(struct map *map);
};

extern const struct map_ops map_array_ops, map_hash_ops, map_percpu_array_ops;
const struct map_ops *map_ops_of(u32 type); /* NULL: not supported */

int map_create(struct log *log, struct pintle_host *host, const struct image_map *def,
	       struct map **out);
void map_get(struct map *map);
void map_put(struct map *map); /* frees after a grace period */

/* --- field.c: the one lifecycle of special fields (rule book F) --- */

/* A run-time record: what to do for each field. */
struct run_field {
	enum field_kind kind;
	u32 off, size;
	struct storable *storable; /* REF of a host type */
};
struct fields {
	u32 n;
	struct run_field at[];
};

/* NULL record: *out = NULL. -ENOENT with words when a type lost its registration. */
int fields_create(struct log *log, struct pintle_host *host, const struct record *rec,
		  struct fields **out);
void fields_free(struct fields *fields);

/* F6: empties every slot of @value by atomic exchange and queues what was in it. Any
 * context; never calls a destructor itself (J22). */
void fields_destroy(struct pintle_host *host, const struct fields *fields, void *value);
/* F7: copies the bytes of a value but not its special fields. */
void fields_copy_in(const struct fields *fields, void *value, const void *from, u32 size);
/* F7: copies out, special fields as 0. */
void fields_copy_out(const struct fields *fields, void *to, const void *value, u32 size);
/* F12: exchanges one slot; counts what is stored. */
void *field_xchg(const struct run_field *field, void *slot, void *new_ptr);

#endif
