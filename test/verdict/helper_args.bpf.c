/* SPDX-License-Identifier: MIT
 *
 * Helpers and addresses: what programs may not show (Pintle's policy, rule book B10, B26).
 */
#include "setup.h"

static const char hex[] = "%lx", three[] = "%d %d %d";

REJECT(ARG_LEAK, "leaks addr into helper function")
	KERNEL(accept, "privileged programs may show addresses")
P(address_as_number)
{
	return bpf_trace_printk(hex, sizeof(hex), t);
}

ACCEPT
P(number)
{
	bpf_trace_printk(three, sizeof(three), t->pid, n, n);
	return 0;
}

/* Spilled addresses are no bytes to hand over. */
REJECT(LEAK, "leaks addr into function argument")
	KERNEL(accept, "privileged programs may show addresses")
P_ASM(spilled_address)
{
	ASM("*(u64 *)(r10 - 8) = r1		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 8				\n"
	    "call %[bpf_trace_printk]		\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_trace_printk) : "memory");
}

REJECT(MISALIGNED_ARG, "misaligned access")
P(misaligned_number)
{
	char buf[8] = "17";
	char out[16];

	return bpf_strtol(buf, sizeof(buf), 0, (long *)(out + 1));
}

#ifndef FOR_KERNEL /* refused when it is created */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
} keyless SEC(".maps");

REJECT(MEM_SIZE_ZERO, "invalid zero-sized read")
P(map_without_keys)
{
	long key = 0;

	return bpf_map_lookup_elem(&keyless, &key) != NULL;
}
#endif
