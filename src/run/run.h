/* SPDX-License-Identifier: MIT
 *
 * run.h: the runtime's own vocabulary: host, object, program, slot. Files:
 *
 *	./	what an extension is and how it runs
 *	  host.c      a host's life, its BTF; words.c: the words of its failures
 *	  export.c    the registry: functions, storable types, members -> struct abi
 *	  progtype.c  program types, contexts and helpers of the host
 *	  plugin.c    types and code that go again
 *	  object.c    open and close, attach and detach
 *	  load.c      drives verify -> maps -> lower, all or nothing
 *	  prog.c      one run of one program; enter.h: the short way in
 *	  interp.c    the interpreter; native.c: what native code needs of the runtime
 *	  meter.c     budgets of runs
 *	  hook.c      hooks, and calls of them; link.c: which programs are on which
 *	  replace.c   one object takes the place of another while calls run; keep.c: whether
 *		      what one made may be used by the other
 *	life/	who is here, and when what left may go
 *	  thread.c    threads come and go; slot.c: which owns which execution slot
 *	  fork.c      what fork() does to them and to hosts
 *	  rcu.c       read sections of the two domains; epoch.c: grace periods by asking, for
 *		      quarantine.c
 *	  defer.c     deferred calls: the queue of destructors; weight.c: their bytes
 *	  executor.c  calls that only certain threads may make
 *	  reclaim.c   a thread for deferred calls; grace periods that do not end
 *	memory/	memory that is not ours
 *	  fault.c     fault-safe loads; pools.c: where objects of a type can be at all
 *	  space.c     address spaces; buffer.c: buffers that tenants share
 *	field/	what values and objects hold
 *	  field.c     life of special fields: copy around, destroy, exchange
 *	  local.h     objects that programs allocate: heap.c, local.c, graph.c, percpu.c
 *	  refs.c      who holds what
 *	map/	maps: what all have in common, the hosts' side, and a file for each kind
 *	async/	timers and work queues
 *	ops/	operations tables
 *	helper/	what programs may call: helpers by table, kfuncs of the engine, dynptrs,
 *		iterators, strings
 *	inspect/ looking in from outside: the socket, objects that come by it (upload.c),
 *		statistics, perf, debuggers
 */
#ifndef PINTLE_RUN_H
#define PINTLE_RUN_H

#include "base/arena.h"
#include "base/atomic.h"
#include "base/log.h"
#include "lower/code.h"
#include "pintle/pintle.h"


struct affine;
struct async;
struct asyncs;
struct heap;
struct hook;
struct image_opts;
struct local_types;
struct jit;
struct map;
struct meter;
struct pool_set;
struct proof;
struct reclaimer;
struct space_table;
struct weight;
struct stamps;
struct words;

/* One registered type that may live in referenced fields. */
struct storable {
	const struct btf *btf;
	u32 type;
	char *name;
	void (*dtor)(void *obj);
	void (*get)(void *obj); /* or NULL */
	enum rcu_class rcu;
	u64 bytes; /* that one object's end gives back */
	atomic(u64) destructed; /* queued destructor calls: exact after a drain */
};

struct export {
	const char *name;
	void (*fn)(void);
	u32 flags;
};

struct dynptr_source { /* objects of the host whose bytes programs read; dynptr.c */
	struct pintle_dynptr_source ops;
};

struct host_helper { /* a helper given by the host for one program type */
	char *prog_type;
	u32 id;
	void *fn;
};

/*
 * An execution slot: what "a CPU" is to a program. Owned by one thread at a time, so its
 * fields need no atomics but where another thread reads them.
 */
