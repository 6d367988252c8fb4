/* SPDX-License-Identifier: MIT
 *
 * Programs that may run inside signal handlers (rule book J04, J27).
 */
#include "local.h"

#ifndef FOR_KERNEL
struct versioned {
	struct T __kptr *ref;
	struct T __kptr_untrusted *un;
	struct pintle_seq seq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct versioned);
} versions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct guarded {
	struct bpf_spin_lock lock;
	long x;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct guarded);
} guarded SEC(".maps");

static long count;

ACCEPT
SIG(counts)
{
	WITH_VALUE(v);
	__sync_fetch_and_add(&count, 1);
	__sync_fetch_and_add(&v->x, 1);
	return t->pid & 0;
}

/* What a field holds is looked at, and handed to functions that are safe there. */
ACCEPT
SIG(looks)
{
	struct T *p;

	WITH_VALUE(v);
	p = v->ref;
	if (p)
		return t_read(p) & 0;
	return v->un && v->un->pid ? 0 : 0;
}

static long of_loop(__u32 i, void *ctx)
{
	__sync_fetch_and_add(&count, i);
	return 0;
}

ACCEPT
SIG(loops)
{
	bpf_loop(3, of_loop, NULL, 0);
	__sync_fetch_and_add(&count, bpf_ktime_get_ns());
	return 0;
}

/* Nothing is owned by what it holds. */
ACCEPT
SIG(remembers)
{
	WITH_VALUE(v);
	v->un = t;
	pintle_xchg(&v->un, NULL);
	return 0;
}

REJECT(SIGNAL, "bpf_map_update_elem is not allowed in programs that run inside signal handlers")
SIG(inserts)
{
	__u32 key = 0;
	struct guarded value = {};

	bpf_map_update_elem(&guarded, &key, &value, 0);
	return 0;
}

REJECT(SIGNAL, "bpf_map_delete_elem is not allowed")
SIG(deletes)
{
	__u32 key = 0;

	bpf_map_delete_elem(&guarded, &key);
	return 0;
}

REJECT(SIGNAL, "bpf_spin_lock is not allowed")
SIG(locks)
{
	struct guarded *g = element(guarded);

	if (!g)
		return 0;
	bpf_spin_lock(&g->lock);
	g->x++;
	bpf_spin_unlock(&g->lock);
	return 0;
}

REJECT(SIGNAL, "bpf_ringbuf_output is not allowed")
SIG(sends)
{
	bpf_ringbuf_output(&ring, &n, sizeof(n), 0);
	return 0;
}

REJECT(SIGNAL, "bpf_trace_printk is not allowed")
SIG(prints)
{
	bpf_printk("x");
	return 0;
}

REJECT(SIGNAL, "bpf_tail_call is not allowed")
SIG(goes_elsewhere)
{
	bpf_tail_call(ctx, &table, 0);
	return 0;
}

REJECT(SIGNAL, "bpf_kptr_xchg is not allowed")
SIG(takes)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_kptr_xchg(&v->ref, NULL);
	if (p)
		t_put(p);
	return 0;
}

REJECT(SIGNAL, "the exchange of a field is not allowed")
SIG(takes_by_instruction)
{
	struct T *p;

	WITH_VALUE(v);
	p = pintle_xchg(&v->ref, NULL);
	if (p)
		t_put(p);
	return 0;
}

/* The version may be held by what was interrupted. */
REJECT(SIGNAL, "the exchange of a field is not allowed")
SIG(waits_for_a_version)
{
	struct versioned *v = element(versions);

	if (v)
		pintle_xchg(&v->un, NULL);
	return 0;
}

REJECT(SIGNAL, "t_find is not allowed")
SIG(acquires)
{
	struct T *p = t_find(n);

	if (p)
		t_put(p);
	return 0;
}

REJECT(SIGNAL, "bpf_obj_new_impl is not allowed")
SIG(allocates)
{
	struct L *l = bpf_obj_new(struct L);

	if (l)
		bpf_obj_drop(l);
	return 0;
}

static __attribute__((noinline)) int deeper(int n)
{
	return bpf_get_current_pid_tgid() + sum_of(n);
}

REJECT(SIGNAL, "sum_of is not allowed")
SIG(calls_in_a_subprogram)
{
	return deeper(n) & 0;
}
#endif
