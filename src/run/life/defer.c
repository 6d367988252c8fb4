/* SPDX-License-Identifier: MIT
 *
 * defer.c: calls that wait for a grace period: destructors of what left a map, frees of
 * elements and maps, release functions of deferred-put types, pintle_defer().
 *
 * The way of a call: a run collects into its slot's own chunk (no lock); the end of the
 * outermost run pushes the chunk to `incoming` (one CAS); callers outside runs share the
 * chunk `open`. A safe point takes everything that came in as one batch and asks liburcu
 * to tell when domain N has passed; a later safe point that finds the batch passed in N
 * and S runs it.
 *
 * Guarantees (rule book J22, J23):
 *  A  a call is made exactly once, after every read section and run that was open when it
 *     was queued has ended
 *  B  with no lock of the engine held, outside any run or read section, on a thread that
 *     is at a safe point: the end of an outermost run, a map operation of the host,
 *     pintle_defer(), pintle_drain(), closing; with a reclaim thread on that one, and for
 *     types with an executor where it says
 *  C  a call may itself defer calls, free objects and use maps; safe points inside it do
 *     nothing
 *  D  defer_drain() returns after every call that was queued before it (and what those
 *     queued) was made
 *
 * Bounds: with more than opts.max_deferred calls waiting, or calls that will give back more
 * than opts.max_deferred_bytes (weight.c), a safe point waits for the grace period and makes them itself (J10). Without memory a reserve of chunks is used, which safe points
 * refill; beyond that the object is leaked and a line logged. It is never freed early.
 */
#define _LGPL_SOURCE
#include "run/life/reclaim.h"
#include "run/life/thread.h"

#include <time.h>
#include <urcu/urcu-memb.h>

enum { CHUNK = 30, RESERVE = 32 };
/* Batches waited for, at most: by a drain; by a thread that comes by when too many wait. */
enum { ROUNDS = 64, FEW_ROUNDS = 3 };

struct deferred {
	void (*fn)(void *);
	void *obj;
};

struct defer_chunk {
	struct defer_chunk *next;
	u32 n;
	u64 bytes; /* of its calls, as far as counted in the queue's */
	struct deferred at[CHUNK];
};

enum batch_state { BATCH_NONE, BATCH_WAITS, BATCH_PASSED /* in domain N */ };

struct defer_queue {
	struct pintle_host *host;
	atomic(struct defer_chunk *) incoming; /* pushed by anyone, taken all at once */
	atomic(u32) waiting;			/* calls not yet made, about */
	atomic(u64) bytes;			/* that those will give back, about */
	atomic(u64) lost;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t idle;
	struct defer_chunk *batch;
	atomic(int) state; /* enum batch_state; N's callback stores BATCH_PASSED */
	u64 generation;	   /* of S */
	u64 started;	   /* clock_ms() of the batch */
	bool stall_told;
	atomic(u64) rounds; /* batches whose calls were made */
	struct rcu_head head;
	atomic(u32) running; /* threads that are making calls */

	pthread_mutex_t open_lock; /* all below */
	struct defer_chunk *open;
	struct defer_chunk *reserve;
	atomic(u32) nreserve; /* looked at without */
};

/* Set while this thread makes deferred calls: guarantee C. */
static THREAD_LOCAL bool making_calls;

static void count_bytes(struct defer_queue *q, struct defer_chunk *chunk, u64 bytes)
{
	chunk->bytes += bytes;
	atomic_fetch_add_explicit(&q->bytes, bytes, memory_order_relaxed);
}

/* Neighbours are often alike. */
static void weigh(struct defer_queue *q, struct defer_chunk *chunk)
{
	u64 bytes = 0, each = 0;

	for (u32 i = 0; i < chunk->n; i++) {
		if (!i || chunk->at[i].fn != chunk->at[i - 1].fn)
			each = weight_of(q->host, chunk->at[i].fn);
		bytes += each;
	}
	count_bytes(q, chunk, bytes + sizeof(*chunk));
}

