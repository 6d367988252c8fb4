/* SPDX-License-Identifier: MIT
 *
 * record.h: the special fields of a map value or of an object allocated by programs:
 * typed pointers (slots), locks and the like, found through BTF (rule book, section A).
 */
#ifndef PINTLE_BTF_RECORD_H
#define PINTLE_BTF_RECORD_H

#include "btf/btf.h"

enum field_kind {
	FIELD_UNREF,	/* kptr_untrusted: B6, loads are untrusted */
	FIELD_REF,	/* kptr: owns one reference */
	FIELD_PERCPU,	/* percpu_kptr / kptr_percpu */
	FIELD_USER,	/* kptr_user */
	FIELD_UPTR,	/* uptr */
	FIELD_LOCK,	/* struct bpf_spin_lock */
	FIELD_TIMER,	/* struct bpf_timer */
	FIELD_WQ,	/* struct bpf_wq */
	FIELD_LIST_HEAD,
	FIELD_LIST_NODE,
	FIELD_RB_ROOT,
	FIELD_RB_NODE,
	FIELD_REFCOUNT,
	FIELD_SEQ,	/* struct pintle_seq: version of the slots beside it (H6) */
	NR_FIELD_KINDS,
};

struct field {
	enum field_kind kind;
	u32 off, size;		/* in bytes, from the start of the value */
	const struct btf *btf;	/* pointer kinds: where the pointee lives (host or program) */
	u32 type;		/* the pointee's struct id there; roots: the element's */
	bool local;		/* the pointee is known to the program's BTF only */
	u32 node_off;		/* roots: offset of the node in the element */
	s32 seq;		/* slots: from here to the FIELD_SEQ beside it; 0: none */
	const char *path;	/* "session.owner", for messages */
};

struct record {
	u32 n;
	struct field fields[]; /* by rising offset, not overlapping */
};

/* Which tag names count (A1, A2). */
enum tag_era { TAGS_MODERN, TAGS_519, TAGS_V1 };

struct record_opts {
	enum tag_era era;
	bool lenient;	 /* lenient_decl: what kernels ignore becomes plain bytes */
	bool no_local;	 /* local_types=off: unknown pointees are errors */
	u32 max_fields;	 /* 0: 64 */
	bool strict_tags;  /* I9: no other tag beside a slot */
	bool nest_519;	   /* I6: nested structs and arrays hold no fields */
	bool name_capture; /* I42: the host's struct by its name alone */
	u32 kinds_off;	   /* by enum field_kind: not known */
	u32 own_depth;	   /* 0: 8 */
	/* The host objects, base first: where pointees are looked up. */
	const struct btf *const *host;
	u32 nhost;
	/* Whether a host type has a destructor (A10); NULL: none has. */
	bool (*has_dtor)(void *data, const struct btf *btf, u32 type);
	void *data;
};

/*
 * The record of struct or datasec @type of program BTF @btf. *out is NULL when there is no
 * special field. @what names the owner in messages ("map 'sessions'"). From @arena.
 * 0, -EINVAL/-E2BIG/-ENOENT... with "what: path: tag: reason" in @log, or -ENOMEM.
 */
int record_parse(struct arena *arena, struct log *log, const char *what,
		 const struct btf *btf, u32 type, const struct record_opts *opts,
		 struct record **out);

/* The field that starts at @off, or NULL; and any field that [off, off+size) touches. */
const struct field *record_at(const struct record *rec, u32 off);
const struct field *record_overlap(const struct record *rec, u32 off, u32 size);

/* A.6: map-in-map equality. */
bool record_equal(const struct record *a, const struct record *b);

const char *field_kind_name(enum field_kind kind); /* "kptr", "bpf_spin_lock", … */

#endif
