/* SPDX-License-Identifier: MIT
 *
 * As deep as fields may be.
 */
#include "verdict.h"

BOOK("D38")
OBJECT_ACCEPT;

#define NEST(n, inner)                                                                   \
	struct level_##n {                                                               \
		struct level_##inner in;                                                 \
	}

struct level_1 {
	struct T __kptr *ref;
};
NEST(2, 1);
NEST(3, 2);
NEST(4, 3);
NEST(5, 4);
NEST(6, 5);
NEST(7, 6);
NEST(8, 7);
NEST(9, 8);
NEST(10, 9);
NEST(11, 10);
NEST(12, 11);
NEST(13, 12);
NEST(14, 13);
NEST(15, 14);
NEST(16, 15);
NEST(17, 16);
NEST(18, 17);
NEST(19, 18);
NEST(20, 19);
NEST(21, 20);
NEST(22, 21);
NEST(23, 22);
NEST(24, 23);
NEST(25, 24);
NEST(26, 25);
NEST(27, 26);
NEST(28, 27);
NEST(29, 28);
NEST(30, 29);
NEST(31, 30);
NEST(32, 31);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct level_32);
} map SEC(".maps");
