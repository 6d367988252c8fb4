/* SPDX-License-Identifier: MIT
 *
 * An operations struct: an address for the host to follow.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_REJECT("member 'pointer' of struct t_ops: only functions are set by programs");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

SEC(".struct_ops")
struct t_ops table = {.run = (void *)run, .pointer = (void *)0x1234};

#endif
