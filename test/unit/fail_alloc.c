/* SPDX-License-Identifier: MIT
 *
 * fail_alloc.c: see fail_alloc.h. Takes the place of the C library's allocator in the
 * test runner and hands on to it.
 */
#include "fail_alloc.h"

static _Thread_local u32 countdown; /* 0: off */
static _Thread_local bool failed, once;
static _Thread_local u32 lots; /* state of fails_by_lot() */
static u32 one_in, seed, threads;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WORKS 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
	__has_feature(memory_sanitizer)
#undef WORKS
#endif
#endif
#endif

/* Deterministic for a thread, but for which thread it is. */
static bool fails_by_lot(void)
{
	u32 n = __atomic_load_n(&one_in, __ATOMIC_RELAXED);

	if (likely(!n))
		return false;
	if (!lots)
		lots = (__atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED) +
			__atomic_load_n(&seed, __ATOMIC_RELAXED)) * 0x9e3779b9 | 1;
	lots ^= lots << 13;
	lots ^= lots >> 17;
	lots ^= lots << 5;
	if ((lots >> 4) % n)
		return false;
	errno = ENOMEM;
	return true;
}

#ifdef WORKS
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

/* Also by libraries: they free what we allocate, and the other way round. */
#define SEEN __attribute__((visibility("default")))

static s64 blocks; /* in use, of all threads */

static void *counted(void *p)
{
	if (p)
		__atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
	return p;
}

static bool fails(void)
{
	if (!countdown)
		return fails_by_lot();
	if (countdown > 1) {
		countdown--;
		return false;
	}
	failed = true;
	countdown = once ? 0 : 1;
	errno = ENOMEM;
	return true;
}

SEEN void *malloc(size_t size)
{
	return fails() ? NULL : counted(__libc_malloc(size));
}

SEEN void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__libc_calloc(n, size));
}

SEEN void *realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	return p ? __libc_realloc(p, size) : counted(__libc_malloc(size));
}

SEEN void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : counted(__libc_memalign(align, size));
}

SEEN void free(void *p)
{
	if (p)
		__atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
	__libc_free(p);
}

s64 fail_alloc_blocks(void)
{
	return __atomic_load_n(&blocks, __ATOMIC_RELAXED);
}
#else
/* The linker sends here what this program itself, the library within, allocates. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails_by_lot() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_by_lot() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails_by_lot() ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return fails_by_lot() ? NULL : __real_aligned_alloc(align, size);
}

s64 fail_alloc_blocks(void)
{
	return 0;
}
#endif

void fail_alloc_random(u32 n, u32 from)
{
	__atomic_store_n(&seed, from, __ATOMIC_RELAXED);
	__atomic_store_n(&one_in, n, __ATOMIC_RELAXED);
}

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
	failed = once = false;
	countdown = n;
}

void fail_alloc_only(u32 n)
{
	fail_alloc_at(n);
	once = true;
}

bool fail_alloc_off(void)
{
	countdown = 0;
	return failed;
}
