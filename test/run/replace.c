/* SPDX-License-Identifier: MIT
 *
 * replace.c: one object takes the place of another while calls run: what is kept, what is
 * refused and leaves everything as it was, and that no call sees half of each.
 *
 * Generations are the same object with another number in its read-only data.
 */
#include "pintle/pintle.h"
#include "run/run.h"
#include "test.h"
#include "unit/fail_alloc.h"

#include "replace.h"

#include <pthread.h>
#include <unistd.h>

PINTLE_HOOK(int, rep_a, int, n)
PINTLE_HOOK(int, rep_b, int, n)
PINTLE_HOOK(int, rep_c, int, n)
PINTLE_HOOK(int, rep_s, int, n)

static struct {
	struct pintle_host *host;
	struct pintle_object *obj, *other;
	u64 generation;
	atomic(s64) boxes;
	atomic(bool) stop;
	atomic(u64) calls, notes, halves, backs;
	char changes[1024];
} r;

/* What this thread's call of a hook saw. */
static _Thread_local struct {
	u64 first, last;
	u32 notes, halves;
} call;

__attribute__((noinline, used)) void rep_note(unsigned long long generation);
__attribute__((noinline, used)) void rep_inside(int n);
__attribute__((noinline, used)) struct rep_box *rep_box_get(void);
__attribute__((noinline, used)) void rep_box_put(struct rep_box *box);

void rep_note(unsigned long long generation)
{
	if (!call.notes++)
		call.first = generation;
	call.halves += generation != call.first;
}

void rep_inside(int n)
{
	if (n % 4 == 0)
		usleep(1);
	rep_b(n);
	rep_c(n);
}

struct rep_box *rep_box_get(void)
{
	struct rep_box *box = calloc(1, sizeof(*box));

	if (!box)
		abort();
	atomic_fetch_add(&r.boxes, 1);
	return box;
}

void rep_box_put(struct rep_box *box)
{
	atomic_fetch_sub(&r.boxes, 1);
	free(box);
}

static void box_dtor(void *box)
{
	rep_box_put(box);
}

/* ------------------------------------------------------------------ objects */

static void *file(const char *name, size_t *size)
{
	FILE *f = fopen(test_object(name), "rb");
	char *data = malloc(1 << 20);

	CHECK(f && data);
	*size = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

static struct pintle_object *open_generation(const char *name, u64 generation)
{
	const u64 magic = REP_GENERATION;
	struct pintle_object *obj;
	size_t size;
	char *data = file(name, &size), *at = memmem(data, size, &magic, sizeof(magic));

	while (at) { /* also where instructions might have it */
		memcpy(at, &generation, sizeof(generation));
		at = memmem(data, size, &magic, sizeof(magic));
	}
	obj = pintle_open_mem(r.host, data, size, PINTLE_OPTS(pintle_open_opts, .name = name));
	if (!obj)
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(r.host));
	free(data);
	return obj;
}

static void changed(void *data, const struct pintle_change *change)
{
	size_t len = strlen(r.changes);

	snprintf(r.changes + len, sizeof(r.changes) - len, "%s %s %s\n", change->kind,
		 change->name, change->what);
}

static int replace_by(const char *name, bool keep_data)
{
	struct pintle_object *next = open_generation(name, r.generation + 1);
	int err;

	*r.changes = 0;
	err = pintle_object_replace(r.obj, next, PINTLE_OPTS(pintle_replace_opts,
							     .keep_data = keep_data,
							     .changed = changed));
	if (err) {
		pintle_close(next);
		return err;
	}
	r.obj = next;
	r.generation++;
	return 0;
}

static void begin(enum pintle_jit jit)
{
	memset(&r, 0, sizeof(r));
	r.generation = 1;
	r.host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .jit = jit));
	CHECK_EQ(pintle_host_add_self(r.host), 0);
	CHECK_EQ(pintle_export(r.host, rep_note, 0), 0);
	CHECK_EQ(pintle_export(r.host, rep_inside, 0), 0);
	CHECK_EQ(pintle_export(r.host, rep_box_get, PINTLE_ACQUIRE), 0);
	CHECK_EQ(pintle_export(r.host, rep_box_put, PINTLE_RELEASE), 0);
	CHECK_EQ(pintle_storable(r.host, "rep_box", .dtor = box_dtor,
				 .rcu = PINTLE_DEFERRED_PUT), 0);
	CHECK_EQ(pintle_hook_add(r.host, rep_a), 0);
	CHECK_EQ(pintle_hook_add(r.host, rep_b), 0);
	CHECK_EQ(pintle_hook_add(r.host, rep_c), 0);
	CHECK_EQ(pintle_hook_add(r.host, rep_s, .sleepable = true), 0);
	r.obj = open_generation("run/replace.bpf.o", 1);
	if (pintle_load(r.obj))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(r.host));
	CHECK_EQ(pintle_map_set_prog(pintle_map_find(r.obj, "jumps"), 1,
				     pintle_prog_find(r.obj, "tail")), 0);
}

