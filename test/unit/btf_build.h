/* SPDX-License-Identifier: MIT
 *
 * btf_build.h: BTF made by hand, right or wrong on purpose.
 *
 *	struct bb b;
 *	bb_init(&b, NULL);
 *	u32 i32 = bb_int(&b, "int", 4);
 *	u32 conn = bb_struct(&b, "conn", 8, {"fd", i32, 0}, {"port", i32, 32});
 *	struct btf *btf = bb_open(&b, "host");
 *
 * Ids count from 1, or from the base's end. The builder must outlive what it opened;
 * bb_free() releases it. Out of memory aborts.
 */
#ifndef PINTLE_TEST_BTF_BUILD_H
#define PINTLE_TEST_BTF_BUILD_H

#include "base/log.h"
#include "base/vec.h"
#include "btf/btf.h"

struct bb {
	VEC(u8) types;
	VEC(char) strs;
	u32 strs_start, next_id;
	const struct btf *base;
	u8 *blob; /* of the last bb_blob() */
	u32 size;
};

struct bb_header { /* as in the format, for tests that damage it */
	u16 magic;
	u8 version, flags;
	u32 hdr_len, type_off, type_len, str_off, str_len;
};

struct bb_member {
	const char *name;
	u32 type, bit, bits;
};

struct bb_value {
	const char *name;
	s64 value;
};

void bb_init(struct bb *b, const struct btf *base);
void bb_free(struct bb *b);

u32 bb_str(struct bb *b, const char *s);
void bb_word(struct bb *b, u32 word);
/* Any record's first 12 bytes; returns its id. */
u32 bb_raw(struct bb *b, const char *name, enum btf_kind kind, bool kflag, u32 vlen,
	   u32 size_or_type);

u32 bb_int(struct bb *b, const char *name, u32 size); /* signed unless it begins with u */
u32 bb_ptr(struct bb *b, u32 to);
u32 bb_ref(struct bb *b, enum btf_kind kind, const char *name, u32 to);
u32 bb_tagged_ptr(struct bb *b, const char *tag, u32 to);
u32 bb_array(struct bb *b, u32 elem, u32 n);
u32 bb_fwd(struct bb *b, const char *name, bool is_union);
u32 bb_composite(struct bb *b, enum btf_kind kind, const char *name, u32 size, u32 n,
		 const struct bb_member *m);
u32 bb_enum_of(struct bb *b, const char *name, u32 n, const struct bb_value *v);
u32 bb_proto_of(struct bb *b, u32 ret, u32 n, const struct bb_member *p);
u32 bb_func(struct bb *b, const char *name, u32 proto);
u32 bb_var(struct bb *b, const char *name, u32 type, enum btf_linkage linkage);
/* name, type id of the variable, offset, size */
u32 bb_datasec_of(struct bb *b, const char *name, u32 size, u32 n,
		  const struct btf_secinfo *s);
u32 bb_decl_tag(struct bb *b, const char *value, u32 target, s32 component);

#define BB_LIST(type, ...)                                                               \
	sizeof((type[]){__VA_ARGS__}) / sizeof(type), (type[])                           \
	{                                                                                \
		__VA_ARGS__                                                              \
	}
#define bb_struct(b, name, size, ...)                                                    \
	bb_composite(b, BTF_STRUCT, name, size, BB_LIST(struct bb_member, __VA_ARGS__))
#define bb_union(b, name, size, ...)                                                     \
	bb_composite(b, BTF_UNION, name, size, BB_LIST(struct bb_member, __VA_ARGS__))
#define bb_enum(b, name, ...)                                                            \
	bb_enum_of(b, name, BB_LIST(struct bb_value, __VA_ARGS__))
#define bb_proto(b, ret, ...)                                                            \
	bb_proto_of(b, ret, BB_LIST(struct bb_member, __VA_ARGS__))
#define bb_datasec(b, name, size, ...)                                                   \
	bb_datasec_of(b, name, size, BB_LIST(struct btf_secinfo, __VA_ARGS__))

/* The blob so far, in the builder's memory: exactly @b->size bytes on the heap. */
u8 *bb_blob(struct bb *b);
/* Opens it; fails the test when that fails. */
struct btf *bb_open(struct bb *b, const char *name);
/* Opens it; the test fails unless it is refused with words that contain @part. */
void bb_refused(struct bb *b, const char *part);

#endif
