/* SPDX-License-Identifier: MIT
 *
 * pool.bpf.c: objects that the program allocates wait in a list until they are needed
 * again. The two lists own them: with the map, they go.
 */
#include "../example.bpf.h"

struct record {
	struct bpf_list_node link;
	int job, cost;
};

struct lists {
	struct bpf_spin_lock lock;
	struct bpf_list_head idle __contains(record, link);
	struct bpf_list_head busy __contains(record, link);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct lists);
} lists SEC(".maps");

SEC("hook/on_start")
int BPF_PROG(start, int job, int cost)
{
	int zero = 0;
	struct lists *l = bpf_map_lookup_elem(&lists, &zero);
	struct bpf_list_node *n;
	struct record *r;

	if (!l)
		return -1;
	bpf_spin_lock(&l->lock);
	n = bpf_list_pop_front(&l->idle);
	bpf_spin_unlock(&l->lock);
	r = n ? outer(n, struct record, link) : bpf_obj_new(struct record);
	if (!r)
		return -1;
	r->job = job;
	r->cost = cost;
	bpf_spin_lock(&l->lock);
	bpf_list_push_back(&l->busy, &r->link); /* the list owns it now */
	bpf_spin_unlock(&l->lock);
	return 0;
}

SEC("hook/on_done")
int BPF_PROG(done, int status)
{
	int zero = 0, cost;
	struct lists *l = bpf_map_lookup_elem(&lists, &zero);
	struct bpf_list_node *n;
	struct record *r;

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	n = bpf_list_pop_front(&l->busy);
	bpf_spin_unlock(&l->lock);
	if (!n)
		return 0;
	r = outer(n, struct record, link);
	cost = r->cost;
	bpf_spin_lock(&l->lock);
	bpf_list_push_front(&l->idle, &r->link);
	bpf_spin_unlock(&l->lock);
	return cost;
}
