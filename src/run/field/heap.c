/* SPDX-License-Identifier: MIT
 *
 * heap.c: memory of objects that programs allocate.
 *
 * Every execution slot has, for each class of sizes, a list of free objects and a
 * quarantine of objects that were dropped (quarantine.h). Only the slot's owner touches
 * them, so that allocating and dropping take no lock and no shared cache line, and what is
 * dropped is used again while it is warm. What a slot has too much of goes to the class's
 * depot, from where slots fetch a batch at a time. A section that does not end holds up
 * epochs, in whatever host it is: what a quarantine has too much of then becomes a deferred
 * call, which waits for this host's grace periods only; when it comes, they go to the depot.
 * Threads without a slot (destructors, host calls) use the depot and deferred calls always.
 *
 * Memory comes in blocks and goes back to the system with the host: what one program freed
 * serves others. The host's limit (max_object_bytes) is on the sum of all blocks; what is
 * in quarantine counts.
 *
 * Ordering
 *  H-A: readers are done with an object before it is used again: the epochs (E-B in
 *       epoch.c), or the grace period of the deferred call. Programs' objects are read in
 *       sections and runs of this library only, each of which is one of epochs'.
 *  H-B: depots are under their lock (L1 in lock.h), a leaf: malloc() alone is called under
 *       it.
 *
 * Progress: wait-free from and to a slot's lists but for steps of the epoch; else blocking on
 * the depot's lock.
 */
#include "run/field/local.h"
#include "run/lock.h"
#include "run/life/quarantine.h"

enum {
	BLOCK = 64 << 10,
	BATCH = 32,	      /* objects fetched from a depot at once */
	BAG_BYTES = 64 << 10, /* of objects that leave a quarantine at once, */
	BAG_LEAST = 4,	      /* and how many */
};

/* Sizes with the header. */
static const u32 sizes[] = {32,  48,  64,  80,	96,   128,  160,  192,	256,   384,
			    512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16384};
enum { NR_CLASSES = ARRAY_SIZE(sizes) };

struct cache {
	struct idle *free;
	u64 nfree;
	struct quarantine dropped;
};

struct caches {
	struct cache of[NR_CLASSES];
} __attribute__((aligned(64)));

struct block {
	struct block *next;
	u64 pad; /* objects begin at a multiple of 16 */
};

struct heap_class {
	struct heap *heap;
	u32 size, index, most; /* objects that leave a quarantine at once */
	u32 lock;
	struct idle *depot;	 /* the three below under the lock */
	char *fresh, *fresh_end; /* of the newest block: never used */
} __attribute__((aligned(64)));

struct heap {
	struct pintle_host *host;
	struct caches *caches; /* by slot */
	atomic(struct block *) blocks;
	atomic(u64) bytes;
	u64 limit;
	struct heap_class classes[NR_CLASSES];
};

/* ------------------------------------------------------------------ limits */

static bool charge(struct heap *heap, u64 bytes)
{
	u64 now = atomic_fetch_add_explicit(&heap->bytes, bytes, memory_order_relaxed);

	if (likely(now + bytes <= heap->limit))
		return true;
	atomic_fetch_sub_explicit(&heap->bytes, bytes, memory_order_relaxed);
	return false;
}

bool heap_charge(struct pintle_host *host, u64 bytes)
{
	return charge(host->heap, bytes);
}

void heap_uncharge(struct pintle_host *host, u64 bytes)
{
	atomic_fetch_sub_explicit(&host->heap->bytes, bytes, memory_order_relaxed);
}

u64 heap_bytes(const struct pintle_host *host)
{
	return atomic_load_explicit(&host->heap->bytes, memory_order_relaxed);
}

/* ------------------------------------------------------------------ depots */

static void block_link(struct heap *heap, struct block *block)
{
	struct block *top = atomic_load_explicit(&heap->blocks, memory_order_relaxed);

	do
		block->next = top;
	while (!atomic_compare_exchange_weak_explicit(&heap->blocks, &top, block,
						      memory_order_release,
						      memory_order_relaxed));
}

/* With the class's lock held. */
static bool block_new(struct heap_class *c)
{
	struct block *block;

	if (!charge(c->heap, BLOCK))
		return false;
	block = malloc(BLOCK);
	if (!block) {
		heap_uncharge(c->heap->host, BLOCK);
		return false;
	}
	block_link(c->heap, block);
	c->fresh = (char *)(block + 1);
	c->fresh_end = (char *)block + BLOCK;
	return true;
}

/* With the class's lock held. */
static struct idle *depot_pop(struct heap_class *c)
{
	struct idle *one = c->depot;

	if (one) {
		c->depot = one->next;
		return one;
	}
	if ((size_t)(c->fresh_end - c->fresh) < c->size && !block_new(c))
		return NULL;
	one = (struct idle *)c->fresh;
	c->fresh += c->size;
	return one;
}

/* Up to @n objects. */
static struct bag depot_take(struct heap_class *c, u32 n)
{
	struct bag bag = {0};

	lock_take(&c->lock);
	while (bag.n < n) {
		struct idle *one = depot_pop(c);

		if (!one)
			break;
		bag_add(&bag, one);
	}
	lock_drop(&c->lock);
	return bag;
}

