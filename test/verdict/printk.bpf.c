/* SPDX-License-Identifier: MIT
 *
 * bpf_trace_printk() takes up to three numbers; those left out need not be set.
 */
#include "verdict.h"

SEC("hook/p") ACCEPT
int BPF_PROG(print_nothing_else, struct T *t, int n)
{
	bpf_printk("hello");
	return 0;
}

SEC("hook/p") ACCEPT
int BPF_PROG(print_three, struct T *t, int n)
{
	bpf_printk("%d %d %d", n, n + 1, n + 2);
	return 0;
}

SEC("hook/p") REJECT(ARG_LEAK, "leaks addr into helper function")
int BPF_PROG(print_an_address, struct T *t, int n)
{
	bpf_printk("%lx", (long)t);
	return 0;
}
