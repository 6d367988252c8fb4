/* SPDX-License-Identifier: MIT
 *
 * stats.c: what the host may ask about its types.
 */
#include "run/map.h"
#include "run/run.h"

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
