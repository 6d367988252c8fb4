/* SPDX-License-Identifier: MIT
 *
 * native.c: between the runtime and native code: what the code calls, where it finds
 * things in the execution slot, and which programs get it.
 */
#include "jit/jit.h"
#include "run/run.h"

static void put(void *slot, void (*fn)(void *obj), void *obj)
{
	defer_call(((struct slot_ctx *)slot)->host, fn, obj);
}

static bool in_region(const void *pool, u64 addr, u32 size)
{
	return pool_holds(pool, addr, size);
}

static u64 user_handle(const void *slot, u64 pointer)
{
	return space_handle(slot, pointer);
}

static struct jit_rt runtime(const struct pintle_host *host)
{
	return (struct jit_rt){
		.index = offsetof(struct slot_ctx, index),
		.goto_budget = offsetof(struct slot_ctx, goto_budget),
		.tail_calls = offsetof(struct slot_ctx, tail_calls),
		.faults = offsetof(struct slot_ctx, faults),
		.ending = offsetof(struct slot_ctx, ending),
		.thrown = offsetof(struct slot_ctx, thrown),
		.turns = offsetof(struct slot_ctx, turns),
		.turn = meter_turn,
		.hold = meter_hold,
		.drop = meter_drop,
		.keep = storable_keep,
		.leave = meter_leave,
		.max_tail_calls = MAX_TAIL_CALLS,
		.put = put,
		.tail = interp_tail,
		.in_region = in_region,
		.user_handle = user_handle,
		.safe_loads = !host->opts.no_fault_handler,
	};
}

static bool required(const struct pintle_host *host)
{
	return host->opts.jit == PINTLE_JIT_REQUIRE;
}

/* Says why something is interpreted, or fails for that reason. */
static int without(struct pintle_object *object, const char *name, int err,
		   const struct log *log)
{
	const char *why = *log->error ? log->error : strerror(-err);
	char line[1024];

	if (required(object->host) || err == -ENOMEM)
		return host_fail(object->host, err, "%s: %s: no native code: %s",
				 object->image->name, name, why);
	snprintf(line, sizeof(line), "%s: %s: interpreted: %s", object->image->name, name, why);
	host_log(object->host, PINTLE_LOG_NOTE, line);
	return 0;
}

static int add(struct pintle_object *object, struct log *log, struct code *code)
{
	if (object->host->opts.blind_constants)
		TRY(jit_blind(log, code));
	return jit_add(object->jit, log, code);
}

static int add_all(struct pintle_object *object)
{
	for (u32 i = 0; i < object->image->nprogs; i++) {
		struct code *code = object->progs[i].code;
		struct log log = {.limit = 1}; /* for the last error only */
		int err = code ? add(object, &log, code) : 0;

		if (err)
			err = without(object, object->image->progs[i].name, err, &log);
		log_free(&log);
		TRY(err);
	}
	return 0;
}

/* How much code there is. */
static void sizes(const struct pintle_object *object, u32 *ninsns, u32 *nsubprogs)
{
	u32 longest = object->host->opts.blind_constants ? JIT_BLIND_GROWTH : 1;

	*ninsns = *nsubprogs = 0;
	for (u32 i = 0; i < object->image->nprogs; i++) {
		const struct code *code = object->progs[i].code;

		*ninsns += code ? code->ninsns * longest : 0;
		*nsubprogs += code ? code->nsubprogs : 0;
	}
}

int native_compile(struct pintle_object *object)
{
	struct jit_rt rt = runtime(object->host);
	struct log log = {.limit = 1}; /* for the last error only */
	u32 ninsns, nsubprogs;
	int err = 0;

	sizes(object, &ninsns, &nsubprogs);
	if (object->host->opts.jit == PINTLE_JIT_OFF || !ninsns)
		return 0;
	object->jit = jit_begin(&rt, ninsns, nsubprogs, &err);
	if (!object->jit)
		return without(object, "programs", err, &log);
	TRY(add_all(object));
	err = jit_seal(object->jit, &log);
	if (err) {
		jit_free(object->jit);
		object->jit = NULL;
		err = without(object, "programs", err, &log);
	}
	log_free(&log);
	if (object->jit) {
		perf_write(object);
		gdb_tell(object);
	}
	return err;
}

struct jit *native_compile_one(struct pintle_host *host, struct log *log, struct code *code)
{
	struct jit_rt rt = runtime(host);
	int err = 0;
	struct jit *jit = jit_begin(&rt, code->ninsns, code->nsubprogs, &err);

	if (jit && !jit_add(jit, log, code) && !jit_seal(jit, log))
		return jit;
	jit_free(jit);
	return NULL;
}
