/* SPDX-License-Identifier: MIT
 *
 * stats.c: what the host may ask about its types and hooks, and whether time is taken.
 *
 * Taking time costs nothing while it is off: that it is on is written where the short way
 * into a run looks anyway (pintle_hook.quick, pintle_prog.host_id), and sends runs the long
 * way.
 */
#include "run/hook.h"
#include "run/map/map.h"

#include <time.h>

u64 stats_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

int pintle_stats_enable(struct pintle_host *host, enum pintle_stats mode)
{
	if ((u32)mode > PINTLE_STATS_FULL)
		return host_fail(host, -EINVAL, "statistics: no such mode");
	atomic_store_explicit(&host->stats, mode, memory_order_relaxed);
	for (u32 i = 0; i < host->hooks.n; i++)
		__atomic_store_n(&host->hooks.v[i]->at->quick, hook_quick(host->hooks.v[i]),
				 __ATOMIC_RELAXED);
	for (struct pintle_object *o = host->objects; o; o = o->next)
		for (u32 i = 0; i < o->image->nprogs; i++)
			prog_quicken(&o->progs[i]);
	return 0;
}

int pintle_hook_info(const struct pintle_hook *hook, struct pintle_hook_info *info)
{
	struct pintle_hook_info full = {.size = info->size};
	const struct hook *state = hook->state;

	if (!state)
		return -EINVAL;
	full.drops = atomic_load_explicit(&state->drops, memory_order_relaxed);
	for (const struct pintle_link *l = state->links; l; l = l->next)
		full.links++;
	for (u32 i = 0; i < slot_count(state->host); i++) {
		struct hook_count *c = &state->counts[i];

		full.calls += atomic_load_explicit(&c->calls, memory_order_relaxed);
		full.timed += atomic_load_explicit(&c->timed, memory_order_relaxed);
		full.timed_ns += atomic_load_explicit(&c->timed_ns, memory_order_relaxed);
	}
	memcpy(info, &full, info->size < sizeof(full) ? info->size : sizeof(full));
	return 0;
}

int pintle_type_stats(const struct pintle_host *host, const char *type,
		      struct pintle_type_stats *stats)
{
	struct pintle_type_stats s = {0};
	size_t size = stats->size;

	for (u32 i = 0; i < host->storables.n; i++) {
		struct storable *st = host->storables.v[i];

		if (strcmp(st->name, type))
			continue;
		s.stored = map_count_stored((struct pintle_host *)(uintptr_t)host, st);
		s.destructed = atomic_load_explicit(&st->destructed, memory_order_relaxed);
		s.size = size;
		memcpy(stats, &s, size < sizeof(s) ? size : sizeof(s));
		return 0;
	}
	return -ENOENT;
}
