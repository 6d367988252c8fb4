/* SPDX-License-Identifier: MIT
 *
 * stress.bpf.c: the programs of stress.c. Each run draws what to do by lot. What they read
 * of an object is checked: stress_bad() is told of one that was dead.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>
#include <stddef.h>

#include "stress.h"

char _license[] SEC("license") = "MIT";

extern void stress_did(int op) __ksym;
extern void stress_bad(int op) __ksym;
extern struct item *item_new(int key) __ksym;
extern struct item *item_get(struct item *item) __ksym;
extern struct item *item_kget(struct item **slot) __ksym;
extern int item_look(struct item *item) __ksym;
extern void item_put(struct item *item) __ksym;
extern struct nat *nat_new(int key) __ksym;
extern struct nat *nat_get(struct nat *nat) __ksym;
extern void nat_put(struct nat *nat) __ksym;
extern struct bare *bare_new(int key) __ksym;
extern int bare_look(struct bare *bare) __ksym;
extern void bare_put(struct bare *bare) __ksym;
extern int stress_nap(int us) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

struct splain {
	long a;
};

struct snode { /* in a list and a tree, shared, owning an item */
	struct bpf_list_node l;
	struct bpf_rb_node r;
	struct bpf_refcount ref;
	struct item __kptr *item;
	long key;
};

struct sowner { /* owns what owns */
	struct snode __kptr *node;
	struct item __kptr *item;
	long key;
};

struct svalue {
	struct item __kptr *one;
	struct item __kptr *two;
	struct item __kptr_untrusted *seen;
	struct nat __kptr *nat;
	struct bare __kptr *bare;
	struct sowner __kptr *owner;
	long n;
};

struct slocked {
	struct bpf_spin_lock lock;
	struct bpf_list_head list __contains(snode, l);
	struct bpf_rb_root tree __contains(snode, r);
	struct splain __percpu_kptr *percpu;
	struct item __kptr *one;
	long n;
};

struct simple { /* of inner maps: no types of the program's own */
	struct item __kptr *one;
	long n;
};

union all_types { /* in full, for BTF */
	struct splain plain;
	struct snode node;
	struct sowner owner;
	struct item item;
	struct nat nat;
	struct bare bare;
} *all_types;

#define MAP(name_, type_, value_, n_, flags_)                                            \
	struct {                                                                         \
		__uint(type, BPF_MAP_TYPE_##type_);                                      \
		__uint(max_entries, n_);                                                 \
		__uint(map_flags, flags_);                                               \
		__type(key, __u32);                                                      \
		__type(value, struct value_);                                            \
	} name_ SEC(".maps")

MAP(array, ARRAY, svalue, STRESS_KEYS, 0);
MAP(hash, HASH, svalue, STRESS_KEYS, 0);
MAP(loose, HASH, svalue, STRESS_KEYS, BPF_F_NO_PREALLOC);
MAP(lru, LRU_HASH, svalue, 6, 0);
MAP(pc_array, PERCPU_ARRAY, svalue, 4, 0);
MAP(pc_hash, PERCPU_HASH, svalue, 6, 0);
MAP(pc_lru, LRU_PERCPU_HASH, svalue, 4, 0);
MAP(boxes, HASH, slocked, STRESS_KEYS, 0);
MAP(shelf, ARRAY, slocked, 4, 0);

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct svalue);
} storage SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct simple);
};
struct inner first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer_array SEC(".maps") = {.values = {[0] = &first}};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer_hash SEC(".maps") = {.values = {[1] = &first}};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} jumps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16);
	__type(value, __u64);
} queue SEC(".maps");

struct item __kptr *global SEC(".data.global");

#define lot(n) (bpf_get_prandom_u32() % (n))

static __always_inline void see(struct item *p, int op)
{
	if (p->magic != STRESS_MAGIC || p->twin != ~STRESS_MAGIC)
		stress_bad(op);
	item_look(p);
	stress_did(op);
}

/* From one field to another; a new one where there was none. */
#define MOVE(from, to, xchg, op)                                                         \
	({                                                                               \
		struct item *p_ = xchg(from, (void *)0);                                 \
                                                                                         \
		if (p_) {                                                                \
			see(p_, op);                                                     \
		} else {                                                                 \
			p_ = item_new(0);                                                \
			if (p_)                                                          \
				stress_did(P_NEW);                                       \
		}                                                                        \
		if (p_)                                                                  \
			p_ = xchg(to, p_);                                               \
		if (p_)                                                                  \
			item_put(p_);                                                    \
	})

