/* SPDX-License-Identifier: MIT
 *
 * map_queue.c: queues, stacks and bloom filters.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

#include <pthread.h>

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

static struct image_map keyless(u32 type, u32 entries, u32 value_size)
{
	struct image_map def = fixture_def(type, entries, 0, NULL);

	def.key_size = 0;
	def.value_size = value_size;
	return def;
}

/* ------------------------------------------------------------------ against a list */

enum { ENTRIES = 7 };

struct model {
	struct map *map;
	u64 v[ENTRIES]; /* the oldest first */
	u32 n;
	bool lifo;
};

static void drop_oldest(struct model *m)
{
	memmove(m->v, m->v + 1, --m->n * sizeof(m->v[0]));
}

static void model_push(struct model *m, u64 value, u64 flags)
{
	int err = m->map->ops->update(m->map, NULL, &value, flags);

	if (flags && flags != MAP_EXIST) {
		CHECK_EQ(err, -EINVAL);
		return;
	}
	CHECK_EQ(err, m->n == ENTRIES && !flags ? -E2BIG : 0);
	if (err)
		return;
	if (m->n == ENTRIES)
		drop_oldest(m);
	m->v[m->n++] = value;
}

static void model_get(struct model *m, bool pop)
{
	u64 want = m->n ? m->v[m->lifo ? m->n - 1 : 0] : 0, got = ~want;
	int err = pop ? m->map->ops->take(m->map, NULL, &got) :
			m->map->ops->read(m->map, NULL, &got);

	CHECK_EQ(err, m->n ? 0 : -ENOENT);
	CHECK_EQ(got, want);
	if (pop && m->n && m->lifo)
		m->n--;
	else if (pop && m->n)
		drop_oldest(m);
}

TEST(queue_random_operations)
{
	static const u32 types[] = {MAP_QUEUE, MAP_STACK};

	for (u32 t = 0; t < 2; t++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = keyless(types[t], ENTRIES, 8);
		struct model m = {fixture_map(host, &def), .lifo = t};
		u32 seed = t;

		for (u32 i = 0; i < 20000; i++) {
			u32 what = random_of(&seed) % 8;

			if (what < 4)
				model_push(&m, seed, what ? 0 : random_of(&seed) % 4);
			else
				model_get(&m, what < 7);
			CHECK_EQ(m.map->ops->count(m.map), m.n);
		}
		map_put(m.map);
		fixture_free(host);
	}
}

TEST(queue_of_odd_values)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = keyless(MAP_QUEUE, 3, 5);
	struct map *map = fixture_map(host, &def);
	char out[6] = "     ";

	for (u32 i = 0; i < 10; i++)
		CHECK_EQ(map->ops->update(map, NULL, i & 1 ? "12345" : "abcde", MAP_EXIST),
			 0);
	CHECK_EQ(map->ops->take(map, NULL, out), 0);
	CHECK_STR(out, "12345");
	CHECK_EQ(map->ops->take(map, NULL, out), 0);
	CHECK_STR(out, "abcde");
	map_put(map);
	fixture_free(host);
}

/* ------------------------------------------------------------------ threads */

struct worker {
	pthread_t thread;
	struct map *map;
	u64 id, sum;
	u32 n;
	bool wrong;
};

enum { PUSHES = 20000 };

static void *push_all(void *data)
{
	struct worker *w = data;

	for (u64 i = 1; i <= PUSHES; w->n++) {
		u64 value = w->id << 32 | i;

		if (!w->map->ops->update(w->map, NULL, &value, 0))
			w->sum += i++;
	}
	return NULL;
}

/* Q-A: each value comes once; from a queue, those of each pusher in its order. */
static void *pop_all(void *data)
{
	struct worker *w = data;
	u64 last[2] = {0}, value;

	while (w->n < 2 * PUSHES) {
		if (w->map->ops->take(w->map, NULL, &value))
			continue;
		if (w->map->type == MAP_QUEUE && (u32)value != last[value >> 32] + 1)
			w->wrong = true;
		last[value >> 32] = (u32)value;
		w->sum += (u32)value;
		w->n++;
	}
	return NULL;
}

TEST(race_queue)
{
	static const u32 types[] = {MAP_QUEUE, MAP_STACK};

	for (u32 t = 0; t < 2; t++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = keyless(types[t], 64, 8);
		struct map *map = fixture_map(host, &def);
		struct worker w[3] = {{.map = map}, {.map = map, .id = 1}, {.map = map}};

		for (u32 i = 0; i < 3; i++)
			CHECK_EQ(pthread_create(&w[i].thread, NULL,
						i < 2 ? push_all : pop_all, &w[i]), 0);
		for (u32 i = 0; i < 3; i++)
			pthread_join(w[i].thread, NULL);
		CHECK(!w[2].wrong);
		CHECK_EQ(w[2].sum, w[0].sum + w[1].sum);
		CHECK_EQ(map->ops->count(map), 0);
		map_put(map);
		fixture_free(host);
	}
}

