/* SPDX-License-Identifier: MIT
 *
 * map_fixture.h: a host made by hand for tests of maps and helpers: slots, deferred calls
 * and one storable type, struct thing, whose destructor counts. No BTF, no programs: a
 * "run" is a slot made current inside a read section.
 */
#ifndef TEST_MAP_FIXTURE_H
#define TEST_MAP_FIXTURE_H

#include "run/map/map.h"
#include "test.h"

struct thing {
	atomic(u32) refs;
	u32 magic;
};

extern atomic(s64) things_alive;	/* made and not yet freed */
extern atomic(u64) things_put;		/* destructor calls */

struct thing *thing_new(void);
void thing_put(void *thing); /* the destructor */

struct pintle_host *fixture_host(enum rcu_class rcu);
struct storable *fixture_storable(struct pintle_host *host);
/* Drains and frees; fails the test when things are alive or maps are left. */
void fixture_free(struct pintle_host *host);

/* As a program of @host's would run on this thread. */
struct slot_ctx *fixture_enter(struct pintle_host *host);
void fixture_leave(struct slot_ctx *slot);
/* Goes on as if on slot @i, where no other thread is. */
void fixture_on_slot(struct pintle_host *host, u32 i);

/* The value most tests use: two referenced slots, an unreferenced one, a lock, plain
 * bytes between and after. */
struct value {
	u32 a, lock;
	struct thing *one;
	u64 b;
	struct thing *two;
	void *peek;
	u8 tail[5];
} __attribute__((packed, aligned(8)));

extern const struct record *const value_record;	 /* with the lock */
extern const struct record *const value_unlocked; /* without */

/* A map with 4-byte keys, of struct value when it has a record, else of 8 bytes. */
struct image_map fixture_def(u32 type, u32 entries, u32 flags, const struct record *rec);
struct map *fixture_map(struct pintle_host *host, const struct image_map *def);

#endif
