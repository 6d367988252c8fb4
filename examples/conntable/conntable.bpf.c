/* SPDX-License-Identifier: MIT
 *
 * conntable.bpf.c: a table of connections: written when they open and close, read for every
 * packet without a lock.
 */
#include "../example.bpf.h"
#include "conntable.h"

struct entry {
	struct conn __kptr *conn;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, unsigned int);
	__type(value, struct entry);
} table SEC(".maps");

SEC("hook/on_open")
int BPF_PROG(opened, struct conn *c)
{
	unsigned int id = c->id;
	struct entry *e, fresh = {};
	struct conn *old;

	bpf_map_update_elem(&table, &id, &fresh, BPF_NOEXIST);
	e = bpf_map_lookup_elem(&table, &id);
	if (!e)
		return -1;
	old = bpf_kptr_xchg(&e->conn, conn_get(c));
	if (old)
		conn_put(old);
	return 0;
}

SEC("hook/on_close")
int BPF_PROG(closed, struct conn *c)
{
	unsigned int id = c->id;

	return bpf_map_delete_elem(&table, &id); /* the table's reference goes with it */
}

SEC("hook/on_packet")
int BPF_PROG(packet, unsigned int id, int bytes)
{
	struct entry *e = bpf_map_lookup_elem(&table, &id);
	struct conn *c = e ? e->conn : NULL;

	if (!c)
		return -1;
	/* To read it, the read section is enough. To hand it to the host it takes a
	 * reference, which may come too late. */
	c = conn_tryget(c);
	if (!c)
		return -1;
	conn_account(c, bytes);
	conn_put(c);
	return 0;
}
