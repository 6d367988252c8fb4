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
 */
#ifndef PINTLE_MAP_POOL_H
#define PINTLE_MAP_POOL_H

#include "run/map.h"

struct elem {
	atomic(struct elem *) next; /* of the bucket; stays valid in quarantine */
	struct elem *idle;	     /* of a free list or a quarantine */
	u32 hash;
	u32 pad;
	u64 data[]; /* the key, rounded up to 8, and the value */
};

struct stripe;

struct pool {
	struct map *map; /* it owns the pool; host and fields are its */
	u32 key_stride, elem_size, nstripes;
	bool prealloc;
	char *block; /* elements made at the start; NULL: none */
	size_t block_size;
	struct stripe *stripes;
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

/* For @map, whose sizes are set. -E2BIG or -ENOMEM with words; then there is nothing to
 * close. */
int pool_open(struct log *log, struct pool *pool, struct map *map, bool prealloc);
/* No deferred call is left, every live element was handed to pool_drop(). */
void pool_close(struct pool *pool);

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
