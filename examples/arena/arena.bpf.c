/* SPDX-License-Identifier: MIT
 *
 * arena.bpf.c: counts what it sees, by key, in memory that the host reads as its own.
 */
#include "../example.bpf.h"
#include "table.h"

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 256); /* pages */
} arena SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages, int node,
					   __u64 flags) __ksym;

struct table __arena table SEC(".addr_space.1");

static struct entry __arena *new_entry(void)
{
	struct entry __arena *e = table.free;

	if (!e || e == table.end) {
		e = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
		if (!e)
			return NULL;
		table.end = e + 4096 / sizeof(*e);
	}
	table.free = e + 1;
	return e;
}

SEC("hook/on_key") int BPF_PROG(count, unsigned long key)
{
	struct entry __arena *__arena *bucket = &table.buckets[key % BUCKETS];
	struct entry __arena *e = *bucket;

	for (int i = 0; i < 1000 && e; i++, e = e->next)
		if (e->key == key) {
			__sync_fetch_and_add(&e->hits, 1);
			return 0;
		}
	e = new_entry();
	if (!e)
		return -1;
	e->key = key;
	e->hits = 1;
	e->next = *bucket;
	*bucket = e;
	table.entries++;
	return 0;
}

char LICENSE[] SEC("license") = "MIT";
