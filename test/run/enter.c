/* SPDX-License-Identifier: MIT
 *
 * enter.c: the short way into a run and the long one leave the same behind, whatever the
 * host does in the middle.
 */
#include "pintle/pintle.h"
#include "run/run.h"
#include "run/life/thread.h"
#include "test.h"

enum { NEST, LOCK, UNLOCK, LEAVE, DEFER };

static struct enter {
	struct pintle_host *host, *other;
	struct pintle_object *obj;
	u64 runs_inside;
	int deferred;
} e;

PINTLE_HOOK(int, enter_hook, int, what)

static u64 run_named(const char *name, u64 what)
{
	u64 args[] = {what}, result = ~0ull;

	CHECK_EQ(pintle_prog_run(pintle_prog_find(e.obj, name), args, &result), 0);
	return result;
}

static void count_deferred(void *obj)
{
	e.deferred++;
}

static void nest(void)
{
	struct slot_ctx *slot = slot_current();
	const struct pintle_prog *prog = slot->prog;
	struct run_scope scope;

	CHECK_EQ(run_named("answers", 4), 5);
	CHECK(run_begin(&scope, e.other, false));
	pintle_thread_leave(e.host); /* not ours to give back: a run is on it */
	run_end(&scope);
	CHECK(slot_current() == slot && slot->prog == prog && slot->owner && !slot->depth);
}

__attribute__((noinline, used)) int enter_call(int what);

int enter_call(int what)
{
	CHECK(run_read_ongoing() && slot_current());
	switch (what) {
	case NEST:
		nest();
		break;
	case LOCK:
		pintle_read_lock(e.host);
		break;
	case UNLOCK:
		pintle_read_unlock(e.host);
		break;
	case LEAVE:
		pintle_thread_leave(e.host);
		break;
	default:
		pintle_defer(e.host, count_deferred, NULL);
	}
	return what + 10;
}

static u64 runs_of(const char *name)
{
	struct pintle_prog_info info = {.size = sizeof(info)};

	CHECK_EQ(pintle_prog_info(pintle_prog_find(e.obj, name), &info), 0);
	return info.runs;
}

static void closed(void)
{
	CHECK(!slot_current() && !run_read_ongoing());
	CHECK_EQ(atomic_load(&thread_me.epoch.in), 0);
}

static void do_all(enum pintle_jit jit)
{
	e = (struct enter){pintle_host_new(PINTLE_OPTS(pintle_host_opts, .jit = jit)),
			   pintle_host_new(NULL)};
	CHECK_EQ(pintle_host_add_self(e.host), 0);
	CHECK_EQ(pintle_export(e.host, enter_call, 0), 0);
	CHECK_EQ(pintle_hook_add(e.host, enter_hook), 0);
	e.obj = pintle_open(e.host, test_object("run/enter.bpf.o"), NULL);
	CHECK(e.obj && !pintle_load(e.obj));
	for (u32 i = 0; i < 3; i++) { /* the first is always long */
		CHECK_EQ(run_named("calls", NEST), NEST + 10);
		closed();
		CHECK_EQ(run_named("calls", LEAVE), LEAVE + 10);
		closed();
		/* A section that outlives the run it was opened in, and the other way round. */
		CHECK_EQ(run_named("calls", LOCK), LOCK + 10);
		CHECK(run_read_ongoing() && !slot_current());
		CHECK_EQ(run_named("answers", 1), 2);
		CHECK_EQ(run_named("calls", UNLOCK), UNLOCK + 10);
		closed();
		CHECK_EQ(run_named("calls", DEFER), DEFER + 10);
		pintle_drain(e.host);
		CHECK_EQ(e.deferred, i + 1);
	}
	CHECK_EQ(runs_of("calls"), 3 * 5);
	CHECK_EQ(runs_of("answers"), 3 * 2);
	CHECK_EQ(pintle_attach(e.obj), 0);
	CHECK_EQ(enter_hook(DEFER), DEFER + 1);
	closed();
	CHECK_EQ(runs_of("calls"), 3 * 5 + 1);
	pintle_host_free(e.host);
	pintle_host_free(e.other);
}

TEST(enter_leaves_nothing_behind)
{
	do_all(PINTLE_JIT_AUTO);
	do_all(PINTLE_JIT_OFF);
}

static void *run_unloaded(void *data)
{
	u64 result, args[1] = {0};

	CHECK_EQ(pintle_prog_run(data, args, &result), -ENOENT);
	return NULL;
}

/* A thread that has run nothing is on no host, and so is a program that is not loaded. */
TEST(enter_not_without_code)
{
	pthread_t t;

	e = (struct enter){pintle_host_new(NULL)};
	CHECK_EQ(pintle_host_add_self(e.host), 0);
	CHECK_EQ(pintle_export(e.host, enter_call, 0), 0);
	CHECK_EQ(pintle_hook_add(e.host, enter_hook), 0);
	e.obj = pintle_open(e.host, test_object("run/enter.bpf.o"), NULL);
	CHECK(e.obj != NULL);
	CHECK_EQ(pthread_create(&t, NULL, run_unloaded, pintle_prog_find(e.obj, "calls")), 0);
	pthread_join(t, NULL);
	pintle_host_free(e.host);
}
