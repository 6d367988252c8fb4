/* SPDX-License-Identifier: MIT
 *
 * Maps that an object leaves open, for whoever loads it.
 */
#include "linux.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
} maps SEC(".maps");

/* The size of keys is set before the map is made. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__uint(value_size, 8);
} keys SEC(".maps");

/* Which maps it will hold, only its loader knows. */
REJECT(HELPER_NO_MAP, "invalid map_ptr to access map->key")
SEC("tc")
int maps_unknown(struct __sk_buff *skb)
{
	return bpf_map_lookup_elem(&maps, &(__u32){0}) != NULL;
}

ACCEPT
SEC("tc")
int key_of_some_size(struct __sk_buff *skb)
{
	return bpf_map_lookup_elem(&keys, &(__u32){0}) != NULL;
}
