/* SPDX-License-Identifier: MIT
 *
 * fork.c: forks of a process whose other threads are anywhere in the library: the child
 * either works, or every call says -ECHILD; it never hangs. And signals that arrive
 * anywhere.
 */
#include "run/stress_host.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, FORKS = 25, WHOLE = 0, TORN = 1, BROKEN = 2 };

struct forked {
	struct pintle_host *host;
	struct pintle_object *object;
	struct pintle_map *hash, *boxes;
	struct pintle_link *link; /* that `prog` has besides */
	const struct pintle_prog *prog, *slow;
	u32 stop;
	pthread_t thread[THREADS];
	pthread_barrier_t at;
};

static void forked_open(struct forked *f)
{
	stress_host_reset();
	*f = (struct forked){.host = stress_host_new(NULL)};
	CHECK(f->host);
	f->object = pintle_open(f->host, test_object("run/stress.bpf.o"), NULL);
	if (!f->object || pintle_load(f->object) || pintle_attach(f->object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(f->host));
	f->hash = pintle_map_find(f->object, "hash");
	f->boxes = pintle_map_find(f->object, "boxes");
	f->prog = pintle_prog_find(f->object, "mix_hash");
	f->slow = pintle_prog_find(f->object, "slow");
	f->link = pintle_link_attach(pintle_prog_find(f->object, "mix_hash"), NULL);
	CHECK(f->link);
	pintle_drain(f->host);
}

static void forked_close(struct forked *f)
{
	pintle_close(f->object);
	pintle_drain(f->host);
	pintle_host_free(f->host);
	CHECK_EQ(stress_counts.live, 0);
	CHECK_EQ(stress_counts.dead, 0);
	stress_host_reset();
}

/* All of it works: maps, programs, objects come and go, what is deferred is done. */
static int works(struct forked *f)
{
	char value[128] = {0};
	u64 args[1] = {5};
	u32 key;

	for (int i = 0; i < 200; i++) {
		key = (u32)i % STRESS_KEYS;
		stress_hook_p(i);
		if (pintle_prog_run(f->prog, args, NULL) ||
		    pintle_map_update(f->hash, &key, value, 0) ||
		    pintle_map_update(f->boxes, &key, value, 0))
			return BROKEN;
		pintle_map_delete(f->hash, &key);
	}
	pintle_close(f->object);
	pintle_drain(f->host);
	f->object = pintle_open(f->host, test_object("run/stress.bpf.o"), NULL);
	if (!f->object || pintle_load(f->object))
		return BROKEN;
	pintle_host_free(f->host);
	return stress_counts.dead || stress_counts.twice || stress_counts.live ? BROKEN : WHOLE;
}

static void set_one(void *obj)
{
	*(int *)obj = 1;
}

static int nothing_works(struct forked *f)
{
	struct pintle_prog *prog = pintle_prog_find(f->object, "mix_hash");
	char value[128] = {0};
	u64 args[1] = {5};
	int called = 0;
	u32 key = 1;

	if (pintle_prog_run(f->prog, args, NULL) != -ECHILD || stress_hook_p(1) ||
	    pintle_map_lookup(f->hash, &key, value) != -ECHILD ||
	    pintle_map_update(f->hash, &key, value, 0) != -ECHILD ||
	    pintle_map_delete(f->boxes, &key) != -ECHILD ||
	    pintle_open(f->host, test_object("run/stress.bpf.o"), NULL) ||
	    !strstr(pintle_host_error(f->host), "fork") ||
	    pintle_attach(f->object) != -ECHILD || pintle_link_attach(prog, NULL) ||
	    !strstr(pintle_host_error(f->host), "fork") ||
	    pintle_link_update(f->link, prog, NULL) != -ECHILD ||
	    pintle_refs_each(f->host, NULL, NULL, NULL, NULL) != -ECHILD ||
	    pintle_timers_fd(f->host) != -ECHILD || pintle_timers_next(f->host) != -ECHILD ||
	    pintle_timers_run(f->host, 0) != -ECHILD || pintle_work_fd(f->host) != -ECHILD ||
	    pintle_work_run(f->host, 0) != -ECHILD)
		return BROKEN;
	pintle_defer(f->host, set_one, &called);
	if (called)
		return BROKEN;
	pintle_link_detach(f->link);
	if (pintle_link_prog(f->link) != prog)
		return BROKEN;
	pintle_detach(f->object);
	pintle_drain(f->host);
	pintle_close(f->object);
	pintle_host_free(f->host);
	return TORN;
}

/* What a child is: it finds out, checks that all is consistent with it, and says so. */
static int fork_one(struct forked *f)
{
	u64 args[1] = {5};
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		alarm(20);
		_exit(pintle_prog_run(f->prog, args, NULL) == -ECHILD ? nothing_works(f) : works(f));
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		test_fail(__FILE__, __LINE__, "a child was ended by signal %d%s", WTERMSIG(status),
			  WTERMSIG(status) == SIGALRM ? ": it hung" : "");
	return WEXITSTATUS(status);
}

/* ------------------------------------------------------------------ everybody runs */

static void *hammer(void *data)
{
	struct forked *f = data;
	char value[128] = {0};
	u64 args[1] = {5};

	for (u32 i = 0; !__atomic_load_n(&f->stop, __ATOMIC_RELAXED); i++) {
		u32 key = i % STRESS_KEYS;

		stress_hook_p((int)i);
		pintle_prog_run(f->slow, args, NULL);
		pintle_map_update(f->hash, &key, value, 0);
		pintle_map_delete(f->boxes, &key);
		pintle_defer(f->host, free, malloc(8));
	}
	return NULL;
}

static void everybody_forks(u32 *whole, u32 *torn)
{
	struct forked f;

	forked_open(&f);
	for (u32 i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&f.thread[i], NULL, hammer, &f), 0);
	for (u32 i = 0; i < FORKS; i++) {
		int child = fork_one(&f);

		*whole += child == WHOLE;
		*torn += child == TORN;
		usleep(500);
	}
	__atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(f.thread[i], NULL);
	forked_close(&f);
}

