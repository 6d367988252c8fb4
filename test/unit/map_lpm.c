/* SPDX-License-Identifier: MIT
 *
 * map_lpm.c: LPM tries against a plain list of prefixes; walks; typed pointers in them
 * (rule book I5, D04).
 */
#include "fail_alloc.h"
#include "map_fixture.h"

#include <pthread.h>

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

struct key {
	u32 len;
	u8 bits[4];
};

enum { MAX = 300 };

struct model {
	struct map *map;
	struct { struct key key; u64 value; } at[MAX];
	u32 n, bytes;
};

static struct image_map lpm_def(u32 entries, u32 bytes, const struct record *rec)
{
	struct image_map def = fixture_def(MAP_LPM_TRIE, entries, MAPF_NO_PREALLOC, rec);

	def.key_size = 4 + bytes;
	return def;
}

static bool covers(const struct key *a, const struct key *b)
{
	if (a->len > b->len)
		return false;
	for (u32 i = 0; i < a->len; i++)
		if ((a->bits[i / 8] ^ b->bits[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

/* Few bits differ, so that prefixes meet. */
static struct key random_key(const struct model *m, u32 *seed)
{
	struct key k = {random_of(seed) % (m->bytes * 8 + 1)};

	for (u32 i = 0; i < m->bytes; i++)
		k.bits[i] = (u8)(random_of(seed) & random_of(seed) & 0x93);
	return k;
}

static int model_find(const struct model *m, const struct key *k)
{
	for (u32 i = 0; i < m->n; i++)
		if (m->at[i].key.len == k->len && covers(&m->at[i].key, k))
			return (int)i;
	return -1;
}

static int model_longest(const struct model *m, const struct key *k)
{
	int best = -1;

	for (u32 i = 0; i < m->n; i++)
		if (covers(&m->at[i].key, k) &&
		    (best < 0 || m->at[i].key.len > m->at[best].key.len))
			best = (int)i;
	return best;
}

static void model_update(struct model *m, struct key k, u64 value, u64 flags)
{
	int i = model_find(m, &k), want = 0;

	if (flags > 2)
		want = -EINVAL;
	else if (i >= 0 && flags == MAP_NOEXIST)
		want = -EEXIST;
	else if (i < 0 && flags == MAP_EXIST)
		want = -ENOENT;
	else if (i < 0 && m->n == m->map->max_entries)
		want = -ENOSPC;
	CHECK_EQ(m->map->ops->update(m->map, &k, &value, flags), want);
	if (want)
		return;
	if (i < 0) {
		i = (int)m->n++;
		m->at[i].key = k;
	}
	m->at[i].value = value;
}

static void model_remove(struct model *m, struct key k, bool take)
{
	int i = model_find(m, &k);
	u64 value = 0;

	if (take)
		CHECK_EQ(m->map->ops->take(m->map, &k, &value), i < 0 ? -ENOENT : 0);
	else
		CHECK_EQ(m->map->ops->remove(m->map, &k), i < 0 ? -ENOENT : 0);
	if (i < 0)
		return;
	CHECK(!take || value == m->at[i].value);
	m->at[i] = m->at[--m->n];
}

static void model_lookup(struct model *m, struct key k)
{
	int i = model_longest(m, &k);
	u64 *at = m->map->ops->lookup(m->map, &k), out;

	CHECK_EQ(!!at, i >= 0);
	CHECK_EQ(m->map->ops->read(m->map, &k, &out), at ? 0 : -ENOENT);
	CHECK(!at || (*at == m->at[i].value && out == *at));
}

/* Every key once; none before one that it is a prefix of. */
static void model_walk(struct model *m)
{
	struct key seen[MAX], key = {0};
	void *at = NULL;
	u32 n = 0;

	while (!m->map->ops->next_key(m->map, at, &key)) {
		CHECK(n < m->n && model_find(m, &key) >= 0);
		for (u32 i = 0; i < n; i++)
			CHECK(!covers(&seen[i], &key));
		seen[n++] = key;
		at = &key;
	}
	CHECK_EQ(n, m->n);
	CHECK_EQ(m->map->ops->count(m->map), n);
}

static void check_model(u32 bytes, u32 entries)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(entries, bytes, NULL);
	struct model m = {.map = fixture_map(host, &def), .bytes = bytes};
	u32 seed = bytes;

	for (u32 round = 0; round < 40; round++) {
		run_read_lock(host);
		for (u32 i = 0; i < 300; i++) {
			u32 what = random_of(&seed) % 8;
			struct key k = random_key(&m, &seed);

			if (what < 3)
				model_update(&m, k, seed, what ? 0 : random_of(&seed) % 4);
			else if (what < 5)
				model_remove(&m, k, what & 1);
			else
				model_lookup(&m, k);
		}
		model_walk(&m);
		run_read_unlock(host);
		if (round % 8 == 0)
			defer_drain(host);
	}
	map_put(m.map);
	fixture_free(host);
}

TEST(lpm_random_operations)
{
	check_model(1, 300);
	check_model(1, 40);
	check_model(2, 300);
	check_model(4, 300);
}

/* A walk goes on after what was deleted meanwhile, and ends; keys that stay are seen. */
TEST(lpm_walk_while_changing)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(600, 2, NULL);
	struct model m = {.map = fixture_map(host, &def), .bytes = 2};
	u32 seed = 3, steps = 0, stay = 0, seen = 0;
	struct key key = {0};
	void *at = NULL;
	u64 v = 1, out;

	for (u32 i = 0; i < 250; i++)
		model_update(&m, random_key(&m, &seed), 0, 0);
	run_read_lock(host);
	for (u32 i = 0; i < m.n; i += 3, stay++) /* these stay: value 1 */
		CHECK_EQ(m.map->ops->update(m.map, &m.at[i].key, &v, MAP_EXIST), 0);
	for (; !m.map->ops->next_key(m.map, at, &key); at = &key) {
		struct key other = random_key(&m, &seed);
		int i = model_find(&m, &other);

		CHECK(steps++ < 2000);
		CHECK(!m.map->ops->read(m.map, &key, &out));
		seen += out == 1;
		v = 0;
		if (out != 1)
			m.map->ops->remove(m.map, &key);
		if (i < 0 || i % 3)
			m.map->ops->update(m.map, &other, &v, MAP_NOEXIST);
	}
	run_read_unlock(host);
	CHECK_EQ(seen, stay);
	map_put(m.map);
	fixture_free(host);
}

static u64 remove_each(void *data, const void *key, void *value)
{
	struct map *map = data;

	CHECK_EQ(map->ops->remove(map, key), 0);
	return 0;
}

TEST(lpm_for_each_may_delete)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(600, 2, NULL);
	struct model m = {.map = fixture_map(host, &def), .bytes = 2};
	u32 seed = 3;

	for (u32 i = 0; i < 250; i++)
		model_update(&m, random_key(&m, &seed), 0, 0);
	run_read_lock(host);
	CHECK_EQ(m.map->ops->for_each(m.map, remove_each, m.map), m.n);
	CHECK_EQ(m.map->ops->for_each(m.map, remove_each, m.map), 0);
	run_read_unlock(host);
	CHECK_EQ(m.map->ops->count(m.map), 0);
	map_put(m.map);
	fixture_free(host);
}

/* The deepest there can be. */
TEST(lpm_long_keys)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(4000, 256, NULL);
	struct map *map = fixture_map(host, &def);
	struct { u32 len; u8 bits[256]; } k = {0};
	u64 v;

	run_read_lock(host);
	for (k.len = 0; k.len <= 2048; k.len++) {
		v = k.len;
		CHECK_EQ(map->ops->update(map, &k, &v, MAP_NOEXIST), 0);
	}
	k.len = 2048;
	for (u32 i = 0; i < 2048; i += 37) {
		k.bits[i / 8] = (u8)(0x80 >> i % 8);
		CHECK_EQ(map->ops->read(map, &k, &v), 0);
		CHECK_EQ(v, i);
		k.bits[i / 8] = 0;
	}
	for (k.len = 1; k.len <= 2048; k.len += 2)
		CHECK_EQ(map->ops->remove(map, &k), 0);
	CHECK_EQ(map->ops->count(map), 1025);
	run_read_unlock(host);
	map_put(map);
	fixture_free(host);
}

