/* SPDX-License-Identifier: MIT
 *
 * Functions of the kernel: its contexts and sockets as arguments, casts of contexts, what
 * takes NULL.
 */
#include "linux.h"

#include <linux/pkt_cls.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sk_buff {
	unsigned int len;
};

struct cgroup_subsys_state {
	int id;
};

struct task_struct {
	int pid;
};

struct cgroup {
	struct cgroup_subsys_state self;
};

struct bpf_cpumask {
	int usage;
};
#pragma clang attribute pop

struct bpf_iter_css_task {
	__u64 opaque[1];
};

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *s, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_iter_css_task_new(struct bpf_iter_css_task *it,
				 struct cgroup_subsys_state *css, unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_css_task_next(struct bpf_iter_css_task *it) __ksym;
extern void bpf_iter_css_task_destroy(struct bpf_iter_css_task *it) __ksym;
extern struct cgroup *bpf_cgroup_from_id(__u64 id) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgrp) __ksym;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

ACCEPT
SEC("tc")
int context_as_what_it_is(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);

	return skb->len & 1;
}

REJECT(KFUNC_CTX, "arg#0 expected pointer to ctx, but got fp")
SEC("tc")
int no_context_cast(struct __sk_buff *ctx)
{
	long other = 0;

	return bpf_cast_to_kern_ctx(&other) != NULL;
}

/* A function that is declared to take the context's struct takes what that is a view of. */
ACCEPT
SEC("tp_btf/kfree_skb")
int BPF_PROG(skb_for_its_context, struct sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &d);
	return 0;
}

REJECT(KFUNC_TYPE, "expected pointer to STRUCT __sk_buff")
SEC("tp_btf/task_newtask")
int BPF_PROG(task_for_a_context, struct task_struct *task)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb((struct __sk_buff *)task, 0, &d);
	return 0;
}

static __always_inline int walk(unsigned long long id)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(id);
	struct bpf_iter_css_task it;

	if (!cgrp)
		return 0;
	bpf_iter_css_task_new(&it, &cgrp->self, 0);
	while (bpf_iter_css_task_next(&it))
		;
	bpf_iter_css_task_destroy(&it);
	bpf_cgroup_release(cgrp);
	return 0;
}

ACCEPT
SEC("fentry.s/bpf_fentry_test1")
int tasks_of_a_cgroup(void *ctx)
{
	return walk(1);
}

REJECT(ITER_CSS_TASK, "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs")
SEC("fentry/bpf_fentry_test1")
int tasks_of_a_cgroup_without_sleep(void *ctx)
{
	return walk(1);
}

/* ---- dynptrs for global functions ---- */

__noinline int size_of(struct bpf_dynptr *d)
{
	return bpf_dynptr_size(d);
}

ACCEPT
SEC("tc")
int dynptr_for_a_global_function(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb(ctx, 0, &d);
	return size_of(&d);
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
SEC("tc")
int none_for_a_global_function(struct __sk_buff *ctx)
{
	struct bpf_dynptr d = {};

	return size_of(&d);
}

__noinline int write_to(struct bpf_dynptr *d)
{
	char text[4] = {};

	return bpf_dynptr_write(d, 0, text, sizeof(text), 0);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int packet_after_a_global_function(struct __sk_buff *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bpf_dynptr d;

	if (data + 4 > end)
		return 0;
	bpf_dynptr_from_skb(ctx, 0, &d);
	write_to(&d);
	return data[0];
}

/* ---- maps themselves ---- */

struct bpf_map;
extern long bpf_map_sum_elem_count(const struct bpf_map *map) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counted SEC(".maps");

ACCEPT
SEC("tc")
int map_as_struct(struct __sk_buff *skb)
{
	return bpf_map_sum_elem_count((struct bpf_map *)&counted) & 1;
}

REJECT(KFUNC_TYPE, "expected pointer to STRUCT bpf_map but R1 has a pointer to STRUCT sock_common")
SEC("tc")
int no_map(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_map_sum_elem_count((struct bpf_map *)sk) & 1 : 0;
}
