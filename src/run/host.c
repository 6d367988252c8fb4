/* SPDX-License-Identifier: MIT
 *
 * host.c: a host's life, and where its types come from.
 *
 * The registry is filled by one thread at a time (pintle.h). Objects keep pointers into
 * its rows, so rows never move while an object is open: see export.c and progtype.c.
 */
#include "run/async/async.h"
#include "run/memory/buffer.h"
#include "run/field/local.h"
#include "run/life/reclaim.h"

#include <sys/random.h>
#include <unistd.h>

enum { DEFAULT_SLOTS = 128, MOST_SLOTS = 4096 };

/* Why this thread's last pintle_host_new() failed: there is no host to ask. */
static _Thread_local const char *new_failed = "";

#define STR_(x) #x
#define STR(x) STR_(x)

const char *pintle_version(void)
{
	return STR(PINTLE_VERSION_MAJOR) "." STR(PINTLE_VERSION_MINOR) "." STR(
		PINTLE_VERSION_PATCH);
}

/* ------------------------------------------------------------------ words */

const char *pintle_host_error(const struct pintle_host *host)
{
	return host ? words_get(host) : new_failed;
}

/* ------------------------------------------------------------------ life */

static bool helper_there(const struct abi *abi, const struct abi_prog_type *type, u32 id)
{
	return helper_find(abi->data, type, id);
}

static int host_init(struct pintle_host *host)
{
	if (getrandom(&host->hash_seed, sizeof(host->hash_seed), GRND_NONBLOCK) < 0)
		host->hash_seed = (u64)(uintptr_t)host;
	host->abi.helper_there = helper_there;
	host->abi.storage_of_any = true;
	host->abi.data = host;
	host->abi.policy.probe_region = host->opts.probe_region;
	host->arena = arena_new();
	if (!host->arena)
		return -ENOMEM;
	TRY(engine_export(host));
	TRY(asyncs_init(host));
	TRY(slots_init(host));
	host->abi.max_cpus = slot_count(host);
	TRY(heap_init(host));
	TRY(stamps_init(host));
	TRY(defer_init(host));
	TRY(reclaim_start(host));
	return asyncs_start(host);
}

struct pintle_host *pintle_host_new(const struct pintle_host_opts *opts)
{
	struct pintle_host *host = calloc(1, sizeof(*host));

	new_failed = "out of memory";
	if (!host)
		return NULL;
	opts_copy(&host->opts, sizeof(host->opts), opts, opts ? opts->size : 0);
	if (!host->opts.max_slots)
		host->opts.max_slots = DEFAULT_SLOTS;
	if (host->opts.max_slots > MOST_SLOTS) {
		new_failed = "max_slots is over " STR(4096);
		free(host);
		return NULL;
	}
	if (host->opts.clock && host->opts.timer_thread) {
		new_failed = "a thread cannot wait by a clock of the host's own: timer_thread and "
			     "clock exclude each other";
		free(host);
		return NULL;
	}
	if (fault_init(host)) {
		new_failed = "the handlers of SIGSEGV and SIGBUS could not be installed";
		free(host);
		return NULL;
	}
	if (host_init(host)) {
		pintle_host_free(host);
		return NULL;
	}
	new_failed = "";
	return host;
}

void host_leaf_locks(struct pintle_host *host, void (*op)(u32 *lock))
{
	op(&host->maps_lock);
	op(&host->locals_lock);
	op(&host->buffers_lock);
	op(&host->spaces_lock);
	asyncs_locks(host, op);
	heap_locks(host, op);
}

static void registry_free(struct pintle_host *host)
{
	abi_free(&host->abi);
	for (u32 i = host->btfs.n; i-- > 0;)
		btf_close(host->btfs.v[i]);
	vec_free(&host->btfs);
	vec_free(&host->storables);
	vec_free(&host->exports);
	vec_free(&host->vars);
	vec_free(&host->owners);
	vec_free(&host->helpers);
	vec_free(&host->dynptr_sources);
	vec_free(&host->hooks);
	arena_free(host->arena);
}

