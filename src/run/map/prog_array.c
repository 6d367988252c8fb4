/* SPDX-License-Identifier: MIT
 *
 * prog_array.c: programs by index: where tail calls go.
 *
 * A program that jumps and the one it jumps to must agree on their context and on whether
 * they may sleep: an array is bound to the type of the first program that has to do with
 * it, and refuses all others (prog_array_bind()).
 *
 * An entry holds no reference: a program goes with its object, which first takes its
 * programs out of every array (prog_arrays_forget()) and then waits until no run can be
 * there.
 *
 * Ordering: that of index.h; setting is under the lock too. Progress: wait-free, but for
 * binding and setting.
 */
#include "run/hook.h"
#include "run/lock.h"
#include "run/map/index.h"
#include "run/map/outer.h"

struct prog_array {
	struct map map;
	u32 lock; /* of the two below, and of setting entries */
	const char *type; /* of programs; of the host's arena; NULL: not bound */
	bool sleepable;
	atomic(const struct swap *) swap; /* that changes who is in it; or NULL */
	atomic(void *) at[]; /* struct pintle_prog */
};

static struct prog_array *array_of(struct map *map)
{
	return container_of(map, struct prog_array, map);
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct prog_array *a;

	if (proto->value_size != sizeof(u32))
		return log_fail(log, -EINVAL,
				"map '%s': value_size is %u: a program array's is 4",
				def->name, def->value_size);
	a = calloc(1, sizeof(*a) + (u64)proto->max_entries * sizeof(a->at[0]));
	if (!a)
		return log_fail(log, -ENOMEM, "map '%s': no memory for %u entries",
				def->name, def->max_entries);
	a->map = *proto;
	*out = &a->map;
	return 0;
}

static void destroy(struct map *map)
{
	free(array_of(map));
}

static struct pintle_prog *entry(struct map *map, u64 index)
{
	return index_entry(map, array_of(map)->at, index);
}

/* What is there for the run on this slot. */
static __attribute__((cold, noinline)) const struct pintle_prog *
on_my_side(const struct swap *swap, const struct pintle_prog *prog)
{
	if (prog->object == swap->old && swap_side(swap, slot_current()))
		return prog->successor;
	return prog;
}

const struct code *prog_array_code(struct map *map, u64 index)
{
	/* Before the entry: who finds no swap any more finds what it left. acquire: pairs with
	 * the releases in prog_arrays_cross() and cross_over() */
	const struct swap *swap =
		atomic_load_explicit(&array_of(map)->swap, memory_order_acquire);
	const struct pintle_prog *prog = entry(map, index);

	if (unlikely(swap != NULL) && prog)
		prog = on_my_side(swap, prog);
	return prog ? prog->code : NULL;
}

int prog_array_bind(struct map *map, const struct image_prog *prog)
{
	struct prog_array *a = array_of(map);
	bool same;

	lock_take(&a->lock);
	if (!a->type) {
		a->type = prog->type->name;
		a->sleepable = prog->sleepable;
	}
	same = !strcmp(a->type, prog->type->name) && a->sleepable == prog->sleepable;
	lock_drop(&a->lock);
	return same ? 0 : -EINVAL;
}

/* An object that is being closed takes its programs out of each array under its lock. */
static int set_entry(struct prog_array *a, const void *key, struct pintle_prog *prog)
{
	int err = -EINVAL;
	void *old;

	lock_take(&a->lock);
	/* acquire: pairs with the release in object_retire() */
	if (!atomic_load_explicit(&prog->object->retired, memory_order_acquire))
		err = index_swap(&a->map, a->at, key, prog, &old);
	lock_drop(&a->lock);
	return err;
}

static int put(struct map *map, const void *key, void *prog, u64 flags)
{
	struct pintle_prog *p = prog;

	if (flags || !p->code || p->object->host != map->host)
		return -EINVAL;
	if (index_of(key) >= map->max_entries)
		return -E2BIG;
	TRY(prog_array_bind(map, p->image));
	return set_entry(array_of(map), key, p);
}

static int remove_prog(struct map *map, const void *key)
{
	void *old;

	return index_take(map, array_of(map)->at, key, &old);
}

