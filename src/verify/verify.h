/* SPDX-License-Identifier: MIT
 *
 * verify.h: image in, proof out. A proof is the only thing lower accepts.
 */
#ifndef PINTLE_VERIFY_H
#define PINTLE_VERIFY_H

#include "base/log.h"
#include "load/image.h"

/* One value per row of rules.def. RULE_NONE: accepted. */
enum rule_id {
	RULE_NONE,
#define RULE(id, ...) RULE_##id,
#include "verify/rules.def"
#undef RULE
	NR_RULES,
};

struct rule_info {
	const char *id;	  /* "REF_LEAK" */
	const char *home; /* file that decides it, without ".c": "rule/ref" */
	const char *book; /* rule book numbers: "B21" */
	const char *why;  /* why the rule exists; one or two sentences */
	const char *fix;  /* the usual mend */
};
const struct rule_info *rule_info(enum rule_id id);
enum rule_id rule_by_name(const char *name);

/* How a memory access of one instruction is to be made: what all paths agree on. */
enum access_class {
	ACCESS_NONE,	/* never reached, or no memory access */
	ACCESS_PLAIN,
	ACCESS_FAULT_SAFE, /* untrusted pointer on some path: recovered loads (B45) */
	ACCESS_CTX,	/* context: `ctx_field` says where it really is */
	ACCESS_SLOT_LOAD,  /* load of a pointer field: single 8-byte acquire load */
	ACCESS_SLOT_STORE, /* plain store to an unreferenced field */
	ACCESS_SLOT_XCHG,  /* exchange instruction on a field */
	ACCESS_ARENA,	   /* an address of 32 bits above the base of an arena */
};

/*
 * User pointers (rule book J19). One that comes from a hook or an object is an address in
 * whatever space is current, and somebody outside chose it; one that comes from a field
 * says which space it is of. So the former must not look like the latter.
 */
enum user_note {
	USER_LOADED = 1 << 0,	/* a load gives an address that the host was given */
	USER_UNLOADED = 1 << 1, /* a load gives something else */
	USER_PASSED = 1 << 2,	/* a call passes a user pointer where numbers do, too */
	USER_UNPASSED = 1 << 3, /* ... passes a number */
};

enum { GIVES_VARIES = UINT8_MAX };
enum { TYPE_VARIES = UINT32_MAX }; /* proof_insn.type: objects of several types */

/* What the verifier learnt of one instruction. */
struct proof_insn {
	bool reached;		   /* false: dead code */
	u8 access;		   /* enum access_class */
	s8 branch;		   /* conditional jumps: 1 always, 0 never taken, -1 both */
	bool zext;		   /* the upper half of the 32-bit result may be read */
	const struct abi_ctx_field *ctx_field; /* ACCESS_CTX */
	u8 ctx_arg;		   /* PROG_ARGS: argument number + 1 */
	const struct field *field; /* slots: the field; kptr_xchg: the one exchanged; lists
				      and trees: the root or head */
	const struct abi_helper *helper;
	const struct abi_kfunc *kfunc;
	s32 map;		   /* index of the one map used by a helper call; -1: varies */
	u8 user;		   /* enum user_note, as bits */
	u32 space_owner;	   /* 1 + row of abi.owners: whose space is read; 0: none */
	const struct btf *pool_btf; /* ACCESS_FAULT_SAFE: only inside the pools of this */
	u32 pool_type;		   /* struct (J11.1); NULL: anywhere */
	bool takes, gives;	   /* something is held from here on, or no more: references,
				      locks, iterators */
	u8 gives_arg;		   /* functions of the host: the argument; GIVES_VARIES */
	struct format_proof *format; /* what a format prints, where it is known; or NULL */
	u32 text[2];		   /* strings of the call: bytes that may be read; 0: any */
	u8 zero_args;		   /* helper calls: arguments left unset on some path, as bits */
	bool const_key;		   /* array lookup with a constant key in range: */
	u32 key;
	u32 callback;		   /* start of the subprogram passed as callback */
	u32 type;		   /* functions on objects of programs: the object's struct,
				      an id of program BTF; lists and trees: the element's */
};

struct proof {
	struct arena *arena;
	const struct image *image;
	const struct image_prog *prog;
	const struct insn *insns; /* of prog, not changed */
	u32 ninsns;
	struct proof_insn *at;	  /* by instruction */
	u16 *stack_depth;	  /* by subprogram, bytes, rounded up to 8 */
	u64 *stack_unwritten;	  /* by subprogram: slots of 8 bytes, the first ends at the
				     frame pointer, that may be read before the program has
				     written all that is read of them */
	u32 max_stack;		  /* of the deepest chain of calls */
	bool uses_packet_writes;
	bool sleeps;		  /* all of it, or callbacks that it has */
};

/* A refusal, as a value; rendered by explain. */
struct rejection {
	enum rule_id rule;
	u32 insn;		/* where */
	const char *message;	/* the log's line with the kernel's phrase */
	const char *explanation; /* for people: what, where, path, fix; several lines */
};

struct verify_stats {
	u32 insns;	/* processed */
	u32 states;	/* explored, total */
	u32 peak_states;
	u64 time_ns;
	size_t memory;	/* peak bytes of the verifier's arenas */
};

struct env;

struct verify_opts {
	enum log_level log_level;
	u32 max_insns;	/* processed; 0: 1,000,000 */
	bool test_prune_off; /* visit every path: for tests */
	bool test_prune_random; /* prune only sometimes (seed from the program) */
	bool strict_alignment;  /* as for machines that cannot load what is not aligned */
	bool test_state_freq;   /* store a state at every place where one may be: tests */
	/* Tests: sees the state before each instruction that is walked. What it answers is
	 * kept in the state and its copies, and given back with the next of that path. */
	u32 (*watch)(void *data, const struct env *env, u32 last);
	void *watch_data;
};

/*
 * Proves @prog of @image safe, or says why not. 0: *out is the proof (the caller frees it
 * by proof_free()). -EACCES/-EINVAL/...: refused; *why (owned by @arena) tells. -ENOMEM.
 * The log gets what the kernel's log would have. @stats may be NULL.
 */
int verify(struct arena *arena, struct log *log, const struct image *image,
	   const struct image_prog *prog, const struct verify_opts *opts,
	   struct proof **out, struct rejection *why, struct verify_stats *stats);
void proof_free(struct proof *proof);

/* For conformance tests and benchmarks of bare instructions only: a proof without one. It
 * claims nothing; only structure (jumps, registers, fall-through) is checked. */
int proof_assume(struct log *log, const struct image *image, const struct image_prog *prog,
		 struct proof **out);

#endif
