/* SPDX-License-Identifier: MIT
 *
 * Helpers and addresses: what programs may not show (Pintle's policy, rule book B10, B26).
 */
#include "setup.h"

REJECT(ARG_LEAK, "leaks addr into helper function")
P(address_as_number)
{
	static const char fmt[] = "%lx";

	return bpf_trace_printk(fmt, sizeof(fmt), t);
}

ACCEPT
P(number)
{
	static const char fmt[] = "%d %d %d";

	bpf_trace_printk(fmt, sizeof(fmt), t->pid, n, n);
	return 0;
}

/* Spilled addresses are no bytes to hand over. */
REJECT(LEAK, "leaks addr into function argument")
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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
} keyless SEC(".maps");

REJECT(HELPER_NO_MAP, "invalid map_ptr to access map->key")
P(map_without_keys)
{
	long key = 0;

	return bpf_map_lookup_elem(&keyless, &key) != NULL;
}
