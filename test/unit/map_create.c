/* SPDX-License-Identifier: MIT
 *
 * map_create.c: attributes that make no sense, life and references, no memory.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

static void refused(struct image_map def, int err, const char *words)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct map *map = (void *)1;
	struct log log = {0};

	CHECK_EQ(map_create(&log, host, &def, NULL, &map), err);
	CHECK(!map);
	CHECK_HAS(log_text(&log), "map 'm': ");
	CHECK_HAS(log_text(&log), words);
	log_free(&log);
	fixture_free(host);
}

TEST(map_kinds)
{
	CHECK(map_ops_of(MAP_ARRAY) == &map_array_ops);
	CHECK(map_ops_of(MAP_HASH) == &map_hash_ops);
	CHECK(map_ops_of(MAP_PERCPU_ARRAY) == &map_percpu_array_ops);
	CHECK(!map_ops_of(MAP_UNSPEC) && !map_ops_of(12345));
	/* abi and runtime agree on what there is */
	for (u32 type = 0; type < NR_MAP_TYPES; type++)
		if (abi_map_type(type)->supported)
			CHECK(map_ops_of(type));
}

/* What the verifier lets programs call on a kind is there: a NULL would be jumped to. */
TEST(map_kinds_have_what_helpers_call)
{
	static const struct { u32 id; size_t op; } calls[] = {
		{1, offsetof(struct map_ops, lookup)},
		{2, offsetof(struct map_ops, update)},
		{3, offsetof(struct map_ops, remove)},
		{87, offsetof(struct map_ops, update)},
		{88, offsetof(struct map_ops, take)},
		{89, offsetof(struct map_ops, read)},
		{164, offsetof(struct map_ops, for_each)},
		{195, offsetof(struct map_ops, lookup_percpu)},
	};

	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct abi_helper *h = abi_helper(calls[i].id);

		CHECK(h && h->map_types);
		for (u32 type = 1; type < NR_MAP_TYPES; type++) {
			const struct map_ops *ops = map_ops_of(type);

			if (!ops || !(h->map_types & BIT64(type)))
				continue;
			if (!*(void *const *)((const char *)ops + calls[i].op))
				test_fail(__FILE__, __LINE__, "%s on a map of type %s",
					  h->name, abi_map_type(type)->name);
		}
	}
}

TEST(map_sizes_refused)
{
	struct image_map def = fixture_def(MAP_ARRAY, 4, 0, NULL);

	def.key_size = 0;
	refused(def, -EINVAL, "key_size is 0");
	def.key_size = 8;
	refused(def, -EINVAL, "an index of 4 bytes");
	def = fixture_def(MAP_HASH, 4, 0, NULL);
	def.value_size = 0;
	refused(def, -EINVAL, "value_size is 0");
	def = fixture_def(MAP_HASH, 0, 0, NULL);
	refused(def, -EINVAL, "max_entries is 0");
	def = fixture_def(MAP_HASH, 1u << 31 | 1, 0, NULL);
	refused(def, -E2BIG, "max_entries is 2147483649");
	def = fixture_def(MAP_HASH, 1, 0, NULL);
	def.value_size = 4 << 20;
	refused(def, -E2BIG, "at most 4 MiB");
	def = fixture_def(MAP_HASH, 1, 0, NULL);
	def.key_size = UINT32_MAX;
	refused(def, -E2BIG, "larger than 2 GiB");
	def = fixture_def(MAP_ARRAY, UINT32_MAX, 0, NULL);
	def.value_size = UINT32_MAX;
	refused(def, -E2BIG, "larger than 2 GiB");
	def.value_size = 1u << 30;
	refused(def, -E2BIG, "too many");
	def = fixture_def(MAP_PERCPU_ARRAY, 1, 0, NULL);
	def.value_size = 32769;
	refused(def, -E2BIG, "at most 32768 bytes each");
	def = fixture_def(MAP_PERCPU_ARRAY, UINT32_MAX, 0, NULL);
	def.value_size = 32768;
	refused(def, -E2BIG, "too many");
	def = fixture_def(MAP_PERCPU_HASH, 1, 0, NULL);
	def.value_size = 32769;
	refused(def, -E2BIG, "at most 32768");
}

