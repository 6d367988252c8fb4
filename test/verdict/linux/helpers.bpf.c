/* SPDX-License-Identifier: MIT
 *
 * Helpers by program type, and what they are given.
 */
#include "linux.h"

struct timed {
	long x;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct timed);
} timers SEC(".maps"), more_timers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, int);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static const char text[] = "text";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct bpf_map {
	__u32 max_entries;
};
#pragma clang attribute pop

/* ---- who may call what ---- */

ACCEPT
SEC("cgroup/connect4")
int by_attach_type(struct bpf_sock_addr *ctx)
{
	return bpf_get_retval() & 1;
}

REJECT(HELPER_PROG_TYPE, "program of this type cannot use helper bpf_get_retval#186")
SEC("cgroup/recvmsg4")
int by_attach_type_not(struct bpf_sock_addr *ctx)
{
	bpf_get_retval();
	return 1;
}

/* The same helper, with and without a context. */
ACCEPT
SEC("cgroup/dev")
int classid_of_task(struct bpf_cgroup_dev_ctx *ctx)
{
	return bpf_get_cgroup_classid(0) & 1;
}

REJECT(ARG_KIND, "R1 type=scalar expected=ctx")
SEC("tc")
int classid_of_skb(struct __sk_buff *skb)
{
	return bpf_get_cgroup_classid(0) & 1;
}

/* ---- packets as memory ---- */

ACCEPT
SEC("xdp")
int sum_of_packet(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 8 > end)
		return 0;
	return bpf_csum_diff(NULL, 0, data, 8, 0) & 1;
}

REJECT(PACKET_HELPER, "helper access to the packet is not allowed")
SEC("xdp")
int comm_of_packet(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 8 > end)
		return 0;
	return bpf_strncmp(data, 8, "x") & 1;
}

REJECT(PACKET_HELPER, "helper access to the packet is not allowed")
SEC("tc")
int store_from_packet(struct __sk_buff *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 8 > end)
		return 0;
	return bpf_skb_store_bytes(ctx, 0, data, 8, 0) & 1;
}

/* ---- how much was read ---- */

ACCEPT
SEC("raw_tp/sys_enter")
int text_length(void *ctx)
{
	char buf[16] = {}, sum = 0;
	long n = bpf_probe_read_kernel_str(buf, sizeof(buf), ctx);

	if (n > 0)
		sum = buf[n - 1];
	return sum;
}

REJECT(STACK_VAR, "invalid variable-offset read from stack")
SEC("raw_tp/sys_enter")
int text_length_plus(void *ctx)
{
	char buf[16] = {}, sum = 0;
	long n = bpf_probe_read_kernel_str(buf, sizeof(buf), ctx);

	if (n > 0)
		sum = buf[n];
	return sum;
}

/* An element that exists may not be found: the kernel does not look at the key. */
REJECT(NULL_DEREF, "map_value_or_null")
SEC("tc")
int sure_lookup(struct __sk_buff *skb)
{
	struct timed *v = bpf_map_lookup_elem(&timers, &(__u32){1});

	return v->x & 1;
}

REJECT(ARG_FLAGS, "get_local_storage() doesn't support non-zero flags")
SEC("cgroup/dev")
int storage_flags(struct bpf_cgroup_dev_ctx *ctx)
{
	int *n = bpf_get_local_storage(&storage, 1);

	return *n & 1;
}

/* Local storage is always there. */
ACCEPT
SEC("cgroup/dev")
int storage_there(struct bpf_cgroup_dev_ctx *ctx)
{
	int *n = bpf_get_local_storage(&storage, 0);

	return *n & 1;
}

/* ---- maps by program type ---- */

REJECT(MAP_FIELD_USE, "tracing progs cannot use bpf_timer yet")
SEC("tracepoint/sched/sched_switch")
int timer_in_tracing(void *ctx)
{
	struct timed *v = bpf_map_lookup_elem(&timers, &(__u32){1});

	return v && v->x;
}

REJECT(MAP_SLEEPS, "Sleepable programs can only use array, hash, ringbuf and local storage maps")
SEC("syscall")
int stacks_while_asleep(void *ctx)
{
	return bpf_get_stackid(ctx, &stacks, 0) & 1;
}

ACCEPT
SEC("tc")
int map_itself(struct __sk_buff *skb)
{
	struct bpf_map *map = (struct bpf_map *)&timers;

	return map->max_entries & 1;
}

REJECT(MAP_HANDLE, "only read from bpf_array is supported")
SEC("tc")
int map_itself_written(struct __sk_buff *skb)
{
	struct bpf_map *map = (struct bpf_map *)&timers;

	*(volatile __u32 *)map = 1;
	return 0;
}

