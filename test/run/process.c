/* SPDX-License-Identifier: MIT
 *
 * process.c: what the rules mean in a process: cases J01-J12 and M19 of the rule book that
 * need a live host (J08 and J09 are in unit/space.c).
 */
#include "fixture/host.h"
#include "test.h"
#include "unit/fail_alloc.h"

#include "run/run.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

static char lines[4096];
static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_line(void *data, enum pintle_log_level level, const char *line)
{
	pthread_mutex_lock(&lines_lock);
	snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s\n", line);
	pthread_mutex_unlock(&lines_lock);
}

static bool logged(const char *part)
{
	bool found;

	pthread_mutex_lock(&lines_lock);
	found = strstr(lines, part) != NULL;
	pthread_mutex_unlock(&lines_lock);
	return found;
}

static struct pintle_host *host_with(const struct pintle_host_opts *opts)
{
	struct pintle_host_opts o = *opts;
	struct pintle_host *host;

	o.size = sizeof(o);
	o.log = keep_line;
	lines[0] = 0;
	host = pintle_host_new(&o);
	CHECK(host);
	return host;
}

/* ------------------------------------------------------------------ slots */

struct holder {
	struct pintle_host *host;
	pthread_barrier_t taken, leave;
	atomic(u32) got;
	bool sleepable;
};

static void *hold_slot(void *data)
{
	struct holder *h = data;

	CHECK(slot_get(h->host));
	pthread_barrier_wait(&h->taken);
	pthread_barrier_wait(&h->leave);
	return NULL; /* J17: the end of the thread gives it back */
}

static pthread_t hold(struct holder *h)
{
	pthread_t t;

	pthread_barrier_init(&h->taken, NULL, 2);
	pthread_barrier_init(&h->leave, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, hold_slot, h), 0);
	pthread_barrier_wait(&h->taken);
	return t;
}

TEST(J01_no_slot_no_run)
{
	struct holder h = {host_with(&(struct pintle_host_opts){.max_slots = 1})};
	pthread_t t = hold(&h);
	struct run_scope scope;

	CHECK(!run_begin(&scope, h.host, false));
	CHECK(!slot_current() && !run_read_ongoing());
	pthread_barrier_wait(&h.leave);
	pthread_join(t, NULL);
	CHECK(run_begin(&scope, h.host, false));
	run_end(&scope);
	pintle_host_free(h.host);
}

static void *want_slot(void *data)
{
	struct holder *h = data;
	struct run_scope scope;

	CHECK(run_begin(&scope, h->host, false));
	run_end(&scope);
	atomic_store(&h->got, 1);
	return NULL;
}

TEST(J02_waits_for_a_slot_if_the_host_wants)
{
	struct holder h = {host_with(
		&(struct pintle_host_opts){.max_slots = 1, .wait_for_slot = true})};
	pthread_t t = hold(&h), waiter;

	CHECK_EQ(pthread_create(&waiter, NULL, want_slot, &h), 0);
	usleep(20000);
	CHECK_EQ(atomic_load(&h.got), 0);
	pthread_barrier_wait(&h.leave);
	pthread_join(t, NULL);
	pthread_join(waiter, NULL);
	CHECK_EQ(h.got, 1);
	pintle_host_free(h.host);
}

/* "This CPU" is the slot, wherever the thread is moved to. */
TEST(J03_slot_stays_when_the_thread_moves)
{
	struct pintle_host *host = host_with(&(struct pintle_host_opts){.max_slots = 4});
	struct run_scope scope, inner;
	cpu_set_t all, one;
	u32 index;

	CHECK(run_begin(&scope, host, false));
	index = slot_current()->index;
	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		CHECK(run_begin(&inner, host, false));
		CHECK_EQ(slot_current()->index, index);
		run_end(&inner);
	}
	sched_setaffinity(0, sizeof(all), &all);
	run_end(&scope);
	pintle_host_free(host);
}

