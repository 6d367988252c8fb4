/* SPDX-License-Identifier: MIT
 *
 * load.c: loading an object: every program is verified, then the maps are made, then the
 * proofs are lowered to code, and that is compiled. All or nothing: whatever fails,
 * everything made so far goes, and the object is as it was when it was opened.
 */
#include "jit/jit.h"
#include "run/keep.h"
#include "run/field/local.h"
#include "run/map/arena.h"
#include "run/map/outer.h"
#include "run/ops/ops.h"

/* ------------------------------------------------------------------ verify */

/* One load: proofs by program, NULL where a program is not loaded. */
struct loading {
	struct pintle_object *object;
	struct pintle_host *host;
	const struct pintle_load_opts *opts;
	const struct load_from *from; /* or NULL */
	struct proof **proofs;
};

static bool is_wanted(const struct loading *ld, const struct image_prog *prog)
{
	return ld->opts->only ? !strcmp(prog->name, ld->opts->only) : prog->autoload;
}

static int type_check(const struct loading *ld, const struct image_prog *prog)
{
	if (prog->wrong)
		return host_fail(ld->host, -EINVAL, "%s: program '%s': %s",
				 ld->object->image->name, prog->name, prog->wrong);
	if (!prog->type)
		return host_fail(ld->host, -EINVAL,
				 "%s: program '%s': no program type or hook of this host "
				 "claims its section '%s'", ld->object->image->name,
				 prog->name, prog->section);
	if (prog->sleepable && !prog->type->may_sleep)
		return host_fail(ld->host, -EINVAL,
				 "%s: program '%s': programs of type %s may not sleep: "
				 "drop the .s from its section '%s'", ld->object->image->name,
				 prog->name, prog->type->name, prog->section);
	return 0;
}

static int refused(const struct loading *ld, const struct image_prog *prog, int err,
		   const struct rejection *why)
{
	const struct log *log = &ld->object->log;
	const char *words = why->explanation ? why->explanation : why->message;

	if (!words)
		words = *log->error ? log->error : strerror(-err);
	return host_fail(ld->host, err, "%s: program '%s' was refused: %s",
			 ld->object->image->name, prog->name, words);
}

static int verify_one(struct loading *ld, u32 i)
{
	const struct image_prog *prog = &ld->object->image->progs[i];
	struct verify_opts vo = {.log_level = ld->object->log.level};
	struct rejection why = {0};
	struct arena *arena;
	int err;

	TRY(type_check(ld, prog));
	arena = arena_new(); /* of the words of a refusal */
	if (!arena)
		return host_oom(ld->host);
	err = verify(arena, &ld->object->log, ld->object->image, prog, &vo, &ld->proofs[i],
		     &why, &ld->object->progs[i].stats);
	if (err)
		refused(ld, prog, err, &why);
	arena_free(arena);
	return err;
}

static int verify_all(struct loading *ld)
{
	const struct image *image = ld->object->image;
	bool any = false;

	for (u32 i = 0; i < image->nprogs; i++) {
		if (!is_wanted(ld, &image->progs[i]))
			continue;
		TRY(verify_one(ld, i));
		any = true;
	}
	if (ld->opts->only && !any)
		return host_fail(ld->host, -ENOENT, "%s: no program '%s'", image->name,
				 ld->opts->only);
	return 0;
}

/* ------------------------------------------------------------------ maps */

/* A template of inner maps is no map of the object itself. */
static bool is_template(const struct image *image, u32 index)
{
	for (u32 i = 0; i < image->nmaps; i++)
		if (image->maps[i].inner == (s32)index)
			return true;
	return false;
}

/* What @i was in the object whose place is taken, if that has it as a map. */
static struct pintle_map *map_before(const struct loading *ld, u32 i)
{
	const struct image_map *def = &ld->object->image->maps[i];
	struct pintle_map *old = ld->from ? pintle_map_find(ld->from->old, def->name) : NULL;

	return old && old->map && (old->image->kind == IMAP_DECLARED) ==
					  (def->kind == IMAP_DECLARED)
		       ? old
		       : NULL;
}

