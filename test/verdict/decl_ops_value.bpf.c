/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a number in its place.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_REJECT("operations 'table': not a struct");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

SEC(".struct_ops")
int table = 5;

#endif