/* Reads what is in a field, and raises references from it. */
#define LOOK(v)                                                                          \
	({                                                                               \
		struct item *p_ = (v)->one, *q_;                                         \
                                                                                         \
		if (p_) {                                                                \
			see(p_, P_SEE);                                                  \
			q_ = item_get(p_);                                               \
			if (q_) {                                                        \
				see(q_, P_GET_LOADED);                                   \
				q_ = bpf_kptr_xchg(&(v)->two, q_);                       \
			}                                                                \
			if (q_)                                                          \
				item_put(q_);                                            \
			(v)->seen = p_;                                                  \
		}                                                                        \
		q_ = item_kget(&(v)->two);                                               \
		if (q_) {                                                                \
			see(q_, P_GET_SLOT);                                             \
			item_put(q_);                                                    \
		}                                                                        \
		p_ = (v)->seen;                                                          \
		if (p_ && p_->key >= 0)                                                  \
			stress_did(P_UNTRUSTED);                                         \
	})

static __always_inline void others(struct svalue *v)
{
	struct nat *n = v->nat, *m;
	struct bare *b;

	if (n) {
		if (n->magic != STRESS_MAGIC)
			stress_bad(P_NATIVE);
		m = nat_get(n);
		if (m)
			nat_put(m);
		stress_did(P_NATIVE);
	}
	n = nat_new(1);
	if (n)
		n = bpf_kptr_xchg(&v->nat, n);
	if (n)
		nat_put(n);
	b = bare_new(1);
	if (b)
		b = bpf_kptr_xchg(&v->bare, b);
	if (b) {
		bare_look(b);
		stress_did(P_BARE);
		bare_put(b);
	}
}

static __always_inline struct snode *node_new(void)
{
	struct snode *n = bpf_obj_new(struct snode);
	struct item *old;

	if (!n)
		return n;
	n->key = bpf_get_prandom_u32();
	old = item_new(2);
	if (old)
		old = bpf_kptr_xchg(&n->item, old);
	if (old)
		item_put(old);
	return n;
}

static __always_inline void own(struct svalue *v)
{
	struct sowner *o = bpf_obj_new(struct sowner);
	struct snode *n;

	if (!o)
		return;
	n = node_new();
	if (n)
		n = bpf_kptr_xchg(&o->node, n);
	if (n)
		bpf_obj_drop(n);
	o = bpf_kptr_xchg(&v->owner, o);
	if (o) {
		bpf_obj_drop(o);
		stress_did(P_OWNER);
	}
}

/* What all kinds of map with a struct svalue have in common. */
#define MIX(map, keys)                                                                   \
	SEC("hook/stress_p") int BPF_PROG(mix_##map, int n)                              \
	{                                                                                \
		__u32 a = lot(keys), b = lot(keys);                                      \
		struct svalue *v, *w;                                                     \
                                                                                         \
		v = bpf_map_lookup_elem(&map, &a);                                       \
		w = bpf_map_lookup_elem(&map, &b);                                       \
		if (!v || !w) {                                                          \
			struct svalue zero = {.n = n};                                    \
                                                                                         \
			bpf_map_update_elem(&map, &a, &zero, BPF_ANY);                   \
			return 0;                                                        \
		}                                                                        \
		MOVE(&v->one, &w->two, bpf_kptr_xchg, P_MOVE);                           \
		MOVE(&w->one, &v->one, pintle_xchg, P_MOVE_INSN);                        \
		if (lot(2))                                                              \
			LOOK(v);                                                         \
		if (lot(2))                                                              \
			others(w);                                                       \
		if (!lot(4))                                                             \
			own(v);                                                          \
		if (!lot(4)) {                                                           \
			struct svalue zero = {.n = n};                                    \
                                                                                         \
			if (!bpf_map_update_elem(&map, &a, &zero, BPF_EXIST))            \
				stress_did(P_UPDATE);                                    \
		}                                                                        \
		if (!lot(4) && !bpf_map_delete_elem(&map, &b)) {                         \
			stress_did(P_DELETE);                                            \
			/* w is dead now, but stays readable: what goes in is not lost */ \
			MOVE(&v->two, &w->one, bpf_kptr_xchg, P_STALE);                  \
		}                                                                        \
		return 0;                                                                \
	}
MIX(hash, STRESS_KEYS)
MIX(loose, STRESS_KEYS)
MIX(lru, STRESS_KEYS)
MIX(array, STRESS_KEYS)
MIX(pc_array, 4)
MIX(pc_hash, 6)
MIX(pc_lru, 8)

/* Between maps, and with a global field. */
SEC("hook/stress_p") int BPF_PROG(across, int n)
{
	__u32 a = lot(STRESS_KEYS), b = lot(STRESS_KEYS);
	struct svalue *v = bpf_map_lookup_elem(&array, &a);
	struct svalue *w = bpf_map_lookup_elem(&hash, &b);

	if (!v || !w)
		return 0;
	MOVE(&w->one, &v->two, bpf_kptr_xchg, P_MOVE);
	MOVE(&global, &w->one, bpf_kptr_xchg, P_GLOBAL);
	MOVE(&v->one, &global, pintle_xchg, P_GLOBAL);
	return 0;
}

static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	struct snode *x = (void *)((char *)a - offsetof(struct snode, r));
	struct snode *y = (void *)((char *)b - offsetof(struct snode, r));

	return x->key < y->key;
}

