/* SPDX-License-Identifier: MIT
 *
 * congestion.bpf.c: two congestion controls: one that goes up slowly and down fast, and one
 * that stays where it is.
 */
#include "../example.bpf.h"
#include "congestion.h"

SEC("struct_ops/start")
unsigned int BPF_PROG(reno_start, struct flow *f)
{
	return 2;
}

SEC("struct_ops/on_ack")
unsigned int BPF_PROG(reno_on_ack, struct flow *f, unsigned int acked)
{
	return f->window + acked;
}

SEC("struct_ops/on_loss")
unsigned int BPF_PROG(reno_on_loss, struct flow *f)
{
	return f->window > 3 ? f->window / 2 : 2;
}

SEC(".struct_ops.link")
struct cc_ops reno = {
	.start = (void *)reno_start,
	.on_ack = (void *)reno_on_ack,
	.on_loss = (void *)reno_on_loss,
	.name = "reno",
	.most = 64,
};

/* What is not given is as the host has it. */
SEC("struct_ops/start")
unsigned int BPF_PROG(steady_start, struct flow *f)
{
	return 10;
}

SEC(".struct_ops.link")
struct cc_ops steady = {
	.start = (void *)steady_start,
	.name = "steady",
	.most = 10,
};
