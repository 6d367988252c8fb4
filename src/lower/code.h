/* SPDX-License-Identifier: MIT
 *
 * code.h: what runs. lower() turns a proof into pre-decoded instructions for the
 * interpreter (and, later, for native code): addresses resolved, context accesses
 * rewritten, dead code removed. Only proofs compile.
 */
#ifndef PINTLE_CODE_H
#define PINTLE_CODE_H

#include "verify/verify.h"

/* Ops of the interpreter: those of the ISA, and these. */
enum code_op {
	CODE_FIRST = NR_OPS - 1,
#define CODE_OP(name, ...) CODE_##name,
#include "lower/code.def"
#undef CODE_OP
	NR_CODE_OPS,
};

struct code_insn {
	u16 op; /* enum isa_op, or enum code_op */
	u8 dst, src;
	s32 off; /* jumps: relative in code instructions; memory: bytes */
	union {
		s64 imm;
		const void *ptr; /* functions and objects of the host */
		u64 (*fn)(u64, u64, u64, u64, u64);
	};
};

struct code {
	struct arena *arena;
	struct code_insn *insns;
	u32 ninsns;
	u32 *origin;	   /* by code instruction: instruction of the program it came from */
	u32 *entry;	   /* by subprogram: its first code instruction */
	u32 stack_size;	   /* bytes one run may need over all frames */
	u32 nsubprogs;
};

/* Where lower() finds what the image only names. All return NULL when absent. */
struct link {
	void *data;
	void *(*map)(void *data, u32 index);	      /* the map object */
	void *(*map_value)(void *data, u32 index);    /* first value of a data map */
	void *(*helper)(void *data, const struct abi_prog_type *type, u32 id);
	void *(*kfunc)(void *data, const struct abi_kfunc *kfunc);
	void *(*var)(void *data, const struct abi_var *var);
};

/* 0, -ENOMEM, or -ENOENT with words when @link lacks something the program uses. */
int lower(struct log *log, const struct proof *proof, const struct link *link,
	  struct code **out);
void code_free(struct code *code);

#endif
