/* SPDX-License-Identifier: MIT
 *
 * map_kinds.c: which tests each kind of map has: random operations against a plain
 * reference, threads, arguments that make no sense, no memory. A kind that is missing here
 * fails, as does a test that is named and does not exist. What is the same for all kinds
 * with keys is tested here too, through the public API; a kind is tested by those of
 * these that its row names.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

#include <pthread.h>

enum { ENTRIES = 16, KEYS = 24 };

enum group {
	BY_INDEX = 1,	  /* every key below max_entries is there */
	EVICTS = 2,	  /* never full */
	HOLDS_MAPS = 4,	  /* values are inner maps */
	UNBOUNDED = 8,
	NO_KEYS = 16,
};

#define RANDOM "map_kinds_random_operations"
#define ARGS "map_kinds_bad_arguments"
#define MEMORY "map_kinds_without_memory"
#define CREATE "map_create_without_memory" /* no operation allocates */
#define RACES "race_everything"

static const struct kind {
	u32 type, flags, groups;
	int full; /* what an insertion into a full map answers */
	const char *model, *threads, *args, *memory;
} kinds[] = {
	{MAP_ARRAY, 0, BY_INDEX, -E2BIG, RANDOM, RACES, ARGS, CREATE},
	{MAP_PERCPU_ARRAY, 0, BY_INDEX, -E2BIG, RANDOM, RACES, ARGS, CREATE},
	{MAP_HASH, 0, 0, -E2BIG, RANDOM, RACES, ARGS, MEMORY},
	{MAP_HASH, MAPF_NO_PREALLOC, 0, -E2BIG, RANDOM, RACES, ARGS, MEMORY},
	{MAP_PERCPU_HASH, 0, 0, -E2BIG, RANDOM, RACES, ARGS, MEMORY},
	{MAP_PERCPU_HASH, MAPF_NO_PREALLOC, 0, -E2BIG, RANDOM, RACES, ARGS, MEMORY},
	{MAP_LRU_HASH, 0, EVICTS, 0, RANDOM, RACES, ARGS, MEMORY},
	{MAP_LRU_PERCPU_HASH, 0, EVICTS, 0, RANDOM, RACES, ARGS, MEMORY},
	{MAP_LPM_TRIE, MAPF_NO_PREALLOC, 0, -ENOSPC, RANDOM, RACES, ARGS, MEMORY},
	{MAP_ARRAY_OF_MAPS, 0, BY_INDEX | HOLDS_MAPS, -E2BIG, RANDOM, RACES, ARGS, CREATE},
	{MAP_HASH_OF_MAPS, 0, HOLDS_MAPS, -E2BIG, RANDOM, RACES, ARGS, MEMORY},
	{MAP_HASH_OF_MAPS, MAPF_NO_PREALLOC, HOLDS_MAPS, -E2BIG, RANDOM, RACES, ARGS, MEMORY},
	{MAP_TASK_STORAGE, MAPF_NO_PREALLOC, UNBOUNDED, 0, RANDOM, "race_storage", ARGS, MEMORY},
	{MAP_SK_STORAGE, MAPF_NO_PREALLOC, UNBOUNDED, 0, RANDOM, "race_storage", ARGS, MEMORY},
	{MAP_INODE_STORAGE, MAPF_NO_PREALLOC, UNBOUNDED, 0, RANDOM, "race_storage", ARGS, MEMORY},
	{MAP_CGRP_STORAGE, MAPF_NO_PREALLOC, UNBOUNDED, 0, RANDOM, "race_storage", ARGS, MEMORY},
	{MAP_QUEUE, 0, NO_KEYS, 0, "queue_random_operations", "race_queue",
	 "keyless_bad_arguments", CREATE},
	{MAP_STACK, 0, NO_KEYS, 0, "queue_random_operations", "race_queue",
	 "keyless_bad_arguments", CREATE},
	{MAP_BLOOM_FILTER, 0, NO_KEYS, 0, "bloom_has_what_was_added", "race_bloom",
	 "keyless_bad_arguments", CREATE},
	{MAP_RINGBUF, 0, NO_KEYS, 0, "ring_random_operations", "race_ring",
	 "ring_bad_arguments", "ring_open_without_memory"},
	{MAP_USER_RINGBUF, 0, NO_KEYS, 0, "user_ring_random_operations", "race_ring_room",
	 "user_ring_bad_arguments", "ring_open_without_memory"},
	{MAP_STRUCT_OPS, 0, NO_KEYS, 0, "ops_tables_called_and_replaced",
	 "race_ops_replaced_under_load", "ops_tables_of_an_object", "ops_without_memory"},
	{MAP_PROG_ARRAY, 0, NO_KEYS, 0, "prog_array_random_operations", "race_prog_array",
	 "prog_array_bad_arguments", CREATE},
	{MAP_ARENA, 0, NO_KEYS, 0, "arena_accesses", "race_arena", "arena_attributes", CREATE},
};

