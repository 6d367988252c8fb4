/* SPDX-License-Identifier: MIT
 *
 * Programs that run out of their budget while they hold something (test/run/meter.c): each
 * counts its turns in `turns`, and returns DONE when nobody stops it.
 */
#include "../verdict/verdict.h"

#define DONE 77
#define PRIVATE(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))
#define outer(ptr, type, member)                                                         \
	((type *)((char *)(ptr) - __builtin_offsetof(type, member)))

struct bpf_iter_held {
	unsigned long opaque[2];
};

struct bpf_iter_bits {
	__u64 opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 n) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;

struct bpf_iter_num {
	__u64 opaque;
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_held_new(struct bpf_iter_held *it, int n) __ksym;
extern struct T *bpf_iter_held_next(struct bpf_iter_held *it) __ksym;
extern void bpf_iter_held_destroy(struct bpf_iter_held *it) __ksym;
extern int meter_nest(int n) __ksym;

struct own_leaf {
	long key;
	struct bpf_rb_node r;
	struct bpf_list_node l;
	struct bpf_refcount ref;
	struct T __kptr *t;
};

struct own_count {
	long a;
};

struct value {
	struct T __kptr *t;
	struct U __kptr *u;
	struct own_leaf __kptr *node;
	struct own_count __percpu_kptr *pc;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 100);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__uint(key_size, 100);
	__type(value, __u64);
} long_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__array(values, int(void *));
} table SEC(".maps");

union seen { /* in full, for BTF */
	struct own_leaf leaf;
	struct own_count count;
	struct T t;
	struct U u;
} *seen;

PRIVATE(A) struct bpf_spin_lock lock;
PRIVATE(A) struct bpf_rb_root tree __contains(own_leaf, r);
PRIVATE(A) struct bpf_list_head list __contains(own_leaf, l);

long turns;

/* Turns that no compiler can count. */
#define SPIN()                                                                           \
	for (int i_ = 0; i_ < 200; i_++) {                                               \
		turns++;                                                                 \
		asm volatile("" : "+r"(i_));                                             \
	}

/* Puts @fresh, which may be NULL, into @field; what was there is given back. */
#define PUT_INTO(field, fresh, put)                                                      \
	({                                                                               \
		typeof(*(field)) fresh_ = fresh, old_;                                   \
		if (fresh_) {                                                            \
			old_ = bpf_kptr_xchg(field, fresh_);                             \
			if (old_)                                                        \
				put(old_);                                               \
		}                                                                        \
	})

static struct value *value(__u32 i)
{
	return bpf_map_lookup_elem(&values, &i);
}

static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return outer(a, struct own_leaf, r)->key < outer(b, struct own_leaf, r)->key;
}

P(holds_nothing)
{
	SPIN();
	return DONE;
}

P(holds_reference)
{
	struct T *p = t_find(n), *q;

	if (!p)
		return 0;
	q = t_find(n + 1);
	SPIN();
	if (q)
		t_put(q);
	t_put(p);
	return DONE;
}

/* Of a type that is released at once. */
P(holds_u)
{
	struct U *u = u_find(n);

	if (!u)
		return 0;
	SPIN();
	u_put(u);
	return DONE;
}

/* Twice the same object. */
P(holds_twice)
{
	struct T *p = t_find(n), *q;

	if (!p)
		return 0;
	q = t_own(p);
	SPIN();
	t_put(q);
	SPIN();
	t_put(p);
	return DONE;
}

static __noinline long deep_spin(struct T *p, int n)
{
	struct T *q = t_find(n);

	SPIN();
	if (q)
		t_put(q);
	return p ? t_read(p) : 0;
}

static __noinline long deep(int n)
{
	struct T *p = t_find(n);
	long x;

	if (!p)
		return 0;
	x = deep_spin(p, n + 1);
	t_put(p);
	return x;
}

P(holds_in_three_frames)
{
	struct T *p = t_find(n);
	long x;

	if (!p)
		return 0;
	x = deep(n + 1);
	asm volatile("" : "+r"(x));
	t_put(p);
	return DONE;
}

P(holds_what_an_exchange_took)
{
	struct value *v = value(0);
	struct T *p;

	if (!v)
		return 0;
	PUT_INTO(&v->t, t_find(n), t_put);
	SPIN(); /* what is in the map stays there */
	p = bpf_kptr_xchg(&v->t, 0);
	SPIN();
	if (p)
		t_put(p);
	return DONE;
}

P(holds_what_an_instruction_took)
{
	struct value *v = value(1);
	struct U *u;

	if (!v)
		return 0;
	u = u_find(n);
	if (!u)
		return 0;
	u = pintle_xchg(&v->u, u);
	if (u)
		u_put(u);
	u = pintle_xchg(&v->u, 0);
	SPIN();
	if (u)
		u_put(u);
	return DONE;
}

