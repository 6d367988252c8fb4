/* SPDX-License-Identifier: MIT
 *
 * The old storage of cgroups keeps no pointer fields.
 */
#include "verdict.h"

BOOK("D05")
OBJECT_REJECT("a map of type cgroup_storage cannot hold a field of kind kptr");

struct value {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct value);
} map SEC(".maps");
