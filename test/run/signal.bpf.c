/* SPDX-License-Identifier: MIT
 *
 * signal.c's programs: one that is always in the middle of something (a bucket's lock, a
 * deferred put, a throw), and one that runs in the handlers that interrupt it.
 */
#include "../verdict/verdict.h"

struct value {
	struct T __kptr *ref;
	long hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct value);
} busy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, long);
} percpu SEC(".maps");

struct total {
	long hits, works;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct total);
} totals SEC(".maps");

#define ADD(member)                                                                      \
	({                                                                               \
		__u32 zero_ = 0;                                                         \
		struct total *t_ = bpf_map_lookup_elem(&totals, &zero_);                 \
		if (t_)                                                                  \
			__sync_fetch_and_add(&t_->member, 1);                            \
	})

extern void bpf_throw(__u64 cookie) __ksym;

static long step(__u32 i, void *ctx)
{
	__u32 key = i % 16;
	struct value fresh = {}, *v = bpf_map_lookup_elem(&busy, &key);
	struct T *new, *old;

	if (!v) {
		bpf_map_update_elem(&busy, &key, &fresh, 0);
		return 0;
	}
	new = t_find(1);
	if (!new)
		return 0;
	old = bpf_kptr_xchg(&v->ref, new);
	if (old)
		t_put(old);
	if (i % 3 == 0)
		bpf_map_delete_elem(&busy, &key);
	return 0;
}

P(work)
{
	bpf_loop(20, step, NULL, 0);
	ADD(works);
	if (n & 1)
		bpf_throw(7);
	return 3;
}

SIG(interrupts)
{
	__u32 key = 0;
	long *mine = bpf_map_lookup_elem(&percpu, &key);
	struct value *v;
	struct T *p;

	if (mine)
		__sync_fetch_and_add(mine, 1);
	ADD(hits);
	key = n & 15;
	v = bpf_map_lookup_elem(&busy, &key);
	if (v) {
		__sync_fetch_and_add(&v->hits, 1);
		p = v->ref;
		if (p)
			t_read(p);
	}
	if (n & 64)
		bpf_throw(1);
	return 1;
}
