/* SPDX-License-Identifier: MIT
 *
 * For verify_kernel.sh: programs each of which lacks something else.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char license_text[] SEC("license") = "GPL";

extern int bpf_missing_function(void) __ksym;
extern int bpf_weak_function(void) __ksym __weak;
extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_NOBODY_KNOWS __kconfig __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(frobnication, 1);
	__type(key, int);
	__type(value, int);
} strange SEC(".maps");

SEC("xdp")
int good(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?fentry/no_such_function_anywhere")
int no_target(void *ctx)
{
	return 0;
}

SEC("?tp_btf/no_such_tracepoint")
int no_tracepoint(void *ctx)
{
	return 0;
}

SEC("?lsm/no_such_hook")
int no_hook(void *ctx)
{
	return 0;
}

SEC("?iter/no_such_iterator")
int no_iterator(void *ctx)
{
	return 0;
}

SEC("?struct_ops/nothing")
int no_ops(void *ctx)
{
	return 0;
}

SEC("xdp")
int no_function(struct xdp_md *ctx)
{
	return bpf_missing_function();
}

SEC("sundial")
int no_section(void *ctx)
{
	return 0;
}

SEC("xdp")
int no_map(struct xdp_md *ctx)
{
	int key = 0;

	return bpf_map_lookup_elem(&strange, &key) != 0;
}

SEC("xdp")
int weak_function(struct xdp_md *ctx)
{
	return bpf_weak_function ? bpf_weak_function() : XDP_PASS;
}

/* A constant that is known: the other branch is never walked. */
SEC("xdp")
int version(struct xdp_md *ctx)
{
	return LINUX_KERNEL_VERSION < 0x050000 ? *(volatile int *)0 : XDP_PASS;
}

/* One that could be anything: both are. */
SEC("xdp")
int anything(struct xdp_md *ctx)
{
	return CONFIG_NOBODY_KNOWS ? *(volatile int *)0 : XDP_PASS;
}

/* The same access, with and without a flag that asks for alignment. */
#define SECOND_WORD(ctx)                                                                 \
	void *data = (void *)(long)(ctx)->data;                                          \
	if (data + 8 > (void *)(long)(ctx)->data_end)                                    \
		return XDP_DROP;                                                         \
	return *(volatile int *)(data + 4) ? XDP_PASS : XDP_DROP

SEC("xdp")
int unaligned(struct xdp_md *ctx)
{
	SECOND_WORD(ctx);
}

__attribute__((btf_decl_tag("comment:test_prog_flags=BPF_F_STRICT_ALIGNMENT")))
SEC("xdp")
int aligned(struct xdp_md *ctx)
{
	SECOND_WORD(ctx);
}

SEC("freplace/good")
int replaces(struct xdp_md *ctx)
{
	return XDP_PASS;
}
