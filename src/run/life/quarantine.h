/* SPDX-License-Identifier: MIT
 *
 * quarantine.h: lists of memory that nobody finds any more but that some section may still
 * read, until epochs (epoch.h) have passed: of one execution slot, or under a lock of its
 * owner's. Users: elements of maps (map/pool.c), objects of programs (heap.c).
 *
 * What goes in is collected in `open`. When that is worth a step of the epoch, it is
 * stamped and closed; what was closed long enough ago comes out. So a step is asked for
 * once for many, and most of what comes out is still in the caches.
 */
#ifndef PINTLE_RUN_QUARANTINE_H
#define PINTLE_RUN_QUARANTINE_H

#include "run/life/epoch.h"

struct idle {
	struct idle *next;
};

/* A list whose end is known. */
struct bag {
	struct idle *first, *last;
	u32 n;
	u64 stamp; /* of the epoch it was closed in */
};

enum { QUARANTINE_CLOSED = 2 };

struct quarantine {
	struct bag open;
	u32 limit; /* how many in `open` are worth a step of the epoch */
	u32 nclosed, due; /* closed ones; of them, the oldest, for quarantine_take() */
	struct bag closed[QUARANTINE_CLOSED]; /* oldest first */
};

static inline void bag_add(struct bag *bag, struct idle *one)
{
	one->next = bag->first;
	if (!bag->first)
		bag->last = one;
	bag->first = one;
	bag->n++;
}

static inline void bag_join(struct bag *bag, const struct bag *more)
{
	if (!more->first)
		return;
	more->last->next = bag->first;
	if (!bag->first)
		bag->last = more->last;
	bag->first = more->first;
	bag->n += more->n;
}

/* True: time for quarantine_turn(). */
static inline bool quarantine_add(struct quarantine *q, struct idle *one)
{
	bag_add(&q->open, one);
	return unlikely(q->open.n >= q->limit);
}

/* At most @most are worth a step. */
static inline u32 quarantine_batch(u32 most)
{
	return min_u32(epoch_batch(), most);
}

/* What has passed. */
struct bag quarantine_ripe(struct quarantine *q);
/* The same, with a step of the epoch before if somebody waits for one: others may have
 * moved it, then we need not. */
struct bag quarantine_turn(struct quarantine *q, u32 most);
/* Closes `open`, for who begins to wait for a grace period; whether there is anything. */
bool quarantine_close(struct quarantine *q);
/* Takes out what has not ripened of what there was then: that grace period is over. */
struct bag quarantine_take(struct quarantine *q);

static inline bool quarantine_empty(const struct quarantine *q)
{
	return !q->open.n && !q->nclosed;
}

static inline u32 quarantine_count(const struct quarantine *q)
{
	u32 n = q->open.n;

	for (u32 i = 0; i < q->nclosed; i++)
		n += q->closed[i].n;
	return n;
}

#endif
