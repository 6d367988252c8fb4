/* SPDX-License-Identifier: MIT
 *
 * main.c: runs the registered tests.
 *
 *	pintle-test [-v] [-l] [--no-exec] [PATTERN...]
 *
 * runs tests whose names contain a pattern, all without one. With --no-exec the process
 * may not make memory executable, so that everything is interpreted.
 *
 * Each test runs in this process; a failure leaves it by longjmp. The last line is
 * "N passed, N failed, N skipped"; exit 1 when something failed.
 */
#include "test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/prctl.h>

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static struct test *tests;
static jmp_buf out;
static char words[1 << 17];
enum { PASSED, FAILED, SKIPPED };

void test_register(struct test *test)
{
	struct test **at = &tests;

	while (*at && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

bool test_exists(const char *name)
{
	struct test *t = tests;

	while (t && strcmp(t->name, name))
		t = t->next;
	return t;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;
	int n = snprintf(words, sizeof(words), "%s:%d: ", file, line);

	va_start(args, fmt);
	vsnprintf(words + n, sizeof(words) - (size_t)n, fmt, args);
	va_end(args);
	longjmp(out, FAILED);
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	longjmp(out, SKIPPED);
}

static const char *path_in(const char *dir, const char *name)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

const char *test_object(const char *name)
{
	return path_in(BUILD_DIR "/bpf", name);
}

const char *test_source(const char *name)
{
	return path_in(SOURCE_DIR, name);
}

static int run_one(struct test *test, bool verbose)
{
	volatile int result;

	result = setjmp(out);
	if (result == PASSED)
		test->run();
	if (result == FAILED)
		printf("FAIL %s: %s\n", test->name, words);
	else if (result == SKIPPED)
		printf("skip %s: %s\n", test->name, words);
	else if (verbose)
		printf("ok   %s\n", test->name);
	fflush(stdout);
	return result;
}

static bool wanted(const struct test *test, int argc, char **argv)
{
	if (!argc)
		return true;
	for (int i = 0; i < argc; i++)
		if (strstr(test->name, argv[i]) || strstr(test->file, argv[i]))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int count[3] = {0};
	bool verbose = false, list = false, no_exec = false;

	for (argc--, argv++; argc && argv[0][0] == '-'; argc--, argv++) {
		verbose |= !strcmp(argv[0], "-v");
		list |= !strcmp(argv[0], "-l");
		no_exec |= !strcmp(argv[0], "--no-exec");
	}
	if (no_exec && prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)) {
		printf("0 passed, 0 failed, 1 skipped\n");
		return 0;
	}
	for (struct test *t = tests; t; t = t->next) {
		if (!wanted(t, argc, argv))
			continue;
		if (list)
			printf("%s (%s)\n", t->name, t->file);
		else
			count[run_one(t, verbose)]++;
	}
	if (!list)
		printf("%d passed, %d failed, %d skipped\n", count[PASSED], count[FAILED],
		       count[SKIPPED]);
	return count[FAILED] != 0;
}
