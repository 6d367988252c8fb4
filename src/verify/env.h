/* SPDX-License-Identifier: MIT
 *
 * env.h: the verifier's own vocabulary: registers, stack, frames, states, the environment.
 *
 * Glossary
 *  reg     what is known of one register or spilled slot on one path
 *  frame   registers and stack of one subprogram activation
 *  state   all frames, plus what is held: references, a lock, read sections
 *  id      names a value that several registers share: after a test of one, all learn
 *  ref     id of a reference the program must give back
 *  class   base + flags of a register; printed by reg_class_name()
 *
 * Only walk.c and the exec_*.c files change states; rules read them (style rule 8), and
 * answer with the new contents of a register.
 */
#ifndef PINTLE_VERIFY_ENV_H
#define PINTLE_VERIFY_ENV_H

#include "base/arena.h"
#include "base/log.h"
#include "verify/dom/scalar.h"
#include "verify/verify.h"

enum reg_base {
	REG_NONE,	/* not initialised, or no longer readable */
	REG_SCALAR,
	REG_CTX,
	REG_STACK,	/* into the stack of frame `frame` */
	REG_MAP,	/* a map handle */
	REG_MAP_KEY,	/* a key, in callbacks; read-only */
	REG_MAP_VALUE,
	REG_PACKET, REG_PACKET_META, REG_PACKET_END,
	REG_MEM,	/* `mem_size` bytes */
	REG_BTF,	/* struct `type` of `btf` */
	REG_ARENA,	/* anywhere in an arena */
	REG_FUNC,	/* subprogram `subprog` */
	REG_TABLE,	/* an object that is a table of members: a socket */
	REG_DYNPTR,	/* registers: a dynptr that is only read; in SLOT_DYNPTR: the dynptr */
	REG_ITER,	/* in SLOT_ITER only: an open-coded iterator, struct `type` of `btf` */
	NR_REG_BASES,
};

enum dynptr_kind { DYNPTR_LOCAL, DYNPTR_RINGBUF, DYNPTR_SKB, DYNPTR_XDP, DYNPTR_HOST };

/* Flags of pointers (rule book 0.3). */
enum reg_flag {
	F_NULL = 1 << 0,      /* may be NULL */
	F_RDONLY = 1 << 1,    /* REG_MEM */
	F_UNTRUSTED = 1 << 2, /* may dangle: fault-safe reads only */
	F_TRUSTED = 1 << 3,
	F_RCU = 1 << 4,
	F_ALLOC = 1 << 5,     /* object of the program's own type */
	F_PERCPU = 1 << 6,
	F_USER = 1 << 7,
	F_NONOWN = 1 << 8,
	F_RINGBUF = 1 << 9,   /* REG_MEM reserved in a ring buffer */
	F_BUF = 1 << 11,      /* REG_MEM of a size that attachment will check */
	F_PKT = 1 << 10,      /* REG_MEM, REG_DYNPTR: bytes of the packet */
	F_ADDRESS = 1 << 12,  /* numbers: was an address, or part of one (B10) */
	F_PART = 1 << 13,     /* beside F_ADDRESS: is not all of it, or has been computed with */
};

