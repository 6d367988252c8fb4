/* SPDX-License-Identifier: MIT
 *
 * map_lru.c: hashes that evict: who goes, that nothing is lost, and what becomes of the
 * fields (M10).
 */
#include "fail_alloc.h"
#include "map_fixture.h"

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

static struct map *lru_map(struct pintle_host *host, u32 entries, const struct record *rec)
{
	struct image_map def = fixture_def(MAP_LRU_HASH, entries, 0, rec);

	return fixture_map(host, &def);
}

static void put(struct map *map, u32 key)
{
	u64 v = key * 3;

	CHECK_EQ(map->ops->update(map, &key, &v, 0), 0);
}

static bool has(struct map *map, u32 key)
{
	u64 v = 0;

	if (map->ops->read(map, &key, &v)) /* does not mark */
		return false;
	CHECK_EQ(v, key * 3);
	return true;
}

/* What was looked up since survives what was not. */
TEST(lru_evicts_the_unused)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, 64, NULL);
	struct slot_ctx *slot = fixture_enter(host);
	u32 n = 0;

	for (u32 k = 0; k < 64; k++)
		put(map, k);
	for (u32 k = 0; k < 64; k += 2)
		CHECK(map->ops->lookup(map, &k));
	for (u32 k = 100; k < 132; k++)
		put(map, k);
	for (u32 k = 0; k < 64; k++)
		CHECK_EQ(has(map, k), k % 2 == 0);
	for (u32 k = 100; k < 132; k++)
		CHECK(has(map, k));
	CHECK_EQ(map->ops->count(map), 64);
	for (u32 k = 200; k < 264; k++) /* unmarked all: the oldest go */
		put(map, k);
	for (u32 k = 0; k < 264; k++)
		n += has(map, k);
	CHECK_EQ(n, 64);
	for (u32 k = 232; k < 264; k++)
		CHECK(has(map, k));
	fixture_leave(slot);
	map_put(map);
	fixture_free(host);
}

/* Random operations: none fails, each key has its value or is gone, what was just
 * written is there, and as many as fit stay. */
TEST(lru_random_operations)
{
	enum { KEYS = 300, ENTRIES = 100 };
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, ENTRIES, NULL);
	bool deleted[KEYS] = {0};
	u32 seed = 5;

	for (u32 round = 0; round < 60; round++) {
		struct slot_ctx *slot = fixture_enter(host);
		u32 n = 0;

		fixture_on_slot(host, round % 8);
		for (u32 i = 0; i < 200; i++) {
			u32 key = random_of(&seed) % KEYS, what = random_of(&seed) % 8;

			if (what < 5) {
				put(map, key);
				CHECK(has(map, key));
				deleted[key] = false;
			} else if (what == 5) {
				int err = map->ops->remove(map, &key);

				CHECK(!err || err == -ENOENT);
				deleted[key] = true;
			} else {
				CHECK(!map->ops->lookup(map, &key) || !deleted[key]);
			}
			CHECK(map->ops->count(map) <= ENTRIES);
		}
		for (u32 k = 0; k < KEYS; k++)
			n += has(map, k);
		CHECK_EQ(n, map->ops->count(map));
		fixture_leave(slot);
		if (round % 8 == 0)
			defer_drain(host);
	}
	map_put(map);
	fixture_free(host);
}

/* A slot whose list is empty takes from the longest, and gets its share. */
TEST(lru_slots_share)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, 512, NULL);
	struct slot_ctx *slot = fixture_enter(host);
	u32 n = 0;

	for (u32 k = 0; k < 512; k++)
		put(map, k);
	fixture_on_slot(host, 1);
	for (u32 k = 1000; k < 3000; k++)
		put(map, k);
	for (u32 k = 1000; k < 3000; k++)
		n += has(map, k);
	CHECK(n >= 255 && n <= 257);
	fixture_leave(slot);
	map_put(map);
	fixture_free(host);
}

/* M10: each evicted key's destructors run, once. */
TEST(lru_evicts_references)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, 16, value_unlocked);
	struct value zero = {0};

	for (u32 k = 0; k < 100; k++) {
		struct slot_ctx *slot = fixture_enter(host);
		struct value *v;

		CHECK_EQ(map->ops->update(map, &k, &zero, MAP_NOEXIST), 0);
		v = map->ops->lookup(map, &k);
		CHECK(v && !v->one && !v->two);
		v->one = thing_new();
		v->two = thing_new();
		fixture_leave(slot);
	}
	defer_drain(host);
	CHECK_EQ(things_put, 2 * (100 - 16));
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 2 * 16);
	map_put(map);
	defer_drain(host);
	CHECK_EQ(things_put, 200);
	fixture_free(host);
}

/* An update of a key that is there evicts nobody. */
TEST(lru_update_in_a_full_map)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, 8, NULL);
	struct slot_ctx *slot = fixture_enter(host);
	u64 v = 0;
	u32 key = 100;

	for (u32 k = 0; k < 8; k++)
		put(map, k);
	for (u32 i = 0; i < 50; i++)
		put(map, i % 8);
	CHECK_EQ(map->ops->update(map, &(u32){3}, &v, MAP_NOEXIST), -EEXIST);
	CHECK_EQ(map->ops->update(map, &key, &v, MAP_EXIST), -ENOENT);
	for (u32 k = 0; k < 8; k++)
		CHECK(has(map, k));
	CHECK_EQ(map->ops->take(map, &(u32){3}, &v), 0);
	CHECK_EQ(v, 9);
	put(map, key); /* there is room */
	CHECK_EQ(map->ops->count(map), 8);
	for (u32 k = 0; k < 8; k++)
		CHECK_EQ(has(map, k), k != 3);
	fixture_leave(slot);
	map_put(map);
	fixture_free(host);
}

TEST(lru_bad_arguments)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, 8, NULL);
	static const u64 bad[] = {3, 8, MAP_LOCK, MAP_LOCK | 1, UINT64_MAX};
	u64 v = 0;
	u32 key = 0;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(map->ops->update(map, &key, &v, bad[i]), -EINVAL);
	CHECK_EQ(map->ops->remove(map, &key), -ENOENT);
	CHECK_EQ(map->ops->take(map, &key, &v), -ENOENT);
	CHECK_EQ(map->ops->next_key(map, NULL, &key), -ENOENT);
	CHECK(!map->ops->lookup_percpu && !map->ops->direct);
	map_put(map);
	fixture_free(host);
}

/* With no memory for elements beyond those made at the start, eviction goes on until
 * those are all in quarantine; nothing is lost by the failure. */
TEST(lru_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = lru_map(host, 4, NULL);
	struct slot_ctx *slot;
	u32 n = 0, left = 0;
	u64 v = 0;
	int err;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	slot = fixture_enter(host);
	fail_alloc_at(1);
	do
		err = map->ops->update(map, &n, &v, 0);
	while (!err && ++n < 1000);
	fail_alloc_off();
	CHECK_EQ(err, -ENOMEM);
	CHECK(n >= 4 && n < 100);
	for (u32 k = 0; k < 1000; k++)
		left += !map->ops->read(map, &k, &v);
	CHECK_EQ(left, map->ops->count(map));
	fixture_leave(slot);
	defer_drain(host);
	for (u32 k = 0; k < 100; k++)
		CHECK_EQ(map->ops->update(map, &k, &v, 0), 0);
	CHECK_EQ(map->ops->count(map), 4);
	map_put(map);
	fixture_free(host);
}
