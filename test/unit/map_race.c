/* SPDX-License-Identifier: MIT
 *
 * map_race.c: threads that try to lose or double a reference, or to see half of an
 * element. Each test is bounded by counts, to about a second.
 */
#include "map_fixture.h"

#include <pthread.h>
#include <sched.h>

enum { THREADS = 4, KEYS = 4 };

struct worker {
	pthread_t thread;
	struct pintle_host *host;
	struct map *map;
	u32 id, rounds, keys;
	const char *wrong; /* checks do not work off the test's thread */
};

static bool is_lru(const struct map *map)
{
	return map->type == MAP_LRU_HASH || map->type == MAP_LRU_PERCPU_HASH;
}

static void race(struct pintle_host *host, struct map *map, u32 rounds,
		 void *(*fn)(void *worker))
{
	struct worker w[THREADS];

	for (u32 i = 0; i < THREADS; i++) {
		w[i] = (struct worker){
			.host = host, .map = map, .id = i, .rounds = rounds,
			.keys = map && is_lru(map) ? 2 * KEYS : KEYS};
		CHECK_EQ(pthread_create(&w[i].thread, NULL, fn, &w[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (u32 i = 0; i < THREADS; i++)
		if (w[i].wrong)
			test_fail(__FILE__, __LINE__, "worker %u: %s", i, w[i].wrong);
}

static struct slot_ctx *enter(struct worker *w)
{
	struct slot_ctx *slot = slot_get(w->host);

	run_read_lock(w->host);
	slot_swap(slot);
	return slot;
}

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

/* ------------------------------------------------------------------ references */

static void exchange_all(struct value *v, struct worker *w)
{
	struct thing *old = field_xchg(&v->one, w->rounds % 3 ? thing_new() : NULL);

	if (old)
		defer_call(w->host, thing_put, old);
	old = field_xchg(&v->two, thing_new());
	if (old)
		defer_call(w->host, thing_put, old);
}

/* What a reader in a section loads is alive until it ends (M21). */
static void peek(const struct value *v, struct worker *w)
{
	struct thing *t = __atomic_load_n(&v->one, __ATOMIC_ACQUIRE);

	if (t && t->magic != 0x7819)
		w->wrong = "read a thing that was freed";
}

static void *exchange_and_change(void *data)
{
	struct worker *w = data;
	struct value zero = {0};
	u32 seed = w->id;

	for (; w->rounds--;) {
		struct slot_ctx *slot = enter(w);
		u32 key = random_of(&seed) % w->keys;
		struct value *v = w->map->ops->lookup(w->map, &key);

		if (v)
			peek(v, w);
		switch (random_of(&seed) % 8) {
		case 0: w->map->ops->update(w->map, &key, &zero, 0); break;
		case 1: w->map->ops->remove(w->map, &key); break;
		case 2: w->map->ops->update(w->map, &key, &zero, MAP_LOCK); break;
		}
		if (v)
			exchange_all(v, w); /* it may be in quarantine by now: F10 */
		fixture_leave(slot);
	}
	return NULL;
}

static void check_references(u32 type, u32 flags)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	bool lockable = abi_map_type(type)->lock;
	struct image_map def = fixture_def(type, KEYS, flags,
					   lockable ? value_record : value_unlocked);
	struct map *map = fixture_map(host, &def);

	race(host, map, 40000, exchange_and_change);
	map_put(map);
	fixture_free(host); /* M16: nothing alive; put twice would have aborted */
}

TEST(race_references_array)
{
	check_references(MAP_ARRAY, 0);
}

TEST(race_references_hash)
{
	check_references(MAP_HASH, 0);
	check_references(MAP_HASH, MAPF_NO_PREALLOC);
}

/* With fewer entries than keys they evict each other all the time. */
TEST(race_references_lru)
{
	check_references(MAP_LRU_HASH, 0);
	check_references(MAP_LRU_PERCPU_HASH, 0);
}

TEST(race_references_percpu)
{
	check_references(MAP_PERCPU_HASH, 0);
	check_references(MAP_PERCPU_HASH, MAPF_NO_PREALLOC);
	check_references(MAP_PERCPU_ARRAY, 0);
}

/* ------------------------------------------------------------------ elements */

/* Values say which key they are of: a reader that meets a recycled element tells. */
static void *readers_and_writers(void *data)
{
	struct worker *w = data;
	u32 seed = w->id + 77;

	for (; w->rounds--;) {
		struct slot_ctx *slot = enter(w);
		u32 key = random_of(&seed) % 64, what = random_of(&seed) % 4;
		u64 v = (u64)key << 32 | key, *at;
		int err = 0;

		if (w->id < 2 && what < 2)
			err = w->map->ops->update(w->map, &key, &v, 0);
		else if (w->id < 2 && what < 3)
			w->map->ops->remove(w->map, &key);
		at = w->map->ops->lookup(w->map, &key);
		if (w->rounds % 512 == 0)
			sched_yield(); /* it stays readable, and what it was (F11) */
		if (at && __atomic_load_n(at, __ATOMIC_RELAXED) != v)
			w->wrong = "a value of another key";
		if (err && err != -E2BIG && !(is_lru(w->map) && err == -ENOMEM))
			w->wrong = "an update failed for no reason";
		fixture_leave(slot);
	}
	return NULL;
}

/* The same, of a map that holds 16 of the 64 keys. */
TEST(race_elements_lru)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_LRU_HASH, 16, 0, NULL);
	struct map *map = fixture_map(host, &def);
	u32 n = 0, key, *at = NULL;

	race(host, map, 60000, readers_and_writers);
	while (!map->ops->next_key(map, at, &key)) {
		at = &key;
		n++;
	}
	CHECK_EQ(n, map->ops->count(map));
	CHECK(n <= 16);
	for (u32 k = 100; k < 200; k++) /* all that is left can be evicted */
		CHECK_EQ(map->ops->update(map, &k, &(u64){0}, 0), 0);
	for (u32 k = 184; k < 200; k++)
		CHECK(map->ops->lookup(map, &k));
	map_put(map);
	fixture_free(host);
}

TEST(race_elements)
{
	for (u32 i = 0; i < 2; i++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def =
			fixture_def(MAP_HASH, 48, i ? MAPF_NO_PREALLOC : 0, NULL);
		struct map *map = fixture_map(host, &def);
		u32 n = 0, key, *at = NULL;

		race(host, map, 100000, readers_and_writers);
		while (!map->ops->next_key(map, at, &key)) {
			at = &key;
			n++;
		}
		CHECK_EQ(n, map->ops->count(map)); /* no element and no credit was lost */
		CHECK(n <= 48);
		for (u32 k = 0; k < 64; k++)
			map->ops->remove(map, &k);
		defer_drain(host);
		for (u32 k = 0; k < 48; k++)
			CHECK_EQ(map->ops->update(map, &k, &(u64){0}, MAP_NOEXIST), 0);
		CHECK_EQ(map->ops->update(map, &(u32){48}, &(u64){0}, 0), -E2BIG);
		map_put(map);
		fixture_free(host);
	}
}

/* ------------------------------------------------------------------ the lock */

/* Writers under the lock keep a == b; readers under it see that. */
static void *locked(void *data)
{
	struct worker *w = data;
	u32 key = 0;

	for (; w->rounds--;) {
		struct slot_ctx *slot = enter(w);
		struct value v = {.a = w->rounds, .b = w->rounds};

		if (w->id & 1)
			w->map->ops->write(w->map, &key, &v, MAP_LOCK);
		else if (!w->map->ops->read(w->map, &key, &v) && v.a != v.b)
			w->wrong = "half of an update";
		fixture_leave(slot);
	}
	return NULL;
}

TEST(race_locked_updates)
{
	static const u32 types[] = {MAP_ARRAY, MAP_HASH};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(types[i], 1, 0, value_record);
		struct map *map = fixture_map(host, &def);

		CHECK_EQ(map->ops->write(map, &(u32){0}, &(struct value){0}, 0), 0);
		race(host, map, 20000, locked);
		map_put(map);
		fixture_free(host);
	}
}

/* ------------------------------------------------------------------ maps that go */

static void *make_and_put(void *data)
{
	struct worker *w = data;
	struct image_map def = fixture_def(MAP_HASH, 8, w->id & 1, value_record);

	for (; w->rounds--;) {
		struct value zero = {0};
		struct map *map;

		if (map_create(NULL, w->host, &def, NULL, &map)) {
			w->wrong = "no map";
			break;
		}
		run_read_lock(w->host);
		for (u32 key = 0; key < 8; key++) {
			struct value *v;

			map->ops->update(map, &key, &zero, 0);
			v = map->ops->lookup(map, &key);
			field_xchg(&v->one, thing_new());
			if (key & 1)
				map->ops->remove(map,
						 &key); /* still ripening when it goes */
		}
		run_read_unlock(w->host);
		map_count_stored(w->host, fixture_storable(w->host));
		map_put(map);
		defer_safe_point(w->host);
	}
	return NULL;
}

TEST(race_maps_come_and_go)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);

	race(host, NULL, 150, make_and_put);
	defer_drain(host);
	CHECK_EQ(things_put, THREADS * 150 * 8);
	fixture_free(host);
}
