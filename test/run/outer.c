/* SPDX-License-Identifier: MIT
 *
 * outer.c: maps of maps (A31-A33, M25) and program arrays, by programs of outer.bpf.c and
 * the public API.
 */
#include "setup.h"
#include "run/object.h"

#include <pthread.h>

PINTLE_HOOK(int, outer_hook, int, n)
PINTLE_HOOK(int, other_hook, long, n)

static void drop(void *box)
{
	free(box);
}

/* Makes the type known to BTF. */
__attribute__((noinline, used)) long box_value(struct box *box);
long box_value(struct box *box)
{
	return box->value;
}

#define OUTER "run/outer.bpf.o"

static int add(struct pintle_host *host)
{
	TRY(pintle_export(host, box_value, 0));
	TRY(pintle_storable(host, "box", .dtor = drop));
	TRY(pintle_hook_add(host, outer_hook));
	return pintle_hook_add(host, other_hook);
}

static struct setup begin(void)
{
	return setup_begin(PINTLE_OPTS(pintle_host_opts, .max_slots = 4), add, OUTER);
}

TEST(outer_maps_of_maps)
{
	static const char *const kinds[] = {"array", "hash"};
	struct setup s = begin();

	for (int i = 0; i < 2; i++) {
		const char *count = i ? "count_hash" : "count_array";
		struct pintle_map *outer = setup_map(s, kinds[i]), *own;
		uint32_t key = 0, id;

		if (i) {
			CHECK_EQ(setup_run(s, count, 0), -1);
			CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "one"), 2),
				 -ENOENT);
			CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "one"), 1),
				 0);
			CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "one"), 1),
				 -EEXIST);
		}
		CHECK_EQ(setup_run(s, count, 0), i * 3);
		CHECK_EQ(setup_run(s, count, 0), i * 3 + 1);
		CHECK_EQ(setup_run(s, "count_array", 2), i);
		CHECK_EQ(setup_run(s, count, 1), -1);
		CHECK_EQ(pintle_map_count(outer), i ? 1 : 2);
		CHECK_EQ(pintle_map_lookup(outer, &key, &id), 0);
		CHECK_EQ(id, pintle_map_id(setup_map(s, "one")));
		own = pintle_map_create_inner(outer, "own", i ? 0 : 9);
		CHECK(own);
		CHECK_EQ(pintle_map_set_map(outer, &key, own, 0), 0);
		pintle_map_close(own); /* the outer map holds it */
		CHECK_EQ(setup_run(s, count, 0), 0);
		CHECK_EQ(setup_run(s, count, 0), 1);
		CHECK_EQ(pintle_map_delete(outer, &key), 0);
		CHECK_EQ(pintle_map_delete(outer, &key), -ENOENT);
		CHECK_EQ(setup_run(s, count, 0), -1);
		CHECK_EQ(pintle_map_lookup(outer, &key, &id), -ENOENT);
		CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "one"), 0), 0);
		CHECK_EQ(setup_run(s, count, 0), i * 3 + 2);
	}
	setup_end(s);
}

