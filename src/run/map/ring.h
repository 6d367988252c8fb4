/* SPDX-License-Identifier: MIT
 *
 * ring.h: a ring of records of any size, of the two kinds of ring buffer: any threads
 * reserve and commit, one at a time consumes. Who waits for records, or for room, waits on
 * a bell: a file descriptor that can be polled.
 */
#ifndef PINTLE_MAP_RING_H
#define PINTLE_MAP_RING_H

#include "run/map/map.h"

enum { RING_LINE = 64 };

/* Rung only while somebody has armed it, so that a busy ring makes no system calls. */
struct bell {
	atomic(int) fd; /* an eventfd; -1: nobody ever asked for it */
	atomic(u32) armed;
	atomic(u32) rung; /* since it was last cleared */
};

struct ring_head {
	atomic(u32) len; /* of the data, and RING_BUSY, RING_DISCARD */
	u32 at;		 /* where it is, in multiples of 8 bytes from the start */
};

enum { RING_LOCKED = 1 };
enum { RING_BUSY = (int)(1u << 31), RING_DISCARD = 1 << 30, RING_MAX = 1 << 29 };

struct ring {
	struct map map;
	char *data;   /* twice `size` bytes: a record never wraps */
	size_t mapped;
	u64 size;     /* a power of two */

	/* The producers' line: bytes ever reserved, and RING_LOCKED while one reserves. */
	atomic(u64) prod __attribute__((aligned(RING_LINE)));
	u64 cons_seen;	  /* under that lock */
	atomic(u64) lost; /* reservations that found no room */

	/* The consumer's. */
	atomic(u64) cons __attribute__((aligned(RING_LINE))); /* bytes ever consumed */
	u64 prod_seen;	       /* of who consumes */
	atomic(u32) consuming; /* somebody is at it */

	struct bell records __attribute__((aligned(RING_LINE))), room;
};

static inline struct ring *ring_of(const struct map *map)
{
	return container_of(map, struct ring, map);
}

/* Bytes ever reserved. */
static inline u64 ring_produced(const struct ring *ring)
{
	/* seq_cst: B-E; acquire: B-B, pairs with ring_reserve() */
	return atomic_load_explicit(&ring->prod, memory_order_seq_cst) & ~(u64)RING_LOCKED;
}

int ring_create(struct log *log, const struct map *proto, const struct image_map *def,
		struct map **out);
void ring_free(struct map *map);

/* Room for @len bytes, which nobody else sees before it is committed; NULL: none. */
void *ring_reserve(struct ring *ring, u64 len);
/* @data is of ring_reserve(), of any ring. Which ring that was. */
struct ring *ring_commit(void *data, bool discard);

/* Becomes the one that consumes; false: somebody is. */
bool ring_begin(struct ring *ring);
void ring_end(struct ring *ring);
/* The oldest record that is committed and not discarded, which stays where it is until
 * ring_pass(); NULL: none, or the next one is not committed yet. */
void *ring_peek(struct ring *ring, u32 *len);
void ring_pass(struct ring *ring);
/* Tells those who wait for room that there is some. */
void ring_made_room(struct ring *ring, bool force);

/* In a child of fork: nobody else consumes, and the descriptors become its own. */
void ring_after_fork(struct ring *ring);

/* Makes its fd if there is none: it, or -errno. */
int bell_fd(struct bell *bell);
/* The next bell_ring() will make the fd readable. Who arms looks once more afterwards. */
void bell_arm(struct bell *bell);
/* After what is told was stored sequentially consistent. @force: armed or not. */
void bell_ring(struct bell *bell, bool force);
/* The fd is not readable any more, nor armed. */
void bell_clear(struct bell *bell);

#endif
