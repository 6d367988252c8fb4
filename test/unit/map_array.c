/* SPDX-License-Identifier: MIT
 *
 * map_array.c: arrays and per-CPU arrays against plain ones; what happens to slots.
 */
#include "map_fixture.h"

TEST(array_operations)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_ARRAY, 3, 0, NULL);
	struct map *map = fixture_map(host, &def);
	u32 in = 2, beyond = 3, next = 7;
	u64 v = 1;

	CHECK(map->ops->lookup(map, &in) && !map->ops->lookup(map, &beyond));
	CHECK_EQ((uintptr_t)map->ops->lookup(map, &in) % 8, 0);
	CHECK_EQ(map->ops->update(map, &in, &v, MAP_NOEXIST), -EEXIST);
	CHECK_EQ(map->ops->update(map, &beyond, &v, MAP_NOEXIST), -E2BIG);
	CHECK_EQ(map->ops->update(map, &beyond, &v, 0), -E2BIG);
	CHECK_EQ(map->ops->update(map, &in, &v, 3), -EINVAL);
	CHECK_EQ(map->ops->update(map, &in, &v, MAP_LOCK), -EINVAL); /* no lock */
	CHECK_EQ(map->ops->update(map, &in, &v, (u64)1 << 40), -EINVAL);
	CHECK_EQ(map->ops->update(map, &in, &v, MAP_EXIST), 0);
	CHECK_EQ(map->ops->remove(map, &in), -EINVAL);
	CHECK_EQ(map->ops->read(map, &beyond, &v), -ENOENT);
	CHECK_EQ(map->ops->next_key(map, NULL, &next), 0);
	CHECK_EQ(next, 0);
	CHECK_EQ(map->ops->next_key(map, &next, &next), 0);
	CHECK_EQ(next, 1);
	CHECK_EQ(map->ops->next_key(map, &in, &next), -ENOENT);
	CHECK_EQ(map->ops->next_key(map, &beyond, &next), 0);
	CHECK_EQ(next, 0);
	CHECK_EQ(map->ops->count(map), 3);
	CHECK(!map->ops->lookup_percpu);
	map_put(map);
	fixture_free(host);
}

static u64 stop_at_one(void *data, const void *key, void *value)
{
	u32 k;

	memcpy(&k, key, sizeof(k));
	*(u64 *)data += *(u64 *)value;
	return k == 1;
}

static void check_random(u32 type)
{
	enum { N = 50, OPS = 20000 };
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(type, N, 0, NULL);
	struct map *map = fixture_map(host, &def);
	struct slot_ctx *slot = fixture_enter(host);
	u64 plain[N] = {0}, sum = 0;

	for (u32 i = 0, seed = 1; i < OPS; i++) {
		u32 key = (seed = seed * 1103515245 + 12345) >> 16 & 63;
		u64 v = seed, *at = map->ops->lookup(map, &key);

		CHECK_EQ(!!at, key < N);
		if (at)
			CHECK_EQ(*at, plain[key]);
		CHECK_EQ(map->ops->update(map, &key, &v, MAP_ANY), at ? 0 : -E2BIG);
		if (at)
			plain[key] = v;
	}
	CHECK_EQ(map->ops->for_each(map, stop_at_one, &sum), 2);
	CHECK_EQ(sum, plain[0] + plain[1]);
	fixture_leave(slot);
	map_put(map);
	fixture_free(host);
}

TEST(array_random_operations)
{
	check_random(MAP_ARRAY);
	check_random(MAP_PERCPU_ARRAY);
}

static void fill(struct value *v)
{
	CHECK(!v->one && !v->two); /* M01: nothing of what an update held */
	v->one = thing_new();
	v->two = thing_new();
	v->peek = v->one;
}

/* M01-M04, M07, M09 on an array. */
TEST(array_slots)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_ARRAY, 2, 0, value_record);
	struct map *map = fixture_map(host, &def);
	struct value garbage, out, *v;
	u32 key = 1;

	memset(&garbage, 0xaa, sizeof(garbage));
	CHECK_EQ(map->ops->write(map, &key, &garbage, 0), 0);
	v = map->ops->lookup(map, &key);
	CHECK(!v->lock && v->a == 0xaaaaaaaa);
	fill(v);
	CHECK_EQ(map->ops->read(map, &key, &out), 0);
	CHECK(!out.one && !out.two && !out.peek && !out.lock &&
	      out.b == garbage.b); /* M02 */
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 2);

	garbage.a = 7;
	CHECK_EQ(map->ops->write(map, &key, &garbage, MAP_LOCK), 0); /* M07 */
	CHECK(v->one && v->two && v->peek && v->a == 7 && !v->lock);
	CHECK_EQ(map->ops->remove(map, &key), -EINVAL); /* M09 */
	CHECK(v->one && v->two);
	defer_drain(host);
	CHECK_EQ(things_put, 0);

	CHECK_EQ(map->ops->write(map, &key, &garbage, 0), 0); /* M03 */
	CHECK(!v->one && !v->two && !v->peek);
	defer_drain(host);
	CHECK_EQ(things_put, 2);
	fill(v);
	CHECK_EQ(map->ops->update(map, &key, &garbage, 0), 0); /* M04 */
	CHECK(!v->one && !v->two && !v->peek);
	defer_drain(host);
	CHECK_EQ(things_put, 4);
	fill(v);
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 2);
	map_put(map);
	fixture_free(host);
	CHECK_EQ(things_put, 6);
}

