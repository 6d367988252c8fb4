/* SPDX-License-Identifier: MIT
 *
 * An operations struct: one program for two functions.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_REJECT("program 'run' is assigned to 'run' of struct t_ops, too");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

SEC(".struct_ops")
struct t_ops table = {.run = (void *)run, .maybe = (void *)run};

#endif
