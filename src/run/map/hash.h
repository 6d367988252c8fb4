/* SPDX-License-Identifier: MIT
 *
 * hash.h: what the kinds built on a hash table share: hash, per-CPU hash, and both with
 * eviction (LRU), object storage, hash of maps. hash.c has the table; a kind's file says
 * what a value is.
 */
#ifndef PINTLE_MAP_HASH_H
#define PINTLE_MAP_HASH_H

#include "run/map/pool.h"

struct bucket;
struct lru;

struct hash {
	struct map map;
	struct pool pool;
	struct bucket *buckets;
	u32 mask;
	u64 seed;
	bool percpu;	 /* a value for each slot, updated in place */
	bool word;	 /* values of one word and no fields: updated in place too */
	struct lru *lru; /* a full map evicts; NULL: it refuses */
};

struct hash_kind {
	bool percpu, lru, maps;
	u32 buckets; /* 0: as many as entries */
};

enum { MAPF_ZERO_SEED = 1 << 6 };

static inline struct hash *hash_of(const struct map *map)
{
	return container_of(map, struct hash, map);
}

int hash_create(struct log *log, const struct map *proto, const struct image_map *def,
		struct hash_kind kind, struct map **out);
void hash_free(struct map *map);

/* The element of @key or NULL. In a read section, as all below. */
struct elem *hash_find(const struct hash *h, const void *key);

/* @all: per-CPU kinds: @value has a value for every slot, else one for the current. */
int hash_update(struct map *map, const void *key, const void *value, u64 flags, bool all);
int hash_remove(struct map *map, const void *key);
/* Takes @key out of the map and calls @read with its element before its fields go. */
int hash_take(struct map *map, const void *key,
	      void (*read)(struct hash *h, struct elem *e, void *to), void *to);
int hash_next_key(struct map *map, const void *key, void *next);
u32 hash_count(struct map *map);
/* Calls fn() for each element until it returns true: how many were visited. fn() may
 * delete what it is given and anything else: the walk stands on elements that the read
 * section keeps. */
s64 hash_walk(struct hash *h, bool (*fn)(struct hash *h, struct elem *e, void *data),
	      void *data);
const void *hash_key_of(struct map *map, const void *value, u32 *index);
void hash_each_value(struct map *map, void (*fn)(void *data, void *value), void *data);

/* Takes @e out of its chain if it is still linked: then the caller retires it and has its
 * credit. */
bool hash_unlink_elem(struct hash *h, struct elem *e);

/* --- plain values, in hash.c: also of LRU hashes --- */

void hash_read_elem(struct hash *h, struct elem *e, void *to);
int hash_read(struct map *map, const void *key, void *value);
int hash_write(struct map *map, const void *key, const void *value, u64 flags);
int hash_take_value(struct map *map, const void *key, void *value);
s64 hash_for_each(struct map *map,
		  u64 (*fn)(void *data, const void *key, void *value), void *data);

/* All but type, flags, create and lookup. */
#define HASH_OPS                                                                         \
	.free = hash_free, .update = hash_write, .remove = hash_remove,                  \
	.take = hash_take_value, .next_key = hash_next_key, .count = hash_count,         \
	.read = hash_read, .write = hash_write, .for_each = hash_for_each,               \
	.each_value = hash_each_value, .key_of = hash_key_of

/* --- percpu_hash.c: also of LRU per-CPU hashes --- */

/* Writes one slot's value, or every one (@all), and destroys the fields there. */
void percpu_write(struct hash *h, struct elem *e, const void *value, bool all);
/* The same for an element that nobody else sees: the other slots' values become 0. */
void percpu_fill(struct hash *h, struct elem *e, const void *value, bool all);

/* --- lru_hash.c --- */

/* Bytes that eviction keeps behind an element's value. */
u32 lru_extra(void);
int lru_open(struct log *log, struct hash *h);
void lru_close(struct hash *h);
/* @e was linked, or unlinked; under its bucket's lock. */
void lru_add(struct hash *h, struct elem *e);
void lru_del(struct hash *h, struct elem *e);
/* Finds room for one more: a credit, of an element that goes if need be. Outside of
 * locks. False: everything changes too fast. */
bool lru_credit(struct hash *h);

/* @e was found: it is not the next to go. A shared line is written only when that is
 * news. */
static inline void lru_mark(struct elem *e)
{
	if (!__atomic_load_n(&e->used, __ATOMIC_RELAXED))
		__atomic_store_n(&e->used, 1, __ATOMIC_RELAXED);
}

#endif
