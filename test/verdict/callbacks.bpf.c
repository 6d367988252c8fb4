/* SPDX-License-Identifier: MIT
 *
 * Callbacks of helpers: any number of iterations, and a result of 0 or 1.
 */
#include "verdict.h"

static long step(__u32 i, int *sum)
{
	*sum += i;
	return 0;
}

ACCEPT RETVAL(6)
XDP(sum_of_four)
{
	int sum = 0;

	bpf_loop(4, step, &sum, 0);
	return sum;
}

static long third(__u32 i, void *ctx)
{
	return 2;
}

REJECT(RET_RANGE, "At callback return")
XDP(result_two)
{
	bpf_loop(4, third, NULL, 0);
	return 0;
}

__noinline long global_step(__u32 i, void *ctx)
{
	return 0;
}

REJECT(CALLBACK_GLOBAL, "callback")
XDP(global_callback)
{
	bpf_loop(4, global_step, NULL, 0);
	return 0;
}

static long again(__u32 i, void *ctx)
{
	bpf_loop(1, again, ctx, 0);
	return 0;
}

REJECT(RECURSION, "recursi")
XDP(calls_itself)
{
	bpf_loop(1, again, NULL, 0);
	return 0;
}

static long inner(__u32 i, int *sum)
{
	*sum += 1;
	return 0;
}

static long outer(__u32 i, int *sum)
{
	bpf_loop(3, inner, sum, 0);
	return 0;
}

ACCEPT RETVAL(6)
XDP(nested)
{
	int sum = 0;

	bpf_loop(2, outer, &sum, 0);
	return sum;
}

struct bounds {
	unsigned int i;
};

static long grow(__u32 i, struct bounds *b)
{
	b->i++;
	return 0;
}

/* After a callback what it could change is unknown. */
REJECT(STACK_UNBOUNDED, "invalid unbounded variable-offset read from stack")
XDP(changed_by_callback)
{
	struct bounds b = {0};
	char buf[8] = {0};

	bpf_loop(100, grow, &b, 0);
	return *(volatile char *)(buf + b.i);
}

ACCEPT RETVAL(0)
XDP(changed_and_tested)
{
	struct bounds b = {0};
	char buf[8] = {0};

	bpf_loop(100, grow, &b, 0);
	return b.i < 8 ? *(volatile char *)(buf + b.i) : 0;
}

/* The number of the iteration is below the count only by a test. */
static long index_buf(__u32 i, char *buf)
{
	return *(volatile char *)(buf + i) & 1;
}

REJECT(STACK_UNBOUNDED, "invalid unbounded variable-offset read from stack")
XDP(index_untested)
{
	char buf[8] = {0};

	bpf_loop(8, index_buf, buf, 0);
	return 0;
}

REJECT(ARG_KIND, "R2 type=scalar expected=func")
XDP_ASM(number_as_callback)
{
	ASM("r1 = 1				\n"
	    "r2 = 0				\n"
	    "r3 = 0				\n"
	    "r4 = 0				\n"
	    "call %[bpf_loop]			\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_loop) : "memory");
}

/* Keys of arrays are variables of the engine's, there for the call of the callback. */
#ifndef FOR_KERNEL
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, long);
} keyed SEC(".maps");

static long keep_key(void *map, __u32 *key, long *value, __u32 **kept)
{
	*kept = key;
	return *key == 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(key_after_its_callback)
{
	__u32 *key = NULL;

	bpf_for_each_map_elem(&keyed, keep_key, &key, 0);
	return key ? *key : 0;
}

struct keeper {
	__u32 *key;
	void *ctx;
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} others SEC(".maps");

static long keep_and_go(void *map, __u32 *key, long *value, struct keeper *keeper)
{
	keeper->key = key;
	bpf_tail_call(keeper->ctx, &others, 0);
	keeper->key = NULL;
	return 1;
}

/* The other program returns where the callback would have. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(key_after_a_tail_call_in_its_callback)
{
	struct keeper keeper = {.ctx = ctx};

	bpf_for_each_map_elem(&keyed, keep_and_go, &keeper, 0);
	return keeper.key ? *keeper.key : 0;
}

static long keep_value(void *map, __u32 *key, long *value, long **kept)
{
	*kept = value;
	return *key == 0;
}

ACCEPT RETVAL(0)
XDP(value_after_its_callback)
{
	long *value = NULL;

	bpf_for_each_map_elem(&keyed, keep_value, &value, 0);
	return value ? *value : 0;
}
#endif