/* Keeps the map of the older object: 1. 0: a new one is made. */
static int map_keep(struct loading *ld, u32 i)
{
	const struct image_map *def = &ld->object->image->maps[i];
	struct pintle_map *old = map_before(ld, i);
	struct keep keep = {.new = ld->object->image};
	bool data = def->kind != IMAP_DECLARED;
	int answer;

	if (!old || def->kind == IMAP_RODATA || def->kind == IMAP_OPS || (data && !ld->from->keep_data) ||
	    (def->type == MAP_PROG_ARRAY && old->image->type == MAP_PROG_ARRAY))
		return 0;
	keep.old = ld->from->old->image;
	answer = data ? keep_same_data(&keep, old->image, def)
		      : keep_same_map(&keep, old->image, def);
	if (answer < 0)
		return host_oom(ld->host);
	if (answer && data)
		return 0;
	if (answer)
		return host_fail(ld->host, -EINVAL,
				 "%s: map '%s' cannot be kept: %s. Give it another name, or "
				 "close the object that runs first", ld->object->image->name,
				 def->name, keep.why);
	map_get(old->map);
	ld->object->maps[i].map = old->map;
	ld->object->maps[i].kept = true;
	return 1;
}

static int map_make(struct loading *ld, u32 i)
{
	struct pintle_object *object = ld->object;
	const struct image_map *def = &object->image->maps[i];
	const struct image_map *inner =
		def->inner < 0 ? NULL : &object->image->maps[def->inner];
	int err;

	if (is_template(object->image, i))
		return 0;
	err = map_keep(ld, i);
	if (err)
		return err < 0 ? err : 0;
	err = map_create(&object->log, ld->host, def, inner, &object->maps[i].map);
	if (!err && def->type == MAP_ARENA && def->data_size)
		err = arena_map_fill(object->maps[i].map, def->data, def->data_size);
	return err ? host_fail(ld->host, err, "%s: %s", object->image->name,
			       *object->log.error ? object->log.error : strerror(-err))
		   : 0;
}

static int maps_make(struct loading *ld)
{
	for (u32 i = 0; i < ld->object->image->nmaps; i++)
		TRY(map_make(ld, i));
	return 0;
}

enum { LD_IMM64 = 0x18 };

/* A program must agree with all others that jump through the arrays it names. */
static int bind_arrays(struct loading *ld, const struct image_prog *prog)
{
	for (u32 i = 0; i < prog->ninsns; i++) {
		const struct insn *insn = &prog->insns[i];
		struct map *map;

		if (insn->code != LD_IMM64 || insn->src != IMM_MAP)
			continue;
		map = ld->object->maps[insn->imm].map;
		if (map && map->type == MAP_PROG_ARRAY && prog_array_bind(map, prog))
			return host_fail(ld->host, -EINVAL,
					 "%s: program '%s': map '%s': programs of another "
					 "type, or that sleep as others do not, jump "
					 "through it", ld->object->image->name, prog->name,
					 map->name);
	}
	return 0;
}

static int bind_all(struct loading *ld)
{
	for (u32 i = 0; i < ld->object->image->nprogs; i++)
		if (ld->proofs[i])
			TRY(bind_arrays(ld, &ld->object->image->progs[i]));
	return 0;
}

/* A program that is not loaded leaves its place empty. */
static int set_value(struct loading *ld, struct map *map, const struct image_value *value)
{
	struct pintle_object *object = ld->object;
	void *ref = value->map >= 0 ? (void *)object->maps[value->map].map
				    : (void *)&object->progs[value->prog];
	int err = 0;

	if (value->map >= 0 || object->progs[value->prog].code) {
		run_read_lock(ld->host);
		err = map->ops->put(map, &value->key, ref, 0);
		run_read_unlock(ld->host);
	}
	return err ? host_fail(ld->host, err, "%s: map '%s': value %u: %s%s",
			       object->image->name, map->name, value->key,
			       strerror(-err), err == -EINVAL ? " (D_INNER: it does not fit)"
							      : "")
		   : 0;
}

static int values_set(struct loading *ld)
{
	for (u32 i = 0; i < ld->object->image->nmaps; i++) {
		const struct image_map *def = &ld->object->image->maps[i];

		for (u32 k = 0; k < def->nvalues && !ld->object->maps[i].kept; k++)
			TRY(set_value(ld, ld->object->maps[i].map, &def->values[k]));
	}
	return 0;
}

/* With one program alone no table is complete: none can be attached. */
static int tables_ready(struct loading *ld)
{
	for (u32 i = 0; !ld->opts->only && i < ld->object->image->nmaps; i++)
		if (ld->object->image->maps[i].kind == IMAP_OPS)
			TRY(ops_ready(ld->object, ld->object->maps[i].map));
	return 0;
}

/* ------------------------------------------------------------------ lower */

static void *link_map(void *data, u32 index)
{
	const struct pintle_object *object = data;

	return index < object->image->nmaps ? object->maps[index].map : NULL;
}

static void *link_map_value(void *data, u32 index)
{
	struct map *map = link_map(data, index);

	if (map && map->type == MAP_ARENA)
		return arena_map_start(map);
	return map && map->ops->direct ? map->ops->direct(map) : NULL;
}