TEST(map_kinds_are_all_tested)
{
	for (u32 type = 1; type < NR_MAP_TYPES; type++) {
		const char *name = abi_map_type(type)->name;
		u32 rows = 0;

		if (!map_ops_of(type))
			continue;
		for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
			const struct kind *k = &kinds[i];

			if (k->type != type)
				continue;
			rows++;
			if (!test_exists(k->model) || !test_exists(k->threads) ||
			    !test_exists(k->args) || !test_exists(k->memory))
				test_fail(__FILE__, __LINE__, "%s names no test", name);
		}
		if (!rows)
			test_fail(__FILE__, __LINE__, "no tests of maps of type %s", name);
	}
}

/* ------------------------------------------------------------------ one map of a kind */

struct rig {
	const struct kind *kind;
	struct pintle_host *host;
	struct pintle_object object;
	struct image_map def, inner_def;
	struct pintle_map map, inner[2];
	u32 nvalues, nkeys;
	u64 buf[8];
};

static bool is(const struct rig *r, enum group group)
{
	return r->kind->groups & group;
}

static struct image_map def_of(const struct kind *k)
{
	struct image_map def = fixture_def(k->type, ENTRIES, k->flags, NULL);

	if (k->type == MAP_LPM_TRIE)
		def.key_size = 8;
	if (k->groups & HOLDS_MAPS)
		def.value_size = 4;
	if (k->groups & UNBOUNDED)
		def.max_entries = 0;
	return def;
}

static void up(struct rig *r, const struct kind *k, u32 flags)
{
	*r = (struct rig){.kind = k, .host = fixture_host(RCU_DEFERRED_PUT)};
	r->object.host = r->host;
	r->inner_def = fixture_def(MAP_HASH, 4, 0, NULL);
	r->def = def_of(k);
	r->def.flags |= flags;
	r->nvalues = abi_map_type(k->type)->percpu ? 8 : 1;
	r->nkeys = k->groups & EVICTS ? ENTRIES : KEYS;
	r->map = (struct pintle_map){.object = &r->object, .image = &r->def};
	CHECK_EQ(map_create(NULL, r->host, &r->def, &r->inner_def, &r->map.map), 0);
	for (u32 i = 0; i < 2; i++)
		r->inner[i] = (struct pintle_map){&r->object, &r->inner_def,
						  fixture_map(r->host, &r->inner_def)};
}

static void down(struct rig *r)
{
	map_put(r->map.map);
	map_put(r->inner[0].map);
	map_put(r->inner[1].map);
	fixture_free(r->host);
}

/* Every row with keys whose column @test names this test. */
#define FOR_KINDS(r, column, test)                                                       \
	for (const struct kind *k_ = kinds; k_ < kinds + ARRAY_SIZE(kinds); k_++)        \
		for (struct rig r, *once_ = !strcmp(k_->column, test) &&                 \
						    !(k_->groups & NO_KEYS)              \
						    ? (up(&r, k_, 0), &r) : NULL;        \
		     once_; down(&r), once_ = NULL)

