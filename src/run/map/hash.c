/* SPDX-License-Identifier: MIT
 *
 * hash.c: the table of all hash maps, and the plain kind: chained buckets, lookups without
 * locks, one lock per bucket for writers. Elements are of the pool (pool.h), made at the start or, with
 * BPF_F_NO_PREALLOC, as they come.
 *
 * Invariants
 *  - A chain is in rising order of (hash, key). So a key is there once, a lookup of a key
 *    that is not stops early, and a walk by next_key() goes on after a key that was
 *    deleted meanwhile: each key that is there throughout is given exactly once, none
 *    twice.
 *  - The key of a linked element never changes. An update of a key that exists links a
 *    new element, with empty slots, where the old one was (F.4, M05), but for updates
 *    under the value's lock: these write the bytes in place and leave slots alone (M06).
 *    Per-CPU kinds write in place always; so do maps whose values are one word without
 *    fields: who reads one sees the old or the new, and no element is made.
 *  - An element that was unlinked keeps its `next` until its quarantine ends: a reader
 *    that stands on it finds the rest of the chain (F11).
 *
 * Ordering
 *  H-A: an element is filled before it is linked: the release store of a link pairs with
 *       the acquire loads in head_of() and follow(); who finds it sees its key and value.
 *  H-B: writers of one bucket exclude each other: the release in bucket_unlock() pairs
 *       with the acquire in bucket_try().
 *  H-C: slots are destroyed after the element was unlinked: a program that looks up the
 *       key later never sees them.
 *
 * Lock order: a bucket's lock; then the lock of an eviction list (lru_hash.c). Locks of
 * values and stripes are taken without it, destructors are queued without it (J22).
 *
 * Progress: lookups are wait-free but for writers that keep inserting before them;
 * writers block on their bucket.
 */
#include "run/map/hash.h"
#include "run/lock.h"

/* The first element of the chain, and LOCKED: one word, so that there are twice as many
 * buckets as entries for the memory of one each. */
struct bucket {
	atomic(uintptr_t) head;
};

enum { LOCKED = 1 };

enum { MAX_ELEM = 4 << 20, MAX_BUCKETS = 1 << 29 };

/* ------------------------------------------------------------------ chains */

/* A place in a chain: the link that points, or would point, to the key. */
struct place {
	atomic(struct elem *) *link; /* NULL: the bucket's head */
	struct elem *at;	     /* what the link points to */
	bool found;		     /* it has the key; else it is the first after it */
};

static inline struct elem *head_of(const struct bucket *b)
{
	/* acquire: H-A, pairs with set_place() */
	return (struct elem *)(atomic_load_explicit(&b->head, memory_order_acquire) &
			       ~(uintptr_t)LOCKED);
}

static inline struct elem *follow(atomic(struct elem *) *link)
{
	/* acquire: H-A, pairs with set_place() */
	return atomic_load_explicit(link, memory_order_acquire);
}

/* Under the bucket's lock. */
static void set_place(struct bucket *b, const struct place *p, struct elem *e)
{
	/* release: H-A, pairs with head_of() and follow() */
	if (p->link)
		atomic_store_explicit(p->link, e, memory_order_release);
	else
		atomic_store_explicit(&b->head, (uintptr_t)e | LOCKED,
				      memory_order_release);
}

static bool bucket_try(struct bucket *b)
{
	uintptr_t head = atomic_load_explicit(&b->head, memory_order_relaxed);

	/* acquire: H-B, pairs with bucket_unlock() */
	return !(head & LOCKED) &&
	       atomic_compare_exchange_strong_explicit(&b->head, &head, head | LOCKED,
						       memory_order_acquire,
						       memory_order_relaxed);
}

static void bucket_lock(struct bucket *b)
{
	for (u32 tries = 0; unlikely(!bucket_try(b)); tries++)
		lock_pause(tries);
}

static void bucket_unlock(struct bucket *b)
{
	uintptr_t head = atomic_load_explicit(&b->head, memory_order_relaxed);

	/* release: H-B, pairs with bucket_try(); nobody else stores to a locked head */
	atomic_store_explicit(&b->head, head & ~(uintptr_t)LOCKED, memory_order_release);
}

/* Word @i of a key of @size bytes, padded with zeros as those of elements are. The usual
 * sizes go without a call of memcpy(). */
