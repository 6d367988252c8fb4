/* SPDX-License-Identifier: MIT
 *
 * What programs print: texts are read where the verifier knows that they may be, addresses
 * are hidden, numbers are no addresses (J12).
 */
#include "setup.h"

#define WHY "what a privileged program may read and show is its own business"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[8]);
} names SEC(".maps");

static const char letters[] = "%s";

static char same(const char *a, const char *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

ACCEPT RETVAL(1)
P(text_of_rodata)
{
	char out[16] = "";

	BPF_SNPRINTF(out, sizeof(out), "<%s> %d", "abc", n);
	return same(out, "<abc> 1", 8);
}

ACCEPT RETVAL(1)
P(text_on_the_stack)
{
	char out[16] = "", in[8] = "text";

	BPF_SNPRINTF(out, sizeof(out), "%s|%5s|", in, in + 2);
	return same(out, "text|   xt|", 12);
}

/* Without an end: the memory's end is the text's. */
ACCEPT RETVAL(1)
P(text_that_fills_its_value)
{
	char *name = element(names), out[16] = "";
	__u32 zero = 0;

	name = bpf_map_lookup_elem(&names, &zero);
	if (!name)
		return 0;
	__builtin_memcpy(name, "12345678", 8);
	BPF_SNPRINTF(out, sizeof(out), "%s.", name);
	return same(out, "12345678.", 10);
}

ACCEPT RETVAL(1)
P(text_that_may_be_missing)
{
	char *name = element(names), out[16] = "";

	BPF_SNPRINTF(out, sizeof(out), "[%s]", name);
	return same(out, "[]", 3);
}

ACCEPT RETVAL(1)
P(text_or_null)
{
	const char *text = n == 1 ? NULL : "x";
	char out[16] = "";

	BPF_SNPRINTF(out, sizeof(out), "[%s]", text);
	return same(out, "[]", 3);
}

#ifndef FOR_KERNEL /* has no such member */
ACCEPT
P(text_of_an_object)
{
	char out[16];

	return BPF_SNPRINTF(out, sizeof(out), "%s", t->name);
}

ACCEPT
P(text_printed)
{
	bpf_printk("%s of %p", t->name, t);
	return 0;
}
#endif

/* 16 hexadecimal digits, the same for the same address; another for the number that it is. */
ACCEPT RETVAL(1)
P(hidden_address)
{
	char out[40] = "";

	BPF_SNPRINTF(out, sizeof(out), "%pK %px", t, t);
	return same(out, "00000000", 8) && same(out, out + 17, 16);
}

ACCEPT RETVAL(1)
P(ip_address)
{
	unsigned char v4[4] = {10, 0, 0, 1};
	char out[16] = "";

	BPF_SNPRINTF(out, sizeof(out), "%pI4", v4);
	return same(out, "10.0.0.1", 9);
}

REJECT(FORMAT_ARG, "there are too few bytes for an IP address") KERNEL(accept, WHY)
P(ip_address_too_short)
{
	char *name = element(names), out[32] = "";

	if (!name)
		return 0;
	return BPF_SNPRINTF(out, sizeof(out), "%pI6", name);
}

REJECT(FORMAT_ARG, "a number is no address to read from") KERNEL(accept, WHY)
P(text_at_a_number)
{
	char out[32] = "";

	return BPF_SNPRINTF(out, sizeof(out), "%s", (const char *)(long)t->pid);
}

REJECT(FORMAT_ARG, "a number is no address to read from") KERNEL(accept, WHY)
P(text_at_a_number_printed)
{
	bpf_printk("%s", (const char *)(long)t->pid);
	return 0;
}

REJECT(FORMAT_ARG, "a number is no address to read from") KERNEL(accept, WHY)
P(text_at_a_number_of_a_value)
{
	static const char text[] = "%s";
	struct plain *p = element(plain);
	char out[32] = "";

	if (!p)
		return 0;
	return bpf_snprintf(out, sizeof(out), text, (void *)p, 8);
}

/* That it is 0 on one path says nothing of another. */
REJECT(FORMAT_ARG, "a number is no address to read from") KERNEL(accept, WHY)
P(text_at_a_number_on_one_path)
{
	static const char text[] = "%s";
	char out[32] = "";
	__u64 data = 0;

	if (t->pid == 7)
		data = t->pid + 1;
	return bpf_snprintf(out, sizeof(out), text, &data, sizeof(data));
}

/* Where a struct has a pointer is no text, nor what is behind it. */
REJECT(PROBE_POINTER, "lead to one") KERNEL(accept, WHY)
P(text_of_a_pointer)
{
	char out[32] = "";

	return BPF_SNPRINTF(out, sizeof(out), "%s", &t->leader);
}

REJECT(LEAK, "leaks addr into function argument") KERNEL(accept, WHY)
P(address_as_a_number)
{
	char out[32] = "";

	return BPF_SNPRINTF(out, sizeof(out), "%lx", t);
}

REJECT(LEAK, "leaks addr into function argument") KERNEL(accept, WHY)
P(address_by_an_unknown_format)
{
	char text[] = "%s";
	long data[1] = {(long)t};

	return bpf_trace_vprintk(text, sizeof(text), data, sizeof(data));
}

/* Nothing is read of it. */
ACCEPT
P(number_by_an_unknown_format)
{
	char text[] = "%s";
	long data[1] = {n};

	return bpf_trace_vprintk(text, sizeof(text), data, sizeof(data));
}

/* A text ends where the program's addresses begin. */
ACCEPT RETVAL(1)
P_ASM(text_before_an_address)
{
	ASM("r1 = *(u64 *)(r1 + 0)		\n"
	    "*(u64 *)(r10 - 8) = r1		\n"
	    "r2 = 0x4141414141414141 ll		\n"
	    "*(u64 *)(r10 - 16) = r2		\n"
	    "r3 = r10				\n"
	    "r3 += -16				\n"
	    "*(u64 *)(r10 - 24) = r3		\n"
	    "r1 = r10				\n"
	    "r1 += -64				\n"
	    "r2 = 32				\n"
	    "r3 = %[letters] ll			\n"
	    "r4 = r10				\n"
	    "r4 += -24				\n"
	    "r5 = 8				\n"
	    "call %[bpf_snprintf]		\n"
	    "r1 = r0				\n"
	    "r0 = 1				\n"
	    "if r1 == 9 goto +1			\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_snprintf), SYM(letters) : "memory");
}

REJECT(UNSUPPORTED, "a format that is known and one that is not") KERNEL(accept, WHY)
P(two_kinds_of_format)
{
	static const char known[] = "%p";
	char text[] = "%p";
	long data[1] = {n};
	const char *fmt = known;

	if (n == 3)
		fmt = text;
	else
		data[0] = (long)t;
	return bpf_trace_vprintk(fmt, 3, data, sizeof(data));
}

REJECT(FORMAT_ARG, "a user pointer or a number is needed") KERNEL(accept, WHY)
P(user_text_of_an_object)
{
	char out[32] = "";

	return BPF_SNPRINTF(out, sizeof(out), "%pus", t);
}

ACCEPT
P(user_text)
{
	char out[32] = "";

	return BPF_SNPRINTF(out, sizeof(out), "%pus %pus", t->up, 4096);
}