static u64 key_of(const struct rig *r, u32 k)
{
	if (r->kind->type == MAP_LPM_TRIE)
		return 32 | (u64)k << 32;
	return is(r, UNBOUNDED) ? (k + 1) * 64ull : k;
}

static int set(struct rig *r, u32 k, u64 v, u64 flags)
{
	u64 key = key_of(r, k);

	if (is(r, HOLDS_MAPS))
		return pintle_map_set_map(&r->map, &key, &r->inner[v & 1], flags);
	for (u32 i = 0; i < r->nvalues; i++)
		r->buf[i] = v;
	return pintle_map_update(&r->map, &key, r->buf, flags);
}

/* What set() had, from what a lookup put into the buffer. */
static u64 value_got(const struct rig *r)
{
	if (is(r, HOLDS_MAPS))
		return (u32)r->buf[0] == pintle_map_id(&r->inner[1]);
	for (u32 i = 1; i < r->nvalues; i++)
		CHECK_EQ(r->buf[i], r->buf[0]);
	return r->buf[0];
}

static int get(struct rig *r, u32 k, bool take, u64 *v)
{
	u64 key = key_of(r, k);
	int err;

	memset(r->buf, 0x55, sizeof(r->buf));
	err = take ? pintle_map_lookup_and_delete(&r->map, &key, r->buf)
		   : pintle_map_lookup(&r->map, &key, r->buf);
	*v = err ? 0 : value_got(r);
	return err;
}

/* ------------------------------------------------------------------ against an array */

struct model {
	bool there[KEYS];
	u64 v[KEYS];
	u32 n;
};

static void model_begin(const struct rig *r, struct model *m)
{
	*m = (struct model){0};
	m->n = is(r, BY_INDEX) && !is(r, HOLDS_MAPS) ? ENTRIES : 0;
	for (u32 k = 0; k < m->n; k++)
		m->there[k] = true;
}

static int model_set(const struct rig *r, struct model *m, u32 k, u64 v, u64 flags)
{
	if (is(r, BY_INDEX) && is(r, HOLDS_MAPS) && flags)
		return -EINVAL;
	if (is(r, BY_INDEX) && k >= ENTRIES)
		return -E2BIG;
	if (m->there[k] && flags == MAP_NOEXIST)
		return -EEXIST;
	if (!m->there[k] && flags == MAP_EXIST)
		return -ENOENT;
	if (!m->there[k] && m->n == ENTRIES && !is(r, UNBOUNDED))
		return r->kind->full;
	m->n += !m->there[k];
	m->there[k] = true;
	m->v[k] = is(r, HOLDS_MAPS) ? v & 1 : v;
	return 0;
}

static int model_remove(const struct rig *r, struct model *m, u32 k)
{
	if (is(r, BY_INDEX) && !is(r, HOLDS_MAPS))
		return -EINVAL;
	if (is(r, BY_INDEX) && k >= ENTRIES)
		return -E2BIG;
	if (!m->there[k])
		return -ENOENT;
	m->there[k] = false;
	m->n--;
	return 0;
}

static void check_all(struct rig *r, const struct model *m)
{
	u64 key = 0, v;
	u32 n = 0;

	for (u32 k = 0; k < r->nkeys; k++) {
		CHECK_EQ(get(r, k, false, &v), m->there[k] ? 0 : -ENOENT);
		CHECK(!m->there[k] || v == m->v[k]);
	}
	CHECK_EQ(pintle_map_count(&r->map), m->n);
	for (void *at = NULL; !pintle_map_next_key(&r->map, at, &key); at = &key)
		n++;
	CHECK_EQ(n, is(r, BY_INDEX) ? ENTRIES : m->n);
}