static void chunk_push(struct defer_queue *q, struct defer_chunk *chunk)
{
	struct defer_chunk *top =
		atomic_load_explicit(&q->incoming, memory_order_relaxed);

	weigh(q, chunk);
	/* release: pairs with the acquire in take_incoming() */
	do
		chunk->next = top;
	while (!atomic_compare_exchange_weak_explicit(&q->incoming, &top, chunk,
						      memory_order_release,
						      memory_order_relaxed));
}

static struct defer_chunk *take_incoming(struct defer_queue *q)
{
	return atomic_exchange_explicit(&q->incoming, NULL, memory_order_acquire);
}

static struct defer_chunk *chunk_reserved(struct defer_queue *q)
{
	struct defer_chunk *chunk;

	chunk = q->reserve;
	if (chunk) {
		q->reserve = chunk->next;
		atomic_fetch_sub_explicit(&q->nreserve, 1, memory_order_relaxed);
	}
	return chunk;
}

/* With q->open_lock held. */
static struct defer_chunk *chunk_new(struct defer_queue *q)
{
	struct defer_chunk *chunk = malloc(sizeof(*chunk));

	if (!chunk)
		chunk = chunk_reserved(q);
	if (chunk) {
		chunk->next = NULL;
		chunk->n = 0;
		chunk->bytes = 0;
	}
	return chunk;
}

