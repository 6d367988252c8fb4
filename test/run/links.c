/* SPDX-License-Identifier: MIT
 *
 * links.c: attachments: their order, their cookies, what a hook makes of several results,
 * updates while calls run, links of objects that went; and the numbers of hooks.
 */
#include "pintle/pintle.h"
#include "run/run.h"
#include "test.h"
#include "unit/fail_alloc.h"

#include <pthread.h>
#include <unistd.h>

PINTLE_HOOK(int, links_a, int, n)
PINTLE_HOOK(int, links_b, int, n)
PINTLE_HOOK(int, links_narrow, int, n)
PINTLE_HOOK(int, links_other, long, n)
PINTLE_HOOK(int, links_own, int, n)
PINTLE_HOOK(int, links_handler, int, n)
PINTLE_HOOK(int, links_until, int, n)
PINTLE_HOOK(int, links_first, int, n)
PINTLE_HOOK(int, links_min, int, n)
PINTLE_HOOK(unsigned int, links_max, int, n)

static struct {
	struct pintle_host *host;
	struct pintle_object *obj;
	char text[256];
} l;

static _Thread_local bool unnoted; /* what other threads call, nobody reads */

__attribute__((noinline, used)) void links_note(unsigned long long who,
						unsigned long long cookie);
__attribute__((noinline, used)) int links_nest(int n);
__attribute__((noinline, used)) int links_only(int n);

void links_note(unsigned long long who, unsigned long long cookie)
{
	size_t len;

	if (unnoted)
		return;
	len = strlen(l.text);
	snprintf(l.text + len, sizeof(l.text) - len, cookie ? "%c%llu " : "%c ", (char)who,
		 cookie);
}

static struct pintle_prog *prog(const char *name)
{
	return pintle_prog_find(l.obj, name);
}

int links_only(int n)
{
	return n;
}

/* Inside of a run with a cookie: another hook, and a program by itself, have their own. */
int links_nest(int n)
{
	u64 args[] = {(u64)n};

	CHECK_EQ(pintle_prog_run(prog("x"), args, NULL), 0);
	return links_b(n);
}

static void begin(enum pintle_jit jit)
{
	static const char *const own[] = {"hook/links_own", NULL};

	l.host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .jit = jit, .max_slots = 4));
	CHECK_EQ(pintle_host_add_self(l.host), 0);
	CHECK_EQ(pintle_export(l.host, links_note, 0), 0);
	CHECK_EQ(pintle_export(l.host, links_nest, 0), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_a), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_b), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_narrow, .has_ret_range = true, .ret_max = 1), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_other), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_own), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_handler, .in_signals = true), 0);
	CHECK_EQ(pintle_export_func(l.host, "links_only", (void (*)(void))links_only,
				    PINTLE_OPTS(pintle_func_opts, .prog_types = own)), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_until,
				 .results = PINTLE_RESULT_UNTIL_NONZERO), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_first,
				 .results = PINTLE_RESULT_FIRST_NONZERO), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_min, .results = PINTLE_RESULT_MIN), 0);
	CHECK_EQ(pintle_hook_add(l.host, links_max, .results = PINTLE_RESULT_MAX), 0);
	l.obj = pintle_open(l.host, test_object("run/links.bpf.o"), NULL);
	if (!l.obj || pintle_load(l.obj))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(l.host));
}

static void end(void)
{
	pintle_host_free(l.host);
}

static struct pintle_link *attach(const char *name, struct pintle_hook *hook, int priority,
				  u64 cookie)
{
	return pintle_link_attach(prog(name), PINTLE_OPTS(pintle_link_opts, .hook = hook,
							  .priority = priority,
							  .cookie = cookie));
}

#define RUNS(hook, n, want, text_)                                                       \
	do {                                                                             \
		*l.text = 0;                                                             \
		CHECK_EQ(hook(n), want);                                                 \
		CHECK_STR(l.text, text_);                                                \
	} while (0)

