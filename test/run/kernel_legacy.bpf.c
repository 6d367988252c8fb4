/* SPDX-License-Identifier: MIT
 *
 * For verify_kernel.sh: an object that cannot be loaded as a whole.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	int type, key_size, value_size, max_entries;
} old SEC("maps") = {BPF_MAP_TYPE_ARRAY, 4, 4, 1};

SEC("xdp")
int of_old_times(struct xdp_md *ctx)
{
	int key = 0;

	return bpf_map_lookup_elem(&old, &key) != 0;
}
