/* SPDX-License-Identifier: MIT
 *
 * tenants.bpf.c: each tenant has a table of ports and what they may cost, which the host
 * replaces as a whole; each connection has a budget of its own, kept with the connection;
 * each protocol has a program.
 */
#include "../example.bpf.h"
#include "tenants.h"

struct table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TENANTS);
	__type(key, __u32);
	__array(values, struct table);
} tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} spent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROTOCOLS);
	__type(key, __u32);
	__array(values, int(void *));
} protocols SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, __u64);
} budget SEC(".maps");

/* What the port costs this tenant; -1: it has no such port. */
static __always_inline int cost(int tenant, __u32 port)
{
	__u32 key = tenant, *c;
	void *table = bpf_map_lookup_elem(&tables, &key);

	if (!table)
		return -1;
	c = bpf_map_lookup_elem(table, &port);
	return c ? *c : -1;
}

static __always_inline int spend(struct conn *c, int amount)
{
	__u32 zero = 0;
	__u64 *limit = bpf_map_lookup_elem(&budget, &zero);
	__u64 *sum = pintle_storage_get(&spent, c, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!sum || !limit || amount < 0 || *sum + amount > *limit)
		return 0;
	*sum += amount;
	return amount;
}

SEC("hook/on_packet")
int BPF_PROG(plain, struct conn *c, int port)
{
	return spend(c, cost(c->tenant, port));
}

SEC("hook/on_packet")
int BPF_PROG(twice, struct conn *c, int port)
{
	return spend(c, 2 * cost(c->tenant, port));
}

/* What is attached; the others are jumped to. */
SEC("hook/on_packet")
int BPF_PROG(dispatch, struct conn *c, int port)
{
	bpf_tail_call(ctx, &protocols, c->protocol);
	return -1; /* no such protocol */
}

char _license[] SEC("license") = "GPL";
