/* SPDX-License-Identifier: MIT
 *
 * iter.h: the engine's own iterators, as engine.c lists them (special.def). @at is the
 * program's struct bpf_iter_<kind>.
 */
#ifndef PINTLE_RUN_ITER_H
#define PINTLE_RUN_ITER_H

#include "run/map/map.h"

s64 iter_num_new(void *at, s32 start, s32 end);
s32 *iter_num_next(void *at);
void iter_num_destroy(void *at);
/* @room: bytes that are proved to be there (verify/rule/text.c). */
s64 iter_bits_new(void *at, const u64 *words, u32 n, u64 room);
s32 *iter_bits_next(void *at);
void iter_bits_destroy(void *at);
s64 iter_map_elem_new(void *at, struct map *map);
void *iter_map_elem_next(void *at);
void iter_map_elem_destroy(void *at);

#endif