struct reg {
	u8 base;	/* enum reg_base */
	bool precise;	/* scalars: the value mattered; pruning must compare it */
	u16 flags;	/* enum reg_flag */
	s32 off;	/* pointers: fixed offset; scalars: distance to their linked id */
	u32 id;		/* shared value; 0: none */
	u32 ref;	/* reference it carries; 0: none */
	union {
		struct {		/* REG_MAP, REG_MAP_KEY, REG_MAP_VALUE */
			const struct image_map *map;
			u32 map_uid;	/* which lookup of an inner map gave it */
		};
		struct {		/* REG_BTF, REG_ITER */
			const struct btf *btf;
			u32 type;
			u16 depth;	/* REG_ITER: elements taken on this path */
			bool drained;	/* REG_ITER: it gives NULL for ever */
		};
		struct {		/* REG_DYNPTR */
			u8 dynptr;	/* enum dynptr_kind */
			bool first;	/* of its two slots: the one it is passed by */
		};
		u32 range;		/* REG_PACKET*: bytes known to be there from off 0 */
		struct {		/* REG_MEM */
			u32 mem_size;
			u32 lent;	/* may be the slots of this id; 0: none */
		};
		u32 frame;		/* REG_STACK: frame number */
		u32 subprog;		/* REG_FUNC */
		const struct abi_table *table; /* REG_TABLE */
	};
	struct scalar num; /* scalars: the value; pointers: the variable part of the offset */
	u32 def;	/* instruction that made this value: for explanations */
	u32 owner;	/* of a dynptr, iterator or call it lives no longer than */
};

enum slot_kind {
	SLOT_INVALID, /* never written */
	SLOT_SPILL,   /* byte of a spilled register */
	SLOT_MISC,    /* some bytes */
	SLOT_ADDRESS, /* a byte left over from a spilled pointer; not to be read */
	SLOT_ZERO,    /* a zero byte */
	SLOT_DYNPTR,
	SLOT_ITER,
};

struct slot {	      /* 8 bytes of stack; slot i covers fp-8(i+1) .. fp-8i-1 */
	u8 kind[8];   /* by byte; kind[7] is the highest address */
	u32 lent;     /* slices may be here, which end when it is written; 0: none */
	struct reg spilled;
};

enum frame_callback { FRAME_CALL, FRAME_CALLBACK, FRAME_ASYNC };

struct frame {
	struct reg regs[NR_REGS];
	struct slot *stack;
	u32 nslots, cap_slots;	/* slots in use from the top of the stack */
	u32 callsite;		/* instruction that called; UINT32_MAX for the main frame */
	u32 subprog;		/* index into image_prog.subprogs */
	u8 callback;		/* enum frame_callback */
	u8 cb_kind;		/* enum callback_kind */
	u32 cb_depth;		/* how many iterations of it have been walked */
	const struct state *cb_from; /* which call they are of: the state stored before it */
	u16 written;		/* registers, slots: since the last stored state (logs) */
	u64 written_slots;
	u32 owner;		/* callbacks: the dynptr or key it is handed, which dies with it */
	bool ret_ranged;	/* callbacks: r0 at exit must lie in ret_range */
	s64 ret_min, ret_max;
};

enum { MAX_FRAMES = 8, MAX_REFS = 64 };

enum held_kind { HELD_REF, HELD_LOCK };

struct held {
	u32 id;		/* reference id; locks: id of the value or map that has it */
	u32 insn;	/* where it was taken */
	u8 kind;	/* enum held_kind */
	u8 frame;	/* callback frame that took it */
	const void *owner; /* locks: the map, or NULL; iterators: what makes them */
};

/*
 * One executed instruction of the path to a state: precise.c walks them backwards,
 * reject.c tells the path by them.
 */
enum step_flag {
	STEP_STACK = 1 << 0, /* read or wrote slot `slot` of frame `acc_frame` */
	STEP_PUSH = 1 << 1,  /* entered a subprogram or callback: next is frame + 1 */
	STEP_POP = 1 << 2,   /* left one: next is frame - 1 */
	STEP_CB = 1 << 3,    /* with PUSH, POP: a callback; the call runs again after it */
	STEP_SPILL = 1 << 4, /* with STACK: a store that made the slot's spilled register */
	STEP_DST_PTR = 1 << 5, /* jumps: the operand is a pointer, and tells of no number */
	STEP_SRC_PTR = 1 << 6,
};

struct step {
	u32 insn;
	u8 frame;		/* frame it ran in */
	u8 flags;		/* enum step_flag */
	u8 acc_frame, slot;
	u64 linked;		/* registers refined together: 10 bits each, see precise.c */
};