static void step(struct rig *r, struct model *m, u32 *seed)
{
	static const u64 flags[] = {MAP_ANY, MAP_ANY, MAP_NOEXIST, MAP_EXIST};
	u32 random = *seed = *seed * 1103515245 + 12345;
	u32 k = (random >> 8) % r->nkeys, what = (random >> 16) % 8;
	u64 flag = flags[(random >> 20) % 4], v, key = key_of(r, k);

	if (what < 4) {
		CHECK_EQ(set(r, k, random, flag), model_set(r, m, k, random, flag));
	} else if (what < 6) {
		CHECK_EQ(pintle_map_delete(&r->map, &key), model_remove(r, m, k));
	} else if (what == 6 && r->map.map->ops->take) {
		CHECK_EQ(get(r, k, true, &v), m->there[k] ? 0 : -ENOENT);
		CHECK(!m->there[k] || v == m->v[k]);
		if (m->there[k])
			model_remove(r, m, k);
	} else {
		CHECK_EQ(get(r, k, false, &v), m->there[k] ? 0 : -ENOENT);
		CHECK(!m->there[k] || v == m->v[k]);
	}
}

TEST(map_kinds_random_operations)
{
	FOR_KINDS(r, model, RANDOM) {
		struct model m;
		u32 seed = r.kind->type;

		model_begin(&r, &m);
		for (u32 i = 0; i < 3000; i++) {
			step(&r, &m, &seed);
			if (i % 100 == 0)
				check_all(&r, &m);
		}
		check_all(&r, &m);
	}
}

/* ------------------------------------------------------------------ bad arguments */

/* A kind without the operation says so first. */
#define WANT(op, err) (r->map.map->ops->op ? (err) : -EOPNOTSUPP)

static void refuse_pointers(struct rig *r)
{
	u64 key = key_of(r, 1);

	CHECK_EQ(pintle_map_lookup(&r->map, NULL, r->buf), WANT(read, -EINVAL));
	CHECK_EQ(pintle_map_lookup(&r->map, &key, NULL), WANT(read, -EINVAL));
	CHECK_EQ(pintle_map_update(&r->map, NULL, r->buf, 0), WANT(write, -EINVAL));
	CHECK_EQ(pintle_map_update(&r->map, &key, NULL, 0), WANT(write, -EINVAL));
	CHECK_EQ(pintle_map_delete(&r->map, NULL), WANT(remove, -EINVAL));
	CHECK_EQ(pintle_map_lookup_and_delete(&r->map, NULL, r->buf), WANT(take, -EINVAL));
	CHECK_EQ(pintle_map_lookup_and_delete(&r->map, &key, NULL), WANT(take, -EINVAL));
	CHECK_EQ(pintle_map_next_key(&r->map, &key, NULL), WANT(next_key, -EINVAL));
	CHECK_EQ(pintle_map_set_map(&r->map, NULL, &r->inner[0], 0), -EINVAL);
	CHECK_EQ(pintle_map_set_map(&r->map, &key, NULL, 0), -EINVAL);
	CHECK_EQ(pintle_map_lookup(NULL, &key, r->buf), -EINVAL);
	CHECK_EQ(pintle_map_update(NULL, &key, r->buf, 0), -EINVAL);
	CHECK_EQ(pintle_map_delete(NULL, &key), -EINVAL);
	CHECK_EQ(pintle_map_lookup_and_delete(NULL, &key, r->buf), -EINVAL);
	CHECK_EQ(pintle_map_next_key(NULL, NULL, &key), -EINVAL);
}

static void refuse_flags(struct rig *r)
{
	static const u64 bad[] = {3, MAP_LOCK, MAP_LOCK | 1, MAP_LOCK | 2, 7, 8, 16, 1u << 31,
				  1ull << 32, 1ull << 63, UINT64_MAX};
	u64 key = key_of(r, 1);

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(set(r, 1, 1, bad[i]), -EINVAL);
		CHECK_EQ(pintle_map_update(&r->map, &key, r->buf, bad[i]),
			 WANT(write, -EINVAL));
		CHECK_EQ(pintle_map_set_map(&r->map, &key, &r->inner[0], bad[i]),
			 WANT(put, -EINVAL));
	}
	CHECK_EQ(pintle_map_set_prog(&r->map, 1, (void *)r), -EOPNOTSUPP);
}

