/* SPDX-License-Identifier: MIT
 *
 * code.h: what runs. lower() turns a proof into pre-decoded instructions for the
 * interpreter and for native code: addresses resolved, context accesses rewritten, dead
 * code removed. Only proofs compile.
 *
 * What a generator of native code (src/jit/<machine>/) has to know; src/jit/jit.h says what
 * it is given and writes, src/jit/plan.h what was found out for it already:
 *
 *  - Ops are those of isa.def that code_check() lets pass (of immediates of 64 bits and of
 *    jumps OP_LD_IMM64 and OP_JA only, of calls OP_CALL_SUBPROG only) and those of code.def,
 *    with the meaning that is written there. Results of 32 bits clear the upper half.
 *  - There are NR_CODE_REGS registers. Calls keep r6-r9 and the frame pointer, of the scratch
 *    register nothing is known after one.
 *  - Subprogram i is from entry[i] to entry[i + 1], 0 is the program, and control passes from
 *    one to another by calls alone. Its stack is frame[i] bytes below the frame pointer,
 *    aligned to 16, of which `unwritten` must be cleared.
 *  - Native code has the signature code_native; its last argument is the execution slot, of
 *    which struct jit_rt has the places that ops need.
 *  - Loads that may fault (CODE_SAFE_..., CODE_ARENA_...) go into jit_out.fixes, and after a
 *    fault leave 0 and count it. No other access can fault, and nothing is to be checked.
 *  - An op without native form is -ENOTSUP: the program is interpreted, with the same results.
 */
#ifndef PINTLE_CODE_H
#define PINTLE_CODE_H

#include "base/log.h"
#include "base/vec.h"
#include "verify/verify.h"

/* Ops of the interpreter: those of the ISA, and these. */
enum code_op {
	CODE_FIRST = NR_OPS - 1,
#define CODE_OP(name, ...) CODE_##name,
#include "lower/code.def"
	NR_CODE_OPS,
};

enum {
	CODE_SCRATCH = NR_REGS, /* a register no program has: for rewritten accesses */
	NR_CODE_REGS,
	MAX_FRAMES = 8,
};

/* Why a run ends before its program does. */
enum ending {
	ENDING_NONE,
	ENDING_THROWN, /* bpf_throw() */
	ENDING_SPENT,  /* its budget */
};

struct code_insn {
	u16 op; /* enum isa_op, or enum code_op */
	u8 dst, src; /* calls of functions: src is 1 + how many arguments, 0 for unknown */
	s32 off; /* jumps and calls: relative to the next instruction; memory: bytes */
	union {
		s64 imm; /* calls of subprograms: bytes of stack the caller uses */
		const void *ptr; /* objects of the host */
		u64 (*fn)(u64, u64, u64, u64, u64);
		void (*put)(void *obj);
		/* the program of a table's slot, or NULL: TAIL_CALL */
		const struct code *(*tail)(void *table, u64 index);
	};
};

/* How what a run holds is given back when its budget is used up. */
enum hold_kind {
	HOLD_STORABLE, /* of an object of storable type @what */
	HOLD_PUT,      /* @what(object), after a grace period */
	HOLD_LOCAL,    /* an object of the program */
	HOLD_PERCPU,   /* ... per-CPU, of type @what */
	HOLD_RECORD,   /* @what(record, 0) */
	HOLD_LOCK,     /* @what(lock) */
	HOLD_SECTION,  /* a read section */
	HOLD_ITER,     /* in the program's stack: @what(iterator) */
	HOLD_DYNPTR,   /* what the dynptr that is made there will hold: a HOLD_RECORD */
	HOLD_DYNPTR_MADE, /* ... and there it is */
};

struct code_hold {
	u8 kind;
	s32 off; /* of the register behind the object */
	void *what;
};

/* What one run may use; 0: no limit. */
struct code_budget {
	u64 turns, ns;
	u64 result; /* of a run that used it up */
};

/* Native code of a program or callback: r1-r5, and the execution slot. */
typedef u64 code_native(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, void *slot);

/* What a program holds when it takes the address of a subprogram: a callback. */
struct code_func {
	const struct code *code;
	u32 entry;
	code_native *native; /* NULL: interpreted */
};

/*
 * Where a subprogram of native code lies, bytes from code.native, and what a debugger needs to
 * find its caller. The registers are numbered as DWARF does for the machine.
 */
