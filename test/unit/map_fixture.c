/* SPDX-License-Identifier: MIT
 *
 * map_fixture.c: see map_fixture.h.
 */
#include "map_fixture.h"
#include "btf_build.h"

#include "run/field/local.h"
#include "run/life/thread.h"

enum { MAGIC = 0x7819, TYPE = 1 };

atomic(s64) things_alive;
atomic(u64) things_put;

struct thing *thing_new(void)
{
	struct thing *t = malloc(sizeof(*t));

	CHECK(t);
	t->refs = 1;
	t->magic = MAGIC;
	atomic_fetch_add(&things_alive, 1);
	return t;
}

void thing_put(void *thing)
{
	struct thing *t = thing;

	if (!t || t->magic != MAGIC)
		abort(); /* M23, or put twice: not on a thread that could fail a test */
	atomic_fetch_add(&things_put, 1);
	if (atomic_fetch_sub(&t->refs, 1) == 1) {
		t->magic = 0;
		free(t);
		atomic_fetch_sub(&things_alive, 1);
	}
}

#define FIELDS {                                                                         \
		{FIELD_LOCK, offsetof(struct value, lock), 4, .path = "value.lock"},     \
		{FIELD_REF, offsetof(struct value, one), 8, .type = TYPE,                \
		 .path = "value.one"},                                                   \
		{FIELD_REF, offsetof(struct value, two), 8, .type = TYPE,                \
		 .path = "value.two"},                                                   \
		{FIELD_UNREF, offsetof(struct value, peek), 8, .type = TYPE,             \
		 .path = "value.peek"},                                                  \
	}

static struct {
	u32 n;
	struct field fields[4];
} with_lock = {4, FIELDS}, without = {3, FIELDS};

const struct record *const value_record = (const struct record *)&with_lock;
const struct record *const value_unlocked = (const struct record *)&without;

/* BTF of struct thing, made once for all hosts; the records point to it. */
static const struct btf *thing_btf(void)
{
	static struct bb b;
	static const struct btf *btf;

	if (btf)
		return btf;
	bb_init(&b, NULL);
	bb_struct(&b, "thing", 8);
	btf = bb_open(&b, "things");
	memmove(without.fields, without.fields + 1, 3 * sizeof(without.fields[0]));
	for (u32 i = 0; i < 4; i++)
		with_lock.fields[i].btf = without.fields[i].btf = btf;
	return btf;
}

/* What a test that failed left behind must not fail those after it. */
static void forget_failed(void)
{
	slot_swap(NULL);
	while (run_read_ongoing())
		run_read_unlock(NULL);
	things_alive = 0;
	things_put = 0;
}

struct pintle_host *fixture_host(enum rcu_class rcu)
{
	struct pintle_host *host = calloc(1, sizeof(*host));
	struct storable *s = calloc(1, sizeof(*s));

	forget_failed();
	CHECK(host && s);
	host->opts.max_slots = 8;
	host->hash_seed = 0x1234;
	*s = (struct storable){.btf = thing_btf(), .type = TYPE, .dtor = thing_put,
			       .rcu = rcu};
	CHECK(vec_push(&host->storables, s));
	CHECK_EQ(slots_init(host), 0);
	CHECK_EQ(heap_init(host), 0);
	CHECK_EQ(defer_init(host), 0);
	return host;
}

struct storable *fixture_storable(struct pintle_host *host)
{
	return host->storables.v[0];
}

void fixture_free(struct pintle_host *host)
{
	defer_drain(host);
	CHECK(!host->maps);
	CHECK_EQ(things_alive, 0);
	defer_free(host);
	heap_free(host);
	slots_free(host);
	free(host->storables.v[0]);
	vec_free(&host->storables);
	words_free(host);
	free(host);
}

struct slot_ctx *fixture_enter(struct pintle_host *host)
{
	struct slot_ctx *slot = slot_get(host);

	CHECK(slot);
	run_read_lock(host);
	slot_swap(slot);
	return slot;
}

static void leave_slot(void)
{
	struct slot_ctx *slot = slot_swap(NULL);

	if (slot && slot->open)
		defer_publish(slot);
}

void fixture_on_slot(struct pintle_host *host, u32 i)
{
	leave_slot();
	slot_swap(&host->slots->at[i]);
}

void fixture_leave(struct slot_ctx *slot)
{
	leave_slot();
	run_read_unlock(slot->host);
	defer_safe_point(slot->host);
}

struct image_map fixture_def(u32 type, u32 entries, u32 flags, const struct record *rec)
{
	return (struct image_map){
		.name = "m", .type = type, .key_size = 4, .max_entries = entries,
		.value_size = rec ? sizeof(struct value) : 8, .flags = flags,
		.record = rec, .inner = -1,
	};
}

struct map *fixture_map(struct pintle_host *host, const struct image_map *def)
{
	struct log log = {0};
	struct map *map = NULL;
	int err = map_create(&log, host, def, NULL, &map);

	if (err)
		test_fail(__FILE__, __LINE__, "map_create: %d: %s", err, log_text(&log));
	log_free(&log);
	return map;
}
