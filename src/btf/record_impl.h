/* SPDX-License-Identifier: MIT
 *
 * record_impl.h: what the record_*.c files share. record.c walks a type and asks
 * record_slot.c about pointers, record_graph.c about everything that owns or is owned.
 */
#ifndef PINTLE_BTF_RECORD_IMPL_H
#define PINTLE_BTF_RECORD_IMPL_H

#include "base/vec.h"
#include "btf/record.h"

struct arena;
struct log;

/* One record_parse(): the type asked for, and the local types its fields own. */
struct rec_session {
	struct arena *arena;
	struct log *log;
	const char *what;
	const struct btf *btf;
	const struct record_opts *opts;
	u8 *plain;		 /* by id: known to hold nothing special */
	struct rec_owner *owners; /* by id: what is known of its ownership; see graph */
};

/* One type being walked. */
struct rec_walk {
	struct rec_session *s;
	VEC(struct field) fields;
	bool foreign_tag; /* a pointer with a tag that means nothing here */
	u32 found; /* special things met, those that became plain bytes too */
};

/* Where the walk stands: a member, a variable, an element of an array. */
struct rec_place {
	const struct rec_place *up;
	const char *name; /* "" for anonymous members; NULL: an element */
	u32 index;	  /* of an element */
	u32 off;	  /* from the start of the value */
	u32 rel;	  /* from the start of the innermost struct */
	u32 level;	  /* structs entered, the outermost included */
	bool bare; /* no struct around it: the value itself */
	bool in_union, in_flexible, repeated;
	u32 owner;	  /* whose declaration tags say more: a struct or variable, */
	s32 component;	  /* and its member's index */
};

/* "session.slots[2].owner", from the arena; NULL when out of memory. */
const char *rec_path(struct arena *arena, const struct rec_place *place);

/* Logs "what: path: tag: reason (CODE)" and returns @err. */
int rec_fail(struct rec_walk *w, const struct rec_place *place, const char *tag, int err,
	     const char *code, const char *fmt, ...) FORMAT(6, 7);
/* As rec_fail(), for what kernels take for plain bytes: 0 when the caller wants that. */
int rec_refuse(struct rec_walk *w, const struct rec_place *place, const char *tag, int err,
	       const char *code, const char *fmt, ...) FORMAT(6, 7);

/* Adds a field at @place after the checks common to all: placement, alignment, number.
 * @f: everything but its offset and path. Fields that become plain bytes are dropped. */
int rec_add(struct rec_walk *w, const struct rec_place *place, const char *tag, u32 align,
	    struct field f);

/* All fields of struct or section @type into @w, sorted; the caller frees w->fields. */
int rec_collect(struct rec_walk *w, u32 type);

/* record_slot.c: @type, unresolved, is a pointer. */
int rec_slot(struct rec_walk *w, u32 type, const struct rec_place *place);

/* record_graph.c: fills @f for a list head or tree root (A35). */
int rec_root(struct rec_walk *w, const struct rec_place *place, const char *tag,
	     struct field *f);
/* record_graph.c: rules about all fields together (A35, A36). @type: whose they are. */
int rec_check_graph(struct rec_walk *w, u32 type);

#endif
