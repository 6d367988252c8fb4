/* SPDX-License-Identifier: MIT
 *
 * An operations struct: as many bytes as the host has, but others.
 */
#include "verdict.h"

OBJECT_REJECT("member 'name' of struct t_ops: it is not laid out as the host's");

SEC("struct_ops/run") int BPF_PROG(run, struct T *t, int n)
{
	return n;
}

struct t_ops___mine {
	int (*run)(struct T *t, int n);
	struct {
		char letters[4];
		int code;
	} name;
};

SEC(".struct_ops")
struct t_ops___mine table = {.run = (void *)run, .name = {.code = 1}};
