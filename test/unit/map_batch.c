/* SPDX-License-Identifier: MIT
 *
 * map_batch.c: what hosts do with whole maps: batches, freezing, addresses of bytes.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

static const u32 types[] = {MAP_HASH, MAP_LRU_HASH, MAP_ARRAY, MAP_PERCPU_HASH,
			    MAP_PERCPU_ARRAY};

enum { N = 100, SLOTS = 8 };

struct rig {
	struct pintle_host *host;
	struct pintle_object object;
	struct image_map def;
	struct pintle_map map;
	u32 keys[N], width; /* u64s a value has */
	u64 values[N * SLOTS];
};

static void rig_up(struct rig *r, u32 type, u32 entries)
{
	memset(r, 0, sizeof(*r));
	r->host = fixture_host(RCU_DEFERRED_PUT);
	r->object.host = r->host;
	r->def = fixture_def(type, entries, 0, NULL);
	r->map = (struct pintle_map){&r->object, &r->def,
				     fixture_map(r->host, &r->def)};
	r->width = abi_map_type(type)->percpu ? SLOTS : 1;
}

static void rig_down(struct rig *r)
{
	map_put(r->map.map);
	fixture_free(r->host);
}

static void fill(struct rig *r)
{
	u32 n = N;

	for (u32 i = 0; i < N; i++) {
		r->keys[i] = i;
		for (u32 s = 0; s < r->width; s++)
			r->values[i * r->width + s] = i * 10 + s;
	}
	CHECK_EQ(pintle_map_update_batch(&r->map, r->keys, r->values, &n, 0), 0);
	CHECK_EQ(n, N);
}

/* Batches of every size give each element once, by the same buffer or two. */
static void check_lookups(struct rig *r, u32 size, bool take)
{
	bool seen[N] = {0};
	u32 cursor = 77, total = 0, n, keys[N], *from = NULL;
	u64 values[N * SLOTS];
	int err = 0;

	while (!err) {
		n = size;
		err = (take ? pintle_map_lookup_and_delete_batch
			    : (int (*)(struct pintle_map *, const void *, void *, void *,
				       void *, u32 *, u64))pintle_map_lookup_batch)(
			&r->map, from, &cursor, keys, values, &n, 0);
		CHECK(err == 0 || err == -ENOENT);
		CHECK(err ? n <= size : n == size);
		for (u32 i = 0; i < n; i++) {
			CHECK(keys[i] < N && !seen[keys[i]]);
			seen[keys[i]] = true;
			for (u32 s = 0; s < r->width; s++)
				CHECK_EQ(values[i * r->width + s], keys[i] * 10 + s);
		}
		total += n;
		from = &cursor;
	}
	CHECK_EQ(total, N);
}

TEST(map_batches)
{
	for (u32 t = 0; t < ARRAY_SIZE(types); t++) {
		bool array = !abi_map_type(types[t])->any_key;
		struct rig r;
		u32 n = N / 2;

		rig_up(&r, types[t], N);
		fill(&r);
		check_lookups(&r, 1, false);
		check_lookups(&r, 7, false);
		check_lookups(&r, N, false);
		CHECK_EQ(pintle_map_delete_batch(&r.map, r.keys, &n, 0),
			 array ? -EINVAL : 0);
		CHECK_EQ(n, array ? 0 : N / 2);
		n = N;
		CHECK_EQ(pintle_map_delete_batch(&r.map, r.keys, &n, 0),
			 array ? -EINVAL : -ENOENT);
		CHECK_EQ(n, 0);
		CHECK_EQ(pintle_map_count(&r.map), array ? N : N / 2);
		fill(&r);
		if (!array) {
			check_lookups(&r, 9, true);
			CHECK_EQ(pintle_map_count(&r.map), 0);
		} else {
			CHECK_EQ(pintle_map_lookup_and_delete(&r.map, r.keys, r.values),
				 -EOPNOTSUPP);
		}
		rig_down(&r);
	}
}

TEST(map_batch_stops_where_it_fails)
{
	struct rig r;
	u32 n = N;

	rig_up(&r, MAP_HASH, 30);
	for (u32 i = 0; i < N; i++)
		r.keys[i] = i;
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, r.values, &n, PINTLE_NOEXIST),
		 -E2BIG);
	CHECK_EQ(n, 30);
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, r.values, &n, PINTLE_NOEXIST),
		 -EEXIST);
	CHECK_EQ(n, 0);
	rig_down(&r);
}