static void attach_all(void)
{
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(r.obj, "first")), 0);
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(r.obj, "sleeper")), 0);
	CHECK(pintle_link_attach(pintle_prog_find(r.obj, "second"),
				 PINTLE_OPTS(pintle_link_opts, .cookie = 55)));
	r.other = pintle_open(r.host, test_object("run/replace_other.bpf.o"), NULL);
	CHECK(r.other && !pintle_load(r.other) && !pintle_attach(r.other));
	CHECK_EQ(pintle_map_set_prog(pintle_map_find(r.other, "far"), 0,
				     pintle_prog_find(r.obj, "third")), 0);
}

static u64 sum_of(const char *map)
{
	u64 value[2] = {0};
	u32 zero = 0;

	CHECK_EQ(pintle_map_lookup(pintle_map_find(r.obj, map), &zero, value), 0);
	return value[0];
}

static void end(void)
{
	pintle_close(r.other);
	pintle_close(r.obj);
	pintle_host_free(r.host);
	CHECK_EQ(r.boxes, 0);
}

/* ------------------------------------------------------------------ one after the other */

static void expect_call(int (*hook)(int n), int want, u32 notes)
{
	memset(&call, 0, sizeof(call));
	CHECK_EQ(hook(1), want);
	CHECK(call.notes == notes && !call.halves && call.first == r.generation);
}

static int call_a(int n)
{
	return rep_a(n);
}

static int call_b(int n)
{
	return rep_b(n);
}

static int call_c(int n)
{
	return rep_c(n);
}

static int call_s(int n)
{
	return rep_s(n);
}

static void expect_all(void)
{
	expect_call(call_a, 1, 4); /* itself, two hooks inside, the tail call */
	expect_call(call_b, 55, 1);
	expect_call(call_c, 1, 1);
	expect_call(call_s, 1, 4);
}

static void keeps(enum pintle_jit jit)
{
	begin(jit);
	attach_all();
	expect_all();
	for (int i = 2; i < 5; i++) {
		if (replace_by("run/replace.bpf.o", true))
			test_fail(__FILE__, __LINE__, "%s", pintle_host_error(r.host));
		CHECK_EQ(r.generation, i);
		expect_all();
		CHECK_EQ(sum_of("sums"), i);
		CHECK_EQ(pintle_map_count(pintle_map_find(r.obj, "boxes")), 1);
	}
	CHECK_HAS(r.changes, "map sums kept\n");
	CHECK_HAS(r.changes, "map queues kept\n");
	CHECK_HAS(r.changes, "map .rodata fresh\n");
	CHECK_HAS(r.changes, "map .data kept\n");
	CHECK_HAS(r.changes, "map jumps fresh\n");
	CHECK_HAS(r.changes, "program first replaced\n");
	CHECK_EQ(sum_of(".data"), 1 + 4 * 3);
	CHECK_EQ(replace_by("run/replace.bpf.o", false), 0);
	CHECK_HAS(r.changes, "map .data fresh\n");
	CHECK_EQ(sum_of(".data"), 1);
	CHECK_EQ(replace_by("run/replace7.bpf.o", true), 0); /* has another variable */
	CHECK_HAS(r.changes, "map .data fresh\n");
	expect_all();
	end();
}

TEST(replace_keeps_maps_and_attachments)
{
	keeps(PINTLE_JIT_AUTO);
	keeps(PINTLE_JIT_OFF);
}

static void expect_refusal(const char *name, const char *words)
{
	CHECK_EQ(replace_by(name, true), -EINVAL);
	CHECK_HAS(pintle_host_error(r.host), words);
	expect_all();
}

