/* SPDX-License-Identifier: MIT
 *
 * enter.bpf.c: programs whose host function does things in the middle of their run.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern int enter_call(int what) __ksym;

SEC("hook/enter_hook") int BPF_PROG(calls, int what)
{
	return enter_call(what);
}

SEC("hook/enter_hook") int BPF_PROG(answers, int what)
{
	return what + 1;
}
