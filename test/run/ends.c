/* SPDX-License-Identifier: MIT
 *
 * ends.c: what ends while somebody is in the middle of it: links dropped, moved on and
 * closed with their object by the run that they began; hosts freed while timers are due;
 * threads that end in callbacks; objects replaced while somebody asks about them. And
 * whose signals are whose.
 */
#include "pintle/pintle.h"
#include "run/ends.h"
#include "run/run.h"
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

PINTLE_HOOK(int, ends_hook, int, what, struct ends_box *, box)

static struct {
	struct pintle_host *host;
	struct pintle_object *obj, *other;
	struct pintle_link *one, *two;
	u32 ones, twos;
} e;

/* What a program's call of the host does; returns what the program adds to. */
static int (*ends_do)(int what);

__attribute__((noinline, used)) int ends_call(int what);

int ends_call(int what)
{
	return ends_do ? ends_do(what) : 0;
}

static struct pintle_object *load(void)
{
	struct pintle_object *obj =
		pintle_open(e.host, test_object("run/ends.bpf.o"), NULL);

	if (!obj || pintle_load(obj))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(e.host));
	return obj;
}

static void begin_with(const struct pintle_host_opts *opts)
{
	memset(&e, 0, sizeof(e));
	ends_do = NULL;
	e.host = pintle_host_new(opts);
	CHECK(e.host);
	CHECK_EQ(pintle_host_add_self(e.host), 0);
	CHECK_EQ(pintle_export(e.host, ends_call, 0), 0);
	CHECK_EQ(pintle_hook_add(e.host, ends_hook), 0);
	e.obj = load();
}

static void begin(enum pintle_jit jit)
{
	begin_with(PINTLE_OPTS(pintle_host_opts, .jit = jit, .max_slots = 4));
}

static int run(const char *name, int what)
{
	u64 args[2] = {(u64)what}, result = 0;
	int err = pintle_prog_run(pintle_prog_find(e.obj, name), args, &result);

	return err ? err : (int)result;
}

/* ------------------------------------------------------------------ links */

enum { DROP_OWN, DROP_NEXT, MOVE_NEXT, DETACH_ALL, CLOSE, WAYS };

static int end_links(int what)
{
	struct pintle_prog *one = pintle_prog_find(e.obj, "one");

	if (what & ENDS_TWO) {
		e.twos++;
		return 0;
	}
	if (e.ones++)
		return 0;
	switch (what) {
	case DROP_OWN:
		pintle_link_detach(e.one);
		break;
	case DROP_NEXT:
		pintle_link_detach(e.two);
		break;
	case MOVE_NEXT:
		CHECK_EQ(pintle_link_update(e.two, one, NULL), 0);
		break;
	case DETACH_ALL:
		pintle_detach(e.obj);
		break;
	default:
		pintle_close(e.obj);
	}
	return 0;
}

static void links_end(enum pintle_jit jit, int way)
{
	static const int after[WAYS] = {2, 1, 1, 0, 0};
	struct ends_box box = {.value = 1};

	begin(jit);
	e.one = pintle_link_attach(pintle_prog_find(e.obj, "one"), NULL);
	e.two = pintle_link_attach(pintle_prog_find(e.obj, "two"),
				   PINTLE_OPTS(pintle_link_opts, .priority = 5));
	CHECK(e.one && e.two);
	ends_do = end_links;
	/* The call that is under way sees all or nothing of what the first does to the
	 * second. */
	CHECK_EQ(ends_hook(way, &box), way == MOVE_NEXT ? 1 : 2);
	CHECK_EQ(e.ones + e.twos, 2);
	CHECK_EQ(ends_hook(way, &box), after[way]);
	if (way == CLOSE) {
		CHECK(!pintle_link_prog(e.one) && !pintle_link_prog(e.two));
		CHECK_EQ(pintle_link_update(e.one, NULL, NULL), -ENOLINK);
	}
	if (way == DROP_OWN || way == DROP_NEXT || way == CLOSE)
		pintle_link_detach(way == DROP_NEXT ? e.one : e.two);
	pintle_host_free(e.host);
}

TEST(ends_of_links_in_the_middle_of_their_run)
{
	for (int way = 0; way < WAYS; way++) {
		links_end(PINTLE_JIT_AUTO, way);
		links_end(PINTLE_JIT_OFF, way);
	}
}

/* ------------------------------------------------------------------ timers */

static atomic(u32) fired;

static int count_fired(int what)
{
	atomic_fetch_add(&fired, 1);
	return 0;
}

