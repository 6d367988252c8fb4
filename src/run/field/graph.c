/* SPDX-License-Identifier: MIT
 *
 * graph.c: lists and trees of objects that programs allocate (rule book G8-G12). A root or
 * head is in a map value or in an object, beside the lock that guards it; the verifier has
 * made sure that the program holds that lock in every call but for graph_destroy().
 *
 * A node knows which root it is linked in: `owner`, NULL when in none. A root owns one
 * reference of each object in it. With shared ownership (struct bpf_refcount) two programs
 * may try to link one node into two roots, under two locks: the exchange of `owner` from
 * NULL decides, the other call drops the reference it was given and fails (G9, N18).
 *
 * Roots are zeroed memory when empty. The tree is a treap: a node's priority is a hash of
 * its address, so that there is nothing to store and no program can choose it; its depth
 * is logarithmic as expected, whatever the order of keys. Neither removing nor destroying
 * calls the program's comparison.
 *
 * Ordering
 *  N-A: links are written and read under the root's lock; owner is exchanged with acquire
 *       and given back with release, so that who links a node next sees it unlinked.
 */
#include "run/field/local.h"
#include "run/lock.h"

/* ------------------------------------------------------------------ lists */

struct list_node { /* struct bpf_list_node: 24 bytes */
	struct list_node *next, *prev;
	atomic(void *) owner;
};

struct list_head { /* struct bpf_list_head: 16 bytes */
	struct list_node *first, *last;
};

/* Claims an unlinked node for @root; or drops the reference that came with it: false. */
static bool claim(atomic(void *) *owner, void *root, void *node, struct local_type *type,
		  u64 off)
{
	void *none = NULL;

	/* N-A: acquire pairs with the release in disown() */
	if (likely(atomic_compare_exchange_strong_explicit(
		    owner, &none, root, memory_order_acquire, memory_order_relaxed)))
		return true;
	local_drop(type, (char *)node - off);
	return false;
}

static void disown(atomic(void *) *owner)
{
	/* N-A: release pairs with the acquire in claim() */
	atomic_store_explicit(owner, NULL, memory_order_release);
}

static bool owned_by(atomic(void *) *owner, const void *root)
{
	return atomic_load_explicit(owner, memory_order_relaxed) == root;
}

static void list_link(struct list_head *head, struct list_node *prev, struct list_node *n)
{
	struct list_node **from = prev ? &prev->next : &head->first;

	n->prev = prev;
	n->next = *from;
	*(n->next ? &n->next->prev : &head->last) = n;
	*from = n;
}

static void list_unlink(struct list_head *head, struct list_node *n)
{
	*(n->prev ? &n->prev->next : &head->first) = n->next;
	*(n->next ? &n->next->prev : &head->last) = n->prev;
	n->next = n->prev = NULL;
	disown(&n->owner);
}

u64 list_push_front(u64 head, u64 node, u64 type, u64 off)
{
	struct list_head *h = (void *)(uintptr_t)head;
	struct list_node *n = (void *)(uintptr_t)node;

	if (!claim(&n->owner, h, n, (void *)(uintptr_t)type, off))
		return (u64)(s64)-EINVAL;
	list_link(h, NULL, n);
	return 0;
}

u64 list_push_back(u64 head, u64 node, u64 type, u64 off)
{
	struct list_head *h = (void *)(uintptr_t)head;
	struct list_node *n = (void *)(uintptr_t)node;

	if (!claim(&n->owner, h, n, (void *)(uintptr_t)type, off))
		return (u64)(s64)-EINVAL;
	list_link(h, h->last, n);
	return 0;
}

static u64 list_pop(struct list_head *h, struct list_node *n)
{
	if (n)
		list_unlink(h, n);
	return (uintptr_t)n;
}

u64 list_pop_front(u64 head)
{
	struct list_head *h = (void *)(uintptr_t)head;

	return list_pop(h, h->first);
}

u64 list_pop_back(u64 head)
{
	struct list_head *h = (void *)(uintptr_t)head;

	return list_pop(h, h->last);
}

u64 list_front(u64 head)
{
	return (uintptr_t)((struct list_head *)(uintptr_t)head)->first;
}

u64 list_back(u64 head)
{
	return (uintptr_t)((struct list_head *)(uintptr_t)head)->last;
}

/* ------------------------------------------------------------------ trees */

struct rb_node { /* struct bpf_rb_node: 32 bytes */
	struct rb_node *up, *child[2]; /* left, right */
	atomic(void *) owner;
};

struct rb_root { /* struct bpf_rb_root: 16 bytes */
	struct rb_node *top, *first;
};

