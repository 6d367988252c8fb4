/* SPDX-License-Identifier: MIT
 *
 * hook.c: hooks: their program types, the lists of programs attached to them, and calls.
 * Which program is where is link.c's business.
 *
 * A list is immutable but for one thing: the program of a place may be changed for another
 * (pintle_link_update()) or for none (without memory for a shorter list). Lists are
 * replaced under RCU: runs read the list inside their section, replaced ones are freed
 * after a grace period of both domains.
 *
 * What a call does beyond running one program after the other without cookies, results that
 * count or statistics is done by lists and hooks that are marked for the long way, so that
 * the short one does not ask.
 *
 * Ordering: publishing is a release store of pintle_hook.active, and pairs with the
 * acquire load in list_of().
 */
#include "run/enter.h"
#include "run/hook.h"

/* ------------------------------------------------------------------ registration */

static char *prefixed(struct pintle_host *host, const char *prefix, const char *name)
{
	return arena_printf(host->arena, "%s%s", prefix, name);
}

static int hook_type(struct pintle_host *host, const struct pintle_hook *hook,
		     const struct pintle_hook_opts *o, struct abi_prog_type *type)
{
	char *func_name = prefixed(host, "pintle_hook__", hook->name);
	u32 func;

	type->name = prefixed(host, "hook/", hook->name);
	type->section = type->name;
	if (!func_name || !type->name)
		return host_oom(host);
	if (!host_find_func(host, func_name, &type->btf, &func))
		return host_fail(host, -ENOENT,
				 "hook %s: %s() is not in the host's BTF: is the hook defined "
				 "by PINTLE_HOOK, and the BTF this program's?",
				 hook->name, func_name);
	type->kind = PROG_ARGS;
	type->proto = btf_type(type->btf, func)->type;
	type->ctx_size = 8 * btf_vlen(btf_type(type->btf, type->proto));
	type->may_sleep = o->sleepable;
	type->in_signals = o->in_signals;
	type->has_ret_range = o->has_ret_range;
	type->ret_min = o->ret_min;
	type->ret_max = o->ret_max;
	return proto_check(host, type->name, type->btf, type->proto);
}

/* How wide results are that are compared. */
static void result_shape(struct hook *state, const struct abi_prog_type *type)
{
	u32 id = btf_skip_mods(type->btf, btf_type(type->btf, type->proto)->type), size = 8;
	const struct btf_type *t = id ? btf_type(type->btf, id) : NULL;

	if (id)
		btf_size(type->btf, id, &size);
	state->ret_size = size < 8 ? (u8)size : 8;
	state->ret_signed = !t || (btf_kind(t) == BTF_INT && btf_int_signed(t));
}

static void state_free(struct hook *state)
{
	if (state)
		free(state->counts);
	free(state);
}

static struct hook *state_new(struct pintle_host *host, struct pintle_hook *hook,
			      const struct pintle_hook_opts *o,
			      const struct abi_prog_type *type)
{
	struct hook *state = calloc(1, sizeof(*state));
	size_t size = slot_count(host) * sizeof(state->counts[0]);

	if (!state)
		return NULL;
	state->at = hook;
	state->host = host;
	state->results = o->results;
	state->sleepable = o->sleepable;
	state->in_signals = o->in_signals;
	result_shape(state, type);
	state->counts = aligned_alloc(_Alignof(struct hook_count), size);
	if (!state->counts) {
		state_free(state);
		return NULL;
	}
	memset(state->counts, 0, size);
	return state;
}

u64 hook_quick(const struct hook *hook)
{
	return hook->sleepable || hook->in_signals || hook->host->stats ? NO_HOST : hook->host->id;
}

static int hook_check(struct pintle_host *host, const struct pintle_hook *hook,
		      const struct pintle_hook_opts *o)
{
	if (!hook || !hook->name)
		return host_fail(host, -EINVAL, "hook: no name given");
	if (hook->host)
		return host_fail(host, hook->host == host ? -EEXIST : -EBUSY,
				 "hook %s is registered already", hook->name);
	if (o->has_ret_range && o->ret_min > o->ret_max)
		return host_fail(host, -EINVAL, "hook %s: ret_min is over ret_max", hook->name);
	if (o->in_signals && o->sleepable)
		return host_fail(host, -EINVAL, "hook %s: nothing sleeps in a signal handler",
				 hook->name);
	if ((u32)o->results > PINTLE_RESULT_MAX)
		return host_fail(host, -EINVAL, "hook %s: no such way with results", hook->name);
	return 0;
}

