/* SPDX-License-Identifier: MIT
 *
 * cache.bpf.c: a reference is looked up once, then read through the map.
 */
#include "../example.bpf.h"
#include "cache.h"

struct entry {
	struct user __kptr *user; /* owns one reference */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, int);
	__type(value, struct entry);
} users SEC(".maps");

static struct entry *entry_of(int id)
{
	struct entry *e = bpf_map_lookup_elem(&users, &id), fresh = {};

	if (e)
		return e;
	bpf_map_update_elem(&users, &id, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&users, &id);
}

SEC("hook/on_event")
int BPF_PROG(event, int id, int bytes)
{
	struct entry *e = entry_of(id);
	struct user *u;
	int score;

	if (!e)
		return -1;
	u = e->user; /* good until this run ends, whoever takes it out meanwhile */
	if (u)
		return u->score;
	u = user_find(id);
	if (!u)
		return -1;
	score = u->score;
	u = bpf_kptr_xchg(&e->user, u);
	if (u) /* another thread was faster */
		user_put(u);
	return score;
}