static u32 count(struct map *map)
{
	return index_filled(map, array_of(map)->at);
}

static void forget(struct map *map, const struct pintle_object *object)
{
	lock_take(&array_of(map)->lock);
	for (u32 i = 0; i < map->max_entries; i++) {
		void *prog = index_entry(map, array_of(map)->at, i);

		if (prog && ((struct pintle_prog *)prog)->object == object)
			atomic_compare_exchange_strong_explicit(
				&array_of(map)->at[i], &prog, NULL, memory_order_acq_rel,
				memory_order_relaxed);
	}
	lock_drop(&array_of(map)->lock);
}

void prog_arrays_forget(struct pintle_host *host, const struct pintle_object *object)
{
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next)
		if (map->type == MAP_PROG_ARRAY)
			forget(map, object);
	lock_drop(&host->maps_lock);
}

/* ------------------------------------------------------------------ replacing */

static bool leads_to(struct map *map, const struct pintle_object *object)
{
	for (u32 i = 0; i < map->max_entries; i++) {
		const struct pintle_prog *prog = entry(map, i);

		if (prog && prog->object == object)
			return true;
	}
	return false;
}

static bool is_of(const struct map *map, const struct pintle_object *object)
{
	for (u32 i = 0; i < object->image->nmaps; i++)
		if (object->maps[i].map == map)
			return true;
	return false;
}

void prog_arrays_cross(struct pintle_host *host, const struct swap *swap)
{
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next)
		if (map->type == MAP_PROG_ARRAY && !is_of(map, swap->old) &&
		    leads_to(map, swap->old))
			/* release: pairs with the acquire in prog_array_code() */
			atomic_store_explicit(&array_of(map)->swap, swap,
					      memory_order_release);
	lock_drop(&host->maps_lock);
}

void prog_arrays_uncross(struct pintle_host *host, const struct swap *swap)
{
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next)
		if (map->type == MAP_PROG_ARRAY && array_of(map)->swap == swap)
			atomic_store_explicit(&array_of(map)->swap, NULL, memory_order_release);
	lock_drop(&host->maps_lock);
}

/* The successor of @prog that fits into @map, or NULL. */
static struct pintle_prog *successor_in(struct map *map, const struct pintle_prog *prog)
{
	struct pintle_prog *next = (struct pintle_prog *)(uintptr_t)prog->successor;

	return next && next->code && !prog_array_bind(map, next->image) ? next : NULL;
}

static void cross_over(struct map *map, const struct pintle_object *old)
{
	for (u32 i = 0; i < map->max_entries; i++) {
		struct pintle_prog *prog = entry(map, i);
		void *was = prog;

		/* release: as in index_swap(). What somebody put there meanwhile stays. */
		if (prog && prog->object == old)
			atomic_compare_exchange_strong_explicit(
				&array_of(map)->at[i], &was, successor_in(map, prog),
				memory_order_release, memory_order_relaxed);
	}
	/* release: pairs with the acquire in prog_array_code() */
	atomic_store_explicit(&array_of(map)->swap, NULL, memory_order_release);
}

void prog_arrays_crossed(struct pintle_host *host, const struct swap *swap)
{
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next)
		if (map->type == MAP_PROG_ARRAY && array_of(map)->swap == swap)
			cross_over(map, swap->old);
	lock_drop(&host->maps_lock);
}

void prog_array_carry(struct map *old, struct map *new, const struct pintle_object *object)
{
	for (u32 i = 0; i < old->max_entries && i < new->max_entries; i++) {
		struct pintle_prog *prog = entry(old, i);

		if (prog && prog->object == object)
			prog = successor_in(new, prog);
		if (prog && !entry(new, i) && !prog_array_bind(new, prog->image))
			atomic_store_explicit(&array_of(new)->at[i], prog,
					      memory_order_release);
	}
}

const struct map_ops map_prog_array_ops = {
	.type = MAP_PROG_ARRAY,
	.create = create,
	.free = destroy,
	.put = put,
	.remove = remove_prog,
	.next_key = index_next_key,
	.count = count,
};