int pintle_hook_register(struct pintle_host *host, struct pintle_hook *hook,
			 const struct pintle_hook_opts *opts)
{
	struct abi_prog_type type = {0};
	struct pintle_hook_opts o;
	struct hook *state;
	int err;

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	TRY(hook_check(host, hook, &o));
	TRY(hook_type(host, hook, &o, &type));
	TRY(prog_type_cut_result(host, &type, o.cut_result));
	if (prog_type_find(host, type.name) >= 0)
		return host_fail(host, -EEXIST, "hook %s exists already", hook->name);
	state = state_new(host, hook, &o, &type);
	if (!state || !vec_reserve(&host->hooks, 1)) {
		state_free(state);
		return host_oom(host);
	}
	err = prog_type_push(host, &type);
	if (err) {
		state_free(state);
		return err;
	}
	(void)vec_push(&host->hooks, state);
	hook->state = state;
	hook->host = host;
	hook->quick = hook_quick(state);
	return 0;
}

/* What is left is a list of empty places. */
static void hook_free(struct hook *hook)
{
	free(hook_publish(hook, NULL));
	hook->at->quick = NO_HOST;
	hook->at->state = NULL;
	hook->at->host = NULL;
	state_free(hook);
}

/* Links that are dead, of @hook; NULL: of all. */
static void forget_dead(struct pintle_host *host, const struct hook *hook)
{
	struct pintle_link **at = &host->dead_links;

	while (*at) {
		struct pintle_link *link = *at;

		if (hook && link->hook != hook) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		free(link);
	}
}

/* Every object is closed and nobody runs. */
void hooks_free(struct pintle_host *host)
{
	forget_dead(host, NULL);
	for (u32 i = 0; i < host->hooks.n; i++)
		hook_free(host->hooks.v[i]);
	host->hooks.n = 0;
}

void hook_forget(struct pintle_host *host, const char *name)
{
	if (strncmp(name, "hook/", 5))
		return;
	for (u32 i = 0; i < host->hooks.n; i++)
		if (!strcmp(host->hooks.v[i]->at->name, name + 5)) {
			forget_dead(host, host->hooks.v[i]);
			hook_free(host->hooks.v[i]);
			host->hooks.v[i] = host->hooks.v[--host->hooks.n];
			return;
		}
}

/* ------------------------------------------------------------------ lists */

static const struct hook_list *list_of(const struct pintle_hook *hook)
{
	return __atomic_load_n(&hook->active, __ATOMIC_ACQUIRE);
}

static const struct pintle_prog *prog_at(const struct hook_entry *entry)
{
	/* acquire: pairs with the release in pintle_link_update() */
	return atomic_load_explicit(&entry->prog, memory_order_acquire);
}

static struct hook_list *list_alloc(struct hook *hook, u32 n)
{
	struct hook_list *list = calloc(1, sizeof(*list) + n * sizeof(list->at[0]));

	if (list)
		list->hook = hook;
	return list;
}

/* What is on @link's place; NULL: nothing. */
static const struct pintle_prog *prog_of(const struct pintle_link *link, bool after)
{
	if (link->move == (after ? LINK_GOES : LINK_COMES))
		return NULL;
	return after && link->to ? link->to : link->prog;
}

static bool is_short(const struct hook_list *list)
{
	if (list->all > 1 && list->hook->results != PINTLE_RESULT_LAST)
		return false;
	for (u32 i = 0; i < list->all; i++)
		if (list->at[i].cookie)
			return false;
	return true;
}

