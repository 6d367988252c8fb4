/* SPDX-License-Identifier: MIT
 *
 * maps.c: what the kernel says of maps: which programs may use them, and as which struct
 * programs may read the map itself.
 */
#include "abi/linux/linux.h"

static const char *const structs[NR_MAP_TYPES] = {
	[MAP_HASH] = "bpf_htab",
	[MAP_ARRAY] = "bpf_array",
	[MAP_PROG_ARRAY] = "bpf_array",
	[MAP_PERF_EVENT_ARRAY] = "bpf_array",
	[MAP_PERCPU_HASH] = "bpf_htab",
	[MAP_PERCPU_ARRAY] = "bpf_array",
	[MAP_STACK_TRACE] = "bpf_stack_map",
	[MAP_CGROUP_ARRAY] = "bpf_array",
	[MAP_LRU_HASH] = "bpf_htab",
	[MAP_LRU_PERCPU_HASH] = "bpf_htab",
	[MAP_LPM_TRIE] = "lpm_trie",
	[MAP_ARRAY_OF_MAPS] = "bpf_array",
	[MAP_HASH_OF_MAPS] = "bpf_htab",
	[MAP_DEVMAP] = "bpf_dtab",
	[MAP_SOCKMAP] = "bpf_stab",
	[MAP_CPUMAP] = "bpf_cpu_map",
	[MAP_XSKMAP] = "xsk_map",
	[MAP_SOCKHASH] = "bpf_shtab",
	[MAP_CGROUP_STORAGE] = "bpf_cgroup_storage_map",
	[MAP_REUSEPORT_SOCKARRAY] = "reuseport_array",
	[MAP_PERCPU_CGROUP_STORAGE] = "bpf_cgroup_storage_map",
	[MAP_QUEUE] = "bpf_queue_stack",
	[MAP_STACK] = "bpf_queue_stack",
	[MAP_SK_STORAGE] = "bpf_local_storage_map",
	[MAP_DEVMAP_HASH] = "bpf_dtab",
	[MAP_STRUCT_OPS] = "bpf_struct_ops_map",
	[MAP_RINGBUF] = "bpf_ringbuf_map",
	[MAP_INODE_STORAGE] = "bpf_local_storage_map",
	[MAP_TASK_STORAGE] = "bpf_local_storage_map",
	[MAP_BLOOM_FILTER] = "bpf_bloom_filter",
	[MAP_USER_RINGBUF] = "bpf_ringbuf_map",
	[MAP_CGRP_STORAGE] = "bpf_local_storage_map",
	[MAP_ARENA] = "bpf_arena",
};

#define M(type) BIT64(MAP_##type)

static const u64 sleepable =
	M(HASH) | M(PERCPU_HASH) | M(ARRAY) | M(PERCPU_ARRAY) | M(LRU_HASH) |
	M(LRU_PERCPU_HASH) | M(ARRAY_OF_MAPS) | M(HASH_OF_MAPS) | M(RINGBUF) |
	M(USER_RINGBUF) | M(INODE_STORAGE) | M(SK_STORAGE) | M(TASK_STORAGE) |
	M(CGRP_STORAGE) | M(QUEUE) | M(STACK) | M(ARENA);

enum {
	GRAPH = BIT(FIELD_LIST_HEAD) | BIT(FIELD_RB_ROOT),
	TRACING = GRAPH | BIT(FIELD_LOCK) | BIT(FIELD_TIMER) | BIT(FIELD_WQ),
};

static const struct {
	u8 type; /* enum linux_prog */
	u32 fields;
	const char *of;
} uses[] = {
	{LINUX_KPROBE, TRACING, "tracing"},
	{LINUX_TRACEPOINT, TRACING, "tracing"},
	{LINUX_PERF_EVENT, TRACING, "tracing"},
	{LINUX_RAW_TRACEPOINT, TRACING, "tracing"},
	{LINUX_RAW_TRACEPOINT_WRITABLE, TRACING, "tracing"},
	{LINUX_SOCKET_FILTER, BIT(FIELD_LOCK), "socket filter"},
};

void linux_map_uses(struct abi_prog_type *type)
{
	for (u32 i = 0; i < ARRAY_SIZE(uses); i++)
		if (uses[i].type == type->bit) {
			type->no_fields = uses[i].fields;
			type->no_fields_of = uses[i].of;
		}
}

void linux_maps(struct abi *abi)
{
	abi->map_structs = structs;
	abi->sleepable_maps = sleepable;
}