P(holds_lock)
{
	bpf_spin_lock(&lock);
	SPIN();
	bpf_spin_unlock(&lock);
	return DONE;
}

Q(holds_section)
{
	bpf_rcu_read_lock();
	SPIN();
	bpf_rcu_read_unlock();
	SPIN();
	return DONE;
}

/* One that the run is anyhow. */
P(holds_section_in_section)
{
	bpf_rcu_read_lock();
	SPIN();
	bpf_rcu_read_unlock();
	return DONE;
}

P(holds_iterator)
{
	struct bpf_iter_held it;
	struct T *x;

	bpf_iter_held_new(&it, 100);
	while ((x = bpf_iter_held_next(&it)))
		turns++;
	bpf_iter_held_destroy(&it);
	return DONE;
}

static __noinline int iterate(int n)
{
	struct bpf_iter_held it;
	struct T *x;
	int y = 0;

	bpf_iter_held_new(&it, n);
	while ((x = bpf_iter_held_next(&it))) {
		turns++;
		y = x->pid;
	}
	SPIN();
	bpf_iter_held_destroy(&it);
	return y;
}

P(holds_iterators_in_two_frames)
{
	struct bpf_iter_held it;
	struct T *x;
	int sum = 0;

	bpf_iter_held_new(&it, 3);
	while ((x = bpf_iter_held_next(&it)))
		sum += iterate((x->pid & 15) + 20);
	bpf_iter_held_destroy(&it);
	asm volatile("" : "+r"(sum));
	return DONE;
}

P(holds_numbers)
{
	struct T *p = t_find(n);
	struct bpf_iter_num it;
	int *x;

	if (!p)
		return 0;
	bpf_iter_num_new(&it, 0, 500);
	while ((x = bpf_iter_num_next(&it)))
		turns++;
	bpf_iter_num_destroy(&it);
	t_put(p);
	return DONE;
}

/* These have memory of their own. */
P(holds_bits)
{
	__u64 words[8] = {n, n, n, n, n, n, n, ~0ull};
	struct bpf_iter_bits it;
	int *x;

	bpf_iter_bits_new(&it, words, 8);
	while ((x = bpf_iter_bits_next(&it)))
		turns++;
	SPIN();
	bpf_iter_bits_destroy(&it);
	return DONE;
}

P(holds_keys)
{
	struct bpf_iter_map_elem it;
	const void *x;

	bpf_iter_map_elem_new(&it, &long_keys);
	SPIN();
	while ((x = bpf_iter_map_elem_next(&it)))
		turns++;
	bpf_iter_map_elem_destroy(&it);
	return DONE;
}

P(holds_record)
{
	__u64 *p = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!p)
		return 0;
	*p = n;
	SPIN();
	bpf_ringbuf_discard(p, 0);
	return DONE;
}

P(holds_dynptr)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 64 + n, 0, &p);
	SPIN();
	bpf_ringbuf_discard_dynptr(&p, 0);
	return DONE;
}

/* One that there is no room for: the program gives it back all the same. */
P(holds_empty_dynptr)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 1 << 20, 0, &p);
	SPIN();
	bpf_ringbuf_discard_dynptr(&p, 0);
	return DONE;
}

/* With a T, so that its own end is seen. */
static __noinline struct own_leaf *make(int n)
{
	struct own_leaf *p = bpf_obj_new(struct own_leaf);

	if (!p)
		return 0;
	p->key = n;
	PUT_INTO(&p->t, t_find(n), t_put);
	return p;
}

P(holds_objects)
{
	struct own_leaf *p = make(n), *q;

	if (!p)
		return 0;
	q = bpf_refcount_acquire(p);
	SPIN();
	bpf_obj_drop(p);
	SPIN();
	bpf_obj_drop(q);
	return DONE;
}

P(holds_percpu)
{
	struct own_count *p = bpf_percpu_obj_new(struct own_count);

	if (!p)
		return 0;
	SPIN();
	bpf_percpu_obj_drop(p);
	return DONE;
}

P(holds_objects_of_fields)
{
	struct value *v = value(2);
	struct own_leaf *p;
	struct own_count *q;

	if (!v)
		return 0;
	PUT_INTO(&v->node, make(n), bpf_obj_drop);
	PUT_INTO(&v->pc, bpf_percpu_obj_new(struct own_count), bpf_percpu_obj_drop);
	p = bpf_kptr_xchg(&v->node, 0);
	q = bpf_kptr_xchg(&v->pc, 0);
	SPIN();
	if (p)
		bpf_obj_drop(p);
	if (q)
		bpf_percpu_obj_drop(q);
	return DONE;
}

