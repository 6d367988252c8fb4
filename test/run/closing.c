/* SPDX-License-Identifier: MIT
 *
 * closing.c: handles of every kind, closed in every order; what others still hold works
 * until then. Maps of every kind, filled. Threads that end or run out of slots.
 */
#include "run/stress_host.h"
#include "test.h"

#include "run/run.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

/* ------------------------------------------------------------------ every order */

enum handle {
	OBJECT,	 /* whose maps the others come from */
	OTHER,	 /* an object that holds an inner map of the first, and jumps to its program */
	INNER,	 /* a map of the host's own, in both outer maps */
	RING,
	USER_RING,
	SPACE,
	BUFFER,
	SOCKET,
	NHANDLES,
};

struct handles {
	struct pintle_host *host;
	struct pintle_object *object, *other;
	struct pintle_map *inner;
	struct pintle_ringbuf *ring;
	struct pintle_user_ringbuf *user_ring;
	struct pintle_space *space;
	struct pintle_buffer *buffer;
	char path[64];
	u64 memory[8];
	u32 released, records;
	bool open[NHANDLES];
};

static int take_record(void *data, void *sample, size_t size)
{
	++*(u32 *)data;
	return 0;
}

static void released(void *data)
{
	++*(u32 *)data;
}

static struct pintle_object *object_new(struct pintle_host *host)
{
	struct pintle_object *obj = pintle_open(host, test_object("run/stress.bpf.o"), NULL);

	if (!obj || pintle_load(obj) || pintle_attach(obj))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return obj;
}

static void share(struct handles *h, struct pintle_object *obj)
{
	static const char *const outers[] = {"outer_array", "outer_hash"};
	u32 key = 2;

	for (u32 i = 0; i < ARRAY_SIZE(outers); i++)
		CHECK_EQ(pintle_map_set_map(pintle_map_find(obj, outers[i]), &key, h->inner, 0),
			 0);
	for (key = 0; key < 4; key++)
		CHECK_EQ(pintle_map_set_prog(pintle_map_find(obj, "jumps"), key,
					     pintle_prog_find(h->object, "landed")), 0);
}

static void handles_open(struct handles *h, struct pintle_host *host)
{
	*h = (struct handles){.host = host};
	h->object = object_new(host);
	h->other = object_new(host);
	h->inner = pintle_map_create_inner(pintle_map_find(h->object, "outer_array"), "inner", 0);
	CHECK(h->inner);
	share(h, h->object);
	share(h, h->other);
	h->ring = pintle_ringbuf_open(pintle_map_find(h->object, "ring"), take_record,
				      &h->records);
	h->user_ring = pintle_user_ringbuf_open(pintle_map_find(h->object, "user_ring"));
	h->space = pintle_space_range(host, h->memory, sizeof(h->memory));
	h->buffer = pintle_buffer_add(host, 0x1000, h->memory, sizeof(h->memory), released,
				      &h->released);
	snprintf(h->path, sizeof(h->path), "/tmp/pintle-closing-%d", (int)getpid());
	CHECK_EQ(pintle_inspect_open(host, h->path, NULL), 0);
	CHECK(h->ring && h->user_ring && h->space && h->buffer);
	for (u32 i = 0; i < NHANDLES; i++)
		h->open[i] = true;
}

/* What is open works, whatever is closed. */
static void handles_use(struct handles *h)
{
	char value[64] = {0};
	u32 key = 3;
	u64 *r;

	stress_hook_p(1);
	if (h->open[INNER])
		CHECK_EQ(pintle_map_update(h->inner, &key, value, 0), 0);
	if (h->open[RING])
		CHECK(pintle_ringbuf_consume(h->ring, 0) >= 0);
	if (h->open[USER_RING]) {
		r = pintle_user_ringbuf_reserve(h->user_ring, 8);
		CHECK(r || errno == ENOSPC);
		if (r)
			pintle_user_ringbuf_discard(h->user_ring, r);
	}
	if (h->open[SPACE]) {
		CHECK(!pintle_space_enter(h->host, h->space));
		CHECK(pintle_space_enter(h->host, NULL) == h->space);
	}
	if (h->open[SOCKET])
		CHECK_EQ(pintle_inspect_serve(h->host), 0);
	CHECK(pintle_refs_each(h->host, NULL, NULL, NULL, NULL) >= 0);
}