int hook_list_make(struct hook *hook, bool after, struct hook_list **out)
{
	struct hook_list *list;
	u32 n = 0;

	*out = NULL;
	for (const struct pintle_link *l = hook->links; l; l = l->next)
		n += prog_of(l, after) != NULL;
	if (!n)
		return 0;
	list = list_alloc(hook, n);
	if (!list)
		return -ENOMEM;
	for (const struct pintle_link *l = hook->links; l; l = l->next) {
		const struct pintle_prog *prog = prog_of(l, after);

		if (!prog)
			continue;
		list->at[list->all].cookie = l->cookie;
		list->at[list->all].link = l;
		atomic_init(&list->at[list->all++].prog, prog);
	}
	list->n = is_short(list) ? list->all : 0;
	*out = list;
	return 0;
}

struct hook_list *hook_list_of_sides(struct hook *hook, const struct swap *swap)
{
	struct hook_list *list = list_alloc(hook, 0);

	if (list)
		list->swap = swap;
	return list;
}

/* release: pairs with the acquire in list_of() */
struct hook_list *hook_publish(struct hook *hook, struct hook_list *list)
{
	struct hook_list *old = hook->list;

	hook->list = list;
	__atomic_store_n(&hook->at->active, list, __ATOMIC_RELEASE);
	return old;
}

/* ------------------------------------------------------------------ running */

/* Programs of a sleepable hook that do not sleep themselves run in domain N, as any. */
static u64 run_one(const struct run_scope *scope, const struct pintle_prog *prog,
		   const u64 *args)
{
	bool section = scope->sleepable && !prog->image->sleepable;
	struct pintle_host *host = prog->object->host;
	u64 result;

	if (section)
		run_read_lock(host);
	result = run_prog(scope, prog, args);
	if (section)
		run_read_unlock(host);
	return result;
}

/* The results of one call so far. */
struct tally {
	const struct hook *hook;
	u64 result;
	bool any;
};

/* @result as the hook's prototype has it. */
static s64 as_returned(const struct hook *hook, u64 result)
{
	u32 drop = 64 - 8 * (u32)hook->ret_size;

	return hook->ret_signed ? (s64)(result << drop) >> drop
				: (s64)(result << drop >> drop);
}

static bool is_less(const struct hook *hook, u64 a, u64 b)
{
	s64 x = as_returned(hook, a), y = as_returned(hook, b);

	return hook->ret_signed ? x < y : (u64)x < (u64)y;
}

static bool takes(const struct tally *t, u64 result)
{
	switch (t->hook->results) {
	case PINTLE_RESULT_FIRST_NONZERO:
		return !as_returned(t->hook, t->result);
	case PINTLE_RESULT_MIN:
		return is_less(t->hook, result, t->result);
	case PINTLE_RESULT_MAX:
		return is_less(t->hook, t->result, result);
	default:
		return true;
	}
}

/* Whether the next program runs at all. */
static bool count_in(struct tally *t, u64 result)
{
	if (!t->any || takes(t, result))
		t->result = result;
	t->any = true;
	return t->hook->results != PINTLE_RESULT_UNTIL_NONZERO ||
	       !as_returned(t->hook, t->result);
}

static u64 run_entries(const struct run_scope *scope, const struct hook_list *list,
		       const u64 *args)
{
	struct slot_ctx *slot = scope->slot;
	struct tally tally = {.hook = list->hook};
	u64 cookie = slot->cookie;
	bool more = true;

	for (u32 i = 0; i < list->all && more; i++) {
		const struct pintle_prog *prog = prog_at(&list->at[i]);

		if (!prog)
			continue;
		slot->cookie = list->at[i].cookie;
		more = count_in(&tally, run_one(scope, prog, args));
	}
	slot->cookie = cookie;
	return tally.result;
}

static bool has_side(const struct swap *swap, const struct slot_ctx *slot)
{
	return (slot->side - 1) / 2 == swap->number;
}

/* acquire: both pair with the releases in replace.c */
bool swap_side(const struct swap *swap, const struct slot_ctx *slot)
{
	return has_side(swap, slot)
		       ? slot->side == swap->number * 2 + 2
		       : atomic_load_explicit(&swap->settled, memory_order_acquire);
}