/* A31-A33, D51, D53: what does not fit. */
TEST(outer_inner_maps_that_do_not_fit)
{
	struct setup s = begin(), t = {s.host, setup_load(s.host, OUTER)};
	struct pintle_map *outer = setup_map(s, "array"), *plain;
	uint32_t key = 1, far = 9;

	CHECK(t.object);
	CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "plain"), 0), -EINVAL);
	CHECK_HAS(pintle_host_error(s.host), "D_INNER");
	CHECK_EQ(pintle_map_set_map(outer, &key, outer, 0), -EINVAL);
	CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(t, "one"), 0), 0); /* D51 */
	plain = pintle_map_create(s.host, "p",
				  PINTLE_OPTS(pintle_map_opts, .type = 1, .key_size = 4,
					      .value_size = 16, .max_entries = 8));
	CHECK(plain);
	CHECK_EQ(pintle_map_set_map(outer, &key, plain, 0), -EINVAL);
	pintle_map_close(plain);
	CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "one"), 1), -EINVAL);
	CHECK_EQ(pintle_map_set_map(outer, &far, setup_map(s, "one"), 0), -E2BIG);
	CHECK_EQ(pintle_map_set_map(outer, NULL, setup_map(s, "one"), 0), -EINVAL);
	CHECK_EQ(pintle_map_set_map(setup_map(s, "one"), &key, outer, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_update(outer, &key, &far, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_set_prog(outer, 1, pintle_prog_find(s.object, "jump")),
		 -EOPNOTSUPP);
	CHECK(!pintle_map_create_inner(setup_map(s, "one"), "x", 0));
	CHECK(!pintle_map_create(s.host, "o",
				 PINTLE_OPTS(pintle_map_opts, .type = 12, .key_size = 4,
					     .value_size = 4, .max_entries = 8)));
	CHECK_HAS(pintle_host_error(s.host), "inner maps");
	CHECK_EQ(setup_run(s, "count_array", 1), 0);
	pintle_close(t.object); /* its map stays, in ours */
	CHECK_EQ(setup_run(s, "count_array", 1), 1);
	setup_end(s);
}

TEST(outer_tail_calls)
{
	struct setup s = begin(), t = {s.host, setup_load(s.host, OUTER)};
	struct pintle_map *jumps = setup_map(s, "jumps");
	int *calls = pintle_map_data(setup_map(s, ".bss"), NULL);
	uint32_t key = 3;

	CHECK(t.object && calls);
	CHECK_EQ(pintle_map_count(jumps), 2);
	CHECK_EQ(setup_run(s, "jump", 0), 1);
	CHECK_EQ(setup_run(s, "jump", 4), 1);
	CHECK_EQ(setup_run(s, "jump", 1), 20);
	CHECK_EQ(*calls, 2);
	CHECK_EQ(pintle_map_delete(jumps, &key), 0);
	CHECK_EQ(pintle_map_delete(jumps, &key), -ENOENT);
	CHECK_EQ(setup_run(s, "jump", 1), 10);
	CHECK_EQ(pintle_map_set_prog(jumps, 3, pintle_prog_find(t.object, "second")), 0);
	CHECK_EQ(setup_run(s, "jump", 1), 20);
	pintle_close(t.object); /* its program leaves our array */
	CHECK_EQ(setup_run(s, "jump", 1), 10);
	CHECK_EQ(pintle_map_set_prog(jumps, 0, pintle_prog_find(s.object, "other")),
		 -EINVAL);
	CHECK_HAS(pintle_host_error(s.host), "another type");
	CHECK_EQ(pintle_map_set_prog(jumps, 4, pintle_prog_find(s.object, "second")),
		 -E2BIG);
	CHECK_EQ(pintle_map_set_prog(jumps, 0, NULL), -EINVAL);
	CHECK_EQ(pintle_map_lookup(jumps, &key, &key), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_set_prog(jumps, 0, pintle_prog_find(s.object, "spin")), 0);
	*calls = 0;
	CHECK_EQ(setup_run(s, "spin", 0), 34); /* 33 jumps */
	setup_end(s);
}

/* Against an array: of which of three programs each entry has. */
TEST(prog_array_random_operations)
{
	static const char *const names[] = {"first", "second", "spin"};
	struct setup s = begin();
	struct pintle_map *jumps = setup_map(s, "jumps");
	int model[4] = {-1, 0, -1, 1};
	uint32_t seed = 9;

	for (int i = 0; i < 4000; i++) {
		uint32_t key = (seed = seed * 1103515245 + 12345) >> 16 & 7, n = 0;
		int which = (int)(seed >> 20 & 3);

		if (which == 3) {
			CHECK_EQ(pintle_map_delete(jumps, &key),
				 key > 3 ? -E2BIG : model[key] < 0 ? -ENOENT : 0);
			if (key < 4)
				model[key] = -1;
		} else {
			CHECK_EQ(pintle_map_set_prog(jumps, key,
						     pintle_prog_find(s.object, names[which])),
				 key > 3 ? -E2BIG : 0);
			if (key < 4)
				model[key] = which;
		}
		for (int k = 0; k < 4; k++)
			n += model[k] >= 0;
		CHECK_EQ(pintle_map_count(jumps), n);
		if (model[3] == 1) /* from anywhere, "second" is where it ends */
			CHECK_EQ(setup_run(s, "jump", 3), 20);
		if (key < 4 && model[key] < 0)
			CHECK_EQ(setup_run(s, "jump", (int)key), 1);
	}
	setup_end(s);
}

TEST(prog_array_bad_arguments)
{
	struct setup s = begin();
	struct pintle_map *jumps = setup_map(s, "jumps");
	struct pintle_prog *second = pintle_prog_find(s.object, "second");
	uint32_t key = 1, far = 4, value = 0;

	CHECK_EQ(pintle_map_set_prog(NULL, 0, second), -EINVAL);
	CHECK_EQ(pintle_map_set_prog(jumps, 0, NULL), -EINVAL);
	CHECK_EQ(pintle_map_set_prog(jumps, far, second), -E2BIG);
	CHECK_EQ(pintle_map_set_prog(jumps, UINT32_MAX, second), -E2BIG);
	CHECK_EQ(pintle_map_set_prog(setup_map(s, "one"), 0, second), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_set_map(jumps, &key, setup_map(s, "one"), 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup(jumps, &key, &value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_update(jumps, &key, &value, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup_and_delete(jumps, &key, &value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_delete(jumps, NULL), -EINVAL);
	CHECK_EQ(pintle_map_delete(jumps, &far), -E2BIG);
	CHECK_EQ(pintle_map_next_key(jumps, &key, NULL), -EINVAL);
	CHECK_EQ(pintle_map_next_key(jumps, &(uint32_t){3}, &value), -ENOENT);
	CHECK_EQ(pintle_map_count(jumps), 2);
	setup_end(s);
}

/* ------------------------------------------------------------------ threads */

struct runner {
	pthread_t thread;
	struct setup s;
	int stop, wrong, n;
};

static void *count_on(void *data)
{
	struct runner *r = data;
	struct pintle_prog *prog = pintle_prog_find(r->s.object, "count_hash");

	do {
		uint64_t args[] = {0}, result;

		if (pintle_prog_run(prog, args, &result) || (int)result < 0)
			r->wrong++; /* the key is always there */
		r->n++;
	} while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED));
	pintle_thread_leave(r->s.host);
	return NULL;
}

/* M25: inner maps replaced while programs use them: one or the other is found, and what
 * was found is valid. */
TEST(race_outer_replace)
{
	struct setup s = begin();
	struct runner r[2] = {{.s = s}, {.s = s}};
	struct pintle_map *outer = setup_map(s, "hash"), *own;
	uint32_t key = 0, five = 5;
	struct { void *box; uint64_t n; } zero = {0};

	CHECK_EQ(pintle_map_set_map(outer, &key, setup_map(s, "one"), 0), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&r[i].thread, NULL, count_on, &r[i]), 0);
	for (int i = 0; i < 500; i++) {
		own = pintle_map_create_inner(outer, "own", 0);
		CHECK(own);
		CHECK_EQ(pintle_map_update(own, &five, &zero, 0), 0);
		CHECK_EQ(pintle_map_set_map(outer, &key, own, i & 2), 0);
		pintle_map_close(own);
	}
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&r[i].stop, 1, __ATOMIC_RELAXED);
		pthread_join(r[i].thread, NULL);
		CHECK_EQ(r[i].wrong, 0);
	}
	setup_end(s);
}

