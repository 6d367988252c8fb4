/* SPDX-License-Identifier: MIT
 *
 * map_book.c: the rule book's cases of maps at run time (F.4, K.14), each for every kind
 * whose values may have pointer fields. Tests are named by the cases' ids; M19 (unloading
 * of host code) has nothing to test here, M24 is with the objects it is about, M25 in
 * map_create.c and test/run/outer.c.
 */
#include "map_fixture.h"

#include "run/map/storage.h"
#include "run/life/thread.h"

#include <pthread.h>

enum { SLOTS = 8 };

static const struct kind {
	u32 type, flags;
	bool in_place; /* an update keeps the element */
} kinds[] = {
	{MAP_ARRAY, 0, true},
	{MAP_PERCPU_ARRAY, 0, true},
	{MAP_HASH, 0, false},
	{MAP_HASH, MAPF_NO_PREALLOC, false},
	{MAP_PERCPU_HASH, 0, true},
	{MAP_PERCPU_HASH, MAPF_NO_PREALLOC, true},
	{MAP_LRU_HASH, 0, false},
	{MAP_LRU_PERCPU_HASH, 0, true},
	{MAP_LPM_TRIE, MAPF_NO_PREALLOC, false},
	{MAP_TASK_STORAGE, MAPF_NO_PREALLOC, false},
};

/* A map of one kind in a host of its own, one key, a buffer for its values. */
struct rig {
	const struct kind *kind;
	struct pintle_host *host;
	struct map *map;
	struct image_map def;
	u64 key;
	u32 nvalues;
	struct value buf[SLOTS];
};

static void up(struct rig *r, const struct kind *kind)
{
	bool lock = abi_map_type(kind->type)->lock;

	*r = (struct rig){.kind = kind, .host = fixture_host(RCU_DEFERRED_PUT), .key = 1};
	r->def = fixture_def(kind->type, 4, kind->flags,
			     lock ? value_record : value_unlocked);
	r->nvalues = abi_map_type(kind->type)->percpu ? SLOTS : 1;
	if (kind->type == MAP_LPM_TRIE) {
		r->def.key_size = 8;
		r->key = 32 | 1ull << 32;
	}
	if (kind->type == MAP_TASK_STORAGE)
		r->def.max_entries = 0;
	r->map = fixture_map(r->host, &r->def);
}

static void down(struct rig *r, u64 put)
{
	map_put(r->map);
	defer_drain(r->host);
	CHECK_EQ(things_put, put);
	fixture_free(r->host);
}

#define FOR_KINDS(r)                                                                     \
	for (const struct kind *k_ = kinds; k_ < kinds + ARRAY_SIZE(kinds); k_++)        \
		for (struct rig r, *once_ = (up(&r, k_), &r); once_; once_ = NULL)

static struct value *value_nth(struct rig *r, u32 i)
{
	if (r->nvalues > 1)
		return r->map->ops->lookup_percpu(r->map, &r->key, i);
	return r->kind->type == MAP_TASK_STORAGE ? storage_get(r->map, (void *)r->key, NULL, 0)
						 : r->map->ops->lookup(r->map, &r->key);
}

static void write_garbage(struct rig *r, u64 flags)
{
	memset(r->buf, 0xaa, sizeof(r->buf));
	CHECK_EQ(r->map->ops->write(r->map, &r->key, r->buf, flags), 0);
}

static void check_empty(struct rig *r)
{
	for (u32 i = 0; i < r->nvalues; i++) {
		struct value *v = value_nth(r, i);

		CHECK(v && !v->one && !v->two && !v->peek);
		CHECK(!v->lock || r->map->lock_off < 0);
	}
}

static void fill(struct rig *r)
{
	check_empty(r);
	for (u32 i = 0; i < r->nvalues; i++) {
		struct value *v = value_nth(r, i);

		v->one = thing_new();
		v->two = thing_new();
		v->peek = v->one;
	}
}

static void check_put(struct rig *r, u64 want)
{
	defer_drain(r->host);
	CHECK_EQ(things_put, want);
}

