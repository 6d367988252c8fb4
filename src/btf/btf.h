/* SPDX-License-Identifier: MIT
 *
 * btf.h: types. A struct btf is one BTF blob, read strictly once and never changed, not
 * copied: the bytes are borrowed from whoever opened it (or owned, see btf_open_file()).
 * Split BTF has a base; ids below base->end belong to it, and every query on the split
 * object answers for both.
 *
 * Threading: immutable after opening; any number of readers.
 */
#ifndef PINTLE_BTF_H
#define PINTLE_BTF_H

#include "base/base.h"

struct arena;
struct log;
struct btf;

enum btf_kind { /* numbers of the format */
	BTF_VOID, BTF_INT, BTF_PTR, BTF_ARRAY, BTF_STRUCT, BTF_UNION, BTF_ENUM, BTF_FWD,
	BTF_TYPEDEF, BTF_VOLATILE, BTF_CONST, BTF_RESTRICT, BTF_FUNC, BTF_FUNC_PROTO,
	BTF_VAR, BTF_DATASEC, BTF_FLOAT, BTF_DECL_TAG, BTF_TYPE_TAG, BTF_ENUM64,
	NR_BTF_KINDS,
};

enum btf_linkage { BTF_STATIC, BTF_GLOBAL, BTF_EXTERN };

/* The raw records of the format, as in <linux/btf.h>, named here so that no caller needs
 * the kernel's header. */
struct btf_type {
	u32 name_off;
	u32 info; /* vlen, kind, kind_flag: use the accessors */
	union {
		u32 size;
		u32 type;
	};
};
struct btf_member { u32 name_off, type, offset; };
struct btf_array_info { u32 type, index_type, nelems; };
struct btf_param { u32 name_off, type; };
struct btf_enumerator { u32 name_off; s32 val; };
struct btf_enumerator64 { u32 name_off; u32 lo, hi; };
struct btf_secinfo { u32 type, offset, size; };

static inline enum btf_kind btf_kind(const struct btf_type *t)
{
	return (enum btf_kind)(t->info >> 24 & 0x1f);
}
static inline u32 btf_vlen(const struct btf_type *t)
{
	return t->info & 0xffff;
}
static inline bool btf_kflag(const struct btf_type *t)
{
	return t->info >> 31;
}
static inline bool btf_is_composite(const struct btf_type *t)
{
	return btf_kind(t) == BTF_STRUCT || btf_kind(t) == BTF_UNION;
}

/*
 * Reads @size bytes of BTF at @data, which must stay valid while the result lives. Every
 * index, offset, string, member and cycle is checked here, so that accessors need no
 * checks. Big-endian data is refused by name. @name is for messages ("vmlinux",
 * "prog.bpf.o"). 0, -EINVAL (words in @log) or -ENOMEM.
 */
int btf_open(struct log *log, const char *name, const void *data, u32 size,
	     const struct btf *base, struct btf **out);

/*
 * As btf_open(), of a host's own BTF: what pahole is known to get wrong is mended and told
 * as a note, not refused. A member, pointee or parameter that refers to no possible type
 * (C11 _Atomic before pahole 1.25) is void: it has a name and a place, but no size.
 */
int btf_open_host(struct log *log, const char *name, const void *data, u32 size,
		  const struct btf *base, struct btf **out);

/* As btf_open_host(), from a raw BTF file or from an ELF file's .BTF section; maps the
 * file. */
int btf_open_file(struct log *log, const char *path, const struct btf *base,
		  struct btf **out);
void btf_close(struct btf *btf);

const char *btf_name(const struct btf *btf);	  /* the name given at opening */
const struct btf *btf_base(const struct btf *btf); /* NULL when not split */
u32 btf_start(const struct btf *btf);		  /* first own id: 1, or base's end */
u32 btf_end(const struct btf *btf);		  /* one past the last id */

/* The record of @id (void for 0); @id must be < btf_end(). */
const struct btf_type *btf_type(const struct btf *btf, u32 id);
/* The string at @off; "" for 0. */
const char *btf_str(const struct btf *btf, u32 off);
/* The same for an offset that btf_open() has not seen (.BTF.ext): NULL when outside. */
const char *btf_str_checked(const struct btf *btf, u32 off);
const char *btf_type_name(const struct btf *btf, u32 id);