/* M11, M12. */
TEST(percpu_array_slots)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_PERCPU_ARRAY, 2, 0, value_unlocked);
	struct map *map = fixture_map(host, &def);
	u32 n = slot_count(host), key = 1, stride = map->value_stride;
	char *all = calloc(n, stride);
	struct value zero = {0}, *v;
	struct slot_ctx *slot;

	for (u32 cpu = 0; cpu < n; cpu++)
		fill(map->ops->lookup_percpu(map, &key, cpu));
	CHECK(!map->ops->lookup_percpu(map, &key, n));
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 2 * n);

	slot = fixture_enter(host);
	v = map->ops->lookup(map, &key);
	CHECK(v == map->ops->lookup_percpu(map, &key, slot->index));
	zero.a = 9;
	CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
	CHECK(!v->one && !v->two && v->a == 9);
	fixture_leave(slot);
	defer_drain(host);
	CHECK_EQ(things_put, 2); /* M12 */

	for (u32 cpu = 0; cpu < n; cpu++)
		((struct value *)(all + cpu * stride))->a = cpu + 1;
	CHECK_EQ(map->ops->write(map, &key, all, 0), 0);
	defer_drain(host);
	CHECK_EQ(things_put, 2 * n); /* M11 */
	memset(all, 0xff, n * stride);
	CHECK_EQ(map->ops->read(map, &key, all), 0);
	for (u32 cpu = 0; cpu < n; cpu++) {
		v = (struct value *)(all + cpu * stride);
		CHECK_EQ(v->a, cpu + 1);
		CHECK(!v->one && !v->two && !v->peek);
	}
	free(all);
	map_put(map);
	fixture_free(host);
}

TEST(percpu_array_operations)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_object object = {.host = host};
	struct image_map def = fixture_def(MAP_PERCPU_ARRAY, 3, 0, NULL);
	struct map *map;
	struct pintle_map handle;
	u32 in = 2, beyond = 3;
	u64 v[8] = {0}, sum = 0;

	def.value_size = 5;
	map = fixture_map(host, &def);
	handle = (struct pintle_map){&object, &def, map};
	CHECK_EQ(pintle_map_value_size(&handle), 8 * slot_count(host));
	CHECK(!map->ops->lookup(map, &in)); /* outside of runs there is no slot */
	CHECK_EQ(map->ops->update(map, &in, v, 0), -EINVAL);
	CHECK_EQ(map->ops->for_each(map, stop_at_one, &sum), 0);
	CHECK_EQ(map->ops->write(map, &in, v, MAP_NOEXIST), -EEXIST);
	CHECK_EQ(map->ops->write(map, &beyond, v, 0), -E2BIG);
	CHECK_EQ(map->ops->write(map, &in, v, 3), -EINVAL);
	CHECK_EQ(map->ops->write(map, &in, v, MAP_LOCK), -EINVAL);
	CHECK_EQ(map->ops->remove(map, &in), -EINVAL);
	CHECK_EQ(map->ops->read(map, &beyond, v), -ENOENT);
	memset(v, 0x55, sizeof(v));
	CHECK_EQ(pintle_map_update(&handle, &in, v, 0), 0);
	memset(v, 0x77, sizeof(v));
	CHECK_EQ(pintle_map_lookup(&handle, &in, v), 0);
	CHECK_EQ(v[7], 0x5555555555); /* padding reads as zeros */
	map_put(map);
	fixture_free(host);
}

/* No two slots share a cache line. */
TEST(percpu_array_padding)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_PERCPU_ARRAY, 3, 0, NULL);
	struct map *map = fixture_map(host, &def);
	u32 last = 2, first = 0;

	for (u32 cpu = 0; cpu + 1 < slot_count(host); cpu++) {
		char *end = map->ops->lookup_percpu(map, &last, cpu);
		char *next = map->ops->lookup_percpu(map, &first, cpu + 1);

		CHECK((uintptr_t)end / 64 < (uintptr_t)next / 64);
	}
	map_put(map);
	fixture_free(host);
}