static bool is_array(const struct rig *r)
{
	return !abi_map_type(r->kind->type)->any_key;
}

TEST(m01_garbage_never_enters_slots)
{
	FOR_KINDS(r) {
		write_garbage(&r, 0);
		check_empty(&r);
		CHECK_EQ(value_nth(&r, 0)->a, 0xaaaaaaaa);
		down(&r, 0);
	}
}

TEST(m02_slots_read_as_zero)
{
	FOR_KINDS(r) {
		write_garbage(&r, 0);
		fill(&r);
		for (u32 take = 0; take <= !is_array(&r); take++) {
			memset(r.buf, 0x55, sizeof(r.buf));
			CHECK_EQ((take ? r.map->ops->take : r.map->ops->read)(
					 r.map, &r.key, r.buf), 0);
			for (u32 i = 0; i < r.nvalues; i++)
				CHECK(!r.buf[i].one && !r.buf[i].two && !r.buf[i].peek &&
				      r.buf[i].a == 0xaaaaaaaa);
		}
		check_put(&r, is_array(&r) ? 0 : 2 * r.nvalues);
		down(&r, 2 * r.nvalues);
	}
}

TEST(m03_m05_m11_update_by_host)
{
	FOR_KINDS(r) {
		struct value *old;

		write_garbage(&r, 0);
		fill(&r);
		old = value_nth(&r, 0);
		run_read_lock(r.host);
		write_garbage(&r, 0);
		CHECK_EQ(value_nth(&r, 0) == old, r.kind->in_place);
		check_empty(&r);
		run_read_unlock(r.host);
		check_put(&r, 2 * r.nvalues);
		down(&r, 2 * r.nvalues);
	}
}

TEST(m04_m05_m12_update_by_program)
{
	FOR_KINDS(r) {
		struct slot_ctx *slot;

		write_garbage(&r, 0);
		fill(&r);
		slot = fixture_enter(r.host);
		fixture_on_slot(r.host, 3);
		CHECK_EQ(r.map->ops->update(r.map, &r.key, r.buf, 0), 0);
		for (u32 i = 0; i < r.nvalues; i++) {
			struct value *v = value_nth(&r, i);
			bool mine = r.nvalues == 1 || i == 3;

			CHECK(mine == !v->one && mine == !v->two);
		}
		fixture_leave(slot);
		check_put(&r, 2);
		down(&r, 2 * r.nvalues);
	}
}

TEST(m06_m07_locked_update_keeps_slots)
{
	FOR_KINDS(r) {
		struct value v = {.a = 3}, *at;

		write_garbage(&r, 0);
		if (r.map->lock_off < 0) {
			CHECK_EQ(r.map->ops->write(r.map, &r.key, r.buf, MAP_LOCK), -EINVAL);
			down(&r, 0);
			continue;
		}
		fill(&r);
		at = value_nth(&r, 0);
		CHECK_EQ(r.map->ops->write(r.map, &r.key, &v, MAP_LOCK), 0);
		CHECK(value_nth(&r, 0) == at && at->one && at->two && at->a == 3);
		check_put(&r, 0);
		down(&r, 2);
	}
}

TEST(m08_m09_delete)
{
	FOR_KINDS(r) {
		write_garbage(&r, 0);
		fill(&r);
		if (is_array(&r)) {
			CHECK_EQ(r.map->ops->remove(r.map, &r.key), -EINVAL);
			CHECK(value_nth(&r, 0)->one);
			check_put(&r, 0);
		} else {
			CHECK_EQ(r.map->ops->remove(r.map, &r.key), 0);
			check_put(&r, 2 * r.nvalues);
			write_garbage(&r, 0);
			check_empty(&r);
		}
		down(&r, 2 * r.nvalues);
	}
}