struct state {
	struct frame *frames[MAX_FRAMES];
	u32 nframes;		/* current frame is frames[nframes - 1] */
	struct held *held;
	u32 nheld, cap_held;
	u32 rcu_depth;		/* explicit read sections */
	u32 preempt_depth;
	bool sleepable;
	u32 insn;		/* of stored states: where */
	u32 loops;		/* may_goto, callback iterations taken on this path */
	u32 depth;		/* number of stored states above */
	u32 branches;		/* stored: paths below this state still being walked */
	u32 hits, misses;	/* stored: pruning statistics */
	struct state *parent;	/* the stored state this path last passed */
	struct state *loop;	/* outermost open loop whose proof this one relies on */
	struct state *next;	/* stored states of one place */
	bool all_precise;	/* every number in it and its parents is marked */
	bool loop_head;		/* some path came back to it, open: never freed */
	struct step *steps;	/* since parent */
	u32 nsteps, cap_steps;
	u32 watched;		/* what opts->watch answered last */
};

/* The states stored at one instruction (prune.c), newest first. */
struct place {
	struct state *active, *done;
};

enum insn_went { WENT_TAKEN = 1, WENT_ON = 2 };

/* What the walk notes about an instruction while it goes; becomes proof_insn. */
struct insn_note {
	struct proof_insn proof;
	u8 op;			/* enum isa_op, decoded once */
	bool writes_fp;		/* wrong, where it is reached */
	u8 format_seen;		/* a call prints by formats that are known (1), or not (2) */
	bool prune_point;	/* states are stored and compared here */
	bool jump_target;
	bool force_state;	/* ... always (loops that converge: may_goto, callbacks) */
	bool reachable;		/* in the control flow graph */
	u8 access_base;		/* enum reg_base first seen here; for B45 */
	bool access_seen;
	u16 live_regs;		/* live before it, as a mask */
	u64 live_slots;		/* stack slots live before it (own frame), as a mask */
	u8 map_seen;		/* 0 none, 1 one map, 2 several */
	u8 went;		/* enum insn_went: conditional jumps, over all paths */
};

enum walked { WALKED_AWAKE = 1, WALKED_ASLEEP = 2 };

struct subprog_note {
	bool global, changes_packet, might_sleep, has_tail_call, throws;
	bool tail_calls;	/* it itself, not those it calls */
	u8 needed, checked;	/* enum walked: global ones, by who calls them */
	bool in_call;		/* cfg.c: on the chain of calls being measured */
	bool async;		/* a callback that runs later, alone */
	const struct sig *sig;	/* signature.c: of global ones, once parsed */
	u16 stack_depth;	/* bytes used, as far as the walk has seen */
	u64 unwritten;		/* slots that may be read before they are written, as bits */
};

struct env {
	struct arena *arena;	/* lives for this verification */
	struct arena *out;	/* for what the caller keeps */
	struct log *log;
	const struct abi *abi;
	const struct image *image;
	const struct image_prog *prog;
	const struct verify_opts *opts;
	struct insn_note *notes;   /* by instruction */
	struct subprog_note *subs; /* by subprogram */
	struct state *cur;
	u32 insn, prev_insn;	   /* where the walk is; where it came from */
	u32 arg_refs[16];	   /* rule/ops.c: of arguments that are references, or 0 */
	u32 next_id;		   /* ids of values and references, never reused */
	struct place *places;	   /* by instruction: its stored states */
	struct pending *pending;   /* branches still to walk */
	u32 npending;
	u32 cap_pending;
	struct async *asyncs;	   /* callback.c: to be walked alone, later */
	struct backedge *backedges; /* prune.c: open loops that closed on themselves */
	struct pool *pool;	   /* state.c: recycled memory */
	char (*names)[128];	   /* ring of buffers for reg_class_name() */
	u32 name_turn;
	struct own_record *own_records; /* rule/btfptr.c: of the program's own structs */
	struct rejection *why;
	u32 insns_processed, states_total, states_peak, states_now, prune_hits;
	u32 jumps_processed, last_store_insns, last_store_jumps;
	u32 random;		   /* test_prune_random */
	bool packet_writes;	   /* some instruction writes to the packet */
	struct effect {		   /* walk.c: of the last instruction, not yet in the log */
		u32 insn, frame;
		u16 regs;
		u64 slots;
	} effect;
	bool line_open;		   /* the log stands behind an instruction */
	s32 line_width;		   /* of its text */
	bool line_broken;	   /* ... stood there; its effect gets a line of its own */
	u32 log_line;		   /* source line printed last */
	struct verify_stats *stats;
};