TEST(map_sizes_of_kinds_refused)
{
	struct image_map def = fixture_def(MAP_QUEUE, 4, 0, NULL);

	refused(def, -EINVAL, "key_size is 4: a map of type queue has none");
	def.key_size = 0;
	def.value_size = 0;
	refused(def, -EINVAL, "value_size is 0");
	def = fixture_def(MAP_BLOOM_FILTER, 4, 0, NULL);
	def.key_size = 0;
	def.map_extra = 16;
	refused(def, -EINVAL, "map_extra is 0x10");
	def = fixture_def(MAP_HASH, 4, 0, NULL);
	def.map_extra = 1;
	refused(def, -EINVAL, "map_extra means nothing");
	def = fixture_def(MAP_LPM_TRIE, 4, 0, NULL);
	refused(def, -EINVAL, "needs BPF_F_NO_PREALLOC");
	def.flags = MAPF_NO_PREALLOC;
	refused(def, -EINVAL, "key_size is 4");
	def.key_size = 4 + 257;
	refused(def, -EINVAL, "key_size is 261");
}

TEST(map_flags_and_types_refused)
{
	refused(fixture_def(MAP_SOCKMAP, 1, 0, NULL), -EOPNOTSUPP, "type sockmap (15)");
	refused(fixture_def(999, 1, 0, NULL), -EOPNOTSUPP, "type unknown (999)");
	refused(fixture_def(MAP_ARRAY, 1, MAPF_NO_PREALLOC, NULL), -EINVAL, "flags 0x1");
	refused(fixture_def(MAP_LRU_HASH, 1, MAPF_NO_PREALLOC, NULL), -EINVAL, "flags 0x1");
	refused(fixture_def(MAP_HASH, 1, MAPF_NO_COMMON_LRU, NULL), -EINVAL, "flags 0x2");
	refused(fixture_def(MAP_HASH, 1, 1u << 31, NULL), -EINVAL, "flags 0x80000000");
	refused(fixture_def(MAP_HASH, 1, MAPF_MMAPABLE, NULL), -EINVAL, "flags 0x400");
	refused(fixture_def(MAP_HASH, 1, MAPF_RDONLY_PROG | MAPF_WRONLY_PROG, NULL),
		-EINVAL, "both read-only and write-only");
}

TEST(map_fields_refused)
{
	struct {
		u32 n;
		struct field f[1];
	} rec = {1, {{FIELD_TIMER, 8, 16, .path = "v.t"}}};
	struct image_map def;

	refused(fixture_def(MAP_ARRAY, 1, MAPF_RDONLY_PROG, value_record), -EACCES,
		"D_MAPFLAG");
	refused(fixture_def(MAP_HASH, 1, MAPF_WRONLY_PROG, value_record), -EACCES,
		"D_MAPFLAG");
	refused(fixture_def(MAP_PERCPU_ARRAY, 1, 0, value_record), -EOPNOTSUPP,
		"D_MAPTYPE: value.lock");
	refused(fixture_def(MAP_PERCPU_HASH, 1, 0, (struct record *)&rec), -EOPNOTSUPP,
		"D_MAPTYPE: v.t");
	def = fixture_def(MAP_ARRAY, 1, 0, value_record);
	def.value_size = 16;
	refused(def, -EINVAL, "outside of the value's 16 bytes");
}

TEST(map_lives_until_last_reference)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_ARRAY, 2, 0, value_record);
	struct map *map = fixture_map(host, &def);
	u32 key = 1;
	struct value *v = map->ops->lookup(map, &key);

	CHECK_STR(map->name, "m");
	v->one = thing_new();
	CHECK_EQ(map_count_stored(host, fixture_storable(host)), 1);
	map_get(map);
	map_put(map);
	defer_drain(host);
	CHECK_EQ(things_put, 0); /* M17 */
	map_put(map);
	defer_drain(host);
	CHECK_EQ(things_put, 1); /* M18 */
	map_put(NULL);
	fixture_free(host);
}

