/* SPDX-License-Identifier: MIT
 *
 * typed.bpf.c: what typed pointers cost: each program does its step STEPS times.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "typed.h"

enum { STEPS = 32 };

struct value {
	struct thing __kptr *owned;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static struct value *slot(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&slots, &zero);
}

SEC("hook/bench")
int BPF_PROG(empty, struct thing *t, struct ask *a)
{
	return 0;
}

SEC("hook/bench")
int BPF_PROG(store, struct thing *t, struct ask *a)
{
	struct value *v = slot();
	struct thing *old;

	if (!v)
		return 0;
	old = bpf_kptr_xchg(&v->owned, thing_get(t));
	if (old)
		thing_put(old);
	return 1;
}

/* Load under the read section, read a member. */
SEC("hook/bench")
int BPF_PROG(load_field, struct thing *t, struct ask *a)
{
	struct value *v = slot();
	__u32 sum = 0;

	if (!v)
		return 0;
	for (int i = 0; i < STEPS; i++) {
		struct thing *p = v->owned;

		if (p)
			sum += p->value;
		barrier();
	}
	return sum;
}

/* Out, read, back in: two exchanges. */
SEC("hook/bench")
int BPF_PROG(exchange, struct thing *t, struct ask *a)
{
	struct value *v = slot();
	__u32 sum = 0;

	if (!v)
		return 0;
	for (int i = 0; i < STEPS; i++) {
		struct thing *p = bpf_kptr_xchg(&v->owned, NULL);

		if (!p)
			continue;
		sum += p->value;
		p = bpf_kptr_xchg(&v->owned, p);
		if (p)
			thing_put(p);
	}
	return sum;
}

SEC("hook/bench")
int BPF_PROG(call_function, struct thing *t, struct ask *a)
{
	__u32 sum = 0;

	for (int i = 0; i < STEPS; i++)
		sum += thing_value(t);
	return sum;
}

SEC("hook/bench")
int BPF_PROG(acquire, struct thing *t, struct ask *a)
{
	__u32 sum = 0;

	for (int i = 0; i < STEPS; i++) {
		struct thing *p = thing_get(t);

		sum += p->value;
		thing_put(p);
	}
	return sum;
}