/* D04, F.4, M05, M08, M13, M14. */
TEST(lpm_slots)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(4, 4, value_unlocked);
	struct map *map = fixture_map(host, &def);
	struct key k = {24, {10, 1, 2, 0}}, host_key = {32, {10, 1, 2, 3}};
	struct value zero = {0}, out, *v;
	struct slot_ctx *slot;

	memset(&out, 0xaa, sizeof(out));
	slot = fixture_enter(host);
	CHECK_EQ(map->ops->update(map, &k, &out, 0), 0);
	v = map->ops->lookup(map, &host_key);
	CHECK(v && !v->one && !v->two && !v->peek); /* M01 */
	v->one = thing_new();
	v->two = thing_new();
	CHECK_EQ(map->ops->read(map, &host_key, &out), 0);
	CHECK(!out.one && !out.two && out.a == 0xaaaaaaaa); /* M02 */
	CHECK_EQ(map->ops->update(map, &k, &zero, MAP_EXIST), 0); /* M05 */
	CHECK(!v->one && map->ops->lookup(map, &host_key) != v);
	fixture_leave(slot);
	defer_drain(host);
	CHECK_EQ(things_put, 2);
	slot = fixture_enter(host);
	v = map->ops->lookup(map, &host_key);
	v->one = thing_new();
	CHECK_EQ(map->ops->remove(map, &k), 0); /* M08 */
	CHECK(!v->one); /* M14 */
	v->two = thing_new();
	fixture_leave(slot);
	defer_drain(host);
	CHECK_EQ(things_put, 4); /* M13 */
	CHECK_EQ(map->ops->update(map, &k, &zero, 0), 0);
	run_read_lock(host);
	v = map->ops->lookup(map, &host_key);
	v->one = thing_new();
	run_read_unlock(host);
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 1);
	map_put(map);
	defer_drain(host);
	CHECK_EQ(things_put, 5); /* M18 */
	fixture_free(host);
}