static void handle_close(struct handles *h, u32 which)
{
	switch (which) {
	case OBJECT: pintle_close(h->object); break;
	case OTHER: pintle_close(h->other); break;
	case INNER: pintle_map_close(h->inner); break;
	case RING: pintle_ringbuf_close(h->ring); break;
	case USER_RING: pintle_user_ringbuf_close(h->user_ring); break;
	case SPACE: pintle_space_close(h->space); break;
	case BUFFER: pintle_buffer_close(h->buffer); break;
	default: pintle_inspect_close(h->host);
	}
	h->open[which] = false;
}

static void one_order(struct pintle_host *host, const u32 *order, u32 n, bool use)
{
	struct handles h;

	handles_open(&h, host);
	for (u32 i = 0; i < n; i++) {
		if (use)
			handles_use(&h);
		handle_close(&h, order[i]);
	}
	if (use)
		handles_use(&h);
	for (u32 i = 0; i < NHANDLES; i++)
		if (h.open[i])
			handle_close(&h, i);
	pintle_drain(host);
	CHECK_EQ(h.released, 1);
	CHECK(!host->maps && !host->objects);
	CHECK(access(h.path, F_OK));
}

static void swap(u32 *a, u32 *b)
{
	u32 c = *a;

	*a = *b;
	*b = c;
}

/* The next in the order of the dictionary; false: that was the last. */
static bool next_order(u32 *order, u32 n)
{
	u32 i = n - 1, k = n - 1;

	while (i && order[i - 1] > order[i])
		i--;
	if (!i)
		return false;
	while (order[k] < order[i - 1])
		k--;
	swap(&order[i - 1], &order[k]);
	for (u32 a = i, b = n - 1; a < b; a++, b--)
		swap(&order[a], &order[b]);
	return true;
}

/* Those that hang together, in all 24 orders (120 in a long run, the other ring too); the
 * rest at each place among them. */
TEST(close_handles_in_every_order)
{
	u32 order[] = {OBJECT, OTHER, INNER, RING, USER_RING};
	u32 n = getenv("PINTLE_STRESS_SECONDS") ? 5 : 4, orders = 0;
	struct pintle_host *host;

	stress_host_reset();
	host = stress_host_new(NULL);
	CHECK(host);
	do {
		u32 all[NHANDLES], nall = 0, at = orders % (n + 1);

		for (u32 i = 0; i <= n; i++) {
			for (u32 k = n; i == at && k < NHANDLES; k++)
				all[nall++] = k;
			if (i < n)
				all[nall++] = order[i];
		}
		one_order(host, all, nall, orders % 2);
		orders++;
	} while (next_order(order, n));
	CHECK_EQ(orders, n == 5 ? 120 : 24);
	pintle_host_free(host);
	CHECK_EQ(stress_counts.live, 0);
	CHECK_EQ(stress_counts.dead, 0);
	stress_host_reset();
}

/* The host goes with objects and the socket open, and whatever they hold. */
TEST(close_the_host_with_what_is_open)
{
	for (u32 i = 0; i < 2; i++) {
		struct handles h;

		stress_host_reset();
		handles_open(&h, stress_host_new(NULL));
		handles_use(&h);
		handle_close(&h, INNER);
		handle_close(&h, RING);
		handle_close(&h, USER_RING);
		handle_close(&h, SPACE);
		handle_close(&h, BUFFER);
		if (i)
			handle_close(&h, OBJECT);
		pintle_host_free(h.host);
		CHECK_EQ(h.released, 1);
		CHECK(access(h.path, F_OK));
		CHECK_EQ(stress_counts.live, 0);
	}
	stress_host_reset();
}

