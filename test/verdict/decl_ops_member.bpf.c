/* SPDX-License-Identifier: MIT
 *
 * An operations struct: a number that the host lacks.
 */
#include "verdict.h"

OBJECT_REJECT("member 'extra' of struct t_ops: it is set, but this host's struct has no such member");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct t_ops___mine {
	int (*run)(struct T *t, int n);
	int extra;
};

SEC(".struct_ops")
struct t_ops___mine table = {.run = (void *)run, .extra = 1};
