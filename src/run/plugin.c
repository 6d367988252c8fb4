/* SPDX-License-Identifier: MIT
 *
 * plugin.c: types and code that go again: a plugin that the host wants to dlclose() (rule
 * book F2, J3, J07). Its destructors must not be needed any more: so it is refused while
 * anything could still lead there, an open object file or a map that is still to be freed.
 */
#include "run/map.h"

static int busy(struct pintle_host *host, const char *name, const char *what, const char *which)
{
	return host_fail(host, -EBUSY, "%s cannot go: %s '%s'", name, what, which);
}

static const char *hook_of(const struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->abi.prog_types.n; i++) {
		const struct abi_prog_type *type = &host->abi.prog_types.v[i];

		if (type->btf == btf)
			return type->name;
		for (u32 f = 0; f < type->nfields; f++)
			if (type->fields[f].btf == btf)
				return type->name;
	}
	return NULL;
}

static const char *split_on(const struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->btfs.n; i++)
		if (btf_base(host->btfs.v[i]) == btf)
			return btf_name(host->btfs.v[i]);
	return NULL;
}

static int check_unused(struct pintle_host *host, const struct btf *btf)
{
	const char *name = btf_name(btf), *who;

	if (host->objects)
		return busy(host, name, "an object file is open,",
			    host->objects->image->name);
	pintle_drain(host); /* maps of closed ones wait for a grace period */
	if (host->maps)
		return busy(host, name, "a map may hold its objects,", host->maps->name);
	who = split_on(host, btf);
	if (who)
		return busy(host, name, "types are split on it,", who);
	who = hook_of(host, btf);
	return who ? busy(host, name, "programs have its types in their context,", who) : 0;
}

/* Keeps the rows for which @gone is false, in place. */
#define FILTER(vec, row, gone)                                                           \
	do {                                                                             \
		u32 kept_ = 0;                                                           \
		for (u32 i_ = 0; i_ < (vec)->n; i_++) {                                  \
			typeof((vec)->v) row = &(vec)->v[i_];                            \
			if (!(gone))                                                     \
				(vec)->v[kept_++] = *row;                                \
		}                                                                        \
		(vec)->n = kept_;                                                        \
	} while (0)

static bool names_again(struct pintle_host *host)
{
	bool ok = true;

	strmap_free(&host->abi.kfunc_names);
	strmap_free(&host->abi.var_names);
	for (u32 i = 0; i < host->abi.kfuncs.n; i++)
		ok &= strmap_set(&host->abi.kfunc_names, host->abi.kfuncs.v[i].name, i);
	for (u32 i = 0; i < host->abi.vars.n; i++)
		ok &= strmap_set(&host->abi.var_names, host->abi.vars.v[i].name, i);
	return ok;
}

/* Another plugin may have other functions at the same addresses. */
static void executors_remove(struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->storables.n; i++)
		if (host->storables.v[i]->btf == btf)
			executor_remove(host, host->storables.v[i]->dtor);
	for (u32 i = 0; i < host->exports.n; i++)
		if (host->abi.kfuncs.v[i].btf == btf)
			executor_remove(host, (void (*)(void *))host->exports.v[i].fn);
}

/* exports and vars are parallel to the rows that say whose they are. */
static void rows_remove(struct pintle_host *host, const struct btf *btf)
{
	const struct abi_kfunc *kfuncs = host->abi.kfuncs.v;
	const struct abi_var *vars = host->abi.vars.v;

	FILTER(&host->exports, e, kfuncs[e - host->exports.v].btf == btf);
	FILTER(&host->vars, v, vars[v - host->vars.v].btf == btf);
	FILTER(&host->abi.kfuncs, k, k->btf == btf);
	FILTER(&host->abi.vars, v, v->btf == btf);
	FILTER(&host->abi.members, m, m->btf == btf);
	FILTER(&host->abi.pools, p, p->btf == btf);
	pools_remove(host, btf);
	FILTER(&host->abi.storables, s, s->btf == btf);
	FILTER(&host->storables, s, (*s)->btf == btf);
	FILTER(&host->abi.btfs, b, *b == btf);
	FILTER(&host->btfs, b, *b == btf);
}

int pintle_host_remove_btf(struct pintle_host *host, const char *name)
{
	struct btf *btf = NULL;

	for (u32 i = 0; name && i < host->btfs.n; i++)
		if (!strcmp(btf_name(host->btfs.v[i]), name))
			btf = host->btfs.v[i];
	if (!btf)
		return host_fail(host, -ENOENT, "no types were added under the name '%s'",
				 name ? name : "");
	TRY(check_unused(host, btf));
	executors_remove(host, btf);
	rows_remove(host, btf);
	btf_close(btf);
	/* Without memory some names are not found any more: nothing else is wrong. */
	return names_again(host) ? 0 : host_oom(host);
}
