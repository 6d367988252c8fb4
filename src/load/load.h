/* SPDX-License-Identifier: MIT
 *
 * load.h: the loader's own vocabulary. A struct loader lives while one object is read:
 *
 *	elf.c    sections and symbols, all indexes checked
 *	ext.c    .BTF.ext: functions, lines, CO-RE
 *	mapdef.c maps declared in .maps, and global data sections
 *	kconfig.c constants of the kernel that the object names
 *	ksym.c   functions and variables of the host that the object names
 *	reloc.c  what each relocated instruction refers to
 *	ops.c    structs of functions: which program is which member
 *	values.c initial values of maps of maps and program arrays
 *	link.c   programs: each with the subprograms it needs appended
 *	open.c   the order of it all
 */
#ifndef PINTLE_LOAD_H
#define PINTLE_LOAD_H

#include "base/arena.h"
#include "base/log.h"
#include "load/image.h"

struct elf_rel { /* a relocation: section offset, symbol */
	u64 off;
	u32 sym, type;
};

struct elf_sec {
	const char *name;
	u32 type, link, info;
	u64 flags, size;
	const u8 *data; /* NULL for no bits */
	struct elf_rel *rels; /* that apply to this section, by rising offset */
	u32 nrels;
	/* executable sections: */
	struct insn *insns; /* own copy, CO-RE applied */
	u32 ninsns;
	s32 map; /* data sections: index of their map; -1 */
	bool described; /* by a DATASEC that was seen */
};

struct elf_sym {
	const char *name;
	u64 value, size;
	u32 sec; /* 0: undefined; >= nsecs: absolute, common, ... */
	u8 bind, type, visibility;
};

/* A function of the object: a program or a subprogram. */
struct load_func {
	const char *name;
	u32 sec, start, end; /* instructions of the section */
	u32 func;	     /* program BTF id of its FUNC; 0 */
	bool global;
	bool unwanted; /* assigned to what is not made only ("?.struct_ops") */
	bool wanted;   /* assigned to what is made because somebody asked for it */
	const char *ops, *member; /* assigned to this member of a struct of functions */
	const char *wrong; /* abi.each_program: why no program that has it may be loaded */
	s32 at; /* while a program is linked: where it was put; -1 */
};

struct load_line {
	u32 sec, insn;
	u32 line, col;
	const char *file, *text;
};

struct load_op { /* a program in a struct of functions */
	u32 map, off;
	const struct load_func *func;
};

struct load_kconfig { /* a kconfig variable */
	const char *name;
	const struct abi_setting *known; /* NULL: could be anything */
	u32 type, part, off, size;
};

struct loader {
	struct log *log;
	const struct abi *abi;
	const struct image_opts *opts;
	const char *name;
	struct arena *arena; /* the image's: what stays */
	struct arena *tmp;   /* dies with the loader */
	struct image *image;
	struct elf_sec *secs;
	u32 nsecs;
	struct strmap sec_names; /* first section of each name */
	struct elf_sym *syms;
	u32 nsyms;
	u32 maps_sec; /* index of .maps; 0: none */
	VEC(struct image_map) maps;
	VEC(u32) map_offs; /* declared maps: offset in .maps, parallel to maps */
	VEC(struct load_kconfig) kconfigs;
	u32 kconfig_maps[2]; /* of what is known of them, and of the rest */
	VEC(struct image_ksym) ksyms;
	VEC(struct load_func) funcs;
	VEC(struct load_line) lines;
	VEC(struct load_op) ops;
	u64 linked; /* instructions of all programs so far */
};

/* "prog.bpf.o: " + words. */
#define load_fail(ld, err, fmt, ...) log_fail((ld)->log, err, "%s: " fmt, (ld)->name, ##__VA_ARGS__)

static inline int load_nomem(struct loader *ld)
{
	return load_fail(ld, -ENOMEM, "out of memory");
}

/* open.c: an error that concerns one function or map only. Where each program is judged
 * apart it becomes words in *wrong (unless there are some) and 0; else it stays @err. */
int load_excuse(struct loader *ld, int err, const char **wrong);

/* elf.c: fills secs and syms. Borrows @data. */
int elf_read(struct loader *ld, const void *data, size_t size);
u32 elf_find_sec(const struct loader *ld, const char *name); /* 0: none */
/* The symbols of section @sec by name, to their indexes; the caller frees the map. */
int elf_symbols_of(struct loader *ld, u32 sec, struct strmap *names);
bool elf_is_code(const struct elf_sec *sec);
bool elf_is_data(const struct elf_sec *sec);

/* func.c: symbols to functions. */
int funcs_collect(struct loader *ld);
struct load_func *func_at(struct loader *ld, u32 sec, u32 insn);	 /* begins there */
struct load_func *func_containing(struct loader *ld, u32 sec, u32 insn);

/* ext.c */
int ext_read(struct loader *ld);

/* mapdef.c */
int maps_collect(struct loader *ld); /* .maps, then data sections */
int maps_records(struct loader *ld); /* special fields of the values */

/* kconfig.c: the maps of kconfig variables; where one lies. */
int kconfig_collect(struct loader *ld);
bool kconfig_find(const struct loader *ld, const char *name, u32 *map, u32 *off);

/* ksym.c: the index of the ksym named by an undefined symbol. */
int ksym_of(struct loader *ld, const struct elf_sym *sym, bool call, u32 *index);

/* reloc.c: resolves the map, data and ksym references of one section's instructions. */
int reloc_section(struct loader *ld, u32 sec);
/* The function a call or function address at @insn of @sec goes to; *func NULL when it is
 * not of that kind. */
int reloc_target(struct loader *ld, u32 sec, u32 insn, struct load_func **func);

/* ops.c: what each program of a struct of functions is assigned to; where a host has such
 * structs, the maps that they are. */
int ops_collect(struct loader *ld);

/* values.c: what maps hold from the start, after programs were linked. */
int values_collect(struct loader *ld);

/* link.c: builds image->progs. */
int link_progs(struct loader *ld);

#endif
