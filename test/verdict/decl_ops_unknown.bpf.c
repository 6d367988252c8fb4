/* SPDX-License-Identifier: MIT
 *
 * An operations struct: one that the host does not have.
 */
#include "verdict.h"

OBJECT_REJECT("struct u_ops is no operations struct of this host");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct u_ops {
	int (*run)(struct T *t, int n);
};

SEC(".struct_ops")
struct u_ops table = {.run = (void *)run};
