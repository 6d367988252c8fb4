/* SPDX-License-Identifier: MIT
 *
 * wq.c: work of map values: bpf_wq_*(), and making the calls that were asked for, in the
 * order in which they were, for whoever drives: the host's own loop, a thread of the
 * library's, or both.
 *
 * A callback is a sleepable run of its program on the execution slot of the thread that
 * drives. Work that is queued already is not queued twice; started while its call runs, it
 * is called once more. Nothing waits for a call but the ends of objects and maps.
 */
#include "run/async/async.h"
#include "run/lock.h"

#include <unistd.h>

/* ------------------------------------------------------------------ the queue */

static void work_queue(struct asyncs *all, struct async *a)
{
	a->queued = true;
	a->seq = ++all->seq;
	a->after = NULL;
	a->before = all->last;
	*all->last = a;
	all->last = &a->after;
}

void work_unqueue(struct asyncs *all, struct async *a)
{
	*a->before = a->after;
	if (a->after)
		a->after->before = a->before;
	else
		all->last = a->before;
}

/* ------------------------------------------------------------------ for programs */

int wq_init(void *wq, struct map *map, u32 flags)
{
	return flags ? -EINVAL : async_make(map, wq, FIELD_WQ, 0);
}

int wq_set_callback(void *wq, const struct code_func *callback, u32 flags, void *aux)
{
	struct async *a = async_at(wq);

	return a && !flags ? async_set_callback(a, callback) : -EINVAL;
}

static int start(struct asyncs *all, struct async *a)
{
	TRY(async_ready(a));
	if (a->runner)
		a->again = true;
	else if (!a->queued)
		work_queue(all, a);
	return 0;
}

int wq_start(void *wq, u32 flags)
{
	struct async *a = async_at(wq);
	struct pintle_host *host;
	bool was_empty;
	int err;

	if (!a || flags)
		return -EINVAL;
	host = a->map->host;
	lock_take(&host->asyncs->lock);
	was_empty = !host->asyncs->work;
	err = start(host->asyncs, a);
	lock_drop(&host->asyncs->lock);
	if (!err && was_empty)
		work_tell(host);
	return err;
}

/* ------------------------------------------------------------------ driving */

void work_tell(struct pintle_host *host)
{
	int fd = atomic_load_explicit(&host->asyncs->work_fd, memory_order_acquire);
	u64 one = 1;

	while (fd >= 0 && write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void clear(int fd)
{
	u64 n;

	while (fd >= 0 && read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

static u64 begin(struct asyncs *all)
{
	u64 seq;

	clear(atomic_load_explicit(&all->work_fd, memory_order_acquire));
	lock_take(&all->lock);
	seq = all->seq;
	lock_drop(&all->lock);
	return seq;
}

/* 1: one was done; 0: what was there at @seq is. */
static int run_one(struct pintle_host *host, u64 seq)
{
	struct asyncs *all = host->asyncs;
	struct run_scope scope;
	struct async *a;

	if (!run_begin(&scope, host, true))
		return -EAGAIN;
	lock_take(&all->lock); /* Y-A: inside the run */
	a = all->work && all->work->seq <= seq ? all->work : NULL;
	if (a)
		work_unqueue(all, a);
	if (a && async_begin(&scope, a) && async_call(&scope, a))
		work_queue(all, a);
	lock_drop(&all->lock);
	run_end(&scope);
	return a != NULL;
}

u32 work_waiting(struct pintle_host *host)
{
	u32 n = 0;

	lock_take(&host->asyncs->lock);
	for (struct async *a = host->asyncs->work; a; a = a->after)
		n++;
	lock_drop(&host->asyncs->lock);
	return n;
}

static bool is_empty(struct asyncs *all)
{
	bool empty;

	lock_take(&all->lock);
	empty = !all->work;
	lock_drop(&all->lock);
	return empty;
}

int64_t work_run(struct pintle_host *host, u32 budget)
{
	u64 seq = begin(host->asyncs);
	int64_t n = 0;
	int err = 0;

	while ((!budget || n < budget) && (err = run_one(host, seq)) > 0)
		n++;
	if (!is_empty(host->asyncs))
		work_tell(host);
	return err < 0 && !n ? err : n;
}
