/* SPDX-License-Identifier: MIT
 *
 * abi.h: the contract between a host and its programs, as data. This is the verifier's
 * only view of the host: types, exported functions, storable types, helpers, program
 * types, map types and policy. src/run fills one in for a live host; src/abi/linux fills
 * one in for `--kernel`. No addresses, no code.
 *
 * A struct abi is frozen while a verification runs.
 */
#ifndef PINTLE_ABI_H
#define PINTLE_ABI_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "btf/btf.h"
#include "btf/record.h"

/* ------------------------------------------------------------------ map types */

/* Numbers of the bpf(2) interface, as objects carry them. */
enum map_type {
	MAP_UNSPEC, MAP_HASH, MAP_ARRAY, MAP_PROG_ARRAY, MAP_PERF_EVENT_ARRAY,
	MAP_PERCPU_HASH, MAP_PERCPU_ARRAY, MAP_STACK_TRACE, MAP_CGROUP_ARRAY, MAP_LRU_HASH,
	MAP_LRU_PERCPU_HASH, MAP_LPM_TRIE, MAP_ARRAY_OF_MAPS, MAP_HASH_OF_MAPS, MAP_DEVMAP,
	MAP_SOCKMAP, MAP_CPUMAP, MAP_XSKMAP, MAP_SOCKHASH, MAP_CGROUP_STORAGE,
	MAP_REUSEPORT_SOCKARRAY, MAP_PERCPU_CGROUP_STORAGE, MAP_QUEUE, MAP_STACK,
	MAP_SK_STORAGE, MAP_DEVMAP_HASH, MAP_STRUCT_OPS, MAP_RINGBUF, MAP_INODE_STORAGE,
	MAP_TASK_STORAGE, MAP_BLOOM_FILTER, MAP_USER_RINGBUF, MAP_CGRP_STORAGE, MAP_ARENA,
	NR_MAP_TYPES,
};

enum map_flag { /* bits of bpf(2) map flags */
	MAPF_NO_PREALLOC = 1 << 0,
	MAPF_NO_COMMON_LRU = 1 << 1,
	MAPF_RDONLY_PROG = 1 << 7,
	MAPF_WRONLY_PROG = 1 << 8,
	MAPF_MMAPABLE = 1 << 10,
	MAPF_INNER_MAP = 1 << 12,
};

struct abi_map_type {
	const char *name;    /* "hash"; NULL: not a map type */
	bool slots;	     /* pointer fields allowed (A28) */
	bool lock, timer, roots, refcount, uptr;
	bool percpu;	     /* values are per execution slot */
	bool value_direct;   /* lookups give a pointer to the live value */
	bool any_key;	     /* key size free; else a u32 index, or none */
	bool supported;	     /* src/run implements it */
};
struct abi_policy;
/* A28, A29: a map of this type and flags can have values with the fields of @rec (NULL:
 * none). 0, or -EOPNOTSUPP, -EACCES, -EINVAL with words about map @name. @policy may be
 * NULL: the default. */
int abi_check_fields(struct log *log, const struct abi_policy *policy, const char *name,
		     u32 type, u32 flags, u32 value_size, const struct record *rec);
/* maps.def row of @type; never NULL (an unnamed row for unknown numbers). */
const struct abi_map_type *abi_map_type(u32 type);
/* Whether its values may hold a special field of @kind (A28). */
bool abi_map_allows(const struct abi_map_type *type, enum field_kind kind);

/* ------------------------------------------------------------------ helpers and kfuncs */

