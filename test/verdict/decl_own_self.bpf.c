/* SPDX-License-Identifier: MIT
 *
 * An object that owns one of its own type, and that another, for ever.
 */
#include "verdict.h"

BOOK("D46") POLICY(kernel, accept)
OBJECT_REJECT("D_CYCLE");

struct chained {
	struct chained __kptr *next;
	long n;
};

struct value {
	struct chained __kptr *first;
};

struct chained *seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
