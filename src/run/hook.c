/* SPDX-License-Identifier: MIT
 *
 * hook.c: hooks: their program types, and the lists of programs attached to them.
 *
 * A list is immutable but for one thing: without memory for a shorter list, detaching
 * empties the program's place instead. Lists are replaced under RCU: runs read the list
 * inside their section, replaced ones are freed after a grace period of both domains.
 *
 * Ordering: publishing is a release store of pintle_hook.active, and pairs with the
 * acquire load in pintle_hook_run().
 */
#include "run/enter.h"

enum { HOOK_IN_SIGNALS = 2 }; /* pintle_hook.sleepable: neither, and may be interrupting */

struct hook_list {
	u32 n;
	atomic(const struct pintle_prog *) at[];
};

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

int pintle_hook_register(struct pintle_host *host, struct pintle_hook *hook,
			 const struct pintle_hook_opts *opts)
{
	struct abi_prog_type type = {0};
	struct pintle_hook_opts o;

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (!hook || !hook->name)
		return host_fail(host, -EINVAL, "hook: no name given");
	if (hook->host)
		return host_fail(host, hook->host == host ? -EEXIST : -EBUSY,
				 "hook %s is registered already", hook->name);
	if (o.has_ret_range && o.ret_min > o.ret_max)
		return host_fail(host, -EINVAL, "hook %s: ret_min is over ret_max", hook->name);
	if (o.in_signals && o.sleepable)
		return host_fail(host, -EINVAL, "hook %s: nothing sleeps in a signal handler",
				 hook->name);
	TRY(hook_type(host, hook, &o, &type));
	TRY(prog_type_cut_result(host, &type, o.cut_result));
	if (prog_type_find(host, type.name) >= 0)
		return host_fail(host, -EEXIST, "hook %s exists already", hook->name);
	if (!vec_reserve(&host->hooks, 1))
		return host_oom(host);
	TRY(prog_type_push(host, &type));
	(void)vec_push(&host->hooks, hook);
	hook->sleepable = o.in_signals ? HOOK_IN_SIGNALS : o.sleepable;
	hook->host = host;
	return 0;
}

/* What is left is a list of empty places. */
static void hook_free(struct pintle_hook *hook)
{
	free(hook->active);
	hook->active = NULL;
	hook->host = NULL;
}

/* Every object is closed and nobody runs. */
void hooks_free(struct pintle_host *host)
{
	for (u32 i = 0; i < host->hooks.n; i++)
		hook_free(host->hooks.v[i]);
	host->hooks.n = 0;
}

void hook_forget(struct pintle_host *host, const char *name)
{
	if (strncmp(name, "hook/", 5))
		return;
	for (u32 i = 0; i < host->hooks.n; i++)
		if (!strcmp(host->hooks.v[i]->name, name + 5)) {
			hook_free(host->hooks.v[i]);
			host->hooks.v[i] = host->hooks.v[--host->hooks.n];
			return;
		}
}

/* ------------------------------------------------------------------ lists */

static struct hook_list *list_of(const struct pintle_hook *hook)
{
	return __atomic_load_n(&hook->active, __ATOMIC_ACQUIRE);
}

/* A copy of @old (NULL: empty) without @drop and with @add behind; NULL: no memory. */
static struct hook_list *list_with(struct hook_list *old, const struct pintle_prog *drop,
				   const struct pintle_prog *add)
{
	u32 n = old ? old->n : 0;
	struct hook_list *list = calloc(1, sizeof(*list) + (n + 1) * sizeof(list->at[0]));

	if (!list)
		return NULL;
	for (u32 i = 0; i < n; i++) {
		const struct pintle_prog *prog =
			atomic_load_explicit(&old->at[i], memory_order_relaxed);

		if (prog && prog != drop)
			atomic_init(&list->at[list->n++], prog);
	}
	if (add)
		atomic_init(&list->at[list->n++], add);
	return list;
}

