/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a number of the host that is a bit field of the object, and set.
 */
#include "verdict.h"

OBJECT_REJECT("member 'number' of struct t_ops: unsupported: a bit field");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct t_ops___mine {
	int (*run)(struct T *t, int n);
	int number : 3;
};

SEC(".struct_ops")
struct t_ops___mine table = {.run = (void *)run, .number = -1};
