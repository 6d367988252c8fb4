/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a function that the host lacks.
 */
#include "verdict.h"

OBJECT_REJECT("member 'walk' of struct t_ops: it is set to an address, but no function");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct t_ops___mine {
	int (*walk)(struct T *t, int n);
};

SEC(".struct_ops")
struct t_ops___mine table = {.walk = (void *)run};
