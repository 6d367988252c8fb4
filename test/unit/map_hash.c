/* SPDX-License-Identifier: MIT
 *
 * map_hash.c: hash maps against a plain reference, walks, fullness, slots, quarantine.
 * Each test runs with elements made at the start and with elements made as they come.
 */
#include "fail_alloc.h"
#include "map_fixture.h"
#include "run/map/hash.h"

static const u32 modes[] = {0, MAPF_NO_PREALLOC};

#define FOR_BOTH(flags_)                                                                 \
	for (u32 mode_ = 0, flags_ = 0; mode_ < 2 && (flags_ = modes[mode_], true);      \
	     mode_++)

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

/* ---------------------------------------------------------------- against a reference */

enum { KEYS = 96, ENTRIES = 64 };

struct model {
	struct map *map;
	bool there[KEYS];
	u64 value[KEYS];
	u32 n;
	u8 key_size;
};

/* Keys of any size that differ in their last bytes only. */
static const void *key_of(const struct model *m, u32 i, u8 *buf)
{
	memset(buf, 0x5a, m->key_size);
	buf[m->key_size - 1] = (u8)i;
	return buf;
}

static void model_update(struct model *m, u32 i, u64 value, u64 flags)
{
	u8 key[64];
	int want = 0, err = m->map->ops->update(m->map, key_of(m, i, key), &value, flags);

	if (flags > 2)
		want = -EINVAL;
	else if (m->there[i] && flags == MAP_NOEXIST)
		want = -EEXIST;
	else if (!m->there[i] && flags == MAP_EXIST)
		want = -ENOENT;
	else if (!m->there[i] && m->n == ENTRIES)
		want = -E2BIG;
	CHECK_EQ(err, want);
	if (want)
		return;
	m->n += !m->there[i];
	m->there[i] = true;
	m->value[i] = value;
}

static void model_remove(struct model *m, u32 i)
{
	u8 key[64];

	CHECK_EQ(m->map->ops->remove(m->map, key_of(m, i, key)),
		 m->there[i] ? 0 : -ENOENT);
	m->n -= m->there[i];
	m->there[i] = false;
}

static void model_lookup(struct model *m, u32 i)
{
	u8 key[64];
	u64 *at = m->map->ops->lookup(m->map, key_of(m, i, key)), out = 0;

	CHECK_EQ(!!at, m->there[i]);
	CHECK_EQ(m->map->ops->read(m->map, key, &out), at ? 0 : -ENOENT);
	if (at)
		CHECK(*at == m->value[i] && out == *at && (uintptr_t)at % 8 == 0);
}

static void model_walk(struct model *m)
{
	u8 key[64], *at = NULL;
	bool seen[KEYS] = {0};
	u32 n = 0;

	while (!m->map->ops->next_key(m->map, at, key)) {
		u32 i = key[m->key_size - 1];

		CHECK(m->there[i] && !seen[i]);
		seen[i] = true;
		n++;
		at = key;
	}
	CHECK_EQ(n, m->n);
	CHECK_EQ(m->map->ops->count(m->map), m->n);
}

static void model_step(struct model *m, u32 *seed)
{
	u32 i = random_of(seed) % KEYS;

	switch (random_of(seed) % 8) {
	case 0:
	case 1:
	case 2: model_update(m, i, *seed, MAP_ANY); break;
	case 3: model_update(m, i, *seed, random_of(seed) % 4); break;
	case 4:
	case 5: model_remove(m, i); break;
	default: model_lookup(m, i);
	}
}

static void check_model(u32 flags, u8 key_size)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_HASH, ENTRIES, flags, NULL);
	struct model m = {.key_size = key_size};
	u32 seed = key_size;

	def.key_size = key_size;
	m.map = fixture_map(host, &def);
	for (u32 round = 0; round < 40; round++) {
		struct slot_ctx *slot = fixture_enter(host);

		for (u32 i = 0; i < 250; i++)
			model_step(&m, &seed);
		model_walk(&m);
		fixture_leave(slot);
		if (round % 8 == 0)
			defer_drain(host);
	}
	map_put(m.map);
	fixture_free(host);
}

TEST(hash_random_operations)
{
	static const u8 sizes[] = {1, 2, 3, 4, 7, 8, 9, 16, 20, 63};

	FOR_BOTH(flags)
		for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
			check_model(flags, sizes[i]);
}

TEST(hash_zero_seed)
{
	check_model(1 << 6, 4);
}

/* ------------------------------------------------------------------ walks */

/* Keys that are there throughout are given once each, whatever is deleted or inserted
 * meanwhile, and the walk ends. */