/* ---- objects of the kernel as memory ---- */

ACCEPT
SEC("tp_btf/sched_switch")
int task_bytes(void *ctx)
{
	return bpf_strncmp((void *)bpf_get_current_task_btf(), 8, text) & 1;
}

REJECT(BTF_WALK, "access beyond the end of member flags (mend:8) in struct thread_info")
SEC("tp_btf/sched_switch")
int task_members(void *ctx)
{
	return bpf_strncmp((void *)bpf_get_current_task_btf(), 500, text) & 1;
}

REJECT(ARG_MAY_WRITE, "bpf_probe_read_kernel() may write into memory pointed by R1 type=trusted_ptr_")
SEC("tp_btf/sched_switch")
int task_written(void *ctx)
{
	return bpf_probe_read_kernel(bpf_get_current_task_btf(), 8, ctx) & 1;
}

REJECT(ARG_MAY_WRITE, "bpf_map_lookup_elem() may write into memory pointed by R2 type=trusted_ptr_")
SEC("tp_btf/sched_switch")
int task_as_key(void *ctx)
{
	return bpf_map_lookup_elem(&plain, bpf_get_current_task_btf()) != NULL;
}

/* ---- formats ---- */

#define PRINT(fmt, ...)                                                                  \
	({                                                                               \
		static const char fmt_[] = fmt;                                          \
		__u64 args_[] = {__VA_ARGS__};                                           \
		char out_[8];                                                            \
		bpf_snprintf(out_, sizeof(out_), fmt_, args_, sizeof(args_));            \
	})

ACCEPT
SEC("tc")
int formats(struct __sk_buff *skb)
{
	PRINT("%d%% %-5lld", 1, 2);
	PRINT("%pI4: %ps %px, %pks", 1, 2, 3, 4);
	return PRINT("%s %c", 1, 2, 3) & 1;
}

REJECT(FORMAT, "Invalid format string")
SEC("tc")
int format_of_more(struct __sk_buff *skb)
{
	return PRINT("%d %d", 1) & 1;
}

REJECT(FORMAT, "Invalid format string")
SEC("tc")
int format_unknown(struct __sk_buff *skb)
{
	return PRINT("%o", 1) & 1;
}

REJECT(FORMAT, "Invalid format string")
SEC("tc")
int format_glued(struct __sk_buff *skb)
{
	return PRINT("%pksx", 1) & 1;
}

/* ---- records ---- */

ACCEPT
SEC("tc")
int record(struct __sk_buff *skb)
{
	void *r = bpf_ringbuf_reserve(&ring, 8, 0);

	if (r)
		bpf_ringbuf_submit(r, 0);
	return 0;
}

REJECT(ALLOC_CONST, "R2 is not a known constant")
SEC("tc")
int record_of_some_size(struct __sk_buff *skb)
{
	void *r = bpf_ringbuf_reserve(&ring, skb->len, 0);

	if (r)
		bpf_ringbuf_submit(r, 0);
	return 0;
}

/* ---- timers ---- */

static int rings(void *map, __u32 *key, struct timed *v)
{
	v->x++;
	return 0;
}

#define WITH_TIMER(v)                                                                    \
	struct timed *v = bpf_map_lookup_elem(&timers, &(__u32){1});                     \
	if (!v)                                                                          \
		return 0

ACCEPT
SEC("tc")
int timer(struct __sk_buff *skb)
{
	WITH_TIMER(v);
	bpf_timer_init(&v->timer, &timers, 0);
	bpf_timer_set_callback(&v->timer, rings);
	bpf_timer_start(&v->timer, 1, 0);
	return 0;
}

REJECT(TIMER_ARG, "off 0 doesn't point to 'struct bpf_timer' that is at 8")
SEC("tc")
int timer_beside(struct __sk_buff *skb)
{
	WITH_TIMER(v);
	bpf_timer_start((void *)v, 1, 0);
	return 0;
}

REJECT(TIMER_CONST_OFF, "R1 doesn't have constant offset. bpf_timer has to be at the constant offset")
SEC("tc")
int timer_somewhere(struct __sk_buff *skb)
{
	__u64 i = bpf_get_prandom_u32() & 8;

	WITH_TIMER(v);
	bpf_timer_start((void *)v + i, 1, 0);
	return 0;
}

REJECT(TIMER_MAP, "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0")
SEC("tc")
int timer_of_other_map(struct __sk_buff *skb)
{
	WITH_TIMER(v);
	bpf_timer_init(&v->timer, &more_timers, 0);
	return 0;
}
