/* SPDX-License-Identifier: MIT
 *
 * outer.bpf.c: the programs of outer.c: maps of maps and tail calls. Argument: a number.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

char _license[] SEC("license") = "GPL";

struct box {
	long value;
	int refs;
	struct box *next;
} __attribute__((preserve_access_index));

struct value {
	struct box __kptr *box;
	__u64 n;
};

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct value);
};

struct inner one SEC(".maps"), two SEC(".maps");

struct { /* a slot less: does not fit */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__uint(value_size, 16);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} array SEC(".maps") = {
	.values = {[0] = &one, [2] = (void *)&two},
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} hash SEC(".maps");

/* Counts in element 5 of the inner map at @key: what it was; -1: no map, -2: no room. */
#define COUNT(map)                                                                       \
	SEC("hook/outer_hook") int BPF_PROG(count_##map, int key)                        \
	{                                                                                \
		struct value zero = {.n = 1}, *v;                                        \
		__u32 k = key, five = 5;                                                 \
		void *in = bpf_map_lookup_elem(&map, &k);                                \
                                                                                         \
		if (!in)                                                                 \
			return -1;                                                       \
		v = bpf_map_lookup_elem(in, &five);                                      \
		if (v)                                                                   \
			return v->n++;                                                   \
		return bpf_map_update_elem(in, &five, &zero, 0) ? -2 : 0;                \
	}
COUNT(array)
COUNT(hash)

int first(void *ctx);
int second(void *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, int(void *));
} jumps SEC(".maps") = {
	.values = {[1] = (void *)&first, [3] = (void *)&second},
};

int calls;

SEC("hook/outer_hook") int first(void *ctx)
{
	calls++;
	bpf_tail_call(ctx, &jumps, 3);
	return 10;
}

SEC("hook/outer_hook") int second(void *ctx)
{
	calls++;
	return 20;
}

SEC("hook/outer_hook") int BPF_PROG(jump, int n)
{
	calls = 0;
	bpf_tail_call(ctx, &jumps, n);
	return 1;
}

SEC("hook/outer_hook") int BPF_PROG(spin, int n)
{
	calls++;
	bpf_tail_call(ctx, &jumps, 0);
	return calls;
}

SEC("hook/other_hook") int other(void *ctx)
{
	return 30;
}
