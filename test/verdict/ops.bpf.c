/* SPDX-License-Identifier: MIT
 *
 * Functions of an operations struct: arguments trusted, maybe NULL or the program's own,
 * results that are numbers, nothing, or references.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

#define TABLE(name, member) SEC(".struct_ops") struct t_ops name##_table = {.member = (void *)name}

ACCEPT
SEC("struct_ops/run") int BPF_PROG(ops_trusted, struct T *t, int n)
{
	return t_use(t) + n;
}
TABLE(ops_trusted, run);

REJECT(NULL_DEREF, "invalid mem access")
SEC("struct_ops/maybe") int BPF_PROG(ops_maybe_null, struct T *t)
{
	return t->pid;
}
TABLE(ops_maybe_null, maybe);

ACCEPT
SEC("struct_ops/maybe") int BPF_PROG(ops_null_checked, struct T *t)
{
	return t ? t_use(t) : 0;
}
TABLE(ops_null_checked, maybe);

REJECT(CTX_ARG, "doesn't have 3-th argument")
SEC("struct_ops/run") int ops_third(__u64 *ctx)
{
	return ctx[2];
}
TABLE(ops_third, run);

REJECT(BTF_RDONLY, "only read is supported")
SEC("struct_ops/run") int BPF_PROG(ops_writes, struct T *t, int n)
{
	t->pid = n;
	return 0;
}
TABLE(ops_writes, run);

/* --- an argument that is a reference --- */

ACCEPT
SEC("struct_ops/own") int BPF_PROG(ops_puts, struct T *t)
{
	int pid = t->pid;

	t_put(t);
	return pid;
}
TABLE(ops_puts, own);

REJECT(REF_LEAK, "Unreleased reference")
SEC("struct_ops/own") int BPF_PROG(ops_keeps, struct T *t)
{
	return t->pid;
}
TABLE(ops_keeps, own);

REJECT(REF_LEAK, "Unreleased reference")
SEC("struct_ops/own") int ops_never_looks(__u64 *ctx)
{
	return 0;
}
TABLE(ops_never_looks, own);

REJECT(OPS_ARG_REF, "reference of argument 0 may already be released")
SEC("struct_ops/own") int ops_reads_again(__u64 *ctx)
{
	struct T *t = (void *)ctx[0];

	t_put(t);
	barrier_var(ctx);
	t = (void *)ctx[0];
	return t->pid;
}
TABLE(ops_reads_again, own);

REJECT(OPS_ARG_REF, "may already be released")
SEC("struct_ops/own") int ops_puts_twice(__u64 *ctx)
{
	t_put((struct T *)ctx[0]);
	barrier_var(ctx);
	t_put((struct T *)ctx[0]);
	return 0;
}
TABLE(ops_puts_twice, own);

/* Of two references that are alike, one is the context's: which one matters. */
REJECT(OPS_ARG_REF, "may already be released")
SEC("struct_ops/own") int ops_one_or_the_other(__u64 *ctx)
{
	struct T *mine = (void *)ctx[0], *other, *x, *y;

	other = t_get(mine);
	if (bpf_get_prandom_u32() & 1) {
		x = mine;
		y = other;
	} else {
		x = other;
		y = mine;
	}
	barrier_var(x);
	barrier_var(y);
	t_put(x);
	barrier_var(ctx);
	t_put((struct T *)ctx[0]);
	return 0;
}
TABLE(ops_one_or_the_other, own);

/* --- a result that is one --- */

ACCEPT
SEC("struct_ops/make") struct T *BPF_PROG(ops_makes, int n)
{
	if (n < 0)
		return NULL;
	return t_find(n) ?: NULL;
}
TABLE(ops_makes, make);

REJECT(OPS_RET, "where NULL or a reference to struct T is wanted")
SEC("struct_ops/make") struct T *BPF_PROG(ops_makes_up, int n)
{
	return (void *)(long)n;
}
TABLE(ops_makes_up, make);

REJECT(OPS_RET, "where NULL or a reference to struct T is wanted")
SEC("struct_ops/make") struct T *BPF_PROG(ops_other_type, int n)
{
	return (void *)u_find(n);
}
TABLE(ops_other_type, make);

struct keep {
	struct T __kptr *t;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct keep);
} keeps SEC(".maps");

REJECT(RELEASE_UNREF, "release")
SEC("struct_ops/make") struct T *BPF_PROG(ops_borrowed, int n)
{
	int key = 0;
	struct keep *k = bpf_map_lookup_elem(&keeps, &key);
	struct T *t = k ? k->t : NULL;

	return t ?: NULL;
}
TABLE(ops_borrowed, make);

REJECT(REF_LEAK, "Unreleased reference")
SEC("struct_ops/make") struct T *BPF_PROG(ops_returns_one_of_two, int n)
{
	struct T *a = t_find(n), *b;

	if (!a)
		return NULL;
	b = t_get(a);
	return b;
}
TABLE(ops_returns_one_of_two, make);

/* --- tail calls: what goes on takes its arguments to be its own --- */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} owners SEC(".maps"), makers SEC(".maps"), runners SEC(".maps");

REJECT(OPS_TAIL_CALL, "program with __ref argument cannot tail call")
SEC("struct_ops/own") int ops_puts_and_goes_on(__u64 *ctx)
{
	t_put((struct T *)ctx[0]);
	bpf_tail_call(ctx, &owners, 0);
	return 0;
}
TABLE(ops_puts_and_goes_on, own);

static __noinline int goes_on(__u64 *ctx)
{
	bpf_tail_call(ctx, &makers, 0);
	return 0;
}

/* Who called would throw away what the other returns. */
REJECT(UNSUPPORTED, "a tail call in a subprogram")
SEC("struct_ops/make") struct T *ops_makes_below(__u64 *ctx)
{
	goes_on(ctx);
	return NULL;
}
TABLE(ops_makes_below, make);

ACCEPT
SEC("struct_ops/make") struct T *ops_makes_elsewhere(__u64 *ctx)
{
	bpf_tail_call(ctx, &makers, 0);
	return NULL;
}
TABLE(ops_makes_elsewhere, make);

ACCEPT
SEC("struct_ops/run") int ops_runs_elsewhere(__u64 *ctx)
{
	bpf_tail_call(ctx, &runners, 0);
	return 0;
}
TABLE(ops_runs_elsewhere, run);

/* --- nothing, and sleeping --- */

ACCEPT
SEC("struct_ops/tell") void BPF_PROG(ops_tells, struct T *t)
{
	t_use(t);
}
TABLE(ops_tells, tell);

ACCEPT
SEC("struct_ops.s/nap") int BPF_PROG(ops_naps, struct T *t)
{
	return t_nap(t);
}
TABLE(ops_naps, nap);

REJECT(SLEEP_PROG, "program must be sleepable to call sleepable kfunc t_nap")
SEC("struct_ops/nap") int BPF_PROG(ops_may_not_nap, struct T *t)
{
	return t_nap(t);
}
TABLE(ops_may_not_nap, nap);

#endif