enum arg_kind {
	ARG_NONE,
	ARG_ANYTHING,	  /* any initialised register (pointer leaks are policy) */
	ARG_SCALAR,
	ARG_MAP,	  /* const map handle */
	ARG_MAP_KEY,	  /* readable memory of the map's key size */
	ARG_MAP_VALUE,	  /* readable (or ARGF_UNINIT: written) memory of its value size */
	ARG_MEM,	  /* memory; size in the next argument, or .size */
	ARG_SIZE,	  /* number of bytes of the preceding ARG_MEM, > 0 */
	ARG_SIZE_OR_ZERO,
	ARG_CONST_SIZE,	  /* a constant allocation size */
	ARG_CTX,
	ARG_FUNC,	  /* a static subprogram: callback */
	ARG_STACK,	  /* pointer to stack (callback context), or NULL */
	ARG_SPIN_LOCK,
	ARG_TIMER,
	ARG_SLOT,	  /* address of a referenced pointer field (kptr_xchg's first) */
	ARG_BTF,	  /* pointer to the struct named by .type */
	ARG_BTF_ANY,	  /* pointer to whatever struct the field of ARG_SLOT holds */
	ARG_PERCPU,	  /* per-CPU struct pointer */
	ARG_CONST_STR,	  /* NUL-terminated string in read-only map data */
	ARG_LONG,	  /* pointer to a writable 8-byte aligned integer */
	ARG_INT,	  /* the same of 4 bytes */
	ARG_RINGBUF_MEM,  /* memory reserved in a ring buffer (released) */
	ARG_DYNPTR,	  /* on the stack; ARGF_UNINIT: made by the call; ARGF_WRITE: its bytes
			   * are written */
	ARG_DYNPTR_DATA,  /* ARG_MEM that a dynptr is made of: it must stay */
	ARG_ZERO,	  /* flags, none of which there is */
	ARG_SOCKET,	  /* a full socket (struct bpf_sock) */
	ARG_SOCK,	  /* any kind of socket as a table of fields */
	ARG_SOCK_BTF,	  /* the same, or a struct that begins with a struct sock_common */
	NR_ARG_KINDS,
};

enum arg_flag {
	ARGF_NULL = 1 << 0,    /* NULL allowed */
	ARGF_UNINIT = 1 << 1,  /* memory the callee writes; need not be initialised */
	ARGF_WRITE = 1 << 2,   /* memory the callee writes after reading */
	ARGF_RELEASE = 1 << 3, /* the reference it carries dies */
	ARGF_RDONLY = 1 << 4,  /* read-only memory (map .rodata, packets) will do */
	ARGF_UNSET = 1 << 5,   /* may be left unset: it is then 0 */
	ARGF_RINGBUF = 1 << 6, /* ARG_DYNPTR: of a ring buffer */
};

enum ret_kind {
	RET_SCALAR,
	RET_VOID,
	RET_MAP_VALUE,	/* or NULL with RETF_NULL */
	RET_MEM,	/* of the size given by an ARG_CONST_SIZE */
	RET_BTF,	/* pointer to the struct named by ret_type */
	RET_SLOT,	/* what the exchanged field holds (kptr_xchg) */
	RET_PERCPU_MEM,	/* this_cpu_ptr / per_cpu_ptr: by the argument's type */
	RET_TAIL_CALL,	/* does not return when it succeeds */
	RET_SOCKET, RET_SOCK_COMMON, RET_TCP_SOCK,
	RET_DYNPTR_MEM,	/* bytes of a dynptr, as many as its ARG_CONST_SIZE says */
};

enum ret_flag { RETF_NULL = 1 << 0, RETF_ACQUIRE = 1 << 1, RETF_RDONLY = 1 << 2,
		RETF_TRUSTED = 1 << 3, RETF_RCU = 1 << 4,
		RETF_CAST = 1 << 5,	/* the argument as another type: the same reference */
		RETF_SIZED = 1 << 6,	/* a number, at most the size of the argument's memory */
};

