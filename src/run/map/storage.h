/* SPDX-License-Identifier: MIT
 *
 * storage.h: object storage, for helpers and hosts; see storage.c.
 */
#ifndef PINTLE_MAP_STORAGE_H
#define PINTLE_MAP_STORAGE_H

#include "run/map/map.h"

/* The value of @object, or NULL. With BPF_LOCAL_STORAGE_GET_F_CREATE one is made if there
 * is none: a copy of @init (NULL: zeros) but for its fields, which are empty. */
void *storage_get(struct map *map, const void *object, const void *init, u64 flags);
/* @object goes: so do its values in all maps of the host. */
void storage_forget(struct pintle_host *host, const void *object);

#endif
