/* SPDX-License-Identifier: MIT
 *
 * Arguments of helpers.
 */
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, __u64[2]);
} map SEC(".maps");

ACCEPT RETVAL(0)
XDP(whole_key)
{
	__u64 key = 1;

	return bpf_map_lookup_elem(&map, &key) != NULL;
}

REJECT(STACK_BOUNDS, "invalid indirect access to stack R2 off=-4 size=8")
XDP_ASM(short_key)
{
	ASM("*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[map] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_map_lookup_elem), ADDR(map) : "memory");
}

REJECT(ARG_KIND, "R1 type=fp expected=map_ptr")
XDP_ASM(stack_as_map)
{
	ASM("r1 = r10				\n"
	    "r2 = r10				\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_map_lookup_elem) : "memory");
}

REJECT(ARG_KIND, "R2 type=scalar expected=fp")
XDP_ASM(number_as_key)
{
	ASM("r2 = 0				\n"
	    "r1 = %[map] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_map_lookup_elem), ADDR(map) : "memory");
}

REJECT(HELPER_MAP, "cannot pass map_type 1 into func bpf_map_lookup_percpu_elem#195")
XDP(wrong_map)
{
	__u64 key = 0;

	return bpf_map_lookup_percpu_elem(&map, &key, 0) != NULL;
}

REJECT(HELPER_UNKNOWN, "invalid func")
XDP_ASM(no_such_helper)
{
	ASM("call 9999				\n"
	    "exit" ::: "memory");
}

ACCEPT RETVAL(0)
XDP(bounded_size)
{
	char buf[16] = {0};
	__u64 size = bpf_get_prandom_u32() & 15;

	return bpf_probe_read_kernel(buf, size, NULL) == 1;
}

REJECT(MEM_SIZE_MAX, "unbounded memory access, use 'var &= const' or 'if (var < const)'")
XDP(unbounded_size)
{
	char buf[16] = {0};

	return bpf_probe_read_kernel(buf, bpf_get_prandom_u32(), NULL) == 1;
}

REJECT(MEM_SIZE_NEG, "R2 min value is negative, either use unsigned or 'var &= const'")
XDP_ASM(negative_size)
{
	ASM("call %[bpf_get_prandom_u32]	\n"
	    "r2 = r0				\n"
	    "r2 &= 15				\n"
	    "r2 += -8				\n"
	    "r1 = r10				\n"
	    "r1 += -16				\n"
	    "r3 = 0				\n"
	    "call %[bpf_probe_read_kernel]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_get_prandom_u32), SYM(bpf_probe_read_kernel) : "memory");
}

REJECT(STACK_BOUNDS, "invalid indirect access to stack R1 off=-16 size=31")
XDP(size_over_buffer)
{
	char buf[16];
	__u64 size = bpf_get_prandom_u32() & 31;

	return bpf_probe_read_kernel(buf, size, NULL) == 1;
}

REJECT(MEM_SIZE_ZERO, "invalid zero-sized read")
XDP(perhaps_nothing)
{
	char buf[16] = "word";
	__u64 size = bpf_get_prandom_u32() & 15;

	return bpf_trace_printk(buf, size) == 1;
}

static const char word[] = "word";

ACCEPT
XDP(constant_string)
{
	char buf[5] = "word";

	return bpf_strncmp(buf, sizeof(buf), word) & 1;
}

char changeable[8];

REJECT(CONST_STR, "does not point to a readonly map")
XDP(changeable_string)
{
	char buf[5] = "word";

	return bpf_strncmp(buf, sizeof(buf), changeable) & 1;
}

ACCEPT
XDP(aligned_number)
{
	char buf[8] = "17";
	long out = 0;

	return bpf_strtol(buf, sizeof(buf), 0, &out) & 1;
}

/* ---- reading the host's memory ---- */

REJECT(PROBE_NUMBER, "a number is no address to read from")
KERNEL(accept, "kernels let privileged programs read any address")
P(probe_number)
{
	long out = 0;

	return bpf_probe_read_kernel(&out, sizeof(out), (void *)(long)n);
}

REJECT(PROBE_NUMBER, "a number is no address to read from")
KERNEL(accept, "kernels let privileged programs read any address")
P(probe_number_as_text)
{
	char out[8] = "";

	return bpf_probe_read_kernel_str(out, sizeof(out), (void *)0x1000);
}

ACCEPT RETVAL(0)
P(probe_object)
{
	struct M out;

	return bpf_probe_read_kernel(&out, sizeof(out), &t->mask);
}

REJECT(BTF_BEYOND, "access beyond struct")
KERNEL(accept, "kernels let privileged programs read any address")
P(probe_behind_object)
{
	char out[500];

	return bpf_probe_read_kernel(out, sizeof(out), t);
}

#ifndef FOR_KERNEL
REJECT(HELPER_PROG_TYPE, "there are no tasks of a kernel; instead: bpf_get_current_pid_tgid()")
P(said_why_not)
{
	return bpf_send_signal(9) & 0;
}
#endif
