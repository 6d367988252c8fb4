/* SPDX-License-Identifier: MIT
 *
 * run.h: the runtime's own vocabulary: host, object, program, slot. Files:
 *
 *	host.c    the registry: BTF, exports, storables, program types -> struct abi
 *	object.c  open, load, attach, close: drives load -> verify -> lower
 *	hook.c    hooks and their lists of programs
 *	prog.c    one run of one program; statistics
 *	slot.c    execution slots: which thread owns which
 *	rcu.c     read sections, deferred calls, the queue of destructors
 *	interp.c  the interpreter
 *	fault.c   fault-safe loads
 *	field.c   life of special fields: copy around, destroy, exchange
 *	helpers.c, helper_*.c   implementations of helpers, one table
 *	map.c, map/<kind>.c     maps
 */
#ifndef PINTLE_RUN_H
#define PINTLE_RUN_H

#include "base/arena.h"
#include "base/log.h"
#include "lower/code.h"
#include "pintle/pintle.h"

#include <pthread.h>
#include <stdatomic.h>

struct map;

/* One registered type that may live in referenced fields. */
struct storable {
	const struct btf *btf;
	u32 type;
	char *name;
	void (*dtor)(void *obj);
	enum rcu_class rcu;
	_Atomic u64 stored, destructed;
};

struct export {
	char *name;
	void (*fn)(void);
	u32 flags;
};

struct host_helper { /* a helper given by the host for one program type */
	char *prog_type;
	u32 id;
	void *fn;
};

/*
 * An execution slot: what "a CPU" is to a program. Owned by one thread at a time, so its
 * fields need no atomics but where another thread reads them (statistics).
 */
struct slot_ctx {
	u32 index;
	struct pintle_host *host;
	u32 depth;		 /* nested runs */
	u64 random;		 /* state of bpf_get_prandom_u32 */
	const struct pintle_prog *prog; /* running now, innermost */
	u64 faults;
	char *stack;		 /* program stacks; grows by run */
	u32 stack_used, stack_size;
};

struct pintle_host {
	struct arena *arena;
	struct log log;			 /* words of failures */
	struct pintle_host_opts opts;
	struct abi abi;
	VEC(struct btf *) btfs;		 /* owned */
	VEC(struct storable *) storables;
	VEC(struct export) exports;	 /* parallel to abi.kfuncs */
	VEC(struct host_helper) helpers;
	VEC(struct pintle_hook *) hooks;
	struct pintle_object *objects;	 /* all that are open */
	struct slot_table *slots;
	struct defer_queue *defer;
	pthread_mutex_t lock;		 /* configuration: the lists above */
	u64 hash_seed;
};

struct pintle_prog {
	struct pintle_object *object;
	const struct image_prog *image;
	struct code *code;
	struct pintle_hook *hook;	 /* attached to, or NULL */
	struct verify_stats stats;
	_Atomic u64 runs, faults;
	u32 ninsns, ninsns_run;
};

struct pintle_object {
	struct pintle_host *host;
	struct pintle_object *next, **pprev;
	struct image *image;
	struct log log;
	struct pintle_prog *progs;	 /* by index in image */
	struct pintle_map *maps;	 /* by index in image */
	bool loaded;
};

struct pintle_map { /* a user handle on a map */
	struct pintle_object *object;
	const struct image_map *image;
	struct map *map; /* NULL until loaded */
};

/* --- slot.c --- */
int slots_init(struct pintle_host *host);
void slots_free(struct pintle_host *host);
/* This thread's slot, taken now if it has none; NULL when all are taken or no memory. */
struct slot_ctx *slot_get(struct pintle_host *host);
/* The slot the caller is running a program on; NULL outside of runs. Helpers use it. */
struct slot_ctx *slot_current(void);
u32 slot_count(const struct pintle_host *host);

/* --- rcu.c --- */
int defer_init(struct pintle_host *host);
void defer_free(struct pintle_host *host); /* drains */
void run_read_lock(struct pintle_host *host);
void run_read_unlock(struct pintle_host *host);
/* Calls fn(obj) after a grace period. Callable inside runs and read sections; never
 * fails: it keeps a reserve, and past its limit asks for help at the next safe point. */
void defer_call(struct pintle_host *host, void (*fn)(void *), void *obj);
/* A safe point: no lock held, outside any run; runs what is ripe (J22, J23). */
void defer_safe_point(struct pintle_host *host);
void defer_drain(struct pintle_host *host);

/* --- interp.c --- */
u64 interp_run(const struct code *code, u32 entry, u64 r1, u64 r2, struct slot_ctx *slot);
/* Calls a callback subprogram (code instruction @entry) with up to 5 arguments, from a
 * helper that runs on behalf of the current program. */
u64 interp_callback(const void *fn, u64 a, u64 b, u64 c, u64 d, u64 e);

/* --- fault.c --- */
int fault_init(struct pintle_host *host); /* installs handlers once, chaining */
void fault_free(struct pintle_host *host);
/* *ok = false and 0 when the load faulted; @size 1, 2, 4, 8, zero-extended. */
u64 fault_load(const void *addr, u32 size, bool *ok);
/* Copies or stops at the first fault: bytes copied. */
size_t fault_copy(void *to, const void *from, size_t size);

/* --- helpers.c --- */
/* The implementation of helper @id for programs of @type, or NULL. */
void *helper_find(struct pintle_host *host, const struct abi_prog_type *type, u32 id);

/* --- host.c --- */
struct storable *storable_find(struct pintle_host *host, const struct btf *btf, u32 type);
/* Words of a failure on @host; returns @err. */
int host_fail(struct pintle_host *host, int err, const char *fmt, ...) FORMAT(3, 4);
void host_log(struct pintle_host *host, enum pintle_log_level level, const char *line);

#endif