TEST(replace_names_what_changed)
{
	begin(PINTLE_JIT_AUTO);
	attach_all();
	expect_refusal("run/replace1.bpf.o", "map 'sums' cannot be kept: member 'more' of its "
					     "value changed");
	expect_refusal("run/replace2.bpf.o", "map 'sums' cannot be kept: max_entries was 1, is 2");
	expect_refusal("run/replace3.bpf.o", "map 'boxes' cannot be kept: field 'held.box' was "
					     "kptr, is kptr_untrusted");
	expect_refusal("run/replace4.bpf.o", "map 'queues' cannot be kept: member 'value' of its "
					     "node changed");
	CHECK_EQ(pintle_object_replace(r.obj, r.obj, NULL), -EINVAL);
	end();
}

/* An arena keeps its bytes: what was a variable there must be the same variable. */
TEST(replace_keeps_an_arena_only_with_its_variables)
{
	begin(PINTLE_JIT_AUTO);
	attach_all();
	CHECK_EQ(replace_by("run/replace8.bpf.o", true), 0);
	CHECK_HAS(r.changes, "map space new\n");
	CHECK_EQ(replace_by("run/replace8.bpf.o", true), 0);
	CHECK_HAS(r.changes, "map space kept\n");
	expect_refusal("run/replace9.bpf.o", "map 'space' cannot be kept: variable 'calls' "
					     "changed");
	end();
}

TEST(replace_with_other_programs_and_maps)
{
	struct pintle_link *link;

	begin(PINTLE_JIT_AUTO);
	attach_all();
	link = pintle_link_attach(pintle_prog_find(r.obj, "tail"), NULL);
	CHECK(link);
	CHECK_EQ(replace_by("run/replace5.bpf.o", true), 0);
	CHECK_HAS(r.changes, "map sums gone\n");
	CHECK_HAS(r.changes, "map extra new\n");
	CHECK_HAS(r.changes, "program tail gone\n");
	CHECK_HAS(r.changes, "program more attached\n");
	CHECK(!pintle_link_prog(link));
	pintle_link_detach(link);
	expect_call(call_b, 77, 1); /* after `second` */
	expect_call(call_a, -1, 3); /* nothing to jump to */
	CHECK_EQ(sum_of("extra"), 1);
	end();
}

TEST(replace_leaves_the_old_where_asked)
{
	struct pintle_object *old, *next;
	u64 args[] = {1}, result = 0;

	begin(PINTLE_JIT_AUTO);
	attach_all();
	old = r.obj;
	next = open_generation("run/replace.bpf.o", 2);
	CHECK_EQ(pintle_object_replace(old, next, PINTLE_OPTS(pintle_replace_opts,
							      .leave_old = true)), 0);
	r.obj = next;
	r.generation = 2;
	expect_all();
	CHECK_EQ(pintle_prog_run(pintle_prog_find(old, "tail"), args, &result), 0);
	CHECK_EQ(result, 1);
	pintle_close(old);
	expect_all();
	end();
}

/* ------------------------------------------------------------------ failing */

/* Every allocation fails once: nothing has changed then. */
TEST(replace_without_memory)
{
	struct pintle_object *next;
	s64 live = 0;
	bool failed = true;
	u32 n = 0;

	if (!fail_alloc_works())
		SKIP("allocations cannot be made to fail");
	begin(PINTLE_JIT_AUTO);
	attach_all();
	while (failed && n < 20000) {
		int err;

		expect_call(call_b, 55, 1);
		next = open_generation("run/replace.bpf.o", r.generation + 1);
		fail_alloc_only(++n);
		err = pintle_object_replace(r.obj, next, NULL);
		failed = fail_alloc_off();
		if (err && err != -ENOMEM)
			test_fail(__FILE__, __LINE__, "allocation %u: error %d: %s", n, err,
				  pintle_host_error(r.host));
		r.obj = err ? r.obj : next;
		r.generation += !err;
		if (err)
			pintle_close(next);
		if (n == 40) {
			pintle_drain(r.host);
			live = fail_alloc_blocks();
		}
	}
	pintle_drain(r.host);
	CHECK(n > 100);
	if (fail_alloc_blocks() > live + 8)
		test_fail(__FILE__, __LINE__, "%lld blocks, %lld before",
			  (long long)fail_alloc_blocks(), (long long)live);
	expect_all();
	end();
}

static struct pintle_object *inside_next;

static int replace_inside(void)
{
	return pintle_object_replace(r.obj, inside_next, NULL);
}

