/* SPDX-License-Identifier: MIT
 *
 * prog.c: one run of one program, and its numbers.
 *
 * Numbers that are taken on each run are by slot; time is taken on the long way only, which
 * a program is sent by its host_id.
 *
 * A run holds a read section of domain N, or, for sleepable programs, one of domain S. The
 * end of the outermost run of a thread is a safe point: what ripened meanwhile is done
 * there, after everything is closed.
 */
#include "run/enter.h"

/* Next time it may be short (enter.h). */
static void slot_note(struct pintle_host *host, struct slot_ctx *slot)
{
	if (!quick_possible())
		return;
	thread_me.last.slot = slot;
	__atomic_store_n(&thread_me.last.id, host->id, __ATOMIC_RELAXED);
}

bool run_begin(struct run_scope *scope, struct pintle_host *host, bool sleepable)
{
	struct slot_ctx *slot = slot_cached(host);

	if (unlikely(!slot))
		return false;
	scope->slot = slot;
	scope->sleepable = sleepable;
	scope->in_signal = false;
	if (unlikely(sleepable))
		sleep_enter(slot);
	else
		run_read_lock(host);
	scope->before = slot_exchange(slot);
	if (scope->before)
		scope->before->depth++;
	slot_note(host, slot);
	return true;
}

/*
 * Takes no lock and no memory, and leaves alone what the interrupted code may be half way
 * through: the deferred calls of the slot, the thread's registration. Sections nest in
 * whatever state theirs are (epoch.h; liburcu's readers may nest in handlers): opening and
 * closing one leaves it as it was. What the interrupted run keeps in the slot is put back.
 */
bool run_begin_in_signal(struct run_scope *scope, struct pintle_host *host)
{
	struct slot_ctx *slot = slot_known(host);

	if (!slot || !run_read_ready())
		return false;
	*scope = (struct run_scope){.slot = slot, .in_signal = true};
	run_read_lock_now(host);
	scope->kept = (struct slot_kept){
		slot->prog, slot->meter, slot->thrown, slot->faults, slot->turns,
		slot->goto_budget, slot->tail_calls, slot->ending, slot->cut, slot->was_cut,
	};
	slot->faults = 0;
	slot->ending = 0;
	scope->before = slot_exchange(slot);
	return true;
}

static void end_in_signal(const struct run_scope *scope)
{
	const struct slot_kept *kept = &scope->kept;
	struct slot_ctx *slot = scope->slot;

	slot_exchange(scope->before);
	__atomic_store_n(&slot->prog, kept->prog, __ATOMIC_RELAXED);
	slot->meter = kept->meter;
	slot->thrown = kept->thrown;
	slot->faults = kept->faults;
	slot->turns = kept->turns;
	slot->goto_budget = kept->goto_budget;
	slot->tail_calls = kept->tail_calls;
	slot->ending = kept->ending;
	slot->cut = kept->cut;
	slot->was_cut = kept->was_cut;
	run_read_unlock(slot->host);
}

/* Deferred calls are published inside the section: who waits for it finds them. */
void run_end(const struct run_scope *scope)
{
	struct slot_ctx *slot = scope->slot;

	if (unlikely(scope->in_signal)) {
		end_in_signal(scope);
		return;
	}
	slot_exchange(scope->before);
	if (scope->before)
		scope->before->depth--;
	if (unlikely(slot->open != NULL))
		defer_publish(slot);
	if (unlikely(scope->sleepable))
		sleep_leave(slot);
	else
		run_read_unlock(slot->host);
	defer_safe_point(slot->host);
}

void prog_count_faults(struct slot_ctx *slot)
{
	atomic_fetch_add_explicit(&slot->prog->counts[slot->index].faults, slot->faults,
				  memory_order_relaxed);
	slot->faults = 0;
}

/* code_run(), and how long it took. */
static __attribute__((cold, noinline)) u64 run_timed(const struct code *code, const void *ctx,
						     struct slot_ctx *slot,
						     struct prog_count *c)
{
	u64 begin = stats_now(), ns;
	u64 result = code_run(code, (u64)(uintptr_t)ctx, 0, slot);

	ns = stats_now() - begin;
	atomic_store_explicit(&c->timed, c->timed + 1, memory_order_relaxed);
	atomic_store_explicit(&c->timed_ns, c->timed_ns + ns, memory_order_relaxed);
	return result;
}

u64 run_prog(const struct run_scope *scope, const struct pintle_prog *prog, const void *ctx)
{
	struct slot_ctx *slot = scope->slot;
	const struct pintle_prog *before = slot->prog;
	bool cut = slot->cut;
	struct prog_count *c = &prog->counts[slot->index];
	u32 mode = atomic_load_explicit(&slot->host->stats, memory_order_relaxed);
	u64 result;

	slot->cut = false;
	if (before && slot->faults)
		prog_count_faults(slot);
	__atomic_store_n(&slot->prog, prog, __ATOMIC_RELAXED);
	if (unlikely(stats_due(mode, c->runs)) && !scope->in_signal)
		result = run_timed(prog->code, ctx, slot, c);
	else
		result = code_run(prog->code, (u64)(uintptr_t)ctx, 0, slot);
	if (unlikely(scope->in_signal)) /* which may interrupt another of the same program */
		atomic_fetch_add_explicit(&c->runs, 1, memory_order_relaxed);
	else
		count_run(c);
	if (unlikely(slot->faults))
		prog_count_faults(slot);
	__atomic_store_n(&slot->prog, before, __ATOMIC_RELAXED);
	slot->was_cut = slot->cut;
	slot->cut = cut;
	return result;
}