/* They start themselves again for ever; nothing is closed before the host. */
TEST(race_ends_of_hosts_while_timers_are_due)
{
	for (int i = 0; i < 20; i++) {
		begin_with(PINTLE_OPTS(pintle_host_opts, .max_slots = 8,
				       .timer_thread = true, .work_thread = true,
				       .reclaim_thread = i % 2));
		atomic_store(&fired, 0);
		ends_do = count_fired;
		for (int key = 0; key < 6; key++) {
			CHECK_EQ(run("start_timer", key), 0);
			CHECK_EQ(run("start_work", key), 0);
		}
		while (atomic_load(&fired) < (u32)i)
			usleep(100);
		pintle_host_free(e.host);
	}
}

static int end_thread(int what)
{
	ends_do = NULL;
	pthread_exit(NULL);
}

static void *run_timers(void *data)
{
	for (;;)
		pintle_timers_run(e.host, 0);
	return NULL;
}

static void *run_work(void *data)
{
	for (;;)
		pintle_work_run(e.host, 0);
	return NULL;
}

/* The call is over with its thread: it may be cancelled and started again. */
TEST(J06_thread_ends_in_a_callback)
{
	pthread_t t;

#if defined(TEST_TSAN) || defined(__SANITIZE_ADDRESS__)
	SKIP("sanitizers do not know of threads that end like this");
#endif
	for (int i = 0; i < 2; i++) {
		begin_with(PINTLE_OPTS(pintle_host_opts, .max_slots = 2));
		CHECK_EQ(run(i ? "start_work" : "start_timer", 3), 0);
		ends_do = end_thread;
		CHECK_EQ(pthread_create(&t, NULL, i ? run_work : run_timers, NULL), 0);
		pthread_join(t, NULL);
		CHECK(!ends_do);
		if (!i)
			CHECK_EQ(run("cancel_timer", 3), 0);
		CHECK_EQ(run(i ? "start_work" : "start_timer", 3), 0);
		CHECK_EQ(i ? pintle_work_run(e.host, 0) : pintle_timers_run(e.host, 0),
			 1);
		pintle_close(e.obj);
		pintle_host_free(e.host);
	}
}

/* ------------------------------------------------------------------ rings */

static u32 records;

static int take_record(void *data, void *sample, size_t size)
{
	records++;
	if (data)
		pthread_exit(NULL);
	return 0;
}

static void *consume(void *ring)
{
	pintle_ringbuf_consume(ring, 0);
	return NULL;
}

static void *drain(void *data)
{
	run("drain", 0);
	return NULL;
}

/* Who consumes ends in the middle of it: others go on, with the same record. */
TEST(J06_thread_ends_while_it_consumes)
{
	struct pintle_user_ringbuf *user;
	struct pintle_ringbuf *rb[2];
	pthread_t t;

#if defined(TEST_TSAN) || defined(__SANITIZE_ADDRESS__)
	SKIP("sanitizers do not know of threads that end like this");
#endif
	begin(PINTLE_JIT_AUTO);
	records = 0;
	for (int i = 0; i < 2; i++)
		rb[i] = pintle_ringbuf_open(pintle_map_find(e.obj, "ring"), take_record,
					    i ? NULL : &records);
	user = pintle_user_ringbuf_open(pintle_map_find(e.obj, "user_ring"));
	CHECK(rb[0] && rb[1] && user);
	CHECK_EQ(run("report", 1) | run("report", 2), 0);
	CHECK_EQ(pintle_ringbuf_poll(rb[1], 0), 2);
	CHECK_EQ(run("report", 1) | run("report", 2), 0);
	CHECK_EQ(pthread_create(&t, NULL, consume, rb[0]), 0);
	pthread_join(t, NULL);
	CHECK_EQ(records, 3);
	CHECK_EQ(pintle_ringbuf_poll(rb[1], 0), 2); /* its descriptor says so, too */
	CHECK_EQ(records, 5);

	for (int i = 0; i < 2; i++)
		pintle_user_ringbuf_submit(user, pintle_user_ringbuf_reserve(user, 8));
	ends_do = end_thread;
	CHECK_EQ(pthread_create(&t, NULL, drain, NULL), 0);
	pthread_join(t, NULL);
	CHECK_EQ(run("drain", 0), 2);
	pintle_ringbuf_close(rb[0]);
	pintle_ringbuf_close(rb[1]);
	pintle_user_ringbuf_close(user);
	pintle_host_free(e.host);
}

/* ------------------------------------------------------------------ slots */

