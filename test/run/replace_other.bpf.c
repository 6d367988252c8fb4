/* SPDX-License-Identifier: MIT
 *
 * replace_other.bpf.c: an object that stays, and jumps into one that is replaced.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__array(values, int(void *));
} far SEC(".maps");

SEC("hook/rep_c") int jumps_far(void *ctx)
{
	bpf_tail_call(ctx, &far, 0);
	return -1;
}