struct slot_ctx {
	u32 index;
	u32 depth;		 /* runs inside runs on this slot, of any host */
	u32 goto_budget;	 /* iterations of may_goto left to this run */
	u32 tail_calls;		 /* made by this run */
	u32 ending;		 /* enum ending, while frames return */
	bool cut, was_cut;	 /* budget used up: by this run so far, by the one before */
	u64 thrown;		 /* ENDING_THROWN: the number */
	u64 turns;		 /* of loops, before somebody looks at the budget */
	struct meter *meter;	 /* of the innermost run that has a budget */
	struct pintle_host *host;
	const struct pintle_prog *prog; /* running now, innermost */
	u64 random;		 /* state of bpf_get_prandom_u32 */
	u64 faults;		 /* loads recovered that are in no program's numbers yet */
	const atomic(u32) *waiting; /* deferred calls of the host, not yet made */
	struct defer_chunk *open; /* deferred calls of the run, not yet queued */
	atomic(u64) sleep_gen;	 /* generation its sleepable run began in; 0: none */
	u32 sleep_depth;
	struct async *async;	 /* whose callback runs, innermost; under asyncs.lock, as the next */
	struct async *async_wait; /* bpf_timer_cancel() waits for its callback */
	atomic(u32) space;	 /* number of the current address space; 0: none */
	bool safe_by_copy;	 /* host without fault handlers */
	u64 cookie;		 /* of the attachment that runs; 0 outside of runs */
	u64 side;		 /* of a replacement that the run is on (hook.h); 0: none */
	struct thread_rec *owner; /* under the thread lock; NULL: free */
	struct slot_ctx *next;	 /* of the same thread */
} __attribute__((aligned(64)));

#define NO_HOST UINT64_MAX /* no host's id */

struct pintle_host {
	struct arena *arena;		 /* strings and rows of the registry */
	struct words *words;		 /* of failures, by thread; under words_lock */
	u32 words_lock;			 /* lock.h; words.c */
	atomic(u64) calls_out;		 /* with executors: submitted, not yet made */
	struct reclaimer *reclaimer;	 /* NULL: no thread of its own */
	struct pintle_host_opts opts;
	struct abi abi;
	VEC(struct btf *) btfs;		 /* owned */
	VEC(struct storable *) storables; /* from the arena: their addresses stay */
	VEC(struct export) exports;	 /* parallel to abi.kfuncs */
	VEC(const void *) vars;		 /* parallel to abi.vars */
	VEC(struct host_helper) helpers;
	VEC(struct dynptr_source) dynptr_sources; /* by number, from 1 */
	VEC(struct hook *) hooks;	 /* owned */
	struct pintle_link *dead_links;	 /* whose programs went */
	atomic(u32) stats;		 /* enum pintle_stats */
	u64 swaps;			 /* replacements so far (replace.c) */
	struct pintle_object *objects;	 /* all that are open */
	struct map *maps;		 /* all there are; under maps_lock (lock.h) */
	u32 maps_lock, map_ids;
	atomic(u32) storages;		 /* maps of object storage among them */
	u32 locals_lock;
	struct local_types *locals;	 /* of all open objects; under locals_lock */
	VEC(struct space_owner *) owners; /* parallel to abi.owners; from the arena */
	struct space_table *spaces;	 /* NULL: there was none yet */
	struct pintle_buffer *buffers;	 /* under buffers_lock */
	u32 buffers_lock;
	u32 spaces_lock;		 /* for making the table */
	struct pool_set *pools;		 /* of types; from the arena */
	struct stamps *stamps;		 /* since when fields hold what they hold; or NULL */
	struct heap *heap;		 /* of objects that programs allocate */
	struct inspect *inspect; /* inspect.c; NULL: no socket is open */
	struct slot_table *slots;
	u64 id;				 /* slots->id */
	struct defer_queue *defer;
	atomic(const struct affine *) affine; /* functions that have an executor */
	atomic(const struct weight *) weights; /* functions that give memory back */
	struct asyncs *asyncs;		 /* timers and work (async.h) */
	u64 hash_seed;
	atomic(u64) sleep_gen;		 /* of the second domain; from 1 */
	atomic(u32) configuring;	 /* calls that open, load, attach, close ... */
	bool torn;			 /* fork.c: nothing works here any more */
};

/* Written by the slot's owner only, so that counting costs no shared cache line. */
struct prog_count {
	atomic(u64) runs, faults, cut, timed, timed_ns;
} __attribute__((aligned(64)));

struct pintle_prog {
	struct pintle_object *object;
	struct code_budget budget;	 /* of its own; 0: that of the object's load, if any */
	const struct image_prog *image;
	struct code *code;		 /* NULL: not loaded */
	code_native *native;		 /* of code, where enter.h may call it, or NULL */
	u64 host_id;			 /* its host's; NO_HOST: there is no `native` */
	u32 nlinks;			 /* attachments (link.c) */
	const struct pintle_prog *successor; /* while its object is replaced (replace.c) */
	atomic(u64) drops;		 /* runs for which there was no slot */
	struct verify_stats stats;
	struct prog_count *counts;	 /* by slot */
};

