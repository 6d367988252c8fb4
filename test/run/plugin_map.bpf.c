/* SPDX-License-Identifier: MIT
 *
 * A map with a field for the plugin's objects, and no function of the plugin.
 */
struct value {
	long n;
	struct plug __attribute__((btf_type_tag("kptr"))) *plug;
};
#include "plugin.h"

SEC("hook/stress_p") int BPF_PROG(touch, int n)
{
	struct value zero = {};
	__u32 key = 1;

	return bpf_map_update_elem(&kept, &key, &zero, 0);
}
