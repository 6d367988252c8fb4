/* SPDX-License-Identifier: MIT
 *
 * pool.c: see pool.h. Free elements, quarantine and credits are split into stripes, so
 * that threads rarely meet; a thread that finds its stripe empty looks through the
 * others.
 *
 * Quarantine: a stripe has two lists. Elements retire to `pending`. A deferred call is
 * under way for `ripening`, which was taken from `pending` before the call was queued:
 * when it comes, a grace period has passed since each of them was unlinked. There is at
 * most one call under way for a stripe; it takes the next list along if there is one, so
 * a burst of deletions costs one deferred call and not one each. The call holds a pin of
 * the map.
 *
 * Ordering
 *  P-A: everything about a stripe but its credits is under its lock (L1 in lock.h). That
 *       lock is a leaf: nothing is called under it.
 *  P-B: credits: the release of pool_credit_give() pairs with the acquire of
 *       pool_credit_take(). An insertion that finds room by a deletion comes after it.
 *  P-C: readers are done with an element before it is reused: the grace period between
 *       retire and the end of the quarantine.
 *
 * Progress: blocking on the stripe's lock, which is held for a few instructions.
 */
#include "run/map/pool.h"
#include "run/lock.h"

enum {
	MAX_STRIPES = 8,
	STRIPE_ENTRIES = 64, /* fewer per stripe are not worth splitting */
	LINE = 64,
	HEAP_BYTES = 64 << 20, /* of quarantine, beside the elements that live */
	HEAP_MIN = 64,	  /* but this many elements at least, however large */
	KEEP_BYTES = 1 << 20, /* of elements that are free, beside those that may live */
};

struct stripe {
	u32 lock;
	atomic(u32) credits;
	struct elem *free;
	struct elem *pending, *ripening;
	bool under_way;
	struct pool *pool;
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

static struct elem *pop(struct stripe *s)
{
	struct elem *e;

