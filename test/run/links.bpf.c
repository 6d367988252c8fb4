/* SPDX-License-Identifier: MIT
 *
 * links.bpf.c: programs that note in which order they run, and with which cookie.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern void links_note(unsigned long long who, unsigned long long cookie) __ksym;
extern int links_nest(int n) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps");

#define NOTE(name, result)                                                               \
	SEC("hook/links_a") int BPF_PROG(name, int n)                                    \
	{                                                                                \
		links_note(#name[0], bpf_get_attach_cookie(ctx));                        \
		return result;                                                           \
	}

NOTE(x, n)
NOTE(y, n - 2)
NOTE(z, -n)

SEC("hook/links_a") int BPF_PROG(plain, int n)
{
	return n + 100;
}

/* The program it jumps to has the cookie of this one's attachment. */
SEC("hook/links_a") int jumps_on(void *ctx)
{
	bpf_tail_call(ctx, &jumps, 0);
	return -1;
}

SEC("hook/links_a") int BPF_PROG(nests, int n)
{
	links_note('(', bpf_get_attach_cookie(ctx));
	n = links_nest(n);
	links_note(')', bpf_get_attach_cookie(ctx));
	return n;
}

SEC("hook/links_narrow") int BPF_PROG(narrow, int n)
{
	links_note('n', bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("hook/links_handler") int BPF_PROG(signal_safe, int n)
{
	return n;
}