TEST(m10_eviction)
{
	FOR_KINDS(r) {
		if (r.kind->type != MAP_LRU_HASH && r.kind->type != MAP_LRU_PERCPU_HASH) {
			down(&r, 0);
			continue;
		}
		for (r.key = 0; r.key < 20; r.key++) {
			write_garbage(&r, MAP_NOEXIST);
			fill(&r);
		}
		check_put(&r, 16 * 2 * r.nvalues);
		down(&r, 20 * 2 * r.nvalues);
	}
}

TEST(m13_m14_stale_value)
{
	FOR_KINDS(r) {
		struct slot_ctx *slot;
		struct value *v;

		if (is_array(&r)) {
			down(&r, 0);
			continue;
		}
		write_garbage(&r, 0);
		fill(&r);
		slot = fixture_enter(r.host);
		v = value_nth(&r, 0);
		CHECK_EQ(r.map->ops->remove(r.map, &r.key), 0);
		CHECK(!v->one && !v->two && !v->peek); /* M14 */
		CHECK(!field_xchg(&v->two, thing_new()));
		fixture_leave(slot);
		check_put(&r, 2 * r.nvalues + 1); /* M13 */
		for (u32 i = 0; i < 20; i++) { /* whichever element comes */
			write_garbage(&r, 0);
			check_empty(&r);
			CHECK_EQ(r.map->ops->remove(r.map, &r.key), 0);
			defer_safe_point(r.host);
		}
		down(&r, 2 * r.nvalues + 1);
	}
}

TEST(m17_m18_references)
{
	FOR_KINDS(r) {
		write_garbage(&r, 0);
		fill(&r);
		map_get(r.map); /* a program's */
		map_put(r.map); /* the last handle */
		check_put(&r, 0);
		CHECK(value_nth(&r, 0)->one);
		down(&r, 2 * r.nvalues);
	}
}

TEST(m20_map_freed_in_a_read_section)
{
	FOR_KINDS(r) {
		struct slot_ctx *slot;
		struct value *v;

		write_garbage(&r, 0);
		fill(&r);
		slot = fixture_enter(r.host);
		v = value_nth(&r, r.nvalues - 1);
		map_get(r.map);
		map_put(r.map);
		map_put(r.map);
		defer_safe_point(r.host);
		CHECK(v->one && v->two->refs == 1);
		fixture_leave(slot);
		defer_drain(r.host);
		CHECK_EQ(things_put, 2 * r.nvalues);
		fixture_free(r.host);
	}
}

/* M26: a run that sleeps holds what domain N alone would not. */
TEST(m26_sleepable_run_holds_a_value)
{
	FOR_KINDS(r) {
		struct slot_ctx *slot = slot_get(r.host);
		struct value *v;

		write_garbage(&r, 0);
		fill(&r);
		sleep_enter(slot);
		slot_swap(slot);
		v = value_nth(&r, 0);
		if (!is_array(&r))
			CHECK_EQ(r.map->ops->remove(r.map, &r.key), 0);
		map_put(r.map);
		v->a = 77;
		v->peek = v;
		CHECK(v->a == 77);
		slot_swap(NULL);
		if (slot->open)
			defer_publish(slot);
		for (u32 i = 0; i < 20; i++) /* grace periods of N come and go */
			defer_safe_point(r.host);
		v->a = 78;
		CHECK(is_array(&r) == (v->one != NULL));
		sleep_leave(slot);
		defer_drain(r.host);
		CHECK_EQ(things_put, 2 * r.nvalues);
		fixture_free(r.host);
	}
}

/* ------------------------------------------------------------------ one slot */

enum { EXCHANGES = 200000 };

static void *exchange_on(void *data)
{
	struct value *v = data;

	for (u32 i = 0; i < EXCHANGES; i++) {
		struct thing *old = field_xchg(&v->one, i % 4 ? thing_new() : NULL);

		if (old)
			thing_put(old); /* nobody looks */
	}
	return NULL;
}

TEST(m15_race_on_one_slot)
{
	struct rig r;
	pthread_t thread[2];

	up(&r, &kinds[0]);
	for (u32 i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, exchange_on, value_nth(&r, 0)), 0);
	for (u32 i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	map_put(r.map);
	fixture_free(r.host); /* net count 0 */
}
