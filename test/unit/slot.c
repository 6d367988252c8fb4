/* SPDX-License-Identifier: MIT
 *
 * Execution slots: one owner, kept, given back; threads that end; forks.
 */
#include "test.h"

#include "unit/bare.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(slot_is_kept_and_given_back)
{
	struct pintle_host host;
	struct slot_ctx *slot;

	bare_host(&host);
	slot = slot_get(&host);
	CHECK(slot != NULL);
	CHECK(slot_get(&host) == slot);
	CHECK_EQ(slot->index, 0);
	CHECK_EQ(slot_count(&host), 8);
	slot_leave(&host);
	CHECK(slot->owner == NULL);
	CHECK(slot_get(&host) == slot);
	bare_host_free(&host);
}

TEST(slot_of_each_host)
{
	struct pintle_host hosts[6];

	for (u32 i = 0; i < ARRAY_SIZE(hosts); i++)
		bare_host(&hosts[i]);
	for (u32 round = 0; round < 3; round++)
		for (u32 i = 0; i < ARRAY_SIZE(hosts); i++)
			CHECK(slot_get(&hosts[i])->host == &hosts[i]);
	for (u32 i = 0; i < ARRAY_SIZE(hosts); i++)
		bare_host_free(&hosts[i]);
	/* a new host at the same place is another host */
	bare_host(&hosts[0]);
	CHECK(slot_get(&hosts[0])->owner != NULL);
	bare_host_free(&hosts[0]);
}

struct crowd {
	struct pintle_host host;
	pthread_barrier_t taken, seen;
	atomic(u32) mask, refused;
};

static void *take(void *arg)
{
	struct crowd *c = arg;
	struct slot_ctx *slot = slot_get(&c->host);

	if (slot)
		atomic_fetch_or(&c->mask, BIT(slot->index));
	else
		atomic_fetch_add(&c->refused, 1);
	pthread_barrier_wait(&c->taken);
	pthread_barrier_wait(&c->seen);
	return NULL;
}

TEST(slot_exhaustion_and_thread_exit)
{
	static struct crowd c;
	pthread_t threads[10];

	memset(&c, 0, sizeof(c));
	bare_host(&c.host);
	for (int round = 0; round < 2; round++) {
		c.mask = c.refused = 0;
		pthread_barrier_init(&c.taken, NULL, 11);
		pthread_barrier_init(&c.seen, NULL, 11);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, take, &c), 0);
		pthread_barrier_wait(&c.taken);
		CHECK_EQ(c.mask, 0xff);
		CHECK_EQ(c.refused, 2);
		CHECK(slot_get(&c.host) == NULL);
		pthread_barrier_wait(&c.seen);
		for (int i = 0; i < 10; i++)
			pthread_join(threads[i], NULL);
		/* all are free again: their threads have ended */
		CHECK(slot_get(&c.host) != NULL);
		slot_leave(&c.host);
		pthread_barrier_destroy(&c.taken);
		pthread_barrier_destroy(&c.seen);
	}
	bare_host_free(&c.host);
}

static void *outlive(void *arg)
{
	struct crowd *c = arg;

	CHECK(slot_get(&c->host) != NULL);
	pthread_barrier_wait(&c->taken);
	pthread_barrier_wait(&c->seen);
	return NULL;
}

TEST(slot_thread_outlives_its_host)
{
	static struct crowd c;
	pthread_t thread;

	bare_host(&c.host);
	pthread_barrier_init(&c.taken, NULL, 2);
	pthread_barrier_init(&c.seen, NULL, 2);
	CHECK_EQ(pthread_create(&thread, NULL, outlive, &c), 0);
	pthread_barrier_wait(&c.taken);
	bare_host_free(&c.host);
	pthread_barrier_wait(&c.seen);
	pthread_join(thread, NULL);
}

/* --- fork --- */

static void bump(void *obj)
{
	++*(int *)obj;
}

static bool stays; /* inside, where a fork cannot know what it is about */

static void *hold(void *arg)
{
	struct crowd *c = arg;

	CHECK(slot_get(&c->host) != NULL);
	run_read_lock(&c->host); /* a reader that the child does not have */
	if (!stays)
		run_read_unlock(&c->host);
	pthread_barrier_wait(&c->taken);
	pthread_barrier_wait(&c->seen);
	if (stays)
		run_read_unlock(&c->host);
	return NULL;
}

static void *use_in_child(void *arg)
{
	struct crowd *c = arg;
	struct slot_ctx *slot = slot_get(&c->host);

	run_read_lock(&c->host);
	run_read_unlock(&c->host);
	return slot ? NULL : c;
}

static int in_child(struct crowd *c)
{
	static int done;
	pthread_t thread;
	void *failed;

	if (stays)
		return !c->host.torn || slot_get(&c->host);
	/* the dead thread's slot is free */
	for (int i = 0; i < 4; i++) {
		if (pthread_create(&thread, NULL, use_in_child, c))
			return 2;
		pthread_join(thread, &failed);
		if (failed)
			return 3;
	}
	defer_call(&c->host, bump, &done);
	defer_drain(&c->host);
	defer_safe_point(&c->host);
	bare_host_free(&c->host);
	return done == 1 ? 0 : 4;
}

static void fork_beside_a_thread(bool inside)
{
	static struct crowd c;
	static int parent_done;
	pthread_t thread;
	int status;
	pid_t pid;

	stays = inside;
	bare_host(&c.host);
	parent_done = 0;
	defer_call(&c.host, bump, &parent_done);
	defer_safe_point(&c.host); /* liburcu's thread exists */
	/* a fork waits for grace periods under way, so for readers: let it end */
	defer_drain(&c.host);
	pthread_barrier_init(&c.taken, NULL, 2);
	pthread_barrier_init(&c.seen, NULL, 2);
	CHECK_EQ(pthread_create(&thread, NULL, hold, &c), 0);
	pthread_barrier_wait(&c.taken);
	pid = fork();
	if (!pid) {
		alarm(20);
		_exit(in_child(&c));
	}
	pthread_barrier_wait(&c.seen);
	pthread_join(thread, NULL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	bare_host_free(&c.host);
	CHECK_EQ(parent_done, 1);
}

TEST(slot_fork_child_is_clean)
{
#ifdef TEST_TSAN
	SKIP("ThreadSanitizer allows no threads in such a child");
#endif
	fork_beside_a_thread(false);
}

TEST(slot_fork_child_of_a_thread_inside_refuses)
{
	fork_beside_a_thread(true);
}
