/* SPDX-License-Identifier: MIT
 *
 * Programs for arena.c: memory shared with the host.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#define __arena __attribute__((address_space(1)))
#define PAGE 4096
/* Which arena is meant, a program says by naming it. */
#define USE_ARENA asm volatile("" ::"r"(&arena))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
} arena SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages, int node,
					   __u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void __arena *addr, __u32 pages) __ksym;

struct node {
	struct node __arena *next;
	long value;
};

/* Variables in the arena: the host finds them by the layout it shares with the program. */
struct list {
	struct node __arena *head;
	long pushed;
};
struct list __arena list SEC(".addr_space.1") = {.pushed = 100};

/* A page that nobody has; its address, and NULL. */
long __arena *page_of_nobody(void)
{
	return (long __arena *)((char __arena *)&list + 40 * PAGE);
}

SEC("hook/arena_hook") int BPF_PROG(push, long value)
{
	struct node __arena *n = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	if (!n)
		return -1;
	n->value = value;
	n->next = list.head;
	list.head = n;
	return (int)++list.pushed;
}

SEC("hook/arena_hook") int BPF_PROG(sum, long times)
{
	struct node __arena *n = list.head;
	long total = 0;

	for (int i = 0; n && i < 64; i++) {
		total += n->value;
		n = n->next;
	}
	return (int)(total * times);
}

SEC("hook/arena_hook") int BPF_PROG(pop, long unused)
{
	struct node __arena *n = list.head;
	int value;

	if (!n)
		return -1;
	list.head = n->next;
	value = (int)n->value;
	bpf_arena_free_pages(&arena, n, 1);
	return value;
}

/* All sizes; each store is seen by the loads after it. */
SEC("hook/arena_hook") int BPF_PROG(sizes, long at)
{
	char __arena *p = (char __arena *)at;
	int wrong = 0;

	USE_ARENA;
	*(volatile __u64 __arena *)p = 0x1122334455667788;
	wrong |= *(volatile __u32 __arena *)p != 0x55667788;
	*(volatile __u8 __arena *)(p + 1) = 0xaa;
	*(volatile __u16 __arena *)(p + 2) = 0xbbcc;
	wrong |= *(volatile __u32 __arena *)p != 0xbbccaa88;
	*(volatile __u32 __arena *)(p + 4) = (__u32)at;
	wrong |= *(volatile __u32 __arena *)(p + 4) != (__u32)at;
	wrong |= *(volatile __u16 __arena *)(p + 2) != 0xbbcc;
	wrong |= *(volatile __u8 __arena *)p != 0x88;
	*(volatile __u64 __arena *)(p + 8) = (__u64)at;
	wrong |= *(volatile __u64 __arena *)(p + 8) != (__u64)at;
	return wrong;
}

/* What is not there: 0, and nothing written. */
SEC("hook/arena_hook") int BPF_PROG(nobody, long off)
{
	char __arena *p = (char __arena *)page_of_nobody() + off;
	__u64 got;

	*(volatile __u64 __arena *)p = 1;
	*(volatile __u8 __arena *)p = (__u8)off;
	*(volatile __u16 __arena *)p = (__u16)off;
	*(volatile __u32 __arena *)p = (__u32)off;
	got = *(volatile __u64 __arena *)p | *(volatile __u8 __arena *)p |
	      *(volatile __u16 __arena *)p | *(volatile __u32 __arena *)p;
	got |= __sync_fetch_and_add((__u64 __arena *)p, 5);
	got |= __sync_fetch_and_or((__u64 __arena *)p, 5);
	got |= __sync_fetch_and_and((__u32 __arena *)p, 5);
	got |= __sync_fetch_and_xor((__u64 __arena *)p, 5);
	got |= __sync_lock_test_and_set((__u32 __arena *)p, 5);
	got |= __sync_val_compare_and_swap((__u64 __arena *)p, 7, 5);
	(void)__sync_fetch_and_add((__u64 __arena *)p, 5);
	return (int)got;
}

#define CHECK_OP(type, op, before, with, after)                                          \
	do {                                                                             \
		type __arena *at_ = (type __arena *)p;                                   \
		type old_;                                                               \
		*(volatile type __arena *)at_ = (type)(before);                          \
		old_ = op(at_, (type)(with));                                            \
		wrong |= old_ != (type)(before) ||                                       \
			 *(volatile type __arena *)at_ != (type)(after);                 \
	} while (0)