static void refuse_batches(struct rig *r)
{
	u64 keys[2] = {0}, values[16] = {0}, to;
	u32 n = 2;

#define LOOKUP(from, to, keys, values, n, flags)                                         \
	CHECK_EQ(pintle_map_lookup_batch(&r->map, from, to, keys, values, n, flags),     \
		 WANT(read, -EINVAL));                                                   \
	CHECK_EQ(pintle_map_lookup_and_delete_batch(&r->map, from, to, keys, values, n,  \
						    flags), WANT(take, -EINVAL))
	LOOKUP(NULL, NULL, keys, values, &n, 0);
	LOOKUP(NULL, &to, NULL, values, &n, 0);
	LOOKUP(NULL, &to, keys, NULL, &n, 0);
	LOOKUP(NULL, &to, keys, values, NULL, 0);
	LOOKUP(NULL, &to, keys, values, &n, 1);
#undef LOOKUP
	CHECK_EQ(pintle_map_update_batch(&r->map, NULL, values, &n, 0), WANT(write, -EINVAL));
	CHECK_EQ(pintle_map_update_batch(&r->map, keys, NULL, &n, 0), WANT(write, -EINVAL));
	CHECK_EQ(pintle_map_update_batch(&r->map, keys, values, NULL, 0),
		 WANT(write, -EINVAL));
	CHECK_EQ(pintle_map_update_batch(&r->map, keys, values, &n, 8), WANT(write, -EINVAL));
	n = 2;
	CHECK_EQ(pintle_map_delete_batch(&r->map, NULL, &n, 0), WANT(remove, -EINVAL));
	CHECK_EQ(pintle_map_delete_batch(&r->map, keys, NULL, 0), WANT(remove, -EINVAL));
	CHECK_EQ(pintle_map_delete_batch(&r->map, keys, &n, 1), WANT(remove, -EINVAL));
}

TEST(map_kinds_bad_arguments)
{
	FOR_KINDS(r, args, ARGS) {
		struct model m;

		model_begin(&r, &m);
		CHECK_EQ(set(&r, 2, 7, 0), model_set(&r, &m, 2, 7, 0));
		refuse_pointers(&r);
		refuse_flags(&r);
		refuse_batches(&r);
		check_all(&r, &m); /* nothing changed */
	}
}

/* What a handle may not do, and a frozen map. */
TEST(map_kinds_rights)
{
	enum { RDONLY = 8, WRONLY = 16 };

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct rig r_, *r = &r_;
		u64 key;

		if (kinds[i].groups & (NO_KEYS | HOLDS_MAPS))
			continue;
		up(r, &kinds[i], RDONLY);
		key = key_of(r, 1);
		CHECK_EQ(pintle_map_update(&r->map, &key, r->buf, 0), -EPERM);
		CHECK_EQ(pintle_map_delete(&r->map, &key), -EPERM);
		CHECK_EQ(pintle_map_lookup_and_delete(&r->map, &key, r->buf), -EPERM);
		down(r);
		up(r, &kinds[i], WRONLY);
		CHECK_EQ(pintle_map_lookup(&r->map, &key, r->buf), -EPERM);
		CHECK_EQ(pintle_map_next_key(&r->map, NULL, r->buf), WANT(next_key, -EPERM));
		CHECK_EQ(pintle_map_update(&r->map, &key, r->buf, 0), 0);
		down(r);
		up(r, &kinds[i], 0);
		CHECK_EQ(pintle_map_freeze(&r->map), 0);
		CHECK_EQ(pintle_map_freeze(&r->map), -EBUSY);
		CHECK_EQ(pintle_map_update(&r->map, &key, r->buf, 0), -EPERM);
		CHECK_EQ(pintle_map_delete(&r->map, &key), -EPERM);
		CHECK_EQ(pintle_map_lookup(&r->map, &key, r->buf),
			 is(r, BY_INDEX) ? 0 : -ENOENT);
		down(r);
	}
}

