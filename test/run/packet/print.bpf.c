/* SPDX-License-Identifier: MIT
 *
 * print.bpf.c: fewer arguments than bpf_trace_printk() has room for: the others are 0,
 * never what a register happened to hold.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int print(struct xdp_md *ctx)
{
	static const char fmt[] = "left out: %lx %lx %lx";

	bpf_printk("hello");
	bpf_printk("length %d", ctx->data_end - ctx->data);
	bpf_trace_printk(fmt, sizeof(fmt));
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
