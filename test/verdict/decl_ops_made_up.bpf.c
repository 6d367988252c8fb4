/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a function that is a number.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_REJECT("member 'run' of struct t_ops: only functions are set by programs");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

SEC(".struct_ops")
struct t_ops table = {.run = (void *)0x1234};

#endif