struct pintle_object {
	struct pintle_host *host;
	struct pintle_object *next, **pprev;
	struct image *image;
	struct log log;
	struct pintle_prog *progs;	 /* by index in image */
	struct pintle_map *maps;	 /* by index in image */
	struct local_types *locals;	 /* of its BTF; NULL: not loaded yet, or no BTF */
	struct jit *jit;		 /* native code of the programs, or NULL */
	struct gdb_entry *gdb;		 /* what debuggers know of it, or NULL */
	struct async *asyncs;		 /* that call into it; under asyncs.lock, as the next */
	atomic(u32) pins;		 /* the handle, and tables of operations in use (ops.h) */
	bool closing;			 /* none is to join them */
	bool loaded;
	enum pintle_tags tags;		 /* how it was opened, */
	bool lenient_decl;
	char *tables;
	struct pintle_load_opts how;	 /* and loaded: another in its place is, too */
	char *only;			 /* how.only, owned */
	atomic(bool) retired;		 /* no array takes its programs any more */
};

struct pintle_map { /* a user handle on a map */
	struct pintle_object *object; /* NULL: the host made it (set_api.c) */
	const struct image_map *image;
	struct map *map; /* NULL until loaded */
	struct pintle_host *host; /* of a handle without object */
	bool kept; /* it was that of the object whose place was taken */
};

static inline struct pintle_host *map_host(const struct pintle_map *map)
{
	return map->object ? map->object->host : map->host;
}

/* --- slot.c --- */
int slots_init(struct pintle_host *host);
void slots_free(struct pintle_host *host);
/* This thread's slot, taken now if it has none; NULL when all are taken or no memory. */
struct slot_ctx *slot_get(struct pintle_host *host);
/* Gives this thread's slot back, unless it is running a program. */
void slot_leave(struct pintle_host *host);
/* The slot the caller is running a program on; NULL outside of runs. Helpers use it. */
struct slot_ctx *slot_current(void);
/* Makes @slot the current one (NULL: none); returns the one before. */
struct slot_ctx *slot_swap(struct slot_ctx *slot);
u32 slot_count(const struct pintle_host *host);
struct slot_ctx *slot_at(const struct pintle_host *host, u32 index);

/* --- engine.c, export.c --- */
int engine_export(struct pintle_host *host);
/* Adds a function with a meaning of its own (enum kfunc_special), which has no types.
 * -ENOMEM without words. */
int export_special(struct pintle_host *host, u32 special, void (*fn)(void));
/* The same of a row whose name is not the function's own; its strings are the host's. */
int export_row(struct pintle_host *host, const struct abi_kfunc *row, void (*fn)(void));

/* --- rcu.c --- */
/* Whether run_read_lock_now() will do: the same without registering, and without waiting. */
bool run_read_ready(void);
void run_read_lock_now(struct pintle_host *host);
void run_read_lock(struct pintle_host *host);
void run_read_unlock(struct pintle_host *host);
/* Whether this thread is inside a read section, of any host. */
bool run_read_ongoing(void);
/* A sleepable run is a section of the second domain (rule book J6, S). */
void sleep_enter(struct slot_ctx *slot);
void sleep_leave(struct slot_ctx *slot);
/* Waits for both domains: every run and read section that now runs has ended. Not inside
 * a read section or run. */
void grace_wait(struct pintle_host *host);
/* Starts a generation of the second domain; whether all sleepable runs older than it
 * have ended. */
u64 sleep_generation(struct pintle_host *host);
bool sleep_passed(struct pintle_host *host, u64 generation);

/* --- defer.c --- */
int defer_init(struct pintle_host *host);
void defer_free(struct pintle_host *host); /* drains */
/* Calls fn(obj) after a grace period of both domains. Callable inside runs and read
 * sections and under engine locks; never calls fn itself; never fails: it keeps a reserve
 * of memory, and what exceeds even that is leaked and reported, never freed early. */
