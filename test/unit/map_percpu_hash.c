/* SPDX-License-Identifier: MIT
 *
 * map_percpu_hash.c: per-CPU hashes, with and without eviction, against a plain reference
 * that has a value for each slot; what updates do to fields (F.4, M11, M12).
 */
#include "fail_alloc.h"
#include "map_fixture.h"

enum { KEYS = 40, SLOTS = 8 };

static const struct {
	u32 type, flags;
	bool lru;
} kinds[] = {
	{MAP_PERCPU_HASH, 0, false},
	{MAP_PERCPU_HASH, MAPF_NO_PREALLOC, false},
	{MAP_LRU_PERCPU_HASH, 0, true},
	{MAP_LRU_PERCPU_HASH, MAPF_NO_COMMON_LRU, true},
};

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

struct model {
	struct map *map;
	bool there[KEYS];
	u64 value[KEYS][SLOTS];
	u32 n, entries;
};

static int expected(const struct model *m, u32 key, u64 flags)
{
	if (flags > 2)
		return -EINVAL;
	if (m->there[key])
		return flags == MAP_NOEXIST ? -EEXIST : 0;
	if (flags == MAP_EXIST)
		return -ENOENT;
	return m->n == m->entries ? -E2BIG : 0;
}

static void model_update(struct model *m, u32 key, u64 flags, u32 slot, u64 value)
{
	int want = expected(m, key, flags);

	fixture_on_slot(m->map->host, slot);
	CHECK_EQ(m->map->ops->update(m->map, &key, &value, flags), want);
	if (want)
		return;
	if (!m->there[key])
		memset(m->value[key], 0, sizeof(m->value[key]));
	m->n += !m->there[key];
	m->there[key] = true;
	m->value[key][slot] = value;
}

static void model_write(struct model *m, u32 key, u64 flags, u64 value)
{
	int want = expected(m, key, flags);
	u64 all[SLOTS];

	for (u32 i = 0; i < SLOTS; i++)
		all[i] = value + i;
	CHECK_EQ(m->map->ops->write(m->map, &key, all, flags), want);
	if (want)
		return;
	m->n += !m->there[key];
	m->there[key] = true;
	memcpy(m->value[key], all, sizeof(all));
}

static void model_remove(struct model *m, u32 key, bool take)
{
	u64 all[SLOTS];

	if (take) {
		CHECK_EQ(m->map->ops->take(m->map, &key, all), m->there[key] ? 0 : -ENOENT);
		CHECK(!m->there[key] || !memcmp(all, m->value[key], sizeof(all)));
	} else {
		CHECK_EQ(m->map->ops->remove(m->map, &key), m->there[key] ? 0 : -ENOENT);
	}
	m->n -= m->there[key];
	m->there[key] = false;
}

static void model_look(struct model *m, u32 key, u32 slot)
{
	const u64 *at, *other;
	u64 all[SLOTS];

	fixture_on_slot(m->map->host, slot);
	at = m->map->ops->lookup(m->map, &key);
	other = m->map->ops->lookup_percpu(m->map, &key, slot ^ 1);
	CHECK(!!at == m->there[key] && !!other == m->there[key]);
	CHECK(!m->map->ops->lookup_percpu(m->map, &key, SLOTS));
	CHECK_EQ(m->map->ops->read(m->map, &key, all), at ? 0 : -ENOENT);
	if (!at)
		return;
	CHECK(*at == m->value[key][slot] && *other == m->value[key][slot ^ 1]);
	CHECK(!memcmp(all, m->value[key], sizeof(all)));
}

static void model_step(struct model *m, u32 *seed)
{
	u32 key = random_of(seed) % KEYS, slot = random_of(seed) % SLOTS;
	u32 what = random_of(seed) % 8, flags = random_of(seed) % 4;

	if (what < 2)
		model_update(m, key, what ? 0 : flags, slot, *seed);
	else if (what < 4)
		model_write(m, key, what & 1 ? 0 : flags, *seed);
	else if (what < 6)
		model_remove(m, key, what & 1);
	else
		model_look(m, key, slot);
}

