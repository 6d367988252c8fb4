/* SPDX-License-Identifier: MIT
 *
 * Fault-safe loads and copies, and that faults which are not ours go where they would have
 * gone without us. What may kill runs in a child.
 */
#include "test.h"

#include "run/memory/fault.h"
#include "unit/bare.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two pages, the second not accessible. */
static char *edge(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	mprotect(p + page, page, PROT_NONE);
	memset(p, 0x5a, page);
	return p + page;
}

static void edge_free(char *at)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(at - page, 2 * page);
}

static void check_loads(char *at)
{
	bool ok;

	for (u32 size = 1; size <= 8; size *= 2) {
		u64 want = 0x5a5a5a5a5a5a5a5a >> (64 - 8 * size);

		CHECK_EQ(fault_load(at - size, size, &ok), want);
		CHECK(ok);
		CHECK_EQ(fault_load(at, size, &ok), 0);
		CHECK(!ok);
		if (size > 1) {
			CHECK_EQ(fault_load(at - 1, size, &ok), 0);
			CHECK(!ok);
		}
		CHECK_EQ(fault_load((void *)8, size, &ok), 0);
		CHECK(!ok);
		CHECK_EQ(fault_load((void *)0xdeadbeefdeadbeef, size, &ok), 0);
		CHECK(!ok);
		CHECK_EQ(fault_load((void *)((1ull << 47) - 1), size, &ok), 0);
		CHECK(!ok);
	}
}

static void check_copies(char *at)
{
	char to[64] = {0};

	CHECK_EQ(fault_copy(to, at - 8, 8), 8);
	CHECK_EQ(fault_copy(to, at - 8, 16), 8);
	CHECK_EQ(to[7], 0x5a);
	CHECK_EQ(to[8], 0);
	CHECK_EQ(fault_copy(to, at, 16), 0);
	CHECK_EQ(fault_copy(to, NULL, 16), 0);
	CHECK_EQ(fault_copy(to, (void *)-8ull, 16), 0);
	CHECK_EQ(fault_copy(to, at - 8, 0), 0);
}

/* Both ways: by handler (inside a run of a host that has it), and by checked copy. */
TEST(fault_loads_and_copies)
{
	struct pintle_host host;
	char *at = edge();

	check_loads(at);
	check_copies(at);
	bare_host(&host);
	slot_swap(slot_get(&host));
	check_loads(at);
	check_copies(at);
	slot_swap(NULL);
	bare_host_free(&host);
	edge_free(at);
}

TEST(fault_loads_beyond_a_files_end)
{
	struct pintle_host host;
	FILE *file = tmpfile();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p;
	bool ok;

	CHECK(file != NULL);
	CHECK_EQ(ftruncate(fileno(file), (off_t)page), 0);
	p = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fileno(file), 0);
	CHECK(p != MAP_FAILED);
	bare_host(&host);
	slot_swap(slot_get(&host));
	CHECK_EQ(fault_load(p + page, 4, &ok), 0); /* SIGBUS */
	CHECK(!ok);
	slot_swap(NULL);
	bare_host_free(&host);
	munmap(p, 2 * page);
	fclose(file);
}

static void *load_often(void *arg)
{
	char *at = arg;
	struct fault_value v = {0};

	for (int i = 0; i < 2000 && !v.value; i++)
		v = i % 2 ? fault_try4(at) : fault_try8(at - 4);
	return (void *)(uintptr_t)v.value;
}

TEST(fault_on_many_threads)
{
	struct pintle_host host;
	pthread_t threads[3];
	char *at = edge();

	bare_host(&host);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, load_often, at), 0);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		CHECK(!bad);
	}
	bare_host_free(&host);
	edge_free(at);
}

/* --- whose fault it is --- */

enum { FINE = 42 };

/* What a child that runs @fn dies of: its exit status, or 128 + signal. */
static int child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		fn();
		_exit(FINE);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static struct pintle_host child_host;

static void make_host(void)
{
	memset(&child_host, 0, sizeof(child_host));
	if (fault_init(&child_host))
		_exit(1);
}

static void crash(void)
{
	*(volatile int *)(uintptr_t)0x1000 = 1;
}

