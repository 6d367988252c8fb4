/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a function that is a variable.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_REJECT("member 'run' of struct t_ops: it is set to 'value', which is no program");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

long value = 1;

SEC(".struct_ops")
struct t_ops table = {.run = (void *)&value};

#endif
