/* SPDX-License-Identifier: MIT
 *
 * plugin.c: types and code that go again: a plugin that the host wants to dlclose() (rule
 * book F2, J3, J07, M19). What pins it is what could still lead to its types or its code:
 *
 *	- an open object that names one of its functions or variables, has a map with a field
 *	  for one of its structs, or a program of one of its hooks or program types
 *	- a map with such a field for as long as it lives, whoever holds it; and so the types of
 *	  programs' own objects, which live as long as any such object
 *	- a deferred call: waited for; where that cannot be, the plugin stays
 *	- a table of operations of one of its structs, and the object behind any table that
 *	  somebody holds, whether it was closed or not
 *	- BTF that is split on its BTF
 *
 * Other objects stay open. Rows that those point into are emptied then, not moved.
 */
#include "run/field/local.h"
#include "run/lock.h"
#include "run/map/map.h"
#include "run/ops/ops.h"

/* Who pins: first found. */
struct pin {
	const struct btf *btf;
	char what[256]; /* "" : nobody */
};

static void pinned(struct pin *pin, const char *who, const char *name, const char *how,
		   const char *which)
{
	if (!*pin->what)
		snprintf(pin->what, sizeof(pin->what), "%s '%.80s' %s '%.80s'", who, name, how,
			 which);
}

static bool type_is_its(const struct abi_prog_type *type, const struct btf *btf)
{
	bool its = type->btf == btf;

	for (u32 f = 0; f < type->nfields; f++)
		its |= type->fields[f].btf == btf;
	return its;
}

/* ------------------------------------------------------------------ objects, maps, types */

static void pin_by_progs(struct pin *pin, const struct image *image)
{
	for (u32 i = 0; i < image->nprogs; i++) {
		const struct abi_prog_type *type = image->progs[i].type;

		if (type && type_is_its(type, pin->btf))
			pinned(pin, "object", image->name, "has a program of its", type->name);
	}
}

static bool ksym_is_its(const struct image_ksym *k, const struct btf *btf)
{
	return k->found && (k->btf == btf || (k->kfunc && k->kfunc->btf == btf) ||
			    (k->var && k->var->btf == btf));
}

static void pin_by_ksyms(struct pin *pin, const struct image *image)
{
	for (u32 i = 0; i < image->nksyms; i++)
		if (ksym_is_its(&image->ksyms[i], pin->btf))
			pinned(pin, "object", image->name,
			       image->ksyms[i].is_func ? "calls its function"
						       : "reads its variable",
			       image->ksyms[i].name);
}

/* Maps that are not made yet, too. */
static void pin_by_records(struct pin *pin, const struct image *image)
{
	for (u32 i = 0; i < image->nmaps; i++) {
		const struct record *rec = image->maps[i].record;
		const struct abi_ops *ops = image->maps[i].ops;

		if (ops && ops->btf == pin->btf)
			pinned(pin, "object", image->name, "has a table of its struct", ops->name);
		for (u32 f = 0; rec && f < rec->n; f++)
			if (rec->fields[f].btf == pin->btf)
				pinned(pin, "object", image->name, "has a field for its objects,",
				       rec->fields[f].path);
	}
}

static void pin_by_fields(struct pin *pin, const char *who, const char *name,
			  const struct fields *fields)
{
	for (u32 f = 0; fields && f < fields->n; f++) {
		const struct run_field *field = &fields->at[f];
		const struct btf *btf = field->storable ? field->storable->btf : field->btf;

		if (btf == pin->btf)
			pinned(pin, who, name, "has a field for its objects,",
			       field->path ? field->path : "?");
	}
}

static void pin_by_image(struct pin *pin, const struct image *image)
{
	pin_by_progs(pin, image);
	pin_by_ksyms(pin, image);
	pin_by_records(pin, image);
}

/* A table keeps its object after that was closed, while somebody holds it. */
static void pin_by_table(struct pin *pin, struct map *map)
{
	const struct ops_table *t = ops_table_of(map);

	if (t->type->abi->btf == pin->btf)
		pinned(pin, "map", map->name, "is a table of its struct", t->type->abi->name);
	if (t->object)
		pin_by_image(pin, t->object->image);
}

static void pin_by_maps(struct pin *pin, struct pintle_host *host)
{
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next) {
		pin_by_fields(pin, "map", map->name, map->fields);
		if (map->template)
			pin_by_fields(pin, "map", map->name, map->template->fields);
		if (map->type == MAP_STRUCT_OPS)
			pin_by_table(pin, map);
	}
	lock_drop(&host->maps_lock);
}

static void pin_by_local(void *data, const struct local_type *type)
{
	if (type->state == TYPE_READY)
		pin_by_fields(data, "a program's struct", type->name, type->fields);
}

static void pin_by_split(struct pin *pin, const struct pintle_host *host)
{
	for (u32 i = 0; i < host->btfs.n; i++)
		if (btf_base(host->btfs.v[i]) == pin->btf)
			pinned(pin, "BTF", btf_name(host->btfs.v[i]), "is split on",
			       btf_name(pin->btf));
}

static int check_unpinned(struct pintle_host *host, const struct btf *btf)
{
	struct pin pin = {.btf = btf};

	for (struct pintle_object *o = host->objects; o; o = o->next)
		pin_by_image(&pin, o->image);
	pin_by_maps(&pin, host);
	local_types_each(host, pin_by_local, &pin);
	pin_by_split(&pin, host);
	return *pin.what ? host_fail(host, -EBUSY, "%s cannot go: %s", btf_name(btf), pin.what)
			 : 0;
}