TEST(hash_walk_while_changing)
{
	enum { N = 600, STAY = 200 };

	FOR_BOTH(flags) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(MAP_HASH, N, flags, NULL);
		struct map *map = fixture_map(host, &def);
		u32 seen[STAY] = {0}, key, seed = 9, *at = NULL, steps = 0;
		u64 v = 0;

		for (u32 i = 0; i < STAY * 2; i++)
			CHECK_EQ(map->ops->update(map, &i, &v, 0), 0);
		run_read_lock(host);
		for (; !map->ops->next_key(map, at, &key); at = &key) {
			u32 other = STAY + random_of(&seed) % (N - STAY);

			CHECK(steps++ < 4 * N);
			if (key < STAY)
				seen[key]++;
			else
				map->ops->remove(map, &key); /* the walk stands on it */
			if (seed & 1)
				map->ops->remove(map, &other);
			else
				map->ops->update(map, &other, &v, 0);
			other = key < STAY ? key : 0;
			map->ops->update(map, &other, &v,
					 MAP_EXIST); /* replaced, not moved */
		}
		run_read_unlock(host);
		for (u32 i = 0; i < STAY; i++)
			CHECK_EQ(seen[i], 1);
		map_put(map);
		fixture_free(host);
	}
}

struct walk {
	struct map *map;
	u32 n, stop;
};

static u64 remove_each(void *data, const void *key, void *value)
{
	struct walk *w = data;

	CHECK_EQ(w->map->ops->remove(w->map, key), 0);
	return ++w->n == w->stop;
}

TEST(hash_for_each_may_delete)
{
	FOR_BOTH(flags) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(MAP_HASH, 100, flags, NULL);
		struct walk w = {fixture_map(host, &def), 0, 30};
		u64 v = 0;

		for (u32 i = 0; i < 100; i++)
			CHECK_EQ(w.map->ops->update(w.map, &i, &v, 0), 0);
		run_read_lock(host);
		CHECK_EQ(w.map->ops->for_each(w.map, remove_each, &w), 30);
		CHECK_EQ(w.map->ops->count(w.map), 70);
		CHECK_EQ(w.map->ops->for_each(w.map, remove_each, &w), 70);
		CHECK_EQ(w.map->ops->for_each(w.map, remove_each, &w), 0);
		run_read_unlock(host);
		map_put(w.map);
		fixture_free(host);
	}
}

/* ------------------------------------------------------------------ slots */

static const u32 key = 1;

static struct value *find(struct map *map)
{
	return map->ops->lookup(map, &key);
}

static void fill(struct value *v)
{
	CHECK(v && !v->one && !v->two && !v->peek);
	v->one = thing_new();
	v->two = thing_new();
	v->peek = v->one;
}

static void check_put(struct pintle_host *host, u64 want)
{
	defer_drain(host);
	CHECK_EQ(things_put, want);
}

/* M01, M02, M05, M06, M08. */
TEST(hash_slots)
{
	FOR_BOTH(flags) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(MAP_HASH, 1, flags, value_record);
		struct map *map = fixture_map(host, &def);
		struct value garbage, out, *old;

		memset(&garbage, 0xaa, sizeof(garbage));
		CHECK_EQ(map->ops->write(map, &key, &garbage, 0), 0);
		CHECK(!find(map)->lock);
		fill(find(map)); /* M01 */
		CHECK_EQ(map->ops->read(map, &key, &out), 0);
		CHECK(!out.one && !out.two && !out.peek && !out.lock); /* M02 */
		CHECK_EQ(map_count_stored(host, fixture_storable(host)), 2);

		garbage.a = 7;
		old = find(map);
		CHECK_EQ(map->ops->write(map, &key, &garbage, MAP_LOCK), 0); /* M06 */
		CHECK_EQ(map->ops->write(map, &key, &garbage, MAP_LOCK | MAP_EXIST), 0);
		CHECK_EQ(map->ops->write(map, &key, &garbage, MAP_LOCK | MAP_NOEXIST),
			 -EEXIST);
		CHECK(find(map) == old && old->one && old->two && old->a == 7 &&
		      !old->lock);
		check_put(host, 0);

		CHECK_EQ(map->ops->update(map, &key, &garbage, MAP_EXIST), 0); /* M05 */
		check_put(host, 2);
		fill(find(map));
		CHECK_EQ(map->ops->remove(map, &key), 0); /* M08 */
		check_put(host, 4);
		CHECK_EQ(map->ops->write(map, &key, &garbage, MAP_LOCK | MAP_EXIST),
			 -ENOENT);
		CHECK_EQ(map->ops->write(map, &key, &garbage, MAP_LOCK), 0); /* inserts */
		fill(find(map));
		map_put(map);
		fixture_free(host);
		CHECK_EQ(things_put, 6);
	}
}

