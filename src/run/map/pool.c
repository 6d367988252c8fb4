/* SPDX-License-Identifier: MIT
 *
 * pool.c: see pool.h. Free elements are at three places: each execution slot has some of
 * its own, in a cache that nobody else touches, so that a program that deletes and inserts
 * takes no lock and meets elements that are warm; stripes have what slots have too much
 * of; and the block those that were never used. Threads outside of runs share caches, with
 * a lock each. Credits are split into stripes; a thread that finds its own empty looks
 * through the others.
 *
 * Quarantine (quarantine.h) waits for epochs. What passed in a map whose values own things
 * has its fields emptied once more, for a stale program may have filled them (F10), and its
 * map dropped, before it is free: with no lock held. That must not wait for somebody who
 * happens to come by, it must be done when pintle_drain() returns. So caches of such maps
 * have a lock, slots' too, and there is a deferred call under way for each that has anything
 * in quarantine, one at a time, so that a burst of deletions costs one and not one each.
 * When it comes, a grace period has passed since it was queued, and it takes what was closed
 * then and has not ripened by epochs. The call holds a pin of the map. Where there are no
 * epochs, it is what ends every quarantine.
 *
 * Ordering
 *  P-A: a slot's cache without a lock is its owner's; that of another thread which had the
 *       slot before came to it by the lock of slots. Everything about a stripe but its
 *       credits is under its lock, a cache with one under its own (L1 in lock.h); a cache's lock comes
 *       before a stripe's, and nothing else is taken under either but that of epochs,
 *       which is never waited for.
 *  P-B: credits: the release of pool_credit_give() pairs with the acquire of
 *       pool_credit_take(). An insertion that finds room by a deletion comes after it.
 *  P-C: readers are done with an element before it is reused: the epochs (E-B in epoch.c)
 *       or the grace period between retire and the end of the quarantine.
 *
 * Progress: wait-free from and to a slot's cache; else blocking on a lock that is held for
 * a few instructions. A section that does not end makes quarantines grow, up to the limit
 * in bytes.
 */
#include "run/map/pool.h"
#include "run/lock.h"

enum {
	MAX_STRIPES = 8,
	STRIPE_ENTRIES = 64, /* fewer per stripe are not worth splitting */
	LINE = 64,
	PAGE = 4096,
	HEAP_BYTES = 64 << 20, /* of quarantine, beside the elements that live */
	HEAP_MIN = 64,	  /* but this many elements at least, however large */
	KEEP_BYTES = 4 << 20, /* of elements that are free, beside those that may live */
	BAG_BYTES = 128 << 10, /* of elements that a cache retires at once, */
	BAG_MOST = 2048,	      /* and how many */
	FETCH = 16,	      /* elements that a cache gets from elsewhere at once */
};

struct cache {
	u32 lock; /* where it has one */
	bool locked, outside; /* it has; it is a stripe's */
	u32 nfree;
	struct idle *free;
	atomic(u32) waits; /* in quarantine, of a stripe's: a hint to who needs some */
	bool under_way;	   /* a deferred call is */
	struct pool *pool;
	struct quarantine q;
} __attribute__((aligned(LINE)));

struct stripe {
	u32 lock;
	atomic(u32) credits;
	struct idle *free;
	struct cache outside; /* of threads that run no program of this host */
} __attribute__((aligned(LINE)));

/* ------------------------------------------------------------------ stripes */

u32 pool_stripe(const struct pool *pool)
{
	const struct slot_ctx *slot = slot_current();
	/* A host's thread outside of a run: its stack tells it from others. */
	u64 stack = (uintptr_t)__builtin_frame_address(0) >> 21;
	u32 n = slot ? slot->index : (u32)(stack * 0x9e3779b97f4a7c15ull >> 61);

	return n & (pool->nstripes - 1);
}

static struct stripe *own_stripe(const struct pool *pool)
{
	return &pool->stripes[pool_stripe(pool)];
}

/* The stripe @i places after @own. */
static struct stripe *stripe_after(const struct pool *pool, struct stripe *own, u32 i)
{
	return &pool->stripes[((u32)(own - pool->stripes) + i) & (pool->nstripes - 1)];
}