static u64 add_up(void *data, const void *key, void *value)
{
	*(u64 *)data += *(u64 *)value;
	return 0;
}

static void model_walk(struct model *m, u32 slot)
{
	u64 sum = 0, want = 0;

	for (u32 i = 0; i < KEYS; i++)
		want += m->there[i] ? m->value[i][slot] : 0;
	fixture_on_slot(m->map->host, slot);
	CHECK_EQ(m->map->ops->for_each(m->map, add_up, &sum), m->n);
	CHECK_EQ(sum, want);
	CHECK_EQ(m->map->ops->count(m->map), m->n);
}

TEST(percpu_hash_random_operations)
{
	for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct model m = {.entries = kinds[k].lru ? KEYS : KEYS - 10};
		struct image_map def =
			fixture_def(kinds[k].type, m.entries, kinds[k].flags, NULL);
		u32 seed = k;

		m.map = fixture_map(host, &def);
		for (u32 round = 0; round < 30; round++) {
			struct slot_ctx *slot = fixture_enter(host);

			for (u32 i = 0; i < 250; i++)
				model_step(&m, &seed);
			model_walk(&m, round % SLOTS);
			fixture_leave(slot);
			if (round % 8 == 0)
				defer_drain(host);
		}
		map_put(m.map);
		fixture_free(host);
	}
}

static void fill_all(struct map *map, u32 key)
{
	for (u32 i = 0; i < SLOTS; i++) {
		struct value *v = map->ops->lookup_percpu(map, &key, i);

		CHECK(v && !v->one && !v->two && !v->peek);
		v->one = thing_new();
		v->peek = v->one;
	}
}

static void check_put(struct pintle_host *host, u64 want)
{
	defer_drain(host);
	CHECK_EQ(things_put, want);
}

/* F.4, M02, M08, M11, M12. */
static void check_slots(u32 type, u32 flags)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(type, 4, flags, value_unlocked);
	struct map *map = fixture_map(host, &def);
	struct value *all = calloc(SLOTS, map->value_stride), one = {.a = 5};
	struct slot_ctx *slot;
	u32 key = 7;

	memset(all, 0xaa, SLOTS * map->value_stride);
	CHECK_EQ(map->ops->write(map, &key, all, 0), 0);
	fill_all(map, key);
	CHECK_EQ(map->ops->read(map, &key, all), 0);
	CHECK(!all[3].one && !all[3].two && !all[3].peek && all[3].a == 0xaaaaaaaa);
	slot = fixture_enter(host);
	CHECK_EQ(map->ops->update(map, &key, &one, MAP_EXIST), 0); /* M12 */
	CHECK_EQ(((struct value *)map->ops->lookup(map, &key))->a, 5);
	fixture_leave(slot);
	check_put(host, 1);
	CHECK_EQ(map->ops->write(map, &key, all, 0), 0); /* M11 */
	check_put(host, SLOTS);
	fill_all(map, key);
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), SLOTS);
	CHECK_EQ(map->ops->take(map, &key, all), 0);
	CHECK(!all[3].one && !all[3].peek);
	check_put(host, 2 * SLOTS);
	CHECK_EQ(map->ops->write(map, &key, all, 0), 0);
	fill_all(map, key);
	CHECK_EQ(map->ops->remove(map, &key), 0); /* M08 */
	check_put(host, 3 * SLOTS);
	CHECK_EQ(map->ops->write(map, &key, all, 0), 0);
	fill_all(map, key);
	free(all);
	map_put(map);
	check_put(host, 4 * SLOTS); /* M18 */
	fixture_free(host);
}

TEST(percpu_hash_slots)
{
	for (u32 k = 0; k < ARRAY_SIZE(kinds); k++)
		check_slots(kinds[k].type, kinds[k].flags);
}

