/* SPDX-License-Identifier: MIT
 *
 * replace.bpf.c: programs that tell which generation of the object they are of, and count in
 * maps that outlive it. VARIANT makes objects that differ in one thing:
 *	1  the value of `sums` has another member	2  `sums` is larger
 *	3  a field of `boxes` owns nothing		4  `node` is another struct
 *	5  `tail` and `sums` are gone, `extra` and `more` are there
 *	6  it is refused				7  `data` has another variable
 *	8  it has an arena with a variable		9  and with another one before that
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>
#include "replace.h"

#ifndef VARIANT
#define VARIANT 0
#endif

extern void rep_note(unsigned long long generation) __ksym;
extern void rep_inside(int n) __ksym;
extern struct rep_box *rep_box_get(void) __ksym;
extern void rep_box_put(struct rep_box *box) __ksym;

const volatile __u64 generation = REP_GENERATION;
__u64 data = 1;
#if VARIANT == 7
__u32 other_data = 1;
#endif

struct sum {
	__u64 calls;
#if VARIANT == 1
	__u32 more, less;
#else
	__u64 more;
#endif
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VARIANT == 2 ? 2 : 1);
	__type(key, __u32);
	__type(value, struct sum);
#if VARIANT == 5
} extra SEC(".maps");
#define sums extra
#else
} sums SEC(".maps");
#endif

struct held {
#if VARIANT == 3
	struct rep_box __kptr_untrusted *box;
#else
	struct rep_box __kptr *box;
#endif
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct held);
} boxes SEC(".maps");

struct node {
	struct bpf_list_node link;
#if VARIANT == 4
	__u32 value;
#else
	__u64 value;
#endif
};

struct queue {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(node, link);
	__u64 in, out;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct queue);
} queues SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps");

#if VARIANT >= 8
#define ARENA __attribute__((address_space(1)))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
} space SEC(".maps");

#if VARIANT == 9
__u64 ARENA before SEC(".addr_space.1") = 5;
#endif
__u64 ARENA calls SEC(".addr_space.1") = 7;
#endif

static void count(void)
{
	__u32 zero = 0;
	struct sum *sum = bpf_map_lookup_elem(&sums, &zero);

	if (sum)
		__sync_fetch_and_add(&sum->calls, 1);
}

static void keep_box(__u32 key)
{
	struct held none = {}, *held;

	bpf_map_update_elem(&boxes, &key, &none, BPF_NOEXIST);
	held = bpf_map_lookup_elem(&boxes, &key);
	if (!held)
		return;
#if VARIANT != 3
	struct rep_box *box = bpf_kptr_xchg(&held->box, rep_box_get());

	if (box)
		rep_box_put(box);
#endif
}

static struct node *node_of(struct bpf_list_node *link)
{
	return (struct node *)((char *)link - __builtin_offsetof(struct node, link));
}

/* One in, and out what was in longest: maybe of an older generation. */
static void pass_node(void)
{
	__u32 zero = 0;
	struct queue *q = bpf_map_lookup_elem(&queues, &zero);
	struct node *node = q ? bpf_obj_new(typeof(*node)) : 0;
	struct bpf_list_node *link = 0;

	if (!node)
		return;
	node->value = generation;
	bpf_spin_lock(&q->lock);
	bpf_list_push_back(&q->head, &node->link);
	q->in++;
	if (q->in > q->out + 8) {
		link = bpf_list_pop_front(&q->head);
		q->out++;
	}
	bpf_spin_unlock(&q->lock);
	if (link)
		bpf_obj_drop(node_of(link));
}

SEC("hook/rep_a") int BPF_PROG(first, int n)
{
	count();
	keep_box(n & 7);
	pass_node();
	rep_note(generation);
	rep_inside(n);
	bpf_tail_call(ctx, &jumps, 1);
	return -1;
}

#if VARIANT != 5
SEC("hook/rep_a") int BPF_PROG(tail, int n)
{
	rep_note(generation);
	return n;
}
#endif

SEC("hook/rep_b") int BPF_PROG(second, int n)
{
	__sync_fetch_and_add(&data, 1);
#if VARIANT >= 8
	calls++;
#endif
	rep_note(generation);
	return bpf_get_attach_cookie(ctx);
}

SEC("hook/rep_c") int BPF_PROG(third, int n)
{
	rep_note(generation);
	return n;
}

SEC("hook.s/rep_s") int BPF_PROG(sleeper, int n)
{
	rep_note(generation);
	rep_inside(n);
	rep_note(generation);
	return n;
}

#if VARIANT == 5
SEC("hook/rep_b") int BPF_PROG(more, int n)
{
	return 77;
}
#endif
#if VARIANT == 6
SEC("hook/rep_b") int BPF_PROG(refused, int n)
{
	return *(int *)(unsigned long)n;
}
#endif