TEST(map_batch_bad_arguments)
{
	struct image_map queue = fixture_def(MAP_QUEUE, 4, 0, NULL);
	struct rig r;
	u32 n = 1, to;

	rig_up(&r, MAP_HASH, N);
	CHECK_EQ(pintle_map_update_batch(&r.map, NULL, r.values, &n, 0), -EINVAL);
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, NULL, &n, 0), -EINVAL);
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, r.values, NULL, 0), -EINVAL);
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, r.values, &n, 8), -EINVAL);
	CHECK_EQ(n, 0);
	n = 1;
	CHECK_EQ(pintle_map_delete_batch(&r.map, r.keys, &n, 1), -EINVAL);
	CHECK_EQ(pintle_map_delete_batch(&r.map, NULL, &n, 0), -EINVAL);
	CHECK_EQ(pintle_map_lookup_batch(&r.map, NULL, NULL, r.keys, r.values, &n, 0),
		 -EINVAL);
	CHECK_EQ(pintle_map_lookup_batch(&r.map, NULL, &to, r.keys, r.values, &n, 4),
		 -EINVAL);
	CHECK_EQ(pintle_map_lookup_batch(&r.map, NULL, &to, r.keys, r.values, NULL, 0),
		 -EINVAL);
	CHECK_EQ(pintle_map_lookup_batch(&r.map, NULL, &to, r.keys, r.values, &n, 0),
		 -ENOENT);
	CHECK_EQ(n, 0);
	if (fail_alloc_works()) {
		int err;

		n = 1;
		fail_alloc_at(1);
		err = pintle_map_lookup_batch(&r.map, NULL, &to, r.keys, r.values, &n, 0);
		fail_alloc_off();
		CHECK_EQ(err, -ENOMEM);
	}
	map_put(r.map.map);
	queue.key_size = 0;
	r.map = (struct pintle_map){&r.object, &queue, fixture_map(r.host, &queue)};
	n = 1;
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, r.values, &n, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_delete_batch(&r.map, r.keys, &n, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup_batch(&r.map, NULL, &to, r.keys, r.values, &n, 0),
		 -EOPNOTSUPP);
	rig_down(&r);
}

TEST(map_freeze_ends_writes)
{
	struct rig r;
	u32 n = 1, to;

	rig_up(&r, MAP_HASH, N);
	CHECK_EQ(pintle_map_freeze(NULL), -EINVAL);
	CHECK_EQ(pintle_map_update(&r.map, r.keys, r.values, 0), 0);
	CHECK_EQ(pintle_map_freeze(&r.map), 0);
	CHECK_EQ(pintle_map_freeze(&r.map), -EBUSY);
	CHECK_EQ(pintle_map_update(&r.map, r.keys, r.values, 0), -EPERM);
	CHECK_EQ(pintle_map_delete(&r.map, r.keys), -EPERM);
	CHECK_EQ(pintle_map_lookup_and_delete(&r.map, r.keys, r.values), -EPERM);
	CHECK_EQ(pintle_map_update_batch(&r.map, r.keys, r.values, &n, 0), -EPERM);
	CHECK_EQ(pintle_map_delete_batch(&r.map, r.keys, &n, 0), -EPERM);
	CHECK_EQ(pintle_map_lookup_and_delete_batch(&r.map, NULL, &to, r.keys, r.values,
						    &n, 0), -EPERM);
	CHECK_EQ(pintle_map_lookup(&r.map, r.keys, r.values), 0);
	rig_down(&r);
}

/* D08, D09. */
TEST(map_with_fields_is_not_shared)
{
	struct rig r;
	struct image_map def = fixture_def(MAP_ARRAY, 4, MAPF_MMAPABLE, value_record);
	size_t size = 0;
	u64 *bytes;

	rig_up(&r, MAP_HASH, N);
	map_put(r.map.map);
	r.map = (struct pintle_map){&r.object, &def, fixture_map(r.host, &def)};
	CHECK(!pintle_map_data(&r.map, &size)); /* D08 */
	CHECK_EQ(pintle_map_freeze(&r.map), -EOPNOTSUPP); /* D09 */
	map_put(r.map.map);

	def = fixture_def(MAP_ARRAY, 4, 0, NULL);
	r.map = (struct pintle_map){&r.object, &def, fixture_map(r.host, &def)};
	CHECK(!pintle_map_data(&r.map, &size)); /* not asked for */
	map_put(r.map.map);

	def = fixture_def(MAP_ARRAY, 4, MAPF_MMAPABLE, NULL);
	def.value_size = 5;
	r.map = (struct pintle_map){&r.object, &def, fixture_map(r.host, &def)};
	bytes = pintle_map_data(&r.map, &size);
	CHECK(bytes && size == 4 * 8);
	r.keys[0] = 2;
	CHECK_EQ(pintle_map_update(&r.map, r.keys, "12345", 0), 0);
	CHECK(!memcmp(&bytes[2], "12345", 5));
	CHECK_EQ(pintle_map_freeze(&r.map), -EBUSY);
	map_put(r.map.map);
	r.map.map = fixture_map(r.host, &def);
	CHECK_EQ(pintle_map_freeze(&r.map), 0);
	CHECK(!pintle_map_data(&r.map, &size));
	rig_down(&r);
}
