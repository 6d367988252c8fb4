/* SPDX-License-Identifier: MIT
 *
 * btf_core_impl.h: what the btf_core_*.c files share.
 *
 * A relocation names a type of the program and a path into it, "0:1:2": the first number
 * indexes an array of that type, each next one a member or an element. Read against the
 * program's types the path becomes a struct core_spec: the members by name and the
 * indices, which are then followed through a type of the host.
 */
#ifndef PINTLE_BTF_CORE_IMPL_H
#define PINTLE_BTF_CORE_IMPL_H

#include "btf/btf_impl.h"

enum { CORE_MAX_STEPS = 64, CORE_BUDGET = 1 << 18 };

/* What kind of thing a relocation asks about. */
enum core_subject { CORE_FIELD, CORE_TYPE, CORE_ENUMVAL };

/* One step: a named member, or an index. */
struct core_step {
	const char *name; /* of a member or enumerator; NULL: an index */
	u32 type;	  /* of the member, unresolved */
	u32 index;
};

/* A place in one type: where a path ends. */
struct core_at {
	const struct btf *btf;
	u32 type;	/* what is there, unresolved */
	u64 bit;	/* offset from the root */
	u32 owner, member; /* the member it is, for bitfields; owner 0: an element or the root */
	u32 times;	/* how many of that type, where it is part of a flattened array; 0: 1 */
	s64 value;	/* enumerators */
};

struct core_spec {
	const struct btf *btf;
	u32 root;
	enum core_subject subject;
	u32 raw[CORE_MAX_STEPS]; /* the numbers as written */
	u32 nraw;
	struct core_step steps[CORE_MAX_STEPS];
	u32 nsteps;
	struct core_at at;
};

const char *core_kind_name(u32 kind);
enum core_subject core_subject(u32 kind);

/* --- btf_core_spec.c --- */

/* Reads @relo against the program's own types; *why is a constant string on failure. */
bool core_spec_read(const struct btf *local, const struct core_relo *relo,
		    struct core_spec *spec, const char **why);
/* The flexible array or the bounds: whether element @index of array @id is there. */
bool core_index_ok(const struct btf *btf, const struct core_at *at, u32 array, u32 index);
/* Adds @index elements of @size bytes to a bit offset; false where that is absurd. */
bool core_add_index(u64 *bit, u32 index, u32 size);

/* --- btf_core_match.c --- */

/* Whether a path's step may go through these two types. */
bool core_fields_fit(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b);
/* bpf_core_type_exists(): of the same kind, pointers and prototypes followed. */
bool core_types_fit(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b);
/* bpf_core_type_matches(): every member and enumerator of a has its like in b. */
bool core_types_match(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b);
/* Whether two type ids may be the same root: kinds, enums of either width. */
bool core_kinds_fit(const struct btf_type *x, const struct btf_type *y);

#endif
