/* SPDX-License-Identifier: MIT
 *
 * An operations struct: bit fields that are not set, beside what is.
 */
#include "verdict.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

OBJECT_ACCEPT;

ACCEPT
SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct t_ops___mine {
	int (*run)(struct T *t, int n);
	short pad : 3, bits : 3;
	short number_of_none : 10;
	int more : 12;
	int rest : 20;
};

SEC(".struct_ops")
struct t_ops___mine table = {.run = (void *)run};

#endif
