/* SPDX-License-Identifier: MIT
 *
 * pqueue.bpf.c: a priority queue: a tree of objects of the program's own, each of which
 * owns a reference to a frame of the host.
 */
#include "../example.bpf.h"
#include "pqueue.h"

struct item {
	struct bpf_rb_node link;
	struct frame __kptr *frame;
	unsigned int deadline;
};

struct queue {
	struct bpf_spin_lock lock;
	struct bpf_rb_root root __contains(item, link);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct queue);
} queues SEC(".maps");

static bool earlier(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return outer(a, struct item, link)->deadline < outer(b, struct item, link)->deadline;
}

static struct queue *queue(void)
{
	int zero = 0;

	return bpf_map_lookup_elem(&queues, &zero);
}

SEC("hook/on_frame")
int BPF_PROG(enqueue, struct frame *f)
{
	struct queue *q = queue();
	struct frame *old;
	struct item *item;

	if (!q)
		return -1;
	item = bpf_obj_new(struct item);
	if (!item)
		return -1;
	item->deadline = f->deadline;
	old = bpf_kptr_xchg(&item->frame, frame_get(f));
	if (old)
		frame_put(old);
	bpf_spin_lock(&q->lock);
	bpf_rbtree_add(&q->root, &item->link, earlier);
	bpf_spin_unlock(&q->lock);
	return 0;
}

static struct item *take_first(struct queue *q)
{
	struct bpf_rb_node *n;

	bpf_spin_lock(&q->lock);
	n = bpf_rbtree_first(&q->root);
	if (n)
		n = bpf_rbtree_remove(&q->root, n);
	bpf_spin_unlock(&q->lock);
	return n ? outer(n, struct item, link) : NULL;
}

SEC("hook/on_idle")
int BPF_PROG(dequeue, int budget)
{
	struct queue *q = queue();
	struct frame *f;
	struct item *item;

	if (!q)
		return -1;
	item = take_first(q);
	if (!item)
		return 0;
	f = bpf_kptr_xchg(&item->frame, NULL);
	bpf_obj_drop(item);
	if (f)
		frame_send(f);
	return 1;
}