/* Maps of closed objects wait for a grace period; what is destroyed with the last of them
 * is queued when it goes. */
static int check_unused(struct pintle_host *host, const struct btf *btf)
{
	if (!defer_can_drain())
		return host_fail(host, -EBUSY, "%s cannot go: deferred calls of its functions "
				 "cannot be waited for inside a run, read section or "
				 "destructor", btf_name(btf));
	defer_drain(host);
	TRY(check_unpinned(host, btf));
	defer_drain(host);
	return 0;
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

/* An empty name: of a row that is gone. */
static bool names_again(struct pintle_host *host)
{
	bool ok = true;

	strmap_free(&host->abi.kfunc_names);
	strmap_free(&host->abi.var_names);
	for (u32 i = 0; i < host->abi.kfuncs.n; i++)
		if (*host->abi.kfuncs.v[i].name)
			ok &= strmap_set(&host->abi.kfunc_names, host->abi.kfuncs.v[i].name, i);
	for (u32 i = 0; i < host->abi.vars.n; i++)
		if (*host->abi.vars.v[i].name)
			ok &= strmap_set(&host->abi.var_names, host->abi.vars.v[i].name, i);
	return ok;
}

/* Another plugin may have other functions at the same addresses. */
static void code_forget(struct pintle_host *host, void (*fn)(void *))
{
	executor_remove(host, fn);
	weight_remove(host, fn);
}

static void calls_remove(struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->storables.n; i++)
		if (host->storables.v[i]->btf == btf)
			code_forget(host, host->storables.v[i]->dtor);
	for (u32 i = 0; i < host->exports.n; i++)
		if (host->abi.kfuncs.v[i].btf == btf)
			code_forget(host, (void (*)(void *))host->exports.v[i].fn);
}

/* exports and vars are parallel to the rows that say whose they are. */
static void names_empty(struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->abi.kfuncs.n; i++)
		if (host->abi.kfuncs.v[i].btf == btf) {
			host->abi.kfuncs.v[i] = (struct abi_kfunc){.name = ""};
			host->exports.v[i] = (struct export){.name = ""};
		}
	for (u32 i = 0; i < host->abi.vars.n; i++)
		if (host->abi.vars.v[i].btf == btf) {
			host->abi.vars.v[i] = (struct abi_var){.name = ""};
			host->vars.v[i] = NULL;
		}
	/* What is proved names rows by number. */
	for (u32 i = 0; i < host->abi.owners.n; i++)
		if (host->abi.owners.v[i].btf == btf)
			host->abi.owners.v[i] = (struct abi_space_owner){NULL, 0};
}

/* No object is open: nothing points at rows. */
static void names_remove(struct pintle_host *host)
{
	const struct abi_kfunc *kfuncs = host->abi.kfuncs.v;
	const struct abi_var *vars = host->abi.vars.v;

	FILTER(&host->exports, e, !*kfuncs[e - host->exports.v].name);
	FILTER(&host->vars, v, !*vars[v - host->vars.v].name);
	FILTER(&host->abi.kfuncs, k, !*k->name);
	FILTER(&host->abi.vars, v, !*v->name);
}

static void rows_remove(struct pintle_host *host, const struct btf *btf)
{
	names_empty(host, btf);
	if (!host->objects)
		names_remove(host);
	FILTER(&host->abi.members, m, m->btf == btf);
	FILTER(&host->abi.pools, p, p->btf == btf);
	pools_remove(host, btf);
	FILTER(&host->abi.storables, s, s->btf == btf);
	FILTER(&host->storables, s, (*s)->btf == btf);
	FILTER(&host->abi.btfs, b, *b == btf);
	FILTER(&host->btfs, b, *b == btf);
}

/* Hooks, and program types whose context is made of its types. Places in the table stay:
 * programs and functions know them by number. */
static void prog_types_remove(struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->abi.prog_types.n; i++) {
		struct abi_prog_type *type = &host->abi.prog_types.v[i];

		if (!type_is_its(type, btf))
			continue;
		hook_forget(host, type->name);
		FILTER(&host->helpers, h, !strcmp(h->prog_type, type->name));
		prog_type_gone(host, type);
	}
}

static int remove_btf(struct pintle_host *host, const char *name)
{
	struct btf *btf = NULL;

	for (u32 i = 0; name && i < host->btfs.n; i++)
		if (!strcmp(btf_name(host->btfs.v[i]), name))
			btf = host->btfs.v[i];
	if (!btf)
		return host_fail(host, -ENOENT, "no types were added under the name '%s'",
				 name ? name : "");
	TRY(check_unused(host, btf));
	calls_remove(host, btf);
	prog_types_remove(host, btf);
	ops_forget(host, btf);
	FILTER(&host->abi.ops, o, (*o)->btf == btf);
	rows_remove(host, btf);
	btf_close(btf);
	/* Without memory some names are not found any more: nothing else is wrong. */
	return names_again(host) ? 0 : host_oom(host);
}

int pintle_host_remove_btf(struct pintle_host *host, const char *name)
{
	int err, state;

	TRY(host_check(host));
	config_begin(host, &state);
	err = remove_btf(host, name);
	config_end(host, state);
	return err;
}