static inline struct frame *cur_frame(struct env *env)
{
	return env->cur->frames[env->cur->nframes - 1];
}
static inline struct reg *cur_reg(struct env *env, u32 regno)
{
	return &cur_frame(env)->regs[regno];
}
static inline const struct insn *cur_insn(const struct env *env)
{
	return &env->prog->insns[env->insn];
}
static inline bool reg_is(const struct reg *reg, enum reg_base base, u16 flags)
{
	return reg->base == base && reg->flags == flags;
}
static inline bool reg_is_pointer(const struct reg *reg)
{
	return reg->base > REG_SCALAR;
}
/* It is an address, or would tell of one. Those in arenas are mere numbers: nothing of the
 * host's is there. */
static inline bool reg_shows_address(const struct reg *reg)
{
	return (reg_is_pointer(reg) && reg->base != REG_ARENA) || (reg->base == REG_SCALAR && reg->flags & F_ADDRESS);
}
static inline bool reg_is_null(const struct reg *reg)
{
	return reg->base == REG_SCALAR && scalar_is_const(reg->num) && !reg->num.bits.value;
}

/* --- reject.c: refusing. --- */

/*
 * Refuses the program: renders the rule's message with the operands (printf arguments of
 * its row in rules.def), writes it to the log, fills in env->why with the explanation, and
 * returns the errno of the row. Usage: return reject(env, RULE_NULL_DEREF, regno, class).
 */
int reject(struct env *env, enum rule_id rule, ...);

/* --- reg.c: making and printing registers. All pure. --- */
struct reg reg_none(void);
struct reg reg_unknown(void);
struct reg reg_const(u64 value);
struct reg reg_num(struct scalar num);
struct reg reg_address(void); /* what is left of a pointer: any number, but marked */
/* The marks of what is computed from numbers with these. */
static inline u16 part_marks(u16 flags)
{
	return flags & F_ADDRESS ? F_ADDRESS | F_PART : 0;
}
struct reg reg_pointer(enum reg_base base, u16 flags); /* offset 0 */
struct reg reg_btf(const struct btf *btf, u32 type, u16 flags);
/* "ctx", "map_value_or_null", "trusted_ptr_conn", "rcu_ptr_or_null_conn",
 * "untrusted_ptr_conn", "ptr_conn" (owned), "fp", "scalar" …; a ring of static-free
 * buffers: the text is from env->arena. */
const char *reg_class_name(struct env *env, const struct reg *reg);
/* Prints "R1=ctx() R2=scalar(...) R10=fp0 fp-8=..." for -v and -vv. */
void state_print(struct env *env, const struct state *state, enum log_level level);

/* --- state.c: copying, ids, walking over all registers. --- */
u32 id_new(struct env *env);
/* Calls @fn for every register and every spilled register of every frame. */
void state_each_reg(struct state *state, void (*fn)(struct reg *reg, void *data), void *data);
/* Takes a reference at the current instruction; its id, or 0 with -E2BIG in words. */
u32 held_add(struct env *env, enum held_kind kind, u32 id, const void *owner);
struct held *held_find(struct state *state, enum held_kind kind, u32 id);
void held_drop(struct state *state, enum held_kind kind, u32 id);
bool held_lock(const struct state *state);
/* B20: the reference is gone; every register that carries it becomes unreadable. */
int ref_release(struct env *env, u32 ref);
/* B13.4: the reference went into a field. As ref_release(), but in a read section copies of
 * a per-CPU object stay usable: the field's reference keeps it until the section ends. */
