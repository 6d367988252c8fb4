/* SPDX-License-Identifier: MIT
 *
 * Tail calls between a check and its use. One that fails falls through: what was proved
 * still holds, but for what any program may have changed. One that succeeds in a subprogram
 * comes back to the caller with any number, after another program did what it liked.
 */
#include "setup.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} progs SEC(".maps");

struct bpf_iter_num {
	__u64 opaque;
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct plain);
} rows SEC(".maps");

/* Where the call fails 0, which the compiler does not know. */
static __noinline int elsewhere(struct xdp_md *ctx)
{
	int none = 0;

	hide(none);
	bpf_tail_call(ctx, &progs, 1);
	return none;
}

static __noinline int two_deep(struct xdp_md *ctx)
{
	int n = elsewhere(ctx);

	hide(n);
	return 0;
}

__noinline int global_elsewhere(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &progs, 1);
	return 0;
}

/* ---- the bounds of packets ---- */

#define PACKET(data)                                                                     \
	char *data = (char *)(long)ctx->data;                                            \
	if (data + 14 > (char *)(long)ctx->data_end)                                     \
		return 0
/* A load that the compiler neither moves nor forgets. */
#define TOUCH(at) ASM("r1 = *(u8 *)(%0 + 0)" : : "r"(at) : "r1", "memory")

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(bounds_in_a_subprogram)
{
	PACKET(data);
	elsewhere(ctx);
	TOUCH(data);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(bounds_two_deep)
{
	PACKET(data);
	two_deep(ctx);
	TOUCH(data);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(bounds_in_a_global_function)
{
	PACKET(data);
	global_elsewhere(ctx);
	TOUCH(data);
	return 0;
}

ACCEPT RETVAL(0)
XDP(bounds_compared_again)
{
	PACKET(data);
	elsewhere(ctx);
	data = (char *)(long)ctx->data;
	if (data + 14 > (char *)(long)ctx->data_end)
		return 0;
	TOUCH(data);
	return 0;
}

/* ---- what it returns ---- */

REJECT(PTR_MATH_BOUNDS, "makes map_value pointer be out of bounds")
XDP(result_as_an_index)
{
	struct plain *p = element(plain);
	int i = elsewhere(ctx);

	if (p)
		ASM("r1 = %0\n\tr1 += %1\n\t*(u8 *)(r1 + 0) = 1"
		    : : "r"(p), "r"((long)i) : "r1", "memory");
	return 0;
}

ACCEPT RETVAL(0)
XDP(result_bounded)
{
	struct plain *p = element(plain);
	long i = elsewhere(ctx);

	if (p)
		ASM("r1 = %0\n\tr2 = %1\n\tr2 &= 7\n\tr1 += r2\n\t*(u8 *)(r1 + 0) = 1"
		    : : "r"(p), "r"(i) : "r1", "r2", "memory");
	return 0;
}

/* A result that was known decides nothing: the path behind it is there. */
REJECT(REGION_MIN, "invalid access to map value")
XDP(result_as_a_condition)
{
	struct plain *p = element(plain);

	if (elsewhere(ctx) && p)
		ASM("*(u8 *)(%0 + 16) = 1" : : "r"(p) : "memory");
	return 0;
}

/* ---- null checks ---- */

static __noinline struct plain *found(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct plain *p;

	bpf_tail_call(ctx, &progs, 1);
	p = bpf_map_lookup_elem(&rows, &key);
	return p;
}

REJECT(RETURNS_INT, "tail_call is only allowed in functions that return 'int'")
XDP(pointer_from_elsewhere)
{
	struct plain *p = found(ctx);

	return p ? p->a : 0;
}

/* The value stays until the run ends, though the other program deletes its key; it falls
 * through with the registers that it had. */
ACCEPT RETVAL(0)
XDP(value_after_a_failed_call)
{
	struct plain *p = element(rows);

	if (!p)
		return 0;
	bpf_tail_call(ctx, &progs, 1);
	return p->a & 0;
}

ACCEPT RETVAL(0)
XDP(value_after_a_subprogram)
{
	struct plain *p = element(rows);

	if (!p)
		return 0;
	elsewhere(ctx);
	return p->a & 0;
}

REJECT(NULL_DEREF, "invalid mem access 'map_value_or_null'")
XDP(unchecked_after_a_call)
{
	struct plain *p = element(rows);

	bpf_tail_call(ctx, &progs, 1);
	return p->a;
}

/* Arguments are gone, as after any call. */
REJECT(NOT_READABLE, "R2 !read_ok")
XDP_ASM(arguments_after_a_call)
{
	ASM("r2 = %[progs] ll\n\t"
	    "r3 = 1\n\t"
	    "call %[tail]\n\t"
	    "r0 = r2\n\t"
	    "r0 = 0\n\t"
	    "exit" : : ADDR(progs), CONST(tail, BPF_FUNC_tail_call));
}

/* ---- locks ---- */

REJECT(LOCK_CALL, "function calls are not allowed while holding a lock")
XDP(under_a_lock)
{
	struct locked *v = element(C);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	bpf_tail_call(ctx, &progs, 1);
	bpf_spin_unlock(&v->lock);
	return 0;
}

/* A check made under the lock is no better for it. */
REJECT(LOCK_CALL, "function calls are not allowed while holding a lock")
XDP(subprogram_under_a_lock)
{
	struct locked *v = element(C);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	elsewhere(ctx);
	bpf_spin_unlock(&v->lock);
	return 0;
}

ACCEPT RETVAL(0)
XDP(after_a_lock)
{
	struct locked *v = element(C);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->x = 1;
	bpf_spin_unlock(&v->lock);
	bpf_tail_call(ctx, &progs, 1);
	return 0;
}

/* ---- references ---- */

/* The caller's reference is nothing that the callee could leave behind: the other program
 * returns to the caller. But a program that ends there holds it. */
static __noinline int p_elsewhere(void *ctx)
{
	bpf_tail_call(ctx, &progs, 2);
	return 0;
}

REJECT(REF_LEAK, "tail_call would lead to reference leak")
KERNEL(accept, "a subprogram's tail call returns to its caller there")
P(reference_of_the_caller)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	p_elsewhere(ctx);
	t_put(p);
	return 0;
}

REJECT(REF_LEAK, "tail_call would lead to reference leak") BOOK("F09")
P(exchanged_out)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_kptr_xchg(&v->ref, NULL);
	if (!p)
		return 0;
	bpf_tail_call(ctx, &progs, 2);
	t_put(p);
	return 0;
}