/* ------------------------------------------------------------------ no memory */

/* An update that fails changes nothing; one that does not needed none. */
static void set_without(struct rig *r, struct model *m, u32 k, u64 v, u32 at)
{
	struct model after = *m;
	int want = model_set(r, &after, k, v, 0), err;

	fail_alloc_at(at);
	err = set(r, k, v, 0);
	fail_alloc_off();
	if (err != -ENOMEM)
		CHECK_EQ(err, want);
	if (!err)
		*m = after;
	check_all(r, m);
}

TEST(map_kinds_without_memory)
{
	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	FOR_KINDS(r, memory, MEMORY) {
		struct model m;

		model_begin(&r, &m);
		for (u32 at = 1; at < 4; at++)
			for (u32 k = 0; k < r.nkeys; k++) {
				u64 key = key_of(&r, k);

				set_without(&r, &m, k, at * 100 + k, at);
				set_without(&r, &m, k, at * 100 + k + 1, at);
				fail_alloc_at(1);
				CHECK_EQ(pintle_map_delete(&r.map, &key),
					 model_remove(&r, &m, k));
				fail_alloc_off();
				set_without(&r, &m, k, 1, at);
			}
		for (u32 k = 0; k < r.nkeys; k++) /* there is memory again */
			CHECK_EQ(set(&r, k, k, 0), model_set(&r, &m, k, k, 0));
		check_all(&r, &m);
	}
}

/* ------------------------------------------------------------------ filling */

enum { FILLERS = 3, ROOM = 500 };

struct filler {
	pthread_t thread;
	struct pintle_map *map;
	bool lpm;
	u32 id, done, full;
	int other; /* an error that is none of a full map */
};

static void *fill_up(void *data)
{
	struct filler *f = data;
	u64 value[8] = {1};

	for (u32 i = 0; i < ROOM; i++) {
		u64 n = i * FILLERS + f->id, key = f->lpm ? 32 | n << 32 : n;
		int err = pintle_map_update(f->map, &key, value, MAP_NOEXIST);

		f->done += !err;
		if (err == (f->lpm ? -ENOSPC : -E2BIG))
			f->full++;
		else if (err)
			f->other = err;
	}
	return NULL;
}

/* Threads that meet at the limit: exactly as many elements as may be there are, every other
 * insertion says that the map is full, and what is deleted makes room at once. */
TEST(race_map_kinds_filled)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct pintle_host *host;
		struct pintle_object object = {0};
		struct filler f[FILLERS];
		struct image_map def = def_of(k);
		struct pintle_map map = {&object, &def};
		u64 value[8] = {0}, key = 0;
		u32 done = 0, full = 0;

		if (k->groups)
			continue;
		host = object.host = fixture_host(RCU_DEFERRED_PUT);
		def.max_entries = ROOM;
		map.map = fixture_map(host, &def);
		for (u32 t = 0; t < FILLERS; t++) {
			f[t] = (struct filler){.map = &map, .id = t,
					       .lpm = k->type == MAP_LPM_TRIE};
			CHECK_EQ(pthread_create(&f[t].thread, NULL, fill_up, &f[t]), 0);
		}
		for (u32 t = 0; t < FILLERS; t++) {
			pthread_join(f[t].thread, NULL);
			done += f[t].done;
			full += f[t].full;
			CHECK_EQ(f[t].other, 0);
		}
		CHECK_EQ(done, ROOM);
		CHECK_EQ(full, (FILLERS - 1) * ROOM);
		CHECK_EQ(pintle_map_count(&map), ROOM);
		for (u32 n = 0; n < 3 * ROOM; n++) { /* full all the time but for one */
			CHECK_EQ(pintle_map_next_key(&map, NULL, &key), 0);
			CHECK_EQ(pintle_map_delete(&map, &key), 0);
			CHECK_EQ(pintle_map_update(&map, &key, value, 0), 0);
		}
		CHECK_EQ(pintle_map_count(&map), ROOM);
		map_put(map.map);
		fixture_free(host);
	}
}