TEST(lpm_bad_arguments)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(4, 4, NULL);
	struct map *map = fixture_map(host, &def);
	static const u64 bad[] = {3, 4, 8, UINT64_MAX};
	struct key k = {33};
	u64 v = 0;

	CHECK_EQ(map->ops->update(map, &k, &v, 0), -EINVAL); /* too long */
	CHECK_EQ(map->ops->remove(map, &k), -EINVAL);
	CHECK_EQ(map->ops->take(map, &k, &v), -EINVAL);
	CHECK_EQ(map->ops->read(map, &k, &v), -ENOENT);
	CHECK(!map->ops->lookup(map, &k));
	k.len = UINT32_MAX;
	CHECK_EQ(map->ops->update(map, &k, &v, 0), -EINVAL);
	CHECK_EQ(map->ops->next_key(map, &k, &k), -ENOENT);
	k.len = 32;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(map->ops->update(map, &k, &v, bad[i]), -EINVAL);
	CHECK_EQ(map->ops->remove(map, &k), -ENOENT);
	CHECK_EQ(map->ops->count(map), 0);
	map_put(map);
	fixture_free(host);
}

/* Every allocation of an update in turn: it fails whole, or not at all. */
TEST(lpm_update_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(4, 4, NULL);
	struct map *map = fixture_map(host, &def);
	struct key a = {32, {1, 2, 3, 4}}, b = {32, {1, 2, 3, 8}};
	u64 v = 7, out;
	bool failed = true;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	CHECK_EQ(map->ops->update(map, &a, &v, 0), 0);
	for (u32 n = 1; failed; n++) {
		int err;

		CHECK(n < 9);
		fail_alloc_at(n);
		err = map->ops->update(map, &b, &v, 0);
		failed = fail_alloc_off();
		CHECK_EQ(err, failed ? -ENOMEM : 0);
		CHECK_EQ(map->ops->count(map), failed ? 1 : 2);
	}
	run_read_lock(host);
	fail_alloc_at(1);
	CHECK_EQ(map->ops->remove(map, &b), 0); /* needs none but a reserve */
	CHECK_EQ(map->ops->read(map, &a, &out), 0);
	fail_alloc_off();
	run_read_unlock(host);
	CHECK_EQ(out, 7);
	map_put(map);
	fixture_free(host);
}

/* ------------------------------------------------------------------ threads */

struct worker {
	pthread_t thread;
	struct map *map;
	u32 seed;
	const char *wrong;
};

static void *change(void *data)
{
	struct worker *w = data;

	for (u32 i = 0; i < 30000; i++) {
		u32 len = random_of(&w->seed) % 33;
		struct key k = {len, {(u8)(random_of(&w->seed) & 0x81)}};
		u64 v = len, *at;

		run_read_lock(w->map->host);
		if (random_of(&w->seed) & 1)
			w->map->ops->update(w->map, &k, &v, 0);
		else if (k.len) /* the whole stays */
			w->map->ops->remove(w->map, &k);
		at = w->map->ops->lookup(w->map, &k);
		if (!at || __atomic_load_n(at, __ATOMIC_RELAXED) > len)
			w->wrong = "no prefix, or a longer one";
		if (i % 64 == 0 && !w->map->ops->next_key(w->map, &k, &k) && k.len > 32)
			w->wrong = "a key that nobody inserted";
		run_read_unlock(w->map->host);
		defer_safe_point(w->map->host);
	}
	return NULL;
}

TEST(race_lpm)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = lpm_def(100, 4, NULL);
	struct worker w[4] = {{0}};
	struct key all = {0};
	u64 v = 0;

	w[0].map = fixture_map(host, &def);
	CHECK_EQ(w[0].map->ops->update(w[0].map, &all, &v, 0), 0);
	for (u32 i = 0; i < 4; i++) {
		w[i].map = w[0].map;
		w[i].seed = i;
		CHECK_EQ(pthread_create(&w[i].thread, NULL, change, &w[i]), 0);
	}
	for (u32 i = 0; i < 4; i++)
		pthread_join(w[i].thread, NULL);
	for (u32 i = 0; i < 4; i++)
		if (w[i].wrong)
			test_fail(__FILE__, __LINE__, "%s", w[i].wrong);
	map_put(w[0].map);
	fixture_free(host);
}