/* M20: a value stays readable until the section that found it ends. */
TEST(map_free_waits_for_readers)
{
	static const u32 types[] = {MAP_ARRAY, MAP_HASH, MAP_PERCPU_ARRAY, MAP_PERCPU_HASH,
				    MAP_LRU_HASH, MAP_LRU_PERCPU_HASH};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
		struct image_map def = fixture_def(types[i], 1, 0, value_unlocked);
		struct map *map = fixture_map(host, &def);
		struct slot_ctx *slot = fixture_enter(host);
		struct value zero = {0}, *v;
		u32 key = 0;

		CHECK_EQ(map->ops->update(map, &key, &zero, 0), 0);
		v = map->ops->lookup(map, &key);
		v->two = thing_new();
		map_put(map);
		defer_safe_point(host);
		CHECK_EQ(v->two->refs, 1);
		v->a = 3;
		fixture_leave(slot);
		defer_drain(host);
		CHECK_EQ(things_put, 1);
		fixture_free(host);
	}
}

/* A definition that a map of @type can be made of. */
static struct image_map kind_def(u32 type)
{
	bool slots = abi_map_type(type)->slots;
	struct image_map def = fixture_def(type, 9, 0, slots ? value_unlocked : NULL);
	const struct map_ops *ops = map_ops_of(type);

	if (ops->keyless)
		def.key_size = 0;
	if (ops->valueless) {
		def.value_size = 0;
		def.max_entries = 4096;
	}
	if (ops->put)
		def.value_size = 4;
	if (ops->unbounded)
		def.max_entries = 0;
	if (type == MAP_LPM_TRIE || ops->unbounded)
		def.flags = MAPF_NO_PREALLOC;
	if (type == MAP_LPM_TRIE)
		def.key_size = 8;
	return def;
}

/* Every kind there is, every allocation in turn. */
TEST(map_create_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map inner = fixture_def(MAP_HASH, 9, 0, value_unlocked);
	u32 kinds = 0;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	for (u32 type = 1; type < NR_MAP_TYPES; type++) {
		struct image_map def;
		struct map *map = NULL;
		bool failed = true;

		if (!map_ops_of(type) || type == MAP_STRUCT_OPS) /* of a host's struct */
			continue;
		kinds++;
		def = kind_def(type);
		for (u32 n = 1; failed; n++) {
			int err;

			CHECK(n < 20);
			fail_alloc_at(n);
			err = map_create(NULL, host, &def, &inner, &map);
			failed = fail_alloc_off();
			CHECK_EQ(err, failed ? -ENOMEM : 0);
			CHECK(failed == !map);
		}
		map_put(map);
	}
	CHECK(kinds >= 19);
	fixture_free(host);
}

/* Larger than any address space, smaller than the limit. */
TEST(map_too_large_for_this_machine)
{
	struct image_map def = fixture_def(MAP_ARRAY, 1u << 15, 0, NULL);

	if (!fail_alloc_works())
		SKIP("sanitizers stop at such allocations");
	def.value_size = 1u << 30;
	refused(def, -ENOMEM, "no memory for 35184372088832 bytes");
}

/* ------------------------------------------------------------------ handles */

static struct pintle_map handle(struct pintle_object *object, const struct image_map *def)
{
	return (struct pintle_map){.object = object, .image = def,
				   .map = fixture_map(object->host, def)};
}

TEST(map_handle_misuse)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_object object = {.host = host};
	struct image_map def = fixture_def(MAP_HASH, 4, 0, NULL);
	struct pintle_map unloaded = {.object = &object, .image = &def};
	struct pintle_map map = handle(&object, &def);
	u64 value = 0;
	u32 key = 0;

	CHECK_EQ(pintle_map_lookup(NULL, &key, &value), -EINVAL);
	CHECK_EQ(pintle_map_lookup(&unloaded, &key, &value), -EINVAL);
	CHECK_EQ(pintle_map_update(&unloaded, &key, &value, 0), -EINVAL);
	CHECK_EQ(pintle_map_delete(&unloaded, &key), -EINVAL);
	CHECK_EQ(pintle_map_next_key(&unloaded, NULL, &key), -EINVAL);
	CHECK_EQ(pintle_map_count(&unloaded), 0);
	CHECK_EQ(pintle_map_count(NULL), 0);
	CHECK(!pintle_map_data(&unloaded, NULL) && !pintle_map_data(NULL, NULL));
	CHECK_EQ(pintle_map_lookup(&map, NULL, &value), -EINVAL);
	CHECK_EQ(pintle_map_lookup(&map, &key, NULL), -EINVAL);
	CHECK_EQ(pintle_map_update(&map, &key, NULL, 0), -EINVAL);
	CHECK_EQ(pintle_map_delete(&map, NULL), -EINVAL);
	CHECK_EQ(pintle_map_next_key(&map, NULL, NULL), -EINVAL);
	CHECK(!pintle_map_data(&map, NULL));
	CHECK_STR(pintle_map_name(&map), "m");
	CHECK_EQ(pintle_map_key_size(&map), 4);
	CHECK_EQ(pintle_map_value_size(&map), 8);
	map_put(map.map);
	fixture_free(host);
}

