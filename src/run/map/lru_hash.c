/* SPDX-License-Identifier: MIT
 *
 * lru_hash.c: hashes that make room by eviction: which element goes, and the plain kind.
 *
 * About the least recently used one: each stripe has a list, new elements at its head. A
 * lookup by a program marks an element, and costs no more than that. Who needs room looks
 * from the tail: what is marked loses its mark and goes to the head, the first that is
 * not marked goes ("second chance", Corbato 1969). Lookups by hosts do not mark.
 *
 * A thread inserts to the list of its stripe and evicts from it too, but from the longest
 * when its own has less than an equal share of those in use: so threads rarely meet, and a
 * new one is not confined to the few elements it has. BPF_F_NO_COMMON_LRU asks for what is
 * the case anyway and is accepted.
 *
 * Invariants
 *  - An element that is on a list is linked in the table. One that is linked and on no
 *    list is in the hands of an evictor, which is about to unlink it.
 *  - Fields of what was evicted are destroyed outside of locks (J22).
 *
 * Ordering
 *  R-A: lists are under their stripe's lock (L1 in lock.h); it is taken under a bucket's
 *       lock and nothing is taken under it. An evictor drops it before it locks a bucket.
 *  R-B: an element taken off a list is not reused while the evictor's read section is
 *       open, deleted by others or not (P-C in pool.c).
 *
 * Progress: blocking on those locks; an eviction looks at LOOKS elements at most.
 */
#include "run/map/hash.h"
#include "run/lock.h"

enum { LOOKS = 64, LINE = 64, TERM = 64 };

struct lru_list {
	u32 lock;
	atomic(u32) n;
	struct elem *head, *tail;
	/* An equal share of all elements, and how many evictions it is still good for: hints
	 * of this stripe's threads, who need not look at the others' lines each time. */
	atomic(u32) share, term;
} __attribute__((aligned(LINE)));

struct lru {
	u32 n; /* as many as stripes of the pool */
	struct lru_list at[];
};

/* Links: towards the tail is `older`, which a live element does not need otherwise;
 * towards the head is behind the value. */
static struct elem **headward(const struct hash *h, struct elem *e)
{
	return (struct elem **)((char *)e + h->pool.elem_size - sizeof(struct elem *));
}

u32 lru_extra(void)
{
	return sizeof(struct elem *);
}

int lru_open(struct log *log, struct hash *h)
{
	u32 n = h->pool.nstripes;
	size_t size = sizeof(struct lru) + n * sizeof(struct lru_list);

	h->lru = aligned_alloc(LINE, ROUND_UP(size, LINE));
	if (!h->lru)
		return log_fail(log, -ENOMEM, "map '%s': out of memory", h->map.name);
	memset(h->lru, 0, size);
	h->lru->n = n;
	return 0;
}

void lru_close(struct hash *h)
{
	free(h->lru);
}

/* ------------------------------------------------------------------ lists */

static void change_count(struct lru_list *l, u32 by)
{
	u32 n = atomic_load_explicit(&l->n, memory_order_relaxed);

	atomic_store_explicit(&l->n, n + by, memory_order_relaxed);
}

static void list_push(struct hash *h, struct lru_list *l, struct elem *e)
{
	*headward(h, e) = NULL;
	e->older = l->head;
	if (l->head)
		*headward(h, l->head) = e;
	else
		l->tail = e;
	l->head = e;
	e->listed = true;
	change_count(l, 1);
}

static void list_remove(struct hash *h, struct lru_list *l, struct elem *e)
{
	struct elem *prev = *headward(h, e), *next = e->older;

	if (prev)
		prev->older = next;
	else
		l->head = next;
	if (next)
		*headward(h, next) = prev;
	else
		l->tail = prev;
	e->listed = false;
	change_count(l, -1u);
}

void lru_add(struct hash *h, struct elem *e)
{
	u32 stripe = pool_stripe(&h->pool);
	struct lru_list *l = &h->lru->at[stripe];

	e->stripe = (u8)stripe;
	__atomic_store_n(&e->used, 0, __ATOMIC_RELAXED);
	lock_take(&l->lock);
	list_push(h, l, e);
	lock_drop(&l->lock);
}

void lru_del(struct hash *h, struct elem *e)
{
	struct lru_list *l = &h->lru->at[e->stripe];

	lock_take(&l->lock);
	if (e->listed)
		list_remove(h, l, e);
	lock_drop(&l->lock);
}

/* ------------------------------------------------------------------ eviction */

static bool was_used(struct elem *e)
{
	if (!__atomic_load_n(&e->used, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&e->used, 0, __ATOMIC_RELAXED);
	return true;
}

/* Takes the next to go off list @l; NULL: it is empty. */
static struct elem *list_victim(struct hash *h, struct lru_list *l)
{
	struct elem *e;

	lock_take(&l->lock);
	for (u32 looks = 0; (e = l->tail); looks++) {
		bool second_chance = looks < LOOKS && was_used(e);

		list_remove(h, l, e);
		if (!second_chance)
			break;
		list_push(h, l, e);
	}
	lock_drop(&l->lock);
	return e;
}

static u32 length(struct lru_list *l)
{
	return atomic_load_explicit(&l->n, memory_order_relaxed);
}

/* Looks at all lists: the longest. */
static struct lru_list *compare_lists(struct hash *h, struct lru_list *own)
{
	struct lru_list *longest = own;
	u32 total = 0, used = 0;

	for (u32 i = 0; i < h->lru->n; i++) {
		struct lru_list *l = &h->lru->at[i];
		u32 n = length(l);

		total += n;
		used += n > 0;
		if (n > length(longest))
			longest = l;
	}
	atomic_store_explicit(&own->share, used ? (total + used - 1) / used : 0,
			      memory_order_relaxed);
	atomic_store_explicit(&own->term, TERM, memory_order_relaxed);
	return longest;
}

static bool has_share(struct lru_list *l)
{
	u32 n = length(l);

	return n && n >= atomic_load_explicit(&l->share, memory_order_relaxed);
}

static struct lru_list *list_to_shrink(struct hash *h)
{
	struct lru_list *own = &h->lru->at[pool_stripe(&h->pool)], *longest;
	u32 term = atomic_load_explicit(&own->term, memory_order_relaxed);

	if (likely(term && has_share(own))) {
		atomic_store_explicit(&own->term, term - 1, memory_order_relaxed);
		return own;
	}
	longest = compare_lists(h, own);
	return has_share(own) ? own : longest;
}

static bool evict_one(struct hash *h)
{
	struct elem *e = list_victim(h, list_to_shrink(h));

	if (!e || !hash_unlink_elem(h, e))
		return false; /* somebody was faster; that made room */
	pool_retire(&h->pool, e);
	return true;
}

bool lru_credit(struct hash *h)
{
	for (u32 tries = 0; tries < LOOKS; tries++)
		if (pool_credit_take(&h->pool) || evict_one(h))
			return true;
	return false;
}

/* ------------------------------------------------------------------ the plain kind */

static void *lookup(struct map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct elem *e = hash_find(h, key);

	if (!e)
		return NULL;
	lru_mark(e);
	return elem_value(&h->pool, e);
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	return hash_create(log, proto, def, (struct hash_kind){.lru = true}, out);
}

const struct map_ops map_lru_hash_ops = {
	.type = MAP_LRU_HASH,
	.flags = MAPF_NO_COMMON_LRU | MAPF_ZERO_SEED,
	.create = create,
	.lookup = lookup,
	HASH_OPS,
};
