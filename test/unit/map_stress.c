/* SPDX-License-Identifier: MIT
 *
 * map_stress.c: references move between fields of maps of every kind, from several threads,
 * while those update, delete, evict and walk elements, replace inner maps and free maps.
 * In the end no reference is left and none was given back twice (the destructor aborts on
 * that).
 *
 * A second or so; PINTLE_STRESS=N makes it N times as long.
 */
#include "map_fixture.h"

#include "run/lock.h"
#include "run/map/storage.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 60000, KEYS = 12, OUTER = 3 };

static const struct { u32 type, flags; } kinds[] = {
	{MAP_ARRAY, 0},
	{MAP_HASH, 0},
	{MAP_HASH, MAPF_NO_PREALLOC},
	{MAP_LRU_HASH, 0},
	{MAP_PERCPU_ARRAY, 0},
	{MAP_PERCPU_HASH, 0},
	{MAP_LRU_PERCPU_HASH, 0},
	{MAP_LPM_TRIE, MAPF_NO_PREALLOC},
	{MAP_TASK_STORAGE, MAPF_NO_PREALLOC},
	{MAP_HASH, 0}, /* the inner map of the outer ones */
};

enum { NKINDS = ARRAY_SIZE(kinds), INNER = NKINDS - 1 };

struct arena_of_maps {
	struct pintle_host *host;
	struct map *at[NKINDS]; /* replaced as we go */
	struct map *outer[2];
};

struct worker {
	pthread_t thread;
	struct arena_of_maps *a;
	u32 seed, rounds;
	const char *wrong;
};

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

static struct map *make(struct pintle_host *host, u32 i)
{
	bool lock = abi_map_type(kinds[i].type)->lock;
	struct image_map def = fixture_def(kinds[i].type, 8, kinds[i].flags,
					   lock ? value_record : value_unlocked);
	struct map *map = NULL;

	if (kinds[i].type == MAP_LPM_TRIE)
		def.key_size = 8;
	if (kinds[i].type == MAP_TASK_STORAGE)
		def.max_entries = 0;
	return map_create(NULL, host, &def, NULL, &map) ? NULL : map;
}

static u64 random_key(struct worker *w, const struct map *map)
{
	u64 k = random_of(&w->seed) % KEYS;

	if (map->type == MAP_LPM_TRIE)
		return (28 + k % 5) | k << 32;
	return map->type == MAP_TASK_STORAGE ? (k + 1) * 64 : k;
}

/* One of the maps, an inner one now and then. In a read section. */
static struct map *random_map(struct worker *w)
{
	u32 i = random_of(&w->seed) % (NKINDS + 2), key = random_of(&w->seed) % OUTER;
	struct map *map;

	if (i < NKINDS)
		return __atomic_load_n(&w->a->at[i], __ATOMIC_ACQUIRE);
	map = w->a->outer[i - NKINDS];
	map = map->ops->lookup(map, &key);
	return map ? map : __atomic_load_n(&w->a->at[0], __ATOMIC_ACQUIRE);
}

static struct value *random_value(struct worker *w)
{
	struct map *map = random_map(w);
	u64 key = random_key(w, map);

	if (map->type == MAP_TASK_STORAGE)
		return storage_get(map, (void *)key, NULL, 1);
	return map->ops->lookup(map, &key);
}

static struct thing **random_field(struct worker *w, struct value *v)
{
	return random_of(&w->seed) & 1 ? &v->one : &v->two;
}

/* What a read section sees in a field lives until it ends (M21). */
static void look(struct worker *w, struct thing *t)
{
	if (t && t->magic != 0x7819)
		w->wrong = "a thing that was freed";
}

static void release(struct worker *w, struct thing *t)
{
	if (t)
		defer_call(w->a->host, thing_put, t);
}

/* From one field to another; a new one now and then. */
static void move(struct worker *w)
{
	struct value *from = random_value(w), *to = random_value(w);
	struct thing *t = from ? field_xchg(random_field(w, from), NULL) : NULL;

	look(w, t);
	if (!t && random_of(&w->seed) % 2)
		t = thing_new();
	if (to)
		t = field_xchg(random_field(w, to), t);
	look(w, t);
	release(w, t);
}