/* M13, M14, F10, F11: a run holds a value, deletes its key, and goes on with the
 * value. */
TEST(hash_stale_value)
{
	FOR_BOTH(flags) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(MAP_HASH, 1, flags, value_record);
		struct map *map = fixture_map(host, &def);
		struct slot_ctx *slot;
		struct value zero = {0}, *v;

		CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
		slot = fixture_enter(host);
		v = find(map);
		fill(v);
		CHECK_EQ(map->ops->remove(map, &key), 0);
		CHECK(!v->one && !v->two && !v->peek); /* M14 */
		CHECK(!field_xchg(&v->one, thing_new())); /* M13 */
		v->lock = 1;
		CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0); /* not full */
		CHECK(find(map) != v && !find(map)->one);
		CHECK_EQ(v->one->refs, 1);
		fixture_leave(slot);
		check_put(host, 3);
		for (u32 i = 0; i < 100; i++) { /* whichever element comes */
			slot = fixture_enter(host);
			CHECK_EQ(map->ops->remove(map, &key), 0);
			CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
			v = find(map);
			CHECK(!v->one && !v->two && !v->peek && !v->lock);
			fixture_leave(slot);
			if (i % 10 == 0)
				defer_drain(host);
		}
		map_put(map);
		fixture_free(host);
		CHECK_EQ(things_put, 3);
	}
}

static atomic(u64) looked_up;
static struct map *other_map;

/* M22: it looks into another map. */
static void nosy_dtor(void *thing)
{
	struct value out;

	run_read_lock(other_map->host);
	looked_up += !other_map->ops->read(other_map, &key, &out);
	run_read_unlock(other_map->host);
	thing_put(thing);
}

TEST(hash_destructor_uses_another_map)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct image_map def = fixture_def(MAP_HASH, 1, 0, value_record);
	struct map *map = fixture_map(host, &def);
	struct value zero = {0};

	other_map = fixture_map(host, &def);
	fixture_storable(host)->dtor = nosy_dtor;
	looked_up = 0;
	CHECK_EQ(other_map->ops->update(other_map, &key, &zero, 0), 0);
	CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
	fill(find(map));
	CHECK_EQ(map->ops->remove(map, &key), 0);
	check_put(host, 2);
	CHECK_EQ(looked_up, 2);
	map_put(map);
	map_put(other_map);
	fixture_free(host);
}

/* ------------------------------------------------------------------ fullness */

/* What is in quarantine never makes a map look full, however long a run holds it. */
TEST(hash_churn_in_one_run)
{
	FOR_BOTH(flags) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(MAP_HASH, 4, flags, NULL);
		struct map *map = fixture_map(host, &def);
		struct slot_ctx *slot = fixture_enter(host);

		for (u64 i = 0; i < 5000; i++) {
			u32 k = i & 3;

			CHECK_EQ(map->ops->update(map, &k, &i, 0), 0);
			if (i & 4)
				CHECK_EQ(map->ops->remove(map, &k), 0);
			CHECK(map->ops->count(map) <= 4);
		}
		fixture_leave(slot);
		map_put(map);
		fixture_free(host);
	}
}

/* But it is bounded, and ends in -ENOMEM for a program; a host waits instead. */
TEST(hash_quarantine_is_bounded)
{
	FOR_BOTH(flags) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct pintle_object object = {.host = host};
		struct image_map def = fixture_def(MAP_HASH, 2, flags, NULL);
		struct pintle_map handle = {&object, &def};
		struct slot_ctx *slot;
		char *value;
		u32 n = 0;
		int err;

		def.value_size = 2 << 20;
		value = calloc(1, def.value_size);
		handle.map = fixture_map(host, &def);
		slot = fixture_enter(host);
		do
			err = handle.map->ops->update(handle.map, &key, value, 0);
		while (!err && ++n < 1000);
		CHECK_EQ(err, -ENOMEM);
		CHECK(n >= 64 && n <= 70);
		CHECK(handle.map->ops->lookup(handle.map, &key));
		fixture_leave(slot);
		CHECK_EQ(pintle_map_update(&handle, &key, value, 0), 0);
		for (u32 i = 0; i < 100; i++)
			CHECK_EQ(pintle_map_update(&handle, &key, value, 0), 0);
		free(value);
		map_put(handle.map);
		fixture_free(host);
	}
}