static void depot_give(struct heap_class *c, struct idle *first, struct idle *last)
{
	lock_take(&c->lock);
	last->next = c->depot;
	c->depot = first;
	lock_drop(&c->lock);
}

/* ------------------------------------------------------------------ slots */

/* The lists of the slot this thread runs a program on, or NULL. */
static inline struct cache *own_cache(const struct heap_class *c)
{
	const struct slot_ctx *slot = thread_me.running;

	if (unlikely(!slot || slot->host != c->heap->host))
		return NULL;
	return &c->heap->caches[slot->index].of[c->index];
}

static void absorb(struct heap_class *c, struct cache *cache, struct bag bag)
{
	if (!bag.n)
		return;
	if (cache->nfree >= 2 * c->most) {
		depot_give(c, bag.first, bag.last);
		return;
	}
	bag.last->next = cache->free;
	cache->free = bag.first;
	cache->nfree += bag.n;
}

static struct obj *cache_pop(struct cache *cache)
{
	struct idle *one = cache->free;

	cache->free = one->next;
	cache->nfree--;
	/* The next one to be taken was dropped some time ago. */
	__builtin_prefetch(cache->free, 1);
	return (struct obj *)one;
}

/* There is no memory: what waits may do, if nobody reads it any more. */
static void hurry(struct heap_class *c, struct cache *cache)
{
	for (u32 i = 0; !cache->free && i < 3; i++)
		absorb(c, cache, quarantine_turn(&cache->dropped, c->most));
}

static __attribute__((noinline)) struct obj *refill(struct heap_class *c, struct cache *cache)
{
	if (!cache)
		return (struct obj *)depot_take(c, 1).first;
	absorb(c, cache, quarantine_ripe(&cache->dropped));
	if (!cache->free)
		absorb(c, cache, depot_take(c, BATCH));
	if (!cache->free)
		hurry(c, cache);
	return cache->free ? cache_pop(cache) : NULL;
}

struct obj *heap_take(struct heap_class *c)
{
	struct cache *cache = own_cache(c);

	if (unlikely(!cache || !cache->free))
		return refill(c, cache);
	return cache_pop(cache);
}

/* The deferred call: the grace period of a list of dropped objects is over. */
static void ripe(void *data)
{
	struct obj *first = data;
	struct idle *last = &first->idle;

	while (last->next)
		last = last->next;
	depot_give(first->class_, &first->idle, last);
}

static __attribute__((noinline)) void turn(struct heap_class *c, struct cache *cache)
{
	struct quarantine *q = &cache->dropped;

	if (epoch_usable())
		absorb(c, cache, quarantine_turn(q, c->most));
	if (q->open.n < c->most)
		return;
	defer_call(c->heap->host, ripe, q->open.first);
	q->open = (struct bag){0};
	q->limit = quarantine_batch(c->most);
}

void heap_retire(struct heap_class *c, struct obj *obj)
{
	struct cache *cache = own_cache(c);

	obj->class_ = c;
	if (unlikely(!cache)) {
		obj->idle.next = NULL;
		defer_call(c->heap->host, ripe, obj);
	} else if (quarantine_add(&cache->dropped, &obj->idle)) {
		turn(c, cache);
	}
}

void heap_give(struct heap_class *c, struct obj *obj)
{
	depot_give(c, &obj->idle, &obj->idle);
}

/* ------------------------------------------------------------------ the heap itself */

struct heap_class *heap_class_of(struct pintle_host *host, u32 size)
{
	for (u32 i = 0; i < NR_CLASSES; i++)
		if (size <= sizes[i] - sizeof(struct obj))
			return &host->heap->classes[i];
	return NULL;
}

void heap_locks(struct pintle_host *host, void (*op)(u32 *lock))
{
	for (u32 i = 0; host->heap && i < NR_CLASSES; i++)
		op(&host->heap->classes[i].lock);
}

int heap_init(struct pintle_host *host)
{
	struct heap *heap = aligned_alloc(_Alignof(struct heap), sizeof(*heap));
	size_t size = slot_count(host) * sizeof(struct caches);

	if (!heap)
		return -ENOMEM;
	memset(heap, 0, sizeof(*heap));
	heap->caches = aligned_alloc(_Alignof(struct caches), size);
	if (!heap->caches) {
		free(heap);
		return -ENOMEM;
	}
	memset(heap->caches, 0, size);
	heap->host = host;
	heap->limit = host->opts.max_object_bytes ? host->opts.max_object_bytes : 256 << 20;
	for (u32 i = 0; i < NR_CLASSES; i++)
		heap->classes[i] = (struct heap_class){
			heap, .size = sizes[i], .index = i,
			.most = max_u32(BAG_LEAST, BAG_BYTES / sizes[i])};
	host->heap = heap;
	return 0;
}

void heap_free(struct pintle_host *host)
{
	struct heap *heap = host->heap;
	struct block *next;

	if (!heap)
		return;
	for (struct block *block = heap->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(heap->caches);
	free(heap);
	host->heap = NULL;
}