static inline u64 word(const void *key, u32 i, u32 size)
{
	const char *at = (const char *)key + i * 8;
	u64 v = 0;
	u32 w;

	if (likely(size - i * 8 >= 8)) {
		memcpy(&v, at, 8);
	} else if (size - i * 8 == 4) {
		memcpy(&w, at, 4);
		v = w;
	} else {
		memcpy(&v, at, size - i * 8);
	}
	return v;
}

/* A key that is looked for: as given, its first word, its hash. */
struct probe {
	const void *key;
	u64 first;
	u32 size, hash;
};

static inline u64 fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

static struct probe probe(const struct hash *h, const void *key)
{
	const u64 k0 = 0x9e3779b97f4a7c15ull, k1 = 0xe7037ed1a0b428dbull;
	struct probe p = {key, word(key, 0, h->map.key_size), h->map.key_size};

	if (p.size <= 8) /* as hash_bytes() folds, without its loop and call */
		p.hash = (u32)fold(fold(p.first ^ h->seed, k1) ^ h->seed, k0);
	else
		p.hash = (u32)hash_bytes(key, p.size, h->seed);
	return p;
}

/* Any total order of keys will do: by words. */
static inline int compare(const struct elem *e, const struct probe *p)
{
	if (e->data[0] != p->first)
		return e->data[0] < p->first ? -1 : 1;
	for (u32 i = 1; i * 8 < p->size; i++) {
		u64 w = word(p->key, i, p->size);

		if (e->data[i] != w)
			return e->data[i] < w ? -1 : 1;
	}
	return 0;
}

static struct bucket *bucket_of(const struct hash *h, const struct probe *p)
{
	return &h->buckets[p->hash & h->mask];
}

static inline struct place find_place(const struct bucket *b, const struct probe *p)
{
	atomic(struct elem *) *link = NULL;

	for (struct elem *e = head_of(b); e; link = &e->next, e = follow(link)) {
		int order;

		if (e->hash < p->hash)
			continue;
		order = e->hash > p->hash ? 1 : compare(e, p);
		if (order >= 0)
			return (struct place){link, e, order == 0};
	}
	return (struct place){link, NULL, false};
}

static struct elem *find(const struct hash *h, const struct probe *p)
{
	struct place place = find_place(bucket_of(h, p), p);

	return place.found ? place.at : NULL;
}

struct elem *hash_find(const struct hash *h, const void *key)
{
	struct probe p = probe(h, key);

	return find(h, &p);
}

/* ------------------------------------------------------------------ walks */

/* The first element of bucket @i or of a later one. */
static struct elem *first(struct hash *h, u64 i)
{
	for (; i <= h->mask; i++) {
		struct elem *e = head_of(&h->buckets[i]);

		if (e)
			return e;
	}
	return NULL;
}

/* The first element after @key in the order of walks, whether @key is there or not. */
static struct elem *after(struct hash *h, const void *key)
{
	struct probe p = probe(h, key);
	struct place place = find_place(bucket_of(h, &p), &p);
	struct elem *e = place.found ? follow(&place.at->next) : place.at;

	return e ? e : first(h, (u64)(p.hash & h->mask) + 1);
}

int hash_next_key(struct map *map, const void *key, void *next)
{
	struct hash *h = hash_of(map);
	struct elem *e = key ? after(h, key) : first(h, 0);

	if (!e)
		return -ENOENT;
	memcpy(next, elem_key(e), map->key_size);
	return 0;
}

u32 hash_count(struct map *map)
{
	return pool_live(&hash_of(map)->pool);
}

s64 hash_walk(struct hash *h, bool (*fn)(struct hash *h, struct elem *e, void *data),
	      void *data)
{
	s64 n = 0;

	for (u64 i = 0; i <= h->mask; i++) {
		struct elem *e = head_of(&h->buckets[i]);

		for (; e; e = follow(&e->next)) {
			n++;
			if (fn(h, e, data))
				return n;
		}
	}
	return n;
}

void hash_each_value(struct map *map, void (*fn)(void *data, void *value), void *data)
{
	struct hash *h = hash_of(map);

	for (u64 i = 0; i <= h->mask; i++)
		for (struct elem *e = head_of(&h->buckets[i]); e;
		     e = follow(&e->next))
			for (u32 v = 0; v < elem_values(&h->pool); v++)
				fn(data, elem_value_nth(&h->pool, e, v));
}

