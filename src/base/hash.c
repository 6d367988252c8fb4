/* SPDX-License-Identifier: MIT
 *
 * hash.c: a multiply-and-fold hash and an open-addressing string map, at most 3/4 full.
 * The map needs no defence against chosen keys: what it holds is bounded by its input,
 * and the hash maps of programs use their own seed.
 */
#include "base/hash.h"

struct strmap_slot {
	const char *key;
	u32 hash, value;
};

static u64 mix(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

static u64 load_tail(const u8 *p, size_t len)
{
	u64 v = 0;

	memcpy(&v, p, len);
	return v;
}

u64 hash_bytes(const void *data, size_t len, u64 seed)
{
	const u64 k0 = 0x9e3779b97f4a7c15ull, k1 = 0xe7037ed1a0b428dbull;
	const u8 *p = data;
	u64 h = mix(seed ^ k0, len ^ k1);

	for (; len >= 8; p += 8, len -= 8)
		h = mix(h ^ load_tail(p, 8), k1);
	if (len)
		h = mix(h ^ load_tail(p, len), k0);
	return mix(h ^ k1, k0);
}

static struct strmap_slot *find(const struct strmap *map, const char *key, size_t len,
				u32 hash)
{
	u32 i = hash & (map->cap - 1);

	for (;; i = (i + 1) & (map->cap - 1)) {
		struct strmap_slot *s = &map->slots[i];

		if (!s->key)
			return s;
		if (s->hash == hash && !strncmp(s->key, key, len) && !s->key[len])
			return s;
	}
}

static bool grow(struct strmap *map)
{
	struct strmap bigger = {.cap = map->cap ? map->cap * 2 : 16, .n = map->n};

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (u32 i = 0; i < map->cap; i++) {
		struct strmap_slot *s = &map->slots[i];

		if (s->key)
			*find(&bigger, s->key, strlen(s->key), s->hash) = *s;
	}
	free(map->slots);
	*map = bigger;
	return true;
}

bool strmap_set(struct strmap *map, const char *key, u32 value)
{
	size_t len = strlen(key);
	u32 hash = (u32)hash_bytes(key, len, 0);
	struct strmap_slot *s;

	if (map->n + 1 > map->cap / 4 * 3 && !grow(map))
		return false;
	s = find(map, key, len, hash);
	map->n += !s->key;
	*s = (struct strmap_slot){.key = key, .hash = hash, .value = value};
	return true;
}

bool strmap_get_n(const struct strmap *map, const char *key, size_t len, u32 *value)
{
	struct strmap_slot *s;

	if (!map->cap)
		return false;
	s = find(map, key, len, (u32)hash_bytes(key, len, 0));
	if (!s->key)
		return false;
	*value = s->value;
	return true;
}

bool strmap_get(const struct strmap *map, const char *key, u32 *value)
{
	return strmap_get_n(map, key, strlen(key), value);
}

void strmap_free(struct strmap *map)
{
	free(map->slots);
	*map = (struct strmap){0};
}