P(holds_popped)
{
	struct own_leaf *p = make(n);
	struct bpf_list_node *l;

	if (!p)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front(&list, &p->l);
	bpf_spin_unlock(&lock);
	bpf_spin_lock(&lock);
	l = bpf_list_pop_back(&list);
	SPIN();
	bpf_spin_unlock(&lock);
	SPIN();
	if (l)
		bpf_obj_drop(outer(l, struct own_leaf, l));
	return DONE;
}

P(holds_removed)
{
	struct own_leaf *p = make(n);
	struct bpf_rb_node *r;

	if (!p)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&tree, &p->r, less);
	r = bpf_rbtree_first(&tree);
	if (!r) {
		bpf_spin_unlock(&lock);
		return 0;
	}
	r = bpf_rbtree_remove(&tree, r);
	bpf_spin_unlock(&lock);
	SPIN();
	if (r)
		bpf_obj_drop(outer(r, struct own_leaf, r));
	return DONE;
}

static long turn(__u32 i, int *n)
{
	struct T *p = t_find(*n);

	turns++;
	if (!p)
		return 0;
	SPIN();
	t_put(p);
	return 0;
}

P(holds_in_callback)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	bpf_loop(20, turn, &n, 0);
	t_put(p);
	return DONE;
}

static long short_turn(__u32 i, void *data)
{
	turns++;
	return 0;
}

P(holds_over_callbacks)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	bpf_loop(1000, short_turn, 0, 0);
	t_put(p);
	return DONE;
}

static long each(void *map, __u32 *key, __u64 *value, void *data)
{
	turns++;
	return 0;
}

P(holds_over_elements)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	for (int i = 0; i < 5; i++) {
		bpf_for_each_map_elem(&numbers, each, 0, 0);
		asm volatile("" : "+r"(i));
	}
	t_put(p);
	return DONE;
}

P(runs_another)
{
	struct T *p = t_find(n);
	int x;

	if (!p)
		return 0;
	x = meter_nest(n); /* has no budget, and makes many turns */
	SPIN();
	t_put(p);
	return x == DONE ? DONE : -1;
}

P(takes_long)
{
	for (int i = 0; i < 500; i++) {
		turns++;
		bpf_loop(8 << 20, short_turn, 0, 0);
		asm volatile("" : "+r"(i));
	}
	return DONE;
}

/* Behind a jump the same budget goes on. */
P(target)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	SPIN();
	t_put(p);
	return DONE;
}

static __noinline int jumps(void *ctx)
{
	int none = -1;

	bpf_tail_call(ctx, &table, 0);
	asm volatile("" : "+r"(none));
	return none;
}

P(jumps_elsewhere)
{
	int r = 0;

	for (int i = 0; i < 3; i++) {
		turns++;
		r = jumps(ctx);
		asm volatile("" : "+r"(r), "+r"(i));
	}
	return r;
}

P(throws)
{
	for (int i = 0; i < 400; i++) {
		turns++;
		bpf_assert_with(turns < 350, DONE);
		asm volatile("" : "+r"(i));
	}
	return 0;
}

/* ---- timers: a run of their own ---- */

struct timed {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct timed);
} timers SEC(".maps");

static int fired(void *map, int *key, struct timed *v)
{
	struct T *p = t_find(5);

	if (!p)
		return 0;
	SPIN();
	t_put(p);
	turns = 1000;
	return 0;
}

P(sets_timer)
{
	__u32 zero = 0;
	struct timed *v = bpf_map_lookup_elem(&timers, &zero);

	if (!v)
		return 0;
	bpf_timer_init(&v->timer, &timers, 1);
	bpf_timer_set_callback(&v->timer, fired);
	bpf_timer_start(&v->timer, 0, 0);
	return DONE;
}

/* ---- what no function gives back alone ---- */

extern struct W *meter_take(int n) __ksym;
extern void meter_give(struct W *w, int n) __ksym;

SEC("?hook/p")
int BPF_PROG(holds_what_stays, struct T *t, int n)
{
	struct W *w = meter_take(n);

	SPIN();
	if (w)
		meter_give(w, n);
	return DONE;
}

/* ---- afterwards: everything is free, and empty ---- */

SEC("hook/p")
int BPF_PROG(after, struct T *t, int n)
{
	struct bpf_list_node *l;
	struct bpf_rb_node *r;
	__u64 *p;

	bpf_spin_lock(&lock);
	l = bpf_list_pop_front(&list);
	r = bpf_rbtree_first(&tree);
	bpf_spin_unlock(&lock);
	if (l) {
		bpf_obj_drop(outer(l, struct own_leaf, l));
		return 1;
	}
	if (r)
		return 2;
	p = bpf_ringbuf_reserve(&ring, 3000, 0);
	if (!p)
		return 3;
	bpf_ringbuf_discard(p, 0);
	return DONE;
}
