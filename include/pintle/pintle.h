/* SPDX-License-Identifier: MIT
 *
 * pintle.h: run verified eBPF programs inside this process, with maps that hold typed,
 * counted pointers to this process's own objects.
 *
 * General rules, valid unless a function says otherwise:
 *  - functions that return int give 0 or a negative errno; functions that return a pointer
 *    give NULL on failure. The words are in pintle_host_error().
 *  - a host and the objects opened on it are configured by one thread at a time; running
 *    programs, map operations and pintle_defer() may happen on any thread at any time.
 *  - options structs may be NULL; a caller fills .size by PINTLE_OPTS() so that a newer
 *    library knows which members an older caller had.
 *  - strings and tables passed in are copied; BTF data passed as memory is borrowed until
 *    the host is freed.
 *  - in a child of fork(), all goes on; but when another thread was inside of the library at
 *    the time, or the fork came from inside a run or read section, calls there fail with
 *    -ECHILD or do nothing (docs/host-authors.md).
 *  - the library prints nothing, never exits, starts no thread of its own accord (one
 *    reclaim thread is liburcu's, on first use), and interposes no libc symbol.
 */
#ifndef PINTLE_H
#define PINTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && !defined(PINTLE_API)
#define PINTLE_API __attribute__((visibility("default")))
#endif

#define PINTLE_VERSION_MAJOR 0
#define PINTLE_VERSION_MINOR 1
#define PINTLE_VERSION_PATCH 0

struct pintle_host;
struct pintle_object;
struct pintle_prog;
struct pintle_map;
struct pintle_link;

/* Compound literal of an options struct with .size filled:
 * pintle_open(host, path, PINTLE_OPTS(pintle_open_opts, .lenient_decl = true)) */
#define PINTLE_OPTS(type, ...) (&(const struct type){.size = sizeof(struct type), __VA_ARGS__})

/*
 * What the registering macros below leave in the binary: a line of text in the section
 * .pintle, from which `pintle verify --host BINARY` learns what the host would export
 * without running it. (Registrations made through the functions instead are known only to
 * the live host; pintle_host_describe() prints those.)
 */
#define PINTLE_NOTE(text)                                                                \
	static const char pintle_note_[] __attribute__((section(".pintle"), used)) = text

/* "0.1.0"; of the library, not of this header. */
PINTLE_API const char *pintle_version(void);

/* ------------------------------------------------------------------ the host */

enum pintle_log_level { PINTLE_LOG_ERROR, PINTLE_LOG_NOTE, PINTLE_LOG_PROGRAM };

/* Native code. Where a system denies executable memory, or a program uses what has no native
 * form, programs are interpreted: slower, and otherwise the same. */
enum pintle_jit {
	PINTLE_JIT_AUTO,    /* where it can be had */
	PINTLE_JIT_OFF,	    /* interpret */
	PINTLE_JIT_REQUIRE, /* loading fails without it */
};

struct pintle_host_opts {
	size_t size;
	/* Lines as they arise: errors, notes, and what programs print. Any thread; must not
	 * call back into the library. */
	void (*log)(void *data, enum pintle_log_level level, const char *line);
	void *data;
	uint32_t max_slots; /* threads that run programs at one time; 0: 128 */
	bool no_fault_handler; /* do not take SIGSEGV/SIGBUS: fault-safe loads then go
				  through a slower checked copy */
	uint64_t max_object_bytes; /* memory of all objects that programs allocate, those
				      that wait for a grace period included; 0: 256 MiB */
	uint64_t ref_stamps; /* remembers since when a field holds what it holds, for about
				as many fields (16 bytes each); 0: does not */
	/* Who makes deferred calls and destructors: see pintle_defer(). */
	bool reclaim_thread;   /* a thread that the library starts for it */
	uint32_t max_deferred; /* with more calls waiting, a thread that comes to a safe
				  point waits for the grace period; 0: 65536 */
	uint64_t max_deferred_bytes; /* the same with calls that will free more than this, as
					far as known: see .bytes of pintle_storable_opts
					and pintle_defer_sized(); 0: 256 MiB */
	uint32_t stall_ms;     /* a grace period that lasts longer is logged; 0: 10000 */
	bool probe_region;     /* pointers that may dangle are followed inside pools only
				  (pintle_pool_add()), for every type */
	bool wait_for_slot;    /* a run waits for an execution slot, rather than fail; not
				  inside a run or read section */
	enum pintle_jit jit;
	/* Who makes the calls that programs' timers and work queues ask for: see
	 * pintle_timers_run(). */
	bool timer_thread; /* a thread that the library starts for timers */
	bool work_thread;  /* one for work queues, whose callbacks may sleep */
	/* What time it is, in nanoseconds of clock @id (CLOCK_MONOTONIC, CLOCK_REALTIME,
	 * CLOCK_BOOTTIME, CLOCK_TAI), for timers and for programs that ask; NULL: the
	 * system's. @data is that above. Any thread; not with timer_thread. */
	uint64_t (*clock)(void *data, int id);
	bool perf_map;	/* names native code for perf(1) in /tmp/perf-PID.map */
	bool perf_dump; /* code and source lines in /tmp/jit-PID.dump, for perf inject --jit */
	bool blind_constants; /* native code holds no number of more than a byte that a
				 program's author chose: slower and longer, for hosts that
				 take programs from strangers */
	bool gdb;	/* shows it to debuggers: names, source lines, callers */
};

PINTLE_API struct pintle_host *pintle_host_new(const struct pintle_host_opts *opts);

/* Closes what is still open on it, waits for grace periods and destructors. NULL is fine.
 * No program may be running and no thread may be inside a pintle call. */
PINTLE_API void pintle_host_free(struct pintle_host *host);

/* The words for the last failure on this host: what, where, why, how to mend. Valid until
 * the next call on the host by this thread. Never NULL; "" when nothing failed. With a
 * NULL host: the failure of the last pintle_host_new() of this thread. */
PINTLE_API const char *pintle_host_error(const struct pintle_host *host);

/* ------------------------------------------------------------------ types (BTF) */

/* This program's own types: the .BTF section that `pahole -J` wrote into the running
 * executable. -ENOENT with the pahole command in words when there is none. */
PINTLE_API int pintle_host_add_self(struct pintle_host *host);

/* Types from a file (ELF with .BTF, or raw BTF) or memory. The first is the base; later
 * ones may be split BTF on top of it or stand alone (plugins). */
PINTLE_API int pintle_host_add_btf_file(struct pintle_host *host, const char *path);
PINTLE_API int pintle_host_add_btf(struct pintle_host *host, const char *name,
				   const void *data, size_t size);

/*
 * Takes back the types added under @name (a file's path, or the name given) and everything
 * registered with them, before a plugin's dlclose(): once it returns 0, none of its
 * functions, destructors, variables and hooks will be used. Waits for destructors. Object
 * files that do not use it stay open. -EBUSY, with who pins it in words, while an open one
 * calls its functions, reads its variables, has programs of its hooks or program types, or
 * a field for its objects; while such a map, or such objects of programs, live on; while
 * other BTF is split on its BTF; and inside a run, read section or destructor. Handles of dead
 * links (pintle_link_attach()) on its hooks are freed: they must not be used any more.
 */
PINTLE_API int pintle_host_remove_btf(struct pintle_host *host, const char *name);

/* ------------------------------------------------------------------ exports */

enum pintle_func_flags {
	PINTLE_ACQUIRE = 1 << 0,   /* returns a counted reference the program must give back */
	PINTLE_RELEASE = 1 << 1,   /* consumes the reference of its one referenced argument */
	PINTLE_RET_NULL = 1 << 2,  /* may return NULL */
	PINTLE_TRUSTED = 1 << 3,   /* pointer arguments trusted: the default, see .untrusted */
	PINTLE_RCU = 1 << 4,	   /* also takes pointers protected by a read section */
	PINTLE_SLEEPABLE = 1 << 5, /* may block: sleepable programs only */
	PINTLE_KPTR_GET = 1 << 6,  /* T *f(T **slot, ...): raises a reference from a field */
	PINTLE_CONSUME = 1 << 7,   /* a release that hands the reference to host code; the host
				      must then drop it by pintle_defer() where the type is
				      PINTLE_DEFERRED_PUT and has no .get */
	PINTLE_ANY_ARGS = 1 << 8,  /* opt out of trusted-by-default (kernel's old rule) */
	PINTLE_DESTRUCTIVE = 1 << 9,
	/*
	 * The three functions of an open-coded iterator over the host's own: programs keep a
	 * struct bpf_iter_K of the host's BTF, whole words, on their stack, and go
	 *	int bpf_iter_K_new(struct bpf_iter_K *it, ...);
	 *	T *bpf_iter_K_next(struct bpf_iter_K *it);	PINTLE_RET_NULL: at its end
	 *	void bpf_iter_K_destroy(struct bpf_iter_K *it);
	 * _destroy() follows on every path, also when _new() failed, which must leave an
	 * iterator that gives nothing. What _next() gives (a struct of the host, or a number
	 * to be read) is trusted until it is called again.
	 */
	PINTLE_ITER_NEW = 1 << 10,
	PINTLE_ITER_NEXT = 1 << 11,
	PINTLE_ITER_DESTROY = 1 << 12,
	/* Callable inside a read section only, and what it gives lasts no longer. Of an
	 * iterator: given with PINTLE_ITER_NEW. */
	PINTLE_RCU_PROTECTED = 1 << 13,
	PINTLE_SIGNAL_SAFE = 1 << 14, /* async-signal-safe: hooks .in_signals may call it */
};

