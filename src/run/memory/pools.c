/* SPDX-License-Identifier: MIT
 *
 * pools.c: where objects of a type can be at all (rule book J11.1). A pointer that may
 * dangle is followed only inside the ranges of its struct's pools; elsewhere a load gives
 * 0, without a signal, and nothing of the host's heap is shown that is not such objects'.
 *
 * The first pool of a type is added before objects are opened, for lowered code then asks;
 * more may come while programs run. Ranges stay until the host goes.
 *
 * Ordering: a new range is published by a release that pairs with the acquire in
 * pool_holds().
 */
#include "run/memory/pools.h"

static struct pool_set *set_of(const struct pintle_host *host, const struct btf *btf, u32 type)
{
	struct pool_set *set = host->pools;

	while (set && !btf_same_type(set->btf, set->type, btf, type))
		set = set->next;
	return set;
}

bool pool_holds(const struct pool_set *set, u64 addr, u32 size)
{
	/* acquire: pairs with the release in region_add() */
	const struct region *r = atomic_load_explicit(&set->regions, memory_order_acquire);

	for (; r; r = r->next)
		if (addr >= r->start && addr < r->end && size <= r->end - addr)
			return true;
	return false;
}

const struct pool_set *pool_find(const struct pintle_host *host, const struct btf *btf, u32 type)
{
	static const struct pool_set empty;
	const struct pool_set *set = set_of(host, btf, type);

	return set ? set : &empty;
}

static u64 set_room(const struct pool_set *set, u64 addr)
{
	const struct region *r = atomic_load_explicit(&set->regions, memory_order_acquire);

	for (; r; r = r->next)
		if (addr >= r->start && addr < r->end)
			return r->end - addr;
	return 0;
}

u64 pools_room(const struct pintle_host *host, u64 addr)
{
	u64 room = 0;

	for (const struct pool_set *set = host->pools; set && !room; set = set->next)
		room = set_room(set, addr);
	return room;
}

static struct pool_set *set_add(struct pintle_host *host, const struct btf *btf, u32 type)
{
	struct pool_set *set = arena_new_of(host->arena, struct pool_set);

	if (!set || !vec_push(&host->abi.pools, (struct abi_pool){btf, type}))
		return NULL;
	set->btf = btf;
	set->type = type;
	set->next = host->pools;
	host->pools = set;
	return set;
}

static void region_add(struct pool_set *set, struct region *r)
{
	r->next = set->regions;
	/* release: pairs with the acquire in pool_holds() */
	atomic_store_explicit(&set->regions, r, memory_order_release);
}

int pintle_pool_add(struct pintle_host *host, const char *type, const void *start, size_t size)
{
	struct pool_set *set;
	const struct btf *btf;
	struct region *r;
	u32 id;

	if (!type || !start || !size)
		return host_fail(host, -EINVAL, "pool: a type and a range of memory needed");
	if (!abi_find_struct(&host->abi, type, &btf, &id))
		return host_fail(host, -ENOENT, "struct %s is not in the host's BTF", type);
	set = set_of(host, btf, id);
	if (!set && host->objects)
		return host_fail(host, -EBUSY, "pool of %s, its first: objects are open", type);
	r = arena_new_of(host->arena, struct region);
	if (r && !set)
		set = set_add(host, btf, id);
	if (!r || !set)
		return host_oom(host);
	r->start = (uintptr_t)start;
	r->end = r->start + size;
	region_add(set, r);
	return 0;
}

void pools_remove(struct pintle_host *host, const struct btf *btf)
{
	struct pool_set **at = &host->pools;

	while (*at)
		if ((*at)->btf == btf)
			*at = (*at)->next;
		else
			at = &(*at)->next;
}
