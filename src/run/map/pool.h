/* SPDX-License-Identifier: MIT
 *
 * pool.h: elements of maps with free keys: where they come from, how many may live, and
 * the quarantine that keeps a removed one readable until every read section that may have
 * found it has ended (F10, F11). The life of an element:
 *
 *	free --take--> private --(the map links it)--> live --retire--> quarantine -> free
 *	                  |                                                            ^
 *	                  +-------------------------------give--------------------------+
 *
 * Every element is in exactly one of these places on every path.
 *
 * Credits say how many may live: max_entries less those that do. An insertion takes one,
 * a deletion gives one back at once, so that a quarantined element never makes a map look
 * full (replacing an element moves none). What a quarantine holds beyond the elements
 * made at the start comes from the heap, up to a limit in bytes; past that, take() fails
 * until a grace period has passed.
 *
 * An element holds one value, or one for each execution slot (per-CPU kinds). The latter
 * lie elsewhere: those of one slot together, so that no two slots share a cache line.
 */
#ifndef PINTLE_MAP_POOL_H
#define PINTLE_MAP_POOL_H

#include "run/map/map.h"
#include "run/life/quarantine.h"

struct elem {
	atomic(struct elem *) next; /* of the bucket; stays valid in quarantine */
	union {
		struct idle idle;   /* of a free list or a quarantine */
		struct elem *older; /* LRU: of its list, while it lives */
	};
	u32 hash;
	u8 used;	     /* LRU: found since it was last looked at */
	u8 stripe;	     /* LRU: whose list it is on ... */
	bool listed;	     /* ... if on any */
	u64 data[]; /* the key, rounded up to 8; the value; LRU: a link */
};

/* Per-CPU kinds have this in the value's place: slot @i's value is at + i * step. */
struct percpu_ref {
	char *at;
	size_t step;
};

struct cache;
struct stripe;

struct pool {
	struct map *map; /* it owns the pool; host and fields are its */
	u32 key_stride, elem_size, nstripes;
	u32 slots; /* values of an element; 0: one, inside */
	bool prealloc;
	bool maps; /* a value is the address of a map, of which it holds a reference */
	char *block, *block_memory; /* elements made at the start; as allocated; or NULL */
	u64 block_size, block_n; /* bytes, elements */
	atomic(u64) fresh;	 /* of them, those from here on were never used */
	char *values, *values_block; /* per-CPU values of those; aligned; as allocated */
	struct stripe *stripes;
	struct cache **caches; /* by slot; NULL: it has none yet */
	u32 bag_most;	       /* elements that a cache retires at once */
	bool owns; /* what ripens has something to drop, or there are no epochs */
	atomic(u32) heap;	  /* elements there are beside those of the block */
	u32 heap_limit, heap_keep; /* at most; kept on free lists at most */
};

static inline void *elem_key(struct elem *e)
{
	return e->data;
}

static inline void *elem_value(const struct pool *pool, struct elem *e)
{
	return (char *)e->data + pool->key_stride;
}

/* Slot @i's value of a per-CPU kind. */
static inline void *elem_slot_value(const struct pool *pool, struct elem *e, u32 i)
{
	const struct percpu_ref *ref = elem_value(pool, e);

	return ref->at + i * ref->step;
}

/* How many values an element has, and each of them. */
static inline u32 elem_values(const struct pool *pool)
{
	return pool->slots ? pool->slots : 1;
}

static inline void *elem_value_nth(const struct pool *pool, struct elem *e, u32 i)
{
	return pool->slots ? elem_slot_value(pool, e, i) : elem_value(pool, e);
}

struct pool_opts {
	bool prealloc, percpu, maps;
	u32 extra; /* bytes behind the value */
};

/* For @map, whose sizes are set. -E2BIG or -ENOMEM with words; then there is nothing to
 * close. */
int pool_open(struct log *log, struct pool *pool, struct map *map,
	      const struct pool_opts *opts);
/* No deferred call is left, every live element was handed to pool_drop(). */
void pool_close(struct pool *pool);

/* The caller's stripe: threads that run at one time rarely share one. */
u32 pool_stripe(const struct pool *pool);

bool pool_credit_take(struct pool *pool);
void pool_credit_give(struct pool *pool);
u32 pool_live(const struct pool *pool);

/* A private element with fields empty, key and other bytes as they come; NULL: no
 * memory. */
struct elem *pool_take(struct pool *pool);
/* Back, never having been visible. */
void pool_give(struct pool *pool, struct elem *e);
/* It was visible and now is unlinked: destroys its fields now, and again when its
 * quarantine ends (M13). Any context without locks. */
void pool_retire(struct pool *pool, struct elem *e);
/* At the end of the map, in place of retire. */
void pool_drop(struct pool *pool, struct elem *e);

#endif
