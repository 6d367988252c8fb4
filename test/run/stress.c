/* SPDX-License-Identifier: MIT
 *
 * stress.c: eight threads move references between fields of maps of every kind, by
 * programs, while they update, delete, evict, walk and batch elements from outside,
 * replace inner maps, set and clear program arrays, load, attach, detach, replace and
 * close whole objects, with their links and tables of operations, free maps, and end.
 * Timers and work are due meanwhile, clients ask at the socket, signals arrive, some
 * fork. At the end no reference is left, none was given back twice, and no dead object
 * was ever seen: the host (stress_host.c) poisons what it frees.
 *
 * Modes: allocations fail at random in all threads; grace periods are slow, for readers
 * stall; little memory and few slots.
 *
 * A second or so each; PINTLE_STRESS_SECONDS makes it as long as one likes and prints
 * what was done (`make stress`), PINTLE_SEED another.
 */
#include "run/stress_run.h"
#include "unit/fail_alloc.h"

#include <time.h>
#include <unistd.h>

enum { THREADS = 8, LIFE = 3000, PATIENCE_S = 60 };
#ifdef TEST_TSAN
#define SHORT_S 1.5
#else
#define SHORT_S 0.5
#endif
enum { SOME_BLOCKS = 64 }; /* what threads and the first host of a process keep */

u32 lot(struct worker *w, u32 n)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return (u32)(w->seed >> 20) % n;
}

void wrong(struct stress *s, const char *what)
{
	__atomic_store_n(&s->wrong, what, __ATOMIC_RELAXED);
}

static bool stopped(const struct stress *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_RELAXED);
}

struct live *some_live(struct worker *w, enum kind kind)
{
	return __atomic_load_n(&w->s->live[kind][lot(w, STRESS_OBJECTS)],
			       __ATOMIC_ACQUIRE);
}

static const char *const names[] = {"array", "hash", "loose", "lru", "pc_array", "pc_hash",
				    "pc_lru", "boxes", "shelf"};

static struct pintle_map *some_map(struct worker *w, const struct live *live)
{
	return pintle_map_find(live->object, names[lot(w, ARRAY_SIZE(names))]);
}

/* ------------------------------------------------------------------ runs */

static void run_hooks(struct worker *w, struct live *live)
{
	struct item *item;

	stress_hook_p((int)lot(w, 1000));
	item = __atomic_load_n(&w->s->items[lot(w, STRESS_ITEMS)], __ATOMIC_ACQUIRE);
	if (item)
		stress_hook_object(item);
	stress_did(H_RUN);
}

static void run_slow(struct worker *w, struct live *live)
{
	stress_hook_q((int)lot(w, 1000));
}

static void run_one(struct worker *w, struct live *live)
{
	static const char *const progs[] = {"mix_hash", "mix_lru", "across", "walk",
					    "contain_boxes", "within_outer_hash"};
	const struct pintle_prog *prog =
		pintle_prog_find(live->object, progs[lot(w, ARRAY_SIZE(progs))]);
	u64 args[1] = {lot(w, 1000)}, result;

	if (prog && !pintle_prog_run(prog, args, &result))
		stress_did(H_RUN_ONE);
}

/* ------------------------------------------------------------------ elements */

enum { BATCH = 8, ROOM = 32 << 10 };

static void *room(void)
{
	return calloc(1, ROOM); /* of values of all slots */
}

static void one_element(struct worker *w, struct live *live)
{
	static const u64 flags[] = {PINTLE_ANY, PINTLE_NOEXIST, PINTLE_EXIST, PINTLE_LOCK};
	struct pintle_map *map = some_map(w, live);
	u32 key = lot(w, STRESS_KEYS), next;
	void *value = room();

	if (!value)
		return;
	switch (lot(w, 6)) {
	case 0:
		if (!pintle_map_lookup(map, &key, value))
			stress_did(H_LOOKUP);
		break;
	case 1:
		if (!pintle_map_delete(map, &key))
			stress_did(H_DELETE);
		break;
	case 2:
		if (!pintle_map_lookup_and_delete(map, &key, value))
			stress_did(H_TAKE);
		break;
	case 3:
		for (u32 n = 0, *at = NULL; n < 40 && !pintle_map_next_key(map, at, &next);
		     n++, at = &key) {
			key = next;
			stress_did(H_WALK);
		}
		break;
	default:
		if (!pintle_map_update(map, &key, value, flags[lot(w, 4)]))
			stress_did(H_UPDATE);
	}
	free(value);
}