static u64 look_each(void *data, const void *key, void *value)
{
	struct worker *w = data;
	struct value *v = value;

	look(w, __atomic_load_n(&v->one, __ATOMIC_ACQUIRE));
	if (random_of(&w->seed) % 16 == 0)
		release(w, field_xchg(&v->two, NULL));
	return random_of(&w->seed) % 32 == 0;
}

static void change(struct worker *w)
{
	static const u64 flags[] = {0, 0, MAP_EXIST, MAP_NOEXIST, MAP_LOCK};
	struct map *map = random_map(w);
	u64 key = random_key(w, map), next;
	struct value v[8] = {{0}};

	switch (random_of(&w->seed) % 8) {
	case 0: map->ops->remove(map, &key); break;
	case 1: map->ops->write(map, &key, v, flags[random_of(&w->seed) % 4]); break;
	case 2: map->ops->for_each(map, look_each, w); break;
	case 3: map->ops->next_key(map, &key, &next); break;
	case 4: map->ops->read(map, &key, v); break;
	case 5:
		if (map->ops->take)
			map->ops->take(map, &key, v);
		break;
	default: map->ops->update(map, &key, v, flags[random_of(&w->seed) % 5]);
	}
}

/* A map that others are using goes; another takes its place. */
static void replace(struct worker *w)
{
	u32 i = random_of(&w->seed) % NKINDS, key = random_of(&w->seed) % OUTER;
	struct map *fresh = make(w->a->host, i), *outer;

	if (!fresh)
		return;
	if (i == INNER) {
		outer = w->a->outer[random_of(&w->seed) % 2];
		if (outer->ops->put(outer, &key, fresh, 0))
			w->wrong = "an inner map did not fit";
		map_put(fresh);
		return;
	}
	map_put(__atomic_exchange_n(&w->a->at[i], fresh, __ATOMIC_ACQ_REL));
}

static void *stress(void *data)
{
	struct worker *w = data;

	while (w->rounds-- && !w->wrong) {
		struct slot_ctx *slot = slot_get(w->a->host);
		u32 what = random_of(&w->seed) % 256;

		run_read_lock(w->a->host);
		slot_swap(slot);
		for (u32 i = 0; i < 4; i++)
			move(w);
		if (what == 0)
			replace(w);
		else if (what == 1)
			storage_forget(w->a->host, (void *)(random_of(&w->seed) % KEYS * 64ull));
		else if (what == 2)
			map_count_stored(w->a->host, fixture_storable(w->a->host));
		else
			change(w);
		fixture_leave(slot);
	}
	return NULL;
}

static void open_maps(struct arena_of_maps *a)
{
	static const u32 types[] = {MAP_ARRAY_OF_MAPS, MAP_HASH_OF_MAPS};
	struct image_map inner = fixture_def(MAP_HASH, 8, 0, value_record);

	a->host = fixture_host(RCU_DEFERRED_PUT);
	for (u32 i = 0; i < NKINDS; i++) {
		a->at[i] = make(a->host, i);
		CHECK(a->at[i]);
	}
	for (u32 i = 0; i < 2; i++) {
		struct image_map def = fixture_def(types[i], OUTER, 0, NULL);
		u32 key = i;

		def.value_size = 4;
		CHECK_EQ(map_create(NULL, a->host, &def, &inner, &a->outer[i]), 0);
		run_read_lock(a->host);
		CHECK_EQ(a->outer[i]->ops->put(a->outer[i], &key, a->at[INNER], 0), 0);
		run_read_unlock(a->host);
	}
}

TEST(race_everything)
{
	const char *times = getenv("PINTLE_STRESS");
	u32 rounds = ROUNDS * (times && atoi(times) > 0 ? (u32)atoi(times) : 1);
	struct worker w[THREADS];
	struct arena_of_maps a;

	open_maps(&a);
	for (u32 i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.a = &a, .seed = i, .rounds = rounds};
		CHECK_EQ(pthread_create(&w[i].thread, NULL, stress, &w[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (u32 i = 0; i < THREADS; i++)
		if (w[i].wrong)
			test_fail(__FILE__, __LINE__, "worker %u: %s", i, w[i].wrong);
	CHECK(things_put > rounds);
	for (u32 i = 0; i < NKINDS; i++)
		map_put(a.at[i]);
	for (u32 i = 0; i < 2; i++)
		map_put(a.outer[i]);
	fixture_free(a.host); /* no thing is alive, no map is left */
}