static bool link_array(void *data, u32 index, struct link_array *out)
{
	struct map *map = link_map(data, index);

	return map && (map_array_layout(map, out) || map_percpu_array_layout(map, out));
}

static u64 link_window(void *data, u32 index)
{
	struct map *map = link_map(data, index);

	return map && map->type == MAP_ARENA ? arena_map_window(map) : 0;
}

static void *link_lookup(void *data, u32 index)
{
	struct map *map = link_map(data, index);

	return map ? (void *)map->ops->lookup : NULL;
}

static void *link_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	const struct pintle_object *object = data;

	return helper_find(object->host, type, id);
}

static bool link_own_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	const struct pintle_object *object = data;

	return helper_is_own(object->host, type, id);
}

static void *link_kfunc(void *data, const struct abi_kfunc *kfunc)
{
	const struct pintle_object *object = data;

	return export_find(object->host, kfunc);
}

static void *link_var(void *data, const struct abi_var *var)
{
	const struct pintle_object *object = data;

	return export_var(object->host, var);
}

static void *link_local(void *data, u32 type)
{
	struct pintle_object *object = data;
	struct local_type *local;

	return local_type_get(&object->log, object->host, object->image->btf, type, &local)
		       ? NULL
		       : local;
}

static void *link_pool(void *data, const struct btf *btf, u32 type)
{
	const struct pintle_object *object = data;

	return (void *)(uintptr_t)pool_find(object->host, btf, type);
}

/* --- programs with a budget (src/lower/lower_meter.c) --- */

/* A function that takes back one reference to a @type, and nothing else. */
static void *find_release(struct pintle_host *host, const struct btf *btf, u32 type)
{
	for (u32 i = 0; i < host->exports.n; i++) {
		const struct abi_kfunc *kfunc = &host->abi.kfuncs.v[i];
		const struct btf_type *proto;

		if (kfunc->btf != btf || !(kfunc->flags & KF_RELEASE))
			continue;
		proto = btf_type(btf, kfunc->proto);
		if (btf_vlen(proto) == 1 && btf_pointee(btf, btf_params(proto)[0].type) == type)
			return export_find(host, kfunc);
	}
	return NULL;
}

static bool link_put(void *data, const struct btf *btf, u32 type, struct code_hold *out)
{
	const struct pintle_object *object = data;
	struct storable *storable = storable_find(object->host, btf, type);

	if (storable)
		*out = (struct code_hold){HOLD_STORABLE, 0, storable};
	else
		*out = (struct code_hold){HOLD_PUT, 0, find_release(object->host, btf, type)};
	return out->what != NULL;
}

static void *link_keep(void *data, const struct btf *btf, u32 type)
{
	const struct pintle_object *object = data;
	struct storable *storable = storable_find(object->host, btf, type);

	return storable && storable->get ? storable : NULL;
}

/* X_new() and X_destroy() go together. */
static void *link_iter_destroy(void *data, const struct abi_kfunc *iter_new)
{
	const struct pintle_object *object = data;
	size_t n = strlen(iter_new->name) - strlen("new");

	for (u32 i = 0; i < object->host->exports.n; i++) {
		const struct abi_kfunc *kfunc = &object->host->abi.kfuncs.v[i];

		if (kfunc->btf == iter_new->btf && kfunc->flags & KF_ITER_DESTROY &&
		    !strncmp(kfunc->name, iter_new->name, n) &&
		    !strcmp(kfunc->name + n, "destroy"))
			return export_find(object->host, kfunc);
	}
	return NULL;
}

/* Its own, or else that of the program whose place it takes. */
static struct code_budget own_budget(const struct loading *ld, const struct pintle_prog *prog)
{
	const struct pintle_prog *old =
		ld->from ? pintle_prog_find(ld->from->old, prog->image->name) : NULL;

	return old && !prog->budget.turns && !prog->budget.ns ? old->budget : prog->budget;
}

/* False: it has none. */
static bool budget_of(const struct loading *ld, u32 i, struct code_budget *budget)
{
	const struct pintle_prog *prog = &ld->object->progs[i];

	*budget = own_budget(ld, prog);
	if (!budget->turns && !budget->ns) {
		budget->turns = ld->opts->budget_turns;
		budget->ns = ld->opts->budget_ns;
	}
	budget->result = (u64)prog->image->type->cut_result;
	return budget->turns || budget->ns;
}

static int lower_one(struct loading *ld, u32 i, struct link link)
{
	struct pintle_prog *prog = &ld->object->progs[i];
	struct code_budget budget;
	int err;

	if (prog_init(prog))
		return host_oom(ld->host);
	link.budget = budget_of(ld, i, &budget) ? &budget : NULL;
	err = lower(&ld->object->log, ld->proofs[i], &link, &prog->code);
	if (err)
		return host_fail(ld->host, err, "%s", ld->object->log.error);
	prog->code->owner = prog;
	return 0;
}