TEST(map_handle_rights)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_object object = {.host = host};
	struct image_map read = fixture_def(MAP_ARRAY, 4, 1 << 3, NULL);
	struct image_map write = fixture_def(MAP_ARRAY, 4, 1 << 4, NULL);
	struct pintle_map r = handle(&object, &read), w = handle(&object, &write);
	u64 value = 5;
	u32 key = 0;

	CHECK_EQ(pintle_map_update(&r, &key, &value, 0), -EPERM);
	CHECK_EQ(pintle_map_delete(&r, &key), -EPERM);
	CHECK_EQ(pintle_map_lookup(&r, &key, &value), 0);
	CHECK_EQ(pintle_map_update(&w, &key, &value, 0), 0);
	CHECK_EQ(pintle_map_lookup(&w, &key, &value), -EPERM);
	CHECK_EQ(pintle_map_next_key(&w, NULL, &key), -EPERM);
	map_put(r.map);
	map_put(w.map);
	fixture_free(host);
}

TEST(map_handle_global_data)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_object object = {.host = host};
	struct image_map def = fixture_def(MAP_ARRAY, 1, MAPF_MMAPABLE, NULL);
	struct pintle_map data;
	size_t size = 0;
	u32 key = 0;
	char out[9];
	char *bytes;

	def.kind = IMAP_RODATA;
	def.frozen = true;
	def.data = "initial!";
	data = handle(&object, &def);
	bytes = pintle_map_data(&data, &size);
	CHECK(bytes && size == 8 && !memcmp(bytes, "initial!", 8));
	CHECK_EQ((uintptr_t)bytes % 64, 0);
	CHECK_EQ(pintle_map_lookup(&data, &key, out), 0);
	CHECK(!memcmp(out, "initial!", 8));
	CHECK_EQ(pintle_map_update(&data, &key, "changed!", 0), -EPERM);
	map_put(data.map);
	fixture_free(host);
}

/* ------------------------------------------------------------------ maps of maps */

TEST(map_of_maps_refused)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_ARRAY_OF_MAPS, 4, 0, NULL), inner;
	struct map *map;
	struct log log = {0};

	refused(def, -EINVAL, "does not say what its inner maps are");
	def.value_size = 4;
	inner = fixture_def(MAP_PROG_ARRAY, 4, 0, NULL);
	CHECK_EQ(map_create(&log, host, &def, &inner, &map), -EINVAL);
	CHECK_HAS(log_text(&log), "cannot be inside of others");
	inner = fixture_def(MAP_HASH_OF_MAPS, 4, 0, NULL);
	CHECK_EQ(map_create(&log, host, &def, &inner, &map), -EINVAL);
	inner = fixture_def(MAP_HASH, 0, 0, NULL);
	CHECK_EQ(map_create(&log, host, &def, &inner, &map), -EINVAL);
	CHECK_HAS(log_text(&log), "max_entries is 0");
	log_free(&log);
	def = fixture_def(MAP_PROG_ARRAY, 4, 0, NULL);
	refused(def, -EINVAL, "value_size is 8");
	fixture_free(host);
}

