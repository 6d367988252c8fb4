/* SPDX-License-Identifier: MIT
 *
 * slot.c: execution slots (rule book J14-J17): which thread owns which.
 *
 * A thread takes a slot of a host on its first run there and keeps it until it ends or
 * leaves, so "this CPU" never changes under a program and is never shared. Counters and
 * per-CPU values stay when a slot changes hands.
 *
 * The fast path is one compare in thread-local memory. Caches of other threads are never
 * reached into: they compare the host's id, which is not used twice.
 */
#include "run/async/async.h"
#include "run/life/thread.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static u64 next_id(void)
{
	static atomic(u64) last;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void slots_fill(struct slot_table *table, struct pintle_host *host)
{
	u64 seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (u64)(uintptr_t)table;
	for (u32 i = 0; i < table->n; i++) {
		struct slot_ctx *slot = &table->at[i];

		slot->index = i;
		slot->host = host;
		slot->safe_by_copy = host->opts.no_fault_handler;
		slot->random = mix(seed + i * 0x9e3779b97f4a7c15ull) | 1;
	}
}

int slots_init(struct pintle_host *host)
{
	u32 n = host->opts.max_slots;
	struct slot_table *table = calloc(1, sizeof(*table));
	int err;

	if (!table)
		return -ENOMEM;
	table->at = aligned_alloc(_Alignof(struct slot_ctx), n * sizeof(table->at[0]));
	if (!table->at) {
		free(table);
		return -ENOMEM;
	}
	memset(table->at, 0, n * sizeof(table->at[0]));
	table->n = n;
	table->id = next_id();
	table->host = host;
	slots_fill(table, host);
	err = thread_add_table(table);
	if (err) {
		free(table->at);
		free(table);
		return err;
	}
	host->slots = table;
	host->id = table->id;
	return 0;
}

void slots_free(struct pintle_host *host)
{
	struct slot_table *table = host->slots;

	if (!table)
		return;
	thread_remove_table(table);
	free(table->at);
	free(table);
	host->slots = NULL;
}

u32 slot_count(const struct pintle_host *host)
{
	return host->slots->n;
}

struct slot_ctx *slot_at(const struct pintle_host *host, u32 index)
{
	return &host->slots->at[index];
}

void slot_release(struct slot_ctx *slot)
{
	struct slot_ctx **at = &slot->owner->slots;

	while (*at != slot)
		at = &(*at)->next;
	*at = slot->next;
	slot->next = NULL;
	slot->owner = NULL;
	/* What a run left behind, whose thread ended in it or did not survive a fork. */
	if (slot->open)
		defer_publish(slot);
	slot->depth = slot->sleep_depth = 0;
	slot->prog = NULL;
	slot->meter = NULL; /* was in that thread's stack */
	slot->turns = 0;
	slot->ending = ENDING_NONE;
	slot->cut = slot->was_cut = false;
	slot->space = 0;
	slot->cookie = slot->side = 0;
	async_abandon(slot);
	atomic_store_explicit(&slot->sleep_gen, 0, memory_order_release);
}

static struct slot_ctx *owned(struct slot_table *table)
{
	struct slot_ctx *slot = thread_self()->slots;

	while (slot && slot->host != table->host)
		slot = slot->next;
	return slot;
}

static struct slot_ctx *claim(struct slot_table *table)
{
	struct thread_rec *self = thread_self();

	for (u32 i = 0; i < table->n; i++) {
		struct slot_ctx *slot = &table->at[i];

		if (slot->owner)
			continue;
		slot->owner = self;
		slot->next = self->slots;
		self->slots = slot;
		if (i >= atomic_load(&table->high))
			atomic_store(&table->high, i + 1);
		return slot;
	}
	return NULL;
}

/* Whether the host wants threads to wait for a slot (J02). */
static bool wait_a_while(const struct slot_table *table)
{
	static const struct timespec nap = {.tv_nsec = 500000};

	/* Inside of a section, of this host or another, who would give one back may wait
	 * for us. */
	if (!table->host->opts.wait_for_slot || thread_me.running || run_read_ongoing())
		return false;
	nanosleep(&nap, NULL);
	return true;
}

/* A signal handler finds either entry whole, or none. */
static void cache_put(struct slot_cache *c, u64 id, struct slot_ctx *slot)
{
	*(volatile u64 *)&c->id = 0;
	*(struct slot_ctx *volatile *)&c->slot = slot;
	*(volatile u64 *)&c->id = id;
}

__attribute__((noinline)) struct slot_ctx *slot_find(struct slot_table *table)
{
	struct slot_ctx *slot;

	if (table->host->torn || thread_enter())
		return NULL;
	do {
		thread_lock();
		slot = owned(table);
		if (!slot)
			slot = claim(table);
		thread_unlock();
	} while (!slot && wait_a_while(table));
	if (slot)
		cache_put(&thread_me.cache[table->id % SLOT_CACHE], table->id, slot);
	return slot;
}

/* In a signal handler: from memory of this thread only, which it may interrupt anywhere. */
struct slot_ctx *slot_known(struct pintle_host *host)
{
	const struct slot_cache *c = &thread_me.cache[host->slots->id % SLOT_CACHE];

	return c->id == host->slots->id ? c->slot : NULL;
}

struct slot_ctx *slot_get(struct pintle_host *host)
{
	return slot_cached(host);
}

void slot_leave(struct pintle_host *host)
{
	struct slot_ctx *slot;

	/* No handler uses it from here on. */
	cache_put(&thread_me.cache[host->slots->id % SLOT_CACHE], 0, NULL);
	__atomic_store_n(&thread_me.last.id, 0, __ATOMIC_RELAXED);
	thread_lock();
	slot = owned(host->slots);
	if (slot && !slot->depth && slot != thread_me.running)
		slot_release(slot);
	thread_unlock();
}

void slot_forget(void)
{
	memset(thread_me.cache, 0, sizeof(thread_me.cache));
	__atomic_store_n(&thread_me.last.id, 0, __ATOMIC_RELAXED);
	atomic_store_explicit(&thread_me.short_way, 0, memory_order_relaxed);
}

struct slot_ctx *slot_current(void)
{
	return thread_me.running;
}

struct slot_ctx *slot_swap(struct slot_ctx *slot)
{
	return slot_exchange(slot);
}
