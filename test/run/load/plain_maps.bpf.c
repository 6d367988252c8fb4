// CFLAGS: -g0
/* SPDX-License-Identifier: MIT
 *
 * Without -g, but maps are declared through BTF.
 */
#include "load.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 8);
} table SEC(".maps");

SEC("hook/load_hook") int look(void *ctx)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&table, &zero) != 0;
}
