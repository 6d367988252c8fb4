/* SPDX-License-Identifier: MIT
 *
 * image.h: a parsed, relocated object. Immutable once made; no host address in it.
 *
 * In the instructions, after relocation:
 *  - LD_IMM64 of a map has src IMM_MAP or IMM_MAP_VALUE and imm = index into maps;
 *  - LD_IMM64 of a host variable has src IMM_KSYM and imm = index into ksyms;
 *  - LD_IMM64 of a function has src IMM_FUNC, imm relative as in the ISA;
 *  - CALL of a host function has src CALL_KFUNC and imm = index into ksyms;
 *  - CALL of a subprogram is relative, and every subprogram that a program needs has been
 *    appended to its instructions: a program is whole by itself.
 *  - a weak ksym that the host lacks: calls became a poisoned call, addresses 0.
 */
#ifndef PINTLE_IMAGE_H
#define PINTLE_IMAGE_H

#include "abi/abi.h"
#include "isa/isa.h"

struct arena;
struct log;

struct image_line { /* one record of line info, made absolute in its program */
	u32 insn;
	u32 line, col;
	const char *file, *text; /* text: the source line itself, trimmed; "" when absent */
};

struct image_subprog {
	const char *name;
	u32 start, end;	  /* instructions [start, end) of the program */
	u32 func, proto;  /* program BTF ids; 0 without BTF */
	bool global;	  /* verified by its signature */
	bool exception_cb;
};

struct image_prog {
	const char *name, *section;
	const struct abi_prog_type *type; /* NULL: no such section type; load refuses it */
	bool sleepable;
	const char *wrong;	/* why it may not be loaded, whatever its instructions; begins
				 * with ABI_UNSUPPORTED where that is not modelled */
	bool autoload;		/* false for "?section" */
	struct insn *insns;
	u32 ninsns;
	struct image_subprog *subprogs; /* [0] is the program itself; by rising start */
	u32 nsubprogs;
	struct image_line *lines; /* by rising insn */
	u32 nlines;
};

enum image_map_kind { IMAP_DECLARED, IMAP_DATA, IMAP_BSS, IMAP_RODATA, IMAP_OPS };

struct image_value { /* an index, and of a map or a program; the other is -1 */
	u32 key;
	s32 map, prog;
};

struct image_map {
	const char *name;
	enum image_map_kind kind;
	u32 type, key_size, value_size, max_entries, flags;
	u32 key_type, value_type;    /* program BTF ids; 0: none */
	const struct record *record; /* special fields of the value, or NULL */
	s32 inner;		     /* index of the inner map's template; -1 */
	const void *data;	     /* initial bytes of data maps; NULL: zero */
	const char *wrong;	     /* abi.each_program: why no program may use it */
	bool frozen;		     /* .rodata: programs may treat it as constants */
	u64 map_extra, data_size;    /* bytes of an arena's variables, at its beginning */
	const struct abi_ops *ops;   /* IMAP_OPS: what it is; data is in the host's layout */
	/* prog arrays and maps of maps: initial contents by index; IMAP_OPS: programs by
	 * offset in the host's struct */
	struct image_value *values;
	u32 nvalues;
};

/* A call of helper POISON_KSYM + index is one of a weak function that the host lacks: the
 * verifier refuses it where it can be reached. */
enum { POISON_KSYM = 2002000000 };

struct image_ksym {
	const char *name;   /* of the host's symbol */
	const char *symbol; /* as the object has it: "name" or "name___flavour" */
	bool is_func, weak;
	bool found;
	const struct abi_kfunc *kfunc; /* when a function and found */
	const struct abi_var *var;     /* when a variable and found */
	/* Variables: their type, in host BTF. Functions: the FUNC_PROTO that calls are checked
	 * against: the host's, or the program's declaration of what the engine provides. */
	const struct btf *btf;
	u32 type;
};

struct image {
	struct arena *arena;
	const char *name;	/* for messages */
	const struct abi *abi;	/* borrowed; outlives the image */
	struct btf *btf;	/* program BTF; NULL when the object has none */
	void *btf_data;		/* its bytes */
	char *license;
	u32 version;
	struct image_prog *progs;
	u32 nprogs;
	struct image_map *maps;
	u32 nmaps;
	struct image_ksym *ksyms;
	u32 nksyms;
	enum tag_era tags; /* how declarations of special fields are read */
	bool lenient_decl;
};

struct image_opts {
	const char *name;
	enum tag_era tags;
	bool lenient_decl;
	const char *tables; /* "a|b", "*": those of "?.struct_ops" that are made; NULL: none */
	bool look_only; /* no host: nothing is missing, CO-RE is not applied; not to be verified */
};

/*
 * Reads the ELF object at @data, which must stay valid only during the call. Strict; words
 * name file, section, symbol and what is wrong. -EINVAL, -ENOENT (missing ksym), -ENOTSUP
 * (big-endian, .kconfig, legacy map sections), -ENOMEM.
 */
int image_open(struct log *log, const struct abi *abi, const void *data, size_t size,
	       const struct image_opts *opts, struct image **out);
void image_free(struct image *image);

/* A program of one instruction array without an object: tests, conformance, fuzzing. */
int image_from_insns(struct log *log, const struct abi *abi, const char *name,
		     const struct abi_prog_type *type, const struct insn *insns, u32 n,
		     struct image **out);

/* How declarations of special fields in this object are to be read. */
void image_record_opts(const struct image *image, struct record_opts *opts);

struct image_prog *image_find_prog(const struct image *image, const char *name);
/* The subprogram that holds @insn. */
const struct image_subprog *image_subprog_of(const struct image_prog *prog, u32 insn);
/* The line of @insn: the last record at or before it in the same subprogram; or NULL. */
const struct image_line *image_line_of(const struct image_prog *prog, u32 insn);

#endif
