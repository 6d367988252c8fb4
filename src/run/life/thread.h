/* SPDX-License-Identifier: MIT
 *
 * thread.h: what a thread is to the runtime: a registered reader of liburcu's memb
 * flavour, and the owner of at most one execution slot per host.
 */
#ifndef PINTLE_RUN_THREAD_H
#define PINTLE_RUN_THREAD_H

#include "run/run.h"

#include <pthread.h>
#include <signal.h>

/* Small fixed thread-locals: the cheap access model is worth its few bytes of static TLS. */
#define THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

struct urcu_gp;
struct urcu_reader;

/* A thread's sections, for epoch.c. */
struct epoch_reader {
	atomic(u64) in; /* the epoch it is in, and how many are nested; 0: none */
};

/* How slots are looked up without a lock: host ids are never used twice. */
struct slot_cache {
	u64 id;
	struct slot_ctx *slot;
};
enum { SLOT_CACHE = 4 };

/* One per thread that ever entered the library, in its thread-local memory. */
struct thread_rec {
	/* The host of the last run and its slot, for enter.h; id 0: there is no short way. */
	struct slot_cache last;
	struct slot_ctx *running;	  /* innermost; NULL: no run */
	struct epoch_reader epoch;
	struct urcu_reader *reader;	  /* registered by us; NULL: by the host */
	struct urcu_gp *gp;		  /* liburcu's; set before `last` and short_way */
	atomic(u32) short_way; /* of sections (enter.h) there is one; a fork clears it */
	struct thread_rec *next, **pprev; /* all of them, under the thread lock */
	struct slot_ctx *slots;		  /* owned, one per host */
	struct slot_cache cache[SLOT_CACHE];
	bool listed;
} __attribute__((aligned(64)));

struct slot_table {
	struct slot_table *next, **pprev; /* all hosts', under the thread lock */
	struct pintle_host *host;
	u64 id;		   /* never 0 */
	u32 n;
	atomic(u32) high;  /* slots [0, high) were used at some time */
	struct slot_ctx *at;
};

/* --- slot.c, for those who run a program every few nanoseconds --- */

/* The calling thread's, listed or not. */
extern THREAD_LOCAL struct thread_rec thread_me;
struct slot_ctx *slot_find(struct slot_table *table);
struct slot_ctx *slot_known(struct pintle_host *host); /* NULL: none that needs no lock */

/* slot_get() */
static inline struct slot_ctx *slot_cached(struct pintle_host *host)
{
	const struct slot_cache *c = &thread_me.cache[host->slots->id % SLOT_CACHE];

	if (likely(c->id == host->slots->id))
		return c->slot;
	return slot_find(host->slots);
}

/* slot_swap() */
static inline struct slot_ctx *slot_exchange(struct slot_ctx *slot)
{
	struct slot_ctx *before = thread_me.running;

	thread_me.running = slot;
	return before;
}

/* --- thread.c --- */

/* Registers the calling thread where it is not: 0 or -ENOMEM. */
int thread_enter(void);
/* Has the calling thread cleaned up after when it ends, without liburcu. */
int thread_known(void);
/* thread_enter() for those who cannot fail: waits for memory. */
void thread_enter_or_wait(void);
struct thread_rec *thread_self(void);
/* Around the making of a thread that is the library's: it takes none of the host's
 * signals, but those of loads that fault. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);
void thread_lock(void);
void thread_unlock(void);
bool thread_try_lock(void);
/* Whether fn() is true of any thread's record; under the thread lock. */
bool threads_any(bool (*fn)(const struct thread_rec *rec, u64 with), u64 with);
/* Links a host's table into the list that thread exits and forks walk. */
int thread_add_table(struct slot_table *table);
void thread_remove_table(struct slot_table *table);

/* --- slot.c, under the thread lock --- */

/* Gives back one slot: its thread ended, left, or did not survive a fork. */
void slot_release(struct slot_ctx *slot);
/* Drops the calling thread's lock-free look-ups. */
void slot_forget(void);

/* --- words.c, under the thread lock --- */

void words_forget(struct pintle_host *host, const struct thread_rec *thread);

/* --- fork.c --- */

int fork_init(void); /* 0 or an errno */
extern atomic(u32) fork_near;
/* A fork waits for all to leave: so does who comes, unless it is inside already. */
void fork_wait(void);

/* --- thread.c, for fork.c --- */

/* Under the thread lock. */
struct slot_table *thread_tables(void);
/* Of all threads but the caller's, which is the only one left. */
void threads_bury(bool torn);

/* --- rcu.c and defer.c, around fork --- */

void rcu_before_fork(void);
void rcu_after_fork(void);
/* Tell the race detector that a grace period of N will pass after what was done so far,
 * and that one has. */
void rcu_grace_begins(void);
void rcu_grace_over(void);

/* Whether other threads are making calls. */
bool defer_is_busy(struct pintle_host *host);
void defer_before_fork(struct pintle_host *host);
void defer_after_fork(struct pintle_host *host, bool child);

#endif