/* Untested it may be NULL, or not. */
REJECT(REF_LEAK, "tail_call would lead to reference leak")
P(exchanged_out_untested)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_kptr_xchg(&v->ref, NULL);
	bpf_tail_call(ctx, &progs, 2);
	if (p)
		t_put(p);
	return 0;
}

ACCEPT RETVAL(0)
P(moved_into_a_field_before)
{
	struct T *p;

	WITH_VALUE(v);
	p = t_find(n);
	if (!p)
		return 0;
	p = bpf_kptr_xchg(&v->ref, p);
	if (p)
		t_put(p);
	bpf_tail_call(ctx, &progs, 2);
	return 0;
}

/* The section is the whole run's, which goes on: what was loaded is still good. */
ACCEPT RETVAL(0)
P(loaded_before)
{
	struct T *p;

	WITH_VALUE(v);
	p = v->ref;
	if (!p)
		return 0;
	p_elsewhere(ctx);
	p = t_get(p);
	if (p)
		t_put(p);
	return 0;
}

REJECT(REF_LEAK, "tail_call would lead to reference leak")
P(open_iterator)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_tail_call(ctx, &progs, 2);
	bpf_iter_num_destroy(&it);
	return 0;
}

REJECT(RCU_OPEN, "tail_call cannot be used inside bpf_rcu_read_lock-ed region")
Q(section_of_the_caller)
{
	bpf_rcu_read_lock();
	p_elsewhere(ctx);
	bpf_rcu_read_unlock();
	return 0;
}

REJECT(PREEMPT_OPEN, "tail_call cannot be used inside bpf_preempt_disable-ed region")
P(preemption_off)
{
	bpf_preempt_disable();
	bpf_tail_call(ctx, &progs, 2);
	bpf_preempt_enable();
	return 0;
}

static long calls_elsewhere(__u64 i, void **ctx)
{
	bpf_tail_call(*ctx, &progs, 2);
	return 0;
}

/* The loop goes on, or ends, by whatever another program returns. */
ACCEPT RETVAL(0)
KERNEL(reject, "verifier bug: callback unexpected regs")
P(in_a_callback)
{
	void *outer = ctx;

	bpf_loop(2, calls_elsewhere, &outer, 0);
	return 0;
}
