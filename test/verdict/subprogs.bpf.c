/* SPDX-License-Identifier: MIT
 *
 * Static subprograms: verified where they are called, with what is known there.
 */
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[16]);
} bytes SEC(".maps");

static __noinline int byte_at(const char *v, unsigned int i)
{
	return *(volatile char *)(v + i);
}

ACCEPT RETVAL(0)
XDP(bounded_by_caller)
{
	__u32 zero = 0;
	char *v = bpf_map_lookup_elem(&bytes, &zero);

	return v ? byte_at(v, bpf_get_prandom_u32() & 15) : 0;
}

REJECT(REGION_MAX, "invalid access to map value")
XDP(not_bounded_by_caller)
{
	__u32 zero = 0;
	char *v = bpf_map_lookup_elem(&bytes, &zero);

	return v ? byte_at(v, bpf_get_prandom_u32() & 31) : 0;
}

/* Registers of the caller survive, r1-r5 do not. */
static __noinline int twice(int n)
{
	hide(n);
	return n * 2;
}

ACCEPT RETVAL(12)
XDP(in_a_row)
{
	return twice(twice(3));
}

REJECT(NOT_READABLE, "!read_ok")
XDP_ASM(argument_after_call)
{
	ASM("r1 = 3				\n"
	    "call %[twice]			\n"
	    "r0 = r1				\n"
	    "exit" :: SYM(twice) : "memory");
}

static __noinline int recurse(int n)
{
	int below = n > 3 ? recurse(n + 1) : 0;

	hide(below);
	return below + 1;
}

/* Not even where it would end. */
REJECT(RECURSION, "recurs")
XDP(recursion)
{
	int two = 2;

	hide(two);
	return recurse(two);
}

#define LEVEL(name, below)                                                               \
	static __noinline int name(int n)                                                \
	{                                                                                \
		hide(n);                                                                 \
		return below(n) + 1;                                                     \
	}
LEVEL(level1, twice)
LEVEL(level2, level1)
LEVEL(level3, level2)
LEVEL(level4, level3)
LEVEL(level5, level4)
LEVEL(level6, level5)
LEVEL(level7, level6)

ACCEPT RETVAL(12)
XDP(eight_frames)
{
	return level6(3);
}

REJECT(CALL_DEPTH, "call stack of 9 frames is too deep")
XDP(nine_frames)
{
	return level7(3);
}

static __noinline void *look_up(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bytes, &zero);
}

ACCEPT RETVAL(0)
XDP(result_tested)
{
	char *v = look_up();

	return v ? *v : 0;
}
