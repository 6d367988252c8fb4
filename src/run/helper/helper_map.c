/* SPDX-License-Identifier: MIT
 *
 * helper_map.c: helpers on maps, fields, locks, and the helpers that call back. Callers
 * are runs, hence inside a read section. Maps arrive as struct map *.
 */
#include "run/helper/helpers.h"
#include "run/map/outer.h"
#include "run/map/storage.h"
#include "run/lock.h"

/* void *(map, key): the live value or NULL. */
HELPER_FN(map_lookup_elem)
{
	struct map *map = helper_ptr(a);

	return (uintptr_t)map->ops->lookup(map, helper_ptr(b));
}

/* void *(map, key, cpu): the value of slot @cpu or NULL. */
HELPER_FN(map_lookup_percpu_elem)
{
	struct map *map = helper_ptr(a);

	if (!map->ops->lookup_percpu)
		return 0;
	return (uintptr_t)map->ops->lookup_percpu(map, helper_ptr(b), (u32)c);
}

/* long(map, key, value, flags): 0, -EINVAL, -EEXIST, -ENOENT, -E2BIG, -ENOMEM. */
HELPER_FN(map_update_elem)
{
	struct map *map = helper_ptr(a);

	return helper_err(map->ops->update(map, helper_ptr(b), helper_ptr(c), d));
}

/* long(map, key): 0, -ENOENT, -EINVAL. */
HELPER_FN(map_delete_elem)
{
	struct map *map = helper_ptr(a);

	return helper_err(map->ops->remove(map, helper_ptr(b)));
}

/* long(map, value, flags): 0, -E2BIG, -EINVAL. Of queues, stacks and bloom filters. */
HELPER_FN(map_push_elem)
{
	struct map *map = helper_ptr(a);

	return helper_err(map->ops->update(map, NULL, helper_ptr(b), c));
}

/* long(map, value): 0, or -ENOENT and a value of zeros. */
HELPER_FN(map_pop_elem)
{
	struct map *map = helper_ptr(a);

	return helper_err(map->ops->take(map, NULL, helper_ptr(b)));
}

/* The same, but the value stays. Of a bloom filter: whether @value may be in it. */
HELPER_FN(map_peek_elem)
{
	struct map *map = helper_ptr(a);

	return helper_err(map->ops->read(map, NULL, helper_ptr(b)));
}

/* Of code_insn.tail: (array, index), not the helper's arguments. NULL: nothing is there. */
HELPER_FN(tail_call)
{
	return (uintptr_t)prog_array_code(helper_ptr(a), b);
}

/* void *(map, object, init, flags): the object's value, or NULL. Of all kinds of object
 * storage, as is the next. */
HELPER_FN(storage_get)
{
	return (uintptr_t)storage_get(helper_ptr(a), helper_ptr(b), helper_ptr(c), d);
}

/* long(map, object): 0, -ENOENT; -EINVAL for NULL. */
HELPER_FN(storage_delete)
{
	struct map *map = helper_ptr(a);

	return helper_err(b ? map->ops->remove(map, &b) : -EINVAL);
}

struct each {
	struct map *map;
	const void *fn;
	u64 ctx;
};

static u64 call_each(void *data, const void *key, void *value)
{
	const struct each *each = data;

	return interp_callback(each->fn, (uintptr_t)each->map, (uintptr_t)key,
			       (uintptr_t)value, each->ctx, 0);
}

/* long(map, callback(map, key, value, ctx), ctx, flags): elements visited, or -EINVAL.
 * The callback ends the walk by returning 1. */
HELPER_FN(for_each_map_elem)
{
	struct each each = {helper_ptr(a), helper_ptr(b), c};

	if (d)
		return helper_err(-EINVAL);
	return (u64)each.map->ops->for_each(each.map, call_each, &each);
}

enum { MAX_LOOPS = 1 << 23 };

/* long(nr_loops, callback(index, ctx), ctx, flags): calls made, -EINVAL for flags, -E2BIG
 * for more than 2^23. */
HELPER_FN(loop)
{
	u32 n = (u32)a;

	if (d)
		return helper_err(-EINVAL);
	if (n > MAX_LOOPS)
		return helper_err(-E2BIG);
	for (u32 i = 0; i < n; i++)
		if (interp_callback(helper_ptr(b), i, c, 0, 0, 0))
			return i + 1;
	return n;
}

/* void *(slot, new): what the field held (B13, F12). Lowered code adds the address of the
 * field's version, or 0. */
HELPER_FN(kptr_xchg)
{
	const struct slot_ctx *slot = slot_current();
	void *old;

	if (b && slot && slot->host->stamps)
		stamp_field(slot->host->stamps, helper_ptr(a), helper_ptr(b));
	if (c)
		seq_enter(helper_ptr(c));
	old = field_xchg(helper_ptr(a), helper_ptr(b));
	if (c)
		seq_leave(helper_ptr(c));
	return (uintptr_t)old;
}

/* void(struct bpf_spin_lock *). Holding a lock counts as a read section (B28): a program
 * that sleeps has none otherwise. The verifier pairs the two on every path. */
HELPER_FN(spin_lock)
{
	run_read_lock(NULL); /* one domain for all hosts */
	lock_take(helper_ptr(a));
	return 0;
}

HELPER_FN(spin_unlock)
{
	lock_drop(helper_ptr(a));
	run_read_unlock(NULL);
	return 0;
}
