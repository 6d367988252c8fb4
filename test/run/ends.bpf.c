/* SPDX-License-Identifier: MIT
 *
 * ends.bpf.c: programs in the middle of which the host does something: a run, the
 * callbacks of a timer and of work; and a map of some length to look at.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "ends.h"

char _license[] SEC("license") = "GPL";

extern int ends_call(int what) __ksym;

struct called {
	struct bpf_timer timer;
	struct bpf_wq wq;
	long timers, works;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct called);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

SEC("hook/ends_hook") int BPF_PROG(one, int what, struct ends_box *box)
{
	return ends_call(what) + 1;
}

SEC("hook/ends_hook") int BPF_PROG(two, int what, struct ends_box *box)
{
	return ends_call(what | ENDS_TWO) + 2;
}

/* Where the next is, there may be nothing. */
SEC("hook/ends_hook") int BPF_PROG(follow, int what, struct ends_box *box)
{
	struct ends_box *next = box->next;

	return next ? next->value + 7 : -1;
}

SEC("hook/ends_hook") int BPF_PROG(report, int what, struct ends_box *box)
{
	return bpf_ringbuf_output(&ring, &what, sizeof(what), 0);
}

static long sample(struct bpf_dynptr *d, void *ctx)
{
	ends_call(0);
	return 0;
}

SEC("hook/ends_hook") int BPF_PROG(drain, int what, struct ends_box *box)
{
	return bpf_user_ringbuf_drain(&user_ring, sample, (void *)0, 0);
}

static int fire(void *map, int *key, struct called *v)
{
	__sync_fetch_and_add(&v->timers, 1);
	ends_call(*key);
	bpf_timer_start(&v->timer, 0, 0);
	return 0;
}

static int work(void *map, int *key, void *value)
{
	struct called *v = value;

	__sync_fetch_and_add(&v->works, 1);
	ends_call(*key);
	bpf_wq_start(&v->wq, 0);
	return 0;
}

static struct called *called_at(__u32 key)
{
	struct called zero = {};

	bpf_map_update_elem(&calls, &key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&calls, &key);
}

SEC("hook/ends_hook") int BPF_PROG(start_timer, int key, struct ends_box *box)
{
	struct called *v = called_at(key);

	if (!v)
		return -1;
	bpf_timer_init(&v->timer, &calls, 1);
	bpf_timer_set_callback(&v->timer, fire);
	return bpf_timer_start(&v->timer, 0, 0);
}

SEC("hook/ends_hook") int BPF_PROG(cancel_timer, int key, struct ends_box *box)
{
	struct called *v = called_at(key);

	return v ? bpf_timer_cancel(&v->timer) : -1;
}

SEC("hook/ends_hook") int BPF_PROG(start_work, int key, struct ends_box *box)
{
	struct called *v = called_at(key);

	if (!v)
		return -1;
	bpf_wq_init(&v->wq, &calls, 0);
	bpf_wq_set_callback(&v->wq, work, 0);
	return bpf_wq_start(&v->wq, 0);
}
