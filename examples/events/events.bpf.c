/* SPDX-License-Identifier: MIT
 *
 * events.bpf.c: reports severe events to the host, but not of sources that the host has
 * muted; counts the events of those sources that were heard of lately.
 */
#include "../example.bpf.h"
#include "events.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} reports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} mutes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__type(value, __u32);
} muted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

static long mute(struct bpf_dynptr *record, void *ctx)
{
	struct mute m;

	if (!bpf_dynptr_read(&m, sizeof(m), record, 0, 0))
		bpf_map_push_elem(&muted, &m.source, 0);
	return 0;
}

static __always_inline __u64 count(__u32 source)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&counts, &source);

	if (n)
		return __sync_fetch_and_add(n, 1) + 1;
	bpf_map_update_elem(&counts, &source, &one, BPF_NOEXIST);
	return 1;
}

SEC("hook/on_event")
int BPF_PROG(report, unsigned int source, unsigned int severity)
{
	__u64 n = count(source);
	struct report *r;

	bpf_user_ringbuf_drain(&mutes, mute, NULL, 0);
	if (severity < 5 || !bpf_map_peek_elem(&muted, &source))
		return 0;
	r = bpf_ringbuf_reserve(&reports, sizeof(*r), 0);
	if (!r)
		return -1; /* the host does not keep up */
	*r = (struct report){source, severity, n};
	bpf_ringbuf_submit(r, 0);
	return 1;
}

char _license[] SEC("license") = "GPL";
