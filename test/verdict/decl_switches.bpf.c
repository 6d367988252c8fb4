/* SPDX-License-Identifier: MIT
 *
 * Declarations that switches of the policy forbid (rule book I3, I10, I36).
 */
#include "verdict.h"

POLICY(nolocal, reject, "is unknown to the host")
POLICY(nouser, reject, "pointers of this kind are not allowed here")
POLICY(depth2, reject, "more than 2 deep")
OBJECT_ACCEPT;

struct third {
	long n;
};

struct second {
	struct third __kptr *next;
};

struct first {
	struct second __kptr *next;
};

union all {
	struct first first;
	struct second second;
	struct third third;
} *seen;

struct value {
	struct first __kptr *chain;
	struct X __kptr_user *user;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
