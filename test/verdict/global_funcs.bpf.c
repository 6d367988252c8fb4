/* SPDX-License-Identifier: MIT
 *
 * Global functions: verified alone, by their prototype; calls are checked against it.
 */
#include "verdict.h"

struct pair {
	int a, b;
};

__noinline int add(int a, int b)
{
	return a + b;
}

ACCEPT RETVAL(3)
XDP(numbers)
{
	return add(1, 2);
}

/* Whatever it was given, the result is any number. */
REJECT(STACK_VAR, "invalid variable-offset read from stack")
XDP(result_unknown)
{
	char buf[8] = {0};
	unsigned int i = add(1, 2) & 15;

	return *(volatile char *)(buf + i);
}

__noinline int sum_pair(const struct pair *p)
{
	return p ? p->a + p->b : 0;
}

ACCEPT RETVAL(3)
XDP(memory)
{
	struct pair p = {1, 2};

	return sum_pair(&p);
}

ACCEPT RETVAL(0)
XDP(no_memory)
{
	return sum_pair(NULL);
}

REJECT(STACK_BOUNDS, "invalid indirect access to stack")
XDP(short_memory)
{
	int a = 1;

	return sum_pair((struct pair *)&a);
}

__noinline int untested_pair(const struct pair *p)
{
	return p->a;
}

REJECT(NULL_DEREF, "invalid mem access 'mem_or_null'")
XDP(untested_inside)
{
	struct pair p = {1, 2};

	return untested_pair(&p);
}

__noinline int beyond_pair(const struct pair *p)
{
	return p ? *((volatile int *)p + 2) : 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=8 off=8 size=4")
XDP(beyond_inside)
{
	struct pair p = {1, 2};

	return beyond_pair(&p);
}

__noinline int packet_byte(struct xdp_md *ctx)
{
	char *data = (char *)(long)ctx->data;

	return data + 1 > (char *)(long)ctx->data_end ? 0 : *data;
}

ACCEPT RETVAL(0)
XDP(context)
{
	return packet_byte(ctx);
}

REJECT(SIG_CTX, "expected pointer to ctx")
XDP(not_the_context)
{
	struct pair p = {1, 2};

	return packet_byte((struct xdp_md *)&p);
}

__noinline int move(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, 4);
}

/* What a global function does to the packet, its callers feel. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(moved_by_callee)
{
	char *data = (char *)(long)ctx->data;

	if (data + 1 > (char *)(long)ctx->data_end)
		return 0;
	move(ctx);
	return *(volatile char *)data;
}

REJECT(SIG_SCALAR, "R1 is not a scalar")
XDP(address_as_number)
{
	return add((int)(long)ctx, 1);
}

__noinline void *get_out(struct xdp_md *ctx)
{
	hide(ctx);
	return ctx;
}

REJECT(SIG_RETURN, "doesn't return scalar. Only those are supported")
XDP(pointer_returned)
{
	return get_out(ctx) == NULL;
}

__noinline long address_out(struct xdp_md *ctx)
{
	hide(ctx);
	return (long)ctx;
}

REJECT(RET_SCALAR, "At subprogram exit the register R0 is not a known value (ctx)")
XDP(address_returned)
{
	return address_out(ctx) == 0;
}

__noinline int nothing_known(void *p)
{
	return p == NULL;
}

REJECT(SIG_SIZE, "size cannot be determined")
XDP(void_pointer)
{
	struct pair p = {1, 2};

	return nothing_known(&p);
}

__noinline int sum_nonnull(const struct pair *p __arg_nonnull)
{
	return p->a + p->b;
}

ACCEPT RETVAL(3)
XDP(tagged_nonnull)
{
	struct pair p = {1, 2};

	return sum_nonnull(&p);
}

REJECT(SIG_NONNULL, "is expected to be non-NULL")
	KERNEL(accept, "a literal NULL passes there")
XDP(tagged_nonnull_given_null)
{
	return sum_nonnull(NULL);
}

static const volatile struct pair constant = {1, 2};

__noinline int set_pair(struct pair *p)
{
	if (p)
		p->a = 5;
	return 0;
}

/* The callee may write to what it is given. */
REJECT(MAP_WRITE, "write into map forbidden")
XDP(constant_given)
{
	void *p = (void *)&constant;

	hide(p);
	return set_pair(p);
}

__noinline int by_value(int n, struct pair p)
{
	return p.a + n;
}

REJECT(SIG_TYPE, "is not supported yet")
XDP(struct_by_value)
{
	struct pair p = {1, bpf_get_prandom_u32()};

	return by_value(bpf_get_prandom_u32(), p);
}
