/* SPDX-License-Identifier: MIT
 *
 * A map as they were declared before BTF.
 */
#include "load.h"

struct load_host;

struct {
	int type, key_size, value_size, max_entries;
} table SEC("maps") = {2, 4, 8, 1};

SEC("hook/load_hook") int BPF_PROG(look, struct load_host *h, int n)
{
	return bpf_map_lookup_elem(&table, &n) != 0;
}
