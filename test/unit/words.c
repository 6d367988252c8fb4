/* SPDX-License-Identifier: MIT
 *
 * words.c: threads that fail at the same time on one host: each reads its own words, and
 * nothing is left of them when it ends.
 */
#include "test.h"

#include "pintle/pintle.h"
#include "unit/fail_alloc.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 2000 };

struct failing {
	struct pintle_host *host;
	u32 id;
	bool wrong;
};

static void *fail_and_read(void *arg)
{
	struct failing *f = arg;
	char path[64];

	if (*pintle_host_error(f->host))
		f->wrong = true; /* another thread's */
	for (u32 i = 0; i < ROUNDS; i++) {
		snprintf(path, sizeof(path), "/nonexistent/%u-%u", f->id, i);
		if (pintle_host_add_btf_file(f->host, path) != -ENOENT ||
		    !strstr(pintle_host_error(f->host), path))
			f->wrong = true;
	}
	return NULL;
}

TEST(words_are_each_threads_own)
{
	struct pintle_host *host = pintle_host_new(NULL);
	struct failing f[THREADS];
	pthread_t threads[THREADS];

	CHECK(host != NULL);
	CHECK_EQ(pintle_host_add_btf_file(host, NULL), -EINVAL);
	for (u32 i = 0; i < THREADS; i++) {
		f[i] = (struct failing){host, i, false};
		CHECK_EQ(pthread_create(&threads[i], NULL, fail_and_read, &f[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (u32 i = 0; i < THREADS; i++)
		CHECK(!f[i].wrong);
	CHECK_STR(pintle_host_error(host), "no path given");
	pintle_host_free(host);
}

TEST(words_of_two_hosts)
{
	struct pintle_host *a = pintle_host_new(NULL), *b = pintle_host_new(NULL);

	CHECK(a && b);
	CHECK_STR(pintle_host_error(a), "");
	pintle_host_add_btf_file(a, "/nonexistent/a");
	pintle_host_add_btf_file(b, "/nonexistent/b");
	CHECK_HAS(pintle_host_error(a), "/nonexistent/a");
	CHECK_HAS(pintle_host_error(b), "/nonexistent/b");
	pintle_host_free(a);
	CHECK_HAS(pintle_host_error(b), "/nonexistent/b");
	pintle_host_free(b);
}

static void *fail_once(void *host)
{
	pintle_host_add_btf_file(host, NULL);
	return NULL;
}

TEST(words_go_with_their_thread)
{
	struct pintle_host *host = pintle_host_new(NULL);
	pthread_t thread;
	s64 before;

	if (!fail_alloc_works()) {
		pintle_host_free(host);
		SKIP("a sanitizer has its own allocator");
	}
	for (u32 i = 0; i < 50; i++) {
		CHECK_EQ(pthread_create(&thread, NULL, fail_once, host), 0);
		pthread_join(thread, NULL);
		if (i == 0)
			before = fail_alloc_blocks();
	}
	CHECK(fail_alloc_blocks() <= before);
	pintle_host_free(host);
}