static void many_elements(struct worker *w, struct live *live)
{
	struct pintle_map *map = some_map(w, live);
	u32 keys[BATCH], to, n = BATCH, op = lot(w, 4);
	void *values = room();

	if (!values)
		return;
	for (u32 i = 0; i < BATCH; i++)
		keys[i] = lot(w, STRESS_KEYS);
	switch (op) {
	case 0: pintle_map_lookup_batch(map, NULL, &to, keys, values, &n, 0); break;
	case 1: pintle_map_lookup_and_delete_batch(map, NULL, &to, keys, values, &n, 0); break;
	case 2: pintle_map_update_batch(map, keys, values, &n, 0); break;
	default: pintle_map_delete_batch(map, keys, &n, 0); break;
	}
	if (n)
		stress_did(H_LOOKUP_BATCH + (int)op);
	free(values);
}

/* ------------------------------------------------------------------ maps, arrays of programs */

static struct pintle_map *some_outer(struct worker *w, const struct live *live)
{
	return pintle_map_find(live->object, lot(w, 2) ? "outer_array" : "outer_hash");
}

/* A new inner map into one object's outer map, and maybe another's; the handle goes. */
static void replace_inner(struct worker *w, struct live *live)
{
	struct live *other = some_live(w, MOVES);
	struct pintle_map *outer = some_outer(w, live), *inner;
	u32 key = lot(w, 4);

	if (!lot(w, 4)) {
		pintle_map_delete(outer, &key);
		return;
	}
	inner = pintle_map_create_inner(outer, "inner", 0);
	if (!inner)
		return;
	if (!pintle_map_set_map(outer, &key, inner, 0))
		stress_did(H_SET_INNER);
	if (other && !pintle_map_set_map(some_outer(w, other), &key, inner, 0))
		stress_did(H_SET_INNER);
	pintle_map_close(inner);
	stress_did(H_FREE_MAP);
}

/* Programs of one object in another's array. */
static void set_prog(struct worker *w, struct live *live)
{
	struct live *other = some_live(w, MOVES);
	struct pintle_map *jumps = pintle_map_find(live->object, "jumps");
	u32 key = lot(w, 4);

	if (other && lot(w, 4)) {
		if (!pintle_map_set_prog(jumps, key, pintle_prog_find(other->object, "landed")))
			stress_did(H_SET_PROG);
	} else if (!pintle_map_delete(jumps, &key)) {
		stress_did(H_UNSET_PROG);
	}
}

/* ------------------------------------------------------------------ who holds what */

static int look_ref(void *data, const struct pintle_ref *ref)
{
	return ref->map && ref->field && ref->object ? 0 : -EFAULT;
}

static int look_total(void *data, const struct pintle_type_total *total)
{
	return !total->type;
}

static void list_refs(struct worker *w, struct live *live)
{
	s64 n = pintle_refs_each(w->s->host, lot(w, 2) ? "item" : NULL, NULL, look_ref, NULL);

	if (n == -EFAULT)
		wrong(w->s, "a reference without map, field or object");
	if (n >= 0)
		stress_did(H_REFS);
	if (!pintle_refs_totals(w->s->host, look_total, NULL))
		stress_did(H_TOTALS);
}

/* ------------------------------------------------------------------ rings */

static void rings(struct worker *w, struct live *live)
{
	u64 *r;

	if (live->ring)
		pintle_ringbuf_consume(live->ring, 16);
	if (!live->user_ring)
		return;
	if (lot(w, 16)) {
		r = pintle_user_ringbuf_reserve(live->user_ring, 8);
	} else {
		r = pintle_user_ringbuf_reserve_blocking(live->user_ring, 8, 1);
		stress_did(H_RING_WAIT);
	}
	if (!r)
		return;
	*r = 1;
	if (lot(w, 8))
		pintle_user_ringbuf_submit(live->user_ring, r);
	else
		pintle_user_ringbuf_discard(live->user_ring, r);
	stress_did(H_USER_RING);
}

/* ------------------------------------------------------------------ outside of sections */

static void noted(void *obj)
{
	stress_did(H_DEFER);
}

static struct stress *the_stress; /* for deferred calls */

static void item_goes(void *item)
{
	pintle_storage_free(the_stress->host, item);
	stress_did(H_STORAGE_FREE);
	item_put(item);
}

static void replace_item(struct worker *w)
{
	struct item *fresh = item_new(3), *old;

	if (!fresh)
		return;
	old = __atomic_exchange_n(&w->s->items[lot(w, STRESS_ITEMS)], fresh,
				  __ATOMIC_ACQ_REL);
	if (old)
		pintle_defer(w->s->host, item_goes, old);
}