static __always_inline void take_first(struct slocked *v)
{
	struct bpf_rb_node *r;
	struct bpf_list_node *l;
	struct snode *n;

	bpf_spin_lock(&v->lock);
	l = bpf_list_pop_front(&v->list);
	bpf_spin_unlock(&v->lock);
	if (l) {
		n = (void *)((char *)l - offsetof(struct snode, l));
		bpf_obj_drop(n);
		stress_did(P_LIST_POP);
	}
	bpf_spin_lock(&v->lock);
	r = bpf_rbtree_first(&v->tree);
	if (!r) {
		bpf_spin_unlock(&v->lock);
		return;
	}
	r = bpf_rbtree_remove(&v->tree, r);
	bpf_spin_unlock(&v->lock);
	if (r) {
		n = (void *)((char *)r - offsetof(struct snode, r));
		bpf_obj_drop(n);
		stress_did(P_TREE_REMOVE);
	}
}

static __always_inline void put_in(struct slocked *v)
{
	struct snode *n = node_new(), *m;

	if (!n)
		return;
	m = bpf_refcount_acquire(n);
	if (!m) {
		bpf_obj_drop(n);
		return;
	}
	bpf_spin_lock(&v->lock);
	bpf_list_push_back(&v->list, &n->l);
	bpf_rbtree_add(&v->tree, &m->r, less);
	bpf_spin_unlock(&v->lock);
	stress_did(P_SHARED);
	stress_did(P_LIST_PUSH);
	stress_did(P_TREE_ADD);
}

static __always_inline void percpu(struct slocked *v)
{
	struct splain *p = bpf_percpu_obj_new(struct splain), *q;

	if (!p)
		return;
	p = bpf_kptr_xchg(&v->percpu, p);
	if (p)
		bpf_percpu_obj_drop(p);
	p = v->percpu;
	if (!p)
		return;
	q = bpf_this_cpu_ptr(p);
	q->a++;
	stress_did(P_PERCPU);
}

