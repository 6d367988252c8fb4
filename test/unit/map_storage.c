/* SPDX-License-Identifier: MIT
 *
 * map_storage.c: object storage: values by object, and what becomes of them when the
 * object goes.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

#include "run/helper/helpers.h"
#include "run/map/storage.h"

#include <pthread.h>

static const u32 types[] = {MAP_TASK_STORAGE, MAP_SK_STORAGE, MAP_INODE_STORAGE,
			    MAP_CGRP_STORAGE};

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

static struct image_map storage_def(u32 type, const struct record *rec)
{
	return fixture_def(type, 0, MAPF_NO_PREALLOC, rec);
}

static u64 arg(const void *p)
{
	return (uintptr_t)p;
}

/* Against an array: objects are places in it. */
TEST(storage_random_operations)
{
	enum { OBJECTS = 200 };
	static u64 objects[OBJECTS];

	for (u32 t = 0; t < ARRAY_SIZE(types); t++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = storage_def(types[t], NULL);
		struct map *map = fixture_map(host, &def);
		bool there[OBJECTS] = {0};
		u64 init = 7;
		u32 seed = t, n = 0;

		memset(objects, 0, sizeof(objects));
		run_read_lock(host);
		for (u32 i = 0; i < 20000; i++) {
			u32 k = random_of(&seed) % OBJECTS, what = random_of(&seed) % 8;
			u64 object = arg(&objects[k]);
			u64 *v;

			if (what < 4) {
				v = (u64 *)(uintptr_t)helper_storage_get(
					arg(map), object, what & 1 ? arg(&init) : 0, 1, 0);
				CHECK(v);
				if (!there[k]) {
					CHECK_EQ(*v, what & 1 ? 7 : 0);
					n++;
				} else {
					CHECK_EQ(*v, objects[k]);
				}
				there[k] = true;
				objects[k] = *v = i;
			} else if (what < 6) {
				v = (u64 *)(uintptr_t)helper_storage_get(arg(map), object,
									 0, 0, 0);
				CHECK(!!v == there[k] && (!v || *v == objects[k]));
			} else {
				if (what & 1)
					storage_forget(host, &objects[k]);
				else
					CHECK_EQ((int)helper_storage_delete(arg(map), object,
									    0, 0, 0),
						 there[k] ? 0 : -ENOENT);
				n -= there[k];
				there[k] = false;
			}
			CHECK_EQ(map->ops->count(map), n);
		}
		run_read_unlock(host);
		map_put(map);
		fixture_free(host);
	}
}

/* F.4, F10: fields go with the object, whoever held the value. */
TEST(storage_slots)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = storage_def(MAP_TASK_STORAGE, value_record);
	struct map *map = fixture_map(host, &def), *other = fixture_map(host, &def);
	struct value garbage, *v, *w;
	struct slot_ctx *slot;
	u64 object;

	memset(&garbage, 0xaa, sizeof(garbage));
	slot = fixture_enter(host);
	v = storage_get(map, &object, &garbage, 1);
	w = storage_get(other, &object, NULL, 1);
	CHECK(v && !v->one && !v->two && !v->peek && !v->lock && v->a == 0xaaaaaaaa);
	CHECK(w && !w->one && !w->a && !w->lock);
	v->one = thing_new();
	w->two = thing_new();
	CHECK(storage_get(map, &object, &garbage, 1) == v && v->one);
	storage_forget(host, &object);
	CHECK(!v->one && !w->two);
	CHECK(!storage_get(map, &object, NULL, 0) && !storage_get(other, &object, NULL, 0));
	v->two = thing_new(); /* a run that still holds it */
	fixture_leave(slot);
	defer_drain(host);
	CHECK_EQ(things_put, 3);
	slot = fixture_enter(host);
	v = storage_get(map, &object, NULL, 1);
	v->one = thing_new();
	fixture_leave(slot);
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 1);
	map_put(map);
	map_put(other);
	defer_drain(host);
	CHECK_EQ(things_put, 4);
	CHECK_EQ(host->storages, 0);
	storage_forget(host, &object);
	fixture_free(host);
}