static void stall(struct worker *w, u32 us)
{
	struct timespec t = {.tv_nsec = lot(w, us + 1) * 1000};

	pintle_read_lock(w->s->host);
	nanosleep(&t, NULL);
	pintle_read_unlock(w->s->host);
	stress_did(H_SECTION);
}

/* ------------------------------------------------------------------ threads */

static const struct {
	void (*does)(struct worker *w, struct live *live);
	u32 weight;
} inside[] = {
	{run_hooks, 24}, {run_slow, 2}, {run_one, 8}, {one_element, 16}, {many_elements, 6},
	{replace_inner, 4}, {set_prog, 4}, {list_refs, 1}, {rings, 4},
};

static void calls_inside_section(struct worker *w)
{
	struct live *live;

	pintle_read_lock(w->s->host);
	live = some_live(w, CALLS);
	if (live) {
		if (lot(w, 4))
			calls_inside(w, live);
		else
			rings(w, live);
	}
	pintle_read_unlock(w->s->host);
}

static void one_inside(struct worker *w)
{
	u32 at = lot(w, 69), i = 0;
	struct live *live;

	if (!lot(w, 3)) {
		calls_inside_section(w);
		return;
	}
	while (at >= inside[i].weight)
		at -= inside[i++].weight;
	pintle_read_lock(w->s->host);
	live = some_live(w, MOVES);
	if (live)
		inside[i].does(w, live);
	pintle_read_unlock(w->s->host);
}

static void one_outside(struct worker *w)
{
	struct stress *s = w->s;

	switch (lot(w, 14)) {
	case 0: pintle_defer(s->host, noted, NULL); break;
	case 1: replace_item(w); break;
	case 2: stall(w, s->mode->stall_us ? s->mode->stall_us : 100); break;
	case 3:
	case 8:
	case 9:
		configure(w);
		break;
	case 4:
		pintle_thread_leave(s->host);
		stress_did(H_LEAVE);
		break;
	case 5:
		if (lot(w, 8))
			break;
		pintle_drain(s->host);
		stress_did(H_DRAIN);
		break;
	case 6: run_slow(w, NULL); break;
	case 7:
		run_hooks(w, NULL);
		break;
	default:
		calls_outside(w);
	}
}

/* One thread's life: it ends, and its slot goes to others. */
static void *live_and_end(void *data)
{
	struct worker *w = data;

	signals_here();
	for (u32 i = 0; i < LIFE && !stopped(w->s); i++) {
		if (lot(w, 16))
			one_inside(w);
		else
			one_outside(w);
	}
	stress_did(H_THREAD_END);
	return NULL;
}

static void *work(void *data)
{
	struct worker *w = data;
	pthread_t thread;

	while (!stopped(w->s)) {
		if (pthread_create(&thread, NULL, live_and_end, w))
			live_and_end(w);
		else
			pthread_join(thread, NULL);
	}
	return NULL;
}

/* ------------------------------------------------------------------ a test */

static const char *const op_names[] = {
#define NAME(op) #op,
	STRESS_OPS(NAME)
#undef NAME
};

/* What has not happened yet; a short run under the race detector is too slow for all. */
static const char *missing(void)
{
#ifdef TEST_TSAN
	if (!getenv("PINTLE_STRESS_SECONDS"))
		return NULL;
#endif
	for (u32 i = 0; i < STRESS_NOPS; i++)
		if ((i != H_FORK || forks_work()) &&
		    !__atomic_load_n(&stress_counts.ops[i], __ATOMIC_RELAXED))
			return op_names[i];
	return NULL;
}

static u32 option(const char *name, u32 otherwise)
{
	const char *s = getenv(name);

	return s && *s ? (u32)strtoul(s, NULL, 0) : otherwise;
}