/* ------------------------------------------------------------------ a program of what goes */

TEST(close_refuses_programs_of_what_is_closing)
{
	struct pintle_host *host;
	struct pintle_object *one, *two;
	struct pintle_map *jumps;

	stress_host_reset();
	host = stress_host_new(NULL);
	one = object_new(host);
	two = object_new(host);
	jumps = pintle_map_find(two, "jumps");
	pintle_read_lock(host); /* what was found before stays until this ends */
	{
		struct pintle_prog *prog = pintle_prog_find(one, "landed");

		CHECK_EQ(pintle_map_set_prog(jumps, 0, prog), 0);
		pintle_close(one);
		CHECK_EQ(pintle_map_count(jumps), 0);
		CHECK_EQ(pintle_map_set_prog(jumps, 0, prog), -EINVAL);
	}
	pintle_read_unlock(host);
	pintle_close(two);
	pintle_host_free(host);
	stress_host_reset();
}

/* ------------------------------------------------------------------ full maps */

static const struct {
	const char *name;
	u32 type, flags;
	int full; /* what one more gives; 0: another element goes */
} kinds[] = {
	{"array", 2, 0, -E2BIG},
	{"hash", 1, 0, -E2BIG},
	{"hash, not preallocated", 1, 1, -E2BIG},
	{"per-CPU hash", 5, 0, -E2BIG},
	{"per-CPU array", 6, 0, -E2BIG},
	{"LRU hash", 9, 0, 0},
	{"LRU per-CPU hash", 10, 0, 0},
	{"LPM trie", 11, 1, -ENOSPC},
	{"queue", 22, 0, -E2BIG},
	{"stack", 23, 0, -E2BIG},
};
enum { ROOM = 8, QUEUE = 22, STACK = 23, LPM = 11, ARRAY = 2, PERCPU_ARRAY = 6 };

static struct pintle_map *kind_new(struct pintle_host *host, u32 i)
{
	u32 type = kinds[i].type;
	struct pintle_map *map = pintle_map_create(
		host, kinds[i].name,
		PINTLE_OPTS(pintle_map_opts, .type = type, .max_entries = ROOM, .value_size = 8,
			    .key_size = type == QUEUE || type == STACK ? 0 : type == LPM ? 8 : 4,
			    .flags = kinds[i].flags));

	if (!map)
		test_fail(__FILE__, __LINE__, "%s: %s", kinds[i].name, pintle_host_error(host));
	return map;
}

static int fill_one(struct pintle_map *map, u32 i, u32 n)
{
	u64 key = kinds[i].type == LPM ? 32 | (u64)n << 32 : n, values[128 * 2] = {n};
	bool keyless = kinds[i].type == QUEUE || kinds[i].type == STACK;

	return pintle_map_update(map, keyless ? NULL : &key, values, 0);
}

static bool goes_again(struct pintle_map *map, u32 i)
{
	u64 key = kinds[i].type == LPM ? 32 : 0, values[128 * 2];

	if (kinds[i].type == QUEUE || kinds[i].type == STACK)
		return !pintle_map_lookup_and_delete(map, NULL, values);
	return !pintle_map_delete(map, &key);
}

/* The element after the last is refused as documented, or drives out another; when one is
 * gone there is room. */
TEST(maps_of_every_kind_filled)
{
	struct pintle_host *host = pintle_host_new(NULL);

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pintle_map *map = kind_new(host, i);
		bool array = kinds[i].type == ARRAY || kinds[i].type == PERCPU_ARRAY;

		for (u32 n = 0; n < ROOM; n++)
			CHECK_EQ(fill_one(map, i, n), 0);
		for (u32 n = ROOM; n < ROOM + 3; n++)
			CHECK_EQ(fill_one(map, i, n), kinds[i].full);
		CHECK(pintle_map_count(map) <= ROOM);
		if (!array && kinds[i].full) {
			CHECK_EQ(pintle_map_count(map), ROOM);
			CHECK(goes_again(map, i));
			CHECK_EQ(fill_one(map, i, ROOM), 0);
			CHECK_EQ(fill_one(map, i, ROOM + 1), kinds[i].full);
		}
		pintle_map_close(map);
	}
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ threads */

