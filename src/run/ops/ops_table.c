/* SPDX-License-Identifier: MIT
 *
 * ops_table.c: operations tables in use: attached, replaced as a unit, held by hosts,
 * detached (ops.h). Attaching is configuration: one thread at a time. Holding is not.
 *
 * Ordering
 *  O-A: a table is complete before it is in handle->active: the release store there pairs
 *       with the acquire load of whoever reads it: all of the old table or all of the new.
 *  O-B: who finds a table in handle->active inside a read section finds its object there: the
 *       object goes after a grace period that begins when the table was taken away.
 *
 * Progress: getting and putting are lock-free; a get may be repeated when tables change.
 */
#include "run/hook.h"
#include "run/ops/ops.h"

/* ------------------------------------------------------------------ complete? */

int ops_refuse(const struct ops_table *t, const char *member, int err, const char *why)
{
	return host_fail(t->map.host, err, "operations '%s': %s%s%s%s", t->map.name,
			 member ? "member '" : "", member ? member : "", member ? "': " : "", why);
}

static void **function_at(struct ops_table *t, const struct abi_ops_member *member)
{
	return (void **)(t->bytes + member->off);
}

/* When all are taken, tables of closed objects may wait for their end. */
static int take_thunk(struct ops_table *t, u32 i, void (**fn)(void))
{
	if (!thunk_take(&t->calls[i], fn))
		return 0;
	defer_drain(t->map.host);
	return thunk_take(&t->calls[i], fn);
}

static int set_member(struct ops_table *t, u32 i)
{
	const struct abi_ops_member *member = &t->type->abi->members[i];
	const char *defaults = t->type->opts.defaults;
	void (*fn)(void) = NULL;

	if (t->calls[i].prog) {
		if (take_thunk(t, i, &fn))
			return ops_refuse(t, member->name, -ENOSPC,
				      "this process has no function left for it: too many tables "
				      "are loaded");
	} else if (defaults) {
		memcpy(&fn, defaults + member->off, sizeof(fn));
	}
	if (!fn && !member->optional)
		return ops_refuse(t, member->name, -EINVAL,
			      "no program is assigned to it, or it is not loaded, and it is not "
			      "optional");
	memcpy(function_at(t, member), &fn, sizeof(fn));
	return 0;
}

/* Members that are numbers, before the host: it may refuse one, or set it its own way. */
static int init_number(struct ops_table *t, const struct btf_member *m)
{
	const struct abi_ops *ops = t->type->abi;
	const struct btf_type *type = btf_type(ops->btf, ops->type);
	const char *name = btf_str(ops->btf, m->name_off);
	u32 off = btf_member_bit(type, m) / 8, size = 0;
	char value[256];
	int err;

	if (abi_ops_member(ops, name) || btf_member_bits(type, m) ||
	    !btf_size(ops->btf, m->type, &size) || size > sizeof(value))
		return 0;
	memcpy(value, t->bytes + off, size);
	err = t->type->opts.init_member(t->type->opts.data, t->bytes, name, value, size);
	return err < 0 ? ops_refuse(t, name, err, "the host does not take its value") : 0;
}

static int init_numbers(struct ops_table *t)
{
	const struct abi_ops *ops = t->type->abi;
	const struct btf_type *type = btf_type(ops->btf, ops->type);

	for (u32 i = 0; t->type->opts.init_member && i < btf_vlen(type); i++)
		TRY(init_number(t, &btf_members(type)[i]));
	return 0;
}

int ops_ready(struct pintle_object *object, struct map *map)
{
	struct ops_table *t = ops_table_of(map);
	const struct pintle_ops_opts *opts = &t->type->opts;
	int err = 0;

	t->object = object;
	for (u32 i = 0; i < t->type->abi->nmembers; i++) {
		t->calls[i].table = t;
		TRY(set_member(t, i));
	}
	TRY(init_numbers(t));
	if (opts->validate)
		err = opts->validate(opts->data, t->bytes);
	if (err)
		return ops_refuse(t, NULL, err < 0 ? err : -EINVAL, "the host does not take it");
	t->ready = true;
	return 0;
}

void ops_unready(struct map *map)
{
	struct ops_table *t = ops_table_of(map);

	for (u32 i = 0; i < t->type->abi->nmembers; i++)
		thunk_give(&t->calls[i]);
}

/* ------------------------------------------------------------------ holding */

static struct ops_table *table_of(const void *bytes)
{
	return container_of((char *)(uintptr_t)bytes, struct ops_table, bytes[0]);
}

