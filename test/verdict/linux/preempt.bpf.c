/* SPDX-License-Identifier: MIT
 *
 * While preemption is disabled.
 */
#include "linux.h"

extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

static __noinline int one(int n)
{
	hide(n);
	return n + 1;
}

__noinline int two(int n)
{
	hide(n);
	return n + 2;
}

ACCEPT
SEC("tc")
int static_function(struct __sk_buff *skb)
{
	int n;

	bpf_preempt_disable();
	n = one(skb->len);
	bpf_preempt_enable();
	return n & 1;
}

REJECT(GLOBAL_PREEMPT, "global function calls are not allowed with preemption disabled")
SEC("tc")
int global_function(struct __sk_buff *skb)
{
	int n;

	bpf_preempt_disable();
	n = two(skb->len);
	bpf_preempt_enable();
	return n & 1;
}

ACCEPT
SEC("tc")
int global_function_behind(struct __sk_buff *skb)
{
	bpf_preempt_disable();
	bpf_preempt_enable();
	return two(skb->len) & 1;
}

REJECT(PREEMPT_OPEN, "1 bpf_preempt_enable is missing")
SEC("tc")
int one_left(struct __sk_buff *skb)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	return 0;
}

REJECT(PREEMPT_OPEN, "2 bpf_preempt_enable(s) are missing")
SEC("tc")
int two_left(struct __sk_buff *skb)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	return 0;
}