enum helper_flag {
	HELPERF_SLEEPABLE = 1 << 0,   /* may sleep: sleepable programs, no read section */
	HELPERF_GPL = 1 << 1,
	HELPERF_CHANGES_PACKET = 1 << 2, /* packet pointers die */
	HELPERF_UNDER_LOCK = 1 << 3,  /* callable while a spin lock is held */
	HELPERF_LOCK = 1 << 4, HELPERF_UNLOCK = 1 << 5,
	HELPERF_RCU_LOCK = 1 << 6, HELPERF_RCU_UNLOCK = 1 << 7,
	HELPERF_LOOP = 1 << 8,	      /* calls its ARG_FUNC 0..n times, synchronously */
	HELPERF_ASYNC = 1 << 9,	      /* its callback runs later, alone */
	HELPERF_SIGNAL = 1 << 12,     /* may be called in a signal handler (J27) */
	HELPERF_FORMAT = 1 << 11,     /* its ARG_CONST_STR is a format for its last memory */
	HELPERF_PACKET_MEM = 1 << 10, /* the kernel: its memory may be a packet's */
};

struct abi_arg {
	u8 kind;	   /* enum arg_kind */
	u8 flags;	   /* enum arg_flag */
	u16 size;	   /* ARG_MEM of fixed size */
	const char *type;  /* ARG_BTF: struct name */
};

/* How a callback of a helper is called: what its registers hold. */
enum callback_kind { CB_NONE, CB_LOOP /* (u32 i, ctx) */, CB_MAP_ELEM /* (map, key, value, ctx) */,
		     CB_TIMER, CB_WQ, CB_FIND_VMA, CB_USER_RINGBUF, CB_RBTREE_LESS };

struct abi_helper {
	u32 id;		   /* number of the kernel's interface */
	const char *name;  /* "bpf_map_lookup_elem" */
	u8 ret, ret_flags;
	const char *ret_type;
	struct abi_arg args[5];
	u16 flags;
	u8 callback;	   /* enum callback_kind */
	s64 ret_min, ret_max; /* of a RET_SCALAR, when min < max */
	u64 map_types;	   /* allowed types of its ARG_MAP, as bits; 0: any it makes sense for */
};

/* Row of helpers.def by number, or NULL. */
const struct abi_helper *abi_helper(u32 id);

/* Numbers of the kernel's interface, by name: HELPER_map_lookup_elem. */
enum helper_id {
#define N(name) HELPER_##name,
#include "abi/helper_names.def"
#undef N
	NR_HELPER_IDS,
};

/* Why helper @id cannot run in a process, and what to use; NULL: it can, or is no helper. */
struct abi_gone {
	const char *why, *instead;
};
const struct abi_gone *abi_helper_gone(u32 id);
/* The same of a function of the kernel's: NULL when nothing is known of it. */
const struct abi_gone *abi_kfunc_gone(const char *name);

/* Helpers by number. */
struct helper_set {
	u64 bits[(NR_HELPER_IDS + 63) / 64];
};
static inline bool helper_set_has(const struct helper_set *set, u32 id)
{
	return id < NR_HELPER_IDS && set->bits[id / 64] & BIT64(id % 64);
}
static inline void helper_set_add(struct helper_set *set, u32 id)
{
	set->bits[id / 64] |= BIT64(id % 64);
}

const struct abi_helper *abi_helper_by_name(const char *name);
/* The name of a helper number even when we do not model it ("bpf_redirect"); or NULL. */
const char *abi_helper_name(u32 id);

enum kfunc_flag { /* same bits as enum pintle_func_flags */
	KF_ACQUIRE = 1 << 0,
	KF_RELEASE = 1 << 1,
	KF_RET_NULL = 1 << 2,
	KF_TRUSTED_ARGS = 1 << 3,
	KF_RCU = 1 << 4,
	KF_SLEEPABLE = 1 << 5,
	KF_KPTR_GET = 1 << 6,
	KF_CONSUME = 1 << 7,
	KF_ANY_ARGS = 1 << 8,
	KF_DESTRUCTIVE = 1 << 9,
	KF_ITER_NEW = 1 << 10, KF_ITER_NEXT = 1 << 11, KF_ITER_DESTROY = 1 << 12,
	KF_RCU_PROTECTED = 1 << 13,
	KF_SIGNAL = 1 << 14,
};

