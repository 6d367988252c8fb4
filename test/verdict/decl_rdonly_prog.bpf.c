/* SPDX-License-Identifier: MIT
 *
 * A map that programs cannot write.
 */
#include "verdict.h"

BOOK("D06")
OBJECT_REJECT("D_MAPFLAG");

struct value {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
