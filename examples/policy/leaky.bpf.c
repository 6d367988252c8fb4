/* SPDX-License-Identifier: MIT
 *
 * leaky.bpf.c: policy.bpf.c with a mistake: the reference is taken before the session is
 * known to exist. It is refused.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "conn.h"

struct session {
	struct conn __kptr *last;
	__u64 requests;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct session);
} sessions SEC(".maps");

SEC("hook/on_request")
int BPF_PROG(leaky, struct conn *c, struct request *r)
{
	__u32 client = r->client;
	struct session *s = bpf_map_lookup_elem(&sessions, &client);
	struct conn *mine = conn_get(c), *old;

	if (!s)
		return 0;
	old = bpf_kptr_xchg(&s->last, mine);
	if (old)
		conn_put(old);
	return 0;
}
