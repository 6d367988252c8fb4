/* SPDX-License-Identifier: MIT
 *
 * Lists and trees of objects (rule book G8-G12, cases K.13).
 */
#include "local.h"

PRIVATE(A) struct bpf_spin_lock lock;
PRIVATE(A) struct bpf_rb_root tree __contains(G, r);
PRIVATE(A) struct bpf_list_head list __contains(G, l);
PRIVATE(A) struct bpf_rb_root tree_o __contains(O, r);
PRIVATE(A) struct bpf_rb_root trees[2] __contains(O, r);
struct late { /* its node is not at its beginning */
	long k;
	struct bpf_rb_node r;
};
PRIVATE(A) struct bpf_rb_root tree_late __contains(late, r);
PRIVATE(B) struct bpf_spin_lock other_lock;
PRIVATE(B) struct bpf_rb_root other_tree __contains(O, r);

union seen { /* in full, for BTF */
	struct late late;
} *seen;

static _Bool less_g(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return outer(a, struct G, r)->k < outer(b, struct G, r)->k;
}

static _Bool less_o(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return outer(a, struct O, r)->k < outer(b, struct O, r)->k;
}

REJECT(LOCK_NEED, "must be held for bpf_rb_root") BOOK("N01")
P(add_without_lock)
{
	NEW(O, p);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	return 0;
}

ACCEPT BOOK("N02") RETVAL(0)
P(added)
{
	NEW(O, p);
	p->k = n;
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_spin_unlock(&lock);
	return 0;
}

ACCEPT BOOK("N03") RETVAL(0)
P(used_after_add)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	p->k = p->k + 1;
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("N04")
P(used_after_unlock)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_spin_unlock(&lock);
	return p->k;
}

REJECT(OBJ_ALLOC, "arg#1 expected pointer to allocated object") BOOK("N05")
P(added_twice)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted") BOOK("N06")
P(dropped_after_add)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_spin_unlock(&lock);
	bpf_obj_drop(p);
	return 0;
}

REJECT(LOCK_ALLOC, "held lock and object are not in the same allocation") BOOK("N07")
P(lock_of_another)
{
	NEW(O, p);
	bpf_spin_lock(&other_lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_spin_unlock(&other_lock);
	return 0;
}

ACCEPT BOOK("N08") RETVAL(0)
P(first_removed)
{
	struct bpf_rb_node *node;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&tree_o);
	if (!node) {
		bpf_spin_unlock(&lock);
		return 0;
	}
	node = bpf_rbtree_remove(&tree_o, node);
	bpf_spin_unlock(&lock);
	if (node)
		bpf_obj_drop(outer(node, struct O, r));
	return 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("N09")
P(removed_untested)
{
	struct bpf_rb_node *node;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&tree_o);
	if (!node) {
		bpf_spin_unlock(&lock);
		return 0;
	}
	node = bpf_rbtree_remove(&tree_o, node);
	bpf_spin_unlock(&lock);
	bpf_obj_drop(node);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("N10")
P(first_after_unlock)
{
	struct bpf_rb_node *node;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&tree_o);
	bpf_spin_unlock(&lock);
	hide(node);
	return outer(node, struct O, r)->k;
}

REJECT(LOCK_CALL, "function calls are not allowed while holding a lock") BOOK("N11")
P(first_dropped)
{
	struct bpf_rb_node *node;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&tree_o);
	if (node)
		bpf_obj_drop(outer(node, struct O, r));
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(LOCK_NEED, "must be held for bpf_rb_root") BOOK("N12")
P(first_without_lock)
{
	return bpf_rbtree_first(&tree_o) != NULL;
}

ACCEPT BOOK("N13") RETVAL(0)
P(listed)
{
	struct bpf_list_node *node;

	NEW(G, p);
	p->k = n;
	bpf_spin_lock(&lock);
	bpf_list_push_front(&list, &p->l);
	node = bpf_list_pop_front(&list);
	bpf_spin_unlock(&lock);
	if (node)
		bpf_obj_drop(outer(node, struct G, l));
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("N14")
P(popped_and_leaked)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock);
	node = bpf_list_pop_front(&list);
	bpf_spin_unlock(&lock);
	return node != NULL;
}

