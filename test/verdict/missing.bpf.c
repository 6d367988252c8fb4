/* SPDX-License-Identifier: MIT
 *
 * What the host lacks may be named, as long as nothing can reach it.
 */
#include "verdict.h"

#include <bpf/bpf_core_read.h>

extern int t_absent(struct T *t) __ksym __weak;

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
