/* SPDX-License-Identifier: MIT
 *
 * Programs attached by BTF: what their arguments are, and what they may return.
 */
#include "linux.h"

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));
struct sock {
	int sk_rcvbuf;
} __attribute__((preserve_access_index));
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
} __attribute__((preserve_access_index));

/* ---- tracepoints ---- */

ACCEPT
SEC("tp_btf/sched_switch")
int BPF_PROG(tp_task, _Bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return prev->pid + next->pid;
}

REJECT(CTX_ARG, "func 'sched_switch' doesn't have 5-th argument")
SEC("tp_btf/sched_switch")
int tp_beyond(__u64 *ctx)
{
	return ctx[4] & 1;
}

REJECT(BTF_RDONLY, "only read is supported")
SEC("tp_btf/sched_switch")
int BPF_PROG(tp_written, _Bool preempt, struct task_struct *prev)
{
	prev->pid = 1;
	return 0;
}

/* Some may be NULL, though nothing in the prototype says so. */
REJECT(NULL_DEREF, "R1 invalid mem access 'trusted_ptr_or_null_'")
SEC("tp_btf/sched_pi_setprio")
int BPF_PROG(tp_null, struct task_struct *task, struct task_struct *pi)
{
	return pi->pid;
}

ACCEPT
SEC("tp_btf/sched_pi_setprio")
int BPF_PROG(tp_tested, struct task_struct *task, struct task_struct *pi)
{
	return pi ? pi->pid : task->pid;
}

/* ---- iterators ---- */

REJECT(NULL_DEREF, "R1 invalid mem access 'trusted_ptr_or_null_'")
SEC("iter/task")
int iter_null(__u64 *ctx)
{
	return ((struct task_struct *)ctx[1])->pid & 1;
}

ACCEPT
SEC("iter/task")
int iter_tested(__u64 *ctx)
{
	struct bpf_iter_meta *meta = (void *)ctx[0];
	struct task_struct *task = (void *)ctx[1];

	return (meta->seq_num + (task ? task->pid : 0)) & 1;
}

REJECT(RET_RANGE, "At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]")
SEC("iter/task")
int iter_returns(void *ctx)
{
	return 2;
}

/* Keys are read, values written; how long they are, the attachment checks. */
ACCEPT
SEC("iter/bpf_map_elem")
int iter_elem(__u64 *ctx)
{
	__u64 *key = (void *)ctx[2], *value = (void *)ctx[3];

	if (key && value)
		value[3] = key[1];
	return 0;
}

REJECT(MEM_WRITE, "cannot write into rdonly_buf")
SEC("iter/bpf_map_elem")
int iter_key_written(__u64 *ctx)
{
	__u64 *key = (void *)ctx[2];

	if (key)
		*key = 1;
	return 0;
}

/* ---- functions ---- */

ACCEPT
SEC("fexit/vfs_open")
int fexit_result(volatile __u64 *ctx)
{
	ctx[2];
	return 0;
}

REJECT(CTX_ARG, "func 'vfs_open' doesn't have 4-th argument")
SEC("fexit/vfs_open")
int fexit_beyond(volatile __u64 *ctx)
{
	ctx[3];
	return 0;
}

REJECT(CTX_ARG, "func 'vfs_open' doesn't have 3-th argument")
SEC("fentry/vfs_open")
int fentry_no_result(volatile __u64 *ctx)
{
	ctx[2];
	return 0;
}

REJECT(RET_RANGE, "should have been in [0, 0]")
SEC("fentry/vfs_open")
int fentry_returns(void *ctx)
{
	return 1;
}

/* ---- LSM ---- */

ACCEPT
SEC("lsm/file_open")
int lsm_denies(void *ctx)
{
	return -1;
}

REJECT(RET_RANGE, "should have been in [-4095, 0]")
SEC("lsm/file_open")
int lsm_returns(void *ctx)
{
	return 1;
}

/* What another program said is one of those, too. */
ACCEPT
SEC("lsm/file_open")
int lsm_passes_on(__u64 *ctx)
{
	return (int)ctx[1];
}

/* A hook without a result: anything goes. */
ACCEPT
SEC("lsm/task_to_inode")
int lsm_void(void *ctx)
{
	return 77;
}

REJECT(RET_RANGE, "should have been in [0, 1]")
SEC("lsm_cgroup/socket_bind")
int lsm_cgroup_returns(void *ctx)
{
	return 2;
}

REJECT(HELPER_PLACE, "attach to void LSM hooks can't modify return value")
SEC("lsm_cgroup/inet_csk_clone")
int lsm_cgroup_void(void *ctx)
{
	bpf_set_retval(-1);
	return 1;
}

REJECT(HELPER_PLACE, "helper call is not allowed in probe")
SEC("fentry/vfs_open")
int path_anywhere(__u64 *ctx)
{
	char text[8];

	bpf_d_path((void *)ctx[0], text, sizeof(text));
	return 0;
}