struct abi_kfunc {
	const char *name;
	const struct btf *btf;
	u32 func, proto;  /* BTF ids of FUNC and FUNC_PROTO there */
	u32 flags;
	u64 prog_types;	  /* bits by abi_prog_type.bit; ~0: all */
	u8 attach;	  /* only for programs of this attach type; 0: any */
	u32 special;	  /* enum kfunc_special: functions with a meaning of their own */
	const struct btf *of_btf; /* KS_DYNPTR_FROM_SOURCE: of which struct, or, NULL, of the */
	u32 of_type, source;	  /* context; which of the host's sources, from 1 */
};

/* btf == NULL: provided by the engine itself: called as the program declares it. */
enum kfunc_special {
	KS_NONE,
#define SPECIAL(id, name, flags, ret, args) KS_##id,
#include "abi/special.def"
#undef SPECIAL
	NR_KS,
};

struct abi_special { /* row of special.def */
	const char *name;
	u32 flags;
	const char *ret, *args;
};
const struct abi_special *abi_special(u32 special);
/* The KS_ number of function @name; KS_NONE when it has no meaning of its own. */
u32 abi_special_by_name(const char *name);

/* A host variable programs may name: `extern T x __ksym`. */
struct abi_var {
	const char *name;
	const struct btf *btf;
	u32 type;
	bool percpu;
};

struct abi_setting { /* LINUX_KERNEL_VERSION */
	const char *name;
	u64 value;
	bool yes; /* "y": true */
};

/* ------------------------------------------------------------------ types of the host */

enum rcu_class { RCU_DEFERRED_PUT, RCU_NATIVE, RCU_NONE };

struct abi_storable {
	const struct btf *btf;
	u32 type;	/* struct id */
	bool dtor;	/* has a destructor: `kptr` fields allowed (A10) */
	enum rcu_class rcu;
};

enum member_class { MEMBER_PLAIN, MEMBER_TRUSTED, MEMBER_TRUSTED_OR_NULL, MEMBER_RCU,
		    MEMBER_RCU_OR_NULL, MEMBER_USER, MEMBER_PERCPU };

struct abi_pool { /* a type all of whose objects are in memory the host has named (J11.1) */
	const struct btf *btf;
	u32 type;
};

struct abi_space_owner { /* a type whose objects have an address space each */
	const struct btf *btf;
	u32 type;
};

struct abi_member {
	const struct btf *btf;
	u32 type;	/* struct id */
	u32 off;	/* byte offset of the member */
	enum member_class class_;
};

/* ------------------------------------------------------------------ programs */

enum ctx_kind { CTX_SCALAR, CTX_PACKET, CTX_PACKET_META, CTX_PACKET_END, CTX_POINTER,
		CTX_POINTER_OR_NULL, CTX_TABLE, CTX_TABLE_OR_NULL };

/* Objects whose contents are members as contexts have them (tables.def). */
enum abi_table_id {
#define TABLE(id, ...) TABLE_##id,
#include "abi/tables.def"
#undef TABLE
	NR_TABLES,
};

/* A member, or several numbers in a row, of a context or of such an object. */
struct abi_ctx_field {
	const char *name;
	u32 off, size;		 /* in the context as programs see it */
	u32 real_off, real_size; /* where it is at run time */
	u8 kind;		 /* enum ctx_kind */
	u8 reads, writes;	 /* sizes of aligned loads, of stores: 1 | 2 | 4 | 8 */
	u8 table;		 /* CTX_TABLE: enum abi_table_id */
	const struct btf *btf;	 /* CTX_POINTER */
	u32 type;
};

struct abi_table {
	const char *name;	/* "sock" */
	const struct abi_ctx_field *fields;
	u32 nfields;
	bool socket;
};