int ref_moved(struct env *env, u32 ref);
/* B19: after a null test of a register with @id: all copies become NULL (a scalar 0; its
 * reference is discarded) or lose F_NULL. */
void null_learn(struct env *env, struct state *state, u32 id, u32 ref, bool is_null);
/* What lives no longer than @owner (a dynptr or iterator) becomes unreadable. */
void owner_forget(struct env *env, u32 owner);
/* Calls @fn for every slot of @kind (SLOT_DYNPTR, SLOT_ITER). */
void state_each_object(struct env *env, struct state *state, enum slot_kind kind,
		       void (*fn)(struct env *env, struct slot *slot, void *data), void *data);
/* Packet pointers die (helpers that change the packet). */
void packet_forget(struct env *env);
void packet_forget_in(struct state *state);
/* B41: inside a read section of the main RCU domain. */
bool in_read_section(const struct env *env);

/* --- exec: memory accesses. --- */

enum access_kind { ACC_READ, ACC_WRITE, ACC_ATOMIC, ACC_XCHG, ACC_CMPXCHG, ACC_ACQUIRE,
		   ACC_STORE_RELEASE };

/*
 * One access of memory through a register, as mem.c hands it to the rule of the register's
 * base. The rule checks it and, for what reads, fills in `result`.
 */
struct access {
	u32 regno;		/* the address register, for messages */
	struct reg ptr;		/* its contents */
	s32 off;		/* of the instruction */
	u32 size;		/* bytes */
	u8 kind;		/* enum access_kind */
	bool sign;		/* sign-extending load */
	s32 value_regno;	/* register stored or exchanged; -1: an immediate */
	struct reg value;	/* its contents; an immediate as a constant */
	struct reg result;	/* loads and fetches: what the register becomes */
	bool result_set;	/* false: an unknown number of `size` bytes */
	u32 release_ref;	/* reference that moves into a field: ref_moved() by mem.c */
	/* How it is to be lowered; mem.c merges it into the instruction's note and refuses
	 * what does not agree between paths (B45). */
	u8 class_;		/* enum access_class; ACCESS_PLAIN to begin with */
	const struct field *field;		/* ACCESS_SLOT_* */
	const struct abi_ctx_field *ctx_field;	/* ACCESS_CTX */
	u8 ctx_arg;				/* ACCESS_CTX of PROG_ARGS: argument + 1 */
	bool pooled;				/* ACCESS_FAULT_SAFE: in ptr's type's pools only */
};

/* mem.c: checks [off, off+size) against an object of @limit bytes for a pointer with fixed
 * and variable offset; refuses with the phrase for its base. @zero_ok: a size of 0 is
 * fine anywhere. Needs only regno, ptr, off and size of @acc. */
int check_region(struct env *env, const struct access *acc, u64 limit, bool zero_ok);

/* rule/mem.c: whoever sees the register's value learns an address, and must not (B10). */
bool leaks_address(const struct env *env, const struct reg *reg);

/* mem.c: the register can be read ("R%d !read_ok"). */
int check_readable(struct env *env, u32 regno);

/* mem.c: the instruction's access. Dispatches on the base through a table. */
int mem_access(struct env *env, struct access *acc);

/* The rules, one per base; table in mem.c. */
int access_ctx(struct env *env, struct access *acc);	    /* rule/ctx.c */
int access_stack(struct env *env, struct access *acc);	    /* stack.c */
int access_map_value(struct env *env, struct access *acc);  /* rule/mapval.c */
int access_map_key(struct env *env, struct access *acc);    /* rule/mapval.c */
int access_map(struct env *env, struct access *acc);	    /* rule/mapval.c */
int access_packet(struct env *env, struct access *acc);	    /* rule/packet.c */
int access_mem(struct env *env, struct access *acc);	    /* rule/mem.c */
int access_arena(struct env *env, struct access *acc);	    /* rule/arena.c */
int access_btf(struct env *env, struct access *acc);	    /* rule/btfptr.c */
int access_table(struct env *env, struct access *acc);	    /* rule/ctx.c */

