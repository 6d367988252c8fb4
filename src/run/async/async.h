/* SPDX-License-Identifier: MIT
 *
 * async.h: calls that programs ask for: timers and work queues in map values. A field of
 * either kind holds the address of a struct async, made by bpf_timer_init() or
 * bpf_wq_init(), or ASYNC_DEAD. Files:
 *
 *	async.c      their one life: made, given a callback, run, dropped with their element
 *	timer.c      timers: when each is due; who drives them
 *	deadline.c   the order in which timers are due
 *	wq.c         work: the queue; who drives it
 *	driver.c     threads that drive, where the host wants them
 *	async_api.c  the host's side
 *
 * The life of one: the map's value owns it. It goes with the element (deletion, eviction,
 * replacement, the map's end), and then waits out a grace period, so that a run that found
 * it may go on using it. Its callback belongs to an object: when that closes, the call is
 * cancelled and the callback forgotten.
 */
#ifndef PINTLE_RUN_ASYNC_H
#define PINTLE_RUN_ASYNC_H

#include "run/map/map.h"

enum { NR_CLOCKS = 3 }; /* monotonic, wall, monotonic with sleep */

/* All below but what never changes is under asyncs.lock. */
struct async {
	enum field_kind kind; /* FIELD_TIMER, FIELD_WQ; never changes, as the next two */
	struct map *map;
	void *value;
	bool dead;    /* its element went */
	bool queued;  /* to be called: in a heap, or in the queue */
	bool again;   /* to be queued when the call that runs has ended */
	u8 clock;     /* timers: index of the heap; never changes */
	u32 cancels;  /* who wait for the call to end */
	u32 place;    /* in the heap */
	u64 deadline; /* in nanoseconds of its clock */
	u64 seq;      /* among those with one deadline; queue: order of arrival */
	const struct code_func *callback; /* NULL: none */
	struct pintle_object *owner;	  /* of the callback */
	struct async *next, **pprev;	  /* owner->asyncs */
	struct async *after, **before;	  /* the queue */
	struct slot_ctx *runner;	  /* its call runs there; NULL: it does not */
	struct async *outer;		  /* the one whose call runs around it there */
};

struct deadline {
	u64 at;
	struct async *timer;
};

/* A heap of four children a node, in pages, so that growing moves nothing. */
struct deadlines {
	struct deadline **pages;
	u32 n, npages, room; /* entries; pages; pages there is a pointer for */
};

struct driver;

struct asyncs {
	u32 lock;	/* lock.h; a leaf but for memory for heaps */
	u32 fd_lock;	/* of timer_fd's setting; taken before lock */
	u32 timers[NR_CLOCKS]; /* there are: each has room in its heap */
	struct deadlines due[NR_CLOCKS];
	u64 seq;
	struct async *work, **last; /* the queue */
	atomic(int) timer_fd, work_fd; /* -1: nobody wanted one */
	struct driver *timer_driver, *work_driver; /* or NULL */
};

/* In a field: the element went; nothing is to be made there any more. */
#define ASYNC_DEAD ((struct async *)1)

/* --- async.c --- */
int asyncs_init(struct pintle_host *host);
int asyncs_start(struct pintle_host *host); /* the threads that drive, if wanted */
void asyncs_locks(struct pintle_host *host, void (*op)(u32 *lock)); /* around a fork */
void asyncs_stop(struct pintle_host *host); /* the threads that drive */
void asyncs_free(struct pintle_host *host); /* every map is gone */
/* The one in field @slot, or NULL. In a run. */
struct async *async_at(void *slot);
/* bpf_timer_init(), bpf_wq_init(): 0, -EBUSY, -ENOMEM, -EPERM. */
int async_make(struct map *map, void *slot, enum field_kind kind, u32 clock);
int async_set_callback(struct async *a, const struct code_func *callback);
/* Empties field @slot for good (@dead), or so that it may be used again. */
void async_drop(struct pintle_host *host, void *slot, bool dead);
/* Cancels what would call into @object, for ever. Calls under way go on. */
void asyncs_close(struct pintle_object *object);
/* A map has lost its last reference: from now on, no call of its values begins (Y-A). */
void asyncs_settle(struct pintle_host *host);
/* Under the lock: no call, no callback; whether a call was to come. */
bool async_forget(struct async *a);
/* Under the lock: may it be queued now? 0, -EINVAL, -EPERM. */
int async_ready(const struct async *a);
/* Under the lock: its call begins on the slot of @scope, in whose run we are; false: there
 * is nothing to call any more. */
bool async_begin(const struct run_scope *scope, struct async *a);
/* Makes the call; afterwards, the lock is held and whether it is to be queued again is
 * returned. */
bool async_call(const struct run_scope *scope, struct async *a);
/* A slot whose thread did not survive a fork, or ended in a callback. */
void async_abandon(struct slot_ctx *slot);
void asyncs_after_fork(struct pintle_host *host);

/* --- timer.c --- */
void timer_unqueue(struct asyncs *all, struct async *a); /* under the lock */
int64_t timers_run(struct pintle_host *host, u32 budget);
int64_t timers_next(struct pintle_host *host); /* nanoseconds; -ENOENT */
/* Sets the descriptor, where there is one, to when the first is due. */
void timers_set_fd(struct pintle_host *host);
u64 host_clock(const struct pintle_host *host, int clock); /* nanoseconds */

/* --- deadline.c: under the lock --- */
int deadlines_reserve(struct deadlines *due, u32 n); /* room for @n: 0 or -ENOMEM */
void deadlines_add(struct deadlines *due, struct async *timer);
void deadlines_remove(struct deadlines *due, struct async *timer);
struct async *deadlines_first(const struct deadlines *due); /* NULL: none */
void deadlines_free(struct deadlines *due);

/* --- wq.c --- */
int wq_init(void *wq, struct map *map, u32 flags);
int wq_set_callback(void *wq, const struct code_func *callback, u32 flags, void *aux);
int wq_start(void *wq, u32 flags);
void work_unqueue(struct asyncs *all, struct async *a); /* under the lock */
int64_t work_run(struct pintle_host *host, u32 budget);
u32 work_waiting(struct pintle_host *host);
void work_tell(struct pintle_host *host); /* the descriptor, where there is one */

/* --- driver.c --- */
/* A thread that calls @run whenever @fd is readable. */
int driver_start(struct pintle_host *host, int fd,
		 int64_t (*run)(struct pintle_host *host, u32 budget), struct driver **out);
void driver_stop(struct driver *driver); /* NULL is fine */
void driver_lost(struct driver *driver); /* in a child of fork: there is no thread */

/* --- async_api.c --- */
int timers_fd(struct pintle_host *host); /* made at the first call; -errno */
int work_fd(struct pintle_host *host);

#endif
