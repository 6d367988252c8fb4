/* SPDX-License-Identifier: MIT
 *
 * space_owner.c's programs: what lies at an address of an object's own space.
 */
#include "../verdict/verdict.h"

extern int bpf_copy_from_user_task_str(void *dst, __u32 dst__sz, const void *unsafe_ptr__ign,
				       struct T *t, __u64 flags) __ksym;
extern int bpf_copy_from_user_str(void *dst, __u32 dst__sz, const void *unsafe_ptr__ign,
				  __u64 flags) __ksym;

struct place {
	__u64 at;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct place);
} places SEC(".maps");

static __always_inline const void *place(void)
{
	__u32 zero = 0;
	struct place *p = bpf_map_lookup_elem(&places, &zero);

	return p ? (const void *)p->at : NULL;
}

/* The first byte, or what went wrong. */
Q(byte)
{
	char x = 0;
	long err = bpf_copy_from_user_task(&x, 1, place(), (void *)t, 0);

	return err ? err : x;
}

Q(text)
{
	char text[8] = {};
	int len = bpf_copy_from_user_task_str(text, sizeof(text), place(), t, 1);

	return len < 0 ? len : len * 1000 + text[0];
}

Q(current)
{
	char text[8] = {};
	int len = bpf_copy_from_user_str(text, sizeof(text), place(), 0);

	return len < 0 ? len : len * 1000 + text[0];
}