void run_callback(const struct run_scope *scope, const struct pintle_prog *prog,
		  const struct code_func *callback, u64 a, u64 b, u64 c)
{
	struct slot_ctx *slot = scope->slot;
	const struct pintle_prog *before = slot->prog;
	bool cut = slot->cut;

	if (before && slot->faults)
		prog_count_faults(slot);
	__atomic_store_n(&slot->prog, prog, __ATOMIC_RELAXED);
	code_run_callback(callback, a, b, c, slot);
	slot->cut = cut;
	count_run(&prog->counts[slot->index]);
	if (unlikely(slot->faults))
		prog_count_faults(slot);
	__atomic_store_n(&slot->prog, before, __ATOMIC_RELAXED);
}

static __attribute__((cold, noinline)) int run_long(const struct pintle_prog *prog, const void *ctx,
					      uint64_t *result)
{
	struct run_scope scope;
	u64 r, cookie;
	bool cut;

	if (!prog->code)
		return -ENOENT;
	if (!run_begin(&scope, prog->object->host, prog->image->sleepable)) {
		atomic_fetch_add_explicit((atomic(u64) *)&prog->drops, 1,
					  memory_order_relaxed);
		return prog->object->host->torn ? -ECHILD : -EAGAIN;
	}
	cookie = scope.slot->cookie; /* of a run that this one is inside of */
	scope.slot->cookie = 0;
	r = run_prog(&scope, prog, ctx);
	scope.slot->cookie = cookie;
	cut = scope.slot->was_cut;
	if (result)
		*result = r;
	run_end(&scope);
	return cut ? -ETIME : 0;
}

RUN_ATTR int pintle_prog_run(const struct pintle_prog *prog, void *ctx, uint64_t *result)
{
	struct slot_ctx *slot = quick_begin(__atomic_load_n(&prog->host_id, __ATOMIC_RELAXED));
	u64 r;

	if (unlikely(!slot))
		return run_long(prog, ctx, result);
	r = quick_run(slot, prog, ctx);
	if (result)
		*result = r;
	quick_end(slot);
	return 0;
}

int pintle_prog_set_budget(struct pintle_prog *prog, uint64_t turns, uint64_t ns)
{
	if (prog->code)
		return host_fail(prog->object->host, -EBUSY, "%s: program '%s' is loaded already",
				 prog->object->image->name, prog->image->name);
	prog->budget.turns = turns;
	prog->budget.ns = ns;
	return 0;
}

int prog_init(struct pintle_prog *prog)
{
	size_t size = slot_count(prog->object->host) * sizeof(prog->counts[0]);

	prog->counts = aligned_alloc(_Alignof(struct prog_count), size);
	if (!prog->counts)
		return -ENOMEM;
	memset(prog->counts, 0, size);
	return 0;
}

void prog_ready(struct pintle_prog *prog)
{
	const struct code *code = prog->code;

	if (!code->direct || code->budgets || prog->image->sleepable)
		return;
	prog->native = code->native;
	prog_quicken(prog);
}

/* Who is to be timed goes the long way. */
void prog_quicken(struct pintle_prog *prog)
{
	const struct pintle_host *host = prog->object->host;
	u64 id = prog->native && !host->stats ? host->id : NO_HOST;

	__atomic_store_n(&prog->host_id, id, __ATOMIC_RELAXED);
}

void prog_free(struct pintle_prog *prog)
{
	prog->host_id = NO_HOST;
	prog->native = NULL;
	code_free(prog->code);
	free(prog->counts);
	prog->code = NULL;
	prog->counts = NULL;
	prog->stats = (struct verify_stats){0};
}

static void sum_counts(const struct pintle_prog *prog, struct pintle_prog_info *info)
{
	u32 n = prog->counts ? slot_count(prog->object->host) : 0;

	for (u32 i = 0; i < n; i++) {
		struct prog_count *c = &prog->counts[i];

		info->runs += atomic_load_explicit(&c->runs, memory_order_relaxed);
		info->faults += atomic_load_explicit(&c->faults, memory_order_relaxed);
		info->cut += atomic_load_explicit(&c->cut, memory_order_relaxed);
		info->timed += atomic_load_explicit(&c->timed, memory_order_relaxed);
		info->timed_ns += atomic_load_explicit(&c->timed_ns, memory_order_relaxed);
	}
}

int pintle_prog_info(const struct pintle_prog *prog, struct pintle_prog_info *info)
{
	struct pintle_prog_info full = {
		.size = info->size,
		.insns = prog->image->ninsns,
		.insns_run = prog->code ? prog->code->ninsns : 0,
		.verified_insns = prog->stats.insns,
		.verified_states = prog->stats.states,
		.verify_ns = prog->stats.time_ns,
		.drops = atomic_load_explicit(&prog->drops, memory_order_relaxed),
		.links = prog->nlinks,
	};

	sum_counts(prog, &full);
	memcpy(info, &full, info->size < sizeof(full) ? info->size : sizeof(full));
	return 0;
}

const char *pintle_prog_name(const struct pintle_prog *prog)
{
	return prog->image->name;
}

const char *pintle_prog_section(const struct pintle_prog *prog)
{
	return prog->image->section;
}
