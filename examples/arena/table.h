/* SPDX-License-Identifier: MIT
 *
 * table.h: a hash table in an arena, as program and host see it: pointers are the same on
 * both sides.
 */
#ifndef ARENA_TABLE_H
#define ARENA_TABLE_H

#ifdef __bpf__
#define __arena __attribute__((address_space(1)))
#else
#define __arena
#endif

enum { BUCKETS = 64 };

struct entry {
	struct entry __arena *next;
	unsigned long key, hits;
};

struct table { /* the first thing in the arena */
	struct entry __arena *buckets[BUCKETS];
	unsigned long entries;
	struct entry __arena *free; /* room for new ones, */
	struct entry __arena *end;  /* up to here */
};

#endif
