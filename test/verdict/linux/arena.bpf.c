/* SPDX-License-Identifier: MIT
 *
 * Pointers into arenas.
 */
#include "linux.h"

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
} arena SEC(".maps");

extern void *bpf_arena_alloc_pages(void *map, void *addr, __u32 pages, int node,
				   __u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void *addr, __u32 pages) __ksym;

#define MAP [arena] "i"(&arena)
/* r6 = addr_space_cast(r6, TO, FROM), as bytes: assemblers may lack it. */
#define CAST(to, from) ".byte 0xbf, 0x66, 1, 0, " #from ", 0, " #to ", 0;"
#define IN_ARENA "r1 = %[arena] ll; r6 = 4096;" CAST(0, 1)

ACCEPT
PROG_ASM("syscall", reads_anywhere)
{
	asm volatile(IN_ARENA
		     "r0 = 1;"
		     "r7 = *(u64 *)(r6 + 32000);"
		     "r6 += r7;"
		     "r6 *= 3;"
		     "*(u8 *)(r6 + 0) = r7;"
		     "r7 += r6;"
		     "lock *(u64 *)(r7 + 0) += r0;"
		     "r0 = 0; exit;" :: MAP);
}

REJECT(MEM_ACCESS, "R6 invalid mem access 'scalar'")
PROG_ASM("syscall", as_others_see_it)
{
	asm volatile(IN_ARENA CAST(1, 0) "r7 = *(u64 *)(r6 + 0); r0 = 0; exit;" :: MAP);
}

REJECT(ARENA_SPACES, "addr_space_cast insn can only convert between address space 1 and 0")
PROG_ASM("syscall", another_space)
{
	asm volatile("r1 = %[arena] ll; r6 = 0;" CAST(0, 2) "r0 = 0; exit;" :: MAP);
}

REJECT(ARENA_NONE, "can only be used in a program that has an associated arena")
PROG_ASM("syscall", no_arena)
{
	asm volatile("r6 = 0;" CAST(0, 1) "r0 = 0; exit;" ::: "memory");
}

REJECT(ARENA_LDSX, "sign extending loads from arena are not supported yet")
PROG_ASM("syscall", signed_load)
{
	asm volatile(IN_ARENA "r7 = *(s8 *)(r6 + 0); r0 = 0; exit;" :: MAP);
}

REJECT(ARG_KIND, "R1 type=arena")
PROG_ASM("syscall", no_memory_of_helpers)
{
	asm volatile(IN_ARENA "r1 = r6; r2 = 8; r3 = 0; call %[read]; r0 = 0; exit;"
		     :: MAP, [read] "i"(bpf_probe_read_kernel));
}

ACCEPT
SEC("syscall") int pages(void *ctx)
{
	void *page = bpf_arena_alloc_pages(&arena, (void *)0, 1, -1, 0);

	if (!page)
		return 1;
	bpf_arena_free_pages(&arena, page, 1);
	return 0;
}

__attribute__((noinline)) int word(int *at __attribute__((btf_decl_tag("arg:arena"))))
{
	return at != 0;
}

ACCEPT
SEC("syscall") int passed(void *ctx)
{
	return word(bpf_arena_alloc_pages(&arena, (void *)0, 1, -1, 0));
}

REJECT(ARENA_ARG, "R1 is not a pointer to arena or scalar")
SEC("syscall") int stack_passed(void *ctx)
{
	int here = 0;

	asm volatile("" :: "r"(&arena));
	return word(&here);
}