/* A31, A32: each difference alone. */
TEST(map_of_maps_template)
{
	static const u32 types[] = {MAP_ARRAY_OF_MAPS, MAP_HASH_OF_MAPS};
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map inner = fixture_def(MAP_ARRAY, 4, 0, value_record), other;
	struct map *map, *in;
	u32 key = 1;

	for (u32 t = 0; t < 2; t++) {
		struct image_map def = fixture_def(types[t], 4, 0, NULL);

		def.value_size = 4;
		CHECK_EQ(map_create(NULL, host, &def, &inner, &map), 0);
		for (u32 i = 0; i < 7; i++) {
			other = inner;
			if (i == 1)
				other.value_size += 8;
			else if (i == 2)
				other.max_entries++;
			else if (i == 3)
				other.type = MAP_HASH;
			else if (i == 4)
				other.flags = MAPF_MMAPABLE;
			else if (i == 5)
				other.record = value_unlocked;
			else if (i == 6)
				other.record = NULL;
			in = fixture_map(host, &other);
			run_read_lock(host);
			CHECK_EQ(map->ops->put(map, &key, in, 0), i ? -EINVAL : 0);
			CHECK_EQ(map->ops->put(map, &key, in, 4), -EINVAL);
			CHECK(i || map->ops->lookup(map, &key) == in);
			run_read_unlock(host);
			map_put(in);
		}
		CHECK_EQ(map->ops->count(map), 1);
		map_put(map);
	}
	fixture_free(host);
}

/* M25: what an outer map lets go stays until the section that found it ends; all of
 * it goes in the end. */
TEST(map_of_maps_replaced_in_use)
{
	static const u32 types[] = {MAP_ARRAY_OF_MAPS, MAP_HASH_OF_MAPS};
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map inner = fixture_def(MAP_HASH, 4, 0, value_record);

	for (u32 t = 0; t < 2; t++) {
		struct image_map def = fixture_def(types[t], 4, 0, NULL);
		struct map *map, *a = fixture_map(host, &inner);
		struct map *b = fixture_map(host, &inner);
		struct value zero = {0}, *v;
		struct slot_ctx *slot;
		u32 key = 1;

		def.value_size = 4;
		CHECK_EQ(map_create(NULL, host, &def, &inner, &map), 0);
		slot = fixture_enter(host);
		CHECK_EQ(map->ops->put(map, &key, a, 0), 0);
		map_put(a);
		CHECK(map->ops->lookup(map, &key) == a);
		CHECK_EQ(a->ops->update(a, &key, &zero, 0), 0);
		v = a->ops->lookup(a, &key);
		v->one = thing_new();
		CHECK_EQ(map->ops->put(map, &key, b, 0), 0);
		map_put(b);
		CHECK(map->ops->lookup(map, &key) == b);
		defer_safe_point(host);
		CHECK(a->ops->lookup(a, &key) == v && v->one->refs == 1);
		fixture_leave(slot);
		defer_drain(host);
		CHECK_EQ(things_put, t + 1);
		CHECK_EQ(map->ops->remove(map, &key), 0);
		CHECK(!map->ops->lookup(map, &key));
		map_put(map);
	}
	fixture_free(host);
}

/* ------------------------------------------------------------------ maps of hosts */

TEST(map_of_a_host)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_map_opts opts = {.size = sizeof(opts), .type = MAP_QUEUE,
				       .value_size = 8, .max_entries = 4};
	struct pintle_map *map = pintle_map_create(host, "own", &opts);
	u64 value = 5;

	CHECK(map && pintle_map_id(map));
	CHECK_STR(pintle_map_name(map), "own");
	CHECK_EQ(pintle_map_update(map, NULL, &value, 0), 0);
	CHECK_EQ(pintle_map_count(map), 1);
	pintle_map_close(map);
	pintle_map_close(NULL);
	CHECK_EQ(pintle_map_id(NULL), 0);
	CHECK(!pintle_map_create(host, NULL, &opts));
	opts.max_entries = 0;
	CHECK(!pintle_map_create(host, "own", &opts));
	CHECK_HAS(words_get(host), "max_entries is 0");
	CHECK(!pintle_map_create(host, "own", NULL));
	fixture_free(host);
}

TEST(map_of_a_host_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct pintle_map_opts opts = {.size = sizeof(opts), .type = MAP_HASH,
				       .key_size = 4, .value_size = 8, .max_entries = 4};
	struct pintle_map *map = NULL;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	for (u32 n = 1; !map; n++) {
		CHECK(n < 20);
		fail_alloc_only(n);
		map = pintle_map_create(host, "own", &opts);
		if (!fail_alloc_off())
			CHECK(map);
	}
	pintle_map_close(map);
	fixture_free(host);
}
