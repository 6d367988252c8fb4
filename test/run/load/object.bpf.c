/* SPDX-License-Identifier: MIT
 *
 * An object with some of everything: programs that share a section, subprograms of each
 * kind, global data in every section, and host functions that may be missing.
 */
#include "load.h"

struct load_host;

extern int load_twice(int n) __ksym;
extern int load_maybe(int n) __ksym __weak;
extern int load_absent(int n) __ksym __weak;
extern const void load_absent_var __ksym __weak;

const volatile int limit = 7;
int counter = 40;
long custom SEC(".data.custom") = 1000;
struct load_answers answers;

static __attribute__((noinline)) long add_static(long a, long b)
{
	return a + b + counter;
}

__attribute__((noinline)) int add_global(int a, int b)
{
	return (int)add_static(a, b) + 1;
}

/* Not a program of this host's; but a program calls it. */
SEC("?library") __attribute__((noinline)) int in_section(int a)
{
	return a * 3;
}

static long each(__u32 i, long *sum)
{
	*sum += i;
	return 0;
}

SEC("hook/load_hook") int BPF_PROG(first, struct load_host *h, int n)
{
	long sum = 0;

	answers.from_rodata = limit;
	answers.from_data = ++counter;
	custom += n;
	answers.from_custom = custom;
	answers.from_static = add_static(n, 2);
	answers.from_global = add_global(n, 2);
	answers.from_section = in_section(n);
	bpf_loop(5, each, &sum, 0);
	answers.from_callback = sum;
	return 1;
}

SEC("hook/load_hook") int BPF_PROG(second, struct load_host *h, int n)
{
	answers.weak_there = load_maybe ? load_maybe(n) : -1;
	answers.weak_absent = load_absent ? load_absent(n) : -1;
	answers.weak_ptr_absent = &load_absent_var ? 1 : -1;
	return load_twice(n);
}

SEC("?hook/load_hook") int BPF_PROG(calls_absent, struct load_host *h, int n)
{
	return load_absent(n);
}
