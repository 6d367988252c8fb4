/* SPDX-License-Identifier: MIT
 *
 * hash.c: hash maps: chained buckets, lookups without locks, one lock per bucket for
 * writers. Elements are of the pool (pool.h), made at the start or, with BPF_F_NO_PREALLOC,
 * as they come.
 *
 * Invariants
 *  - A chain is in rising order of (hash, key). So a key is there once, a lookup of a key
 *    that is not stops early, and a walk by next_key() goes on after a key that was deleted
 *    meanwhile: each key that is there throughout is given exactly once, none twice.
 *  - The key of a linked element never changes. An update of a key that exists links a new
 *    element, with empty slots, where the old one was (F.4, M05), but for updates under the
 *    value's lock: these write the bytes in place and leave slots alone (M06).
 *  - An element that was unlinked keeps its `next` until its quarantine ends: a reader that
 *    stands on it finds the rest of the chain (F11).
 *
 * Ordering
 *  H-A: an element is filled before it is linked: the release store of a link pairs with the
 *       acquire loads in first() and after(); who finds it sees its key and value.
 *  H-B: writers of one bucket exclude each other: L1 of lock.h.
 *  H-C: slots are destroyed after the element was unlinked: a program that looks up the key
 *       later never sees them.
 *
 * Lock order: a bucket's lock; then nothing. Locks of values and stripes are taken without it,
 * destructors are queued without it (J22).
 *
 * Progress: lookups are wait-free but for writers that keep inserting before them; writers
 * block on their bucket.
 */
#include "run/map/pool.h"
#include "run/lock.h"

struct bucket {
	_Atomic(struct elem *) head;
	u32 lock;
};

struct hash {
	struct map map;
	struct pool pool;
	struct bucket *buckets;
	u32 mask;
	u64 seed;
};

enum { MAX_ELEM = 4 << 20, MAX_BUCKETS = 1 << 28 };
enum { MAPF_ZERO_SEED = 1 << 6 };

static struct hash *hash_of(const struct map *map)
{
	return container_of(map, struct hash, map);
}

/* ------------------------------------------------------------------ chains */

/* A place in a chain: the link that points, or would point, to the key. */
struct place {
	_Atomic(struct elem *) *link;
	struct elem *at; /* what the link points to */
	bool found;	 /* it has the key; else it is the first after it */
};

static struct elem *follow(_Atomic(struct elem *) *link)
{
	/* acquire: H-A, pairs with set_link() */
	return atomic_load_explicit(link, memory_order_acquire);
}

static void set_link(_Atomic(struct elem *) *link, struct elem *e)
{
	/* release: H-A, pairs with follow() */
	atomic_store_explicit(link, e, memory_order_release);
}

static u64 word(const void *key, u32 at, u32 size)
{
	u64 v = 0;

	memcpy(&v, (const char *)key + at, size - at < 8 ? size - at : 8);
	return v;
}

/* Any total order of keys will do: by words. The element's key is padded with zeros. */
static int compare(const struct elem *e, const void *key, u32 size)
{
	for (u32 i = 0; i * 8 < size; i++) {
		u64 b = word(key, i * 8, size);

		if (e->data[i] != b)
			return e->data[i] < b ? -1 : 1;
	}
	return 0;
}

static struct place find_place(_Atomic(struct elem *) *link, u32 hash, const void *key,
			       u32 size)
{
	struct elem *e;

	for (; (e = follow(link)); link = &e->next) {
		int order;

		if (e->hash < hash)
			continue;
		order = e->hash > hash ? 1 : compare(e, key, size);
		if (order >= 0)
			return (struct place){link, e, order == 0};
	}
	return (struct place){link, NULL, false};
}

static u32 hash_key(const struct hash *h, const void *key)
{
	return (u32)hash_bytes(key, h->map.key_size, h->seed);
}

static struct elem *find(struct hash *h, const void *key, u32 hash)
{
	struct bucket *b = &h->buckets[hash & h->mask];
	struct place p = find_place(&b->head, hash, key, h->map.key_size);

