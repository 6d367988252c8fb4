/* SPDX-License-Identifier: MIT
 *
 * Objects of the program's own that own the plugin's, in a field that says no more than
 * that.
 */
struct value {
	long n;
	struct plug_holder __attribute__((btf_type_tag("kptr"))) *holder;
};
#include "plugin.h"

struct plug_holder {
	struct plug __kptr *plug;
	long n;
};

SEC("hook/stress_p") int BPF_PROG(hold, int n)
{
	struct value zero = {}, *v;
	struct plug_holder *h;
	__u32 key = 1;

	bpf_map_update_elem(&kept, &key, &zero, 0);
	v = bpf_map_lookup_elem(&kept, &key);
	h = v ? bpf_obj_new(struct plug_holder) : (void *)0;
	if (!h)
		return -1;
	h = bpf_kptr_xchg(&v->holder, h);
	if (h)
		bpf_obj_drop(h);
	return 0;
}
