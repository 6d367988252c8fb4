/* SPDX-License-Identifier: MIT
 *
 * Object storage: a value for each object of a registered type. The host of these tests has
 * no struct task_struct: whatever it registered may own a value.
 */
#include "setup.h"

struct kept {
	struct T __kptr *ref;
	long n;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kept);
} kept SEC(".maps");

#define KEPT(object, flags) pintle_storage_get(&kept, object, 0, flags)

ACCEPT
	KERNEL(reject, "the kernel's storage belongs to tasks")
P(of_an_object)
{
	struct kept *v = KEPT(t, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct T *old;

	if (!v)
		return 0;
	v->n++;
	old = bpf_kptr_xchg(&v->ref, t_own(t));
	if (old)
		t_put(old);
	return pintle_storage_delete(&kept, t);
}

REJECT(NULL_DEREF, "invalid mem access 'map_value_or_null'")
	KERNEL(reject, "the kernel's storage belongs to tasks")
P(untested)
{
	struct kept *v = KEPT(t, 0);

	return v->n;
}

REJECT(ARG_STRUCT, "")
	KERNEL(reject, "the kernel's storage belongs to tasks")
P(of_a_part) /* not an object of its own */
{
	KEPT((char *)t + offsetof(struct T, mask) + 8, 0);
	return 0;
}