struct code_frame {
	u32 start; /* of all that belongs to it; the entry for callbacks lies before `entry` */
	u32 entry, body, end; /* its prologue is [entry, body) */
	u32 size;   /* bytes from the caller's stack pointer down to its own, in the body */
	bool by_fp; /* the frame pointer was pushed first and is kept */
	u8 nsaved, saved[5]; /* the last one pushed lies lowest */
};

struct code {
	struct arena *arena;
	struct code_insn *insns;
	u32 ninsns;
	u32 *origin;	   /* by code instruction: instruction of the program it came from */
	u32 *entry;	   /* by subprogram: its first code instruction */
	struct code_func *funcs; /* by subprogram */
	u32 *frame;	   /* by subprogram: bytes of stack, a multiple of 16 */
	u64 *unwritten;	   /* by subprogram: slots of 8 bytes that must be 0 at its beginning, the
			    * first ends at the frame pointer; others are written before they are
			    * read. NULL: all must be */
	u32 stack_size;	   /* bytes one run may need over all frames, a multiple of 16 */
	u32 nsubprogs;
	bool budgets;	   /* a run of it needs those of its slot set */
	u64 window;	   /* of its arena; 0: it has none */
	void *owner;	   /* the struct pintle_prog whose code it is; set when it is loaded */

	bool metered;	   /* has a budget: every run of it goes through meter_run() */
	struct code_budget budget;

	/* Filled in by jit/: the same instructions as native code. */
	code_native *native; /* NULL: interpreted */
	code_native *direct; /* the same, where a run may just call it; NULL: code_run() */
	u32 native_size;
	u32 *native_at; /* by code instruction: offset from `native`, behind prologues */
	struct code_frame *frames; /* by subprogram; size 0: not there */
};

enum {
	HELPER_MAP_LOOKUP = 1,
	HELPER_CPU = 8,
	HELPER_TAIL_CALL = 12,
	HELPER_SPIN_LOCK = 93,
	HELPER_SPIN_UNLOCK = 94,
	HELPER_PROBE_READ_USER = 112,
	HELPER_PROBE_READ_USER_STR = 114,
	HELPER_RINGBUF_RESERVE = 131,
	HELPER_RINGBUF_SUBMIT = 132,
	HELPER_RINGBUF_DISCARD = 133,
	HELPER_COPY_FROM_USER = 148,
	HELPER_SNPRINTF = 165,
	HELPER_COPY_FROM_USER_TASK = 191,
	HELPER_KPTR_XCHG = 194,
	HELPER_RINGBUF_RESERVE_DYNPTR = 198,
	HELPER_RINGBUF_SUBMIT_DYNPTR = 199,
	HELPER_RINGBUF_DISCARD_DYNPTR = 200,
};

/* A user pointer from a field is {space: 16 bits, address: 48 bits}; any other is an
 * address of at most USER_ADDR_BITS: an offset that a program adds cannot reach the space's
 * bits. */
enum { USER_ADDR_BITS = 47, USER_SPACE_SHIFT = 48 };

/* Values that lie in a row, @stride bytes each; with @block, once for every execution slot
 * at that distance. */
struct link_array {
	char *values;
	u32 max_entries, stride;
	u64 block;
};

/*
 * Where lower() finds what the image only names. All return NULL when absent; a member
 * may itself be NULL when there are none. Helper HELPER_TAIL_CALL is not a function of
 * five numbers but a code_insn.tail.
 */
struct link {
	void *data;
	void *(*map)(void *data, u32 index);	      /* the map object */
	void *(*map_value)(void *data, u32 index);    /* first value of a data map */
	void *(*helper)(void *data, const struct abi_prog_type *type, u32 id);
	void *(*kfunc)(void *data, const struct abi_kfunc *kfunc);
	/* Fills *out when map @index is an array in this sense. */
	bool (*array)(void *data, u32 index, struct link_array *out);
	/* What looks keys up in map @index: a function of the map and the key. */
	void *(*lookup)(void *data, u32 index);
	/* Whether helper @id is the library's own, not the host's for such programs. */
	bool (*own_helper)(void *data, const struct abi_prog_type *type, u32 id);
	void *(*var)(void *data, const struct abi_var *var);
	/* The run-time type of a struct of the program's own BTF. */
	void *(*local)(void *data, u32 type);
	/* What CODE_IN_REGION asks: the pools of a struct of the host (J11.1). */
	void *(*pool)(void *data, const struct btf *btf, u32 type);
	const struct code_budget *budget; /* NULL: none */
	/* What a run with a budget needs: TAIL_CALL that leads to others of the kind only; how
	 * objects of a type of the host are given back; the function that ends an iterator. */
	const struct code *(*metered_tail)(void *table, u64 index);
	bool (*put)(void *data, const struct btf *btf, u32 type, struct code_hold *out);
	void *(*iter_destroy)(void *data, const struct abi_kfunc *iter_new);
	/* What KEEP is told of objects of a type of the host that a function is to consume;
	 * NULL: they are not kept. */
	void *(*keep)(void *data, const struct btf *btf, u32 type);
	/* Where the memory of objects of row @owner of abi.owners is. */
	void *(*space_owner)(void *data, u32 owner);
	/* What the lower half of an address is added to in map @index, an arena. */
	u64 (*window)(void *data, u32 index);
	bool stamps; /* bpf_kptr_xchg() must be a call: somebody wants to know when */
};

