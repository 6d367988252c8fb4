/* SPDX-License-Identifier: MIT
 *
 * bloom.c: bloom filters (Bloom 1970): an update adds a value, a lookup tells whether a
 * value may have been added (0) or surely was not (-ENOENT). Nothing can be deleted.
 *
 * The low four bits of map_extra say how many bits a value sets, 5 when they are 0. There
 * are so many bits that about half are set when max_entries values have been added. The
 * bits of a value are an arithmetic sequence (Kirsch and Mitzenmacher 2006), so that it is
 * hashed once.
 *
 * Ordering: none beyond each bit's own; who was told of an update in an ordered way finds
 * the value. Progress: wait-free.
 */
#include "run/map/map.h"

#include "base/hash.h"

enum { BITS_DEFAULT = 5, BITS_MASK = 15, MAPF_ZERO_SEED = 1 << 6 };

struct bloom {
	struct map map;
	u32 per_value, mask; /* bits of a value; index mask of all */
	u64 seed;
	atomic(u32) added;
	atomic(u64) *words;
};

static struct bloom *bloom_of(struct map *map)
{
	return container_of(map, struct bloom, map);
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	u32 per_value = def->map_extra & BITS_MASK ? def->map_extra & BITS_MASK
						   : BITS_DEFAULT;
	u64 want = (u64)proto->max_entries * per_value * 7 / 5, bits = 64;
	struct bloom *b;

	if (def->map_extra & ~(u64)BITS_MASK)
		return log_fail(log, -EINVAL,
				"map '%s': map_extra is 0x%llx; at most 15 bits a value",
				def->name, (unsigned long long)def->map_extra);
	while (bits < want && bits < (u64)1 << 32)
		bits *= 2;
	b = calloc(1, sizeof(*b));
	if (b)
		b->words = calloc(bits / 64, sizeof(*b->words));
	if (!b || !b->words) {
		free(b);
		return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
				def->name, (unsigned long long)bits / 8);
	}
	b->map = *proto;
	b->per_value = per_value;
	b->mask = (u32)(bits - 1);
	b->seed = proto->flags & MAPF_ZERO_SEED ? 0 : proto->host->hash_seed;
	*out = &b->map;
	return 0;
}

static void destroy(struct map *map)
{
	free(bloom_of(map)->words);
	free(bloom_of(map));
}

/* The next bit of a value: *@at is an index, @step odd, so that the bits differ. */
static atomic(u64) *next_bit(struct bloom *b, u32 *at, u32 step, u64 *bit)
{
	u32 i = *at & b->mask;

	*at += step;
	*bit = BIT64(i % 64);
	return &b->words[i / 64];
}

static int add(struct map *map, const void *key, const void *value, u64 flags)
{
	struct bloom *b = bloom_of(map);
	u64 hash = hash_bytes(value, map->value_size, b->seed), bit;
	u32 at = (u32)hash, step = (u32)(hash >> 32) | 1;
	bool fresh = false;

	if (flags)
		return -EINVAL;
	for (u32 i = 0; i < b->per_value; i++) {
		atomic(u64) *word = next_bit(b, &at, step, &bit);

		/* A line that all have is not made anybody's own for nothing. */
		if (atomic_load_explicit(word, memory_order_relaxed) & bit)
			continue;
		fresh |= !(atomic_fetch_or_explicit(word, bit, memory_order_relaxed) & bit);
	}
	if (fresh)
		atomic_fetch_add_explicit(&b->added, 1, memory_order_relaxed);
	return 0;
}

/* @value is what is asked about. */
static int test(struct map *map, const void *key, void *value)
{
	struct bloom *b = bloom_of(map);
	u64 hash = hash_bytes(value, map->value_size, b->seed), bit;
	u32 at = (u32)hash, step = (u32)(hash >> 32) | 1;

	for (u32 i = 0; i < b->per_value; i++) {
		atomic(u64) *word = next_bit(b, &at, step, &bit);

		if (!(atomic_load_explicit(word, memory_order_relaxed) & bit))
			return -ENOENT;
	}
	return 0;
}

/* Values that were news when they were added. */
static u32 count(struct map *map)
{
	return atomic_load_explicit(&bloom_of(map)->added, memory_order_relaxed);
}

const struct map_ops map_bloom_ops = {
	.type = MAP_BLOOM_FILTER,
	.flags = MAPF_ZERO_SEED,
	.keyless = true,
	.extra = true,
	.create = create,
	.free = destroy,
	.update = add,
	.write = add,
	.read = test,
	.count = count,
};