void defer_call(struct pintle_host *host, void (*fn)(void *), void *obj);
/* The same of what gives back @bytes, besides what weight_of() knows. */
void defer_call_sized(struct pintle_host *host, void (*fn)(void *), void *obj, u64 bytes);
/* Queues what the run on @slot deferred; before its read section closes. */
void defer_publish(struct slot_ctx *slot);
/* A safe point: no lock held, outside any run; runs what is ripe (J22, J23). */
void defer_safe_point(struct pintle_host *host);
void defer_drain(struct pintle_host *host);
bool defer_can_drain(void); /* else it does nothing */
u32 defer_waiting(const struct pintle_host *host); /* calls not yet made, about */
u64 defer_bytes(const struct pintle_host *host);   /* what they will give back, about */

/* --- weight.c --- */
/* What one call of @fn gives back; what it is known for already stays. -ENOMEM without
 * words. */
int weight_add(struct pintle_host *host, void (*fn)(void *), u64 bytes);
u64 weight_of(const struct pintle_host *host, void (*fn)(void *)); /* 0: nobody knows */
void weight_remove(struct pintle_host *host, void (*fn)(void *));

/* --- executor.c --- */
/* Calls of @fn go to @executor, copied into the host's arena. -ENOMEM without words. */
int executor_add(struct pintle_host *host, void (*fn)(void *),
		 const struct pintle_executor *executor);
/* The executor of deferred calls of @fn, or NULL. */
const struct pintle_executor *executor_of(const struct pintle_host *host, void (*fn)(void *));
void executor_remove(struct pintle_host *host, void (*fn)(void *));
/* Hands a ripe call over; false: no memory, it was not. */
bool executor_submit(struct pintle_host *host, const struct pintle_executor *executor,
		     void (*fn)(void *), void *obj);
/* Until every call that was handed over has been made. */
void executor_wait(struct pintle_host *host);

/* --- interp.c --- */
enum { MAX_TAIL_CALLS = 33 };
/* One run of @code: native where there is native code. */
u64 code_run(const struct code *code, u64 r1, u64 r2, struct slot_ctx *slot);
/* For tests, as interp_tail(): inside a run, whose budgets are the caller's. */
u64 code_call_native(const struct code *code, u64 r1, struct slot_ctx *slot);
u64 interp_run(const struct code *code, u32 entry, u64 r1, u64 r2, struct slot_ctx *slot);
/* The rest of a run that a tail call leads into @code. */
u64 interp_tail(const struct code *code, u64 r1, void *slot);
/* A run that is a callback, not the program: with budgets of its own. */
u64 code_run_callback(const struct code_func *func, u64 a, u64 b, u64 c, struct slot_ctx *slot);
/* Calls a callback subprogram (code instruction @entry) with up to 5 arguments, from a
 * helper that runs on behalf of the current program. */
u64 interp_callback(const void *fn, u64 a, u64 b, u64 c, u64 d, u64 e);

/* One run of @code within the current one: no budgets of its own. */
u64 interp_enter(const struct code *code, u64 r1, u64 r2, struct slot_ctx *slot);

/* --- meter.c --- */
/* One run of @code, which has a budget. */
u64 meter_run(const struct code *code, u64 r1, u64 r2, struct slot_ctx *slot);
/* The same that begins at a callback. */
u64 meter_run_callback(const struct code_func *func, u64 a, u64 b, u64 c,
		       struct slot_ctx *slot);
/* Whether the innermost run of @slot has a budget: programs that it continues in use it. */
bool meter_running(const struct slot_ctx *slot);
/* What code with a budget calls: CODE_TURN at the end of a stretch (false: the run ends),
 * CODE_HOLD, CODE_DROP, CODE_LEAVE; and where its tail calls lead. */
bool meter_turn(void *slot);
/* Work that is worth @n turns of the run's budget, if it has one. False: there are fewer, and
 * now none: the run ends at its next turn. */
bool meter_spend(struct slot_ctx *slot, u64 n);
void meter_hold(void *slot, const struct code_hold *how, u64 value);
void meter_drop(void *slot, const struct code_hold *how, u64 value);
void meter_leave(void *slot, u64 fp, u64 size);
const struct code *meter_tail(void *table, u64 index);

/* --- native.c --- */
/* Compiles what was lowered, unless the host's options say otherwise. Without native code
 * programs are interpreted; -errno and words only where the host requires it. */