REJECT(GRAPH_NOT_FOUND, "bpf_list_node not found at offset=0") BOOK("N15")
P(wrong_member)
{
	NEW(G, p);
	bpf_spin_lock(&lock);
	bpf_list_push_front(&list, (void *)&p->r);
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(GRAPH_TYPE, "operation on bpf_rb_root expects arg#1 bpf_rb_node at offset=0 in struct O")
	BOOK("N16")
P(another_struct)
{
	NEW(G, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	bpf_spin_unlock(&lock);
	return 0;
}

ACCEPT BOOK("N17") RETVAL(0)
P(shared_and_stashed)
{
	struct G *q;

	WITH_VALUE(v);
	NEW(G, p);
	q = bpf_refcount_acquire(p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree, &p->r, less_g);
	bpf_spin_unlock(&lock);
	q = bpf_kptr_xchg(&v->n, q);
	if (q)
		bpf_obj_drop(q);
	return 0;
}

ACCEPT BOOK("N18") RETVAL(0)
P(shared_and_added_twice)
{
	struct G *q;

	NEW(G, p);
	q = bpf_refcount_acquire(p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree, &p->r, less_g);
	bpf_rbtree_add(&tree, &q->r, less_g);
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(RELEASE_UNREF, "R2 must be referenced when passed to release function") BOOK("N19")
P(linked_and_exchanged)
{
	struct locked *l = element(C);

	if (!l)
		return 0;
	NEW(G, p);
	bpf_spin_lock(&l->lock);
	bpf_list_push_front(&l->list, &p->l);
	p = bpf_kptr_xchg(&l->n, p);
	bpf_spin_unlock(&l->lock);
	if (p)
		bpf_obj_drop(p);
	return 0;
}

REJECT(OBJ_ALLOC, "arg#1 expected pointer to allocated object") BOOK("N20")
P(loaded_and_added)
{
	WITH_VALUE(v);
	struct G *p = v->n;

	if (!p)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree, &p->r, less_g);
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(LOCK_OPEN, "cannot be used inside bpf_spin_lock-ed region") BOOK("N21")
P(lock_held)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_o);
	return 0;
}

static _Bool less_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_remove(&tree_o, a);
	return 0;
}

REJECT(GRAPH_IN_LESS, "rbtree_remove not allowed in rbtree cb") BOOK("N22")
P(removed_in_less)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_removes);
	bpf_spin_unlock(&lock);
	return 0;
}

static _Bool less_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(LOCK_IN_LESS, "can't spin_{lock,unlock} in rbtree cb") BOOK("N22")
P(unlocked_in_less)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, less_unlocks);
	bpf_spin_unlock(&lock);
	return 0;
}

static _Bool less_adds(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	struct bpf_list_node *node = bpf_list_pop_front(&list);

	if (node)
		bpf_rbtree_add(&tree, &outer(node, struct G, l)->r, less_g);
	return 0;
}

REJECT(GRAPH_IN_LESS, "rbtree_add not allowed in rbtree cb")
	KERNEL(accept, "no rule against it there")
P(added_in_less)
{
	NEW(G, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree, &p->r, less_adds);
	bpf_spin_unlock(&lock);
	return 0;
}

ACCEPT BOOK("N23") RETVAL(0)
P(loaded_node)
{
	WITH_VALUE(v);
	struct G *p = v->n;

	if (p)
		p->k = p->k + 1;
	return 0;
}

/* ---- roots in other places ---- */

ACCEPT RETVAL(0)
P(in_map_value)
{
	struct locked *l = element(C);
	struct bpf_list_node *node;

	if (!l)
		return 0;
	NEW(G, p);
	bpf_spin_lock(&l->lock);
	bpf_list_push_back(&l->list, &p->l);
	node = bpf_list_pop_back(&l->list);
	bpf_spin_unlock(&l->lock);
	if (node)
		bpf_obj_drop(outer(node, struct G, l));
	return 0;
}

/* Two look-ups may be of two values. */
REJECT(LOCK_ALLOC, "held lock and object are not in the same allocation")
P(lock_of_another_value)
{
	struct locked *l = element(C), *m = element(C);

	if (!l || !m)
		return 0;
	NEW(G, p);
	bpf_spin_lock(&l->lock);
	bpf_list_push_back(&m->list, &p->l);
	bpf_spin_unlock(&l->lock);
	return 0;
}

struct owner { /* a queue that is an object itself */
	struct bpf_spin_lock lock;
	struct bpf_list_head list __contains(G, l);
};

ACCEPT RETVAL(0)
P(in_object)
{
	struct owner *own = bpf_obj_new(struct owner);
	struct G *p;

	if (!own)
		return 0;
	p = bpf_obj_new(struct G);
	if (p) {
		bpf_spin_lock(&own->lock);
		bpf_list_push_back(&own->list, &p->l);
		bpf_spin_unlock(&own->lock);
	}
	bpf_obj_drop(own);
	return 0;
}

REJECT(LOCK_ALLOC, "held lock and object are not in the same allocation")
P(lock_of_another_object)
{
	struct owner *own = bpf_obj_new(struct owner), *other;
	struct bpf_list_node *node;

	if (!own)
		return 0;
	other = bpf_obj_new(struct owner);
	if (other) {
		bpf_spin_lock(&own->lock);
		node = bpf_list_pop_back(&other->list);
		bpf_spin_unlock(&own->lock);
		if (node)
			bpf_obj_drop(outer(node, struct G, l));
		bpf_obj_drop(other);
	}
	bpf_obj_drop(own);
	return 0;
}

