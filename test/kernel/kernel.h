/* SPDX-License-Identifier: MIT
 *
 * kernel.h: what test/verdict means when its programs are compiled for the live kernel
 * (-DFOR_KERNEL, test/run/kernel.sh): a T is a task, a U a cgroup, an M a cpumask; the
 * hook p is a trace point, q a syscall program. What the kernel lacks stays weak, and the
 * programs that need it are left out by the loader (kverdict.c).
 */
#ifndef KERNEL_H
#define KERNEL_H

#define T task_struct
#define U cgroup
#define M cpumask
#define W css_set
#define leader group_leader
#define parent real_parent
#define peer last_wakee
#define mask cpus_mask

#define t_find bpf_task_from_pid
#define t_get bpf_task_acquire
#define t_put bpf_task_release
#define u_put bpf_cgroup_release

#undef __ksym
#define __ksym __attribute__((section(".ksyms"), weak))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct M {
	long bits[2];
};
struct X {
	long a;
};
struct T {
	int pid;
	struct T *leader, *parent, *peer;
	struct M mask;
	struct X *up, *percpu; /* not there */
	struct T *left;	       /* not there */
};
struct U {
	int level;
};
struct W {
	int nr_tasks;
};
struct B {
	struct T t;
	long extra;
};
struct test_ctx {
	unsigned int len, mark, data, data_end;
	struct T *t, *maybe;
	long hidden;
};
#pragma clang attribute pop

/* In full in every object: fields that point to what is only declared fail there. */
struct M full_m;
struct U full_u;
struct W full_w;

#define P(name) SEC("tp_btf/task_newtask") int BPF_PROG(name, struct T *t, int n)
#define P_ASM(name)                                                                      \
	SEC("tp_btf/task_newtask") __attribute__((naked)) int name(void)
/* Programs that sleep, with the arguments that those of hooks have. */
#define Q(name)                                                                          \
	SEC("syscall") int name(__u64 *ctx);                                             \
	static __attribute__((always_inline)) int q_##name(__u64 *, struct T *, int);    \
	int name(__u64 *ctx)                                                             \
	{                                                                                \
		return q_##name(ctx, bpf_get_current_task_btf(), bpf_get_prandom_u32()); \
	}                                                                                \
	static int q_##name(__u64 *ctx, struct T *t, int n)

extern struct T *t_get(struct T *t) __ksym;
extern void t_put(struct T *t) __ksym;
extern __u32 bpf_cpumask_first(const struct M *m) __ksym;

/* What only looks at a task is a raise and a put there. */
static inline int t_read(struct T *t)
{
	t = t_get(t);
	if (t)
		t_put(t);
	return t != (void *)0;
}

static inline int t_use(struct T *t)
{
	return t_read(t);
}

static inline int t_nap(struct T *t)
{
	char byte;

	return bpf_copy_from_user_task(&byte, 1, (void *)0, t, 0);
}

static inline int m_count(const struct M *m)
{
	return bpf_cpumask_first(m);
}

#endif
