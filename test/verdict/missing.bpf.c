/* SPDX-License-Identifier: MIT
 *
 * What the host lacks may be named, as long as nothing can reach it.
 */
#include "verdict.h"

#include <bpf/bpf_core_read.h>

extern int t_absent(struct T *t) __ksym __weak;

/* A kernel's, of which a process has none. */
extern struct task_struct *bpf_task_from_pid(int pid) __ksym __weak;

SEC("hook/p") REJECT(KSYM_MISSING, "there are no tasks of a kernel; instead:")
	KERNEL(accept, "a kernel has tasks")
int BPF_PROG(calls_a_function_of_kernels, struct T *t, int n)
{
	return bpf_task_from_pid(n) != NULL;
}

struct T___newer {
	long added;
} __attribute__((preserve_access_index));

SEC("hook/p") ACCEPT
int BPF_PROG(asks_for_the_function, struct T *t, int n)
{
	return t_absent ? t_absent(t) : 0;
}

SEC("hook/p") REJECT(KSYM_MISSING, "the host exports no function 't_absent'")
int BPF_PROG(calls_the_function, struct T *t, int n)
{
	return t_absent(t);
}

SEC("hook/p") ACCEPT
int BPF_PROG(asks_for_the_field, struct T *t, int n)
{
	struct T___newer *new = (void *)t;

	return bpf_core_field_exists(new->added) ? new->added : 0;
}

SEC("hook/p") REJECT(CORE_MISSING, "the host's types have no such field")
int BPF_PROG(reads_the_field, struct T *t, int n)
{
	struct T___newer *new = (void *)t;

	return new->added;
}