int native_compile(struct pintle_object *object);
/* For tests: one piece of code; NULL: it stays interpreted. */
struct jit *native_compile_one(struct pintle_host *host, struct log *log, struct code *code);

/* --- perf.c --- */
/* Describes the native code of an object, where the host wants that. */
void perf_write(const struct pintle_object *object);

/* --- gdb.c --- */
/* Shows @object's native code to debuggers, if the host wants it; hides it again. */
void gdb_tell(struct pintle_object *object);
void gdb_forget(struct pintle_object *object);

/* --- fault.c --- */
int fault_init(struct pintle_host *host); /* installs handlers once, chaining */
void fault_free(struct pintle_host *host);
/* *ok = false and 0 when the load faulted; @size 1, 2, 4, 8, zero-extended. */
u64 fault_load(const void *addr, u32 size, bool *ok);
/* Copies or stops at the first fault: bytes copied. */
size_t fault_copy(void *to, const void *from, size_t size);

/* --- pools.c --- */
bool pool_holds(const struct pool_set *set, u64 addr, u32 size);
/* The pools of a struct of the host; never NULL. */
const struct pool_set *pool_find(const struct pintle_host *host, const struct btf *btf, u32 type);
void pools_remove(struct pintle_host *host, const struct btf *btf);
u64 pools_room(const struct pintle_host *host, u64 addr); /* bytes from there on, any type's */

/* --- space.c --- */
/* What a field keeps of user pointer @pointer: it gets the current space's number if it
 * has none (J19). */
int user_copy_str(char *to, u32 size, u64 handle, u64 flags);
int user_copy_task_str(char *to, u32 size, u64 handle, void *object, u64 owner);
/* Row @owner of abi.owners: what the helpers are passed; NULL: there is none. */
void *space_owner_at(const struct pintle_host *host, u32 owner);
u64 space_handle(const struct slot_ctx *slot, u64 pointer);
void spaces_free(struct pintle_host *host);

/* --- refs.c --- */
int stamps_init(struct pintle_host *host); /* host->stamps: plain memory, freed by free() */
void stamp_field(struct stamps *stamps, const void *slot, const void *obj);

/* --- helpers.c --- */
/* The implementation of helper @id for programs of @type, or NULL. */
bool helper_is_own(struct pintle_host *host, const struct abi_prog_type *type, u32 id);
void *helper_find(struct pintle_host *host, const struct abi_prog_type *type, u32 id);

/* --- words.c --- */
/* Words of a failure on @host; returns @err. */
int host_fail(struct pintle_host *host, int err, const char *fmt, ...) FORMAT(3, 4);
int host_oom(struct pintle_host *host);
/* The words of this thread's last failure on @host, or "". */
const char *words_get(const struct pintle_host *host);
void words_free(struct pintle_host *host);
void host_log(struct pintle_host *host, enum pintle_log_level level, const char *line);
/* Copies an options struct of the caller's age into ours. */
void opts_copy(void *to, size_t size, const void *from, size_t from_size);
/* Adds a copy of @name to the host's arena; NULL: no memory. */
char *host_strdup(struct pintle_host *host, const char *name);

/* --- fork.c --- */
/* -ECHILD with words in a child of fork() that got the host in the middle of something. */
int torn_fail(struct pintle_host *host);
static inline int host_check(struct pintle_host *host)
{
	return unlikely(host->torn) ? torn_fail(host) : 0;
}
/* Around what changes a host's lists: a fork waits for it, and the thread is not cancelled
 * meanwhile. *@state is for the second. */
void config_begin(struct pintle_host *host, int *state);
void config_end(struct pintle_host *host, int state);

/* --- host.c --- */
/* Calls @op, lock_take or lock_drop, for the host's locks that nothing is called under:
 * around a fork. */
void host_leaf_locks(struct pintle_host *host, void (*op)(u32 *lock));
/* Finds a FUNC of the host's BTF. */
bool host_find_func(struct pintle_host *host, const char *name, const struct btf **btf,
		    u32 *func);