/* release: pairs with the acquire in list_of() */
static void list_publish(struct pintle_hook *hook, struct hook_list *list)
{
	struct hook_list *old = hook->active;

	if (list && !list->n) {
		free(list);
		list = NULL;
	}
	__atomic_store_n(&hook->active, list, __ATOMIC_RELEASE);
	if (old)
		defer_call(hook->host, free, old);
}

static struct pintle_hook *hook_of(const struct pintle_prog *prog)
{
	const struct pintle_host *host = prog->object->host;
	const struct abi_prog_type *type = prog->image->type;

	for (u32 i = 0; type && i < host->hooks.n; i++)
		if (!strncmp(type->name, "hook/", 5) &&
		    !strcmp(type->name + 5, host->hooks.v[i]->name))
			return host->hooks.v[i];
	return NULL;
}

int hook_attach(struct pintle_prog *prog)
{
	struct pintle_host *host = prog->object->host;
	struct pintle_hook *hook = hook_of(prog);
	struct hook_list *list;

	if (!prog->code)
		return host_fail(host, -EINVAL, "program '%s' is not loaded",
				 prog->image->name);
	if (prog->hook)
		return host_fail(host, -EEXIST, "program '%s' is attached already",
				 prog->image->name);
	if (!hook)
		return host_fail(host, -ENOENT,
				 "program '%s': its section '%s' names no hook of this host",
				 prog->image->name, prog->image->section);
	list = list_with(hook->active, NULL, prog);
	if (!list)
		return host_oom(host);
	prog->hook = hook;
	list_publish(hook, list);
	return 0;
}

void hook_detach(struct pintle_prog *prog)
{
	struct pintle_hook *hook = prog->hook;
	struct hook_list *old, *list;

	if (!hook)
		return;
	prog->hook = NULL;
	old = hook->active;
	list = list_with(old, prog, NULL);
	if (list) {
		list_publish(hook, list);
		return;
	}
	for (u32 i = 0; i < old->n; i++)
		if (atomic_load_explicit(&old->at[i], memory_order_relaxed) == prog)
			atomic_store_explicit(&old->at[i], NULL, memory_order_relaxed);
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

static bool hook_begin(struct run_scope *scope, const struct pintle_hook *hook)
{
	return hook->sleepable == HOOK_IN_SIGNALS
		       ? run_begin_in_signal(scope, hook->host)
		       : run_begin(scope, hook->host, hook->sleepable);
}

static __attribute__((cold, noinline)) int64_t run_long(const struct pintle_hook *hook,
						  const uint64_t *args)
{
	struct run_scope scope;
	struct hook_list *list;
	u64 result = 0;

	if (unlikely(!hook->host || !hook_begin(&scope, hook)))
		return 0;
	list = list_of(hook);
	for (u32 i = 0; list && i < list->n; i++) {
		const struct pintle_prog *prog =
			atomic_load_explicit(&list->at[i], memory_order_relaxed);

		if (likely(prog != NULL))
			result = run_one(&scope, prog, args);
	}
	run_end(&scope);
	return (int64_t)result;
}

/* Programs of a hook that does not sleep do not either. */
RUN_ATTR int64_t pintle_hook_run(struct pintle_hook *hook, const uint64_t *args,
				 unsigned int nargs)
{
	struct run_scope scope = {0};
	struct hook_list *list;
	u64 result = 0;

	if (likely(hook->host && !hook->sleepable))
		scope.slot = quick_begin(hook->host->id);
	if (unlikely(!scope.slot))
		return run_long(hook, args);
	list = list_of(hook);
	for (u32 i = 0; list && i < list->n; i++) {
		const struct pintle_prog *prog =
			atomic_load_explicit(&list->at[i], memory_order_relaxed);

		if (likely(prog != NULL))
			result = prog->native ? quick_run(scope.slot, prog, args)
					      : run_prog(&scope, prog, args);
	}
	quick_end(scope.slot);
	return (int64_t)result;
}