#define CHECK_OPS(type)                                                                  \
	CHECK_OP(type, __sync_fetch_and_add, -1, 2, 1);                                  \
	CHECK_OP(type, __sync_fetch_and_or, 5, 10, 15);                                  \
	CHECK_OP(type, __sync_fetch_and_and, 7, -2, 6);                                  \
	CHECK_OP(type, __sync_fetch_and_xor, 7, 13, 10);                                 \
	CHECK_OP(type, __sync_lock_test_and_set, -7, 13, 13);                            \
	*(volatile type __arena *)p = (type)-3;                                          \
	wrong |= __sync_val_compare_and_swap((type __arena *)p, (type)-3, (type)9) !=    \
		 (type)-3;                                                               \
	wrong |= __sync_val_compare_and_swap((type __arena *)p, (type)-3, (type)8) != 9; \
	wrong |= *(volatile type __arena *)p != 9

SEC("hook/arena_hook") int BPF_PROG(atomics, long at)
{
	char __arena *p = (char __arena *)at;
	int wrong = 0;

	USE_ARENA;
	CHECK_OPS(__u32);
	CHECK_OPS(__u64);
	__sync_fetch_and_add((__u64 __arena *)p, 1);
	__sync_fetch_and_or((__u64 __arena *)p, 0x100);
	__sync_fetch_and_and((__u64 __arena *)p, 0x10f);
	__sync_fetch_and_xor((__u64 __arena *)p, 1);
	return wrong || *(volatile __u64 __arena *)p != 0x10b;
}

/* Forms whose result nobody wants. */
SEC("hook/arena_hook") int BPF_PROG(count, long at)
{
	__u64 __arena *p = (__u64 __arena *)at;

	USE_ARENA;
	__sync_fetch_and_add(p, 1);
	__sync_fetch_and_or(p + 1, 6);
	__sync_fetch_and_and(p + 2, 6);
	__sync_fetch_and_xor(p + 3, 6);
	return 0;
}

/* Only the lower half of an address counts; an offset may cross its end. */
SEC("hook/arena_hook") int BPF_PROG(half, long at)
{
	int __arena *p = (int __arena *)(at & 0xffffffff);

	USE_ARENA;
	*(volatile int __arena *)p = 17;
	p = (int __arena *)((at & 0xffffffff) | 0x7777ull << 32);
	return *(volatile int __arena *)p;
}

SEC("hook/arena_hook") int BPF_PROG(far, long unused)
{
	int __arena *low = (int __arena *)0, *high = (int __arena *)0xfffffffc;

	USE_ARENA;
	*(volatile int __arena *)(low - 8000) = 1;
	*(volatile int __arena *)(high + 8000) = 1;
	return *(volatile int __arena *)(low - 8000) | *(volatile int __arena *)(high + 8000) |
	       *(volatile int __arena *)low;
}

/* Pages that are asked for in vain, then some, which come and go: 0 or which went wrong. */
SEC("hook/arena_hook") int BPF_PROG(pages, long unused)
{
	char __arena *p, *q;

	if (bpf_arena_alloc_pages(&arena, NULL, 0, -1, 0) ||
	    bpf_arena_alloc_pages(&arena, NULL, 65, -1, 0) ||
	    bpf_arena_alloc_pages(&arena, NULL, 1, -1, 1) ||
	    bpf_arena_alloc_pages(&arena, (void __arena *)&list, 1, -1, 0) ||
	    bpf_arena_alloc_pages(&arena, (char __arena *)page_of_nobody() + 8, 1, -1, 0))
		return 1;
	p = bpf_arena_alloc_pages(&arena, NULL, 3, -1, 0);
	if (!p)
		return 2;
	*(volatile char __arena *)(p + 2 * PAGE) = 1;
	bpf_arena_free_pages(&arena, p + PAGE, 2);
	if (*(volatile char __arena *)(p + 2 * PAGE))
		return 3;
	q = bpf_arena_alloc_pages(&arena, p + PAGE, 2, -1, 0);
	if (q != p + PAGE || *(volatile char __arena *)(q + PAGE))
		return 4;
	bpf_arena_free_pages(&arena, p, 3);
	bpf_arena_free_pages(&arena, p, 3);
	bpf_arena_free_pages(&arena, (void __arena *)16, 1);
	return 0;
}

/* How often there were eight pages. */
SEC("hook/arena_hook") int BPF_PROG(greedy, long unused)
{
	int n = 0;

	n += bpf_arena_alloc_pages(&arena, NULL, 8, -1, 0) != NULL;
	n += bpf_arena_alloc_pages(&arena, NULL, 8, -1, 0) != NULL;
	n += bpf_arena_alloc_pages(&arena, NULL, 8, -1, 0) != NULL;
	return n;
}

SEC("hook/arena_hook") int BPF_PROG(greedy_for_long, long unused)
{
	for (int i = 0; i < 1000; i++) {
		void __arena *p = bpf_arena_alloc_pages(&arena, NULL, 8, -1, 0);

		if (p)
			list.pushed++;
		bpf_arena_free_pages(&arena, p, 8);
	}
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