void pintle_host_free(struct pintle_host *host)
{
	if (!host || host->torn)
		return;
	pintle_inspect_close(host);
	asyncs_stop(host);
	while (host->objects)
		pintle_close(host->objects);
	hooks_free(host);
	ops_forget(host, NULL);
	spaces_free(host);
	buffers_free(host);
	reclaim_stop(host);
	defer_free(host);
	asyncs_free(host);
	heap_free(host);
	free(host->stamps);
	slots_free(host);
	fault_free(host);
	registry_free(host);
	words_free(host); /* no thread's end finds them any more: the slots are gone */
	free(host);
}

/* ------------------------------------------------------------------ types */

static int btf_add(struct pintle_host *host, struct btf *btf)
{
	if (vec_reserve(&host->btfs, 1) && vec_reserve(&host->abi.btfs, 1)) {
		(void)vec_push(&host->btfs, btf);
		(void)vec_push(&host->abi.btfs, btf);
		return 0;
	}
	btf_close(btf);
	return host_oom(host);
}

static const struct btf *first_btf(const struct pintle_host *host)
{
	return host->btfs.n ? host->btfs.v[0] : NULL;
}

/* What opens one kind of source, with or without a base. */
struct source {
	const char *name;
	const void *data;
	size_t size;
};

static int source_open(struct log *log, const struct source *src, const struct btf *base,
		       struct btf **out)
{
	if (!src->data)
		return btf_open_file(log, src->name, base, out);
	return btf_open_host(log, src->name, src->data, (u32)src->size, base, out);
}

/* Later sources may stand alone or be split on the first; the format does not say which,
 * but one that is split makes no sense alone: it names types and strings past its end. */
static int source_add(struct pintle_host *host, const struct source *src)
{
	const struct btf *base = first_btf(host);
	struct log alone = {0}, split = {0};
	struct btf *btf = NULL;
	int err = source_open(&alone, src, NULL, &btf);

	if (err == -EINVAL && base)
		err = source_open(&split, src, base, &btf);
	if (err)
		host_fail(host, err, "%s", *alone.error ? alone.error : strerror(-err));
	log_free(&alone);
	log_free(&split);
	return err ? err : btf_add(host, btf);
}

int pintle_host_add_btf_file(struct pintle_host *host, const char *path)
{
	if (!path)
		return host_fail(host, -EINVAL, "no path given");
	return source_add(host, &(const struct source){.name = path});
}

int pintle_host_add_btf(struct pintle_host *host, const char *name, const void *data,
			size_t size)
{
	if (!data || size > UINT32_MAX)
		return host_fail(host, -EINVAL, "%s: no data, or over 4 GiB",
				 name ? name : "BTF");
	return source_add(host, &(const struct source){name ? name : "BTF", data, size});
}

int pintle_host_add_self(struct pintle_host *host)
{
	static const struct source self = {.name = "/proc/self/exe"};
	char path[512] = "PROGRAM";
	int err = source_add(host, &self);

	if (err != -ENOENT)
		return err;
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		strcpy(path, "PROGRAM");
	return host_fail(host, err,
			 "this program has no BTF, so its types are not known: compile it "
			 "with -g, then run `pahole -J %s`", path);
}

bool host_find_func(struct pintle_host *host, const char *name, const struct btf **btf,
		    u32 *func)
{
	for (u32 i = 0; i < host->abi.btfs.n; i++) {
		*btf = host->abi.btfs.v[i];
		*func = btf_find(*btf, name, BTF_FUNC);
		if (*func)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ lifetime */

void pintle_drain(struct pintle_host *host)
{
	defer_drain(host);
}

int pintle_thread_enter(struct pintle_host *host)
{
	return slot_get(host) ? 0 : -EAGAIN;
}

void pintle_thread_leave(struct pintle_host *host)
{
	slot_leave(host);
}
