/* SPDX-License-Identifier: MIT
 *
 * vec.h: a growing array of anything, on the heap.
 *
 *	VEC(struct thing) things = {0};
 *	if (!vec_push(&things, t)) return -ENOMEM;
 *	for (u32 i = 0; i < things.n; i++) use(&things.v[i]);
 *	vec_free(&things);
 */
#ifndef PINTLE_BASE_VEC_H
#define PINTLE_BASE_VEC_H

#include "base/base.h"

#define VEC(type)                                                                        \
	struct {                                                                         \
		type *v;                                                                 \
		u32 n, cap;                                                              \
	}

/* Room for @need elements of @size bytes; false when out of memory. */
bool vec_grow(void **v, u32 *cap, u64 need, size_t size);

#define vec_reserve(vec, more)                                                           \
	((u64)(vec)->n + (more) <= (vec)->cap ||                                         \
	 vec_grow((void **)&(vec)->v, &(vec)->cap, (u64)(vec)->n + (more),               \
		  sizeof((vec)->v[0])))
#define vec_push(vec, ...)                                                               \
	(vec_reserve(vec, 1) ? ((vec)->v[(vec)->n++] = (__VA_ARGS__), true) : false)
#define vec_pop(vec) ((vec)->v[--(vec)->n])
#define vec_last(vec) (&(vec)->v[(vec)->n - 1])
#define vec_free(vec)                                                                    \
	do {                                                                             \
		free((vec)->v);                                                          \
		(vec)->v = NULL;                                                         \
		(vec)->n = (vec)->cap = 0;                                               \
	} while (0)

#endif