/* rule/kptr.c: fields of a map value that [off, off+size) touches; *handled when the
 * access was one of a slot and is done. */
int access_slot(struct env *env, struct access *acc, bool *handled);

/* memarg.c: a helper's or kfunc's memory argument: @size bytes readable (and writable
 * with @write) from register @regno; @uninit: stack need not be initialised and becomes
 * so. Size is given by a scalar register when @size_reg >= 0. */
/* Memory of some kind at all, or NULL where that is allowed. */
int mem_arg_kind(struct env *env, u32 regno, bool null_ok);
int mem_arg(struct env *env, u32 regno, u32 size, bool write, bool uninit, bool null_ok);
/* What a format has its arguments in: it may hold addresses where all is known of where it
 * is. */
int mem_arg_printed(struct env *env, u32 regno, u32 size_regno);
int mem_arg_sized(struct env *env, u32 regno, u32 size_regno, bool write, bool uninit,
		  bool null_ok, bool zero_ok);

/* stack.c */
int stack_read_fixed(struct env *env, struct frame *frame, s32 off, u32 size, struct reg *out);
/* All of [off, off+size) become unknown bytes; offsets are from the frame's fp. */
int stack_mark_written(struct env *env, struct frame *frame, s32 off, u32 size);
/* The bytes that @to points to, a fixed place of the stack, may be a slice's from now on. */
int stack_lend(struct env *env, const struct reg *to, u32 size, u32 *lent);
/* A callee may read @size bytes that begin somewhere in [lo, hi]: inside the stack, and
 * not in a dynptr or iterator. */
int stack_readable(struct env *env, u32 regno, struct frame *frame, s64 lo, s64 hi, u32 size);
/* The same bounds check for writes ("invalid write to stack R%d off=%d size=%d"). */
int stack_writable(struct env *env, u32 regno, struct frame *frame, s64 lo, s64 hi, u32 size);
/*
 * Objects of the engine on the stack (dynptrs, iterators) of @nslots whole slots:
 * stack_object() finds where register @regno points to: @frame and the slot @at of its
 * lowest address (the others are below @at); refuses offsets that vary or are odd. @what
 * names it in messages. stack_object_put() makes one there, of kind @kind; _clear() ends
 * it. stack_object_is(): all of it is of that kind.
 */
int stack_object(struct env *env, u32 regno, u32 nslots, const char *what,
		 struct frame **frame, u32 *at);
int stack_object_put(struct env *env, struct frame *frame, u32 at, u32 nslots,
		     enum slot_kind kind, struct reg object);
void stack_object_clear(struct env *env, struct frame *frame, u32 at, u32 nslots,
			bool addresses);
/* One slot of it ends. @addresses: its bytes, which are still there, may be of some. */
void slot_end_object(struct env *env, struct slot *slot, bool addresses);
bool stack_object_is(const struct frame *frame, u32 at, u32 nslots, enum slot_kind kind);
/* The constant number a callee will read at @off, as far as known; marks it precise. */
bool stack_const(struct env *env, u32 frame, s32 off, u32 size, u64 *value);

/* rule/arena.c: a pointer into an arena; an argument that is one, or a number. */
struct reg arena_reg(void);
int arena_arg(struct env *env, u32 regno);
/* The program uses @map besides those before: *seen is the arena among them. */
int check_one_arena(struct env *env, const struct image_map *map, const struct image_map **seen);

/* precise.c: the value of @regno now must be exact for pruning (and what it came from). */
int mark_precise(struct env *env, u32 regno);
int mark_precise_slot(struct env *env, u32 frame, u32 slot);