	/* Only a hint: what it misses is found by another stripe, or comes from the
	 * heap. */
	if (!__atomic_load_n(&s->free, __ATOMIC_RELAXED))
		return NULL;
	lock_take(&s->lock);
	e = s->free;
	if (e)
		__atomic_store_n(&s->free, e->idle, __ATOMIC_RELAXED);
	lock_drop(&s->lock);
	return e;
}

/* The list from @first to @last. */
static void push_list(struct stripe *s, struct elem *first, struct elem *last)
{
	lock_take(&s->lock);
	last->idle = s->free;
	__atomic_store_n(&s->free, first, __ATOMIC_RELAXED);
	lock_drop(&s->lock);
}

static void push(struct stripe *s, struct elem *e)
{
	push_list(s, e, e);
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

static void free_heap(struct pool *pool, struct elem *e)
{
	atomic_fetch_sub_explicit(&pool->heap, 1, memory_order_relaxed);
	free(e);
}

struct elem *pool_take(struct pool *pool)
{
	struct stripe *own = own_stripe(pool);
	struct elem *e = NULL;

	for (u32 i = 0; !e && i < pool->nstripes; i++)
		e = pop(stripe_after(pool, own, i));
	if (!e)
		e = take_heap(pool);
	if (e)
		init_fields(pool, e);
	return e;
}

static bool keeps(const struct pool *pool, const struct elem *e)
{
	if (of_block(pool, e))
		return true;
	return pool->prealloc &&
	       atomic_load_explicit(&pool->heap, memory_order_relaxed) <= pool->heap_keep;
}

void pool_give(struct pool *pool, struct elem *e)
{
	drop_map(pool, e);
	if (keeps(pool, e))
		push(own_stripe(pool), e);
	else
		free_heap(pool, e);
}

void pool_drop(struct pool *pool, struct elem *e)
{
	drop_map(pool, e);
	destroy_fields(pool, e);
	if (!of_block(pool, e))
		free_heap(pool, e);
}

/* ------------------------------------------------------------------ quarantine */

/* Under the lock: what retired meanwhile becomes the next list to ripen; whether there is
 * one. */
static bool next_list(struct stripe *s)
{
	s->ripening = s->pending;
	s->pending = NULL;
	s->under_way = s->ripening != NULL;
	return s->under_way;
}

static void end_quarantine(struct stripe *s, struct elem *list)
{
	struct elem *first = NULL, **end = &first, *last = NULL;
	struct pool *pool = s->pool;

	for (struct elem *next; list; list = next) {
		next = list->idle;
		/* F10: a program that still held it may have filled its fields again. */
		destroy_fields(pool, list);
		drop_map(pool, list);
		if (keeps(pool, list)) {
			*end = last = list;
			end = &list->idle;
		} else {
			free_heap(pool, list);
		}
	}
	if (last)
		push_list(s, first, last);
}

/* The deferred call: the grace period of `ripening` is over. */
static void ripe(void *data)
{
	struct stripe *s = data;
	struct map *map = s->pool->map;
	struct elem *list;
	bool again;

	lock_take(&s->lock);
	list = s->ripening;
	again = next_list(s);
	lock_drop(&s->lock);
	end_quarantine(s, list);
	if (again)
		defer_call(map->host, ripe, s); /* inherits the pin */
	else
		map_unpin(map);
}

void pool_retire(struct pool *pool, struct elem *e)
{
	struct stripe *s = own_stripe(pool);
	bool call;

	destroy_fields(pool, e);
	lock_take(&s->lock);
	e->idle = s->pending;
	s->pending = e;
	call = !s->under_way && next_list(s);
	lock_drop(&s->lock);
	if (call) {
		map_pin(pool->map);
		defer_call(pool->map->host, ripe, s);
	}
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
}

static void set_stripes(struct pool *pool)
{
	u32 entries = pool->map->max_entries;

	for (u32 i = 0; i < pool->nstripes; i++) {
		struct stripe *s = &pool->stripes[i];

		s->pool = pool;
		s->credits = entries / pool->nstripes + (i < entries % pool->nstripes);
	}
}

/* As many as may live, and a few spares for updates, which need a new element before the
 * old one is free. */
static u64 block_count(const struct pool *pool)
{
	u32 entries = pool->map->max_entries;

	return (u64)entries + min_u32(entries, 2 * slot_count(pool->map->host));
}

static int no_memory(struct log *log, const struct pool *pool, u64 size)
{
	return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
			pool->map->name, (unsigned long long)size);
}

/* The values of element @i are at i * value_stride in each slot's part. */
static int make_values(struct log *log, struct pool *pool, u64 n)
{
	u64 part = ROUND_UP(n * pool->map->value_stride, (u64)LINE);
	u64 size = part * pool->slots; /* below 2^33 * 2^15 * 2^12 */

	if (!pool->slots)
		return 0;
	pool->values_block = map_calloc(1, size + LINE);
	if (!pool->values_block)
		return no_memory(log, pool, size);
	pool->values = (char *)ROUND_UP((uintptr_t)pool->values_block, LINE);
	for (u64 i = 0; i < n; i++) {
		struct elem *e = (struct elem *)(pool->block + i * pool->elem_size);

		*(struct percpu_ref *)elem_value(pool, e) = (struct percpu_ref){
			pool->values + i * pool->map->value_stride, part};
	}
	return 0;
}

static int make_block(struct log *log, struct pool *pool)
{
	u64 n = block_count(pool), size = n * pool->elem_size; /* below 2^33 * 2^23 */

	pool->block_memory = map_calloc(1, size + LINE);
	if (!pool->block_memory)
		return no_memory(log, pool, size);
	pool->block = (char *)ROUND_UP((uintptr_t)pool->block_memory, LINE);
	pool->block_size = size;
	TRY(make_values(log, pool, n));
	for (u64 i = n; i--;)
		push(&pool->stripes[i & (pool->nstripes - 1)],
		     (struct elem *)(pool->block + i * pool->elem_size));
	return 0;
}

static void free_blocks(struct pool *pool)
{
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
	*pool = (struct pool){.map = map, .prealloc = opts->prealloc, .maps = opts->maps};
	set_sizes(pool, opts);
	set_limits(pool);
	pool->stripes = aligned_alloc(LINE, pool->nstripes * sizeof(struct stripe));
	if (!pool->stripes)
		return log_fail(log, -ENOMEM, "map '%s': out of memory", map->name);
	memset(pool->stripes, 0, pool->nstripes * sizeof(struct stripe));
	set_stripes(pool);
	if (opts->prealloc && make_block(log, pool)) {
		free_blocks(pool);
		return -ENOMEM;
	}
	return 0;
}

void pool_close(struct pool *pool)
{
	for (u32 i = 0; i < pool->nstripes; i++) {
		struct elem *next, *e = pool->stripes[i].free;

		BUG_ON(pool->stripes[i].under_way);
		for (; e; e = next) {
			next = e->idle;
			if (!of_block(pool, e))
				free_heap(pool, e);
		}
	}
	BUG_ON(atomic_load_explicit(&pool->heap, memory_order_relaxed));
	free_blocks(pool);
}