const struct abi_table *abi_table(enum abi_table_id id);
/* The row of @fields by which @size bytes at @off can be read (written); NULL: none. */
const struct abi_ctx_field *abi_field(const struct abi_ctx_field *fields, u32 n, bool write,
				      s64 off, u32 size);

enum prog_kind {
	PROG_CTX,   /* r1 = a context described by fields */
	PROG_ARGS,  /* r1 = array of u64 arguments typed by a FUNC_PROTO (hooks) */
};

/* What an argument of a PROG_ARGS context is beyond its type in the prototype. */
enum ctx_arg_flag {
	CTX_ARG_NULL = 1 << 0,	  /* may be NULL */
	CTX_ARG_TRUSTED = 1 << 1, /* sure to exist during the run */
	CTX_ARG_BUF = 1 << 2,	  /* memory whose size the attachment knows; or NULL */
	CTX_ARG_RDONLY = 1 << 3,  /* CTX_ARG_BUF */
	CTX_ARG_REF = 1 << 4,	  /* the program owns a reference to it */
	CTX_ARG_RCU = 1 << 5,	  /* protected by the read section */
};

/* Bytes of a host struct. */
struct abi_write {
	const struct btf *btf;
	u32 type, off, size;
};

/* What an argument of a global function that is tagged arg:ctx may point to: void, the
 * context's struct, and */
enum ctx_arg {
	CTX_ARG_ONLY = 1 << 0, /* unset: anything */
	CTX_ARG_U64 = 1 << 1,  /* 8-byte numbers */
	CTX_ARG_REGS = 1 << 2, /* struct pt_regs */
	CTX_ARG_RAW = 1 << 3,  /* struct bpf_raw_tracepoint_args */
	CTX_ARG_ITER = 1 << 4, /* struct bpf_iter__... */
};

struct abi_prog_type {
	const char *name;	/* "xdp", or "hook/on_request" */
	u32 bit;		/* of abi_kfunc.prog_types */
	u32 attach;		/* src/abi/linux: the kernel's expected attach type */
	const char *target;	/* PROG_ARGS by name: "bpf_fentry_test1"; or NULL */
	const char *section;	/* section name or prefix before '/' */
	enum prog_kind kind;
	const char *ctx_name;	/* BTF name of the ctx struct, for global functions */
	u8 ctx_args;		/* enum ctx_arg: what arg:ctx may point to besides */
	const char *ctx_kern;	/* host struct that it is a view of (bpf_cast_to_kern_ctx) */
	bool css_tasks;		/* may walk over tasks of cgroups without sleeping */
	u32 ctx_size;
	struct abi_ctx_field *fields;
	u32 nfields;
	const struct btf *btf;	/* PROG_ARGS: where proto lives */
	u32 proto;		/* PROG_ARGS */
	u32 first_arg;		/* PROG_ARGS: parameters of proto that programs do not see */
	u8 args[16];		/* PROG_ARGS: enum ctx_arg_flag by argument */
	bool ret_arg;		/* PROG_ARGS: the function's result is the last argument */
	u32 promote_from, promote_to; /* PROG_ARGS: pointers to one struct are to the other */
	const struct abi_write *writes; /* members of host structs that programs may write */
	u32 nwrites;
	bool ret_32bit;		/* has_ret_range: of the lower 32 bits, signed */
	/* Helpers that its programs may not call at this place, and why; ended by 0. */
	struct { u32 helper; const char *why; } barred[3];
	/* PROG_ARGS: the program returns NULL or a reference to such a struct, which then is
	 * its caller's. NULL: a number. */
	const struct btf *ret_btf;
	u32 ret_type;
	bool no_ret;		/* what the program returns is nobody's business */
	bool packet_writable, may_sleep, has_ret_range;
	bool in_signals;	/* its programs may run inside a signal handler (J27) */
	bool packet_hidden;	/* helpers may not be given packet memory */
	bool sockmap_update, sockmap_delete; /* of maps of sockets, by their helpers */
	/* Fields (enum field_kind, as bits) that values of its maps may not have; whose
	 * programs these are, for words: "tracing". */
	u32 no_fields;
	const char *no_fields_of;
	bool ctx_is_plain;	/* the context is memory, as far as its fields go */
	bool ld_abs;		/* legacy packet access (BPF_LD_ABS, BPF_LD_IND) */
	s64 ret_min, ret_max;
	s64 cut_result;		/* of runs without budget left */
	const struct helper_set *helpers; /* NULL: every helper with an implementation */
	/* Rows that differ from helpers.def for programs of this type; or NULL. */
	const struct abi_helper *(*helper)(const struct abi_prog_type *type, u32 id);
};

