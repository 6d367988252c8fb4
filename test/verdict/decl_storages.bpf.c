/* SPDX-License-Identifier: MIT
 *
 * Storage that belongs to an object of the host.
 */
#include "verdict.h"

BOOK("D02")
OBJECT_ACCEPT;

struct value {
	struct T __kptr *ref;
};

struct M *fill;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} task_storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} inode_storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} sk_storage SEC(".maps");

struct {
	__uint(type, 32 /* cgrp_storage */);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} cgrp_storage SEC(".maps");