	return p.found ? p.at : NULL;
}

/* ------------------------------------------------------------------ reading */

static void *lookup(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct elem *e = find(h, key, hash_key(h, key));

	return e ? elem_value(&h->pool, e) : NULL;
}

static int read_value(struct map *map, const void *key, void *value)
{
	void *at = lookup(map, key);

	if (!at)
		return -ENOENT;
	map_value_read(map, value, at);
	return 0;
}

/* The first element of bucket @i or of a later one. */
static struct elem *first(struct hash *h, u64 i)
{
	for (; i <= h->mask; i++) {
		struct elem *e = follow(&h->buckets[i].head);

		if (e)
			return e;
	}
	return NULL;
}

/* The first element after @key in the order of walks, whether @key is there or not. */
static struct elem *after(struct hash *h, const void *key)
{
	u32 hash = hash_key(h, key);
	struct bucket *b = &h->buckets[hash & h->mask];
	struct place p = find_place(&b->head, hash, key, h->map.key_size);
	struct elem *e = p.found ? follow(&p.at->next) : p.at;

	return e ? e : first(h, (u64)(hash & h->mask) + 1);
}

static int next_key(struct map *map, const void *key, void *next)
{
	struct hash *h = hash_of(map);
	struct elem *e = key ? after(h, key) : first(h, 0);

	if (!e)
		return -ENOENT;
	memcpy(next, elem_key(e), map->key_size);
	return 0;
}

static u32 count(struct map *map)
{
	return pool_live(&hash_of(map)->pool);
}

/* fn() may delete what it is given and anything else: the walk stands on elements that the
 * read section keeps. */
static s64 for_each(struct map *map, u64 (*fn)(void *data, const void *key, void *value),
		    void *data)
{
	struct hash *h = hash_of(map);
	s64 n = 0;

	for (u64 i = 0; i <= h->mask; i++) {
		struct elem *e = follow(&h->buckets[i].head);

		for (; e; e = follow(&e->next)) {
			n++;
			if (fn(data, elem_key(e), elem_value(&h->pool, e)))
				return n;
		}
	}
	return n;
}

static void each_value(struct map *map, void (*fn)(void *data, void *value), void *data)
{
	struct hash *h = hash_of(map);

	for (u64 i = 0; i <= h->mask; i++)
		for (struct elem *e = follow(&h->buckets[i].head); e; e = follow(&e->next))
			fn(data, elem_value(&h->pool, e));
}

/* ------------------------------------------------------------------ writing */

/* An update under way. */
struct update {
	struct hash *h;
	const void *key, *value;
	u64 flags;
	u32 hash;
	struct elem *fresh; /* private element; NULL once linked */
	struct elem *old;   /* what it replaced, or what MAP_LOCK writes to */
};

/* What @flags say about a key that is there, or not. */
static int check_exists(u64 flags, bool exists)
{
	if (exists && (flags & MAP_NOEXIST))
		return -EEXIST;
	return !exists && (flags & MAP_EXIST) ? -ENOENT : 0;
}

static int fill(struct update *u)
{
	struct hash *h = u->h;
	struct elem *e = u->fresh = pool_take(&h->pool);

	if (!e)
		return -ENOMEM;
	e->hash = u->hash;
	e->data[h->pool.key_stride / 8 - 1] = 0; /* the key's padding */
	memcpy(elem_key(e), u->key, h->map.key_size);
	fields_copy_in(h->map.fields, elem_value(&h->pool, e), u->value,
		       h->map.value_size);
	return 0;
}

/* Under the bucket's lock, so that whether the key is there and whether the map is full are
 * one answer. */
static int link_fresh(struct update *u, struct bucket *b)
{
	struct place p = find_place(&b->head, u->hash, u->key, u->h->map.key_size);
	struct elem *next = p.found ? follow(&p.at->next) : p.at;

	TRY(check_exists(u->flags, p.found));
	if (!p.found && !pool_credit_take(&u->h->pool))
		return -E2BIG;
	u->old = p.found ? p.at : NULL;
	if (p.found && (u->flags & MAP_LOCK))
		return 0;
	atomic_store_explicit(&u->fresh->next, next, memory_order_relaxed);
	set_link(p.link, u->fresh);
	u->fresh = NULL;
	return 0;
}