static void *link_space_owner(void *data, u32 owner)
{
	const struct pintle_object *object = data;

	return space_owner_at(object->host, owner);
}

static int lower_all(struct loading *ld)
{
	struct pintle_object *object = ld->object;
	const struct link link = {.data = object, .map = link_map,
				  .map_value = link_map_value, .helper = link_helper,
				  .kfunc = link_kfunc, .var = link_var,
				  .array = link_array, .lookup = link_lookup,
				  .own_helper = link_own_helper,
				  .local = link_local, .window = link_window, .pool = link_pool,
				  .metered_tail = meter_tail, .put = link_put,
				  .iter_destroy = link_iter_destroy, .keep = link_keep,
				  .space_owner = link_space_owner,
				  .stamps = object->host->stamps != NULL};

	for (u32 i = 0; i < object->image->nprogs; i++)
		if (ld->proofs[i])
			TRY(lower_one(ld, i, link));
	return 0;
}

/* ------------------------------------------------------------------ all */

static int locals_make(struct loading *ld)
{
	struct pintle_object *object = ld->object;

	if (!object->image->btf)
		return 0;
	object->locals = local_types_open(ld->host, object->image);
	if (!object->locals)
		return host_oom(ld->host);
	local_types_follow(object->locals, ld->from ? ld->from->old->locals : NULL);
	return 0;
}

static int load_steps(struct loading *ld)
{
	TRY(verify_all(ld));
	TRY(locals_make(ld));
	TRY(maps_make(ld));
	TRY(bind_all(ld));
	TRY(lower_all(ld));
	TRY(native_compile(ld->object));
	for (u32 i = 0; i < ld->object->image->nprogs; i++)
		if (ld->object->progs[i].code)
			prog_ready(&ld->object->progs[i]);
	TRY(values_set(ld));
	return tables_ready(ld);
}

void object_unload(struct pintle_object *object)
{
	prog_arrays_forget(object->host, object); /* if loading failed half way */
	gdb_forget(object);
	for (u32 i = 0; object->progs && i < object->image->nprogs; i++)
		prog_free(&object->progs[i]);
	jit_free(object->jit);
	object->jit = NULL;
	for (u32 i = 0; object->maps && i < object->image->nmaps; i++) {
		if (object->maps[i].map && object->image->maps[i].kind == IMAP_OPS)
			ops_unready(object->maps[i].map);
		if (object->maps[i].map)
			map_put(object->maps[i].map);
		object->maps[i].map = NULL;
		object->maps[i].kept = false;
	}
	local_types_close(object->locals);
	object->locals = NULL;
	object->loaded = false;
}

static enum log_level level_of(unsigned int level)
{
	return level > 1 ? LOG_STATE : level ? LOG_INSN : LOG_NOTE;
}

static void log_again(struct pintle_object *object, const struct pintle_load_opts *opts)
{
	log_clear(&object->log);
	object->log.level = level_of(opts->log_level);
}

/* How it was loaded, for whoever takes its place. */
static int note_how(struct loading *ld)
{
	struct pintle_object *object = ld->object;
	char *only = ld->opts->only ? strdup(ld->opts->only) : NULL;

	if (ld->opts->only && !only)
		return host_oom(ld->host);
	free(object->only);
	object->only = only;
	object->how = *ld->opts;
	object->how.only = only;
	for (u32 i = 0; ld->from && i < object->image->nprogs; i++)
		object->progs[i].budget = own_budget(ld, &object->progs[i]);
	return 0;
}

static int load(struct loading *ld)
{
	struct pintle_object *object = ld->object;
	int err = load_steps(ld);

	local_types_follow(object->locals, NULL);
	if (!err)
		err = note_how(ld);
	if (err)
		object_unload(object);
	else
		object->loaded = true;
	return err;
}

int object_load(struct pintle_object *object, const struct pintle_load_opts *opts,
		const struct load_from *from)
{
	struct loading ld = {.object = object, .host = object->host, .opts = opts,
			     .from = from};
	u32 n = object->image->nprogs;
	int err;

	if (object->loaded)
		return host_fail(ld.host, -EBUSY, "%s is loaded already",
				 object->image->name);
	log_again(object, opts);
	ld.proofs = calloc(n + 1, sizeof(ld.proofs[0]));
	if (!ld.proofs)
		return host_oom(ld.host);
	err = load(&ld);
	for (u32 i = 0; i < n; i++)
		proof_free(ld.proofs[i]);
	free(ld.proofs);
	return err;
}
