/* SPDX-License-Identifier: MIT
 *
 * ops.bpf.c: the programs of ops.c: two tables of struct cc_ops, as clang and libbpf's users
 * write them; the object's own struct has its members in another order and one more.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#define OPS_MEMBER int not_in_the_host;
#include "ops.h"

char _license[] SEC("license") = "GPL";

extern struct flow *flow_get(struct flow *f) __ksym;
extern void flow_put(struct flow *f) __ksym;
extern int flow_nap(struct flow *f) __ksym;

int generation = 1;

SEC("struct_ops/init") int BPF_PROG(init, struct flow *f)
{
	return f->window + generation;
}

SEC("struct_ops/ack") void BPF_PROG(ack, struct flow *f, unsigned char bytes, short delta)
{
	generation = bytes + delta;
}

SEC("struct_ops/window") long BPF_PROG(window, struct flow *f, long unit)
{
	return f->window * unit;
}

SEC("struct_ops/full") _Bool BPF_PROG(full, struct flow *f)
{
	return f->window & 0x100;
}

SEC("struct_ops/rest") int BPF_PROG(rest, struct flow *f)
{
	return f ? f->window : -1;
}

SEC("struct_ops/drop") int BPF_PROG(drop, struct flow *f, int why)
{
	flow_put(f);
	return why;
}

SEC("struct_ops/pick") struct flow *BPF_PROG(pick, struct flow *f)
{
	if (f->window > 10)
		return flow_get(f);
	return NULL;
}

SEC("struct_ops.s/nap") int BPF_PROG(nap, struct flow *f)
{
	return flow_nap(f);
}

SEC("struct_ops") long BPF_PROG(window_two, struct flow *f, long unit)
{
	return -f->window * unit;
}

SEC("struct_ops/init") int BPF_PROG(init_two, struct flow *f)
{
	return 2000 + generation;
}

SEC(".struct_ops.link")
struct cc_ops first = {
	.init = (void *)init,
	.ack = (void *)ack,
	.window = (void *)window,
	.full = (void *)full,
	.rest = (void *)rest,
	.drop = (void *)drop,
	.pick = (void *)pick,
	.nap = (void *)nap,
	.name = "first",
	.flags = 7,
	.limits = {3, -4},
};

SEC(".struct_ops")
struct cc_ops second = {
	.init = (void *)init_two,
	.window = (void *)window_two,
	.name = "second",
};

SEC("?struct_ops/init") int BPF_PROG(init_three, struct flow *f)
{
	return 3;
}

SEC("?.struct_ops.link")
struct cc_ops third = {
	.init = (void *)init_three,
};
