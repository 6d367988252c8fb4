/* SPDX-License-Identifier: MIT
 *
 * Objects of the program's own that are named like the host's, and values of inner maps that
 * own objects.
 */
#include "local.h"

struct owners {
	struct T __kptr *t;
	struct L __kptr *loc;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct owners);
} owners SEC(".maps");

static __always_inline struct owners *owner(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&owners, &key);
}

/* What a program allocates is its own, whatever its struct is called. */
REJECT(SLOT_TYPE, "invalid kptr access, R2 type=local_ptr_T expected=ptr_T") BOOK("O20")
P(own_of_host_name)
{
	struct owners *v = owner();
	struct T *p = v ? bpf_obj_new(struct T) : NULL, *old;

	if (!p)
		return 0;
	old = bpf_kptr_xchg(&v->t, p);
	if (old)
		t_put(old);
	return 0;
}

/* ---- values of inner maps ---- */

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct owners);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} outer_map SEC(".maps") = {.values = {[0] = &inner}};

ACCEPT BOOK("X32")
P(inner_exchanged)
{
	__u32 key = 0;
	void *map = bpf_map_lookup_elem(&outer_map, &key);
	struct owners *v = map ? bpf_map_lookup_elem(map, &key) : NULL;
	struct L *p = v ? bpf_obj_new(struct L) : NULL;

	if (!p)
		return 0;
	p = bpf_kptr_xchg(&v->loc, p);
	if (p)
		bpf_obj_drop(p);
	return 0;
}