REJECT(LOCK_HAS_NONE, "has no valid bpf_spin_lock")
P(object_without_lock)
{
	NEW(G, p);
	bpf_spin_lock((struct bpf_spin_lock *)&p->k);
	bpf_obj_drop(p);
	return 0;
}

/* ---- arguments ---- */

REJECT(GRAPH_ROOT, "arg#0 expected pointer to map value or allocated object")
P(head_on_stack)
{
	struct bpf_list_head head = {};

	bpf_spin_lock(&lock);
	bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(GRAPH_NOT_FOUND, "bpf_list_head not found at offset")
P(beside_head)
{
	bpf_spin_lock(&lock);
	bpf_list_pop_front((void *)((char *)&list + 8));
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(GRAPH_CONST_OFF, "R1 doesn't have constant offset. bpf_rb_root has to be")
P(variable_root)
{
	struct bpf_rb_root *root = trees;

	hide(root);
	bpf_spin_lock(&lock);
	bpf_rbtree_first(root + (n & 1));
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(PTR_MODIFIED, "dereference of modified")
P(node_untested)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock);
	node = bpf_list_pop_front(&list);
	bpf_list_push_back(&list, node);
	bpf_spin_unlock(&lock);
	return 0;
}

ACCEPT RETVAL(0)
P(from_front_to_back)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock);
	node = bpf_list_pop_front(&list);
	if (node)
		bpf_list_push_back(&list, node);
	bpf_spin_unlock(&lock);
	return 0;
}

REJECT(GRAPH_REMOVE, "rbtree_remove node input must be non-owning ref")
	KERNEL(accept, "kernels after 6.12 look into the node")
P(owned_removed)
{
	struct bpf_rb_node *node;

	NEW(O, p);
	bpf_spin_lock(&lock);
	node = bpf_rbtree_remove(&tree_o, &p->r);
	bpf_spin_unlock(&lock);
	if (node)
		bpf_obj_drop(outer(node, struct O, r));
	bpf_obj_drop(p);
	return 0;
}

REJECT(GRAPH_LESS, "arg#2 expected pointer to func")
P(no_less)
{
	NEW(O, p);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree_o, &p->r, NULL);
	bpf_spin_unlock(&lock);
	return 0;
}

struct twice { /* in two lists at a time */
	struct bpf_list_node a, b;
	struct bpf_refcount ref;
};
PRIVATE(A) struct bpf_list_head by_a __contains(twice, a);

REJECT(GRAPH_NODE, "arg#1 offset=24, but expected bpf_list_node at offset=0 in struct twice")
P(by_other_member)
{
	NEW(twice, p);
	bpf_spin_lock(&lock);
	bpf_list_push_back(&by_a, &p->b);
	bpf_spin_unlock(&lock);
	return 0;
}

ACCEPT RETVAL(0)
P(by_its_member)
{
	NEW(twice, p);
	bpf_spin_lock(&lock);
	bpf_list_push_back(&by_a, &p->a);
	bpf_spin_unlock(&lock);
	return 0;
}

/* ---- looking without taking ---- */

ACCEPT RETVAL(3)
P(search)
{
	struct bpf_rb_node *node;
	long found = 0;

	for (int i = 1; i <= 3; i++) {
		NEW(O, p);
		p->k = i;
		bpf_spin_lock(&lock);
		bpf_rbtree_add(&tree_o, &p->r, less_o);
		bpf_spin_unlock(&lock);
	}
	bpf_spin_lock(&lock);
	node = bpf_rbtree_root(&tree_o);
	for (int i = 0; i < 3 && node; i++) {
		found = outer(node, struct O, r)->k;
		node = bpf_rbtree_right(&tree_o, node);
	}
	bpf_spin_unlock(&lock);
	return found;
}

ACCEPT RETVAL(7)
P(peek)
{
	struct bpf_list_node *node;
	long k = 0;

	NEW(G, p);
	p->k = 7;
	bpf_spin_lock(&lock);
	bpf_list_push_back(&list, &p->l);
	node = bpf_list_front(&list);
	if (node)
		k = outer(node, struct G, l)->k;
	bpf_spin_unlock(&lock);
	return k;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(peek_after_unlock)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock);
	node = bpf_list_back(&list);
	bpf_spin_unlock(&lock);
	hide(node);
	return outer(node, struct G, l)->k;
}

REJECT(PTR_MODIFIED, "dereference of modified")
P(child_of_untested)
{
	struct bpf_rb_node *node;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_root(&tree_late);
	bpf_rbtree_left(&tree_late, node);
	bpf_spin_unlock(&lock);
	return 0;
}
