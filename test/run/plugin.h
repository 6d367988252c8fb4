/* SPDX-License-Identifier: MIT
 *
 * plugin.h: what the programs of plugin.c have in common. `struct plug` is the plugin's.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

char _license[] SEC("license") = "MIT";

struct plug {
	int number, refs;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} kept SEC(".maps");
