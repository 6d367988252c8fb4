/* SPDX-License-Identifier: MIT
 *
 * iter.c: the engine's own open-coded iterators, which lie on the program's stack: numbers
 * in order, bits that are set, keys of a map. The verifier sees to it that _next() is asked
 * of what _new() made only, and that _destroy() follows on every path; what _new() refuses
 * is an iterator of nothing.
 *
 * Elements lie in the iterator itself, so they last until the next one is asked for.
 */
#include "run/helper/iter.h"
#include "run/memory/fault.h"
#include "run/helper/helpers.h"

/* ------------------------------------------------------------------ numbers */

enum { MAX_NUMBERS = 1 << 23 };

struct iter_num {
	s32 cur, end;
};

s64 iter_num_new(void *at, s32 start, s32 end)
{
	struct iter_num *it = at;

	*it = (struct iter_num){0, 0};
	if (start > end)
		return -EINVAL;
	if ((s64)end - start > MAX_NUMBERS)
		return -E2BIG;
	*it = (struct iter_num){(s32)((u32)start - 1), end}; /* may wrap, and back */
	return 0;
}

s32 *iter_num_next(void *at)
{
	struct iter_num *it = at;
	s32 next = (s32)((u32)it->cur + 1);

	if (next >= it->end) {
		*it = (struct iter_num){0, 0};
		return NULL;
	}
	it->cur = next;
	return &it->cur;
}

void iter_num_destroy(void *at)
{
	*(struct iter_num *)at = (struct iter_num){0, 0};
}

/* ------------------------------------------------------------------ bits */

enum { MAX_BIT_WORDS = 511 };

/* A copy of the words, as they were: one inside, more on the heap. */
struct iter_bits {
	union {
		u64 word;
		u64 *words;
	};
	u32 nbits; /* 0: none, and nothing on the heap */
	s32 bit;   /* given last */
};

s64 iter_bits_new(void *at, const u64 *words, u32 n, u64 room)
{
	struct iter_bits *it = at;
	u64 *copy = &it->word;

	*it = (struct iter_bits){.bit = -1};
	if (!n)
		return -EINVAL;
	if (n > MAX_BIT_WORDS)
		return -E2BIG;
	if (n * sizeof(u64) > room)
		return -EFAULT;
	if (n > 1)
		copy = malloc(n * sizeof(u64));
	if (!copy)
		return -ENOMEM;
	if (helper_probe_read_kernel((uintptr_t)copy, n * sizeof(u64), (uintptr_t)words, 0, 0)) {
		if (n > 1)
			free(copy);
		return -EFAULT;
	}
	if (n > 1)
		it->words = copy;
	it->nbits = n * 64;
	return 0;
}

s32 *iter_bits_next(void *at)
{
	struct iter_bits *it = at;
	const u64 *words = it->nbits > 64 ? it->words : &it->word;

	for (u32 bit = (u32)it->bit + 1; bit < it->nbits; bit = (bit | 63) + 1) {
		u64 left = words[bit / 64] >> (bit % 64);

		if (!left)
			continue;
		it->bit = (s32)bit + __builtin_ctzll(left);
		return &it->bit;
	}
	it->bit = (s32)it->nbits - 1; /* none from here on */
	return NULL;
}

void iter_bits_destroy(void *at)
{
	struct iter_bits *it = at;

	if (it->nbits > 64)
		free(it->words);
	*it = (struct iter_bits){0};
}

/* ------------------------------------------------------------------ keys of a map */

enum { KEY_INSIDE = 48 };

/* A key that is there from beginning to end is given once, whatever comes and goes: as
 * walks by next_key() do. */
struct iter_map_elem {
	struct map *map; /* NULL: of nothing, or at its end */
	void *key;	 /* inside[], or on the heap */
	char inside[KEY_INSIDE];
	bool begun;
};

s64 iter_map_elem_new(void *at, struct map *map)
{
	struct iter_map_elem *it = at;

	*it = (struct iter_map_elem){0};
	if (!map->ops->next_key)
		return -EOPNOTSUPP;
	it->key = map->key_size > KEY_INSIDE ? malloc(map->key_size) : it->inside;
	if (!it->key)
		return -ENOMEM;
	it->map = map;
	return 0;
}

void *iter_map_elem_next(void *at)
{
	struct iter_map_elem *it = at;
	int err;

	if (!it->map)
		return NULL;
	run_read_lock(it->map->host);
	err = it->map->ops->next_key(it->map, it->begun ? it->key : NULL, it->key);
	run_read_unlock(it->map->host);
	it->begun = true;
	if (!err)
		return it->key;
	it->map = NULL;
	return NULL;
}

void iter_map_elem_destroy(void *at)
{
	struct iter_map_elem *it = at;

	if (it->key != it->inside)
		free(it->key);
	it->map = NULL;
	it->key = it->inside;
}

_Static_assert(sizeof(struct iter_num) == 8 && sizeof(struct iter_bits) == 16 &&
	       sizeof(struct iter_map_elem) == 72, "as ksym.c lets programs declare them");
