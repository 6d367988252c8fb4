/* SPDX-License-Identifier: MIT
 *
 * A pointer hidden behind a typedef.
 */
#include "verdict.h"

BOOK("D31") POLICY(kernel, accept)
OBJECT_REJECT("hidden behind a typedef");

typedef struct T __kptr *hidden;

struct value {
	hidden ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
