/* SPDX-License-Identifier: MIT
 *
 * refs.c: who holds what.
 */
#include "local_fixture.h"

#include "run/helper/helpers.h"

#include <time.h>

#define ARG(p) ((u64)(uintptr_t)(p))

struct seen {
	u32 n;
	char lines[4096];
	u64 since_ms;
};

static int see(void *data, const struct pintle_ref *ref)
{
	struct seen *s = data;
	size_t len = strlen(s->lines);

	s->n++;
	s->since_ms = ref->since_ms;
	snprintf(s->lines + len, sizeof(s->lines) - len, "%s[%u]%s.%s %s\n", ref->map,
		 ref->key ? *(const u32 *)ref->key : 99,
		 ref->slot == UINT32_MAX ? "" : "/cpu", ref->field, ref->type);
	return 0;
}

static struct map *map_of(struct locals *l, u32 type, u32 entries)
{
	struct image_map def = fixture_def(type, entries, 0, l->value_record);

	def.value_size = sizeof(struct lvalue);
	return fixture_map(l->host, &def);
}

static void name_storable(struct locals *l)
{
	static char name[] = "thing";

	fixture_storable(l->host)->name = name;
}

static void totals_are_zero(struct pintle_host *host);

TEST(refs_lists_all_levels)
{
	struct locals l;
	struct map *map;
	struct lvalue *v;
	struct seen seen = {0};
	struct node *n, *m;
	u32 key = 2;

	locals_open(&l);
	name_storable(&l);
	map = map_of(&l, MAP_ARRAY, 4);
	v = map->ops->lookup(map, &key);
	v->one = n = node_new(&l, 1);
	n->thing = thing_new();
	n->plain = local_new(l.plain);
	for (u32 i = 0; i < 2; i++) {
		m = node_new(&l, i);
		CHECK_EQ(list_push_back(ARG(v->head), ARG(m->ln), ARG(l.node),
					offsetof(struct node, ln)), 0);
	}
	m->thing = thing_new();
	v->percpu = percpu_new(l.plain);
	CHECK_EQ(pintle_refs_each(l.host, NULL, NULL, see, &seen), 7);
	CHECK_STR(seen.lines, "m[2].lvalue.head[0] node\n"
			      "m[2].lvalue.head[1] node\n"
			      "m[2].lvalue.head[1]->node.thing thing\n"
			      "m[2].lvalue.one node\n"
			      "m[2].lvalue.one->node.thing thing\n"
			      "m[2].lvalue.one->node.plain plain\n"
			      "m[2].lvalue.percpu plain\n");
	memset(&seen, 0, sizeof(seen));
	CHECK_EQ(pintle_refs_each(l.host, "thing", NULL, see, &seen), 2);
	CHECK_EQ(pintle_refs_each(l.host, NULL, n->thing, see, &seen), 1);
	CHECK_EQ(pintle_refs_each(l.host, "plain", n->thing, NULL, NULL), 0);
	CHECK_EQ(seen.since_ms, 0);
	map_put(map);
	defer_drain(l.host);
	totals_are_zero(l.host);
	locals_close(&l);
}

static int stop_at_once(void *data, const struct pintle_ref *ref)
{
	(*(u32 *)data)++;
	return -EINTR;
}

TEST(refs_stops_when_told)
{
	struct locals l;
	struct map *map;
	u32 calls = 0;

	locals_open(&l);
	name_storable(&l);
	map = map_of(&l, MAP_ARRAY, 4);
	for (u32 key = 0; key < 4; key++)
		((struct lvalue *)map->ops->lookup(map, &key))->one = node_new(&l, key);
	CHECK_EQ(pintle_refs_each(l.host, NULL, NULL, stop_at_once, &calls), -EINTR);
	CHECK_EQ(calls, 1);
	map_put(map);
	locals_close(&l);
}

static int no_objects(void *data, const struct pintle_type_total *total)
{
	*(u64 *)data += total->objects;
	return 0;
}

static void totals_are_zero(struct pintle_host *host)
{
	u64 n = 0;

	CHECK_EQ(pintle_refs_totals(host, no_objects, &n), 0);
	CHECK_EQ(n, 0);
}

TEST(refs_of_percpu_copies)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct image_map def = fixture_def(MAP_PERCPU_HASH, 4, 0, value_unlocked);
	struct map *map = fixture_map(host, &def);
	struct seen seen = {0};
	struct value v = {0};
	struct slot_ctx *slot;
	u32 key = 7;
	static char name[] = "thing";

	fixture_storable(host)->name = name;
	slot = fixture_enter(host);
	CHECK_EQ(map->ops->update(map, &key, &v, 0), 0);
	((struct value *)map->ops->lookup(map, &key))->two = thing_new();
	fixture_leave(slot);
	CHECK_EQ(pintle_refs_each(host, NULL, NULL, see, &seen), 1);
	CHECK_STR(seen.lines, "m[7]/cpu.value.two thing\n");
	map_put(map);
	fixture_free(host);
}

TEST(refs_since_when)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct image_map def = fixture_def(MAP_ARRAY, 1, 0, value_record);
	struct map *map = fixture_map(host, &def);
	struct seen seen = {0};
	struct slot_ctx *slot;
	struct value *v;
	u32 key = 0;
	static char name[] = "thing";

	fixture_storable(host)->name = name;
	host->opts.ref_stamps = 1000;
	CHECK_EQ(stamps_init(host), 0);
	slot = fixture_enter(host);
	v = map->ops->lookup(map, &key);
	CHECK(!helper_kptr_xchg(ARG(&v->one), ARG(thing_new()), 0, 0, 0));
	fixture_leave(slot);
	CHECK_EQ(pintle_refs_each(host, NULL, NULL, see, &seen), 1);
	CHECK(seen.since_ms > (u64)time(NULL) * 1000 - 100000);
	CHECK(seen.since_ms <= (u64)time(NULL) * 1000 + 1000);
	map_put(map);
	free(host->stamps);
	fixture_free(host);
}

enum { MANY = 100000 };

TEST(refs_hundred_thousand)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct image_map def = fixture_def(MAP_HASH, MANY, MAPF_NO_PREALLOC, value_unlocked);
	struct map *map = fixture_map(host, &def);
	struct value v = {0};
	static char name[] = "thing";
	struct pintle_type_stats stats = {.size = sizeof(stats)};

	fixture_storable(host)->name = name;
	run_read_lock(host);
	for (u32 key = 0; key < MANY; key++) {
		CHECK_EQ(map->ops->update(map, &key, &v, 0), 0);
		((struct value *)map->ops->lookup(map, &key))->one = thing_new();
	}
	run_read_unlock(host);
	CHECK_EQ(pintle_refs_each(host, "thing", NULL, NULL, NULL), MANY);
	CHECK_EQ(pintle_type_stats(host, "thing", &stats), 0);
	CHECK_EQ(stats.stored, MANY);
	map_put(map);
	defer_drain(host);
	CHECK_EQ(things_put, MANY);
	totals_are_zero(host);
	fixture_free(host);
}