/* 0, -ENOMEM, -ENOENT with words when @link lacks something the program uses, -EINVAL when
 * an assumed proof turns out to be none. */
int lower(struct log *log, const struct proof *proof, const struct link *link,
	  struct code **out);
void code_free(struct code *code);

/* NULL, or what is wrong with @code at *@at; between lowering and running, debug builds. */
const char *code_check(const struct code *code, u32 *at);

/* Whether it goes on somewhere else at times: `off` is how far. Calls do not. */
bool code_jumps(u32 op);

/* "CALL_S32", "ADD64_REG". */
const char *code_op_name(u32 op);

/* --- within src/lower --- */

struct lower {
	struct log *log;
	const struct proof *proof;
	const struct image *image;
	const struct link *link;
	struct code *code;
	VEC(struct code_insn) insns;
	VEC(u32) origin;
	u32 *where; /* by instruction of the program: code instruction it became */
	bool *target; /* by instruction: control comes from elsewhere than the one before */
	u32 at;	    /* instruction being lowered */
	u32 skip;   /* up to here instructions have been lowered with one before */
	bool *throws; /* by subprogram: it, or what it calls */
	bool *heads;  /* by instruction: a turn begins there */
	VEC(u32) leaves; /* code instructions that jump to the end of the subprogram */
	bool oom;
};

/* Appends one code instruction. */
void lower_emit(struct lower *l, struct code_insn insn);
/* -ENOENT etc. with the program and instruction in front of the words. */
int lower_fail(struct lower *l, int err, const char *fmt, ...) FORMAT(3, 4);

enum isa_op lower_op_at(const struct lower *l, u32 at);
/* Whether r0 is written before it is read from instruction @at on; false: or who knows. */
bool lower_r0_dead(const struct lower *l, u32 at);

int lower_mem(struct lower *l, const struct insn *insn, enum isa_op op); /* lower_mem.c */
/* Makes of register @reg an address without a space. */
void lower_user_address(struct lower *l, u8 reg);
int lower_call(struct lower *l, const struct insn *insn); /* lower_call.c */
/* Whether a call of the engine's function becomes no code at all. */
bool lower_is_nothing(const struct lower *l, u32 special);

/* Writes @helper as instructions of its own; false: it is a call. lower_map.c */
bool lower_inline(struct lower *l, u32 helper);
enum { LOWER_LOCAL = 15 }; /* src of a jump whose off is what it will be */

/* lower_end.c: runs that end early. */
int lower_end_init(struct lower *l);
/* bpf_throw(r1) */
void lower_throw(struct lower *l);
/* Behind the call of the subprogram that starts at @target. */
void lower_called(struct lower *l, s64 target);
/* Behind the last instruction of a subprogram: what its frame does when the run ends. */
void lower_sub_end(struct lower *l, u32 subprog);

/* lower_meter.c: budgets; all do nothing where there is none. */
int lower_meter_init(struct lower *l);
void lower_turn(struct lower *l);
int lower_before(struct lower *l, const struct insn *insn, enum isa_op op);
int lower_after(struct lower *l, const struct insn *insn, enum isa_op op);

/* A jump to the end of the subprogram, which is not there yet: lower_end.c. */
void lower_leave(struct lower *l, u32 op);

/* lower_stack.c */
int lower_stack(struct lower *l);
u32 lower_frame_size(const struct lower *l, u32 subprog); /* a multiple of 16 */
/* Index of the subprogram that starts there, or nsubprogs. */
u32 lower_subprog_at(const struct lower *l, s64 start);

#endif
