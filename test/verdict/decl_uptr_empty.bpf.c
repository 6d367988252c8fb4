/* SPDX-License-Identifier: MIT
 *
 * Pinned memory of no size.
 */
#include "verdict.h"

BOOK("D49")
OBJECT_REJECT("struct buffer is empty");

struct buffer {
	char bytes[0];
};

struct value {
	struct buffer __uptr *u;
};

union full {
	struct buffer buffer;
} *seen;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} map SEC(".maps");
