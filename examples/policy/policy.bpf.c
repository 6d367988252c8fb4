/* SPDX-License-Identifier: MIT
 *
 * policy.bpf.c: remembers each client's last connection, keeping it alive, and refuses a
 * client's requests after the first 50.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "conn.h"

struct session {
	struct conn __kptr *last; /* owns one reference */
	__u64 requests;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct session);
} sessions SEC(".maps");

SEC("hook/on_request")
int BPF_PROG(policy, struct conn *c, struct request *r)
{
	__u32 client = r->client;
	struct session *s = bpf_map_lookup_elem(&sessions, &client), fresh = {};
	struct conn *old;

	if (!s) {
		bpf_map_update_elem(&sessions, &client, &fresh, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&sessions, &client);
		if (!s)
			return -1;
	}
	old = bpf_kptr_xchg(&s->last, conn_get(c));
	if (old)
		conn_put(old);
	return ++s->requests > 50 ? -1 : 0;
}