static void order_and_cookies(enum pintle_jit jit)
{
	struct pintle_link *late, *early, *twice;
	struct pintle_link_info info = {.size = sizeof(info)};

	begin(jit);
	late = attach("x", NULL, 5, 7);
	CHECK(late && attach("y", NULL, 0, 0) && attach("z", NULL, 0, 8));
	early = attach("plain", NULL, -3, 0);
	twice = attach("x", NULL, 0, 9);
	CHECK(early && twice);
	RUNS(links_a, 3, 3, "y z8 x9 x7 ");
	RUNS(links_a, 3, 3, "y z8 x9 x7 "); /* the short way, too */
	CHECK(pintle_link_next(&links_a_pintle_hook, NULL) == early);
	CHECK_EQ(pintle_link_info(twice, &info), 0);
	CHECK_STR(info.hook, "links_a");
	CHECK(info.prog == prog("x") && info.priority == 0 && info.cookie == 9);
	pintle_link_detach(twice);
	pintle_link_detach(early);
	RUNS(links_a, 3, 3, "y z8 x7 ");
	CHECK_EQ(pintle_prog_attach(prog("x")), 0);
	CHECK_EQ(pintle_prog_attach(prog("x")), -EEXIST);
	RUNS(links_a, 3, 3, "y z8 x x7 ");
	pintle_prog_detach(prog("x"));
	RUNS(links_a, 3, -3, "y z8 ");
	CHECK(!pintle_link_prog(late));
	CHECK_EQ(pintle_link_update(late, prog("x"), NULL), -ENOLINK);
	pintle_link_detach(late);
	end();
}

TEST(links_order_and_cookies)
{
	order_and_cookies(PINTLE_JIT_AUTO);
	order_and_cookies(PINTLE_JIT_OFF);
}

TEST(links_cookies_of_what_is_inside)
{
	for (int jit = PINTLE_JIT_AUTO; jit <= PINTLE_JIT_OFF; jit++) {
		begin((enum pintle_jit)jit);
		CHECK_EQ(pintle_map_set_prog(pintle_map_find(l.obj, "jumps"), 0, prog("x")), 0);
		CHECK(attach("jumps_on", NULL, 0, 5));
		RUNS(links_a, 3, 3, "x5 ");
		CHECK(attach("nests", NULL, 1, 6) && attach("y", &links_b_pintle_hook, 0, 0) &&
		      attach("z", &links_b_pintle_hook, 1, 4));
		RUNS(links_a, 3, -3, "x5 (6 x y z4 )6 ");
		RUNS(links_b, 3, -3, "y z4 ");
		end();
	}
}

TEST(links_results)
{
	begin(PINTLE_JIT_AUTO);
	for (int i = 0; i < 3; i++) {
		const char *name = i == 0 ? "y" : i == 1 ? "x" : "z"; /* n - 2, n, -n */

		CHECK(attach(name, &links_until_pintle_hook, 0, 0));
		CHECK(attach(name, &links_first_pintle_hook, 0, 0));
		CHECK(attach(name, &links_min_pintle_hook, 0, 0));
	}
	RUNS(links_until, 2, 2, "y x ");
	RUNS(links_until, 1, -1, "y ");
	RUNS(links_first, 2, 2, "y x z ");
	RUNS(links_first, 1, -1, "y x z ");
	RUNS(links_min, 1, -1, "y x z ");
	RUNS(links_min, -1, -3, "y x z ");
	RUNS(links_min, 5, -5, "y x z ");
	CHECK(!attach("x", &links_max_pintle_hook, 0, 0)); /* returns another type */
	end();
}

