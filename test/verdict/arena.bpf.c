/* SPDX-License-Identifier: MIT
 *
 * Arenas by the default policy: addresses in one are numbers, and no other address becomes
 * one.
 */
#include "setup.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8);
} arena SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages, int node,
					   __u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void __arena *addr, __u32 pages) __ksym;

long __arena counter SEC(".addr_space.1") = 4;

ACCEPT RETVAL(7)
P(variable_in_an_arena)
{
	counter += 3;
	return (int)counter;
}

ACCEPT RETVAL(5)
P(address_kept_in_a_map)
{
	long __arena *at = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	WITH_VALUE(v);

	if (!at)
		return -1;
	*at = 5;
	v->x = (long)at;
	at = (long __arena *)v->x;
	return (int)*at;
}

/* Read and written where nothing is. */
ACCEPT RETVAL(0)
P(address_of_nothing)
{
	volatile long __arena *at = (long __arena *)(long)n;

	asm volatile("" ::"r"(&arena));
	*at = 3;
	return (int)*at;
}

/* Addresses in arenas are any numbers that the program likes. */
REJECT(PTR_COMPARE, "pointer comparison prohibited")
P(object_compared_with_one_of_an_arena)
{
	long __arena *guess = &counter + n;

	ASM("if %0 > %1 goto +1\n\t%2 = 0" : : "r"(guess), "r"(t), "r"(n));
	return n;
}

REJECT(ARG_LEAK, "R2 leaks addr into helper function")
P(pages_at_the_address_of_an_object)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	bpf_arena_free_pages(&arena, (void __arena *)(long)p, 1);
	return 0;
}

REJECT(LEAK, "leaks addr into arena")
P(object_stored_in_an_arena)
{
	counter = (long)t;
	return 0;
}

REJECT(LEAK, "leaks addr into arena")
P(object_added_to_an_address)
{
	long __arena *at = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	return *(int __arena *)((char __arena *)at + (long)t);
}

REJECT(LEAK, "leaks addr into arena")
P(object_cast_to_an_address)
{
	asm volatile("" ::"r"(&arena));
	return *(int __arena *)(long)t;
}

REJECT(ARG_KIND, "R1 type=map_ptr expected=arena map")
P(pages_of_another_map)
{
	return !bpf_arena_alloc_pages(&A, NULL, 1, -1, 0);
}

REJECT(ARENA_NONE, "can only be used in a program that has an associated arena")
P(no_arena_named)
{
	return *(int __arena *)(long)n;
}

struct {
	__uint(type, 33);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} other_arena SEC(".maps");

REJECT(ARENA_TWO, "Only one arena per program")
P(two_arenas)
{
	long __arena *one = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	long __arena *two = bpf_arena_alloc_pages(&other_arena, NULL, 1, -1, 0);

	return one && two ? (int)(*one + *two) : 0;
}

/* Of another program. */
ACCEPT RETVAL(0)
P(the_other_arena)
{
	long __arena *two = bpf_arena_alloc_pages(&other_arena, NULL, 1, -1, 0);

	return two ? (int)*two : 0;
}

#endif
