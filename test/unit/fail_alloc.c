/* SPDX-License-Identifier: MIT
 *
 * fail_alloc.c: see fail_alloc.h. Takes the place of the C library's allocator in the test
 * runner and hands on to it.
 */
#include "fail_alloc.h"

static _Thread_local u32 countdown; /* 0: off */
static _Thread_local bool failed;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WORKS 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
	__has_feature(memory_sanitizer)
#undef WORKS
#endif
#endif
#endif

#ifdef WORKS
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static bool fails(void)
{
	if (!countdown)
		return false;
	if (countdown > 1) {
		countdown--;
		return false;
	}
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}
#endif

bool fail_alloc_works(void)
{
#ifdef WORKS
	return true;
#else
	return false;
#endif
}

void fail_alloc_at(u32 n)
{
	failed = false;
	countdown = n;
}

bool fail_alloc_off(void)
{
	countdown = 0;
	return failed;
}
