/* SPDX-License-Identifier: MIT
 *
 * keep.h: whether what one object made may be used by another that takes its place.
 */
#ifndef PINTLE_RUN_KEEP_H
#define PINTLE_RUN_KEEP_H

#include "load/image.h"

enum keep_answer { KEEP_SAME = 0, KEEP_DIFFERS = 1 }; /* or -ENOMEM */

struct keep {
	const struct image *old, *new;
	char why[256]; /* when they differ: "value_size was 8, is 16" */
};

/* Structs of programs' own: an object of the one is an object of the other. */
int keep_same_type(struct keep *keep, u32 old_type, u32 new_type);
/* A declared map: attributes, types, special fields, template of inner maps. */
int keep_same_map(struct keep *keep, const struct image_map *old, const struct image_map *new);
/* Global data: every variable at its place, with its type. */
int keep_same_data(struct keep *keep, const struct image_map *old,
		   const struct image_map *new);

#endif