struct many {
	struct pintle_host *host;
	const struct pintle_prog *prog;
	pthread_barrier_t taken, leave;
	atomic(u32) ran, refused;
};

static void *run_and_stay(void *data)
{
	struct many *m = data;
	u64 args[1] = {2};
	int err = pintle_prog_run(m->prog, args, NULL);

	if (!err)
		atomic_fetch_add(&m->ran, 1);
	else if (err == -EAGAIN && !stress_hook_p(1))
		atomic_fetch_add(&m->refused, 1);
	pthread_barrier_wait(&m->taken);
	pthread_barrier_wait(&m->leave);
	return NULL;
}

/* More threads than slots: the others are refused, by an error; when one ends or leaves
 * there is room again. */
TEST(J02_threads_run_out_of_slots)
{
	enum { SLOTS = 3, MORE = 5 };
	struct many m = {.host = NULL};
	struct pintle_object *obj;
	pthread_t t[MORE];
	u64 args[1] = {2};

	stress_host_reset();
	m.host = stress_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = SLOTS));
	obj = object_new(m.host);
	m.prog = pintle_prog_find(obj, "mix_hash");
	pintle_thread_leave(m.host);
	pthread_barrier_init(&m.taken, NULL, MORE + 1);
	pthread_barrier_init(&m.leave, NULL, MORE + 1);
	for (u32 i = 0; i < MORE; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, run_and_stay, &m), 0);
	pthread_barrier_wait(&m.taken);
	CHECK_EQ(m.ran, SLOTS);
	CHECK_EQ(m.refused, MORE - SLOTS);
	CHECK_EQ(pintle_prog_run(m.prog, args, NULL), -EAGAIN);
	pthread_barrier_wait(&m.leave);
	for (u32 i = 0; i < MORE; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(pintle_prog_run(m.prog, args, NULL), 0);
	pintle_close(obj);
	pintle_host_free(m.host);
	CHECK_EQ(stress_counts.live, 0);
	stress_host_reset();
}

struct without {
	struct pintle_host *host;
	struct pintle_object *obj;
	const struct stress_ops *ops;
	struct item *item;
};

/* What needs a slot says that there is none, or does nothing; the rest works. */
static void *do_without(void *data)
{
	struct without *d = data;
	struct pintle_map *map = pintle_map_find(d->obj, "pc_hash");
	char value[16 << 10] = {0};
	u32 key = 1;

	CHECK_EQ(pintle_refs_each(d->host, NULL, NULL, NULL, NULL), -EAGAIN);
	CHECK_HAS(pintle_host_error(d->host), "slots are taken");
	CHECK(!pintle_space_enter(d->host, NULL));
	CHECK_HAS(pintle_host_error(d->host), "slots are taken");
	CHECK_EQ(d->ops->sign(d->item, 5), 0);
	CHECK_EQ(d->ops->nap(5), 0);
	CHECK_EQ(stress_hook_p(1) | stress_hook_q(1) | stress_hook_signal(1), 0);
	CHECK_EQ(pintle_map_update(map, &key, value, 0), 0);
	CHECK_EQ(pintle_map_lookup(map, &key, value), 0);
	CHECK_EQ(pintle_map_delete(map, &key), 0);
	CHECK_EQ(pintle_refs_totals(d->host, NULL, NULL), -EAGAIN);
	return NULL;
}

