/* SPDX-License-Identifier: MIT
 *
 * stress_ops.bpf.c: two tables of operations for stress.c, which are told apart by the
 * sign of what their functions give and by their number. Both move references.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "stress.h"

char _license[] SEC("license") = "GPL";

extern void stress_did(int op) __ksym;
extern int item_look(struct item *item) __ksym;
extern void item_put(struct item *item) __ksym;
extern int stress_nap(int us) __ksym;

struct value {
	struct item __kptr *one;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} passed SEC(".maps");

struct item *unused_item;

static __always_inline struct item *pass(struct item *item, __u32 key)
{
	struct value *v = bpf_map_lookup_elem(&passed, &key);

	if (!v)
		return item;
	stress_did(P_TABLE_MOVE);
	return bpf_kptr_xchg(&v->one, item);
}

#define TABLE(name, give)                                                                \
	SEC("struct_ops/sign") int BPF_PROG(sign_##name, struct item *item, int n)       \
	{                                                                                \
		item_look(item);                                                         \
		stress_did(P_TABLE);                                                     \
		return give n;                                                           \
	}                                                                                \
	SEC("struct_ops/swap") struct item *BPF_PROG(swap_##name, struct item *item)     \
	{                                                                                \
		return pass(item, bpf_get_prandom_u32() % 4);                            \
	}                                                                                \
	SEC("struct_ops.s/nap") int BPF_PROG(nap_##name, int n)                          \
	{                                                                                \
		stress_nap(n & 15);                                                      \
		stress_did(P_TABLE_SLEEP);                                               \
		return give n;                                                           \
	}                                                                                \
	SEC(".struct_ops.link")                                                          \
	struct stress_ops name = {                                                       \
		.sign = (void *)sign_##name,                                             \
		.swap = (void *)swap_##name,                                             \
		.nap = (void *)nap_##name,                                               \
		.number = give 1,                                                        \
	}
TABLE(plus, +);
TABLE(minus, -);