static void crash_by_default(void)
{
	make_host();
	crash();
}

static void kill_by_default(void)
{
	make_host();
	raise(SIGSEGV);
}

static void crash_after_host(void)
{
	make_host();
	fault_free(&child_host);
	crash();
}

static void ignore_sent(void)
{
	signal(SIGSEGV, SIG_IGN);
	make_host();
	raise(SIGSEGV);
	raise(SIGSEGV);
}

static void ignore_crash(void)
{
	signal(SIGSEGV, SIG_IGN);
	make_host();
	crash();
}

static sigjmp_buf back;
static volatile int calls;

static void plain_handler(int sig)
{
	calls += sig;
	siglongjmp(back, 1);
}

static void info_handler(int sig, siginfo_t *info, void *uc)
{
	if (info->si_addr != (void *)0x1000 || !uc || sig != SIGSEGV)
		_exit(2);
	calls++;
	siglongjmp(back, 1);
}

static void chain_info(void)
{
	struct sigaction sa = {.sa_sigaction = info_handler, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &sa, NULL);
	make_host();
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(back, 1))
			crash();
	_exit(calls == 3 ? FINE : 3);
}

static void chain_plain(void)
{
	struct sigaction sa = {.sa_handler = plain_handler};

	sigaction(SIGSEGV, &sa, NULL);
	make_host();
	if (!sigsetjmp(back, 1))
		crash();
	_exit(calls == SIGSEGV ? FINE : 3);
}

static void chain_once(void)
{
	struct sigaction sa = {.sa_handler = plain_handler, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGSEGV, &sa, NULL);
	make_host();
	if (!sigsetjmp(back, 1))
		crash();
	crash();
}

/* Somebody who came after us keeps us installed: removing would unhook them. */
static void chained_on_top(void)
{
	struct sigaction sa = {.sa_handler = plain_handler}, ours;

	make_host();
	sigaction(SIGSEGV, &sa, &ours);
	fault_free(&child_host);
	sigaction(SIGSEGV, NULL, &sa);
	if (sa.sa_handler != plain_handler)
		_exit(2);
	sigaction(SIGSEGV, &ours, NULL); /* they leave, politely */
	make_host();
	if (fault_try8((void *)0x10000).bad)
		_exit(FINE);
}

static void alternate_stack(void)
{
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};

	make_host();
	if (sigaltstack(&ss, NULL) || !fault_try4((void *)0x20000).bad)
		_exit(2);
}

/* A handler of the host that itself loads safely. */
static void nested_handler(int sig)
{
	if (fault_try8((void *)0x30000).bad)
		calls++;
	siglongjmp(back, 1);
}

static void nested(void)
{
	struct sigaction sa = {.sa_handler = nested_handler, .sa_flags = SA_NODEFER};

	sigaction(SIGSEGV, &sa, NULL);
	make_host();
	if (!sigsetjmp(back, 1))
		crash();
	_exit(calls == 1 ? FINE : 3);
}

TEST(fault_default_kills)
{
	CHECK_EQ(child(crash_by_default), 128 + SIGSEGV);
	CHECK_EQ(child(kill_by_default), 128 + SIGSEGV);
	CHECK_EQ(child(crash_after_host), 128 + SIGSEGV);
}

TEST(fault_ignored_stays_ignored)
{
	CHECK_EQ(child(ignore_sent), FINE);
	CHECK_EQ(child(ignore_crash), 128 + SIGSEGV);
}

TEST(A05_fault_of_host_code_goes_to_its_handler)
{
	CHECK_EQ(child(chain_info), FINE);
	CHECK_EQ(child(chain_plain), FINE);
	CHECK_EQ(child(chain_once), 128 + SIGSEGV);
}

TEST(fault_handlers_after_us_keep_working)
{
	CHECK_EQ(child(chained_on_top), FINE);
}

TEST(fault_on_any_stack_and_nested)
{
#ifdef TEST_TSAN
	SKIP("ThreadSanitizer does not nest signals");
#endif
	CHECK_EQ(child(alternate_stack), FINE);
	CHECK_EQ(child(nested), FINE);
}
