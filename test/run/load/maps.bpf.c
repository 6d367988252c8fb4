/* SPDX-License-Identifier: MIT
 *
 * Maps that parse: an inner template, a pinned one.
 */
#include "load.h"

struct load_host;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 9);
		__type(key, __u64);
		__type(value, int);
	});
} outer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 5);
	__uint(numa_node, 0);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, long);
} pinned SEC(".maps");

SEC("hook/load_hook") int BPF_PROG(look, struct load_host *h, int n)
{
	return bpf_map_lookup_elem(&pinned, &n) != 0;
}
