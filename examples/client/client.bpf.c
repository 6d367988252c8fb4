/* SPDX-License-Identifier: MIT
 *
 * client.bpf.c: remembers where a client's area is, and reads it. The field remembers whose
 * memory the address is in, too; reading it can fail, but not crash.
 */
#include "../example.bpf.h"
#include "client.h"

struct entry {
	struct area __kptr_user *area;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, struct entry);
} clients SEC(".maps");

SEC("hook/on_register")
int BPF_PROG(registered, struct client *c)
{
	int id = c->id;
	struct entry *e = bpf_map_lookup_elem(&clients, &id);

	if (!e)
		return -1;
	e->area = c->area;
	return 0;
}

SEC("hook/on_ask")
int BPF_PROG(ask, int id)
{
	struct entry *e = bpf_map_lookup_elem(&clients, &id);
	struct area *where, area;
	int err;

	if (!e)
		return -1;
	where = e->area;
	if (!where)
		return -1;
	err = bpf_probe_read_user(&area, sizeof(area), where);
	return err ? err : area.state;
}