/* The address decides; hashed, so that neighbours in memory are none in the tree. */
static u64 priority(const struct rb_node *n)
{
	u64 x = (uintptr_t)n * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

static struct rb_node **place_of(struct rb_root *root, const struct rb_node *n)
{
	return n->up ? &n->up->child[n->up->child[1] == n] : &root->top;
}

/* Puts @n, the child of @p, in the place of @p, which becomes its child. */
static void rotate_up(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *p = n->up;
	int side = p->child[1] == n;
	struct rb_node *inner = n->child[!side];

	*place_of(root, p) = n;
	n->up = p->up;
	p->child[side] = inner;
	if (inner)
		inner->up = p;
	n->child[!side] = p;
	p->up = n;
}

static void tree_link(struct rb_root *root, struct rb_node *up, int side, struct rb_node *n)
{
	n->up = up;
	n->child[0] = n->child[1] = NULL;
	*(up ? &up->child[side] : &root->top) = n;
	if (!root->first || (up == root->first && !side))
		root->first = n;
	while (n->up && priority(n) > priority(n->up))
		rotate_up(root, n);
}

static struct rb_node *leftmost(struct rb_node *n)
{
	while (n && n->child[0])
		n = n->child[0];
	return n;
}

static struct rb_node *successor(struct rb_node *n)
{
	if (n->child[1])
		return leftmost(n->child[1]);
	while (n->up && n->up->child[1] == n)
		n = n->up;
	return n->up;
}

static struct rb_node *heavier_child(const struct rb_node *n)
{
	return priority(n->child[0]) > priority(n->child[1]) ? n->child[0] : n->child[1];
}

static void tree_unlink(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *only;

	if (root->first == n)
		root->first = successor(n);
	while (n->child[0] && n->child[1])
		rotate_up(root, heavier_child(n));
	only = n->child[0] ? n->child[0] : n->child[1];
	*place_of(root, n) = only;
	if (only)
		only->up = n->up;
	n->up = n->child[0] = n->child[1] = NULL;
	disown(&n->owner);
}

/* The node that nobody else is in between with: nodes that compare equal stay in the order
 * they came. Only here the program's code runs, before anything is changed. */
static struct rb_node *search(struct rb_root *root, struct rb_node *n, const void *less,
			      int *side)
{
	struct rb_node *up = NULL, *at = root->top;

	*side = 0;
	while (at) {
		up = at;
		*side = !(u32)interp_callback(less, (uintptr_t)n, (uintptr_t)at, 0, 0, 0);
		at = at->child[*side];
	}
	return up;
}

u64 rbtree_add(u64 root, u64 node, u64 less, u64 type, u64 off)
{
	struct rb_root *r = (void *)(uintptr_t)root;
	struct rb_node *n = (void *)(uintptr_t)node, *up;
	int side;

	if (!claim(&n->owner, r, n, (void *)(uintptr_t)type, off))
		return (u64)(s64)-EINVAL;
	up = search(r, n, (const void *)(uintptr_t)less, &side);
	tree_link(r, up, side, n);
	return 0;
}

u64 rbtree_remove(u64 root, u64 node)
{
	struct rb_root *r = (void *)(uintptr_t)root;
	struct rb_node *n = (void *)(uintptr_t)node;

	if (!owned_by(&n->owner, r))
		return 0;
	tree_unlink(r, n);
	return node;
}

u64 rbtree_first(u64 root)
{
	return (uintptr_t)((struct rb_root *)(uintptr_t)root)->first;
}

u64 rbtree_root(u64 root)
{
	return (uintptr_t)((struct rb_root *)(uintptr_t)root)->top;
}

static u64 child_of(u64 root, u64 node, int side)
{
	struct rb_node *n = (void *)(uintptr_t)node;

	if (!owned_by(&n->owner, (void *)(uintptr_t)root))
		return 0;
	return (uintptr_t)n->child[side];
}

u64 rbtree_left(u64 root, u64 node)
{
	return child_of(root, node, 0);
}

u64 rbtree_right(u64 root, u64 node)
{
	return child_of(root, node, 1);
}

/* ------------------------------------------------------------------ walking */

void graph_each(const struct run_field *f, void *root, bool (*fn)(void *data, void *node),
		void *data)
{
	if (f->kind == FIELD_LIST_HEAD)
		for (struct list_node *n = ((struct list_head *)root)->first; n; n = n->next) {
			if (!fn(data, n))
				return;
		}
	else
		for (struct rb_node *n = ((struct rb_root *)root)->first; n; n = successor(n)) {
			if (!fn(data, n))
				return;
		}
}

/* ------------------------------------------------------------------ destruction */

enum { AT_ONCE = 64 }; /* nodes taken out in one hold of the lock */

static void *take_first(const struct run_field *f, void *root)
{
	if (f->kind == FIELD_LIST_HEAD)
		return (void *)(uintptr_t)list_pop_front((uintptr_t)root);
	return (void *)(uintptr_t)rbtree_remove((uintptr_t)root,
						rbtree_first((uintptr_t)root));
}

static u32 take_some(const struct run_field *f, void *root, void **out)
{
	u32 n = 0;

	if (f->kind == FIELD_RB_ROOT && !((struct rb_root *)root)->first)
		return 0;
	while (n < AT_ONCE && *(void **)root) {
		out[n] = take_first(f, root);
		n++;
	}
	return n;
}

void graph_destroy(const struct run_field *f, void *root, u32 *lock, struct obj **dying)
{
	void *nodes[AT_ONCE];
	u32 n;

	do {
		if (lock)
			lock_take(lock);
		n = take_some(f, root, nodes);
		if (lock)
			lock_drop(lock);
		for (u32 i = 0; i < n; i++)
			dying_add(dying, (char *)nodes[i] - f->node_off);
	} while (n == AT_ONCE);
}
