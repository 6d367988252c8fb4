/* SPDX-License-Identifier: MIT
 *
 * btf_impl.h: what a struct btf is made of; for the btf_*.c files only.
 *
 * Invariants once btf_open() has returned 0:
 *  - types is 4-byte aligned; offs[i] is the byte offset there of type start + i, and the
 *    whole record lies inside types_len;
 *  - every name offset of a record is the start of a terminated string;
 *  - every type id is below end and of a kind that may stand there;
 *  - following modifiers, typedefs, arrays and pointers from any id ends within
 *    BTF_MAX_CHAIN steps, and structs nest by value at most BTF_MAX_NEST deep.
 */
#ifndef PINTLE_BTF_IMPL_H
#define PINTLE_BTF_IMPL_H

#include "btf/btf.h"

enum {
	BTF_MAX_CHAIN = 64,  /* modifiers, typedefs, arrays, pointers in a row */
	BTF_MAX_NEST = 250,  /* structs inside structs, by value; below 255: see nest */
};

/* A declaration tag beside what it is on; sorted by target, then id. */
struct btf_tag_ref {
	u32 target, id;
};

struct btf {
	const char *name;
	const struct btf *base;
	const u8 *types;
	u32 types_len;
	const char *strs;
	u32 strs_len;
	u32 strs_start;	/* offset of this object's first string: base's strings come first */
	u32 start, end;
	u32 *offs;	/* by own index */
	u8 *nest;	/* by own index: levels of structs by value, 1 for a flat one */
	bool strs_odd;	/* the strings have control characters somewhere */

	/* btf_index.c: ids by hash of essential name; 0 ends a chain, ids rise along it */
	u32 *heads, *next;
	u32 heads_mask;
	struct btf_tag_ref *tags;
	u32 ntags;

	void *copy;	/* where the caller's bytes were not aligned, or had to be mended */
	void *map;	/* btf_open_file(): the mapped file, or NULL */
	size_t map_len;
	void *file;	/* btf_open_file(): the file read, where it could not be mapped */
};

static const struct btf_type btf_void = {0};

/* btf_type(), inline for the loops over everything. */
static inline const struct btf_type *btf_rec(const struct btf *btf, u32 id)
{
	if (unlikely(!id))
		return &btf_void;
	while (unlikely(id < btf->start))
		btf = btf->base;
	return (const struct btf_type *)(btf->types + btf->offs[id - btf->start]);
}

/* --- btf_check.c --- */

/* Bytes of the record @t, of which @left are there; 0 and *why when it is malformed. */
u32 btf_record_size(const struct btf_type *t, u32 left, const char **why);
/* Checks every record, reference, chain and nesting of the object's own types. With @mend
 * (a host's, its types in btf->copy) impossible references become void instead. */
int btf_check(struct log *log, struct btf *btf, bool mend);

/* --- btf_index.c --- */

int btf_index(struct btf *btf);
/* Length of @name without its flavour: "conn___v2" has 4. */
size_t btf_essential_len(const char *name);
/* The first id after @after (0: any) of the object itself, not of its bases, whose name's
 * essential part is the @len bytes at @name; any kind. 0: no more. */
u32 btf_find_essential(const struct btf *btf, u32 after, const char *name, size_t len);

/* --- btf_type.c --- */

/* The element of array @id with all dimensions opened, *n of them. pahole writes arrays of
 * several dimensions as one, so only this can be compared. */
u32 btf_flat_array(const struct btf *btf, u32 id, u64 *n);

#endif