static void *want_calls(void *data)
{
	CHECK_EQ(pintle_timers_run(e.host, 0), -EAGAIN);
	CHECK_EQ(pintle_work_run(e.host, 0), -EAGAIN);
	CHECK_EQ(pintle_thread_enter(e.host), -EAGAIN);
	return NULL;
}

/* Who has no slot makes no calls, and none is lost. */
TEST(J02_calls_wait_for_who_has_a_slot)
{
	pthread_t t;

	begin_with(PINTLE_OPTS(pintle_host_opts, .max_slots = 1));
	CHECK_EQ(run("start_timer", 1), 0);
	CHECK_EQ(run("start_work", 1), 0);
	CHECK_EQ(pthread_create(&t, NULL, want_calls, NULL), 0);
	pthread_join(t, NULL);
	CHECK_EQ(pintle_timers_run(e.host, 0), 1);
	CHECK_EQ(pintle_work_run(e.host, 0), 1);
	pintle_host_free(e.host);
}

/* ------------------------------------------------------------------ questions */

static int dial(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at)));
	pintle_inspect_serve(e.host);
	return fd;
}

static void replace(void)
{
	struct pintle_object *next =
		pintle_open(e.host, test_object("run/ends.bpf.o"), NULL);

	if (!next || pintle_object_replace(e.obj, next, NULL))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(e.host));
	e.obj = next;
}

/* One answer of a dump from @cursor on, which becomes the next one: how many keys. */
static u32 dump(int fd, char *cursor, bool *seen)
{
	static char text[1 << 17];
	char request[128];
	int len = snprintf(request, sizeof(request), "map%cdump%ctable%c%s", 0, 0, 0,
			   cursor);
	ssize_t got;
	u32 n = 0;

	CHECK_EQ(send(fd, request, (size_t)len + 1, MSG_NOSIGNAL), len + 1);
	CHECK_EQ(pintle_inspect_serve(e.host), 1);
	got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	CHECK(got > 0);
	text[got] = 0;
	for (char *at = text; (at = strstr(at, "{\"key\":")); n++) {
		long key = strtol(at += 7, NULL, 10);

		CHECK(key >= 0 && key < 4096 && !seen[key]);
		seen[key] = true;
	}
	snprintf(cursor, 16, "%.8s",
		 strstr(text, "{\"next\":\"") ? strstr(text, "\"next\":\"") + 8 : "");
	return n;
}

/* Each key is told once, though another object has the map in the middle of it. */
TEST(ends_of_objects_that_somebody_asks_about)
{
	static bool seen[4096];
	char path[64], cursor[16] = "";
	u64 value = 5;
	u32 keys = 0;
	int fd;

	memset(seen, 0, sizeof(seen));
	begin(PINTLE_JIT_AUTO);
	snprintf(path, sizeof(path), "/tmp/pintle-ends-%d", (int)getpid());
	CHECK_EQ(pintle_inspect_open(e.host, path, NULL), 0);
	for (u32 key = 0; key < 4096; key++)
		CHECK_EQ(pintle_map_update(pintle_map_find(e.obj, "table"), &key, &value,
					   0),
			 0);
	fd = dial(path);
	do {
		keys += dump(fd, cursor, seen);
		replace();
	} while (*cursor);
	CHECK_EQ(keys, 4096);
	pintle_host_free(e.host);
	close(fd);
}

/* ------------------------------------------------------------------ signals */

static int followed;

static void follow_late(void *box)
{
	__atomic_store_n(&followed, ends_hook(0, box), __ATOMIC_RELEASE);
}

/* Programs run there, too, and what they load may not be there. */
TEST(reclaim_thread_recovers_loads)
{
	void *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ends_box box = {.next = none};

	begin_with(PINTLE_OPTS(pintle_host_opts, .reclaim_thread = true));
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(e.obj, "follow")), 0);
	CHECK_EQ(ends_hook(0, &box), 7);
	followed = 0;
	pintle_defer(e.host, follow_late, &box);
	pintle_drain(e.host);
	CHECK_EQ(__atomic_load_n(&followed, __ATOMIC_ACQUIRE), 7);
	pintle_host_free(e.host);
	munmap(none, 4096);
}

/* A signal for the process is for the host's threads: no other takes it. */
TEST(signals_are_the_hosts)
{
	const struct timespec none = {0};
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	begin_with(PINTLE_OPTS(pintle_host_opts, .reclaim_thread = true,
			       .timer_thread = true, .work_thread = true));
	pthread_sigmask(SIG_BLOCK, &set, &before);
	kill(getpid(), SIGUSR1);
	usleep(1000);
	CHECK_EQ(sigtimedwait(&set, NULL, &none), SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pintle_host_free(e.host);
}