static struct elem *elem_of(struct idle *idle)
{
	return container_of(idle, struct elem, idle);
}

static void stripe_push(struct stripe *s, const struct bag *bag)
{
	lock_take(&s->lock);
	bag->last->next = s->free;
	__atomic_store_n(&s->free, bag->first, __ATOMIC_RELAXED);
	lock_drop(&s->lock);
}

/* Up to FETCH elements. */
static struct bag stripe_pop(struct stripe *s)
{
	struct bag bag = {0};
	struct idle *e;

	/* Only a hint: what it misses is found by another stripe, or comes from the
	 * heap. */
	if (!__atomic_load_n(&s->free, __ATOMIC_RELAXED))
		return bag;
	lock_take(&s->lock);
	while (bag.n < FETCH && (e = s->free)) {
		__atomic_store_n(&s->free, e->next, __ATOMIC_RELAXED);
		bag_add(&bag, e);
	}
	lock_drop(&s->lock);
	return bag;
}

/* ------------------------------------------------------------------ credits */

static bool credit_from(struct stripe *s)
{
	u32 n = atomic_load_explicit(&s->credits, memory_order_relaxed);

	/* acquire: P-B, pairs with pool_credit_give() */
	while (n)
		if (atomic_compare_exchange_weak_explicit(&s->credits, &n, n - 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}

bool pool_credit_take(struct pool *pool)
{
	struct stripe *own = own_stripe(pool);

	for (u32 i = 0; i < pool->nstripes; i++)
		if (credit_from(stripe_after(pool, own, i)))
			return true;
	return false;
}

void pool_credit_give(struct pool *pool)
{
	/* release: P-B, pairs with credit_from() */
	atomic_fetch_add_explicit(&own_stripe(pool)->credits, 1, memory_order_release);
}

u32 pool_live(const struct pool *pool)
{
	u64 credits = 0;

	for (u32 i = 0; i < pool->nstripes; i++)
		credits += atomic_load_explicit(&pool->stripes[i].credits,
						memory_order_relaxed);
	/* Not one moment's picture: a credit may be seen twice on its way. */
	return credits < pool->map->max_entries ? pool->map->max_entries - (u32)credits
						: 0;
}

/* ------------------------------------------------------------------ elements */

static bool of_block(const struct pool *pool, const struct elem *e)
{
	return (uintptr_t)e - (uintptr_t)pool->block < pool->block_size;
}

/* Those of one slot's part, by element. */
static u64 values_part(const struct pool *pool)
{
	return ROUND_UP(pool->block_n * pool->map->value_stride, (u64)LINE);
}

/* Element @i of the block, about to be used for the first time. */
static struct elem *block_elem(const struct pool *pool, u64 i)
{
	struct elem *e = (struct elem *)(pool->block + i * pool->elem_size);

	if (pool->slots)
		*(struct percpu_ref *)elem_value(pool, e) = (struct percpu_ref){
			pool->values + i * pool->map->value_stride, values_part(pool)};
	return e;
}

/* The distance of one element's per-CPU values that are not in the block. */
static size_t value_step(const struct pool *pool)
{
	return ROUND_UP((size_t)pool->map->value_stride, LINE);
}

/* What an element off the block takes. */
static u64 heap_size(const struct pool *pool)
{
	u64 values = (u64)pool->slots * value_step(pool);

	return pool->elem_size + (values ? values + LINE : 0);
}

static struct elem *make_heap(struct pool *pool)
{
	struct elem *e = malloc(heap_size(pool));

	if (e && pool->slots)
		*(struct percpu_ref *)elem_value(pool, e) = (struct percpu_ref){
			(char *)ROUND_UP((uintptr_t)e + pool->elem_size, LINE),
			value_step(pool)};
	return e;
}

static struct elem *take_heap(struct pool *pool)
{
	u32 n = atomic_fetch_add_explicit(&pool->heap, 1, memory_order_relaxed);
	struct elem *e = n < pool->heap_limit ? make_heap(pool) : NULL;

	if (!e)
		atomic_fetch_sub_explicit(&pool->heap, 1, memory_order_relaxed);
	return e;
}

static void init_fields(const struct pool *pool, struct elem *e)
{
	if (pool->maps)
		*(struct map **)elem_value(pool, e) = NULL;
	for (u32 i = 0; pool->map->fields && i < elem_values(pool); i++)
		fields_init(pool->map->fields, elem_value_nth(pool, e, i));
}

/* Unlike what is in fields, a map stays until nobody can find it: who found the element
 * before it was replaced finds its map. */
static void drop_map(const struct pool *pool, struct elem *e)
{
	struct map **at = elem_value(pool, e);

	if (!pool->maps)
		return;
	map_put(*at);
	*at = NULL;
}

static void destroy_fields(const struct pool *pool, struct elem *e)
{
	struct map *map = pool->map;

	for (u32 i = 0; map->fields && i < elem_values(pool); i++)
		fields_destroy(map->host, map->fields, elem_value_nth(pool, e, i));
}

/* Unlinked, but there may be runs that found it. */
static void retire_fields(const struct pool *pool, struct elem *e)
{
	struct map *map = pool->map;

	for (u32 i = 0; map->fields && i < elem_values(pool); i++)
		fields_retire(map->host, map->fields, elem_value_nth(pool, e, i));
}

static void free_heap(struct pool *pool, struct elem *e)
{
	atomic_fetch_sub_explicit(&pool->heap, 1, memory_order_relaxed);
	free(e);
}

/* ------------------------------------------------------------------ caches */

static __attribute__((noinline)) struct cache *make_cache(struct pool *pool, u32 slot)
{
	struct cache *c = aligned_alloc(LINE, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct cache){.pool = pool, .locked = pool->owns,
			    .q.limit = quarantine_batch(pool->bag_most)};
	return pool->caches[slot] = c;
}

/* Of the slot this thread runs a program on, or NULL. */
static inline struct cache *own_cache(struct pool *pool)
{
	const struct slot_ctx *slot = thread_me.running;
	struct cache *c;

	if (unlikely(!slot || slot->host != pool->map->host || !pool->caches))
		return NULL;
	c = pool->caches[slot->index];
	return likely(c != NULL) ? c : make_cache(pool, slot->index);
}

static inline struct cache *hold(struct pool *pool)
{
	struct cache *c = own_cache(pool);

	if (unlikely(!c))
		c = &own_stripe(pool)->outside;
	if (unlikely(c->locked))
		lock_take(&c->lock);
	return c;
}

static void unlock(struct cache *c)
{
	if (c->outside)
		atomic_store_explicit(&c->waits, quarantine_count(&c->q),
				      memory_order_relaxed);
	lock_drop(&c->lock);
}

static inline void let_go(struct cache *c)
{
	if (unlikely(c->locked))
		unlock(c);
}

static void cache_join(struct cache *c, const struct bag *bag)
{
	struct bag free = {c->free, NULL, c->nfree, 0};

	bag_join(&free, bag);
	c->free = free.first;
	c->nfree = free.n;
}

static bool keeps(const struct pool *pool, const struct elem *e)
{
	if (of_block(pool, e))
		return true;
	return pool->prealloc &&
	       atomic_load_explicit(&pool->heap, memory_order_relaxed) <= pool->heap_keep;
}

/* Frees those of @list that are not kept: the others. @spare: kept all the same. */
static struct bag sieve(struct pool *pool, struct idle *list, u32 spare)
{
	struct bag kept = {0};

	for (struct idle *next; list; list = next) {
		next = list->next;
		if (keeps(pool, elem_of(list)) || kept.n < spare)
			bag_add(&kept, list);
		else
			free_heap(pool, elem_of(list));
	}
	return kept;
}

/* What a stale program left there, and the map of an element that nobody finds any more.
 * Without locks: destroying takes some. */
static void clean(struct pool *pool, struct cache *c, const struct bag *bag)
{
	if (!pool->owns || !bag->n)
		return;
	unlock(c);
	for (struct idle *i = bag->first; i; i = i->next) {
		destroy_fields(pool, elem_of(i));
		drop_map(pool, elem_of(i));
	}
	lock_take(&c->lock);
}

/* What has passed its quarantine. Others find what is with a stripe only. May let go of the
 * cache meanwhile, where it has a lock. */
static void absorb(struct pool *pool, struct cache *c, struct bag bag)
{
	u32 heap = atomic_load_explicit(&pool->heap, memory_order_relaxed);
	u32 most = c->outside ? 0 : 2 * pool->bag_most;

	clean(pool, c, &bag);
	if (heap && (!pool->prealloc || heap > pool->heap_keep))
		bag = sieve(pool, bag.first, c->nfree < most ? most - c->nfree : 0);
	if (c->nfree < most)
		cache_join(c, &bag);
	else if (bag.first)
		stripe_push(own_stripe(pool), &bag);
}

/* A section does not end for long: what waits for it becomes everybody's. */
static void pass_on(struct pool *pool, struct bag *bag)
{
	struct cache *to = &own_stripe(pool)->outside;

	lock_take(&to->lock);
	bag_join(&to->q.open, bag);
	unlock(to);
	*bag = (struct bag){0};
}

static __attribute__((noinline)) void turn(struct pool *pool, struct cache *c)
{
	struct bag ripe;

	if (!epoch_usable()) {
		c->q.limit = UINT32_MAX;
		return;
	}
	ripe = quarantine_turn(&c->q, pool->bag_most);
	if (c->q.open.n >= pool->bag_most && !c->locked)
		pass_on(pool, &c->q.open);
	absorb(pool, c, ripe);
}

/* ------------------------------------------------------------------ taking and giving */

/* Of those that were never used. */
static struct bag take_fresh(struct pool *pool)
{
	struct bag bag = {0};
	u64 i, end;

	if (atomic_load_explicit(&pool->fresh, memory_order_relaxed) >= pool->block_n)
		return bag;
	i = atomic_fetch_add_explicit(&pool->fresh, FETCH, memory_order_relaxed);
	end = i + FETCH < pool->block_n ? i + FETCH : pool->block_n;
	while (end > i)
		bag_add(&bag, &block_elem(pool, --end)->idle);
	return bag;
}

static struct bag take_striped(struct pool *pool)
{
	struct stripe *own = own_stripe(pool);
	struct bag bag = {0};

	for (u32 i = 0; !bag.n && i < pool->nstripes; i++)
		bag = stripe_pop(stripe_after(pool, own, i));
	return bag;
}

static __attribute__((noinline)) void refill(struct pool *pool, struct cache *c)
{
	struct bag bag;

	absorb(pool, c, quarantine_ripe(&c->q));
	if (c->free)
		return;
	bag = take_striped(pool);
	if (!bag.n)
		bag = take_fresh(pool);
	cache_join(c, &bag);
}

static struct elem *take_free(struct pool *pool)
{
	struct cache *c = hold(pool);
	struct idle *e;

	if (unlikely(!c->free))
		refill(pool, c);
	e = c->free;
	if (likely(e != NULL)) {
		c->free = e->next;
		c->nfree--;
	}
	let_go(c);
	return likely(e != NULL) ? elem_of(e) : NULL;
}

/* Moves on what waits in shared caches with at least @least. */
static void turn_shared(struct pool *pool, u32 least)
{
	for (u32 i = 0; i < pool->nstripes; i++) {
		struct cache *c = &pool->stripes[i].outside;

		if (atomic_load_explicit(&c->waits, memory_order_relaxed) < least)
			continue;
		lock_take(&c->lock);
		turn(pool, c);
		unlock(c);
	}
}

/* There is no memory: what waits may do, if nobody reads it any more. */
static struct elem *take_waiting(struct pool *pool)
{
	struct elem *e = NULL;

	for (u32 i = 0; !e && i < 2; i++) {
		struct cache *c = hold(pool);

		turn(pool, c);
		let_go(c);
		epoch_advance();
		turn_shared(pool, 1);
		e = take_free(pool);
	}
	return e;
}

static __attribute__((noinline)) struct elem *take_more(struct pool *pool)
{
	struct elem *e;

	if (!epoch_usable())
		return take_heap(pool);
	turn_shared(pool, 2 * pool->bag_most);
	e = take_free(pool);
	if (!e)
		e = take_heap(pool);
	return e ? e : take_waiting(pool);
}

struct elem *pool_take(struct pool *pool)
{
	struct elem *e = take_free(pool);

	if (unlikely(!e))
		e = take_more(pool);
	if (likely(e != NULL))
		init_fields(pool, e);
	return e;
}

void pool_give(struct pool *pool, struct elem *e)
{
	struct cache *c;

	drop_map(pool, e); /* its last reference may go: not under a lock */
	c = hold(pool);
	e->idle.next = c->free;
	c->free = &e->idle;
	c->nfree++;
	let_go(c);
}

void pool_drop(struct pool *pool, struct elem *e)
{
	drop_map(pool, e);
	destroy_fields(pool, e);
	if (!of_block(pool, e))
		free_heap(pool, e);
}

/* ------------------------------------------------------------------ quarantine */

/* Under the cache's lock: a deferred call is to be queued, which may take all there is now;
 * or there is nothing. */
static bool next_call(struct cache *c)
{
	return c->under_way = quarantine_close(&c->q);
}

/* The deferred call: the grace period of what was closed when it was queued is over. */
static void ripe(void *data)
{
	struct cache *c = data;
	struct pool *pool = c->pool;
	struct map *map = pool->map;
	bool again;

	lock_take(&c->lock);
	absorb(pool, c, quarantine_take(&c->q));
	again = next_call(c);
	unlock(c);
	if (again)
		defer_call(map->host, ripe, c); /* inherits the pin */
	else
		map_unpin(map);
}

void pool_retire(struct pool *pool, struct elem *e)
{
	struct cache *c;
	bool call = false;

	if (unlikely(pool->owns))
		retire_fields(pool, e);
	c = hold(pool);
	if (quarantine_add(&c->q, &e->idle))
		turn(pool, c);
	if (unlikely(pool->owns) && !c->under_way)
		call = next_call(c);
	if (unlikely(call))
		map_pin(pool->map);
	let_go(c);
	if (unlikely(call))
		defer_call(pool->map->host, ripe, c);
}

/* ------------------------------------------------------------------ the pool itself */

static void set_limits(struct pool *pool)
{
	u32 entries = pool->map->max_entries;
	u32 fit = (u32)(HEAP_BYTES / heap_size(pool));
	u32 extra = max_u32(fit, HEAP_MIN);

	pool->heap_limit = pool->prealloc ? extra : entries + min_u32(extra, ~entries);
	pool->heap_keep = min_u32(
		extra, max_u32(entries, (u32)(KEEP_BYTES / heap_size(pool))));
	pool->bag_most = max_u32(1, min_u32((u32)(BAG_BYTES / heap_size(pool)), BAG_MOST));
}

static void set_stripes(struct pool *pool)
{
	u32 entries = pool->map->max_entries;

	for (u32 i = 0; i < pool->nstripes; i++) {
		struct stripe *s = &pool->stripes[i];

		s->outside.pool = pool;
		s->outside.locked = s->outside.outside = true;
		s->outside.q.limit = quarantine_batch(pool->bag_most);
		s->credits = entries / pool->nstripes + (i < entries % pool->nstripes);
	}
}

/* As many as may live, and spares for updates, which need a new element before the old one
 * is free: a few for each slot, and what quarantines hold under load. */
static u64 block_count(const struct pool *pool)
{
	u32 entries = pool->map->max_entries;

	return (u64)entries + min_u32(entries, 2 * slot_count(pool->map->host)) +
	       min_u32(entries / 64, 4 * BAG_MOST);
}

static int no_memory(struct log *log, const struct pool *pool, u64 size)
{
	return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
			pool->map->name, (unsigned long long)size);
}

static int make_values(struct log *log, struct pool *pool)
{
	u64 size = values_part(pool) * pool->slots; /* below 2^33 * 2^15 * 2^12 */

	if (!pool->slots)
		return 0;
	pool->values_block = map_calloc(1, size + LINE);
	if (!pool->values_block)
		return no_memory(log, pool, size);
	pool->values = (char *)ROUND_UP((uintptr_t)pool->values_block, LINE);
	return 0;
}

/* The system gives the pages of what may live now, not when a program comes to them. */
static void touch(struct pool *pool)
{
	u64 size = (u64)pool->map->max_entries * pool->elem_size;

	for (u64 i = 0; i < size; i += PAGE)
		((volatile char *)pool->block)[i] = 0;
}

static int make_block(struct log *log, struct pool *pool)
{
	u64 n = block_count(pool), size = n * pool->elem_size; /* below 2^33 * 2^23 */

	pool->block_memory = map_calloc(1, size + LINE);
	if (!pool->block_memory)
		return no_memory(log, pool, size);
	pool->block = (char *)ROUND_UP((uintptr_t)pool->block_memory, LINE);
	pool->block_size = size;
	pool->block_n = n;
	touch(pool);
	return make_values(log, pool);
}

static void free_blocks(struct pool *pool)
{
	for (u32 i = 0; pool->caches && i < slot_count(pool->map->host); i++)
		free(pool->caches[i]);
	free(pool->caches);
	free(pool->stripes);
	free(pool->block_memory);
	free(pool->values_block);
}

static void set_sizes(struct pool *pool, const struct pool_opts *opts)
{
	struct map *map = pool->map;
	u32 value = opts->percpu ? sizeof(struct percpu_ref) : map->value_stride, n = 1;

	while (n < MAX_STRIPES && map->max_entries / n > STRIPE_ENTRIES)
		n *= 2;
	pool->nstripes = n;
	pool->slots = opts->percpu ? slot_count(map->host) : 0;
	pool->key_stride = ROUND_UP(map->key_size, 8);
	pool->elem_size = (u32)sizeof(struct elem) + pool->key_stride + value + opts->extra;
	/* One that fits in a line is in one: a lookup meets it in one miss. */
	if (pool->elem_size < LINE && pool->elem_size > LINE / 2)
		pool->elem_size = LINE;
}

int pool_open(struct log *log, struct pool *pool, struct map *map,
	      const struct pool_opts *opts)
{
	*pool = (struct pool){.map = map, .prealloc = opts->prealloc, .maps = opts->maps,
			       .owns = map->fields || opts->maps || !epoch_usable()};
	set_sizes(pool, opts);
	set_limits(pool);
	/* Large ones would be missing elsewhere. */
	if (pool->bag_most >= FETCH)
		pool->caches = calloc(slot_count(map->host), sizeof(*pool->caches));
	pool->stripes = aligned_alloc(LINE, pool->nstripes * sizeof(struct stripe));
	if (!pool->stripes || (pool->bag_most >= FETCH && !pool->caches)) {
		free_blocks(pool);
		return log_fail(log, -ENOMEM, "map '%s': out of memory", map->name);
	}
	memset(pool->stripes, 0, pool->nstripes * sizeof(struct stripe));
	set_stripes(pool);
	if (opts->prealloc && make_block(log, pool)) {
		free_blocks(pool);
		return -ENOMEM;
	}
	return 0;
}

static void free_list(struct pool *pool, struct idle *list)
{
	for (struct idle *next; list; list = next) {
		next = list->next;
		if (!of_block(pool, elem_of(list)))
			free_heap(pool, elem_of(list));
	}
}

static void cache_close(struct pool *pool, struct cache *c)
{
	if (!c)
		return;
	BUG_ON(c->under_way || (pool->owns && !quarantine_empty(&c->q)));
	free_list(pool, c->free);
	free_list(pool, c->q.open.first);
	for (u32 i = 0; i < c->q.nclosed; i++)
		free_list(pool, c->q.closed[i].first);
}

void pool_close(struct pool *pool)
{
	for (u32 i = 0; i < pool->nstripes; i++) {
		free_list(pool, pool->stripes[i].free);
		cache_close(pool, &pool->stripes[i].outside);
	}
	for (u32 i = 0; pool->caches && i < slot_count(pool->map->host); i++)
		cache_close(pool, pool->caches[i]);
	BUG_ON(atomic_load_explicit(&pool->heap, memory_order_relaxed));
	free_blocks(pool);
}
