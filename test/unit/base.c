/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "test.h"

TEST(arena_memory_is_zeroed_and_apart)
{
	struct arena *arena = arena_new();
	char *a = arena_alloc(arena, 100), *b = arena_alloc(arena, 3 << 20);

	CHECK(a && b);
	CHECK_EQ(a[99], 0);
	memset(a, 1, 100);
	CHECK_EQ(b[0], 0);
	CHECK_EQ(b[(3 << 20) - 1], 0);
	CHECK_STR(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
	CHECK(!arena_alloc(arena, SIZE_MAX));
	CHECK(!arena_array(arena, SIZE_MAX / 2, 4));
	arena_free(arena);
}

TEST(strmap_finds_what_was_set)
{
	struct strmap map = {0};
	char keys[1000][8];
	u32 v;

	CHECK(!strmap_get(&map, "a", &v));
	for (u32 i = 0; i < 1000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%u", i);
		CHECK(strmap_set(&map, keys[i], i));
	}
	for (u32 i = 0; i < 1000; i++) {
		CHECK(strmap_get(&map, keys[i], &v));
		CHECK_EQ(v, i);
	}
	CHECK(strmap_set(&map, "k1", 77) && strmap_get(&map, "k1", &v) && v == 77);
	CHECK(strmap_get_n(&map, "k12xyz", 3, &v) && v == 12);
	CHECK(!strmap_get(&map, "k1000", &v));
	strmap_free(&map);
}

TEST(log_keeps_the_last_error_and_its_limit)
{
	struct log log = {.limit = 64};

	log_print(&log, LOG_NOTE, "dropped: above the level\n");
	CHECK_EQ(log_fail(&log, -EINVAL, "bad %s", "thing"), -EINVAL);
	CHECK_STR(log_text(&log), "bad thing\n");
	for (int i = 0; i < 100; i++)
		log_print(&log, LOG_ERROR, "0123456789");
	CHECK(log.full && log.len < 64);
	log_fail(&log, -ENOMEM, "last");
	CHECK_STR(log.error, "last");
	log_free(&log);
}

TEST(vec_grows)
{
	VEC(int) v = {0};

	for (int i = 0; i < 1000; i++)
		CHECK(vec_push(&v, i));
	CHECK_EQ(v.v[999], 999);
	CHECK_EQ(vec_pop(&v), 999);
	vec_free(&v);
}
