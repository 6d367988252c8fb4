/* SPDX-License-Identifier: MIT
 *
 * A struct that the program only declares, and that the host has.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <pintle/bpf.h>

#include "expect.h"

BOOK("D13")
OBJECT_ACCEPT;

struct T;

struct value {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");

extern void t_put(struct T *t) __ksym;

ACCEPT BOOK("D13") RETVAL(0)
SEC("hook/p") int emptied(void *ctx)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&map, &key);
	struct T *old = v ? bpf_kptr_xchg(&v->ref, (void *)0) : (void *)0;

	if (old)
		t_put(old);
	return 0;
}