static int reserve_fill(struct defer_queue *q)
{
	int err = 0;

	pthread_mutex_lock(&q->open_lock);
	while (q->nreserve < RESERVE && !err) {
		struct defer_chunk *chunk = malloc(sizeof(*chunk));

		if (chunk) {
			chunk->next = q->reserve;
			q->reserve = chunk;
			atomic_fetch_add_explicit(&q->nreserve, 1, memory_order_relaxed);
		} else {
			err = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&q->open_lock);
	return err;
}

static void chunks_free(struct defer_chunk *chunk)
{
	while (chunk) {
		struct defer_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

/* liburcu's thread is made now: later, under our lock, that would take one which a fork
 * takes before ours. */
static bool have_callbacks(void)
{
	sigset_t before;
	bool have;

	signals_block(&before);
	have = urcu_memb_get_default_call_rcu_data();
	signals_restore(&before);
	return have;
}

int defer_init(struct pintle_host *host)
{
	struct defer_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	if (!have_callbacks()) {
		free(q);
		return -ENOMEM;
	}
	q->host = host;
	pthread_mutex_init(&q->lock, NULL);
	pthread_mutex_init(&q->open_lock, NULL);
	pthread_cond_init(&q->idle, NULL);
	if (reserve_fill(q)) {
		chunks_free(q->reserve);
		free(q);
		return -ENOMEM;
	}
	atomic_store(&host->sleep_gen, 1);
	host->defer = q;
	for (u32 i = 0; i < slot_count(host); i++)
		slot_at(host, i)->waiting = &q->waiting;
	return 0;
}

static void report_lost(struct defer_queue *q)
{
	atomic_fetch_add_explicit(&q->lost, 1, memory_order_relaxed);
	host_log(q->host, PINTLE_LOG_ERROR,
		 "out of memory: an object that left a map was leaked");
}

/* Room for one more in *@at, the chunk of a slot or the shared one. */
static bool chunk_room(struct defer_queue *q, struct defer_chunk **at)
{
	if (likely(*at && (*at)->n < CHUNK))
		return true;
	if (*at)
		chunk_push(q, *at);
	*at = chunk_new(q);
	return *at != NULL;
}

static bool chunk_add(struct defer_queue *q, struct defer_chunk **at,
		      struct deferred call, u64 bytes)
{
	if (!chunk_room(q, at))
		return false;
	(*at)->at[(*at)->n++] = call;
	if (unlikely(bytes))
		count_bytes(q, *at, bytes);
	atomic_fetch_add_explicit(&q->waiting, 1, memory_order_relaxed);
	return true;
}

static bool queue_call(struct defer_queue *q, struct deferred call, u64 bytes)
{
	struct slot_ctx *slot = slot_current();
	bool own = slot && slot->host == q->host, done;

	if (own && slot->open && slot->open->n < CHUNK)
		return chunk_add(q, &slot->open, call, bytes);
	pthread_mutex_lock(&q->open_lock);
	done = chunk_add(q, own ? &slot->open : &q->open, call, bytes);
	pthread_mutex_unlock(&q->open_lock);
	return done;
}

void defer_call(struct pintle_host *host, void (*fn)(void *), void *obj)
{
	defer_call_sized(host, fn, obj, 0);
}

void defer_call_sized(struct pintle_host *host, void (*fn)(void *), void *obj, u64 bytes)
{
	if (!queue_call(host->defer, (struct deferred){fn, obj}, bytes))
		report_lost(host->defer);
}

void defer_publish(struct slot_ctx *slot)
{
	chunk_push(slot->host->defer, slot->open);
	slot->open = NULL;
}

static void batch_passed(struct rcu_head *head)
{
	struct defer_queue *q = container_of(head, struct defer_queue, head);

	rcu_grace_over();
	/* the last touch of the queue; release: pairs with the acquire in batch_ripe() */
	atomic_store_explicit(&q->state, BATCH_PASSED, memory_order_release);
}

/* All that has come in so far, as one list. With q->lock held. */
static struct defer_chunk *collect(struct defer_queue *q)
{
	struct defer_chunk *open;

	pthread_mutex_lock(&q->open_lock);
	open = q->open;
	q->open = NULL;
	pthread_mutex_unlock(&q->open_lock);
	if (open)
		chunk_push(q, open);
	return take_incoming(q);
}

static bool batch_ripe(struct defer_queue *q)
{
	return atomic_load_explicit(&q->state, memory_order_acquire) == BATCH_PASSED &&
	       sleep_passed(q->host, q->generation);
}

/* With q->lock held. */
static void batch_start(struct defer_queue *q)
{
	q->batch = collect(q);
	if (!q->batch)
		return;
	q->generation = sleep_generation(q->host);
	q->started = clock_ms();
	q->stall_told = false;
	atomic_store_explicit(&q->state, BATCH_WAITS, memory_order_relaxed);
	rcu_grace_begins();
	urcu_memb_call_rcu(&q->head, batch_passed);
}

static struct defer_chunk *batch_take(struct defer_queue *q)
{
	struct defer_chunk *batch = q->batch;

	q->batch = NULL;
	atomic_store_explicit(&q->state, BATCH_NONE, memory_order_relaxed);
	return batch;
}

/* Newest chunk first in the list; calls are made oldest first. */
static struct defer_chunk *reversed(struct defer_chunk *chunk)
{
	struct defer_chunk *out = NULL;

	while (chunk) {
		struct defer_chunk *next = chunk->next;

		chunk->next = out;
		out = chunk;
		chunk = next;
	}
	return out;
}

static void make_call(struct defer_queue *q, struct deferred call)
{
	const struct pintle_executor *executor = executor_of(q->host, call.fn);

	if (likely(!executor))
		call.fn(call.obj);
	else if (!executor_submit(q->host, executor, call.fn, call.obj) &&
		 !queue_call(q, call, 0))
		report_lost(q);
}

static void make_calls(struct defer_queue *q, struct defer_chunk *chunk)
{
	int state;

	/* A thread that is cancelled in a destructor would leave the others' uncalled. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	making_calls = true;
	for (chunk = reversed(chunk); chunk;) {
		struct defer_chunk *next = chunk->next;

		for (u32 i = 0; i < chunk->n; i++)
			make_call(q, chunk->at[i]);
		atomic_fetch_sub_explicit(&q->waiting, chunk->n, memory_order_relaxed);
		atomic_fetch_sub_explicit(&q->bytes, chunk->bytes, memory_order_relaxed);
		free(chunk);
		chunk = next;
	}
	atomic_fetch_add_explicit(&q->rounds, 1, memory_order_relaxed);
	making_calls = false;
	pthread_setcancelstate(state, &state);
}

/* Makes calls without the lock; a drain waits for those who do. */
static void run_unlocked(struct defer_queue *q, struct defer_chunk *calls)
{
	atomic_fetch_add_explicit(&q->running, 1, memory_order_relaxed);
	pthread_mutex_unlock(&q->lock);
	make_calls(q, calls);
	pthread_mutex_lock(&q->lock);
	/* release: pairs with the acquire in defer_is_busy() */
	if (atomic_fetch_sub_explicit(&q->running, 1, memory_order_release) == 1)
		pthread_cond_broadcast(&q->idle);
}

static bool at_safe_point(void)
{
	return !making_calls && !slot_current() && !run_read_ongoing();
}

static void advance(struct defer_queue *q)
{
	struct defer_chunk *ripe = NULL;

	if (pthread_mutex_trylock(&q->lock))
		return; /* somebody is at it */
	if (q->batch && batch_ripe(q))
		ripe = batch_take(q);
	if (!q->batch)
		batch_start(q);
	if (ripe)
		run_unlocked(q, ripe);
	pthread_mutex_unlock(&q->lock);
}

/* Whether advance() could do anything: cheap, may be wrong for a moment. */
static bool stirs(struct defer_queue *q)
{
	return atomic_load_explicit(&q->waiting, memory_order_relaxed) &&
	       atomic_load_explicit(&q->state, memory_order_relaxed) != BATCH_WAITS;
}

u32 defer_waiting(const struct pintle_host *host)
{
	return atomic_load_explicit(&host->defer->waiting, memory_order_relaxed);
}

static u32 limit_of(const struct pintle_host *host)
{
	return host->opts.max_deferred ? host->opts.max_deferred : 1 << 16;
}

u64 defer_bytes(const struct pintle_host *host)
{
	return atomic_load_explicit(&host->defer->bytes, memory_order_relaxed);
}

static bool too_much(const struct pintle_host *host, u32 waiting)
{
	u64 most = host->opts.max_deferred_bytes ? host->opts.max_deferred_bytes : 256 << 20;

	return waiting > limit_of(host) || defer_bytes(host) > most;
}

enum { STALL_EVERY = 32 }; /* safe points; most of them must cost nothing */

/* Somebody else is waited for: for how long? */
static void check_stall(struct defer_queue *q)
{
	static THREAD_LOCAL u32 visits;
	u64 limit = q->host->opts.stall_ms ? q->host->opts.stall_ms : 10000;
	u64 ms = 0;
	bool tell = false;

	if (++visits % STALL_EVERY || pthread_mutex_trylock(&q->lock))
		return;
	if (q->batch && !q->stall_told) {
		ms = clock_ms() - q->started;
		tell = q->stall_told = ms > limit;
	}
	pthread_mutex_unlock(&q->lock);
	if (tell)
		stall_report(q->host, ms);
}

void defer_advance(struct pintle_host *host)
{
	struct defer_queue *q = host->defer;

	check_stall(q);
	if (!stirs(q) || thread_enter())
		return;
	advance(q);
	if (unlikely(atomic_load_explicit(&q->nreserve, memory_order_relaxed) < RESERVE))
		reserve_fill(q);
}

/* Takes over what waits, after N's callback for it has come. With q->lock held. */
static struct defer_chunk *take_all(struct defer_queue *q)
{
	struct defer_chunk *all = q->batch ? batch_take(q) : NULL;
	struct defer_chunk *more = collect(q), **end = &more;

	while (*end)
		end = &(*end)->next;
	*end = all;
	return more;
}

/* Until liburcu's thread has told of the batch; with q->lock held before and after. */
static void wait_for_batch(struct defer_queue *q)
{
	static const struct timespec nap = {.tv_nsec = 200000};

	while (atomic_load_explicit(&q->state, memory_order_acquire) == BATCH_WAITS) {
		pthread_mutex_unlock(&q->lock);
		nanosleep(&nap, NULL);
		pthread_mutex_lock(&q->lock);
	}
}

static bool drain_once(struct defer_queue *q)
{
	struct defer_chunk *all;
	bool others; /* somebody else's calls: they may have queued more */

	fork_wait();
	grace_wait(q->host); /* runs in flight end, and publish what they deferred */
	pthread_mutex_lock(&q->lock);
	wait_for_batch(q);
	all = take_all(q);
	if (all) {
		atomic_fetch_add_explicit(&q->running, 1, memory_order_relaxed);
		pthread_mutex_unlock(&q->lock);
		grace_wait(q->host);
		make_calls(q, all);
		pthread_mutex_lock(&q->lock);
		if (atomic_fetch_sub_explicit(&q->running, 1, memory_order_release) == 1)
			pthread_cond_broadcast(&q->idle);
	}
	others = q->running;
	while (q->running)
		pthread_cond_wait(&q->idle, &q->lock);
	pthread_mutex_unlock(&q->lock);
	return all || others;
}

/* The thread's work is waited for: what was queued is in the batch after next at latest,
 * what its calls queue in those behind. */
static void wait_for_thread(struct defer_queue *q, u32 rounds)
{
	static const struct timespec nap = {.tv_nsec = 200000};
	u64 target;

	grace_wait(q->host); /* runs in flight end, and publish what they deferred */
	target = atomic_load_explicit(&q->rounds, memory_order_relaxed) + rounds;
	while (defer_waiting(q->host) && q->host->reclaimer &&
	       atomic_load_explicit(&q->rounds, memory_order_relaxed) < target) {
		reclaim_wake(q->host);
		nanosleep(&nap, NULL);
	}
	/* The lock makes what the calls did visible here. */
	pthread_mutex_lock(&q->lock);
	while (q->running)
		pthread_cond_wait(&q->idle, &q->lock);
	pthread_mutex_unlock(&q->lock);
}

/* Calls may queue more; but others who queue for ever must not keep us here. */
static void drain(struct pintle_host *host, u32 rounds)
{
	struct defer_queue *q = host->defer;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	thread_enter_or_wait();
	if (host->reclaimer && !reclaim_is_self(host)) {
		wait_for_thread(q, rounds);
		executor_wait(host);
	} else {
		for (u32 i = 0; i < rounds && drain_once(q); i++)
			executor_wait(host);
		reserve_fill(q);
	}
	pthread_setcancelstate(state, &state);
}

bool defer_can_drain(void)
{
	return at_safe_point();
}

void defer_drain(struct pintle_host *host)
{
	if (at_safe_point() && !host->torn)
		drain(host, ROUNDS);
}

void defer_safe_point(struct pintle_host *host)
{
	u32 waiting = defer_waiting(host);

	if (likely(!waiting) || !at_safe_point() || host->torn ||
	    atomic_load_explicit(&fork_near, memory_order_relaxed))
		return;
	if (unlikely(too_much(host, waiting)))
		drain(host, FEW_ROUNDS);
	else if (host->reclaimer)
		reclaim_wake(host);
	else
		defer_advance(host);
}

void pintle_defer(struct pintle_host *host, void (*fn)(void *obj), void *obj)
{
	pintle_defer_sized(host, fn, obj, 0);
}

void pintle_defer_sized(struct pintle_host *host, void (*fn)(void *obj), void *obj,
			size_t bytes)
{
	if (host->torn)
		return;
	if (queue_call(host->defer, (struct deferred){fn, obj}, bytes)) {
		defer_safe_point(host);
	} else if (at_safe_point()) {
		grace_wait(host);
		fn(obj);
	} else {
		report_lost(host->defer);
	}
}

void defer_free(struct pintle_host *host)
{
	struct defer_queue *q = host->defer;

	if (!q)
		return;
	while (drain_once(q))
		executor_wait(host);
	chunks_free(q->reserve);
	pthread_cond_destroy(&q->idle);
	pthread_mutex_destroy(&q->open_lock);
	pthread_mutex_destroy(&q->lock);
	free(q);
	host->defer = NULL;
}

bool defer_is_busy(struct pintle_host *host)
{
	return host->defer && atomic_load_explicit(&host->defer->running,
						   memory_order_acquire) > making_calls;
}

void defer_before_fork(struct pintle_host *host)
{
	if (!host->defer) /* being made, or freed */
		return;
	pthread_mutex_lock(&host->defer->lock);
	pthread_mutex_lock(&host->defer->open_lock);
}

void defer_after_fork(struct pintle_host *host, bool child)
{
	if (!host->defer)
		return;
	/* Calls that other threads were making are made in the parent. */
	if (child) {
		pthread_cond_init(&host->defer->idle, NULL);
		host->defer->running = making_calls;
		reclaim_lost(host);
	}
	pthread_mutex_unlock(&host->defer->open_lock);
	pthread_mutex_unlock(&host->defer->lock);
}