/* --- calls ---
 * call_helper() and call_kfunc() check the arguments in r1-r5, then set r0 (which they find
 * untouched); call.c makes r1-r5 unreadable afterwards. A helper with a callback calls
 * call_callback() before it sets r0. */
int exec_call(struct env *env, const struct insn *insn, u32 *next); /* call.c: all kinds */
int call_helper(struct env *env, const struct insn *insn, u32 *next); /* rule/helper.c */
int call_kfunc(struct env *env, const struct insn *insn);	      /* rule/kfunc.c */
int call_subprog(struct env *env, const struct insn *insn, u32 *next); /* subprog.c */
/*
 * callback.c: walk @subprog as a callback of the helper at env->insn: queued as a branch in
 * which its registers r1-r5 are args[0..4]; the walk itself goes on behind the call, as if
 * no iteration was left. When the callback returns, the call is executed again, so that
 * any number of iterations is covered. Its return value must lie in [0, 1] (CB_LOOP,
 * CB_MAP_ELEM, CB_RBTREE_LESS) or be 0 (CB_TIMER, CB_WQ: these are walked after the
 * program, alone: args[] must make sense there, so no stack pointers and nothing held).
 */
int call_callback(struct env *env, u32 subprog, enum callback_kind kind,
		  const struct reg *args);
/* subprog.c: a tail call that succeeds comes back to the caller of the function it is in. */
int tail_call_return(struct env *env);
/* throw.c: bpf_throw(r1), called @name in messages: checks, and ends the path. A rule
 * passes its result on (it is not 0). */
int throw_exit(struct env *env, const char *name);

/* rule/ref.c: nothing may be held here. @what: "BPF_EXIT instruction in main prog",
 * "tail_call", … */
int check_nothing_held(struct env *env, const char *what);

/*
 * rule/iter.c: the path is back at the iterator's _next() at env->insn, at stored state
 * @old. True: the same iterator gave an element meanwhile, and no other that is alive was
 * made anew, so the loop ends by itself. iters_same(): the latter alone. iters_kept(): no iterator that a loop below @root
 * goes by was made anew between the ancestors of @cur and @cur, compared with @old.
 */
bool iters_same(const struct state *old, const struct state *cur);
bool iter_advanced(struct env *env, const struct state *old, const struct state *cur);
bool iters_kept(const struct state *root, const struct state *old, const struct state *cur);

/* rule/dynptr.c: slot @i of @frame, part of a dynptr, is about to be written: the dynptr
 * ends, unless it holds a reference. */
int dynptr_overwritten(struct env *env, struct frame *frame, u32 i);
/* What they are of is gone (a callback's argument, an object): so are the dynptrs, their
 * clones and slices. */
void dynptr_owner_ended(struct env *env, u32 owner);
/* @frame of @state is left, with its dynptrs: their slices may have been handed out. */
void dynptr_frame_ends(struct state *state, const struct frame *frame);

/* rule/btfptr.c: B14/B15: pointer @reg (class and type) fits a place of struct (btf, type). */
bool btf_reg_fits(const struct reg *reg, const struct btf *btf, u32 type, bool strict);
/* The class a member pointer of a struct pointer of @flags has (B36). */
struct reg btf_member_reg(struct env *env, const struct reg *parent, u32 member_off,
			  u32 ptr_type);
/* rule/kptr.c: B14: may @value live in @field? Refuses with A_TYPE. */
int slot_takes(struct env *env, const struct field *field, u32 regno,
	       const struct reg *value, bool exchange);
/* Whether the field owns a reference of what it holds. */
bool slot_owns(const struct field *field);
/* What an exchange of @field gives; @ref: the reference taken, when it owns one. */
struct reg slot_taken(struct env *env, const struct field *field, u32 ref);
/* The field at a register's constant offset (X_CONSTOFF, X_NOKPTR, X_NOTREF). */
int slot_of_arg(struct env *env, u32 regno, const struct field **field);

#endif
