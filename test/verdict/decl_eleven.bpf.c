/* SPDX-License-Identifier: MIT
 *
 * As many fields as kernels know.
 */
#include "verdict.h"

BOOK("D36") POLICY(max11, accept)
OBJECT_ACCEPT;

struct value {
	struct T __kptr *ref[10];
	struct T __kptr_untrusted *un;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
