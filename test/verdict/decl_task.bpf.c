/* SPDX-License-Identifier: MIT
 *
 * A function of the kernel's that no process has: opening says why, and what to use.
 */
#include "verdict.h"

OBJECT_REJECT("extern function 'bpf_task_under_cgroup': the host exports nothing of that name: "
	      "there are no tasks of a kernel; instead:");

extern long bpf_task_under_cgroup(struct T *t, struct U *u) __ksym;

P(asks)
{
	return bpf_task_under_cgroup(t, NULL);
}