static bool try_hold(struct ops_table *t)
{
	u32 n = atomic_load_explicit(&t->refs, memory_order_relaxed);

	while (n)
		if (atomic_compare_exchange_weak_explicit(&t->refs, &n, n + 1,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	return false;
}

/* The last holder of a table that is attached no more lets its object go. */
static void let_go(struct ops_table *t)
{
	/* release and acquire: what was done with the table comes before its end */
	if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
		object_unpin(t->object);
}

static const void *on_my_side(struct pintle_host *host, const void *active)
{
	const struct ops_sides *sides = (const void *)((const char *)active - OPS_SIDES);
	const struct ops_table *t = sides->at[swap_side_now(sides->swap, host)];

	return t ? t->bytes : NULL;
}

const void *pintle_ops_current(const struct pintle_ops *handle)
{
	const void *active = __atomic_load_n(&handle->active, __ATOMIC_ACQUIRE); /* O-A */

	return (uintptr_t)active & OPS_SIDES
		       ? on_my_side(((const struct ops_type *)handle->type)->host, active)
		       : active;
}

const void *pintle_ops_get(struct pintle_ops *handle)
{
	struct ops_type *type = handle->type;
	const void *bytes;

	if (!type || type->host->torn)
		return NULL;
	run_read_lock(type->host); /* O-B */
	do
		bytes = pintle_ops_current(handle);
	while (bytes && !try_hold(table_of(bytes)));
	run_read_unlock(type->host);
	return bytes;
}

int pintle_ops_hold(const void *table)
{
	return try_hold(table_of(table)) ? 0 : -ENOENT;
}

void pintle_ops_put(const void *table)
{
	if (table)
		let_go(table_of(table));
}

/* ------------------------------------------------------------------ attaching */

struct ops_table *ops_table_in(const struct pintle_map *map)
{
	return map->map && map->map->ops == &map_struct_ops_ops ? ops_table_of(map->map) : NULL;
}

static int not_ops(const struct pintle_map *map)
{
	return host_fail(map_host(map), -EINVAL, "map '%s' is no table of operations that is "
			 "loaded", pintle_map_name(map));
}

int ops_check_free(struct ops_table *t)
{
	u32 refs = atomic_load_explicit(&t->refs, memory_order_relaxed);

	if (!t->ready)
		return ops_refuse(t, NULL, -EINVAL, "its object was loaded in part");
	if (refs)
		return ops_refuse(t, NULL, t->attached ? -EEXIST : -EBUSY,
			      t->attached ? "it is attached already" : "somebody still holds it");
	return 0;
}

void ops_now_attached(struct ops_table *t)
{
	object_pin(t->object);
	t->attached = true;
	atomic_store_explicit(&t->refs, 1, memory_order_relaxed);
}

void ops_not_attached(struct ops_table *t)
{
	t->attached = false;
	let_go(t);
}

/* release: O-A */
static void publish(struct ops_type *type, struct ops_table *t)
{
	__atomic_store_n(&type->handle->active, t ? t->bytes : NULL, __ATOMIC_RELEASE);
}

static int attach(struct ops_table *t)
{
	struct ops_type *type = t->type;
	int err = 0;

	TRY(ops_check_free(t));
	if (!type->opts.many && type->handle->active)
		return ops_refuse(t, NULL, -EBUSY, "another table is attached: replace it");
	ops_now_attached(t);
	if (type->opts.reg)
		err = type->opts.reg(type->opts.data, t->bytes);
	if (err) {
		ops_not_attached(t);
		return ops_refuse(t, NULL, err < 0 ? err : -EINVAL, "the host does not register it");
	}
	if (!type->opts.many)
		publish(type, t);
	return 0;
}

static void detach(struct ops_table *t)
{
	struct ops_type *type = t->type;

	if (!t->attached)
		return;
	t->attached = false;
	if (type->handle->active == t->bytes)
		publish(type, NULL);
	if (type->opts.unreg)
		type->opts.unreg(type->opts.data, t->bytes);
	let_go(t);
}

int pintle_ops_attach(struct pintle_map *map)
{
	struct ops_table *t = ops_table_in(map);
	int err, state;

	TRY(host_check(map_host(map)));
	if (!t)
		return not_ops(map);
	config_begin(t->map.host, &state);
	err = attach(t);
	config_end(t->map.host, state);
	return err;
}

void pintle_ops_detach(struct pintle_map *map)
{
	struct ops_table *t = ops_table_in(map);
	int state;

	if (!t || t->map.host->torn)
		return;
	config_begin(t->map.host, &state);
	detach(t);
	config_end(t->map.host, state);
}

static int replace(struct ops_table *old, struct ops_table *t)
{
	struct ops_type *type = t->type;
	int err = 0;

	if (old->type != type)
		return ops_refuse(t, NULL, -EINVAL, "the other table is of another struct");
	if (!old->attached)
		return ops_refuse(old, NULL, -ENOENT, "it is not attached");
	TRY(ops_check_free(t));
	if (type->opts.reg && !type->opts.update)
		return ops_refuse(t, NULL, -EOPNOTSUPP, "the host does not replace tables");
	ops_now_attached(t);
	if (type->opts.update)
		err = type->opts.update(type->opts.data, t->bytes, old->bytes);
	if (err) {
		ops_not_attached(t);
		return ops_refuse(t, NULL, err < 0 ? err : -EINVAL, "the host does not take it");
	}
	if (type->handle->active == old->bytes)
		publish(type, t);
	ops_not_attached(old);
	return 0;
}

int pintle_ops_replace(struct pintle_map *old_map, struct pintle_map *map)
{
	struct ops_table *old = ops_table_in(old_map), *t = ops_table_in(map);
	int err, state;

	TRY(host_check(map_host(map)));
	if (!old || !t)
		return not_ops(old ? map : old_map);
	config_begin(t->map.host, &state);
	err = replace(old, t);
	config_end(t->map.host, state);
	return err;
}

/* ------------------------------------------------------------------ of an object */

static struct ops_table *nth_table(struct pintle_object *object, u32 i)
{
	return ops_table_in(&object->maps[i]);
}

int ops_attach_all(struct pintle_object *object, bool *done)
{
	int err = 0;

	for (u32 i = 0; i < object->image->nmaps && !err; i++) {
		struct ops_table *t = nth_table(object, i);

		if (!t || t->attached)
			continue;
		err = attach(t);
		done[i] = !err;
	}
	return err;
}

void ops_detach_these(struct pintle_object *object, const bool *these)
{
	for (u32 i = 0; object->maps && i < object->image->nmaps; i++) {
		struct ops_table *t = nth_table(object, i);

		if (t && (!these || these[i]))
			detach(t);
	}
}