/* A run inside a run, on the same slot: nothing of the outer one is disturbed. */
TEST(J04_nested_run_on_the_same_slot)
{
	struct pintle_host *host = host_with(&(struct pintle_host_opts){.max_slots = 4});
	struct run_scope outer, inner;
	struct slot_ctx *slot;

	CHECK(run_begin(&outer, host, false));
	slot = slot_current();
	CHECK(run_begin(&inner, host, true));
	CHECK(slot_current() == slot);
	CHECK_EQ(slot->depth, 1);
	run_end(&inner);
	CHECK_EQ(slot->depth, 0);
	CHECK(slot_current() == slot && run_read_ongoing());
	run_end(&outer);
	CHECK(!slot_current() && !run_read_ongoing());
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ fork, cancel */

static atomic(u32) calls;

static void count_call(void *obj)
{
	atomic_fetch_add(&calls, 1);
}

TEST(J05_child_of_fork_goes_on)
{
	struct pintle_host *host =
		host_with(&(struct pintle_host_opts){.reclaim_thread = true});
	int status;
	pid_t pid;

	atomic_store(&calls, 0);
	pintle_defer(host, count_call, host);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) { /* no reclaim thread here */
		struct run_scope scope;
		bool ok = run_begin(&scope, host, false);

		run_end(&scope);
		atomic_store(&calls, 0);
		pintle_defer(host, count_call, host);
		pintle_drain(host);
		_exit(ok && atomic_load(&calls) >= 1 && !host->reclaimer ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	pintle_drain(host);
	CHECK_EQ(atomic_load(&calls), 1);
	pintle_host_free(host);
}

static void *cancelled(void *data)
{
	struct holder *h = data;
	struct run_scope scope;

	CHECK(run_begin(&scope, h->host, h->sleepable));
	defer_call(h->host, count_call, h);
	pthread_barrier_wait(&h->taken);
	for (;;)
		pause();
	return NULL;
}

static void cancel_inside(struct holder *h)
{
	pthread_t t;

	atomic_store(&calls, 0);
	pthread_barrier_init(&h->taken, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, cancelled, h), 0);
	pthread_barrier_wait(&h->taken);
	pthread_cancel(t);
	pthread_join(t, NULL);
	pintle_drain(h->host);
	CHECK_EQ(atomic_load(&calls), 1); /* what the run had deferred is not lost */
	pthread_barrier_destroy(&h->taken);
}

TEST(J06_cancelled_thread_does_not_stop_grace_periods)
{
	struct holder h;

	if (!fail_alloc_works())
		SKIP("sanitizers do not know of cancelled threads");
	h = (struct holder){host_with(&(struct pintle_host_opts){.max_slots = 2})};
	cancel_inside(&h);
	h.sleepable = true;
	cancel_inside(&h);
	pintle_host_free(h.host);
}

/* ------------------------------------------------------------------ plugins */

TEST(J07_M19_types_stay_while_they_are_used)
{
	struct pintle_host *host = test_host_new();
	struct pintle_object *obj = pintle_open(host, test_object("verdict/host_vars.bpf.o"),
						NULL);
	const char *self = "/proc/self/exe";

	CHECK(obj);
	CHECK_EQ(pintle_host_remove_btf(host, "other"), -ENOENT);
	CHECK_EQ(pintle_host_remove_btf(host, self), -EBUSY);
	CHECK_HAS(pintle_host_error(host), "object 'host_vars.bpf.o' has a program of its 'hook/p'");
	pintle_close(obj);
	CHECK_EQ(pintle_host_remove_btf(host, self), 0);
	CHECK(!pintle_open(host, test_object("verdict/host_vars.bpf.o"), NULL));
	test_host_free(host);
}

static const int plugin_var = 5;

static void submit_nothing(void *data, struct pintle_call *call)
{
}

TEST(J07_plugin_can_go_and_come_back)
{
	const struct pintle_executor executor = {sizeof(executor), .submit = submit_nothing};
	struct pintle_host *host = host_with(&(struct pintle_host_opts){0});

	for (u32 i = 0; i < 2; i++) {
		CHECK_EQ(pintle_host_add_self(host), 0);
		CHECK_EQ(pintle_export_var(host, "plugin_var", "int", &plugin_var), 0);
		CHECK_EQ(pintle_storable_add(host, "U",
					     PINTLE_OPTS(pintle_storable_opts,
							 .dtor = count_call,
							 .executor = &executor)), 0);
		CHECK(executor_of(host, count_call));
		CHECK_EQ(pintle_host_remove_btf(host, "/proc/self/exe"), 0);
		CHECK(!executor_of(host, count_call));
		CHECK(!abi_find_var(&host->abi, "plugin_var"));
		CHECK(abi_find_kfunc(&host->abi, "bpf_rcu_read_lock"));
		CHECK(!host->storables.n && !host->btfs.n);
	}
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ the queue */

TEST(J10_deferred_queue_is_bounded)
{
	struct pintle_host *host = host_with(&(struct pintle_host_opts){.max_deferred = 100});

	atomic_store(&calls, 0);
	for (u32 i = 0; i < 2000; i++) {
		pintle_defer(host, count_call, host);
		CHECK(defer_waiting(host) <= 101);
	}
	pintle_drain(host);
	CHECK_EQ(atomic_load(&calls), 2000);
	pintle_host_free(host);
}

static void free_some(void *obj)
{
	atomic_fetch_add(&calls, 1);
}

/* The byte limit: few calls that hold much. */
TEST(J10_deferred_queue_is_bounded_in_bytes)
{
	for (int thread = 0; thread < 2; thread++) {
		struct pintle_host *host = host_with(&(struct pintle_host_opts){
			.max_deferred_bytes = 1 << 20, .reclaim_thread = thread});

		atomic_store(&calls, 0);
		for (u32 i = 0; i < 500; i++) {
			pintle_defer_sized(host, free_some, host, 100000);
			CHECK(defer_bytes(host) <= (1 << 20) + 100000);
		}
		CHECK(atomic_load(&calls) >= 489);
		pintle_drain(host);
		CHECK_EQ(atomic_load(&calls), 500);
		CHECK_EQ(defer_bytes(host), 0);
		pintle_host_free(host);
	}
}

/* Of a type's destructor, and of what programs release it with, the struct says it, or
 * the host. */
TEST(J10_bytes_of_destructors_are_known)
{
	struct pintle_host *host = host_with(&(struct pintle_host_opts){0});

	CHECK_EQ(pintle_host_add_self(host), 0);
	CHECK_EQ(pintle_export(host, t_put, PINTLE_RELEASE), 0);
	CHECK_EQ(pintle_storable(host, "T", .dtor = count_call), 0);
	CHECK_EQ(pintle_export(host, u_put, PINTLE_RELEASE), 0);
	CHECK_EQ(pintle_storable(host, "U", .dtor = free_some, .bytes = 5000), 0);
	CHECK_EQ(weight_of(host, count_call), sizeof(struct T));
	CHECK_EQ(weight_of(host, (void (*)(void *))t_put), sizeof(struct T));
	CHECK_EQ(weight_of(host, free_some), 5000);
	CHECK_EQ(weight_of(host, (void (*)(void *))u_put), 5000);
	for (u32 i = 0; i < 300; i++)
		defer_call(host, free_some, host);
	CHECK(defer_bytes(host) >= 270 * 5000);
	pintle_drain(host);
	CHECK_EQ(defer_bytes(host), 0);
	CHECK_EQ(pintle_host_remove_btf(host, "/proc/self/exe"), 0);
	CHECK_EQ(weight_of(host, count_call) + weight_of(host, (void (*)(void *))u_put), 0);
	pintle_host_free(host);
}

/* A map is as large as its elements. */
TEST(J10_maps_that_wait_are_counted)
{
	struct pintle_host *host =
		host_with(&(struct pintle_host_opts){.max_deferred_bytes = 10 << 20});
	const struct pintle_map_opts opts = {.size = sizeof(opts), .type = 1 /* hash */,
					     .key_size = 4, .value_size = 1000,
					     .max_entries = 4000};

	for (u32 i = 0; i < 30; i++) {
		struct pintle_map *map = pintle_map_create(host, "m", &opts);

		CHECK(map);
		pintle_map_close(map);
		CHECK(defer_bytes(host) < 15 << 20);
	}
	pintle_drain(host);
	CHECK_EQ(defer_bytes(host), 0);
	pintle_host_free(host);
}

TEST(J10_bounded_with_a_reclaim_thread)
{
	struct pintle_host *host = host_with(
		&(struct pintle_host_opts){.max_deferred = 100, .reclaim_thread = true});

	atomic_store(&calls, 0);
	for (u32 i = 0; i < 2000; i++) {
		pintle_defer(host, count_call, host);
		CHECK(defer_waiting(host) <= 101);
	}
	pintle_drain(host);
	CHECK_EQ(atomic_load(&calls), 2000);
	pintle_host_free(host);
}

static pthread_t made_by;

static void note_thread(void *obj)
{
	made_by = pthread_self();
	atomic_fetch_add(&calls, 1);
}

TEST(J23_reclaim_thread_makes_the_calls)
{
	struct pintle_host *host =
		host_with(&(struct pintle_host_opts){.reclaim_thread = true});

	atomic_store(&calls, 0);
	pintle_defer(host, note_thread, host);
	for (u32 i = 0; i < 5000 && !atomic_load(&calls); i++)
		usleep(1000);
	CHECK_EQ(atomic_load(&calls), 1);
	CHECK(!pthread_equal(made_by, pthread_self()));
	pintle_defer(host, note_thread, host);
	pintle_drain(host);
	CHECK_EQ(atomic_load(&calls), 2);
	CHECK(!pthread_equal(made_by, pthread_self()));
	pintle_host_free(host);
}

struct chain {
	struct pintle_host *host;
	u32 left;
};

static void go_on(void *obj)
{
	struct chain *c = obj;

	atomic_fetch_add(&calls, 1);
	if (--c->left)
		pintle_defer(c->host, go_on, c);
}

/* A barrier is one for what the calls queue too, whoever makes them. */
TEST(J23_drain_waits_for_what_calls_queue)
{
	for (int thread = 0; thread < 2; thread++) {
		struct pintle_host *host =
			host_with(&(struct pintle_host_opts){.reclaim_thread = thread});
		struct chain c = {host, 12};

		atomic_store(&calls, 0);
		pintle_defer(host, go_on, &c);
		pintle_drain(host);
		CHECK_EQ(atomic_load(&calls), 12);
		pintle_host_free(host);
	}
}

/* --- an event loop that alone may put its objects --- */

struct loop {
	pthread_t thread;
	pthread_mutex_t lock;
	VEC(struct pintle_call *) calls;
	atomic(u32) stop, wrong, dtors;
};
static struct loop loop;

static void loop_submit(void *data, struct pintle_call *call)
{
	pthread_mutex_lock(&loop.lock);
	CHECK(vec_push(&loop.calls, call));
	pthread_mutex_unlock(&loop.lock);
}

static void loop_dtor(void *obj)
{
	loop.wrong += !pthread_equal(loop.thread, pthread_self());
	loop.dtors++;
	free(obj);
}

static void *loop_run(void *data)
{
	bool stop;

	do {
		struct pintle_call *call = NULL;

		usleep(200);
		stop = atomic_load(&loop.stop);
		pthread_mutex_lock(&loop.lock);
		if (loop.calls.n)
			call = vec_pop(&loop.calls);
		pthread_mutex_unlock(&loop.lock);
		if (call)
			pintle_call_run(call);
	} while (!stop);
	return NULL;
}

TEST(J11_thread_affine_destructor)
{
	struct pintle_host *host = host_with(&(struct pintle_host_opts){0});
	const struct pintle_executor executor = {sizeof(executor), .submit = loop_submit};

	memset(&loop, 0, sizeof(loop));
	pthread_mutex_init(&loop.lock, NULL);
	CHECK_EQ(pintle_host_add_self(host), 0);
	CHECK_EQ(pintle_storable_add(host, "U",
				     PINTLE_OPTS(pintle_storable_opts, .dtor = loop_dtor,
						 .executor = PINTLE_OPTS(pintle_executor))),
		 -EINVAL);
	CHECK_HAS(pintle_host_error(host), "without submit");
	CHECK_EQ(pintle_storable_add(host, "U",
				     PINTLE_OPTS(pintle_storable_opts, .dtor = loop_dtor,
						 .executor = &executor)), 0);
	CHECK_EQ(pthread_create(&loop.thread, NULL, loop_run, NULL), 0);
	for (u32 i = 0; i < 20; i++)
		defer_call(host, host->storables.v[0]->dtor, malloc(8));
	pintle_drain(host); /* the barrier waits for the loop */
	CHECK_EQ(loop.dtors, 20);
	CHECK_EQ(loop.wrong, 0);
	pintle_host_free(host);
	atomic_store(&loop.stop, 1);
	pthread_join(loop.thread, NULL);
	vec_free(&loop.calls);
}

static void pump(void *data)
{
	struct pintle_call *call = NULL;

	if (loop.calls.n)
		call = vec_pop(&loop.calls);
	if (call)
		pintle_call_run(call);
}

TEST(J11_barrier_on_the_loops_own_thread)
{
	struct pintle_host *host = host_with(&(struct pintle_host_opts){0});
	const struct pintle_executor executor = {sizeof(executor), loop_submit, pump, NULL};

	memset(&loop, 0, sizeof(loop));
	pthread_mutex_init(&loop.lock, NULL);
	loop.thread = pthread_self();
	CHECK_EQ(pintle_host_add_self(host), 0);
	CHECK_EQ(pintle_storable_add(host, "U",
				     PINTLE_OPTS(pintle_storable_opts, .dtor = loop_dtor,
						 .executor = &executor)), 0);
	defer_call(host, host->storables.v[0]->dtor, malloc(8));
	pintle_host_free(host);
	CHECK_EQ(loop.dtors, 1);
	CHECK_EQ(loop.wrong, 0);
	vec_free(&loop.calls);
}

/* ------------------------------------------------------------------ stalls */

static void *stalled(void *data)
{
	struct holder *h = data;
	struct run_scope scope;

	CHECK(run_begin(&scope, h->host, false));
	defer_call(h->host, count_call, h);
	pthread_barrier_wait(&h->taken);
	pthread_barrier_wait(&h->leave);
	run_end(&scope);
	return NULL;
}

TEST(J12_stalled_reader_is_reported)
{
	struct holder h = {host_with(&(struct pintle_host_opts){.stall_ms = 20})};
	pthread_t t;

	atomic_store(&calls, 0);
	pthread_barrier_init(&h.taken, NULL, 2);
	pthread_barrier_init(&h.leave, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, stalled, &h), 0);
	pthread_barrier_wait(&h.taken);
	pintle_defer(h.host, count_call, NULL);
	for (u32 i = 0; i < 2000 && !logged("stalled: a grace period"); i++) {
		usleep(1000);
		defer_safe_point(h.host);
	}
	CHECK(logged("stalled: a grace period has lasted"));
	CHECK_EQ(atomic_load(&calls), 0); /* no premature free */
	pthread_barrier_wait(&h.leave);
	pthread_join(t, NULL);
	pintle_drain(h.host);
	CHECK_EQ(atomic_load(&calls), 2);
	pintle_host_free(h.host);
}

static void *drain_it(void *data)
{
	struct holder *h = data;

	pintle_drain(h->host);
	atomic_store(&h->got, 1);
	return NULL;
}

/* Who waits for it in a call, with nobody else there to come by, says so as well. */
static void stalled_while_somebody_waits(void *(*reader)(void *))
{
	struct holder h = {host_with(&(struct pintle_host_opts){.stall_ms = 20})};
	pthread_t t, waiter;

	atomic_store(&calls, 0);
	pthread_barrier_init(&h.taken, NULL, 2);
	pthread_barrier_init(&h.leave, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, reader, &h), 0);
	pthread_barrier_wait(&h.taken);
	CHECK_EQ(pthread_create(&waiter, NULL, drain_it, &h), 0);
	for (u32 i = 0; i < 2000 && !logged("stalled: a grace period"); i++)
		usleep(1000);
	CHECK(logged("stalled: a grace period has lasted"));
	CHECK_EQ(atomic_load(&calls), 0);
	CHECK_EQ(atomic_load(&h.got), 0);
	pthread_barrier_wait(&h.leave);
	pthread_join(t, NULL);
	pthread_join(waiter, NULL);
	CHECK_EQ(atomic_load(&calls), 1);
	pintle_host_free(h.host);
}

static void *stalled_asleep(void *data)
{
	struct holder *h = data;
	struct run_scope scope;

	CHECK(run_begin(&scope, h->host, true));
	defer_call(h->host, count_call, h);
	pthread_barrier_wait(&h->taken);
	pthread_barrier_wait(&h->leave);
	run_end(&scope);
	return NULL;
}

TEST(J12_stalled_reader_is_reported_by_who_waits)
{
	stalled_while_somebody_waits(stalled);
	stalled_while_somebody_waits(stalled_asleep);
}
