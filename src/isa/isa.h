/* SPDX-License-Identifier: MIT
 *
 * isa.h: the instruction set (RFC 9669), decoded.
 *
 * `isa.def` is the one table: decoder, disassembler, assembler, verifier, interpreter and
 * native code all read it. An instruction is 8 bytes as the RFC lays them out; the 64-bit
 * immediate takes two. isa_decode() accepts an instruction only when its unused fields are
 * zero, so that whoever has an op may trust the rest.
 */
#ifndef PINTLE_ISA_H
#define PINTLE_ISA_H

#include "base/base.h"

struct insn {
	u8 code;
	u8 dst : 4, src : 4;
	s16 off;
	s32 imm;
};

enum { /* register numbers */
	R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10,
	R_FP = R10, /* read-only frame pointer */
	NR_REGS = 11,
};

enum { STACK_SIZE = 512 };

/* What a 64-bit immediate means: the src field of LD_IMM64 (RFC 9669 §5.4). */
enum isa_pseudo {
	IMM_PLAIN = 0,	    /* a number */
	IMM_MAP = 1,	    /* imm: map index in the image */
	IMM_MAP_VALUE = 2,  /* imm: map index, next imm: offset into its first value */
	IMM_KSYM = 3,	    /* imm: ksym index in the image: address of a host variable */
	IMM_FUNC = 4,	    /* imm: a subprogram, counted from this insn's second slot */
	IMM_MAP_IDX = 5,    /* as IMM_MAP; in objects only */
	IMM_MAP_VALUE_IDX = 6,
};

/* What a call means: the src field of CALL. */
enum isa_call {
	CALL_HELPER = 0, /* imm: helper id */
	CALL_SUBPROG = 1, /* imm: relative to the next instruction */
	CALL_KFUNC = 2,	 /* imm: ksym index in the image */
};

/* Groups of ops that are handled alike. */
enum isa_kind {
	KIND_ALU,	/* dst = dst op src; `alu`, 32 or 64 bits (`wide`) */
	KIND_CAST,	/* dst = src, to another address space; imm: to << 16 | from */
	KIND_LD_IMM64,	/* dst = 64-bit immediate; two slots */
	KIND_LD_ABS,	/* legacy packet access: refused by name */
	KIND_LDX,	/* dst = *(size *)(src + off), zero- or sign-extended (`sign`) */
	KIND_ST,	/* *(size *)(dst + off) = imm */
	KIND_STX,	/* *(size *)(dst + off) = src */
	KIND_ATOMIC,	/* read-modify-write of *(size *)(dst + off); `atomic` */
	KIND_LOAD_ACQ,	/* dst = load-acquire *(size *)(src + off) */
	KIND_STORE_REL, /* store-release *(size *)(dst + off) = src */
	KIND_JMP,	/* if dst cond src goto pc + 1 + off; `cond`, 32 or 64 bits (`wide`) */
	KIND_JA,	/* goto: off, or imm for gotol (`wide` false: imm) */
	KIND_MAY_GOTO,	/* may_goto off */
	KIND_CALL,	/* src says which kind, see enum isa_call */
	KIND_CALLX,	/* call through a register (dst) */
	KIND_EXIT,
};

enum isa_alu {
	ALU_ADD, ALU_SUB, ALU_MUL, ALU_DIV, ALU_SDIV, ALU_MOD, ALU_SMOD, ALU_OR, ALU_AND,
	ALU_XOR, ALU_LSH, ALU_RSH, ALU_ARSH, ALU_NEG, ALU_MOV,
	ALU_MOVSX8, ALU_MOVSX16, ALU_MOVSX32, /* sign-extending moves */
	ALU_LE16, ALU_LE32, ALU_LE64,	      /* to little-endian: truncates on this host */
	ALU_BE16, ALU_BE32, ALU_BE64,	      /* to big-endian */
	ALU_BSWAP16, ALU_BSWAP32, ALU_BSWAP64,
	NR_ALU,
};

enum isa_cond {
	COND_EQ, COND_NE, COND_GT, COND_GE, COND_LT, COND_LE, COND_SGT, COND_SGE, COND_SLT,
	COND_SLE, COND_SET, NR_COND,
};

enum isa_atomic {
	ATOMIC_ADD, ATOMIC_OR, ATOMIC_AND, ATOMIC_XOR, ATOMIC_FETCH_ADD, ATOMIC_FETCH_OR,
	ATOMIC_FETCH_AND, ATOMIC_FETCH_XOR, ATOMIC_XCHG, ATOMIC_CMPXCHG, NR_ATOMIC,
};

/* One value per row of isa.def, OP_BAD = 0 first. */
enum isa_op {
	OP_BAD,
#define ISA_OP(name, ...) OP_##name,
#include "isa/isa.def"
#undef ISA_OP
	NR_OPS,
};

struct isa_info {
	const char *name;     /* the row's name, e.g. "ADD64_REG" */
	enum isa_kind kind;
	u8 sub;		      /* enum isa_alu, cond, atomic, pseudo or call, by kind */
	u8 size;	      /* bytes of memory touched; 0 for none */
	bool wide;	      /* 64-bit operands (ALU, JMP), or offset in off (JA) */
	bool sign;	      /* sign-extending load */
	bool src_reg;	      /* the second operand is the src register, else imm */
	u8 code;	      /* the opcode byte */
};

/* The row of @op; never NULL. */
const struct isa_info *isa_info(enum isa_op op);

/*
 * The op of insns[0]; @left says how many follow it in the program including itself
 * (a 64-bit immediate needs two). OP_BAD: unknown, a field that must be zero is not, or
 * a register over 10; *why then says which, as a constant string.
 */
enum isa_op isa_decode(const struct insn *insns, u32 left, const char **why);

/* 1, or 2 for the 64-bit immediate. */
u32 isa_slots(enum isa_op op);

/* The registers an instruction reads and writes, as bit masks (calls: r1-r5 read as
 * @nargs says elsewhere; here all five; r0-r5 written). */
u16 isa_reads(const struct insn *insn, enum isa_op op);
u16 isa_writes(const struct insn *insn, enum isa_op op);

/* Concrete meaning, shared by tests and constant folding; division by zero as the RFC. */
u64 isa_alu(enum isa_alu op, bool wide, u64 dst, u64 src);
bool isa_cond(enum isa_cond cond, bool wide, u64 dst, u64 src);

/* Names for calls and immediates in disassembly; each may return NULL for "print the
 * number". @data is the caller's. */
struct isa_names {
	const char *(*helper)(void *data, s32 id);
	const char *(*ksym)(void *data, s32 index);
	const char *(*map)(void *data, s32 index);
	void *data;
};

/*
 * One instruction in the text bpftool prints, e.g. "(07) r1 += -8",
 * "(85) call bpf_map_lookup_elem#1". @names may be NULL. Returns the length as snprintf.
 */
int isa_disasm(const struct insn *insns, u32 left, const struct isa_names *names, char *buf,
	       size_t size);

struct log;
struct arena;

/*
 * Assembles text in that same syntax (without the "(07)" part), one instruction a line,
 * with `label:` lines and labels as jump targets, `;` or `#` comments. For tests.
 * Errors name line and column. The array is from @arena. As in those texts, a move has a
 * decimal and a 64-bit immediate a hex number: `r1 = 5` is one slot, `r1 = 0x5` two.
 * Numbers stand for names: 5 or any#5 (helper), kfunc#5, map[id:5], ksym[id:5].
 */
int isa_assemble(struct arena *arena, struct log *log, const char *text,
		 struct insn **insns, u32 *count);

#endif