/* The arrays behind a record; only for the kinds that have them. */
const struct btf_member *btf_members(const struct btf_type *t);
const struct btf_array_info *btf_array(const struct btf_type *t);
const struct btf_param *btf_params(const struct btf_type *t);
const struct btf_enumerator *btf_enumerators(const struct btf_type *t);
const struct btf_enumerator64 *btf_enumerators64(const struct btf_type *t);
const struct btf_secinfo *btf_secinfos(const struct btf_type *t);
s32 btf_decl_tag_index(const struct btf_type *t); /* component index, -1: the type itself */
u32 btf_var_linkage(const struct btf_type *t);
u32 btf_func_linkage(const struct btf_type *t);

/* Bit offset and bitfield size (0: not a bitfield) of a member. */
u32 btf_member_bit(const struct btf_type *t, const struct btf_member *m);
u32 btf_member_bits(const struct btf_type *t, const struct btf_member *m);

/* INT details. */
u32 btf_int_bits(const struct btf_type *t);
bool btf_int_signed(const struct btf_type *t);
bool btf_int_bool(const struct btf_type *t);

/* Skips const, volatile, restrict, typedef and type tags. */
u32 btf_skip_mods(const struct btf *btf, u32 id);
/* Skips those but not typedefs. */
u32 btf_skip_quals(const struct btf *btf, u32 id);

/* Size in bytes of a value of type @id; 0 and false for void, functions, forward
 * declarations and what overflows. */
bool btf_size(const struct btf *btf, u32 id, u32 *size);

/* Id of the type with this name and kind, searched in the base first; 0: none. */
u32 btf_find(const struct btf *btf, const char *name, enum btf_kind kind);
/* The next one after @after with the same name and kind; 0: no more. */
u32 btf_find_next(const struct btf *btf, u32 after, const char *name, enum btf_kind kind);

/* What @id points to, modifiers skipped on both sides of the pointer; 0: void, or @id is
 * no pointer. */
u32 btf_pointee(const struct btf *btf, u32 id);

/* Value of the declaration tag of @id (component, -1: itself) that begins with @prefix,
 * after the prefix; NULL when there is none. *count: how many there were. */
const char *btf_decl_tag(const struct btf *btf, u32 id, s32 component, const char *prefix,
			 u32 *count);
/* Whether the type tag @tag stands between pointer @ptr_id and its pointee. */
bool btf_ptr_has_tag(const struct btf *btf, u32 ptr_id, const char *tag);

/* --- btf_walk.c: what is at an offset --- */

struct btf_at {
	u32 type;	 /* declared type id (unresolved) of the member, or of its element */
	u32 off;	 /* its offset from the outermost struct's start */
	u32 size;	 /* bytes; a bitfield's: the whole bytes it lies in */
	u32 owner;	 /* the innermost struct that has the member */
	u32 member;	 /* its index there */
	bool in_union;	 /* a union with more than one member was stepped through */
	bool bitfield;
	u32 from;	 /* a bitfield read with what is before it: 1 + the member there */
	bool lenient;	 /* a part of a bitfield, or not of the first member there */
	u32 index;	 /* element index where the member is an array, flattened */
};

/*
 * What @size bytes at @off of struct @id touch: the innermost scalar, pointer or enum
 * member, arrays indexed, nested structs entered. False: a hole, past the end, or
 * crossing a member; *why is then a constant string. Arrays of scalars count as one
 * member (B35): an access may go on over the following elements. A pointer may be touched
 * in part: compare @at->off and @at->size. Flexible arrays at the end are walked when
 * @flex. Of a crossed member *at has owner and member, and as off where the owner begins;
 * otherwise owner is 0 then.
 */
bool btf_walk(const struct btf *btf, u32 id, u32 off, u32 size, bool flex,
	      struct btf_at *at, const char **why);

/* Whether a struct of type (b, want) begins exactly at byte @off of struct (a, id), at any
 * nesting (rule book B15). With @strict only offset 0 and the same type. Unions of more
 * than one member are not entered; flexible arrays are. */
bool btf_struct_at(const struct btf *a, u32 id, u32 off, const struct btf *b, u32 want,
		   bool strict);

