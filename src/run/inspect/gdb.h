/* SPDX-License-Identifier: MIT
 *
 * gdb.h: native code for debuggers.
 */
#ifndef PINTLE_RUN_GDB_H
#define PINTLE_RUN_GDB_H

#include "run/run.h"

/* An object file that describes the native code of @object, to be freed; NULL: has none, or
 * no memory. gdb_elf.c */
void *gdb_elf(const struct pintle_object *object, size_t *size);

#endif