/* ------------------------------------------------------------------ writing */

/* An update under way. */
struct update {
	struct hash *h;
	struct probe key;
	const void *value;
	u64 flags;
	bool all;	    /* @value is of every slot */
	bool credit;	    /* room was found before (LRU) */
	struct elem *fresh; /* private element; NULL once linked */
	struct elem *old;   /* what it replaced, or what is written in place */
};

/* What @flags say about a key that is there, or not. */
static int check_exists(u64 flags, bool exists)
{
	if (exists && (flags & MAP_NOEXIST))
		return -EEXIST;
	return !exists && (flags & MAP_EXIST) ? -ENOENT : 0;
}

static bool in_place(const struct update *u)
{
	return u->h->percpu || u->h->word || (u->flags & MAP_LOCK);
}

static void write_in_place(struct update *u, struct elem *e)
{
	struct hash *h = u->h;

	if (h->lru)
		lru_mark(e);
	if (h->percpu)
		percpu_write(h, e, u->value, u->all);
	else
		map_value_write(&h->map, elem_value(&h->pool, e), u->value,
				u->flags & MAP_LOCK);
}

/* The key may be memory that others write meanwhile: what is hashed is what is kept. */
static void fill_key(struct update *u, struct elem *e)
{
	u32 size = u->key.size;

	if (size <= 8) {
		e->data[0] = u->key.first;
	} else {
		e->data[u->h->pool.key_stride / 8 - 1] = 0; /* the key's padding */
		memcpy(elem_key(e), u->key.key, size);
		u->key = probe(u->h, elem_key(e));
	}
	e->hash = u->key.hash;
}

static int fill(struct update *u)
{
	struct hash *h = u->h;
	struct elem *e = u->fresh = pool_take(&h->pool);

	if (!e)
		return -ENOMEM;
	fill_key(u, e);
	if (h->pool.maps)
		map_get(*(struct map *const *)u->value);
	if (h->percpu)
		percpu_fill(h, e, u->value, u->all);
	else if (u->value && !h->map.fields) /* nobody else reads it: in any pieces */
		memcpy(elem_value(&h->pool, e), u->value, h->map.value_size);
	else if (u->value)
		fields_copy_in(h->map.fields, elem_value(&h->pool, e), u->value,
			       h->map.value_size);
	else
		memset(elem_value(&h->pool, e), 0, h->map.value_size);
	return 0;
}

static int take_credit(struct update *u)
{
	if (!u->credit && !pool_credit_take(&u->h->pool))
		return -E2BIG;
	u->credit = false;
	return 0;
}

/* Under the bucket's lock, so that whether the key is there and whether the map is full
 * are one answer. */
static int link_fresh(struct update *u, struct bucket *b)
{
	struct place p = find_place(b, &u->key);
	struct elem *next = p.found ? follow(&p.at->next) : p.at;
	struct lru *lru = u->h->lru;

	TRY(check_exists(u->flags, p.found));
	if (!p.found)
		TRY(take_credit(u));
	u->old = p.found ? p.at : NULL;
	if (p.found && in_place(u))
		return 0;
	atomic_store_explicit(&u->fresh->next, next, memory_order_relaxed);
	set_place(b, &p, u->fresh);
	if (lru && u->old)
		lru_del(u->h, u->old);
	if (lru)
		lru_add(u->h, u->fresh);
	u->fresh = NULL;
	return 0;
}

static int link_locked(struct update *u)
{
	struct bucket *b = bucket_of(u->h, &u->key);
	int err;

	bucket_lock(b);
	err = link_fresh(u, b);
	bucket_unlock(b);
	return err;
}

/* Every element an update touched finds its place, whether it failed or not. */
static void settle(struct update *u)
{
	struct pool *pool = &u->h->pool;

	if (u->old && u->fresh) /* somebody inserted it since hash_update() looked */
		write_in_place(u, u->old);
	else if (u->old)
		pool_retire(pool, u->old);
	if (u->fresh)
		pool_give(pool, u->fresh);
	if (u->credit)
		pool_credit_give(pool);
}

