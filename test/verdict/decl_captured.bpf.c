/* SPDX-License-Identifier: MIT
 *
 * A struct of the program with a name of the host, but not its layout.
 */
#undef FOR_KERNEL
#define T host_T
#include "verdict.h"
#undef T

BOOK("D18") POLICY(kernel, accept)
OBJECT_REJECT("is the host's by its name");

struct T { /* of no use to the host */
	long mine;
} seen;

struct value {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
