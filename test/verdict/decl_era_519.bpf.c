/* SPDX-License-Identifier: MIT
 *
 * The tag of unreferenced fields until 6.3 is that of referenced ones since.
 */
#include "verdict.h"

/* W has no destructor, so that a referenced field of it cannot be. */
BOOK("D23") POLICY(tags519, accept)
OBJECT_REJECT("D_NODTOR");

struct value {
	struct W __kptr *un;
};

struct W *seen; /* in full, for BTF */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");