/* The answers that need no new element: @flags forbid it, or write in place. 1: go on. */
static int update_found(struct update *u)
{
	struct elem *e = find(u->h, &u->key);

	TRY(check_exists(u->flags, e));
	/* Room for a new key is made before its bucket is locked. */
	if (!e && u->h->lru) {
		u->credit = lru_credit(u->h);
		if (!u->credit)
			return -ENOMEM;
	}
	if (!e || !in_place(u))
		return 1;
	write_in_place(u, e);
	return 0;
}

/* Links a new element, where the key is or would be. */
static int replace(struct update *u)
{
	int err;

	__builtin_prefetch(bucket_of(u->h, &u->key), 1); /* it comes while we fill */
	err = fill(u);
	if (!err)
		err = link_locked(u);
	if (unlikely(u->old || u->fresh || u->credit))
		settle(u);
	return err;
}

int hash_update(struct map *map, const void *key, const void *value, u64 flags, bool all)
{
	struct update u = {
		.h = hash_of(map), .value = value, .flags = flags, .all = all};
	int err;

	TRY(map_check_update(map, flags));
	u.key = probe(u.h, key);
	if (flags || u.h->percpu || u.h->word || u.h->lru) {
		err = update_found(&u);
		if (err <= 0)
			return err;
	}
	err = replace(&u);
	/* The key went between two looks: an update that comes a little later. */
	return err == -E2BIG && u.h->lru ? hash_update(map, key, value, flags, all) : err;
}

static struct elem *unlink_key(struct hash *h, const void *key)
{
	struct probe p = probe(h, key);
	struct bucket *b = bucket_of(h, &p);
	struct place place;

	bucket_lock(b);
	place = find_place(b, &p);
	if (place.found)
		set_place(b, &place, follow(&place.at->next));
	if (place.found && h->lru)
		lru_del(h, place.at);
	bucket_unlock(b);
	return place.found ? place.at : NULL;
}

int hash_take(struct map *map, const void *key,
	      void (*read)(struct hash *h, struct elem *e, void *to), void *to)
{
	struct hash *h = hash_of(map);
	struct elem *e = unlink_key(h, key);

	if (!e)
		return -ENOENT;
	if (read)
		read(h, e, to);
	pool_credit_give(&h->pool);
	pool_retire(&h->pool, e);
	return 0;
}

int hash_remove(struct map *map, const void *key)
{
	return hash_take(map, key, NULL, NULL);
}

bool hash_unlink_elem(struct hash *h, struct elem *e)
{
	struct bucket *b = &h->buckets[e->hash & h->mask];
	struct place p = {0};

	bucket_lock(b);
	for (p.at = head_of(b); p.at && p.at != e; p.at = follow(p.link))
		p.link = &p.at->next;
	if (p.at)
		set_place(b, &p, follow(&e->next));
	bucket_unlock(b);
	return p.at;
}

/* ------------------------------------------------------------------ plain values */

static void *lookup(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct elem *e = hash_find(h, key);

	return e ? elem_value(&h->pool, e) : NULL;
}

void hash_read_elem(struct hash *h, struct elem *e, void *to)
{
	map_value_read(&h->map, to, elem_value(&h->pool, e));
}

int hash_read(struct map *map, const void *key, void *value)
{
	struct elem *e = hash_find(hash_of(map), key);

	if (!e)
		return -ENOENT;
	hash_read_elem(hash_of(map), e, value);
	return 0;
}

static inline void store_word(void *to, const void *from, u32 size)
{
	u64 d;
	u32 w;

	if (likely(size == 8)) {
		memcpy(&d, from, 8);
		__atomic_store_n((u64 *)to, d, __ATOMIC_RELAXED);
	} else if (size == 4) {
		memcpy(&w, from, 4);
		__atomic_store_n((u32 *)to, w, __ATOMIC_RELAXED);
	} else {
		fields_copy_in(NULL, to, from, size);
	}
}

/* The usual update of a word, of a key that is there: a lookup and a store. The less there
 * is of it, the more of them the processor has under way. */
int hash_write(struct map *map, const void *key, const void *value, u64 flags)
{
	struct hash *h = hash_of(map);
	struct update u = {.h = h, .value = value};
	struct elem *e;

	if (unlikely(!h->word || flags != MAP_ANY))
		return hash_update(map, key, value, flags, false);
	u.key = probe(h, key);
	e = find(h, &u.key);
	if (unlikely(!e))
		return h->lru ? hash_update(map, key, value, flags, false) : replace(&u);
	if (h->lru)
		lru_mark(e);
	store_word(elem_value(&h->pool, e), value, map->value_size);
	return 0;
}

