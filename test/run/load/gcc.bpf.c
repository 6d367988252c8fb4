// COMPILER: gcc
/* SPDX-License-Identifier: MIT
 *
 * An object of gcc's BPF back end: a map, a call of a helper, global data.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(long));
} table SEC(".maps");

long total = 5;

SEC("hook/load_hook") int count(void *ctx)
{
	__u32 key = 1;
	long *v = bpf_map_lookup_elem(&table, &key);

	if (!v)
		return -1;
	*v += 2;
	total += *v;
	return (int)total;
}
