/* SPDX-License-Identifier: MIT
 *
 * A field in a struct in a named union in an array of structs.
 */
#include "verdict.h"

POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

struct held {
	long before;
	struct T __kptr *ref;
};

union either {
	struct held held;
	long words[2];
};

struct value {
	struct {
		long n;
		union either either;
	} rows[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
