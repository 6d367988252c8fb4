/* SPDX-License-Identifier: MIT
 *
 * Programs of test/run/percpu.c: what there is once for every slot.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "../fixture/types.h"

struct runs_here {
	long runs;
};

struct value {
	struct runs_here __percpu_kptr *count;
	struct X __kptr_percpu *host;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} counts SEC(".maps");

extern const struct X x_stats __ksym;
extern const int x_number __ksym;

static struct value *value(void)
{
	int zero = 0;

	return bpf_map_lookup_elem(&counts, &zero);
}

SEC("hook/p")
int BPF_PROG(of_host, struct T *t, int n)
{
	const struct X *mine = bpf_this_cpu_ptr(&x_stats);
	const struct X *other = bpf_per_cpu_ptr(&x_stats, n);
	const int *number = bpf_this_cpu_ptr(&x_number);

	return other ? mine->a * 10000 + other->a * 100 + *number : -1;
}

SEC("hook/p")
int BPF_PROG(remembered, struct T *t, int n)
{
	struct value *v = value();
	struct X *x;
	const struct X *mine;

	if (!v)
		return -1;
	if (n) {
		v->host = (struct X *)&x_stats;
		return 0;
	}
	x = v->host;
	if (!x)
		return -2;
	mine = bpf_this_cpu_ptr(x);
	return mine->a;
}

SEC("hook/p")
int BPF_PROG(counted, struct T *t, int n)
{
	struct value *v = value();
	struct runs_here *c;

	if (!v)
		return -1;
	c = v->count;
	if (!c) {
		struct runs_here *fresh = bpf_percpu_obj_new(struct runs_here);

		if (!fresh)
			return -1;
		fresh = bpf_kptr_xchg(&v->count, fresh);
		if (fresh)
			bpf_percpu_obj_drop(fresh);
		c = v->count;
		if (!c)
			return -1;
	}
	c = bpf_this_cpu_ptr(c);
	return ++c->runs;
}