/* The same record: same object and id, or through a shared base (B16). */
bool btf_same_type(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b);

/* --- btf_match.c --- */

/* Whether two types, of maybe two objects, have the same layout: kinds, sizes, offsets and
 * member names, pointers by their pointee's name. On false, *path (from @arena, may be
 * NULL on OOM) names the first member that differs, e.g. "conn.addr.port". */
bool btf_layout_same(struct arena *arena, const struct btf *a, u32 id_a,
		     const struct btf *b, u32 id_b, const char **path);

/* Whether every member of (a, id_a) is known by name to (b, id_b), with a type of the same
 * kind, wherever it lies: what CO-RE asks of a program compiled against a part or another
 * version of a struct. *path as above. */
bool btf_layout_known(struct arena *arena, const struct btf *a, u32 id_a,
		      const struct btf *b, u32 id_b, const char **path);

/* --- btf_print.c --- */

/*
 * A C declaration of type @id with declarator @name ("struct conn *peer"), which may be
 * "". Type tags are written as the macros of BPF headers are named: "struct conn __kptr *".
 * With @deep the struct, union or enum @id itself is printed with its body. What is too
 * long or too deep ends in "...". From @arena; NULL when out of memory.
 */
const char *btf_decl(struct arena *arena, const struct btf *btf, u32 id, const char *name,
		     bool deep);

/* --- btf_core.c: CO-RE --- */

enum core_kind { /* numbers of the format */
	CORE_FIELD_BYTE_OFFSET, CORE_FIELD_BYTE_SIZE, CORE_FIELD_EXISTS, CORE_FIELD_SIGNED,
	CORE_FIELD_LSHIFT_U64, CORE_FIELD_RSHIFT_U64, CORE_TYPE_ID_LOCAL,
	CORE_TYPE_ID_TARGET, CORE_TYPE_EXISTS, CORE_TYPE_SIZE, CORE_ENUMVAL_EXISTS,
	CORE_ENUMVAL_VALUE, CORE_TYPE_MATCHES, NR_CORE_KINDS,
};

struct core_relo { /* a record of .BTF.ext, as in the format */
	u32 insn_off, type_id, access_str_off, kind;
};

/* What core_resolve() found, for core_patch(). */
struct core_result {
	bool poison;	  /* no candidate: the instruction must never run */
	u64 value;	  /* what goes into the instruction */
	const struct btf *btf; /* the target object, for CORE_TYPE_ID_TARGET */
	u64 local;	  /* what the compiler put there, by the program's own types */
	bool local_known; /* @local is certain enough to be compared */
	/* CORE_FIELD_BYTE_OFFSET: bytes of the field here and there, for the load width. */
	u32 mem_local, mem_size;
	bool mem_signed;  /* both are signed integers */
	bool mem_exact;	  /* of different size, neither both signed nor both unsigned */
};

/*
 * Resolves one relocation of program BTF @local against the @ntargets host objects (base
 * first; the others are asked only when it has no type of that name). Flavours
 * ("name___x") are ignored on both sides. Ambiguity between candidates that answer
 * differently is -EINVAL, as a malformed access string is.
 */
int core_resolve(struct log *log, const struct btf *local, const struct core_relo *relo,
		 const struct btf *const *targets, u32 ntargets, struct core_result *out);

/* Prints "<byte_off> struct foo.bar.baz (0:1:2 @ offset 16)" for messages. */
const char *core_spec_str(struct arena *arena, const struct btf *local,
			  const struct core_relo *relo);

/*
 * Applies @res to the instruction(s) at @insns: patches imm/off and the load width where
 * sizes differ. -EINVAL with words when the instruction does not fit the relocation.
 * Poison, and an access whose width cannot be mended, becomes a call of helper
 * CORE_POISON (both slots of a 64-bit immediate), which no program type has: the verifier
 * refuses it where it can be reached, and it is dead code where it cannot. The number is
 * libbpf's; people search for it.
 */
enum { CORE_POISON = 195896080 }; /* 0xbad2310 */
struct insn;
int core_patch(struct log *log, const char *where, struct insn *insns, u32 left,
	       const struct core_relo *relo, const struct core_result *res);

#endif
