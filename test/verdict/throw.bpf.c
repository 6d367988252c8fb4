/* SPDX-License-Identifier: MIT
 *
 * Exception callbacks: named by a tag, global, one number in and one out, nobody else's.
 */
#include "verdict.h"

#define CAUGHT_BY(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

__noinline int caught(__u64 cookie)
{
	return cookie & 1;
}

__noinline int caught_too(__u64 cookie)
{
	return 0;
}

ACCEPT RETVAL(0)
KERNEL(reject, "libbpf before 1.3 leaves the callback out of the program")
CAUGHT_BY(caught)
XDP(one_exception_callback)
{
	return 0;
}

REJECT(THROW_TAGS, "multiple exception callback tags for main subprog 'two_exception_callbacks'")
CAUGHT_BY(caught) CAUGHT_BY(caught_too)
XDP(two_exception_callbacks)
{
	return 0;
}

REJECT(THROW_MISSING, "could not be found in BTF")
CAUGHT_BY(nowhere)
XDP(no_such_exception_callback)
{
	return 0;
}

static __noinline __attribute__((used)) int hidden_cb(__u64 cookie)
{
	return 0;
}

REJECT(THROW_STATIC, "must have global linkage")
CAUGHT_BY(hidden_cb)
XDP(static_exception_callback)
{
	return 0;
}

__noinline int caught_memory(__u32 *cookie)
{
	return 0;
}

REJECT(THROW_ARG, "exception cb only supports single integer argument")
CAUGHT_BY(caught_memory)
XDP(exception_callback_of_pointer)
{
	return 0;
}

__noinline int caught_two(__u64 cookie, __u64 more)
{
	return 0;
}

REJECT(THROW_ARG, "exception cb only supports single integer argument")
CAUGHT_BY(caught_two)
XDP(exception_callback_of_two)
{
	return 0;
}

REJECT(THROW_CALL, "cannot call exception cb directly")
CAUGHT_BY(caught)
XDP(calls_exception_callback)
{
	return caught(ctx->rx_queue_index);
}

__noinline void caught_for_nothing(__u64 cookie)
{
	asm volatile("");
}

REJECT(NOT_READABLE, "R0 !read_ok")
CAUGHT_BY(caught_for_nothing)
XDP(exception_callback_without_result)
{
	return 0;
}