/* M13, M14 on a slot's value. */
TEST(percpu_hash_stale_value)
{
	for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def =
			fixture_def(kinds[k].type, 1, kinds[k].flags, value_unlocked);
		struct map *map = fixture_map(host, &def);
		struct value zero = {0}, *v;
		struct slot_ctx *slot;
		u32 key = 7;

		slot = fixture_enter(host);
		CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
		v = map->ops->lookup(map, &key);
		v->one = thing_new();
		CHECK_EQ(map->ops->remove(map, &key), 0);
		CHECK(!v->one); /* M14 */
		v->one = thing_new();
		fixture_leave(slot);
		check_put(host, 2); /* M13 */
		for (u32 i = 0; i < 20; i++) {
			slot = fixture_enter(host);
			CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
			for (u32 s = 0; s < SLOTS; s++) {
				v = map->ops->lookup_percpu(map, &key, s);
				CHECK(!v->one && !v->two && !v->peek);
			}
			CHECK_EQ(map->ops->remove(map, &key), 0);
			fixture_leave(slot);
		}
		map_put(map);
		fixture_free(host);
	}
}

TEST(percpu_hash_values_share_no_line)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	u32 key = 1, other = 2;

	for (u32 k = 0; k < 2; k++) {
		struct image_map def = fixture_def(kinds[k].type, 2, kinds[k].flags, NULL);
		struct map *map = fixture_map(host, &def);
		u64 all[SLOTS] = {0};
		uintptr_t a, b;

		CHECK_EQ(map->ops->write(map, &key, all, 0), 0);
		CHECK_EQ(map->ops->write(map, &other, all, 0), 0);
		a = (uintptr_t)map->ops->lookup_percpu(map, &key, 0);
		b = (uintptr_t)map->ops->lookup_percpu(map, &key, 1);
		CHECK(a / 64 != b / 64 && a % 8 == 0);
		map_put(map);
	}
	fixture_free(host);
}

TEST(percpu_hash_bad_arguments)
{
	for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def =
			fixture_def(kinds[k].type, 8, kinds[k].flags, NULL);
		struct map *map = fixture_map(host, &def);
		static const u64 bad[] = {3, 8, MAP_LOCK, MAP_LOCK | 1, UINT64_MAX};
		u64 all[SLOTS] = {0};
		u32 key = 0;

		CHECK_EQ(map->ops->update(map, &key, all, 0), -EINVAL); /* no slot */
		CHECK(!map->ops->lookup(map, &key));
		CHECK_EQ(map->ops->for_each(map, add_up, all), 0);
		for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
			CHECK_EQ(map->ops->write(map, &key, all, bad[i]), -EINVAL);
		CHECK_EQ(map->ops->remove(map, &key), -ENOENT);
		CHECK_EQ(map->ops->take(map, &key, all), -ENOENT);
		CHECK_EQ(map->ops->read(map, &key, all), -ENOENT);
		CHECK_EQ(map->ops->next_key(map, NULL, &key), -ENOENT);
		CHECK_EQ(map->ops->count(map), 0);
		map_put(map);
		fixture_free(host);
	}
}

TEST(percpu_hash_update_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_PERCPU_HASH, 8, MAPF_NO_PREALLOC, NULL);
	struct map *map = fixture_map(host, &def);
	u64 all[SLOTS] = {0};
	u32 key = 1;
	int err;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	fail_alloc_at(1);
	err = map->ops->write(map, &key, all, 0);
	fail_alloc_off();
	CHECK_EQ(err, -ENOMEM);
	CHECK_EQ(map->ops->count(map), 0);
	CHECK_EQ(map->ops->write(map, &key, all, 0), 0);
	fail_alloc_at(1);
	err = map->ops->write(map, &key, all, MAP_EXIST); /* in place: needs none */
	fail_alloc_off();
	CHECK_EQ(err, 0);
	map_put(map);
	fixture_free(host);
}