/* --- export.c --- */
/* Queues the destructor: of one reference (field.c). */
void storable_destroy(struct pintle_host *host, struct storable *storable, void *obj);
/* CODE_KEEP: another reference of @object, whose destructor is queued (field.c). */
void storable_keep(void *slot, const void *storable, u64 object);
struct storable *storable_find(struct pintle_host *host, const struct btf *btf, u32 type);
/* The function behind @kfunc, or NULL. */
void *export_find(struct pintle_host *host, const struct abi_kfunc *kfunc);
/* The address of @var. */
void *export_var(struct pintle_host *host, const struct abi_var *var);
/* -EINVAL and words unless every parameter and the result is an integer or pointer and
 * there are at most five; @what names it. */
int proto_check(struct pintle_host *host, const char *what, const struct btf *btf, u32 proto);

/* --- progtype.c --- */
/* The index of the program type, or -1. */
int prog_type_find(const struct pintle_host *host, const char *name);
/* Nothing has that type any more: its place is for the next. */
void prog_type_gone(struct pintle_host *host, struct abi_prog_type *type);
bool prog_type_is_gone(const struct abi_prog_type *type);
/* What its programs return when they have used up their budget. -EINVAL and words. */
int prog_type_cut_result(struct pintle_host *host, struct abi_prog_type *type, s64 result);
/* Adds a row whose strings and fields are the host's already. */
int prog_type_push(struct pintle_host *host, const struct abi_prog_type *type);

/* --- prog.c --- */
int prog_init(struct pintle_prog *prog);
/* After its code is made. */
void prog_ready(struct pintle_prog *prog);
/* Whether it may be run the short way, again: statistics were switched. */
void prog_quicken(struct pintle_prog *prog);
void prog_free(struct pintle_prog *prog);
/* Those on @slot are its program's. */
void prog_count_faults(struct slot_ctx *slot);
/* A run, or several in a row, of programs on this thread's slot. */
struct run_scope {
	struct slot_ctx *slot, *before;
	bool sleepable;
	bool in_signal;
	struct slot_kept { /* in_signal: what the run that was interrupted goes on with */
		const struct pintle_prog *prog;
		struct meter *meter;
		u64 thrown, faults, turns;
		u32 goto_budget, tail_calls, ending;
		bool cut, was_cut;
	} kept;
};
bool run_begin(struct run_scope *scope, struct pintle_host *host, bool sleepable);
/* The same inside a signal handler, wherever the thread is; false: the thread has no slot.
 * run_end() then makes no deferred calls, nor hands any on. */
bool run_begin_in_signal(struct run_scope *scope, struct pintle_host *host);
void run_end(const struct run_scope *scope);
/* slot->was_cut says afterwards whether it used up its budget. */
u64 run_prog(const struct run_scope *scope, const struct pintle_prog *prog, const void *ctx);

/* A run of @prog that is one of its callbacks. */
void run_callback(const struct run_scope *scope, const struct pintle_prog *prog,
		  const struct code_func *callback, u64 a, u64 b, u64 c);

/* --- hook.c --- */
void hooks_free(struct pintle_host *host); /* no object is open */
/* Takes the hook of program type @name ("hook/...") off the host, if it is one's: no program
 * is attached. */
void hook_forget(struct pintle_host *host, const char *name);

/* --- object.c --- */
void object_pin(struct pintle_object *object);
/* The last one frees the object, after a grace period. */
void object_unpin(struct pintle_object *object);

/* --- ops.c --- */
/* Takes back the operations of structs of @btf, or all (NULL): no object has any. */
void ops_forget(struct pintle_host *host, const struct btf *btf);

/* --- link.c --- */
int prog_link(struct pintle_prog *prog); /* -ENOENT: its section names no hook */
/* Ends all attachments of it; never fails. */
void prog_unlink(struct pintle_prog *prog);

/* --- stats.c --- */
/* Whether the time of this run is to be taken, on a slot that made @runs of them. */
static inline bool stats_due(u32 mode, u64 runs)
{
	return mode == PINTLE_STATS_FULL || (mode && !(runs % 64));
}
u64 stats_now(void); /* ns */

/* --- load.c --- */
/* An object in whose place another is loaded. */
struct load_from {
	struct pintle_object *old;
	bool keep_data; /* global data too, where its variables are the same */
};
/* @from: or NULL. */
int object_load(struct pintle_object *object, const struct pintle_load_opts *opts,
		const struct load_from *from);
/* What loading made: code and maps. */
void object_unload(struct pintle_object *object);

#endif
