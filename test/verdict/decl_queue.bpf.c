/* SPDX-License-Identifier: MIT
 *
 * A queue copies its values: nobody could own a reference in it.
 */
#include "verdict.h"

BOOK("D03")
OBJECT_REJECT("a map of type queue cannot hold a field of kind kptr");

struct value {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, struct value);
} map SEC(".maps");