TEST(replace_not_inside)
{
	begin(PINTLE_JIT_AUTO);
	attach_all();
	CHECK_EQ(replace_by("run/replace6.bpf.o", true), -EACCES);
	expect_all();
	inside_next = open_generation("run/replace.bpf.o", 2);
	pintle_read_lock(r.host);
	CHECK_EQ(replace_inside(), -EBUSY);
	pintle_read_unlock(r.host);
	pintle_close(inside_next);
	expect_all();
	end();
}

/* ------------------------------------------------------------------ under load */

static void *call_on(void *arg)
{
	u64 last = 0, calls = 0, notes = 0, halves = 0, backs = 0;

	/* So often at least, however late it is: boxes are there then. */
	for (int n = 0; n < 64 || !atomic_load(&r.stop); n++) {
		u32 kind = (u32)n % 8;

		memset(&call, 0, sizeof(call));
		if (kind < 4)
			rep_a(n);
		else if (kind < 6)
			rep_s(n);
		else if (kind == 6)
			rep_b(n);
		else
			rep_c(n);
		calls += kind < 4;
		notes += call.notes == (kind < 6 ? 4 : 1);
		halves += call.halves || call.notes != (kind < 6 ? 4 : 1);
		backs += call.first < last;
		last = call.first;
	}
	atomic_fetch_add(&r.calls, calls);
	atomic_fetch_add(&r.notes, notes);
	atomic_fetch_add(&r.halves, halves);
	atomic_fetch_add(&r.backs, backs);
	return NULL;
}

static u64 types_total;

static int add_total(void *data, const struct pintle_type_total *total)
{
	types_total += total->objects;
	return 0;
}

/* PINTLE_ROUNDS=1000 is the acceptance (make check-replace). */
static void under_load(enum pintle_jit jit, u32 rounds)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];
	s64 live = 0;

	begin(jit);
	attach_all();
	for (u32 i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, call_on, NULL));
	for (u32 i = 0; i < rounds; i++) {
		if (replace_by("run/replace.bpf.o", i % 2))
			test_fail(__FILE__, __LINE__, "%s", pintle_host_error(r.host));
		if (i == 9)
			live = fail_alloc_blocks();
	}
	atomic_store(&r.stop, true);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(r.halves, 0);
	CHECK_EQ(r.backs, 0);
	CHECK(r.notes > 0);
	CHECK_EQ(sum_of("sums"), r.calls);
	expect_all();
	pintle_drain(r.host);
	/* 4 boxes, 9 nodes and what else there was then; a leak would be one a round. */
	if (live && rounds > 50)
		CHECK(fail_alloc_blocks() < live + rounds / 2);
	CHECK_EQ(pintle_map_count(pintle_map_find(r.obj, "boxes")), 4);
	CHECK_EQ(r.boxes, 4);
	pintle_close(r.obj);
	r.obj = NULL;
	pintle_drain(r.host);
	types_total = 0;
	CHECK_EQ(pintle_refs_totals(r.host, add_total, NULL), 0);
	CHECK_EQ(types_total, 0);
	end();
}

TEST(race_replace_under_load)
{
	const char *rounds = getenv("PINTLE_ROUNDS");

	under_load(PINTLE_JIT_AUTO, rounds ? (u32)atoi(rounds) : 40);
	under_load(PINTLE_JIT_OFF, rounds ? (u32)atoi(rounds) / 4 : 10);
}

/* ------------------------------------------------------------------ closing */

static void *close_it(void *arg)
{
	pintle_close(arg);
	atomic_store(&r.stop, true);
	return NULL;
}

/* Closed by a thread while another is inside a run: it waits for that. */
static void *one_long_call(void *arg)
{
	u64 args[] = {0};

	while (!atomic_load(&r.stop)) {
		memset(&call, 0, sizeof(call));
		rep_a(0);
	}
	pintle_thread_leave(r.host);
	(void)args;
	return NULL;
}

TEST(race_close_waits_for_runs)
{
	pthread_t caller, closer;

	for (int i = 0; i < 10; i++) {
		begin(PINTLE_JIT_AUTO);
		attach_all();
		CHECK(!pthread_create(&caller, NULL, one_long_call, NULL));
		usleep(500);
		CHECK(!pthread_create(&closer, NULL, close_it, r.obj));
		pthread_join(closer, NULL);
		pthread_join(caller, NULL);
		r.obj = NULL;
		CHECK_EQ(rep_b(1), 0);
		pintle_drain(r.host);
		CHECK_EQ(r.boxes, 0);
		end();
	}
}