bool swap_choose(const struct swap *swap, const struct run_scope *scope)
{
	return swap_take(swap, scope,
			 scope->before ? swap_side(swap, scope->slot)
				       : atomic_load_explicit(&swap->is_over,
							      memory_order_acquire));
}

bool swap_take(const struct swap *swap, const struct run_scope *scope, bool side)
{
	if (scope->before && has_side(swap, scope->slot))
		return false;
	scope->slot->side = swap->number * 2 + 1 + side;
	return true;
}

bool swap_side_now(const struct swap *swap, struct pintle_host *host)
{
	const struct slot_ctx *slot = slot_current();

	if (!slot)
		return atomic_load_explicit(&swap->is_over, memory_order_acquire);
	if (slot->host != host) /* a run of another host, inside of one of this, or not */
		slot = slot_get(host);
	return slot ? swap_side(swap, slot)
		    : atomic_load_explicit(&swap->settled, memory_order_acquire);
}

static u64 run_sides(const struct run_scope *scope, const struct hook_list *list,
		     const u64 *args)
{
	struct slot_ctx *slot = scope->slot;
	const struct hook_list *mine;
	u64 result, before = slot->side;
	bool chosen = swap_choose(list->swap, scope);

	mine = list->sides[swap_side(list->swap, slot)];
	result = mine ? run_entries(scope, mine, args) : 0;
	if (chosen)
		slot->side = before;
	return result;
}

static u64 run_list(const struct run_scope *scope, const struct hook_list *list,
		    const u64 *args)
{
	if (!list)
		return 0;
	return list->swap ? run_sides(scope, list, args) : run_entries(scope, list, args);
}

static u64 run_counted(const struct run_scope *scope, const struct hook *hook, u32 mode,
		       const u64 *args)
{
	const struct hook_list *list = list_of(hook->at);
	struct hook_count *c = &hook->counts[scope->slot->index];
	u64 calls = c->calls, result, begin = stats_due(mode, calls) ? stats_now() : 0;

	if (!list)
		return 0;
	result = run_list(scope, list, args);
	atomic_store_explicit(&c->calls, c->calls + 1, memory_order_relaxed);
	if (begin) {
		atomic_store_explicit(&c->timed_ns, c->timed_ns + stats_now() - begin,
				      memory_order_relaxed);
		atomic_store_explicit(&c->timed, c->timed + 1, memory_order_relaxed);
	}
	return result;
}

static bool hook_begin(struct run_scope *scope, const struct hook *hook)
{
	return hook->in_signals ? run_begin_in_signal(scope, hook->host)
				: run_begin(scope, hook->host, hook->sleepable);
}

static __attribute__((cold, noinline)) int64_t run_long(const struct pintle_hook *hook,
						  const uint64_t *args)
{
	struct run_scope scope;
	struct hook *state = hook->state;
	u32 mode;
	u64 result;

	if (!state)
		return 0;
	if (!hook_begin(&scope, state)) {
		atomic_fetch_add_explicit(&state->drops, 1, memory_order_relaxed);
		return 0;
	}
	mode = atomic_load_explicit(&hook->host->stats, memory_order_relaxed);
	result = mode ? run_counted(&scope, state, mode, args)
		      : run_list(&scope, list_of(hook), args);
	run_end(&scope);
	return (int64_t)result;
}

/* Programs of a hook that does not sleep do not either. */
RUN_ATTR int64_t pintle_hook_run(struct pintle_hook *hook, const uint64_t *args,
				 unsigned int nargs)
{
	struct run_scope scope = {
		.slot = quick_begin(__atomic_load_n(&hook->quick, __ATOMIC_RELAXED))};
	const struct hook_list *list;
	u64 result = 0;

	if (unlikely(!scope.slot))
		return run_long(hook, args);
	list = list_of(hook);
	if (unlikely(!list || !list->n))
		result = run_list(&scope, list, args);
	for (u32 i = 0; list && i < list->n; i++) {
		const struct pintle_prog *prog = prog_at(&list->at[i]);

		if (likely(prog != NULL))
			result = prog->native ? quick_run(scope.slot, prog, args)
					      : run_prog(&scope, prog, args);
	}
	quick_end(scope.slot);
	return (int64_t)result;
}
