/* SPDX-License-Identifier: MIT
 *
 * Pinned memory is no object of the host.
 */
#include "verdict.h"

BOOK("D49")
OBJECT_REJECT("is the host's, where the program's own is wanted");

struct value {
	struct T __uptr *u;
};

struct T *seen;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} map SEC(".maps");
