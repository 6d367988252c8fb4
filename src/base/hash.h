/* SPDX-License-Identifier: MIT
 *
 * hash.h: hashing of bytes, and a map from strings to 32-bit numbers.
 */
#ifndef PINTLE_BASE_HASH_H
#define PINTLE_BASE_HASH_H

#include "base/base.h"

/* 64 well-mixed bits of @len bytes; @seed makes collisions unpredictable. */
u64 hash_bytes(const void *data, size_t len, u64 seed);

/* Strings are borrowed: they must outlive the map. */
struct strmap {
	struct strmap_slot *slots;
	u32 n, cap;
};

/* Adds @key, or replaces its value. False when out of memory. */
bool strmap_set(struct strmap *map, const char *key, u32 value);

/* The value of @key into @value; false when it is not there. */
bool strmap_get(const struct strmap *map, const char *key, u32 *value);
bool strmap_get_n(const struct strmap *map, const char *key, size_t len, u32 *value);
void strmap_free(struct strmap *map);

#endif
