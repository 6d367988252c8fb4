/* SPDX-License-Identifier: MIT
 *
 * Contexts: of a program type with members, and of hooks.
 */
#include "verdict.h"

ACCEPT RETVAL(0)
CTX(number)
{
	return ctx->len & 0;
}

/* A part of a number. */
ACCEPT RETVAL(0)
CTX(half_number)
{
	return *(volatile __u16 *)&ctx->len & 0;
}

ACCEPT RETVAL(1)
CTX(writable)
{
	ctx->mark = 5;
	return 1;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=0 size=4")
CTX(not_writable)
{
	ctx->len = 5;
	return 0;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=32 size=8")
CTX(hidden)
{
	return ctx->hidden != 0;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=4096 size=4")
CTX(beyond)
{
	return *(volatile __u32 *)((char *)ctx + 4096) & 0;
}

/* Half of a pointer. */
REJECT(CTX_ACCESS, "invalid bpf_context access off=16 size=4")
CTX(half_pointer)
{
	return *(volatile __u32 *)&ctx->t & 0;
}

REJECT(CTX_NEGATIVE, "negative offset ctx ptr R")
CTX(moved_back)
{
	struct test_ctx *other = ctx;

	ASM("%0 += -8\n\t%0 = *(u32 *)(%0 + 8)" : "+r"(other));
	return 0;
}

REJECT(CTX_MODIFIED, "dereference of modified ctx ptr R")
CTX(moved)
{
	struct test_ctx *other = ctx;

	ASM("%0 += 8\n\t%0 = *(u32 *)(%0 - 8)" : "+r"(other));
	return 0;
}

REJECT(CTX_VAR_OFF, "variable ctx access var_off=")
CTX(variable)
{
	return *(volatile __u32 *)((char *)ctx + (bpf_get_prandom_u32() & 4)) & 0;
}

REJECT(LEAK, "leaks addr into ctx")
CTX(address_shown)
{
	unsigned int *mark = &ctx->mark;

	ASM("*(u32 *)(%0 + 4) = %1" : : "r"(ctx), "r"(mark) : "memory");
	return 0;
}

ACCEPT RETVAL(0)
CTX(object)
{
	return t_use(ctx->t) & 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0")
CTX(perhaps_no_object)
{
	return t_use(ctx->maybe) & 0;
}

ACCEPT RETVAL(0)
CTX(perhaps_no_object_tested)
{
	struct T *maybe = ctx->maybe;

	return maybe ? t_use(maybe) & 0 : 0;
}

REJECT(RET_RANGE, "At program exit the register R0 has")
CTX(out_of_range)
{
	return 2;
}

REJECT(PACKET_WRITE, "cannot write into packet")
CTX(packet_written)
{
	char *data = (char *)(long)ctx->data;

	if (data + 1 > (char *)(long)ctx->data_end)
		return 0;
	*data = 1;
	return 0;
}

ACCEPT RETVAL(0)
CTX(packet_read)
{
	char *data = (char *)(long)ctx->data;

	if (data + 1 > (char *)(long)ctx->data_end)
		return 0;
	return *data & 0;
}

REJECT(HELPER_PROG_TYPE, "program of this type cannot use helper bpf_xdp_adjust_head#44")
CTX(other_types_helper)
{
	return bpf_xdp_adjust_head((void *)ctx, 4) & 0;
}

ACCEPT RETVAL(0)
CTX(function_of_the_type)
{
	return t_only(1) & 0;
}

/* ---- hooks: an array of arguments ---- */

REJECT(CTX_ARG, "doesn't have 3-th argument")
P(third_argument)
{
	return ctx[2];
}

REJECT(CTX_ARG_SIZE, "argument 1 is a pointer")
P(half_argument)
{
	return *(volatile __u32 *)ctx;
}

ACCEPT RETVAL(1)
P(both_arguments)
{
	return t_use(t) ? n : 0;
}

REJECT(CTX_ARG_OFF, "invalid bpf_context access off=4 size=4")
P(misaligned_argument)
{
	return *((volatile __u32 *)ctx + 1);
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=8 size=8")
P(argument_written)
{
	*(volatile __u64 *)(ctx + 1) = 0;
	return 0;
}

REJECT(ATOMIC_STORE, "BPF_ATOMIC stores into R")
P(argument_added_to)
{
	__sync_fetch_and_add(&ctx[1], 1);
	return 0;
}
