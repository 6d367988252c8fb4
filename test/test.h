/* SPDX-License-Identifier: MIT
 *
 * test.h: a test is a function in any file of test/unit or test/run:
 *
 *	TEST(arena_gives_zeroed_memory)
 *	{
 *		CHECK(p != NULL);
 *		CHECK_EQ(p[0], 0);
 *	}
 *
 * It registers itself. A failed check prints where and ends that test as failed; SKIP
 * ends it as skipped, with a reason.
 */
#ifndef PINTLE_TEST_H
#define PINTLE_TEST_H

#include "base/base.h"

struct test {
	const char *name, *file;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
bool test_exists(const char *name);
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...) FORMAT(3, 4);
_Noreturn void test_skip(const char *fmt, ...) FORMAT(1, 2);

/* The path of a built file, e.g. test_object("verdict/ref_leak.bpf.o"). Static storage. */
const char *test_object(const char *name);
/* The path of a file of the source tree, e.g. test_source("test/golden/x.txt"). */
const char *test_source(const char *name);

#define TEST(name_)                                                                      \
	static void test_##name_(void);                                                  \
	static struct test reg_##name_ = {#name_, __FILE__, test_##name_, NULL};         \
	__attribute__((constructor)) static void add_##name_(void)                       \
	{                                                                                \
		test_register(&reg_##name_);                                             \
	}                                                                                \
	static void test_##name_(void)

#define CHECK(cond)                                                                      \
	do {                                                                             \
		if (!(cond))                                                             \
			test_fail(__FILE__, __LINE__, "%s", #cond);                      \
	} while (0)

#define CHECK_EQ(a, b)                                                                   \
	do {                                                                             \
		long long a_ = (long long)(a), b_ = (long long)(b);                      \
		if (a_ != b_)                                                            \
			test_fail(__FILE__, __LINE__, "%s is %lld (0x%llx), want %lld "  \
				  "(0x%llx)", #a, a_, a_, b_, b_);                       \
	} while (0)

#define CHECK_STR(a, b)                                                                  \
	do {                                                                             \
		const char *a_ = (a), *b_ = (b);                                         \
		if (strcmp(a_, b_))                                                      \
			test_fail(__FILE__, __LINE__, "%s is\n  \"%s\", want\n  \"%s\"", \
				  #a, a_, b_);                                           \
	} while (0)

/* @text contains @part. */
#define CHECK_HAS(text, part)                                                            \
	do {                                                                             \
		const char *a_ = (text), *b_ = (part);                                   \
		if (!strstr(a_, b_))                                                     \
			test_fail(__FILE__, __LINE__, "no \"%s\" in\n%s", b_, a_);       \
	} while (0)

/* Under ThreadSanitizer: gcc and clang say so in different ways. */
#ifdef __clang__
#if __has_feature(thread_sanitizer)
#define TEST_TSAN
#endif
#elif defined(__SANITIZE_THREAD__)
#define TEST_TSAN
#endif

#define SKIP(...) test_skip(__VA_ARGS__)

#endif