/* A function of an operations struct, and the type of the programs that implement it. */
struct abi_ops_member {
	const char *name;
	u32 off;
	bool optional;
	const struct abi_prog_type *type;
};

/* A struct of functions and numbers, of the host's BTF, that objects fill in. */
struct abi_ops {
	const char *name;
	const struct btf *btf;
	u32 type, size; /* the struct */
	const struct abi_ops_member *members; /* the functions */
	u32 nmembers;
	void *data; /* of whoever filled it in */
};

/*
 * What a program of an object is made for. The loader fills in what the object says;
 * abi.prog_type answers. A program that cannot be has words in @wrong; where the reason is
 * that we do not model it, they begin with ABI_UNSUPPORTED.
 */
#define ABI_UNSUPPORTED "unsupported: "
struct abi_place {
	const char *section, *name, *license;
	/* Assigned to this member of a struct of functions (.struct_ops); or NULL. */
	const char *ops, *member;
	struct arena *arena; /* for a new type, and for words */
	const struct abi_prog_type *type;
	bool sleepable;
	const char *wrong;   /* why it may not be loaded; NULL: it may */
};

/* ------------------------------------------------------------------ the whole */

/* Where the rule book gives a choice (section I): false/0 is the default, the sound rule. */
struct abi_policy {
	enum tag_era tags;
	bool lenient_decl, no_local_types;
	u32 max_fields;
	bool ldx_untrusted;	 /* I11 */
	bool no_xchg_insn;	 /* I13 */
	bool no_kptr_get;	 /* I17 */
	bool unlock_612;	 /* I25, I26 */
	bool legacy_walk;	 /* I27 */
	bool kf_untrusted_default; /* I28 */
	bool ptr_leaks;		 /* I29 */
	bool no_xchg_lock;	 /* I40 */
	bool name_capture;	 /* I42 */
	bool maps_612;		 /* I5: no pointer fields in LPM tries; no uptr at all */
	bool need_gpl;		 /* B33 */
	bool throw_leaks;	 /* global functions may throw over what is held */
	bool probe_region;	 /* J11.1: for every type, not only those with a pool */
	bool open_keys;		 /* sizes of keys that an object leaves open: its loader's */
	bool no_div;		 /* nothing is known of what a division gives */
	bool lookups_may_fail;	 /* those of an array's element that exists, too */
	bool formats;		 /* those of HELPERF_FORMAT are checked by the kernel's rules */
	bool packet_mem_listed;	 /* packets as memory: for helpers that say so */
	bool iter_results_stay;	 /* objects that an iterator gave outlive it */
	bool preempt_no_globals; /* no global function while preemption is disabled */
	bool slice_stack_buffer; /* dynptr slices may be of a buffer on the stack */
	bool kernel_names;	 /* 0.3: classes are printed as the kernel's log has them */
	bool local_unref_612;	 /* B7: no pointer that was loaded into fields of local types */
	bool local_mem_612;	 /* G14: objects of programs are no memory for functions */
	bool percpu_612;	 /* I16 */
	bool percpu_nonnull;	 /* I23 */
	bool jset_612;		 /* a test of several bits that holds tells nothing */
	bool casts;		 /* J12, C20: whatever a register holds can be cast */
	bool strict_tags;	 /* I9 */
	bool nest_519;		 /* I6: fields of nested structs and arrays are bytes */
	u32 kinds_off;		 /* I3: pointer kinds that are refused, by enum field_kind */
	u32 own_depth;		 /* I36: objects owned one by the other; 0: 8 */
};