TEST(J05_race_fork_while_others_run)
{
	u32 whole = 0, torn = 0;

#ifdef TEST_TSAN
	SKIP("a child of a process with threads may not create any there");
#endif
	everybody_forks(&whole, &torn);
	CHECK_EQ(whole + torn, FORKS);
	CHECK(whole); /* a fork waits for the others to be outside */
}

/* ------------------------------------------------------------------ somebody is inside */

static void *stay_inside(void *data)
{
	struct forked *f = data;

	pintle_read_lock(f->host);
	pthread_barrier_wait(&f->at);
	pthread_barrier_wait(&f->at);
	pintle_read_unlock(f->host);
	return NULL;
}

TEST(J05_fork_while_a_thread_stays_inside)
{
	struct forked f;

	forked_open(&f);
	pthread_barrier_init(&f.at, NULL, 2);
	CHECK_EQ(pthread_create(&f.thread[0], NULL, stay_inside, &f), 0);
	pthread_barrier_wait(&f.at);
	CHECK_EQ(fork_one(&f), TORN);
	CHECK_EQ(fork_one(&f), TORN);
	pthread_barrier_wait(&f.at);
	pthread_join(f.thread[0], NULL);
	CHECK_EQ(fork_one(&f), WHOLE);
	forked_close(&f);
}

static void *stay_for_a_second(void *data)
{
	struct forked *f = data;

	pintle_read_lock(f->host);
	pthread_barrier_wait(&f->at);
	sleep(1);
	pintle_read_unlock(f->host);
	return NULL;
}

/* What waits for that thread, liburcu's own among it, is not waited for. */
TEST(J05_fork_while_calls_wait_for_a_thread)
{
	struct timespec begin, end;
	struct forked f;
	int done = 0;

	forked_open(&f);
	pthread_barrier_init(&f.at, NULL, 2);
	CHECK_EQ(pthread_create(&f.thread[0], NULL, stay_for_a_second, &f), 0);
	pthread_barrier_wait(&f.at);
	pintle_defer(f.host, set_one, &done);
	usleep(50000); /* until it waits for the grace period */
	clock_gettime(CLOCK_MONOTONIC, &begin);
	CHECK_EQ(fork_one(&f), TORN);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < 600);
	pthread_join(f.thread[0], NULL);
	pintle_drain(f.host);
	CHECK(done);
	CHECK_EQ(fork_one(&f), WHOLE);
	forked_close(&f);
}

