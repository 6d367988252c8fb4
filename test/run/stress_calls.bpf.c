/* SPDX-License-Identifier: MIT
 *
 * stress_calls.bpf.c: more programs of stress.c: those that ask to be called later, end
 * early, share memory with the host, are linked with cookies, or run in signal handlers.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "stress.h"

char _license[] SEC("license") = "GPL";

extern void stress_did(int op) __ksym;
extern void stress_bad(int op) __ksym;
extern struct item *item_new(int key) __ksym;
extern int item_look(struct item *item) __ksym;
extern void item_put(struct item *item) __ksym;
extern int item_bytes(struct item *item, __u64 flags, struct bpf_dynptr *d) __ksym;
extern int stress_nap(int us) __ksym;

struct called {
	struct bpf_timer timer;
	struct bpf_wq wq;
	struct item __kptr *one;
	struct item __kptr *two;
};

struct kept { /* by programs that are cut */
	struct item __kptr *item;
	long key;
};

struct bytes {
	char at[64];
};

union all_types { /* in full, for BTF */
	struct kept kept;
	struct item item;
} * all_types;

#define MAP(name_, type_, value_, n_, flags_)                                            \
	struct {                                                                         \
		__uint(type, BPF_MAP_TYPE_##type_);                                      \
		__uint(max_entries, n_);                                                 \
		__uint(map_flags, flags_);                                               \
		__type(key, __u32);                                                      \
		__type(value, struct value_);                                            \
	} name_ SEC(".maps")

MAP(ticks, HASH, called, STRESS_KEYS, 0);
MAP(loose_ticks, HASH, called, STRESS_KEYS, BPF_F_NO_PREALLOC);
MAP(fixed_ticks, ARRAY, called, 4, 0);
MAP(old_ticks, LRU_HASH, called, 6, 0);
MAP(plain, PERCPU_HASH, bytes, STRESS_KEYS, 0); /* others' writes are not to be races here */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ring SEC(".maps");

#define lot(n) (bpf_get_prandom_u32() % (n))

static __always_inline void see(struct item *p, int op)
{
	if (p->magic != STRESS_MAGIC || p->twin != ~STRESS_MAGIC)
		stress_bad(op);
	item_look(p);
	stress_did(op);
}

/* From one field to another; a new one where there was none. */
#define MOVE(from, to, op)                                                               \
	({                                                                               \
		struct item *p_ = bpf_kptr_xchg(from, (void *)0);                        \
                                                                                         \
		if (p_)                                                                  \
			see(p_, op);                                                     \
		else                                                                     \
			p_ = item_new(0);                                                \
		if (p_)                                                                  \
			p_ = bpf_kptr_xchg(to, p_);                                      \
		if (p_)                                                                  \
			item_put(p_);                                                    \
	})

/* ------------------------------------------------------------------ timers and work */

/* The element of the callback, or another, may go meanwhile, and a timer be started that
 * is cancelled elsewhere. */
#define CALLED(map, keys)                                                                \
	static int fire_##map(void *unused, int *key, struct called *v)                  \
	{                                                                                \
		__u32 own = *key, other = lot(keys);                                     \
		struct called *w;                                                        \
                                                                                         \
		stress_did(P_TIMER_FIRE);                                                \
		MOVE(&v->one, &v->two, P_CALLBACK_MOVE);                                 \
		if (!lot(4))                                                             \
			bpf_map_delete_elem(&map, &own);                                 \
		if (!lot(4))                                                             \
			bpf_timer_start(&v->timer, lot(200000), 0);                      \
		w = bpf_map_lookup_elem(&map, &other);                                   \
		if (w && !lot(4) && bpf_timer_cancel(&w->timer) == 1)                    \
			stress_did(P_TIMER_CANCEL);                                      \
		return 0;                                                                \
	}                                                                                \
	static int work_##map(void *unused, int *key, void *value)                       \
	{                                                                                \
		struct called *v = value;                                                \
		__u32 own = *key;                                                        \
                                                                                         \
		stress_did(P_WORK);                                                      \
		stress_nap(own);                                                         \
		MOVE(&v->two, &v->one, P_CALLBACK_MOVE);                                 \
		if (!lot(4))                                                             \
			bpf_wq_start(&v->wq, 0);                                         \
		if (!lot(4))                                                             \
			bpf_map_delete_elem(&map, &own);                                 \
		return 0;                                                                \
	}                                                                                \
	SEC("hook/stress_calls") int BPF_PROG(call_##map, int n)                         \
	{                                                                                \
		struct called zero = {}, *v;                                             \
		__u32 key = lot(keys);                                                   \
                                                                                         \
		v = bpf_map_lookup_elem(&map, &key);                                     \
		if (!v) {                                                                \
			bpf_map_update_elem(&map, &key, &zero, BPF_NOEXIST);             \
			return 0;                                                        \
		}                                                                        \
		MOVE(&v->one, &v->one, P_MOVE);                                          \
		switch (lot(8)) {                                                        \
		case 0:                                                                  \
			if (bpf_timer_cancel(&v->timer) == 1)                            \
				stress_did(P_TIMER_CANCEL);                              \
			break;                                                           \
		case 1:                                                                  \
			bpf_map_delete_elem(&map, &key);                                 \
			bpf_timer_start(&v->timer, 0, 0); /* of the dead one */          \
			bpf_wq_start(&v->wq, 0);                                         \
			break;                                                           \
		case 2:                                                                  \
			bpf_map_update_elem(&map, &key, &zero, BPF_EXIST);               \
			break;                                                           \
		case 3:                                                                  \
		case 4:                                                                  \
			bpf_wq_init(&v->wq, &map, 0);                                    \
			bpf_wq_set_callback(&v->wq, work_##map, 0);                      \
			bpf_wq_start(&v->wq, 0);                                         \
			break;                                                           \
		default:                                                                 \
			bpf_timer_init(&v->timer, &map, n & 1);                          \
			bpf_timer_set_callback(&v->timer, fire_##map);                   \
			if (!bpf_timer_start(&v->timer, lot(500000), 0))                 \
				stress_did(P_TIMER_START);                               \
		}                                                                        \
		return 0;                                                                \
	}
CALLED(ticks, STRESS_KEYS)
CALLED(loose_ticks, STRESS_KEYS)
CALLED(fixed_ticks, 4)
CALLED(old_ticks, STRESS_KEYS)

/* ------------------------------------------------------------------ ends that come early
 */

/* Its budget is the host's choice: it may end at each turn, and what it holds there is
 * given back. */
SEC("hook/stress_calls") int BPF_PROG(metered, int n)
{
	struct kept *k = bpf_obj_new(struct kept);
	struct item *p = item_new(0);
	__u64 *r;

	if (!k || !p)
		goto none;
	r = bpf_ringbuf_reserve(&ring, 16, 0);
	if (!r)
		goto none;
	for (int i = 0; i < 40; i++) {
		__u32 key = lot(4);
		struct called *v = bpf_map_lookup_elem(&fixed_ticks, &key);

		if (v)
			p = bpf_kptr_xchg(&v->two, p);
		if (!p)
			break;
		asm volatile("" : "+r"(i));
	}
	r[0] = r[1] = n;
	bpf_ringbuf_submit(r, 0);
	if (p)
		p = bpf_kptr_xchg(&k->item, p);
	stress_did(P_METERED);
none:
	if (p)
		item_put(p);
	if (k)
		bpf_obj_drop(k);
	return 0;
}

static __noinline int risky(int n)
{
	if (n & 1)
		bpf_throw(n);
	return n;
}

__noinline int caught(__u64 cookie)
{
	stress_did(P_THROW);
	return cookie & 7;
}

SEC("hook/stress_calls") __exception_cb(caught) int BPF_PROG(throws, int n)
{
	__u32 key = lot(4);
	struct called *v = bpf_map_lookup_elem(&fixed_ticks, &key);

	if (v)
		MOVE(&v->one, &v->two, P_MOVE);
	risky(n);
	if (v)
		MOVE(&v->two, &v->one, P_MOVE);
	return risky(lot(2));
}

/* ------------------------------------------------------------------ dynptrs */

static __always_inline void item_by_bytes(struct item *p)
{
	struct bpf_dynptr d;
	unsigned int magic;

	if (item_bytes(p, 0, &d))
		return;
	if (bpf_dynptr_read(&magic, sizeof(magic), &d, 0, 0) || magic != STRESS_MAGIC)
		stress_bad(P_DYNPTR_ITEM);
	stress_did(P_DYNPTR_ITEM);
}

static __always_inline void record_by_bytes(int n)
{
	struct bpf_dynptr d;
	__u64 x = n;

	if (bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &d)) {
		bpf_ringbuf_discard_dynptr(&d, 0);
		return;
	}
	bpf_dynptr_write(&d, 0, &x, sizeof(x), 0);
	bpf_dynptr_write(&d, 8, &x, sizeof(x), 0);
	if (n & 1)
		bpf_ringbuf_submit_dynptr(&d, 0);
	else
		bpf_ringbuf_discard_dynptr(&d, 0);
	stress_did(P_DYNPTR_RING);
}

static long sample(struct bpf_dynptr *d, void *ctx)
{
	__u64 n;

	if (!bpf_dynptr_read(&n, sizeof(n), d, 0, 0))
		stress_did(P_USER_RING);
	return 0;
}

SEC("hook/stress_calls") int BPF_PROG(dynptrs, int n)
{
	__u32 key = lot(STRESS_KEYS);
	struct bytes zero = {}, *v = bpf_map_lookup_elem(&plain, &key);
	struct bpf_dynptr d;
	struct item *p;
	__u64 x = n;

	record_by_bytes(n);
	bpf_user_ringbuf_drain(&user_ring, sample, (void *)0, 0);
	p = item_new(1);
	if (p) {
		item_by_bytes(p);
		item_put(p);
	}
	if (!v) {
		bpf_map_update_elem(&plain, &key, &zero, 0);
		return 0;
	}
	if (bpf_dynptr_from_mem(v->at, sizeof(v->at), 0, &d))
		return 0;
	if (!lot(4))
		bpf_map_delete_elem(&plain, &key);
	bpf_dynptr_write(&d, x % 56, &x, sizeof(x), 0);
	bpf_dynptr_read(&x, sizeof(x), &d, x % 56, 0);
	stress_did(P_DYNPTR);
	return 0;
}

/* ------------------------------------------------------------------ an arena */

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
} arena SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages,
					   int node, __u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void __arena *addr, __u32 pages) __ksym;

__u64 __arena pages[4] SEC(".addr_space.1") = {}; /* addresses; 0: none */

/* One page in, which others look at until they have it out. */
SEC("hook/stress_calls") int BPF_PROG(share_page, int n)
{
	__u64 __arena *page = bpf_arena_alloc_pages(&arena, (void *)0, 1, -1, 0),
		      *at = &pages[n & 3];
	__u64 seen;

	if (page) {
		*(volatile __u64 __arena *)page = STRESS_MAGIC;
		page = (__u64 __arena *)__sync_lock_test_and_set(at, (__u64)page);
	}
	if (page) {
		if (*(volatile __u64 __arena *)page != STRESS_MAGIC)
			stress_bad(P_ARENA);
		bpf_arena_free_pages(&arena, page, 1);
	}
	page = (__u64 __arena *)*(volatile __u64 __arena *)at;
	seen = *(volatile __u64 __arena *)page; /* maybe of nobody by now */
	if (seen && seen != STRESS_MAGIC)
		stress_bad(P_ARENA);
	stress_did(P_ARENA);
	return 0;
}

/* ------------------------------------------------------------------ links, signals */

/* Cookies of the host's links have two halves that belong together. */
SEC("hook/stress_link") int BPF_PROG(linked, int n)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	stress_did(P_LINKED);
	if (!cookie)
		return 0;
	if ((cookie >> 32) != (~cookie & 0xffffffff))
		stress_bad(P_COOKIE);
	stress_did(P_COOKIE);
	return !(n & 7);
}

SEC("hook/stress_link") int BPF_PROG(linked_too, int n)
{
	__u32 key = lot(4);
	struct called *v = bpf_map_lookup_elem(&fixed_ticks, &key);

	stress_did(P_LINKED);
	if (v)
		MOVE(&v->one, &v->two, P_MOVE);
	return 0;
}

SEC("hook/stress_signal") int BPF_PROG(handles, int n)
{
	__u32 key = n & 3;
	struct called *v = bpf_map_lookup_elem(&fixed_ticks, &key);
	struct item *p;

	stress_did(P_SIGNAL);
	if (!v)
		return 0;
	p = v->one;
	if (p)
		see(p, P_SIGNAL_SEE);
	return 1;
}