static void print_counts(const struct stress *s, u32 seed, double seconds)
{
	printf("%s: seed %u, %.1f s, %llu objects of the host\n", s->mode->name, seed, seconds,
	       (unsigned long long)stress_counts.made);
	for (u32 i = 0; i < STRESS_NOPS; i++)
		printf("%20s %10llu%s", op_names[i], (unsigned long long)stress_counts.ops[i],
		       i % 3 == 2 || i == STRESS_NOPS - 1 ? "\n" : "");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct file file_read(const char *name)
{
	FILE *f = fopen(test_object(name), "r");
	struct file file = {malloc(1 << 20), 0};

	CHECK(f && file.data);
	file.size = fread(file.data, 1, 1 << 20, f);
	fclose(f);
	return file;
}

static void files_read(struct stress *s)
{
	s->files[MOVES] = file_read("run/stress.bpf.o");
	s->files[CALLS] = file_read("run/stress_calls.bpf.o");
	s->tables = file_read("run/stress_ops.bpf.o");
	snprintf(s->path, sizeof(s->path), "/tmp/pintle-stress-%d", (int)getpid());
}

static void files_free(struct stress *s)
{
	for (u32 i = 0; i < NKINDS; i++)
		free(s->files[i].data);
	free(s->tables.data);
}

/* Timers are due, and clients ask, until the host goes. */
static void tear_down(struct stress *s, struct worker *w)
{
	config_end_all(w);
	for (u32 i = 0; i < STRESS_ITEMS; i++)
		if (s->items[i])
			pintle_defer(s->host, item_goes, s->items[i]);
	pintle_drain(s->host);
}

static int no_total(void *data, const struct pintle_type_total *total)
{
	return total->objects ? -EBUSY : 0;
}

static void run(const struct mode *mode, struct stress *s)
{
	u32 seconds = option("PINTLE_STRESS_SECONDS", 0), seed = option("PINTLE_SEED", 1);
	double start = now(), until = start + (seconds ? seconds : SHORT_S);
	struct worker w[THREADS];

	s->host = stress_host_new(&mode->opts);
	CHECK(s->host);
	CHECK_EQ(pintle_inspect_open(s->host, s->path,
				     PINTLE_OPTS(pintle_inspect_opts, .writable = true)),
		 0);
	the_stress = s;
	signals_begin();
	fail_alloc_random(mode->fail, seed);
	for (u32 i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.s = s,
				       .seed = (seed + i) * 0x9e3779b97f4a7c15ull | 1,
				       .client = -1};
		while (pthread_create(&w[i].thread, NULL, work, &w[i]))
			;
	}
	while ((now() < until || (missing() && now() < start + seconds + PATIENCE_S)) &&
	       !__atomic_load_n(&s->wrong, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&stress_counts.dead, __ATOMIC_RELAXED)) {
		usleep(1000);
		signals_send();
	}
	__atomic_store_n(&s->stop, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	fail_alloc_random(0, 0);
	signals_end();
	if (seconds)
		print_counts(s, seed, now() - start);
	tear_down(s, &w[0]);
	CHECK_EQ(pintle_refs_totals(s->host, no_total, NULL), 0);
	pintle_host_free(s->host);
	for (u32 i = 0; i < THREADS; i++)
		client_end(&w[i]);
}

static void stress(const struct mode *mode)
{
	struct stress s = {.mode = mode, .operator_ = PTHREAD_MUTEX_INITIALIZER};
	s64 blocks;

	stress_host_reset();
	blocks = fail_alloc_blocks();
	files_read(&s);
	run(mode, &s);
	files_free(&s);
	stress_host_flush();
	blocks = fail_alloc_blocks() - blocks;
	if (s.wrong)
		test_fail(__FILE__, __LINE__, "%s", s.wrong);
	if (stress_counts.dead)
		test_fail(__FILE__, __LINE__, "%llu reads of dead objects, the last by %d",
			  (unsigned long long)stress_counts.dead, stress_counts.last_bad - 1);
	CHECK_EQ(stress_counts.twice, 0);
	CHECK_EQ(stress_counts.live, 0);
	CHECK(blocks < SOME_BLOCKS);
	if (missing())
		test_fail(__FILE__, __LINE__, "%s never happened", missing());
	stress_host_reset();
}

#define OPTS(...) {.size = sizeof(struct pintle_host_opts), __VA_ARGS__}

TEST(race_stress)
{
	static const struct mode mode = {"plain", OPTS(.max_slots = 16)};

	stress(&mode);
}

TEST(race_stress_with_failing_allocations)
{
	static const struct mode mode = {"allocations fail", OPTS(.max_slots = 16),
					 .fail = 400};

	stress(&mode);
}

TEST(race_stress_with_slow_grace_periods)
{
	static const struct mode mode = {"slow grace periods",
					 OPTS(.max_slots = 16, .reclaim_thread = true,
					      .timer_thread = true, .work_thread = true),
					 .stall_us = 20000};

	stress(&mode);
}

TEST(race_stress_with_little_memory)
{
	static const struct mode mode = {
		"little memory", OPTS(.max_slots = 6, .max_deferred = 64,
				      .max_object_bytes = 512 << 10, .ref_stamps = 64),
		.fail = 1000, .stall_us = 1000};

	stress(&mode);
}