TEST(storage_bad_arguments)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = storage_def(MAP_TASK_STORAGE, NULL);
	struct map *map = fixture_map(host, &def), *none;
	struct log log = {0};
	u64 object;

	run_read_lock(host);
	CHECK(!storage_get(map, NULL, NULL, 1));
	CHECK(!storage_get(map, &object, NULL, 2) && !storage_get(map, &object, NULL, 3));
	CHECK_EQ((int)helper_storage_delete(arg(map), 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(map->ops->count(map), 0);
	run_read_unlock(host);
	def.flags = 0;
	CHECK_EQ(map_create(&log, host, &def, NULL, &none), -EINVAL);
	CHECK_HAS(log_text(&log), "needs BPF_F_NO_PREALLOC");
	def = storage_def(MAP_TASK_STORAGE, NULL);
	def.max_entries = 1;
	CHECK_EQ(map_create(&log, host, &def, NULL, &none), -EINVAL);
	CHECK_HAS(log_text(&log), "it must be 0");
	def = storage_def(MAP_TASK_STORAGE, NULL);
	def.key_size = 8;
	CHECK_EQ(map_create(&log, host, &def, NULL, &none), -EINVAL);
	log_free(&log);
	map_put(map);
	fixture_free(host);
}

TEST(storage_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = storage_def(MAP_TASK_STORAGE, NULL);
	struct map *map = fixture_map(host, &def);
	u64 object;
	void *v;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	run_read_lock(host);
	fail_alloc_at(1);
	v = storage_get(map, &object, NULL, 1);
	fail_alloc_off();
	CHECK(!v && storage_get(map, &object, NULL, 1));
	run_read_unlock(host);
	map_put(map);
	fixture_free(host);
}

/* To hosts it is a map whose key is an address. */
TEST(storage_of_hosts)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = storage_def(MAP_TASK_STORAGE, NULL);
	struct pintle_object object = {.host = host};
	struct pintle_map map = {&object, &def, fixture_map(host, &def)};
	void *key = &def, *next = NULL;
	u64 value = 9, out = 0;

	CHECK_EQ(pintle_map_key_size(&map), sizeof(void *));
	CHECK_EQ(pintle_map_lookup(&map, &key, &out), -ENOENT);
	CHECK_EQ(pintle_map_update(&map, &key, &value, PINTLE_NOEXIST), 0);
	CHECK_EQ(pintle_map_lookup(&map, &key, &out), 0);
	CHECK_EQ(out, 9);
	CHECK_EQ(pintle_map_next_key(&map, NULL, &next), 0);
	CHECK(next == key);
	pintle_storage_free(host, &def);
	CHECK_EQ(pintle_map_count(&map), 0);
	map_put(map.map);
	fixture_free(host);
}

/* ------------------------------------------------------------------ threads */

struct worker {
	pthread_t thread;
	struct map *map;
	u64 *objects;
	u32 seed;
};

static void *own_and_forget(void *data)
{
	struct worker *w = data;

	for (u32 i = 0; i < 10000; i++) {
		u64 *object = &w->objects[random_of(&w->seed) % 4];
		struct value *v;

		run_read_lock(w->map->host);
		v = storage_get(w->map, object, NULL, 1);
		if (v) {
			struct thing *old = field_xchg(&v->one, thing_new());

			if (old)
				defer_call(w->map->host, thing_put, old);
		}
		if (i % 4 == 0)
			storage_forget(w->map->host, object);
		run_read_unlock(w->map->host);
		defer_safe_point(w->map->host);
	}
	return NULL;
}

TEST(race_storage)
{
	for (u32 t = 0; t < ARRAY_SIZE(types); t++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = storage_def(types[t], value_record);
		struct map *map = fixture_map(host, &def);
		struct worker w[3] = {{0}};
		u64 objects[4];

		for (u32 i = 0; i < 3; i++) {
			w[i] = (struct worker){.map = map, .objects = objects, .seed = i};
			CHECK_EQ(pthread_create(&w[i].thread, NULL, own_and_forget, &w[i]),
				 0);
		}
		for (u32 i = 0; i < 3; i++)
			pthread_join(w[i].thread, NULL);
		map_put(map);
		fixture_free(host); /* nothing alive */
	}
}