struct pintle_func_opts {
	size_t size;
	uint32_t flags;		       /* enum pintle_func_flags */
	const char *const *prog_types; /* NULL-terminated names; NULL: all */
};

/* Exports @fn under @name: its prototype is read from the host's BTF. Refused, with
 * words, when the name is not in BTF, has more than 5 arguments, passes structs or floats
 * by value, or when flags and prototype do not fit each other. */
PINTLE_API int pintle_export_func(struct pintle_host *host, const char *name,
				  void (*fn)(void), const struct pintle_func_opts *opts);

#define pintle_export(host, fn, flags_)                                                  \
	__extension__({                                                                  \
		PINTLE_NOTE("export " #fn " " #flags_);                                  \
		pintle_export_func(host, #fn, (void (*)(void))(fn),                      \
				   PINTLE_OPTS(pintle_func_opts, .flags = (flags_)));    \
	})

/*
 * Objects of the host whose bytes programs read as a dynptr, wherever they lie: what
 * bpf_dynptr_from_xdp() is to a kernel's packets. Callbacks run on the thread that runs the
 * program, inside its run; offsets and lengths lie within what length() said when the
 * dynptr was made (the host's own changes since are theirs to notice: -errno then).
 */
struct pintle_dynptr_source {
	size_t size;
	uint32_t (*length)(const void *object);	/* bytes there are; at most 16 MiB - 1 */
	/* Copy @len bytes at @off, @len > 0: 0 or a negative errno, which the program sees. */
	int (*read)(const void *object, uint32_t off, void *to, uint32_t len);
	/* NULL: programs only read. May move bytes: programs then ask for slices anew. */
	int (*write)(void *object, uint32_t off, const void *from, uint32_t len);
	/* The address of the bytes when they lie in a row, valid until the object is written
	 * or the run ends; NULL: they do not. May be NULL. With write(), programs may write
	 * through it. */
	void *(*slice)(void *object, uint32_t off, uint32_t len);
};

/*
 * Exports @name for programs as int name(T *object, uint64_t flags, struct bpf_dynptr *d),
 * flags 0. @object: the name of a struct T of the host's BTF, of which programs pass a
 * trusted or owned pointer, and the dynptr ends with its reference; or of a program type
 * with a context, which they pass. -EBUSY while objects are open, -EEXIST, -ENOENT.
 * bpf_dynptr_slice() copies into the program's buffer, a map's value, what slice() does not
 * find in a row.
 */
PINTLE_API int pintle_dynptr_source_add(struct pintle_host *host, const char *name,
					const char *object,
					const struct pintle_dynptr_source *source);

/*
 * For functions of the host that take a `const struct bpf_dynptr *` from programs, inside
 * the call: its bytes, or -EINVAL of none. 0, -E2BIG out of bounds, -EINVAL where it only
 * can be read or is of nothing. pintle_dynptr_data(): the address of @len bytes in a row,
 * to be written with @write, or NULL; good until the call returns.
 */
struct bpf_dynptr;
PINTLE_API int64_t pintle_dynptr_size(const struct bpf_dynptr *d);
PINTLE_API int pintle_dynptr_read(const struct bpf_dynptr *d, uint32_t off, void *to,
				  uint32_t len);
PINTLE_API int pintle_dynptr_write(const struct bpf_dynptr *d, uint32_t off,
				   const void *from, uint32_t len);
PINTLE_API void *pintle_dynptr_data(const struct bpf_dynptr *d, uint32_t off, uint32_t len,
				    bool write);

/*
 * Exports variable @var under @name, for programs that say `extern const T name __ksym`:
 * they may read it, and pass a struct's address to functions. @type is the name of a struct
 * ("limits"), a typedef ("uint64_t"), or an integer type as the compiler spells it in BTF
 * ("int"; "long unsigned int" by gcc is "unsigned long" by clang). The variable must live
 * as long as the host. -EBUSY while objects are open.
 */
PINTLE_API int pintle_export_var(struct pintle_host *host, const char *name,
				 const char *type, const void *var);

/* pintle_var(host, limits, "limits"): the same, with a note for `pintle verify`. */
#define pintle_var(host, var, type)                                                      \
	__extension__({                                                                  \
		PINTLE_NOTE("var " #var " " type);                                       \
		pintle_export_var(host, #var, type, &(var));                             \
	})

/*
 * Memory that there is once for every execution slot: what a program's per-CPU pointer
 * means. bpf_this_cpu_ptr() gives the copy of the slot that runs, bpf_per_cpu_ptr() that of
 * any, or NULL from @count on. A member of class PINTLE_MEMBER_PERCPU holds NULL or the
 * address of one of these.
 */
struct pintle_percpu {
	void *base;	 /* of slot 0; NULL: ask @at */
	uint64_t stride; /* bytes from one slot's copy to the next one's */
	uint64_t count;	 /* at least the host's number of slots */
	void *(*at)(void *data, uint32_t slot); /* the copy of a slot below @count; not NULL */
	void *data;
};

/* Exports a variable that there is once for every slot, for programs that say `extern const
 * T name __ksym`; @type as for pintle_export_var(). @var, and the copies, must live as long
 * as the host. -EINVAL when there are fewer copies than slots. */
PINTLE_API int pintle_export_percpu(struct pintle_host *host, const char *name,
				    const char *type, const struct pintle_percpu *var);

/* pintle_percpu_var(host, stats, "stats"): of a struct pintle_percpu named stats. */
#define pintle_percpu_var(host, var, type)                                               \
	__extension__({                                                                  \
		PINTLE_NOTE("percpu " #var " " type);                                    \
		pintle_export_percpu(host, #var, type, &(var));                          \
	})

/* How a type's memory outlives its last reference (rule book J9). */
enum pintle_rcu_class {
	PINTLE_DEFERRED_PUT, /* the engine postpones its own puts past a grace period */
	PINTLE_RCU_NATIVE,   /* the host frees through pintle_defer() or the same liburcu */
	PINTLE_RCU_NONE,     /* no promise: loads from fields are untrusted. Destructors wait for
				a grace period all the same, so that PINTLE_KPTR_GET functions
				do not find what a field held freed (rule book C9, J22) */
};

struct pintle_call;

/* Objects that only certain threads may put (an event loop's): their destructors, and their
 * release functions that programs call where the engine postpones those, are handed over
 * instead of called. */
struct pintle_executor {
	size_t size;
	/* Takes @call, to give it to pintle_call_run() on the right thread, once. Called at
	 * safe points, on any thread. */
	void (*submit)(void *data, struct pintle_call *call);
	/* Called by pintle_drain() and pintle_host_free() while calls are out: runs some if
	 * this is the right thread. NULL: another thread is sure to run them. */
	void (*pump)(void *data);
	void *data;
};

/* Makes the call. Not inside a run or read section. */
PINTLE_API void pintle_call_run(struct pintle_call *call);

struct pintle_storable_opts {
	size_t size;
	void (*dtor)(void *obj); /* drops one reference; required for `kptr` fields */
	enum pintle_rcu_class rcu;
	const struct pintle_executor *executor; /* copied; NULL: any thread may put it */
	uint64_t bytes; /* memory that the end of one object frees; 0: the struct's size */
	/* Raises the count of an object that is held, by one; may be NULL. With it the engine
	 * keeps objects that programs hand to PINTLE_CONSUME functions for a grace period more,
	 * by a reference of its own that @dtor gives back: such functions may put them at once.
	 * Called on programs' threads, inside runs. PINTLE_DEFERRED_PUT only. */
	void (*get)(void *obj);
};

/* Lets struct @type live in referenced fields (`kptr`) of maps. */
PINTLE_API int pintle_storable_add(struct pintle_host *host, const char *type,
				   const struct pintle_storable_opts *opts);

/* @type is a string literal: pintle_storable(host, "conn", .dtor = conn_put) */
#define pintle_storable(host, type, ...)                                                 \
	__extension__({                                                                  \
		PINTLE_NOTE("storable " type " " #__VA_ARGS__);                          \
		pintle_storable_add(host, type,                                          \
				    PINTLE_OPTS(pintle_storable_opts, __VA_ARGS__));     \
	})

/*
 * Says that objects of struct @type are in these @size bytes, or in those of other calls,
 * and nowhere else. Loads through pointers that may dangle (untrusted ones) then give 0
 * outside of them, without a signal, so that a stale pointer shows nothing else of this
 * process. The first call for a type comes before objects are opened; later ones may come
 * at any time by one thread at a time. The memory stays mapped as long as the host lives.
 */
PINTLE_API int pintle_pool_add(struct pintle_host *host, const char *type, const void *start,
			       size_t size);

/* What a compiler without type tags (gcc) cannot say about a member (rule book J4). */
enum pintle_member_class {
	PINTLE_MEMBER_TRUSTED = 1, /* as valid as its parent, never NULL */
	PINTLE_MEMBER_TRUSTED_OR_NULL,
	PINTLE_MEMBER_RCU, /* valid inside a read section, never NULL */
	PINTLE_MEMBER_RCU_OR_NULL,
	PINTLE_MEMBER_USER,
	PINTLE_MEMBER_PERCPU,
};
PINTLE_API int pintle_member_add(struct pintle_host *host, const char *type,
				 const char *member, enum pintle_member_class class_);

/* @type and @member are string literals. */
#define pintle_member(host, type, member, class_)                                        \
	__extension__({                                                                  \
		PINTLE_NOTE("member " type " " member " " #class_);                      \
		pintle_member_add(host, type, member, class_);                           \
	})

/* ------------------------------------------------------------------ program types */

enum pintle_ctx_kind {
	PINTLE_CTX_SCALAR,
	PINTLE_CTX_PACKET,	/* start of packet data */
	PINTLE_CTX_PACKET_META, /* start of the metadata before it */
	PINTLE_CTX_PACKET_END,	/* one past the packet's last byte */
	PINTLE_CTX_POINTER,	/* trusted pointer to a host struct, type from BTF */
	PINTLE_CTX_POINTER_OR_NULL,
};

/* One member of the context as programs see it. Members without a row cannot be read. */
struct pintle_ctx_field {
	const char *name; /* of a member of the ctx struct */
	enum pintle_ctx_kind kind;
	bool writable;
	/* Where the value is in the struct the host passes to pintle_prog_run(), when that
	 * is not the ctx struct itself; real_size 0: same place, same size. A packet
	 * pointer always has real_size 8. */
	uint16_t real_off, real_size;
};

struct pintle_prog_type {
	size_t size;
	const char *name;     /* "xdp" */
	const char *section;  /* section names it claims: "xdp", and "xdp/..." too */
	const char *ctx;      /* struct of the context, in host BTF or, failing that, the
				 program's own */
	uint32_t ctx_size;    /* used when ctx is found nowhere; else 0 */
	const struct pintle_ctx_field *fields;
	uint32_t nfields;
	bool packet_writable; /* direct stores through packet pointers */
	bool sleepable;	      /* programs of this type may sleep */
	bool has_ret_range;
	int64_t ret_min, ret_max;
	int64_t cut_result;   /* of runs that used up their budget; 0 outside of the range
				 means ret_min */
};

PINTLE_API int pintle_prog_type_add(struct pintle_host *host,
				    const struct pintle_prog_type *type);

/* A helper of the host's own, or its version of a standard one (adjust_head and such),
 * for programs of one type. Prototype as in the kernel's helper of that number. */
PINTLE_API int pintle_helper_add(struct pintle_host *host, const char *prog_type,
				 const char *helper, void (*fn)(void));

/* ------------------------------------------------------------------ hooks */

/*
 * A hook is a place in the host where programs may run. PINTLE_HOOK at file scope defines
 * it; calling NAME(...) runs what is attached, by rising priority, and returns what the
 * hook makes of the results (enum pintle_results), or 0 when nothing is attached (one load
 * and a branch) or the thread got no execution slot.
 * Programs see it as SEC("hook/NAME") with BPF_PROG() and typed trusted pointers, taken
 * from the BTF of this very declaration. At most 5 arguments of integer or pointer type.
 *
 *	PINTLE_HOOK(int, on_request, struct conn *, c, struct request *, r)
 */
struct pintle_hook {
	const char *name;
	void *active; /* struct hook_list, under RCU; NULL: nothing attached */
	struct pintle_host *host;
	uint64_t quick; /* the host's number; UINT64_MAX: calls go the long way */
	void *state;	/* struct hook, once registered */
};

PINTLE_API int64_t pintle_hook_run(struct pintle_hook *hook, const uint64_t *args,
				   unsigned int nargs);

#define PINTLE_NARG_(_1, t1, _2, t2, _3, t3, _4, t4, _5, t5, n, ...) n
#define PINTLE_NARG(...) PINTLE_NARG_(__VA_ARGS__, 5, x, 4, x, 3, x, 2, x, 1, x, 0)
#define PINTLE_CAT_(a, b) a##b
#define PINTLE_CAT(a, b) PINTLE_CAT_(a, b)
#define PINTLE_DECL1(t, a) t a
#define PINTLE_DECL2(t, a, ...) t a, PINTLE_DECL1(__VA_ARGS__)
#define PINTLE_DECL3(t, a, ...) t a, PINTLE_DECL2(__VA_ARGS__)
#define PINTLE_DECL4(t, a, ...) t a, PINTLE_DECL3(__VA_ARGS__)
#define PINTLE_DECL5(t, a, ...) t a, PINTLE_DECL4(__VA_ARGS__)
#define PINTLE_CAST1(t, a) (uint64_t)(a)
#define PINTLE_CAST2(t, a, ...) (uint64_t)(a), PINTLE_CAST1(__VA_ARGS__)
#define PINTLE_CAST3(t, a, ...) (uint64_t)(a), PINTLE_CAST2(__VA_ARGS__)
#define PINTLE_CAST4(t, a, ...) (uint64_t)(a), PINTLE_CAST3(__VA_ARGS__)
#define PINTLE_CAST5(t, a, ...) (uint64_t)(a), PINTLE_CAST4(__VA_ARGS__)
#define PINTLE_NAME1(t, a) a
#define PINTLE_NAME2(t, a, ...) a, PINTLE_NAME1(__VA_ARGS__)
#define PINTLE_NAME3(t, a, ...) a, PINTLE_NAME2(__VA_ARGS__)
#define PINTLE_NAME4(t, a, ...) a, PINTLE_NAME3(__VA_ARGS__)
#define PINTLE_NAME5(t, a, ...) a, PINTLE_NAME4(__VA_ARGS__)

#define PINTLE_HOOK(ret, hook, ...)                                                      \
	struct pintle_hook hook##_pintle_hook = {#hook, 0, 0, UINT64_MAX, 0};            \
	/* Out of line: its prototype in BTF is the hook's type. */                      \
	__attribute__((noinline, used)) ret pintle_hook__##hook(                         \
		PINTLE_CAT(PINTLE_DECL, PINTLE_NARG(__VA_ARGS__))(__VA_ARGS__));         \
	__attribute__((noinline, used)) ret pintle_hook__##hook(                         \
		PINTLE_CAT(PINTLE_DECL, PINTLE_NARG(__VA_ARGS__))(__VA_ARGS__))          \
	{                                                                                \
		const uint64_t args[] = {                                                \
			PINTLE_CAT(PINTLE_CAST, PINTLE_NARG(__VA_ARGS__))(__VA_ARGS__)}; \
		return (ret)pintle_hook_run(&hook##_pintle_hook, args,                   \
					    sizeof(args) / sizeof(args[0]));             \
	}                                                                                \
	__attribute__((unused)) static inline ret hook(                                  \
		PINTLE_CAT(PINTLE_DECL, PINTLE_NARG(__VA_ARGS__))(__VA_ARGS__))          \
	{                                                                                \
		if (__builtin_expect(!__atomic_load_n(&hook##_pintle_hook.active,        \
						      __ATOMIC_RELAXED), 1))             \
			return (ret)0;                                                   \
		return pintle_hook__##hook(                                              \
			PINTLE_CAT(PINTLE_NAME, PINTLE_NARG(__VA_ARGS__))(__VA_ARGS__)); \
	}

/* What a hook with several programs returns. Results are compared as what the hook's
 * prototype returns: as int, bool, ... */
enum pintle_results {
	PINTLE_RESULT_LAST,	    /* all run: the last one's */
	PINTLE_RESULT_UNTIL_NONZERO, /* the first that is not 0, and no program after it
					runs; else 0 */
	PINTLE_RESULT_FIRST_NONZERO, /* all run: the first that is not 0; else 0 */
	PINTLE_RESULT_MIN,	    /* all run: the smallest */
	PINTLE_RESULT_MAX,	    /* all run: the largest */
};

struct pintle_hook_opts {
	size_t size;
	bool sleepable; /* programs here may block (SEC("hook.s/NAME")) */
	bool has_ret_range;
	int64_t ret_min, ret_max;
	int64_t cut_result; /* as in struct pintle_prog_type */
	/*
	 * The hook may be called inside a signal handler, also of a thread that is in a run
	 * or anywhere else in this library. Its programs may read and write values of maps
	 * and read objects, but take no locks, insert and delete nothing, move no references
	 * and call only functions that are PINTLE_SIGNAL_SAFE. They run on threads that ran
	 * a program of the host before (pintle_thread_enter()); on others nothing runs and
	 * the call gives 0. SIGSEGV and SIGBUS must not be blocked.
	 */
	bool in_signals;
	enum pintle_results results;
};
PINTLE_API int pintle_hook_register(struct pintle_host *host, struct pintle_hook *hook,
				    const struct pintle_hook_opts *opts);
#define pintle_hook_add(host, hook, ...)                                                 \
	__extension__({                                                                  \
		PINTLE_NOTE("hook " #hook " " #__VA_ARGS__);                             \
		pintle_hook_register(host, &hook##_pintle_hook,                          \
				     PINTLE_OPTS(pintle_hook_opts, __VA_ARGS__));        \
	})

/* ------------------------------------------------------------------ operations tables */

/*
 * An operations struct is a C struct of the host's with pointers to functions and numbers:
 * what a congestion control, an allocator's policy, a scheduler is to the rest of a program.
 * Objects fill it in as a whole:
 *
 *	SEC("struct_ops/pick") int BPF_PROG(pick, struct pool *p) { ... }
 *	SEC(".struct_ops") struct pool_ops lru = {.pick = (void *)pick, .batch = 16};
 *
 * and the host gets a struct pool_ops whose functions it calls like any: each call is a run
 * of the program. PINTLE_OPS at file scope defines the place for tables of struct TYPE, and
 * TYPE_current() and TYPE_get():
 *
 *	PINTLE_OPS(pool_ops)
 *
 *	pintle_read_lock(host);
 *	if ((ops = pool_ops_current()))
 *		victim = ops->pick(pool);
 *	pintle_read_unlock(host);
 *
 * A table is replaced as a unit: who reads TYPE_current() once in a read section calls the
 * functions of one table. Who wants to keep one, or calls functions that may sleep, holds it
 * with TYPE_get() and pintle_ops_put().
 *
 * Arguments are at most 5 integers and pointers; pointers to structs are trusted. A function
 * of the host's named TYPE__MEMBER with the member's prototype, which need not do anything,
 * gives the parameters names: what ends in __nullable may be NULL; what ends in __ref gives
 * the program a reference, which it must give back or store, and which it cannot take along
 * into a tail call. Functions return an integer, nothing, or a pointer to a struct: then NULL
 * or a reference, which is the caller's. A call without an execution slot gives 0 and takes
 * nothing over: a reference is lost there. A process has room for 512 functions of loaded
 * tables.
 */
struct pintle_ops {
	const char *name;
	void *active; /* for TYPE_current() only, under RCU; NULL: none, or they are many */
	void *type;   /* once registered */
};

struct pintle_ops_opts {
	size_t size;
	const char *optional;  /* functions that may be left out: "drop|stats", or "*": all */
	const char *sleepable; /* functions whose programs may sleep: SEC("struct_ops.s/...") */
	const void *defaults;  /* a struct TYPE of the host's own functions, for those that are
				  left out; it stays */
	bool many;	       /* any number of tables may be attached: which is used, and where
				  they are, is the host's business (reg, unreg) */
	/* When an object is loaded. init_member() sees each member that is no function, and
	 * may set it in @table itself, or refuse the table: below 0. */
	int (*init_member)(void *data, void *table, const char *member, const void *value,
			   size_t size);
	int (*validate)(void *data, const void *table);
	/* When a table is attached, detached, or takes the place of another. After unreg(), or
	 * update() for the old one, it stays as long as read sections that are open now, and
	 * as those who hold it. */
	int (*reg)(void *data, const void *table);
	void (*unreg)(void *data, const void *table);
	int (*update)(void *data, const void *table, const void *old);
	void *data;
};

/* Before objects are opened. struct TYPE must be in the host's BTF. -EINVAL, -ENOENT,
 * -EEXIST, -EBUSY with words. */
PINTLE_API int pintle_ops_register(struct pintle_host *host, struct pintle_ops *ops,
				   const struct pintle_ops_opts *opts);
/* What TYPE_current() is: the table that is attached; NULL: none. In a read section or run. While
 * objects are replaced it is that of the side which the caller is on. */
PINTLE_API const void *pintle_ops_current(const struct pintle_ops *ops);
/* The table that is attached, held; NULL: none. Any thread. */
PINTLE_API const void *pintle_ops_get(struct pintle_ops *ops);
/* Holds a table that is attached or held, found in a read section; -ENOENT: it is neither. */
PINTLE_API int pintle_ops_hold(const void *table);
/* Lets go; NULL is fine. All of them before the host is freed. */
PINTLE_API void pintle_ops_put(const void *table);

#define PINTLE_OPS(type_)                                                                \
	struct pintle_ops type_##_pintle_ops = {#type_, 0, 0};                           \
	/* Out of line: its prototype keeps the struct in BTF. */                        \
	__attribute__((noinline, used)) const struct type_ *pintle_ops__##type_(void);   \
	__attribute__((noinline, used)) const struct type_ *pintle_ops__##type_(void)    \
	{                                                                                \
		return (const struct type_ *)pintle_ops_get(&type_##_pintle_ops);        \
	}                                                                                \
	__attribute__((unused)) static inline const struct type_ *type_##_get(void)      \
	{                                                                                \
		return pintle_ops__##type_();                                            \
	}                                                                                \
	__attribute__((unused)) static inline const struct type_ *type_##_current(void)  \
	{                                                                                \
		const void *at = __atomic_load_n(&type_##_pintle_ops.active,             \
						 __ATOMIC_ACQUIRE);                      \
		/* an odd one is a place of two sides (pintle_object_replace()) */       \
		return (const struct type_ *)((uintptr_t)at & 1                          \
						? pintle_ops_current(&type_##_pintle_ops) \
						: at);                                   \
	}
#define pintle_ops_add(host, type_, ...)                                                 \
	__extension__({                                                                  \
		PINTLE_NOTE("ops " #type_ " " #__VA_ARGS__);                             \
		pintle_ops_register(host, &type_##_pintle_ops,                           \
				    PINTLE_OPTS(pintle_ops_opts, __VA_ARGS__));          \
	})

/*
 * A table of an object is one of its maps, found by the variable's name. pintle_attach()
 * attaches all of an object's; closing it detaches them. Attaching is refused (-EBUSY) while
 * another table is attached, but for structs of which there may be many: pintle_ops_replace()
 * puts @map where @old is, at once. -EEXIST: it is attached. -EBUSY: it is held still.
 */
PINTLE_API int pintle_ops_attach(struct pintle_map *map);
PINTLE_API int pintle_ops_replace(struct pintle_map *old, struct pintle_map *map);
PINTLE_API void pintle_ops_detach(struct pintle_map *map); /* if it is attached */

/* ------------------------------------------------------------------ user memory */

/*
 * Address spaces: memory that a program may read only by bpf_probe_read_user() and its
 * like, which copy and never fault the host. A user pointer (a hook's argument or a member
 * tagged `user`, or of class PINTLE_MEMBER_USER) is an address in the space that is current
 * on the thread that runs the program; stored into a field (`kptr_user`) it keeps its
 * space. Addresses have at most 47 bits.
 *
 * A read gives all of the bytes asked for, or zeros and -EFAULT: when the memory is not
 * there, or the space was closed. Spaces that may block (other processes, callbacks that
 * say so) are read by sleepable programs only; others get zeros and -EPERM.
 */
struct pintle_space;

/* A tenant's memory in this process. It may be unmapped at any time. */
PINTLE_API struct pintle_space *pintle_space_range(struct pintle_host *host,
						   const void *start, size_t size);
/* Another process, by its pid now: once it has ended, reads fail. May block. */
PINTLE_API struct pintle_space *pintle_space_process(struct pintle_host *host, int pid);
/* The same by a descriptor of it (pidfd_open(2)), which stays the caller's. NULL and words:
 * it is none, or the process has ended or is in another namespace. */
PINTLE_API struct pintle_space *pintle_space_pidfd(struct pintle_host *host, int pidfd);

struct pintle_guest_region {
	uint64_t guest, size; /* guest-physical */
	const void *host;     /* where it is in this process */
};
/* A guest's physical memory; @regions is copied. */
PINTLE_API struct pintle_space *
pintle_space_guest(struct pintle_host *host, const struct pintle_guest_region *regions,
		   uint32_t n);

struct pintle_space_ops {
	size_t size;
	/* Copies @size bytes at @from of the space to @to: 0, or anything else on failure.
	 * Called by programs' threads, inside a run. */
	int (*read)(void *data, void *to, uint64_t from, size_t size);
	bool may_block;
};
PINTLE_API struct pintle_space *pintle_space_custom(struct pintle_host *host,
						    const struct pintle_space_ops *ops,
						    void *data);

/* Reads fail from now on, those through fields that remember the space too. When it returns
 * no run reads it any more (but when called inside a run or read section, where it cannot
 * wait). NULL is fine. */
PINTLE_API void pintle_space_close(struct pintle_space *space);

/* Makes @space the current one of this thread's runs (NULL: none) and returns the one
 * before. Takes an execution slot; NULL and words when all are taken. */
PINTLE_API struct pintle_space *pintle_space_enter(struct pintle_host *host,
						   struct pintle_space *space);

/*
 * Objects of struct @type have memory of their own, each in a space: @space(object) gives
 * it, or NULL, which reads as not there. Programs that may sleep read it by
 * bpf_copy_from_user_task(dst, size, address, object, 0) and bpf_copy_from_user_task_str(),
 * of objects they own or that are sure to exist. @space is called inside their runs, on any
 * thread; what it gives is used until the run ends. -ENOENT, -EEXIST, -ENOMEM.
 */
PINTLE_API int pintle_space_owner(struct pintle_host *host, const char *type,
				  struct pintle_space *(*space)(void *object));

/*
 * Pinned buffers: memory that a tenant shares with the host, which programs may read and
 * write in place through `uptr` fields of object storage. The host writes such a field by
 * pintle_map_update(): the value holds the address as the tenant names it, @user for the
 * buffer's first byte; it must be in a buffer with as many bytes as the field's struct, or
 * the update fails with -EFAULT. The field then keeps the buffer from being released.
 *
 * @released(@data) is called, as deferred calls are, when the buffer was closed and no field
 * or run uses it. @memory starts at a multiple of 8; buffers do not overlap.
 */
struct pintle_buffer;
PINTLE_API struct pintle_buffer *pintle_buffer_add(struct pintle_host *host, uint64_t user,
						   void *memory, size_t size,
						   void (*released)(void *data), void *data);
/* No field takes it any more. NULL is fine. */
PINTLE_API void pintle_buffer_close(struct pintle_buffer *buffer);

/* ------------------------------------------------------------------ the contract */

/*
 * Calls @line for each line of this host's contract: what is exported, storable, hooked,
 * and the program types. Written to a file below the two lines "pintle-host 1" and
 * "btf PATH" (the host's binary), it lets `pintle verify --host FILE` judge programs
 * without the host. -E2BIG when a line would be too long.
 */
PINTLE_API int pintle_host_describe(const struct pintle_host *host,
				    void (*line)(void *data, const char *text), void *data);

/* ------------------------------------------------------------------ objects */

enum pintle_tags { PINTLE_TAGS_MODERN, PINTLE_TAGS_519, PINTLE_TAGS_V1 };

struct pintle_open_opts {
	size_t size;
	const char *name;      /* for messages; default: the file's name */
	enum pintle_tags tags; /* which era's names of pointer tags (rule book A2) */
	bool lenient_decl;     /* kernels' silence about bad declarations */
	/* Names, "a|b": of the tables of operations in sections that begin with '?', those that
	 * are made, too, and their programs loaded; "*": all. NULL: none. A name of none of them
	 * is an error (-ENOENT). */
	const char *tables;
};

/* Reads and relocates an object built by `clang -target bpf -g`; nothing runs yet. */
PINTLE_API struct pintle_object *pintle_open(struct pintle_host *host, const char *path,
					     const struct pintle_open_opts *opts);
PINTLE_API struct pintle_object *pintle_open_mem(struct pintle_host *host,
						 const void *data, size_t size,
						 const struct pintle_open_opts *opts);

struct pintle_load_opts {
	size_t size;
	unsigned int log_level; /* 0 errors, 1 instructions, 2 states */
	const char *only;	/* one program's name; NULL: all */
	/* Of every run of a program that has no budget of its own; 0: no limit. See
	 * pintle_prog_set_budget(). */
	uint64_t budget_turns, budget_ns;
};

/* Verifies every program and creates the maps. All or nothing: on failure the object is as
 * pintle_open() left it, and pintle_object_log() has the whole story. */
PINTLE_API int pintle_load(struct pintle_object *object);
PINTLE_API int pintle_load_with(struct pintle_object *object,
				const struct pintle_load_opts *opts);

/* Attaches every program whose section names a hook of the host, and every table of
 * operations. All or nothing. */
PINTLE_API int pintle_attach(struct pintle_object *object);

/* Detaches; when it returns, runs in flight may still be finishing. */
PINTLE_API void pintle_detach(struct pintle_object *object);

/* Detaches, and frees programs and maps once no run can see them: it waits for every run that
 * is under way, on whatever thread. Inside of a run or read section, where waiting would
 * never end, it does not wait: what is to be freed then is freed some time after that run
 * has ended. The handle is dead when it returns, and no call that begins later runs its
 * programs. Not while another thread may still call pintle_prog_run() on them. NULL is
 * fine. */
PINTLE_API void pintle_close(struct pintle_object *object);

/* What became of a part of an object that was replaced. */
struct pintle_change {
	size_t size;
	const char *kind; /* "map", "program" */
	const char *name;
	const char *what; /* maps: "kept", "new", "fresh" (there before, begins anew), "gone";
			     programs: "attached", "replaced" (with its attachments), "gone",
			     "loaded" */
};

struct pintle_replace_opts {
	size_t size;
	unsigned int log_level; /* as in struct pintle_load_opts */
	bool keep_data;	/* .data and .bss are kept, if all variables in the section have the
			   place and type that they had; else they begin as in the file */
	bool leave_old;	/* @old stays open, attached nowhere; to be closed by the host */
	/* Told after the switch, for each map and program of both objects. Must not call the
	 * library. */
	void (*changed)(void *data, const struct pintle_change *change);
	void *data;
};

/*
 * @new, which is open and not loaded, takes the place of @old, which is loaded, while calls go
 * on. @new is loaded as @old was (pintle_load_with(): budgets, `only`; a program without a
 * budget of its own has that of the old one by the same name), but
 *
 *  - declared maps that @old has by the same name are kept, with all that is in them. They
 *    must be the same in type, attributes, flags, types of key and value, and special fields:
 *    else -EINVAL, with the map and what changed in words. Program arrays are made anew;
 *    what the host put there is carried over. .rodata is always the new one's.
 *  - programs take over, by name, the attachments of the old ones: hooks, priorities,
 *    cookies, links. A link whose program is not there any more is dead; one whose program
 *    does not fit its hook any more is -EINVAL. (Of pintle_attach() and pintle_prog_attach()
 *    it goes to the hook that the section names now.) Programs that @old did not have are
 *    attached as by pintle_attach(), if any of @old was attached.
 *  - tables of operations that are attached go over to the new one's by the same name, which
 *    must be of the same struct; those that have none are detached, and those that @old did
 *    not have are attached, as programs are.
 *
 * Then there is one switch. A call of a hook from outside of a run is on the side of all of
 * the old programs, or of all of the new, and everything that goes on inside of it is on the
 * same side: all programs of the hook, hooks that are called inside, TYPE_current(), tail calls,
 * also those that lead through other objects. A call of a table's function from outside is on
 * the side of that table. Who has seen the new side (also by another thread that told it)
 * makes no call from outside that is on the old one. What the host runs by pintle_prog_run()
 * is what it says, and hooks called inside of that are calls of their own: on the old side
 * until every run of before has ended. Who holds an old table (pintle_ops_get()) may go on
 * calling its programs; hooks inside of those are the new side's when this has returned.
 * pintle_ops_opts.update and .reg are called when a table goes over, before the switch, and
 * may refuse it; then the host is told of the tables before again, which it must take.
 *
 * It returns when every run of the old programs has ended. @old is then closed (but with
 * leave_old): its handles are dead; those of kept maps are to be found again in @new. Timers
 * and work that programs of @old started in kept maps are cancelled when it is closed.
 *
 * All or nothing: with an error, @old runs as before and @new is as pintle_open() left it.
 * -EBUSY: inside of a run or read section (it would wait for itself), or a new table's place
 * is taken. -EOPNOTSUPP: the host does not replace tables of that struct. Statistics of programs
 * begin anew.
 */
PINTLE_API int pintle_object_replace(struct pintle_object *old, struct pintle_object *new_,
				     const struct pintle_replace_opts *opts);

/* The verifier's log of the last load. Valid until the next load or close. */
PINTLE_API const char *pintle_object_log(const struct pintle_object *object);

/* ------------------------------------------------------------------ programs */

PINTLE_API struct pintle_prog *pintle_prog_find(const struct pintle_object *object,
						const char *name);
PINTLE_API struct pintle_prog *pintle_prog_next(const struct pintle_object *object,
						const struct pintle_prog *after);
PINTLE_API const char *pintle_prog_name(const struct pintle_prog *prog);
PINTLE_API const char *pintle_prog_section(const struct pintle_prog *prog);

/* Attaches one program to the hook its section names, with priority 0 and cookie 0, if that
 * was not done: -EEXIST. */
PINTLE_API int pintle_prog_attach(struct pintle_prog *prog);
/* Ends every attachment of it, those of links too. */
PINTLE_API void pintle_prog_detach(struct pintle_prog *prog);

/*
 * Limits every run of @prog, before its object is loaded (-EBUSY); 0: no limit.
 *
 * @turns: of loops. One is counted each time that the first instruction of a loop, or of a
 * function that is called back (bpf_loop() and its like, subprograms whose address is taken),
 * is reached: exact, and the same however the program runs. @ns: time on the monotonic clock,
 * looked at every 256 turns; helpers and functions of the host are not interrupted.
 *
 * When one is used up, the run ends at the next turn: what it holds is given back (host
 * objects by the destructor of their type, or a function exported to release them, after a
 * grace period; locks, read sections, iterators, objects of the program; ring buffer records
 * are discarded), and its result is the cut_result of its hook or program type. What it did
 * to maps and to the host stays. Callbacks and subprograms use the run's budget; so do
 * programs that tail calls lead to, which must have a budget, too: else the tail call fails.
 * (From a program without budget, a tail call into one with a budget gives it that.) Runs
 * inside the run have their own, as callbacks of timers and work queues do. A program for
 * which it is not known how something it may hold is given back is refused when it is loaded.
 * Programs without budget pay nothing.
 */
PINTLE_API int pintle_prog_set_budget(struct pintle_prog *prog, uint64_t turns, uint64_t ns);

/*
 * A link is one attachment of one program to one hook. A program may have several, to
 * one hook or to several. Calls that begin afterwards see what these functions did; those
 * under way see all of it or nothing.
 *
 * When the object of a link's program is closed the link is dead: nothing is attached any
 * more, and the handle waits for pintle_link_detach(). What is left of links goes with the
 * host. When the object is replaced (pintle_object_replace()) the link goes over to the new
 * program.
 */
struct pintle_link_opts {
	size_t size;
	int32_t priority; /* the lowest runs first; of equal ones that attached first */
	uint64_t cookie;  /* what bpf_get_attach_cookie() gives in its runs */
	/* NULL: the one that the program's section names. Another must have a prototype of
	 * the same types, take every result that the program may give, be open to the
	 * functions of the same program types, and not ask for more than that one: a hook
	 * .in_signals takes programs of such hooks only. */
	struct pintle_hook *hook;
};
/* NULL with words in pintle_host_error(). */
PINTLE_API struct pintle_link *pintle_link_attach(struct pintle_prog *prog,
						  const struct pintle_link_opts *opts);
/* Detaches and frees the handle; NULL is fine. Runs in flight may still be finishing. */
PINTLE_API void pintle_link_detach(struct pintle_link *link);
/* @prog takes the place of the link's program at once, with its priority and cookie. With
 * @expected only if that is the link's program: else -EPERM. -EINVAL when it does not fit
 * the hook, -ENOLINK when the link is dead. */
PINTLE_API int pintle_link_update(struct pintle_link *link, struct pintle_prog *prog,
				  const struct pintle_prog *expected);
PINTLE_API struct pintle_prog *pintle_link_prog(const struct pintle_link *link);
/* The next link on a hook by the order in which they run; NULL: the first. */
PINTLE_API struct pintle_link *pintle_link_next(const struct pintle_hook *hook,
						const struct pintle_link *after);

struct pintle_link_info {
	size_t size;
	const char *hook; /* its name; valid as long as the host */
	struct pintle_prog *prog; /* NULL: dead */
	int32_t priority;
	uint64_t cookie;
};
PINTLE_API int pintle_link_info(const struct pintle_link *link, struct pintle_link_info *info);

/* Runs a loaded program on @ctx (the type's run-time context struct) and stores its
 * result. The calling thread takes an execution slot if it has none: -EAGAIN when all are
 * taken. -ETIME: the run used up its budget, and the result is the type's cut_result.
 * Otherwise never fails. Inside, a read section of the host's RCU domain is held. */
PINTLE_API int pintle_prog_run(const struct pintle_prog *prog, void *ctx,
			       uint64_t *result);

struct pintle_prog_info {
	size_t size;
	uint32_t insns, insns_run; /* in the object; after dead code was removed */
	uint64_t verified_insns, verified_states, verify_ns;
	uint64_t runs, faults;	   /* faults: loads that were recovered */
	uint64_t cut;		   /* runs that used up their budget */
	uint64_t timed, timed_ns;  /* runs whose time was taken, and all of it */
	uint64_t drops; /* of pintle_prog_run() for want of an execution slot */
	uint32_t links; /* attachments */
};
PINTLE_API int pintle_prog_info(const struct pintle_prog *prog,
				struct pintle_prog_info *info);

/*
 * Runs, faults and drops are always counted. Taking the time of runs, and counting the calls
 * of hooks, is off until it is asked for. A program that another jumped to (tail call) counts
 * as a part of that one's run. -EINVAL: no such mode.
 */
enum pintle_stats {
	PINTLE_STATS_OFF,
	PINTLE_STATS_SAMPLED, /* times one run in 64, on each slot */
	PINTLE_STATS_FULL,    /* times each */
};
PINTLE_API int pintle_stats_enable(struct pintle_host *host, enum pintle_stats mode);

struct pintle_hook_info {
	size_t size;
	uint32_t links;		  /* attachments */
	uint64_t calls;		  /* while statistics were on, with something attached */
	uint64_t timed, timed_ns; /* calls whose time was taken, and all of it */
	uint64_t drops;		  /* calls that ran nothing for want of an execution slot */
};
/* -EINVAL: it is not registered. */
PINTLE_API int pintle_hook_info(const struct pintle_hook *hook, struct pintle_hook_info *info);

/* ------------------------------------------------------------------ maps */

PINTLE_API struct pintle_map *pintle_map_find(const struct pintle_object *object,
					      const char *name);
PINTLE_API struct pintle_map *pintle_map_next_in(const struct pintle_object *object,
						 const struct pintle_map *after);
PINTLE_API const char *pintle_map_name(const struct pintle_map *map);
PINTLE_API uint32_t pintle_map_key_size(const struct pintle_map *map);
/* Bytes a caller's value buffer has: value size, times slots for per-CPU kinds (each
 * rounded up to 8). */
PINTLE_API uint32_t pintle_map_value_size(const struct pintle_map *map);

enum pintle_update { PINTLE_ANY, PINTLE_NOEXIST, PINTLE_EXIST, PINTLE_LOCK = 4 };

/*
 * Operations on elements copy: pointer fields read as 0 and are skipped when written (rule
 * book F7). Any thread may call them at any time, inside runs and destructors too.
 *
 * Errors are those of bpf(2): -ENOENT, -EEXIST, -E2BIG (full; an index out of range),
 * -ENOSPC (a full LPM trie), -EINVAL (flags, no key, not loaded), -EPERM (frozen, or made
 * read-only or write-only for hosts), -EOPNOTSUPP (the kind has no such operation),
 * -ENOMEM.
 *
 * Queues, stacks and bloom filters have no keys: @key is NULL. Update pushes (PINTLE_EXIST:
 * in place of the oldest when full), lookup peeks, lookup_and_delete pops. A bloom filter
 * is asked by a lookup whether *@value may have been added.
 */
PINTLE_API int pintle_map_lookup(const struct pintle_map *map, const void *key,
				 void *value);
PINTLE_API int pintle_map_update(struct pintle_map *map, const void *key,
				 const void *value, uint64_t flags);
PINTLE_API int pintle_map_delete(struct pintle_map *map, const void *key);
/* Both in one: of those who ask for a key at one time, one gets it. */
PINTLE_API int pintle_map_lookup_and_delete(struct pintle_map *map, const void *key,
					    void *value);
/* The key after @key (NULL: the first); -ENOENT at the end. @key need not be there any
 * more: a key that is there throughout a walk is given exactly once, whatever else comes
 * and goes. */
PINTLE_API int pintle_map_next_key(const struct pintle_map *map, const void *key,
				   void *next);
/* Elements; of ring buffers bytes that wait to be consumed, of arenas pages. */
PINTLE_API uint32_t pintle_map_count(const struct pintle_map *map);

/*
 * Many elements at a time. @keys and @values are arrays of key size and of
 * pintle_map_value_size(); *@count is how many, and afterwards how many were done, also
 * when an error ended it there.
 *
 * Lookups go through the map: after the key at @from (NULL: from the start), giving the
 * place they came to in @to, which has key size and may be @from. -ENOENT: that was the
 * last. With @flags 0.
 */
PINTLE_API int pintle_map_lookup_batch(const struct pintle_map *map, const void *from,
				       void *to, void *keys, void *values,
				       uint32_t *count, uint64_t flags);
PINTLE_API int pintle_map_lookup_and_delete_batch(struct pintle_map *map,
						  const void *from, void *to, void *keys,
						  void *values, uint32_t *count,
						  uint64_t flags);
PINTLE_API int pintle_map_update_batch(struct pintle_map *map, const void *keys,
				       const void *values, uint32_t *count,
				       uint64_t flags);
PINTLE_API int pintle_map_delete_batch(struct pintle_map *map, const void *keys,
				       uint32_t *count, uint64_t flags);

/* From now on hosts may not write: -EPERM. When it returns no write is under way (but when
 * it is called from inside a run). -EOPNOTSUPP for maps with special fields, -EBUSY when
 * the map is frozen already or pintle_map_data() has given its bytes out. */
PINTLE_API int pintle_map_freeze(struct pintle_map *map);

/* The live bytes of a global-data map (.data, .bss, .rodata) or of an array with
 * BPF_F_MMAPABLE (values rounded up to 8 bytes each): the host may read and write
 * them while programs run, with atomics of its own where that matters. NULL when the map
 * is of another kind, is frozen or has special fields. */
PINTLE_API void *pintle_map_data(struct pintle_map *map, size_t *size);

/* The map's number among those of its host: what a lookup in a map of maps gives. */
PINTLE_API uint32_t pintle_map_id(const struct pintle_map *map);

/* A map of the host's own, without special fields, of any kind but those that hold maps or
 * programs. Attributes as in bpf(2). NULL with words in pintle_host_error(). To be closed;
 * it lives on while something else refers to it. */
struct pintle_map_opts {
	size_t size;
	uint32_t type, key_size, value_size, max_entries, flags;
	uint64_t extra;
};
PINTLE_API struct pintle_map *pintle_map_create(struct pintle_host *host, const char *name,
						const struct pintle_map_opts *opts);
/* Handles that the host made only; NULL is fine. */
PINTLE_API void pintle_map_close(struct pintle_map *map);

/*
 * Maps of maps: programs look an inner map up and use it. All are like the template in the
 * declaration (`__array(values, struct ...)`): in type, key and value size, flags, entries of
 * an array, and special fields (rule book A31): else -EINVAL. One that is replaced stays
 * valid for runs that found it. Entries may be declared too: .values = {[0] = &inner}.
 */
PINTLE_API int pintle_map_set_map(struct pintle_map *outer, const void *key,
				  const struct pintle_map *inner, uint64_t flags);
/* A new map that fits; @max_entries 0: as in the template. */
PINTLE_API struct pintle_map *pintle_map_create_inner(struct pintle_map *outer,
						      const char *name,
						      uint32_t max_entries);

/* Program arrays: where tail calls go. @prog must be loaded, and of the same type as the
 * programs that jump through the array: else -EINVAL. It leaves the array when its object is
 * closed, or by pintle_map_delete(). */
PINTLE_API int pintle_map_set_prog(struct pintle_map *map, uint32_t index,
				   struct pintle_prog *prog);

/*
 * Object storage (BPF_MAP_TYPE_TASK_STORAGE, _INODE_ and _CGRP_): programs keep a value for
 * any object of a storable type, by bpf_task_storage_get(&map, (void *)object, init, flags).
 * To hosts it is a map whose key is the object's address, of sizeof(void *).
 *
 * The host must call this when such an object goes, before its memory is used again: where
 * it frees it, when no program can find it any more. It costs a load when there is no such
 * map. The values' fields are destroyed as by a deletion. Callable in destructors.
 */
PINTLE_API void pintle_storage_free(struct pintle_host *host, const void *object);

/* ------------------------------------------------------------------ ring buffers */

/*
 * Records from programs to the host: BPF_MAP_TYPE_RINGBUF. They come in the order in
 * which they were reserved, each whole and once; a record that its program has not
 * submitted yet holds up those after it. When there is no room a program is told so;
 * nothing is ever overwritten. What a program did before it submitted is seen by who
 * consumes.
 *
 * The descriptor becomes readable when there is something to consume, at the latest when
 * a record is submitted after pintle_ringbuf_consume() left none (unless the program
 * asked for BPF_RB_NO_WAKEUP): put it into poll(), epoll or a loop of any kind, and call
 * pintle_ringbuf_consume() when it is. It is the library's: do not read, write or close
 * it.
 *
 * Of the handles of one map one at a time may consume: -EBUSY. A thread that ends in fn()
 * leaves the record to the next.
 */
struct pintle_ringbuf;

/* @sample has @size bytes, aligned to 8, until it returns. Below 0: stop here; this record
 * is consumed. Must not consume the same map. */
typedef int pintle_ringbuf_fn(void *data, void *sample, size_t size);

/* NULL with words in pintle_host_error(). The handle holds the map: it may be used, and
 * must be closed, after the object was closed. */
PINTLE_API struct pintle_ringbuf *pintle_ringbuf_open(struct pintle_map *map,
						      pintle_ringbuf_fn *fn, void *data);
PINTLE_API void pintle_ringbuf_close(struct pintle_ringbuf *rb); /* NULL is fine */
PINTLE_API int pintle_ringbuf_fd(const struct pintle_ringbuf *rb);
/* Calls fn() for what there is, at most @max records (0: no limit): how many, or what fn()
 * returned below 0. */
PINTLE_API int64_t pintle_ringbuf_consume(struct pintle_ringbuf *rb, uint64_t max);
/* The same, but waits up to @timeout_ms (below 0: for ever) for the first. */
PINTLE_API int64_t pintle_ringbuf_poll(struct pintle_ringbuf *rb, int timeout_ms);

struct pintle_ringbuf_info {
	size_t size;
	uint64_t bytes;		     /* of the ring */
	uint64_t consumed, produced; /* bytes since it was made */
	uint64_t refused;	     /* reservations that found no room */
};
PINTLE_API int pintle_ringbuf_info(const struct pintle_ringbuf *rb,
				   struct pintle_ringbuf_info *info);

/*
 * Records from the host to programs: BPF_MAP_TYPE_USER_RINGBUF, drained by
 * bpf_user_ringbuf_drain(). Any threads may reserve; order and visibility are as above.
 */
struct pintle_user_ringbuf;

PINTLE_API struct pintle_user_ringbuf *pintle_user_ringbuf_open(struct pintle_map *map);
PINTLE_API void pintle_user_ringbuf_close(struct pintle_user_ringbuf *rb);
/* Room for @size bytes, aligned to 8; NULL with errno ENOSPC (full), E2BIG (larger than
 * the ring). Every record is to be submitted or discarded, before the handle is closed. */
PINTLE_API void *pintle_user_ringbuf_reserve(struct pintle_user_ringbuf *rb,
					     uint32_t size);
/* Waits for room up to @timeout_ms (below 0: for ever). */
PINTLE_API void *pintle_user_ringbuf_reserve_blocking(struct pintle_user_ringbuf *rb,
						      uint32_t size, int timeout_ms);
PINTLE_API void pintle_user_ringbuf_submit(struct pintle_user_ringbuf *rb, void *sample);
PINTLE_API void pintle_user_ringbuf_discard(struct pintle_user_ringbuf *rb, void *sample);

/*
 * Memory that programs and the host share: BPF_MAP_TYPE_ARENA, max_entries pages of 4096
 * bytes. Programs and the host see it at the same addresses (map_extra asks for a certain
 * one), so pointers in it are pointers to both. It lasts as long as the map: a handle on an
 * object's map, until the object is closed.
 *
 * Pages are there from allocation to freeing, by either side. Elsewhere programs read zeros
 * and write nothing; the host faults, as it does anywhere. Nothing orders accesses of both
 * but what they do themselves: atomics. Thread-safe.
 */
PINTLE_API void *pintle_arena_base(const struct pintle_map *map, size_t *size); /* NULL: of
	another kind, or not loaded; *size: bytes up to the last page there can be */
/* @pages zeroed pages in a row, at @at (NULL: anywhere); NULL with errno EINVAL, ENOMEM (not
 * free, or no memory). */
PINTLE_API void *pintle_arena_alloc(const struct pintle_map *map, void *at, uint32_t pages);
/* Their memory goes back to the system at once. -EINVAL: not pages of it; -ENOENT: some were
 * not allocated. */
PINTLE_API int pintle_arena_free(const struct pintle_map *map, void *at, uint32_t pages);

/* ------------------------------------------------------------------ lifetime */

/*
 * Calls @fn(@obj) once, after every run and read section that now runs has ended. Never
 * fails: without memory it waits for the grace period here; where it cannot wait (in a
 * function that a program called, in a read section), it first uses up a reserve, then
 * leaks @obj and logs it.
 *
 * Deferred calls and destructors are made on threads that are in the library anyway, at
 * safe points: the end of a thread's outermost run, pintle_defer(), map operations,
 * loading, closing, pintle_drain(); or all of them on one thread of their own (option
 * reclaim_thread), or for a type where its executor says. Never inside a run or read section, never under a lock
 * of the library; so a thread that calls hooks under a lock of its own must not have
 * destructors that take it, or must hold a read section around the call.
 */
PINTLE_API void pintle_defer(struct pintle_host *host, void (*fn)(void *obj), void *obj);

/* The same of a call that frees about @bytes of memory: what waits for a grace period is
 * bounded by the host's max_deferred_bytes. */
PINTLE_API void pintle_defer_sized(struct pintle_host *host, void (*fn)(void *obj), void *obj,
				   size_t bytes);

/* The barrier: waits until every destructor and deferred call queued so far has run, those
 * of executors too. Not from inside a program's run or a destructor. */
PINTLE_API void pintle_drain(struct pintle_host *host);

/* The caller's own read section of the host's RCU domain: what a hook or pintle_prog_run()
 * opens by itself. Nestable. */
PINTLE_API void pintle_read_lock(struct pintle_host *host);
PINTLE_API void pintle_read_unlock(struct pintle_host *host);

/* Takes an execution slot for this thread, as its first run would: what hooks .in_signals
 * need before a handler calls them. 0, or -EAGAIN: all are taken, or there is no memory. */
PINTLE_API int pintle_thread_enter(struct pintle_host *host);

/* Gives this thread's execution slot back; done by itself when the thread ends. */
PINTLE_API void pintle_thread_leave(struct pintle_host *host);

/* ------------------------------------------------------------------ timers and work */

/*
 * What programs ask to be called later: struct bpf_timer and struct bpf_wq in map values
 * (bpf_timer_*(), bpf_wq_*()). Somebody has to make the calls: the host's own loop, with
 * these functions; or threads of the library's (options timer_thread, work_thread); or both.
 * Any threads may, at one time. The callbacks run on the execution slot of the thread that
 * makes the calls, each at most once at a time; those of timers in a read section, those of
 * work queues as runs that may sleep. Closing an object cancels its calls and waits for those
 * that run.
 */

/* Becomes readable when a timer is due: put it into poll(), epoll or a loop of any kind, and
 * call pintle_timers_run() when it is. It may be readable for nothing. The library's: do not
 * read or close it. In a child of fork it is another one: ask again. -errno;
 * -EOPNOTSUPP with a clock of the host's own. */
PINTLE_API int pintle_timers_fd(struct pintle_host *host);
/* Makes the calls that are due, at most @budget (0: no limit; those started meanwhile wait for
 * the next time): how many. -EBUSY inside a run or read section, -EAGAIN without an
 * execution slot. */
PINTLE_API int64_t pintle_timers_run(struct pintle_host *host, unsigned int budget);
/* Nanoseconds until the next timer is due (0: one is), of its own clock; at most a second
 * for one of the wall clock, which may be set. -ENOENT: no timer is started. */
PINTLE_API int64_t pintle_timers_next(struct pintle_host *host);

/* The same for work: readable when there is some, made in the order it was started. */
PINTLE_API int pintle_work_fd(struct pintle_host *host);
PINTLE_API int64_t pintle_work_run(struct pintle_host *host, unsigned int budget);

struct pintle_type_stats {
	size_t size;
	uint64_t stored;     /* references now in fields */
	uint64_t destructed; /* destructor calls so far */
};
PINTLE_API int pintle_type_stats(const struct pintle_host *host, const char *type,
				 struct pintle_type_stats *stats);

/* ------------------------------------------------------------------ who holds what */

struct pintle_ref {
	size_t size;
	const char *map;   /* its name */
	const void *key;   /* NULL: the map has none */
	uint32_t key_size;
	uint32_t slot;	   /* per-CPU maps: whose copy; else UINT32_MAX */
	const char *field; /* "session.owner", "value.list[3]->frame" */
	const void *object;
	const char *type;  /* struct's name */
	uint64_t since_ms; /* wall clock, coarse; 0: not known (see ref_stamps) */
};

/*
 * Calls @fn for every field that owns a reference now, in every map, and for those of
 * objects that such fields own. Only objects of struct @type, only @object; NULL: all.
 * @fn must not call the library, wait or end its thread: it may be under a program's
 * lock. Stops when it returns non-zero. How many were found, or what @fn returned if
 * negative; -ENOMEM, -EAGAIN (a per-CPU map, and no execution slot). @fn may be NULL.
 */
PINTLE_API int64_t pintle_refs_each(struct pintle_host *host, const char *type,
				    const void *object,
				    int (*fn)(void *data, const struct pintle_ref *ref),
				    void *data);

struct pintle_type_total {
	size_t size;
	const char *type;
	uint64_t objects; /* host's types: references in fields; programs' own: objects */
	bool local;	  /* a program's own type */
};

/* Calls @fn for every storable type, and for types of programs' own of which there are
 * objects. All are 0 when every object file is closed and pintle_drain() has returned.
 * @fn and errors as above. */
PINTLE_API int pintle_refs_totals(struct pintle_host *host,
				  int (*fn)(void *data, const struct pintle_type_total *total),
				  void *data);

/* ------------------------------------------------------------------ from outside */

struct pintle_inspect_opts {
	size_t size;
	uint32_t mode; /* of the socket's file; 0: 0600, and then only root and the user that
			  this process runs as are answered, whatever the folder's rights */
	bool writable; /* elements may be set and deleted */
	/*
	 * Objects may be replaced (`pintle replace`), as by pintle_object_replace(); NULL: they
	 * may not. The file comes whole and is opened, verified and put in place inside of
	 * pintle_inspect_serve(), which takes as long as those do, as @old was opened and with
	 * its budgets. Called after the switch: @old is closed when it returns, and its handles
	 * are dead. Where the new one is refused, nothing is called and @old runs on.
	 */
	void (*replaced)(void *data, struct pintle_object *old, struct pintle_object *new_);
	void *data; /* handed to it */
};

/*
 * Opens a Unix socket at @path, at which `pintle prog`, `hook`, `map`, `refs` and `top` ask
 * what this host runs. Off until opened; one a host. Requests are answered
 * by pintle_inspect_serve(), which the thread that configures the host calls when
 * pintle_inspect_fd() is readable (poll, epoll): it never waits for a client, and answers a
 * bounded number of requests, each of bounded size. Addresses are never told. -EBUSY: one is open.
 * -EADDRINUSE: another process listens there. Closing removes the file; so does freeing the
 * host.
 */
PINTLE_API int pintle_inspect_open(struct pintle_host *host, const char *path,
				   const struct pintle_inspect_opts *opts);
PINTLE_API int pintle_inspect_fd(const struct pintle_host *host); /* -EINVAL: not open */
/* How many requests were answered; -EINVAL: not open. */
PINTLE_API int pintle_inspect_serve(struct pintle_host *host);
PINTLE_API void pintle_inspect_close(struct pintle_host *host);

#ifdef __cplusplus
}
#endif

#endif