TEST(links_fit)
{
	begin(PINTLE_JIT_AUTO);
	CHECK(!attach("x", &links_other_pintle_hook, 0, 0));
	CHECK_HAS(pintle_host_error(l.host), "prototypes differ");
	CHECK(!attach("x", &links_narrow_pintle_hook, 0, 0));
	CHECK_HAS(pintle_host_error(l.host), "results");
	CHECK(attach("narrow", &links_b_pintle_hook, 0, 3));
	RUNS(links_b, 1, 0, "n3 ");
	CHECK(!attach("x", &links_own_pintle_hook, 0, 0));
	CHECK_HAS(pintle_host_error(l.host), "may not call the same functions");
	CHECK(!attach("x", &links_handler_pintle_hook, 0, 0));
	CHECK_HAS(pintle_host_error(l.host), "was not proved fit for signal handlers");
	CHECK(attach("signal_safe", &links_b_pintle_hook, 0, 0)); /* that is safe anywhere */
	RUNS(links_b, 7, 7, "n3 ");
	end();
}

TEST(links_update)
{
	struct pintle_link *first, *second;

	begin(PINTLE_JIT_AUTO);
	first = attach("x", NULL, 0, 1);
	second = attach("x", NULL, 0, 1);
	RUNS(links_a, 3, 3, "x1 x1 ");
	CHECK_EQ(pintle_link_update(second, prog("y"), prog("z")), -EPERM);
	CHECK_EQ(pintle_link_update(second, prog("y"), prog("x")), 0);
	RUNS(links_a, 3, 1, "x1 y1 ");
	CHECK_EQ(pintle_link_update(first, prog("z"), NULL), 0);
	RUNS(links_a, 3, 1, "z1 y1 ");
	CHECK_EQ(pintle_link_update(first, prog("narrow"), NULL), 0); /* as wide as that */
	RUNS(links_a, 3, 1, "n1 y1 ");
	pintle_close(l.obj);
	RUNS(links_a, 3, 0, "");
	CHECK(!pintle_link_prog(first));
	pintle_link_detach(first);
	end(); /* and `second` goes with the host */
}

/* No memory: what must not fail does not. */
TEST(links_without_memory)
{
	struct pintle_link *x, *y;

	if (!fail_alloc_works())
		SKIP("allocations cannot be made to fail");
	begin(PINTLE_JIT_AUTO);
	x = attach("x", NULL, 0, 0);
	for (u32 n = 1; n <= 2; n++) {
		fail_alloc_at(n);
		y = attach("y", NULL, 0, 2);
		CHECK(fail_alloc_off() && !y);
		RUNS(links_a, 3, 3, "x ");
	}
	y = attach("y", NULL, 0, 2);
	CHECK(y && attach("z", NULL, 0, 3));
	fail_alloc_at(1);
	pintle_link_detach(y);
	CHECK(fail_alloc_off());
	RUNS(links_a, 3, -3, "x z3 ");
	pintle_link_detach(x);
	RUNS(links_a, 3, -3, "z3 ");
	end();
}

static struct {
	struct pintle_host *host;
	atomic(bool) stop;
	atomic(u64) wrong, calls;
} busy;

static void *call_on(void *arg)
{
	u64 wrong = 0;

	unnoted = true;
	while (!atomic_load(&busy.stop)) {
		int got = links_b(7);

		wrong += got != 0 && got != 107;
		atomic_fetch_add(&busy.calls, 1);
	}
	atomic_fetch_add(&busy.wrong, wrong);
	return NULL;
}

/* Attached, updated and detached while others call: every call sees a program, or two. */
TEST(race_links)
{
	pthread_t threads[2];
	struct pintle_hook *hook = &links_b_pintle_hook;

	begin(PINTLE_JIT_AUTO);
	busy.stop = false;
	busy.wrong = busy.calls = 0;
	struct pintle_link *link = attach("plain", hook, 0, 0);

	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], NULL, call_on, NULL));
	for (int i = 0; i < 200; i++) {
		struct pintle_link *other;

		u64 calls = atomic_load(&busy.calls);

		CHECK_EQ(pintle_link_update(link, prog("narrow"), NULL), 0);
		CHECK_EQ(pintle_link_update(link, prog("plain"), NULL), 0);
		other = attach("plain", hook, i % 2 ? -1 : 1, (u64)i % 3);
		CHECK(other);
		CHECK_EQ(pintle_stats_enable(l.host, (enum pintle_stats)(i % 3)), 0);
		pintle_link_detach(other);
		while (atomic_load(&busy.calls) == calls)
			usleep(1);
	}
	atomic_store(&busy.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(busy.wrong, 0);
	end();
}

