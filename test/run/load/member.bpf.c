/* SPDX-License-Identifier: MIT
 *
 * A map with a member that nobody knows.
 */
#include "load.h"

struct load_host;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(colour, 3);
	__type(key, __u32);
	__type(value, long);
} painted SEC(".maps");

SEC("hook/load_hook") int BPF_PROG(look, struct load_host *h, int n)
{
	return bpf_map_lookup_elem(&painted, &n) != 0;
}