TEST(J02_calls_of_threads_without_a_slot)
{
	struct without d = {.item = item_new(1)};
	struct pintle_object *ops;
	pthread_t t;

	stress_host_reset();
	d.host = stress_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = 1));
	d.obj = object_new(d.host);
	ops = pintle_open(d.host, test_object("run/stress_ops.bpf.o"), NULL);
	CHECK(ops && !pintle_load(ops));
	CHECK_EQ(pintle_ops_attach(pintle_map_find(ops, "minus")), 0);
	d.ops = stress_table_get();
	CHECK_EQ(d.ops->sign(d.item, 5), -5);
	CHECK_EQ(pthread_create(&t, NULL, do_without, &d), 0);
	pthread_join(t, NULL);
	CHECK_EQ(d.ops->sign(d.item, 5), -5);
	pintle_ops_put(d.ops);
	item_put(d.item);
	pintle_host_free(d.host);
	stress_host_reset();
}

/* Inside of a section nobody waits for a slot: who would give one back may wait for it. */
TEST(J02_no_waiting_for_a_slot_inside_a_section)
{
	struct many m = {.host = NULL};
	struct pintle_object *obj;
	u64 args[1] = {2};
	pthread_t t;

	stress_host_reset();
	m.host = stress_host_new(
		PINTLE_OPTS(pintle_host_opts, .max_slots = 1, .wait_for_slot = true));
	obj = object_new(m.host);
	m.prog = pintle_prog_find(obj, "mix_hash");
	pintle_thread_leave(m.host);
	pthread_barrier_init(&m.taken, NULL, 2);
	pthread_barrier_init(&m.leave, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, run_and_stay, &m), 0);
	pthread_barrier_wait(&m.taken);
	pintle_read_lock(m.host);
	CHECK_EQ(pintle_prog_run(m.prog, args, NULL), -EAGAIN);
	pintle_read_unlock(m.host);
	pthread_barrier_wait(&m.leave);
	pthread_join(t, NULL);
	CHECK_EQ(pintle_prog_run(m.prog, args, NULL), 0);
	pintle_close(obj);
	pintle_host_free(m.host);
	stress_host_reset();
}

/* --- threads that end where they should not --- */

static struct pintle_host *ending_host;

static void end_here(void *obj)
{
	pthread_testcancel(); /* in a destructor */
	++*(u32 *)obj;
}

static void *drains(void *data)
{
	u32 *calls = data;

	for (u32 i = 0; i < 1000; i++) {
		pintle_defer(ending_host, end_here, calls);
		if (i == 500)
			pthread_cancel(pthread_self());
		pintle_drain(ending_host); /* waits */
	}
	return NULL;
}

/* Cancelled while the library waits or calls destructors: afterwards, elsewhere. */
TEST(J06_cancelled_where_the_library_waits)
{
	u32 calls = 0;
	pthread_t t;
	void *result;

#if defined(TEST_TSAN) || defined(__SANITIZE_ADDRESS__)
	SKIP("sanitizers do not know of cancelled threads");
#endif
	ending_host = pintle_host_new(NULL);
	CHECK_EQ(pthread_create(&t, NULL, drains, &calls), 0);
	pthread_join(t, &result);
	pintle_drain(ending_host); /* nothing is stuck */
	CHECK(calls > 499 && calls <= 1000);
	pintle_host_free(ending_host);
}

static void *exits_inside(void *data)
{
	struct pintle_host *host = data;

	pintle_read_lock(host);
	stress_hook_p(1);
	pintle_read_lock(host);
	pthread_exit(NULL);
}

/* By pthread_exit() inside of sections: they are closed, the slot is free. */
TEST(J06_thread_ends_inside_a_section)
{
	struct pintle_host *host;
	struct pintle_object *obj;
	pthread_t t;

#if defined(TEST_TSAN) || defined(__SANITIZE_ADDRESS__)
	SKIP("sanitizers do not know of threads that end like this");
#endif
	stress_host_reset();
	host = stress_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = 1));
	obj = object_new(host);
	pintle_thread_leave(host);
	for (u32 i = 0; i < 3; i++) {
		CHECK_EQ(pthread_create(&t, NULL, exits_inside, host), 0);
		pthread_join(t, NULL);
		pintle_drain(host);
	}
	pintle_close(obj);
	pintle_host_free(host);
	CHECK_EQ(stress_counts.live, 0);
	stress_host_reset();
}