/* ------------------------------------------------------------------ bloom filters */

static u32 false_answers(struct map *map, u64 from, u32 n)
{
	u32 found = 0;

	for (u64 v = from; v < from + n; v++)
		found += !map->ops->read(map, NULL, &v);
	return found;
}

TEST(bloom_has_what_was_added)
{
	static const u64 extras[] = {0, 1, 3, 15};

	for (u32 i = 0; i < ARRAY_SIZE(extras); i++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = keyless(MAP_BLOOM_FILTER, 1000, 8);
		struct map *map;
		u32 wrong;

		def.map_extra = extras[i];
		def.flags = i & 1 ? 1 << 6 : 0; /* zero seed */
		map = fixture_map(host, &def);
		CHECK_EQ(false_answers(map, 0, 1000), 0);
		for (u64 v = 0; v < 1000; v++)
			CHECK_EQ(map->ops->update(map, NULL, &v, 0), 0);
		CHECK_EQ(false_answers(map, 0, 1000), 1000);
		wrong = false_answers(map, 1000000, 10000);
		CHECK(wrong < (extras[i] == 1 ? 6000 : extras[i] == 3 ? 2500 : 800));
		CHECK(map->ops->count(map) > 500 && map->ops->count(map) <= 1000);
		map_put(map);
		fixture_free(host);
	}
}

static void *add_some(void *data)
{
	struct worker *w = data;

	for (u64 v = w->id; v < 4000; v += 2)
		if (w->map->ops->update(w->map, NULL, &v, 0) ||
		    w->map->ops->read(w->map, NULL, &v))
			w->sum++;
	return NULL;
}

TEST(race_bloom)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = keyless(MAP_BLOOM_FILTER, 200, 8);
	struct map *map = fixture_map(host, &def);
	struct worker w[2] = {{.map = map}, {.map = map, .id = 1}};

	for (u32 i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&w[i].thread, NULL, add_some, &w[i]), 0);
	for (u32 i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	CHECK(!w[0].sum && !w[1].sum);
	CHECK_EQ(false_answers(map, 0, 4000), 4000);
	map_put(map);
	fixture_free(host);
}

TEST(keyless_bad_arguments)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = keyless(MAP_BLOOM_FILTER, 10, 8);
	struct pintle_object object = {.host = host};
	struct pintle_map h = {&object, &def, fixture_map(host, &def)};
	static const u64 bad[] = {1, 2, 3, 4, 8, UINT64_MAX};
	u64 value = 5;
	u32 key = 0;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(pintle_map_update(&h, NULL, &value, bad[i]), -EINVAL);
	CHECK_EQ(pintle_map_update(&h, &key, &value, 0), -EINVAL); /* a key */
	CHECK_EQ(pintle_map_lookup(&h, NULL, &value), -ENOENT);
	CHECK_EQ(pintle_map_update(&h, NULL, &value, 0), 0);
	CHECK_EQ(pintle_map_lookup(&h, NULL, &value), 0);
	CHECK_EQ(pintle_map_lookup(&h, NULL, NULL), -EINVAL);
	CHECK_EQ(pintle_map_delete(&h, NULL), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup_and_delete(&h, NULL, &value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_next_key(&h, NULL, &key), -EOPNOTSUPP);
	map_put(h.map);
	for (u32 t = 0; t < 2; t++) {
		def = keyless(t ? MAP_QUEUE : MAP_STACK, 10, 8);
		h.map = fixture_map(host, &def);
		for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
			if (bad[i] != MAP_EXIST)
				CHECK_EQ(pintle_map_update(&h, NULL, &value, bad[i]),
					 -EINVAL);
		CHECK_EQ(pintle_map_update(&h, &key, &value, 0), -EINVAL);
		CHECK_EQ(pintle_map_update(&h, NULL, NULL, 0), -EINVAL);
		CHECK_EQ(pintle_map_lookup(&h, NULL, NULL), -EINVAL);
		CHECK_EQ(pintle_map_count(&h), 0);
		CHECK_EQ(pintle_map_update(&h, NULL, &value, 0), 0);
		CHECK_EQ(pintle_map_delete(&h, NULL), -EOPNOTSUPP);
		CHECK_EQ(pintle_map_next_key(&h, NULL, &key), -EOPNOTSUPP);
		CHECK_EQ(pintle_map_lookup_and_delete(&h, NULL, NULL), -EINVAL);
		CHECK_EQ(pintle_map_lookup_and_delete(&h, NULL, &value), 0);
		CHECK_EQ(value, 5);
		CHECK_EQ(pintle_map_lookup_and_delete(&h, NULL, &value), -ENOENT);
		map_put(h.map);
		value = 5;
	}
	fixture_free(host);
}
