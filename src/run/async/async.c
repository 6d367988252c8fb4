/* SPDX-License-Identifier: MIT
 *
 * async.c: the one life of timers and work in map values (async.h).
 *
 * Invariants
 *  - A field goes from NULL to an address by one exchange, and back, or to ASYNC_DEAD, by
 *    one: each struct async is made by one run and dropped by one taker.
 *  - The field of an element that was unlinked is ASYNC_DEAD until the element is used
 *    again: no run that still holds the element can make a call that outlives it.
 *  - One call of each at a time: started while it runs, it is queued when it has ended.
 *  - No callback of an object that closes is kept, and none comes (owner->closing).
 *
 * Ordering
 *  Y-A: a call begins inside a run's section before it is found, under the lock, that it
 *       is to be made; who takes that reason away does so under the lock, and then waits
 *       for a grace period before the value, the map, the callback or the struct async
 *       itself goes. So either the call is not made, or the wait includes it. What takes
 *       the reason away: async_drop() of an element, asyncs_close() of an object, and the
 *       last reference of a map (async_ready(), map_put()).
 *
 * Progress: blocking on the lock, for O(log n) steps. Nothing is called under it.
 */
#include "run/async/async.h"
#include "run/lock.h"

#include <unistd.h>

enum { CLOSE_BATCH = 256 };

/* ------------------------------------------------------------------ making */

struct async *async_at(void *slot)
{
	/* acquire: pairs with the exchange in async_make() */
	struct async *a = __atomic_load_n((struct async **)slot, __ATOMIC_ACQUIRE);

	return a == ASYNC_DEAD ? NULL : a;
}

/* A map that only runs still hold makes no calls: it would be gone before they come. */
static bool map_is_held(const struct map *map)
{
	return atomic_load_explicit(&map->refs, memory_order_relaxed);
}

static u32 field_off(const struct map *map, enum field_kind kind)
{
	for (u32 i = 0; i < map->fields->n; i++)
		if (map->fields->at[i].kind == kind)
			return map->fields->at[i].off;
	return 0;
}

/* Every timer has a place in its heap from the start. */
static int reserve(struct asyncs *all, const struct async *a)
{
	int err = 0;

	if (a->kind != FIELD_TIMER)
		return 0;
	lock_take(&all->lock);
	err = deadlines_reserve(&all->due[a->clock], all->timers[a->clock] + 1);
	if (!err)
		all->timers[a->clock]++;
	lock_drop(&all->lock);
	return err;
}

static void unreserve(struct asyncs *all, const struct async *a)
{
	if (a->kind == FIELD_TIMER)
		all->timers[a->clock]--;
}