#define CONTAIN(map, keys)                                                               \
	SEC("hook/stress_p") int BPF_PROG(contain_##map, int n)                          \
	{                                                                                \
		__u32 a = lot(keys);                                                     \
		struct slocked *v = bpf_map_lookup_elem(&map, &a), zero = {.n = n};       \
                                                                                         \
		if (!v) {                                                                \
			bpf_map_update_elem(&map, &a, &zero, BPF_ANY);                   \
			return 0;                                                        \
		}                                                                        \
		if (lot(2))                                                              \
			put_in(v);                                                       \
		take_first(v);                                                           \
		percpu(v);                                                               \
		MOVE(&v->one, &v->one, bpf_kptr_xchg, P_MOVE);                           \
		if (!lot(4) && !bpf_map_update_elem(&map, &a, &zero, BPF_F_LOCK))        \
			stress_did(P_UPDATE_LOCKED);                                     \
		if (!lot(8))                                                             \
			bpf_map_update_elem(&map, &a, &zero, BPF_EXIST);                 \
		if (!lot(16) && !bpf_map_delete_elem(&map, &a))                          \
			put_in(v); /* into the dead one */                               \
		return 0;                                                                \
	}
CONTAIN(boxes, STRESS_KEYS)
CONTAIN(shelf, 4)

SEC("hook/stress_object") int BPF_PROG(stored, struct item *item)
{
	struct svalue *v = pintle_storage_get(&storage, item, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct svalue *w;
	__u32 a = lot(STRESS_KEYS);

	w = bpf_map_lookup_elem(&array, &a);
	if (!v || !w)
		return 0;
	MOVE(&v->one, &w->one, bpf_kptr_xchg, P_STORAGE);
	MOVE(&w->two, &v->one, bpf_kptr_xchg, P_STORAGE);
	LOOK(v);
	if (!lot(8) && !pintle_storage_delete(&storage, item))
		stress_did(P_STORAGE_DELETE);
	return 0;
}

#define WITHIN(map)                                                                      \
	SEC("hook/stress_p") int BPF_PROG(within_##map, int n)                           \
	{                                                                                \
		__u32 o = lot(4), a = lot(8), b = lot(STRESS_KEYS);                      \
		struct simple *v, zero = {};                                             \
		struct svalue *w = bpf_map_lookup_elem(&array, &b);                       \
		void *in = bpf_map_lookup_elem(&map, &o);                                \
                                                                                         \
		if (!in || !w)                                                           \
			return 0;                                                        \
		v = bpf_map_lookup_elem(in, &a);                                         \
		if (!v) {                                                                \
			bpf_map_update_elem(in, &a, &zero, 0);                           \
			return 0;                                                        \
		}                                                                        \
		MOVE(&v->one, &w->one, bpf_kptr_xchg, P_INNER);                          \
		MOVE(&w->two, &v->one, pintle_xchg, P_INNER);                            \
		if (!lot(4))                                                             \
			bpf_map_delete_elem(in, &a);                                     \
		return 0;                                                                \
	}
WITHIN(outer_array)
WITHIN(outer_hash)

static long visit(void *map, __u32 *key, struct svalue *v, void *ctx)
{
	struct item *p;

	if (lot(2))
		return 0;
	p = bpf_kptr_xchg(&v->two, (void *)0);
	if (p)
		item_put(p);
	stress_did(P_FOR_EACH);
	if (!lot(4))
		bpf_map_delete_elem(map, key);
	return !lot(16);
}

SEC("hook/stress_p") int BPF_PROG(walk, int n)
{
	if (lot(8))
		return 0;
	bpf_for_each_map_elem(&hash, visit, (void *)0, 0);
	bpf_for_each_map_elem(&lru, visit, (void *)0, 0);
	return 0;
}

/* Goes round through programs of whatever objects. */
SEC("hook/stress_p") int jump(void *ctx)
{
	bpf_tail_call(ctx, &jumps, lot(4));
	return 0;
}

SEC("hook/stress_p") int landed(void *ctx)
{
	__u32 a = lot(STRESS_KEYS);
	struct svalue *v = bpf_map_lookup_elem(&hash, &a);

	stress_did(P_TAIL);
	if (v)
		MOVE(&v->one, &v->two, bpf_kptr_xchg, P_MOVE);
	if (lot(2))
		bpf_tail_call(ctx, &jumps, lot(4));
	return 0;
}

static long sample(struct bpf_dynptr *d, void *ctx)
{
	__u64 n;

	if (!bpf_dynptr_read(&n, sizeof(n), d, 0, 0))
		stress_did(P_USER_RING);
	return 0;
}

SEC("hook/stress_p") int BPF_PROG(rings, int n)
{
	__u64 *r = bpf_ringbuf_reserve(&ring, 16, 0), x = n;

	if (r) {
		r[0] = r[1] = n;
		if (n & 1)
			bpf_ringbuf_submit(r, 0);
		else
			bpf_ringbuf_discard(r, 0);
		stress_did(P_RING);
	}
	bpf_user_ringbuf_drain(&user_ring, sample, (void *)0, 0);
	if (!bpf_map_push_elem(&queue, &x, BPF_EXIST) && !bpf_map_pop_elem(&queue, &x))
		stress_did(P_QUEUE);
	return 0;
}

SEC("hook.s/stress_q") int BPF_PROG(slow, int n)
{
	__u32 a = lot(STRESS_KEYS);
	struct svalue *v = bpf_map_lookup_elem(&hash, &a);
	struct item *p;

	if (!v)
		return 0;
	stress_nap(n & 15);
	MOVE(&v->one, &v->two, bpf_kptr_xchg, P_SLEEP);
	bpf_rcu_read_lock();
	p = v->two;
	if (p)
		p = item_get(p);
	bpf_rcu_read_unlock();
	if (!p)
		return 0;
	see(p, P_SLEEP_SECTION);
	stress_nap(n & 15);
	item_put(p);
	return 0;
}