/* Elements with fields are used again when epochs have passed, without a drain; and what a
 * stale program put there is gone after one. */
TEST(hash_elements_with_fields_are_used_again_soon)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_HASH, 64, MAPF_NO_PREALLOC, value_record);
	struct map *map = fixture_map(host, &def);
	struct value zero = {0};
	u32 n = 0, most = 0;

	for (u32 round = 0; epoch_usable() && round < 20000; round++) {
		struct slot_ctx *slot = fixture_enter(host);
		u32 k = round % 64;

		map->ops->remove(map, &k);
		CHECK_EQ(map->ops->update(map, &k, &zero, 0), 0);
		if (round % 1000 == 0) { /* F10 */
			struct value *v = map->ops->lookup(map, &k);

			map->ops->remove(map, &k);
			field_xchg(&v->one, thing_new());
			n++;
		}
		fixture_leave(slot);
		most = max_u32(most, atomic_load(&hash_of(map)->pool.heap));
	}
	CHECK(most <= 64 + 4 * hash_of(map)->pool.bag_most);
	defer_drain(host);
	CHECK_EQ(things_put, n);
	CHECK(atomic_load(&hash_of(map)->pool.heap) <= 64 + 2 * hash_of(map)->pool.bag_most);
	map_put(map);
	fixture_free(host);
}

/* A run that sleeps in another host holds up epochs: not what waits here. */
TEST(hash_elements_with_fields_wait_for_their_host_only)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_host *other = fixture_host(RCU_DEFERRED_PUT);
	struct slot_ctx *asleep = slot_get(other);
	struct image_map def = fixture_def(MAP_HASH, 512, MAPF_NO_PREALLOC, value_record);
	struct map *map = fixture_map(host, &def);
	struct value zero = {0}, *v;
	u32 put = 0;

	sleep_enter(asleep);
	for (u32 round = 0; round < 20; round++) {
		for (u32 k = 0; k < 512; k++) {
			struct slot_ctx *slot = fixture_enter(host);

			map->ops->update(map, &k, &zero, 0);
			v = map->ops->lookup(map, &k);
			map->ops->remove(map, &k);
			field_xchg(&v->one, thing_new());
			fixture_leave(slot);
		}
		defer_drain(host);
		put += things_put == (round + 1) * 512;
	}
	sleep_leave(asleep);
	CHECK_EQ(put, 20);
	CHECK(atomic_load(&hash_of(map)->pool.heap) <= 3 * hash_of(map)->pool.bag_most);
	map_put(map);
	fixture_free(host);
	fixture_free(other);
}

TEST(hash_update_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_HASH, 8, MAPF_NO_PREALLOC, value_record);
	struct map *map = fixture_map(host, &def);
	struct value v = {.a = 1};
	int err;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	fail_alloc_at(1);
	err = map->ops->update(map, &key, &v, 0);
	fail_alloc_off();
	CHECK_EQ(err, -ENOMEM);
	CHECK_EQ(map->ops->count(map), 0);
	CHECK_EQ(map->ops->update(map, &key, &v, 0), 0);
	fill(find(map));
	fail_alloc_at(1);
	err = map->ops->update(map, &key, &v, 0);
	fail_alloc_off();
	CHECK_EQ(err, -ENOMEM);
	CHECK(find(map)->one && find(map)->two); /* as it was */
	fail_alloc_at(1);
	err = map->ops->remove(map, &key); /* needs none but a reserve */
	fail_alloc_off();
	CHECK_EQ(err, 0);
	map_put(map);
	fixture_free(host);
	CHECK_EQ(things_put, 2);
}

TEST(hash_bad_arguments)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_HASH, 8, 0, NULL);
	struct map *map = fixture_map(host, &def);
	u64 v = 0;
	u32 next;

	CHECK_EQ(map->ops->update(map, &key, &v, 3), -EINVAL);
	CHECK_EQ(map->ops->update(map, &key, &v, 8), -EINVAL);
	CHECK_EQ(map->ops->update(map, &key, &v, MAP_LOCK), -EINVAL); /* no lock */
	CHECK_EQ(map->ops->update(map, &key, &v, UINT64_MAX), -EINVAL);
	CHECK_EQ(map->ops->remove(map, &key), -ENOENT);
	CHECK_EQ(map->ops->next_key(map, NULL, &next), -ENOENT);
	CHECK_EQ(map->ops->next_key(map, &key, &next), -ENOENT);
	CHECK_EQ(map->ops->count(map), 0);
	CHECK(!map->ops->direct && !map->ops->lookup_percpu);
	map_put(map);
	fixture_free(host);
}
