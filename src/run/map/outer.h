/* SPDX-License-Identifier: MIT
 *
 * outer.h: maps whose values are not bytes but references: to maps, or to programs. Hosts
 * set them by handles (map_ops.put); programs only look them up.
 */
#ifndef PINTLE_MAP_OUTER_H
#define PINTLE_MAP_OUTER_H

#include "run/map/map.h"

/*
 * What an outer map's inner maps must be like (rule book A.6): the template holds
 * attributes and fields, no storage. NULL with words: -ENOMEM, or what a definition is
 * refused with.
 */
int template_create(struct log *log, const struct map *outer, const struct image_map *def,
		    struct map **out);
void template_free(struct map *map);
/* A31, A32: 0, or -EINVAL. */
int template_fits(const struct map *outer, const struct map *inner);

/* --- prog_array.c --- */

struct code;

/* The code of the program at @index, or NULL: what a tail call goes to. */
const struct code *prog_array_code(struct map *map, u64 index);
/* Programs of one type only are in an array and jump through it: -EINVAL if @prog is of
 * another than those before it. */
int prog_array_bind(struct map *map, const struct image_prog *prog);
/* @object goes: its programs leave every array of the host. Those who may be jumping there
 * are done after a grace period. */
void prog_arrays_forget(struct pintle_host *host, const struct pintle_object *object);

struct swap;

/* Replacing swap->old, whose programs know their successors. The arrays of other objects
 * that lead to it: while @swap is under way each run finds there what is on its side;
 * afterwards the successors are in place. */
void prog_arrays_cross(struct pintle_host *host, const struct swap *swap);
/* It will not be: they are as they were. */
void prog_arrays_uncross(struct pintle_host *host, const struct swap *swap);
void prog_arrays_crossed(struct pintle_host *host, const struct swap *swap);
/* What the host put into @old goes into @new, where nothing is: successors for programs of
 * @object. */
void prog_array_carry(struct map *old, struct map *new, const struct pintle_object *object);

#endif