static void *jump_on(void *data)
{
	struct runner *r = data;
	struct pintle_prog *prog = pintle_prog_find(r->s.object, "jump");

	do {
		uint64_t args[] = {3}, result;

		/* There is nothing, or one of the two. */
		if (pintle_prog_run(prog, args, &result) || (result != 1 && result != 20))
			r->wrong++;
		r->n++;
	} while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED));
	pintle_thread_leave(r->s.host);
	return NULL;
}

/* Entries change, and objects whose programs are there go, while programs jump. */
TEST(race_prog_array)
{
	struct setup s = begin();
	struct runner r[2] = {{.s = s}, {.s = s}};
	struct pintle_map *jumps = setup_map(s, "jumps");
	uint32_t key = 3;

	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&r[i].thread, NULL, jump_on, &r[i]), 0);
	for (int i = 0; i < 60; i++) {
		struct pintle_object *other = setup_load(s.host, OUTER);

		CHECK(other);
		CHECK_EQ(pintle_map_set_prog(jumps, key, pintle_prog_find(other, "second")), 0);
		for (int n = 0; n < 20; n++) {
			int err = pintle_map_delete(jumps, &key);

			CHECK(!err || err == -ENOENT);
			CHECK_EQ(pintle_map_set_prog(
					 jumps, key,
					 pintle_prog_find(n & 1 ? other : s.object, "second")), 0);
		}
		pintle_close(other);
	}
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&r[i].stop, 1, __ATOMIC_RELAXED);
		pthread_join(r[i].thread, NULL);
		CHECK_EQ(r[i].wrong, 0);
		CHECK(r[i].n > 0);
	}
	setup_end(s);
}
