/* SPDX-License-Identifier: MIT
 *
 * maps.bpf.c: the programs of maps.c: map operations, slots and helpers from inside a
 * run. Argument: a key.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

char _license[] SEC("license") = "GPL";

struct piece {
	int refs, id;
} __attribute__((preserve_access_index));

extern struct piece *piece_new(int id) __ksym;
extern void piece_put(struct piece *p) __ksym;

struct value {
	struct piece __kptr *one;
	__u64 n;
	struct bpf_spin_lock lock;
};

struct percpu_value {
	struct piece __kptr *one;
	__u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct value);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct value);
} lazy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct percpu_value);
} percpu SEC(".maps");

__u64 total;
const volatile __u32 limit = 10;

static int fill(struct piece **slot, int id)
{
	struct piece *p = piece_new(id), *old;

	if (!p)
		return -1;
	old = bpf_kptr_xchg(slot, p);
	if (!old)
		return 0;
	id = old->id;
	piece_put(old);
	return id;
}

/* Stores a new piece: id of the one before, 0: none, -1: no element, or no piece. */
#define FILL(map)                                                                        \
	SEC("hook/maps_hook") int BPF_PROG(fill_##map, int key)                          \
	{                                                                                \
		__u32 k = key;                                                           \
		struct value *v = bpf_map_lookup_elem(&map, &k);                         \
                                                                                         \
		return v ? fill(&v->one, key + 100) : -1;                                \
	}
FILL(array)
FILL(hash)
FILL(lazy)

SEC("hook/maps_hook") int BPF_PROG(fill_percpu, int key)
{
	__u32 k = key;
	struct percpu_value *v = bpf_map_lookup_elem(&percpu, &k);

	return v ? fill(&v->one, key + 100) : -1;
}

#define UPDATE(map, type)                                                                \
	SEC("hook/maps_hook") int BPF_PROG(update_##map, int key)                        \
	{                                                                                \
		struct type v = {.n = 7};                                                \
		__u32 k = key;                                                           \
                                                                                         \
		return bpf_map_update_elem(&map, &k, &v, BPF_ANY);                       \
	}
UPDATE(array, value)
UPDATE(hash, value)
UPDATE(lazy, value)
UPDATE(percpu, percpu_value)

/* M13, M14: deletes what it stands on, looks, stores there. */
#define STALE(map)                                                                       \
	SEC("hook/maps_hook") int BPF_PROG(stale_##map, int key)                         \
	{                                                                                \
		__u32 k = key;                                                           \
		struct value *v = bpf_map_lookup_elem(&map, &k);                         \
                                                                                         \
		if (!v || bpf_map_delete_elem(&map, &k))                                 \
			return -1;                                                       \
		if (v->one)                                                              \
			return -2;                                                       \
		return fill(&v->one, 1);                                                 \
	}
STALE(hash)
STALE(lazy)

static long add(void *map, const void *key, struct value *v, __u64 *sum)
{
	*sum += v->n;
	return 0;
}

SEC("hook/maps_hook") int BPF_PROG(sum_hash, int key)
{
	__u64 sum = 0;
	long n = bpf_for_each_map_elem(&hash, add, &sum, 0);

	total = sum;
	return n;
}

static long step(__u64 i, __u64 *sum)
{
	*sum += i;
	return i + 1 == limit;
}

SEC("hook/maps_hook") int BPF_PROG(loops, int key)
{
	__u64 sum = 0;
	long n = bpf_loop(1000, step, &sum, 0);

	total = sum;
	return n;
}

SEC("hook/maps_hook") int BPF_PROG(locked, int key)
{
	__u32 k = key;
	struct value *v = bpf_map_lookup_elem(&hash, &k);
	__u64 n;

	if (!v)
		return -1;
	bpf_spin_lock(&v->lock);
	n = v->n++;
	bpf_spin_unlock(&v->lock);
	return n;
}

SEC("hook/maps_hook") int BPF_PROG(prints, int key)
{
	char text[16];
	__u64 n = bpf_get_prandom_u32();

	BPF_SNPRINTF(text, sizeof(text), "key-%d", key);
	bpf_printk("%c%c of %d", text[0], text[4], bpf_get_smp_processor_id() < 128);
	return n >> 32;
}
