/* SPDX-License-Identifier: MIT
 *
 * kinds.bpf.c: the programs of kinds.c: each map kind from inside a run. Argument: a
 * number.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

char _license[] SEC("license") = "GPL";

#define KEYED(name_, type_, n, flags_)                                                   \
	struct {                                                                         \
		__uint(type, type_);                                                     \
		__uint(max_entries, n);                                                  \
		__uint(map_flags, flags_);                                               \
		__type(key, __u32);                                                      \
		__type(value, __u64);                                                    \
	} name_ SEC(".maps")
#define KEYLESS(name_, type_, n)                                                         \
	struct {                                                                         \
		__uint(type, type_);                                                     \
		__uint(max_entries, n);                                                  \
		__type(value, __u64);                                                    \
	} name_ SEC(".maps")
#define RING(name_, type_)                                                               \
	struct {                                                                         \
		__uint(type, type_);                                                     \
		__uint(max_entries, 4096);                                               \
	} name_ SEC(".maps")

KEYED(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 8, 0);
KEYED(lru, BPF_MAP_TYPE_LRU_HASH, 8, 0);
KEYED(lru_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 0);
KEYLESS(queue, BPF_MAP_TYPE_QUEUE, 4);
KEYLESS(stack, BPF_MAP_TYPE_STACK, 4);
KEYLESS(bloom, BPF_MAP_TYPE_BLOOM_FILTER, 100);
RING(ring, BPF_MAP_TYPE_RINGBUF);
RING(user_ring, BPF_MAP_TYPE_USER_RINGBUF);

struct lpm_key {
	__u32 len;
	__u8 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lpm_key);
	__type(value, __u64);
} lpm SEC(".maps");

/* Adds one to the element of @key: what it was. */
#define COUNT(map)                                                                       \
	SEC("hook/kinds_hook") int BPF_PROG(count_##map, int key)                        \
	{                                                                                \
		__u64 one = 1, *v;                                                       \
		__u32 k = key;                                                           \
                                                                                         \
		v = bpf_map_lookup_elem(&map, &k);                                       \
		if (v)                                                                   \
			return (*v)++;                                                   \
		return bpf_map_update_elem(&map, &k, &one, BPF_NOEXIST);                 \
	}
COUNT(percpu_hash)
COUNT(lru)
COUNT(lru_percpu)

SEC("hook/kinds_hook") int BPF_PROG(push_queue, int n)
{
	__u64 v = n;

	return bpf_map_push_elem(&queue, &v, 0);
}

SEC("hook/kinds_hook") int BPF_PROG(pop_queue, int n)
{
	__u64 v, w;

	if (bpf_map_peek_elem(&queue, &v) || bpf_map_pop_elem(&queue, &w))
		return -1;
	return v == w ? v : -2;
}

SEC("hook/kinds_hook") int BPF_PROG(push_stack, int n)
{
	__u64 v = n;

	return bpf_map_push_elem(&stack, &v, BPF_EXIST);
}

SEC("hook/kinds_hook") int BPF_PROG(pop_stack, int n)
{
	__u64 v;

	return bpf_map_pop_elem(&stack, &v) ? -1 : v;
}

SEC("hook/kinds_hook") int BPF_PROG(add_bloom, int n)
{
	__u64 v = n;

	return bpf_map_push_elem(&bloom, &v, 0);
}

SEC("hook/kinds_hook") int BPF_PROG(in_bloom, int n)
{
	__u64 v = n;

	return bpf_map_peek_elem(&bloom, &v) == 0;
}

SEC("hook/kinds_hook") int BPF_PROG(route, int last)
{
	struct lpm_key k = {32, {10, 1, 2, last}};
	__u64 *v = bpf_map_lookup_elem(&lpm, &k);

	return v ? *v : -1;
}

struct record {
	__u32 n, pad;
};

SEC("hook/kinds_hook") int BPF_PROG(report, int n)
{
	struct record *r, out = {n, 1};

	if (n < 0)
		return bpf_ringbuf_output(&ring, &out, sizeof(out), 0);
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r)
		return -1;
	r->n = n;
	if (n & 1)
		bpf_ringbuf_discard(r, 0);
	else
		bpf_ringbuf_submit(r, 0);
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
}

SEC("hook/kinds_hook") int BPF_PROG(report_dynptr, int n)
{
	struct bpf_dynptr d;
	__u64 v = n;

	if (bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d)) {
		bpf_ringbuf_discard_dynptr(&d, 0);
		return -1;
	}
	bpf_dynptr_write(&d, 0, &v, sizeof(v), 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

static long add_sample(struct bpf_dynptr *d, __u64 *sum)
{
	__u64 v;

	if (bpf_dynptr_read(&v, sizeof(v), d, 0, 0))
		return 1;
	*sum += v;
	return v == 100;
}

/* How many records were drained, and a thousand times their sum. */
SEC("hook/kinds_hook") int BPF_PROG(drain, int n)
{
	__u64 sum = 0;
	long done = bpf_user_ringbuf_drain(&user_ring, add_sample, &sum, 0);

	return done < 0 ? done : done + sum * 1000;
}