static bool publish(void *slot, struct async *a)
{
	struct async *empty = NULL;

	/* release: pairs with async_at() */
	return __atomic_compare_exchange_n((struct async **)slot, &empty, a, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

int async_make(struct map *map, void *slot, enum field_kind kind, u32 clock)
{
	struct asyncs *all = map->host->asyncs;
	struct async *a;
	int err;

	if (!map_is_held(map))
		return -EPERM;
	if (async_at(slot))
		return -EBUSY;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->kind = kind;
	a->map = map;
	a->clock = (u8)clock;
	a->value = (char *)slot - field_off(map, kind);
	err = reserve(all, a);
	if (!err && publish(slot, a))
		return 0;
	if (!err) { /* somebody was faster, or the element went */
		lock_take(&all->lock);
		unreserve(all, a);
		lock_drop(&all->lock);
		err = async_at(slot) ? -EBUSY : -EPERM;
	}
	free(a);
	return err;
}

/* ------------------------------------------------------------------ callbacks */

static void owner_unlink(struct async *a)
{
	a->callback = NULL;
	if (!a->owner)
		return;
	*a->pprev = a->next;
	if (a->next)
		a->next->pprev = a->pprev;
	a->owner = NULL;
}

static void owner_link(struct async *a, struct pintle_object *owner)
{
	a->owner = owner;
	a->next = owner->asyncs;
	a->pprev = &owner->asyncs;
	if (a->next)
		a->next->pprev = &a->next;
	owner->asyncs = a;
}

static struct pintle_prog *prog_of(const struct code_func *callback)
{
	return callback->code->owner;
}

static int set_callback(struct async *a, const struct code_func *callback)
{
	struct pintle_object *owner = prog_of(callback)->object;

	if (a->dead)
		return -EINVAL;
	if (owner->closing || !map_is_held(a->map))
		return -EPERM;
	if (a->owner != owner) {
		owner_unlink(a);
		owner_link(a, owner);
	}
	a->callback = callback;
	return 0;
}

int async_set_callback(struct async *a, const struct code_func *callback)
{
	struct asyncs *all = a->map->host->asyncs;
	int err;

	lock_take(&all->lock);
	err = set_callback(a, callback);
	lock_drop(&all->lock);
	return err;
}

/* ------------------------------------------------------------------ dropping */

bool async_forget(struct async *a)
{
	struct asyncs *all = a->map->host->asyncs;
	bool was = a->queued || a->again;

	if (a->queued && a->kind == FIELD_TIMER)
		timer_unqueue(all, a);
	else if (a->queued)
		work_unqueue(all, a);
	a->queued = a->again = false;
	owner_unlink(a);
	return was;
}

void async_drop(struct pintle_host *host, void *slot, bool dead)
{
	struct asyncs *all = host->asyncs;
	struct async *a = __atomic_exchange_n((struct async **)slot, dead ? ASYNC_DEAD : NULL,
					      __ATOMIC_SEQ_CST);

	if (!a || a == ASYNC_DEAD)
		return;
	lock_take(&all->lock);
	a->dead = true;
	async_forget(a);
	unreserve(all, a);
	lock_drop(&all->lock);
	defer_call(host, free, a); /* Y-A */
}

/* How many were there. */
static u32 close_some(struct asyncs *all, struct pintle_object *object)
{
	u32 n = 0;

	lock_take(&all->lock);
	object->closing = true;
	for (; object->asyncs && n < CLOSE_BATCH; n++)
		async_forget(object->asyncs);
	lock_drop(&all->lock);
	return n;
}

void asyncs_close(struct pintle_object *object)
{
	while (close_some(object->host->asyncs, object) == CLOSE_BATCH)
		;
}

/* ------------------------------------------------------------------ calls */

void asyncs_settle(struct pintle_host *host)
{
	lock_take(&host->asyncs->lock);
	lock_drop(&host->asyncs->lock);
}

int async_ready(const struct async *a)
{
	if (a->dead || !a->callback)
		return -EINVAL;
	return map_is_held(a->map) ? 0 : -EPERM;
}

bool async_begin(const struct run_scope *scope, struct async *a)
{
	a->queued = false;
	if (async_ready(a))
		return false;
	a->runner = scope->slot;
	a->outer = scope->slot->async;
	scope->slot->async = a;
	return true;
}

static bool call_over(struct asyncs *all, struct slot_ctx *slot, struct async *a)
{
	bool again;

	lock_take(&all->lock);
	again = a->again && !a->cancels && !async_ready(a);
	a->again = false;
	a->runner = NULL;
	slot->async = a->outer;
	return again;
}

bool async_call(const struct run_scope *scope, struct async *a)
{
	struct asyncs *all = scope->slot->host->asyncs;
	const struct code_func *callback = a->callback;
	u32 index;
	const void *key;

	lock_drop(&all->lock);
	key = a->map->ops->key_of(a->map, a->value, &index);
	run_callback(scope, prog_of(callback), callback, (uintptr_t)a->map, (uintptr_t)key,
		     (uintptr_t)a->value);
	return call_over(all, scope->slot, a);
}

/* ------------------------------------------------------------------ all of a host */

int asyncs_init(struct pintle_host *host)
{
	struct asyncs *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->last = &all->work;
	atomic_init(&all->timer_fd, -1);
	atomic_init(&all->work_fd, -1);
	host->asyncs = all;
	return 0;
}

int asyncs_start(struct pintle_host *host)
{
	struct asyncs *all = host->asyncs;
	int fd;

	if (host->opts.timer_thread) {
		fd = timers_fd(host);
		TRY(fd < 0 ? fd : driver_start(host, fd, timers_run, &all->timer_driver));
	}
	if (host->opts.work_thread) {
		fd = work_fd(host);
		TRY(fd < 0 ? fd : driver_start(host, fd, work_run, &all->work_driver));
	}
	return 0;
}

void asyncs_stop(struct pintle_host *host)
{
	struct asyncs *all = host->asyncs;

	if (!all)
		return;
	driver_stop(all->timer_driver);
	driver_stop(all->work_driver);
	all->timer_driver = all->work_driver = NULL;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void asyncs_free(struct pintle_host *host)
{
	struct asyncs *all = host->asyncs;

	if (!all)
		return;
	for (u32 i = 0; i < NR_CLOCKS; i++)
		deadlines_free(&all->due[i]);
	fd_close(atomic_load(&all->timer_fd));
	fd_close(atomic_load(&all->work_fd));
	free(all);
	host->asyncs = NULL;
}

/* ------------------------------------------------------------------ fork */

void async_abandon(struct slot_ctx *slot)
{
	struct asyncs *all = slot->host->asyncs;

	if (likely(!slot->async && !slot->async_wait))
		return;
	lock_take(&all->lock);
	for (; slot->async; slot->async = slot->async->outer)
		slot->async->runner = NULL;
	slot->async_wait = NULL;
	lock_drop(&all->lock);
}

void asyncs_locks(struct pintle_host *host, void (*op)(u32 *lock))
{
	if (!host->asyncs)
		return;
	op(&host->asyncs->fd_lock);
	op(&host->asyncs->lock);
}

/* In the child. Descriptors are shared with the parent: who wants some gets new ones. */
void asyncs_after_fork(struct pintle_host *host)
{
	struct asyncs *all = host->asyncs;

	if (!all)
		return;
	driver_lost(all->timer_driver);
	driver_lost(all->work_driver);
	all->timer_driver = all->work_driver = NULL;
	fd_close(atomic_exchange(&all->timer_fd, -1));
	fd_close(atomic_exchange(&all->work_fd, -1));
}