int hash_take_value(struct map *map, const void *key, void *value)
{
	return hash_take(map, key, hash_read_elem, value);
}

struct each {
	u64 (*fn)(void *data, const void *key, void *value);
	void *data;
};

static bool call_each(struct hash *h, struct elem *e, void *data)
{
	const struct each *each = data;

	return each->fn(each->data, elem_key(e), elem_value(&h->pool, e));
}

s64 hash_for_each(struct map *map,
		  u64 (*fn)(void *data, const void *key, void *value), void *data)
{
	return hash_walk(hash_of(map), call_each, &(struct each){fn, data});
}

const void *hash_key_of(struct map *map, const void *value, u32 *index)
{
	return (const char *)value - hash_of(map)->pool.key_stride;
}

/* ------------------------------------------------------------------ life */

static int check_def(struct log *log, const struct image_map *def)
{
	if ((u64)def->key_size + def->value_size >= MAX_ELEM)
		return log_fail(log, -E2BIG,
				"map '%s': key and value of %llu bytes; at most 4 MiB",
				def->name,
				(unsigned long long)def->key_size + def->value_size);
	if (def->max_entries > 1u << 31)
		return log_fail(log, -E2BIG, "map '%s': max_entries is %u; at most 2^31",
				def->name, def->max_entries);
	return 0;
}

static int make_buckets(struct log *log, struct hash *h, u32 want)
{
	u32 n = 1;

	while (n < want && n < MAX_BUCKETS / 2)
		n *= 2;
	n *= 2;
	h->mask = n - 1;
	h->seed = h->map.flags & MAPF_ZERO_SEED ? 0 : h->map.host->hash_seed;
	h->buckets = map_calloc(n, sizeof(*h->buckets));
	if (!h->buckets)
		return log_fail(log, -ENOMEM, "map '%s': no memory for %u buckets",
				h->map.name, n);
	return 0;
}

static int open_parts(struct log *log, struct hash *h, struct hash_kind kind)
{
	const struct pool_opts opts = {!(h->map.flags & MAPF_NO_PREALLOC), kind.percpu,
				       kind.maps, kind.lru ? lru_extra() : 0};

	TRY(make_buckets(log, h, kind.buckets ? kind.buckets : h->map.max_entries));
	TRY(pool_open(log, &h->pool, &h->map, &opts));
	if (kind.lru && lru_open(log, h)) {
		pool_close(&h->pool);
		return -ENOMEM;
	}
	return 0;
}

static bool is_word(u32 size)
{
	return size <= sizeof(u64) && !(size & (size - 1));
}

int hash_create(struct log *log, const struct map *proto, const struct image_map *def,
		struct hash_kind kind, struct map **out)
{
	struct hash *h;
	int err;

	TRY(check_def(log, def));
	h = calloc(1, sizeof(*h));
	if (!h)
		return log_fail(log, -ENOMEM, "map '%s': out of memory", def->name);
	h->map = *proto;
	h->percpu = kind.percpu;
	h->word = !kind.percpu && !kind.maps && !proto->fields && is_word(proto->value_size);
	err = open_parts(log, h, kind);
	if (err) {
		free(h->buckets);
		free(h);
		return err;
	}
	*out = &h->map;
	return 0;
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	return hash_create(log, proto, def, (struct hash_kind){0}, out);
}

static void drop_chain(struct hash *h, struct bucket *b)
{
	struct elem *next, *e = head_of(b);

	for (; e; e = next) {
		next = follow(&e->next);
		pool_drop(&h->pool, e);
	}
}

void hash_free(struct map *map)
{
	struct hash *h = hash_of(map);

	for (u64 i = 0; i <= h->mask; i++)
		drop_chain(h, &h->buckets[i]);
	if (h->lru)
		lru_close(h);
	pool_close(&h->pool);
	free(h->buckets);
	free(h);
}

const struct map_ops map_hash_ops = {
	.type = MAP_HASH,
	.flags = MAPF_NO_PREALLOC | MAPF_ZERO_SEED,
	.create = create,
	.lookup = lookup,
	HASH_OPS,
};
