/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a number of another size.
 */
#include "verdict.h"

OBJECT_REJECT("member 'number' of struct t_ops: 8 bytes, where the host has 4");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct t_ops___mine {
	int (*run)(struct T *t, int n);
	long number;
};

SEC(".struct_ops")
struct t_ops___mine table = {.run = (void *)run, .number = 1};