static int link_locked(struct update *u)
{
	struct bucket *b = &u->h->buckets[u->hash & u->h->mask];
	int err;

	lock_take(&b->lock);
	err = link_fresh(u, b);
	lock_drop(&b->lock);
	return err;
}

/* Every element an update touched finds its place, whether it failed or not. */
static void settle(struct update *u)
{
	struct pool *pool = &u->h->pool;

	if (u->old && u->fresh) /* somebody inserted it since update() looked */
		map_value_write(&u->h->map, elem_value(pool, u->old), u->value, true);
	else if (u->old)
		pool_retire(pool, u->old);
	if (u->fresh)
		pool_give(pool, u->fresh);
}

static int update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct update u = {hash_of(map), key, value, flags};
	struct elem *e;
	int err;

	TRY(map_check_update(map, flags));
	u.hash = hash_key(u.h, key);
	e = find(u.h, key, u.hash);
	TRY(check_exists(flags, e));
	if (e && (flags & MAP_LOCK)) {
		map_value_write(map, elem_value(&u.h->pool, e), value, true);
		return 0;
	}
	TRY(fill(&u));
	err = link_locked(&u);
	settle(&u);
	return err;
}

static struct elem *unlink(struct hash *h, const void *key)
{
	u32 hash = hash_key(h, key);
	struct bucket *b = &h->buckets[hash & h->mask];
	struct place p;

	lock_take(&b->lock);
	p = find_place(&b->head, hash, key, h->map.key_size);
	if (p.found)
		set_link(p.link, follow(&p.at->next));
	lock_drop(&b->lock);
	return p.found ? p.at : NULL;
}

static int remove_key(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct elem *e = unlink(h, key);

	if (!e)
		return -ENOENT;
	pool_credit_give(&h->pool);
	pool_retire(&h->pool, e);
	return 0;
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

static int make_buckets(struct log *log, struct hash *h)
{
	u32 n = 1;

	while (n < h->map.max_entries && n < MAX_BUCKETS)
		n *= 2;
	h->mask = n - 1;
	h->seed = h->map.flags & MAPF_ZERO_SEED ? 0 : h->map.host->hash_seed;
	h->buckets = calloc(n, sizeof(*h->buckets));
	if (!h->buckets)
		return log_fail(log, -ENOMEM, "map '%s': no memory for %u buckets",
				h->map.name, n);
	return 0;
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct hash *h;
	int err;

	TRY(check_def(log, def));
	h = calloc(1, sizeof(*h));
	if (!h)
		return log_fail(log, -ENOMEM, "map '%s': out of memory", def->name);
	h->map = *proto;
	err = make_buckets(log, h);
	if (!err)
		err = pool_open(log, &h->pool, &h->map, !(def->flags & MAPF_NO_PREALLOC));
	if (err) {
		free(h->buckets);
		free(h);
		return err;
	}
	*out = &h->map;
	return 0;
}

static void drop_chain(struct hash *h, struct bucket *b)
{
	struct elem *next, *e = follow(&b->head);

	for (; e; e = next) {
		next = follow(&e->next);
		pool_drop(&h->pool, e);
	}
}

static void destroy(struct map *map)
{
	struct hash *h = hash_of(map);

	for (u64 i = 0; i <= h->mask; i++)
		drop_chain(h, &h->buckets[i]);
	pool_close(&h->pool);
	free(h->buckets);
	free(h);
}

const struct map_ops map_hash_ops = {
	.type = MAP_HASH,
	.flags = MAPF_NO_PREALLOC | MAPF_ZERO_SEED,
	.create = create,
	.free = destroy,
	.lookup = lookup,
	.update = update,
	.remove = remove_key,
	.next_key = next_key,
	.count = count,
	.read = read_value,
	.write = update,
	.for_each = for_each,
	.each_value = each_value,
};
