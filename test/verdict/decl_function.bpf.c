/* SPDX-License-Identifier: MIT
 *
 * A pointer to a function.
 */
#include "verdict.h"

BOOK("D11") POLICY(kernel, accept)
OBJECT_REJECT("D_POINTEE");

typedef int function(int);

struct value {
	function __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
