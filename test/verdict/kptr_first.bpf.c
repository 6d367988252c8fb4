/* SPDX-License-Identifier: MIT
 *
 * The first programs: a reference goes into a field and comes out again.
 */
#include "verdict.h"

struct value {
	struct T __kptr *ref;
	struct T __kptr_untrusted *un;
	long hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static struct value *first(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&slots, &zero);
}

SEC("hook/p") ACCEPT BOOK("X03")
int BPF_PROG(store_and_put_old, struct T *t, int n)
{
	struct value *v = first();
	struct T *new, *old;

	if (!v)
		return 0;
	new = t_find(n);
	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return 1;
}

SEC("hook/p") ACCEPT BOOK("I03")
int BPF_PROG(store_by_instruction, struct T *t, int n)
{
	struct value *v = first();
	struct T *new, *old;

	if (!v)
		return 0;
	new = t_find(n);
	if (!new)
		return 0;
	old = pintle_xchg(&v->ref, new);
	if (old)
		t_put(old);
	return 1;
}

SEC("hook/p") REJECT(REF_LEAK, "Unreleased reference") BOOK("X01")
int BPF_PROG(ignore_old, struct T *t, int n)
{
	struct value *v = first();

	if (!v)
		return 0;
	bpf_kptr_xchg(&v->ref, NULL);
	return 0;
}
