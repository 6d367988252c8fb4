/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a bit field that is set.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_REJECT("member 'bits' of struct t_ops: unsupported: a bit field");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

SEC(".struct_ops")
struct t_ops table = {.run = (void *)run, .bits = 1};

#endif
