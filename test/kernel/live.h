/* SPDX-License-Identifier: MIT
 *
 * live.h: the running kernel, for compare.c: maps, and whether it takes a program. A file
 * of its own, because libbpf and Pintle both call their types of BTF `struct btf`.
 */
#ifndef TEST_LIVE_H
#define TEST_LIVE_H

#include <stdbool.h>
#include <stddef.h>

struct live_map {
	unsigned int type, key_size, value_size, max_entries, flags;
	bool typed; /* made with BTF: an int for key, a long for value */
};

/* File descriptor, or a negative errno. */
int live_map_create(const struct live_map *map);

struct live_prog {
	unsigned int type, attach;
	const char *target; /* what it is attached to by BTF; or NULL */
	bool sleepable;
};

/* 0, or a negative errno with the kernel's log in @log. */
int live_load(const struct live_prog *prog, const void *insns, size_t n, char *log,
	      size_t size);

#endif
