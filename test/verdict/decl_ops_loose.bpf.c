/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a program that is assigned to no function of one.
 */
#include "verdict.h"

OBJECT_REJECT("it is not assigned to a function of an operations struct");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}