struct abi {
	VEC(const struct btf *) btfs;	   /* host types, base first */
	VEC(struct abi_kfunc) kfuncs;
	VEC(struct abi_var) vars;
	VEC(struct abi_storable) storables;
	VEC(struct abi_member) members;
	VEC(struct abi_pool) pools;
	VEC(const struct abi_ops *) ops;   /* operations structs that objects may implement */
	VEC(struct abi_space_owner) owners;
	VEC(struct abi_prog_type) prog_types; /* their .fields: malloc'd, owned */
	struct strmap kfunc_names, var_names;
	struct abi_policy policy;
	/* Whether helper @id can be called by programs of @type; the host's table of
	 * implementations decides. NULL: all that helpers.def models. */
	bool (*helper_there)(const struct abi *abi, const struct abi_prog_type *type, u32 id);
	/* Finds the type of a program where prefixes of sections will not do; 0, or -ENOMEM.
	 * NULL: abi_find_prog_type(). */
	int (*prog_type)(const struct abi *abi, struct abi_place *place);
	/* What map handles point to, by map type, for programs that read through them; or
	 * NULL. */
	const char *const *map_structs;
	bool storage_of_any; /* object storage belongs to any object of a storable type */
	u64 sleepable_maps; /* map types, as bits, of programs that sleep; 0: any */
	/* Whether a missing thing refuses the program that needs it, not the whole object. */
	bool each_program;
	/* Variables without a type (`extern const void x __ksym`) are addresses of symbols
	 * that only the running host knows: they are taken to be there. */
	bool untyped_vars;
	u32 max_cpus; /* numbers of CPUs are less than this; 0: helpers.def's limit */
	/* What `extern ... __kconfig` variables are; none: they have no meaning here. One
	 * that is not known could have any value. */
	const struct abi_setting *settings;
	u32 nsettings;
	void *data; /* of whoever filled it in */
};

const struct abi_kfunc *abi_find_kfunc(const struct abi *abi, const char *name);
const struct abi_var *abi_find_var(const struct abi *abi, const char *name);
const struct abi_storable *abi_find_storable(const struct abi *abi, const struct btf *btf,
					     u32 type);
/* Whether loads that may dangle are answered inside the type's pools only. */
bool abi_pooled(const struct abi *abi, const struct btf *btf, u32 type);
/* The row of abi.owners, or -1. */
s32 abi_space_owner(const struct abi *abi, const struct btf *btf, u32 type);
enum member_class abi_member_class(const struct abi *abi, const struct btf *btf, u32 type,
				   u32 off);
/* The program type that claims section @name ("xdp", "xdp/x", "?xdp", "hook.s/y");
 * *sleepable from a ".s" suffix. NULL: none. */
const struct abi_prog_type *abi_find_prog_type(const struct abi *abi, const char *section,
					       bool *sleepable);
const struct abi_ops *abi_find_ops(const struct abi *abi, const char *name);
const struct abi_ops_member *abi_ops_member(const struct abi_ops *ops, const char *name);
/* Who answers: abi.prog_type, or abi_find_prog_type(). 0 or -ENOMEM. */
int abi_place_prog(const struct abi *abi, struct abi_place *place);
/* Finds struct @name over all host BTF; false when nowhere. */
bool abi_find_struct(const struct abi *abi, const char *name, const struct btf **btf,
		     u32 *type);
/* record_opts for this host (its BTF, its destructors, its policy). */
void abi_record_opts(const struct abi *abi, struct record_opts *opts);
/* What the kernel takes for a licence compatible with the GPL. */
bool abi_license_is_gpl(const char *license);
void abi_free(struct abi *abi);

#endif