static struct pintle_prog_info info_of(const char *name)
{
	struct pintle_prog_info info = {.size = sizeof(info)};

	CHECK_EQ(pintle_prog_info(prog(name), &info), 0);
	return info;
}

static void *one_call(void *arg)
{
	u64 args[] = {1}, result;

	*(int *)arg = links_a(1) * 1000 + pintle_prog_run(prog("plain"), args, &result);
	return NULL;
}

TEST(stats_are_taken_when_asked_for)
{
	struct pintle_hook_info info = {.size = sizeof(info)};

	begin(PINTLE_JIT_AUTO);
	CHECK(attach("plain", NULL, 0, 0) && attach("x", NULL, 1, 1));
	CHECK_EQ(pintle_stats_enable(l.host, (enum pintle_stats)3), -EINVAL);
	for (int i = 0; i < 100; i++)
		links_a(i);
	CHECK_EQ(pintle_hook_info(&links_a_pintle_hook, &info), 0);
	CHECK(info.links == 2 && !info.calls && !info.timed);
	CHECK(info_of("plain").runs == 100 && !info_of("plain").timed);
	CHECK_EQ(info_of("plain").links, 1);
	CHECK_EQ(pintle_stats_enable(l.host, PINTLE_STATS_FULL), 0);
	for (int i = 0; i < 100; i++)
		links_a(i);
	CHECK_EQ(pintle_hook_info(&links_a_pintle_hook, &info), 0);
	CHECK(info.calls == 100 && info.timed == 100 && info.timed_ns > 0);
	CHECK(info_of("plain").timed == 100 && info_of("x").timed_ns > 0);
	CHECK(info.timed_ns >= info_of("plain").timed_ns + info_of("x").timed_ns);
	CHECK_EQ(pintle_stats_enable(l.host, PINTLE_STATS_SAMPLED), 0);
	for (int i = 0; i < 640; i++)
		links_a(i);
	CHECK(info_of("plain").runs == 840 && info_of("plain").timed == 110);
	CHECK_EQ(pintle_stats_enable(l.host, PINTLE_STATS_OFF), 0);
	for (int i = 0; i < 10; i++)
		links_a(i);
	CHECK(info_of("plain").runs == 850 && info_of("plain").timed == 110);
	CHECK_EQ(pintle_hook_info(&links_a_pintle_hook, &info), 0);
	CHECK_EQ(info.calls, 740);
	CHECK_EQ(pintle_hook_info(&(struct pintle_hook){0}, &info), -EINVAL);
	end();
}

TEST(stats_count_what_found_no_slot)
{
	struct pintle_hook_info info = {.size = sizeof(info)};
	struct pintle_object *obj;
	pthread_t thread;
	int got = 0;

	begin(PINTLE_JIT_AUTO);
	obj = l.obj;
	CHECK(attach("plain", NULL, 0, 0));
	for (u32 i = 0; i < slot_count(l.host); i++) /* nobody's: as if others had them */
		slot_at(l.host, i)->owner = (void *)&got;
	CHECK(!pthread_create(&thread, NULL, one_call, &got));
	pthread_join(thread, NULL);
	for (u32 i = 0; i < slot_count(l.host); i++)
		slot_at(l.host, i)->owner = NULL;
	CHECK_EQ(got, -EAGAIN);
	CHECK_EQ(pintle_hook_info(&links_a_pintle_hook, &info), 0);
	CHECK_EQ(info.drops, 1);
	CHECK(info_of("plain").drops == 1 && l.obj == obj);
	end();
}