/* By a function that a program calls: the child may exec, or end. */
TEST(J05_fork_inside_a_section)
{
	struct forked f;
	u64 args[1] = {5};
	int status;
	pid_t pid;

	forked_open(&f);
	pintle_read_lock(f.host);
	pid = fork();
	if (!pid) {
		alarm(20);
		_exit(pintle_prog_run(f.prog, args, NULL) == -ECHILD ? nothing_works(&f) : BROKEN);
	}
	pintle_read_unlock(f.host);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), TORN);
	CHECK(!pintle_prog_run(f.prog, args, NULL));
	forked_close(&f);
}

/* ------------------------------------------------------------------ descriptors */

static int count_record(void *data, void *sample, size_t size)
{
	++*(int *)data;
	return 0;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void record(struct forked *f)
{
	u64 args[1] = {1}; /* odd: submitted */

	pintle_prog_run(pintle_prog_find(f->object, "rings"), args, NULL);
}

/* What the child produces wakes nobody in the parent, what it consumes is still there. */
TEST(J05_ring_buffers_of_a_child_are_its_own)
{
	struct pintle_ringbuf *rb;
	struct forked f;
	int records = 0, status;
	pid_t pid;

	forked_open(&f);
	rb = pintle_ringbuf_open(pintle_map_find(f.object, "ring"), count_record, &records);
	CHECK(rb);
	CHECK_EQ(fcntl(pintle_ringbuf_fd(rb), F_GETFD), FD_CLOEXEC);
	record(&f);
	pid = fork();
	if (!pid) {
		record(&f);
		_exit(readable(pintle_ringbuf_fd(rb)) && pintle_ringbuf_consume(rb, 0) == 2 &&
		      !readable(pintle_ringbuf_fd(rb)) ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(readable(pintle_ringbuf_fd(rb)));
	CHECK_EQ(pintle_ringbuf_consume(rb, 0), 1);
	CHECK(!readable(pintle_ringbuf_fd(rb)));
	pid = fork();
	if (!pid) {
		record(&f);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(!readable(pintle_ringbuf_fd(rb)));
	pintle_ringbuf_close(rb);
	forked_close(&f);
}

TEST(J05_the_socket_stays_the_parents)
{
	char dir[] = "/tmp/pintle-fork-XXXXXX", path[64];
	struct forked f;
	int status;
	pid_t pid;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	forked_open(&f);
	CHECK_EQ(pintle_inspect_open(f.host, path, NULL), 0);
	pid = fork();
	if (!pid) {
		bool refused = pintle_inspect_serve(f.host) == -ECHILD;

		pintle_inspect_close(f.host);
		_exit(refused ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(access(path, F_OK), 0);
	CHECK_EQ(pintle_inspect_serve(f.host), 0);
	forked_close(&f);
	rmdir(dir);
}

/* ------------------------------------------------------------------ signals */

static void nothing(int sig)
{
}

/* Calls that wait are interrupted all the time, and still do what they say. */
TEST(signals_interrupt_nothing)
{
	const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
	struct sigaction act = {.sa_handler = nothing}, before;
	struct forked f;
	u64 args[1] = {5};

	sigaction(SIGALRM, &act, &before); /* without SA_RESTART */
	forked_open(&f);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 30; i++) {
		stress_hook_p(i);
		if (pintle_prog_run(f.slow, args, NULL))
			break;
		pintle_drain(f.host);
		if (i % 10 == 9) {
			pintle_close(f.object);
			f.object = pintle_open(f.host, test_object("run/stress.bpf.o"), NULL);
			if (!f.object || pintle_load(f.object) || pintle_attach(f.object))
				break;
			f.slow = pintle_prog_find(f.object, "slow");
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	CHECK(f.object);
	forked_close(&f);
}
