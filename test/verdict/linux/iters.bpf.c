/* SPDX-License-Identifier: MIT
 *
 * Iterators over objects of the kernel, some of which a read section protects.
 */
#include "linux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
	int pid;
};

struct vm_area_struct {
	unsigned long vm_start;
};
#pragma clang attribute pop

struct bpf_iter_task {
	__u64 opaque[3];
};

struct bpf_iter_task_vma {
	__u64 opaque[1];
};

struct bpf_iter_bits {
	__u64 opaque[2];
};

enum { ALL_PROCS };

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
			     unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words,
			     __u32 nr_words) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

ACCEPT
SEC("fentry.s/bpf_fentry_test1")
int tasks(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;
	int sum = 0;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	while ((task = bpf_iter_task_next(&it)))
		sum += task->pid;
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	hide(sum);
	return 0;
}

REJECT(ITER_RCU, "expected an RCU CS when using bpf_iter_task_next") BOOK("R21")
SEC("fentry.s/bpf_fentry_test1")
int tasks_outside_a_section(void *ctx)
{
	struct bpf_iter_task it;

	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	while (bpf_iter_task_next(&it))
		;
	bpf_iter_task_destroy(&it);
	return 0;
}

REJECT(ITER_RCU, "expected an RCU CS when using bpf_iter_task_next") BOOK("R22")
SEC("fentry.s/bpf_fentry_test1")
int tasks_after_the_section(void *ctx)
{
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	bpf_rcu_read_unlock();
	bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	return 0;
}

/* Another section is not the one it was made in. */
REJECT(ITER_RCU, "expected an RCU CS when using bpf_iter_task_next")
SEC("fentry.s/bpf_fentry_test1")
int tasks_in_another_section(void *ctx)
{
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	bpf_rcu_read_unlock();
	bpf_rcu_read_lock();
	bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

/* What it gives is protected by the section. */
ACCEPT
SEC("fentry.s/bpf_fentry_test1")
int task_acquired(void *ctx)
{
	struct task_struct *task, *mine = NULL;
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	task = bpf_iter_task_next(&it);
	if (task)
		mine = bpf_task_acquire(task);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	if (mine)
		bpf_task_release(mine);
	return 0;
}

REJECT(KFUNC_RCU, "R1 must be a rcu pointer")
SEC("fentry.s/bpf_fentry_test1")
int task_acquired_too_late(void *ctx)
{
	struct task_struct *task, *mine;
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	task = bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	if (!task)
		return 0;
	mine = bpf_task_acquire(task);
	if (mine)
		bpf_task_release(mine);
	return 0;
}

/* Of two slots, one type each. */
REJECT(ITER_INIT, "expected an initialized iter_bits as arg #0")
SEC("fentry.s/bpf_fentry_test1")
int of_another_type(void *ctx)
{
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	bpf_iter_bits_next((struct bpf_iter_bits *)&it);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

ACCEPT
SEC("fentry/bpf_fentry_test1")
int bits(void *ctx)
{
	struct bpf_iter_bits it;
	__u64 words[2] = {5, 9};
	int n = 0;

	bpf_iter_bits_new(&it, words, 2);
	while (bpf_iter_bits_next(&it))
		n++;
	bpf_iter_bits_destroy(&it);
	hide(n);
	return 0;
}

REJECT(ITER_UNINIT, "expected uninitialized iter_bits as arg #0")
SEC("fentry/bpf_fentry_test1")
int over_half_of_another(void *ctx)
{
	struct {
		struct bpf_iter_bits a;
		__u64 behind;
	} it;
	__u64 word = 5;

	bpf_iter_bits_new(&it.a, &word, 1);
	bpf_iter_bits_new((void *)&it.a.opaque[1], &word, 1);
	bpf_iter_bits_destroy((void *)&it.a.opaque[1]);
	bpf_iter_bits_destroy(&it.a);
	return 0;
}
