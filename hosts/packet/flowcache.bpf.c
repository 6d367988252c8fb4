/* SPDX-License-Identifier: MIT
 *
 * flowcache.bpf.c: looks each flow up once and keeps a reference to it in a map; the
 * packets that follow use the reference. A flow leaves the cache when its connection
 * closes, or when it was quiet for a while: then the timer takes the reference out and
 * gives it back.
 */
#include "parse.h"

#define QUIET (500 * 1000000ull) /* ns without a packet until a flow is evicted */
#define SWEEP (50 * 1000000ull)	 /* ns between looks at the cache */

struct entry {
	struct flow __kptr *flow; /* owns one reference */
	__u64 last;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct flow_key);
	__type(value, struct entry);
} cache SEC(".maps");

__u64 next_sweep;

/* The cache takes over the reference to @flow, or gives it back when it is full. */
static void remember(struct flow_key *key, struct flow *flow)
{
	struct entry fresh = {}, *e;
	struct flow *old = flow;

	bpf_map_update_elem(&cache, key, &fresh, BPF_NOEXIST);
	e = bpf_map_lookup_elem(&cache, key);
	if (e) {
		e->last = bpf_ktime_get_ns();
		old = bpf_kptr_xchg(&e->flow, flow);
	}
	if (old)
		flow_put(old);
}

SEC("xdp")
int flowcache(struct xdp_md *ctx)
{
	struct flow_key key;
	struct tcphdr *tcp;
	struct entry *e;
	struct flow *flow;
	_Bool closing;

	if (!parse_flow(ctx, &key, &tcp))
		return XDP_PASS;
	closing = tcp && (tcp->fin || tcp->rst);
	e = bpf_map_lookup_elem(&cache, &key);
	if (e && (flow = e->flow)) {
		/* The read section of this run keeps it alive; no reference is taken. */
		flow_count(ctx, flow);
		e->last = bpf_ktime_get_ns();
		if (closing)
			bpf_map_delete_elem(&cache, &key); /* gives the reference back */
		return XDP_PASS;
	}
	flow = flow_lookup(ctx, &key);
	if (!flow)
		return XDP_PASS;
	flow_count(ctx, flow);
	if (closing)
		flow_put(flow);
	else
		remember(&key, flow);
	return XDP_PASS;
}

static long evict_quiet(void *map, struct flow_key *key, struct entry *e, __u64 *now)
{
	struct flow *flow;

	if (e->last + QUIET > *now)
		return 0;
	flow = bpf_kptr_xchg(&e->flow, NULL);
	if (flow)
		flow_put(flow);
	bpf_map_delete_elem(map, key);
	return 0;
}

SEC("hook/on_timer")
int evict(__u64 *args)
{
	__u64 now = args[0];

	if (now < next_sweep)
		return 0;
	next_sweep = now + SWEEP;
	bpf_for_each_map_elem(&cache, evict_quiet, &now, 0);
	return 0;
}
