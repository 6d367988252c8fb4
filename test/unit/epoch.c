/* SPDX-License-Identifier: MIT
 *
 * epoch.c: what was unlinked is not reused while a section is open that may have found it,
 * and is soon after. Other tests' threads have ended: nobody else holds an epoch here.
 */
#include "run/life/quarantine.h"
#include "map_fixture.h"

#include <sched.h>

static bool passes(u64 stamp, u32 tries)
{
	for (u32 i = 0; i < tries && !epoch_passed(stamp); i++)
		epoch_advance();
	return epoch_passed(stamp);
}

TEST(epochs_pass_when_asked)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	u64 stamp;

	if (!epoch_usable())
		return fixture_free(host);
	stamp = epoch_stamp();
	CHECK(!epoch_passed(stamp));
	CHECK(passes(stamp, 8));
	CHECK(epoch_batch() > 0);
	fixture_free(host);
}

TEST(epochs_wait_for_sections)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	u64 stamp;

	if (!epoch_usable())
		return fixture_free(host);
	run_read_lock(host);
	run_read_lock(host);
	stamp = epoch_stamp();
	CHECK(!passes(stamp, 64));
	run_read_unlock(host); /* the inner one */
	CHECK(!passes(stamp, 64));
	run_read_unlock(host);
	run_read_lock(host); /* one that is younger does not matter for long */
	passes(stamp, 8);
	run_read_unlock(host);
	CHECK(passes(stamp, 8));
	fixture_free(host);
}

TEST(epochs_wait_for_runs_that_sleep)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct slot_ctx *slot = slot_get(host);
	u64 stamp;

	if (!epoch_usable())
		return fixture_free(host);
	sleep_enter(slot);
	stamp = epoch_stamp();
	CHECK(!passes(stamp, 64));
	sleep_leave(slot);
	CHECK(passes(stamp, 8));
	fixture_free(host);
}

/* A section of the other domain inside such a run ends without it. */
TEST(epochs_wait_for_runs_that_sleep_and_read)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct slot_ctx *slot = slot_get(host);
	u64 stamp;

	if (!epoch_usable())
		return fixture_free(host);
	for (u32 i = 0; i < 3; i++) { /* the first goes the long way */
		sleep_enter(slot);
		run_read_lock(host);
		run_read_lock(host);
		run_read_unlock(host);
		run_read_unlock(host);
		stamp = epoch_stamp();
		CHECK(!passes(stamp, 64));
		sleep_leave(slot);
		CHECK(passes(stamp, 8));
		run_read_lock(host);
		stamp = epoch_stamp();
		run_read_unlock(host);
		CHECK(passes(stamp, 8));
	}
	fixture_free(host);
}

/* Who waited for a grace period gets what was there when it began, not what came later,
 * were it in the same epoch. */
TEST(quarantine_takes_what_was_there)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct quarantine q = {.limit = 100};
	struct idle early[2], late[2];
	struct bag bag;

	if (!epoch_usable())
		return fixture_free(host);
	CHECK(!quarantine_close(&q));
	run_read_lock(host); /* no epoch passes */
	quarantine_add(&q, &early[0]);
	quarantine_add(&q, &early[1]);
	CHECK(quarantine_close(&q));
	quarantine_add(&q, &late[0]);
	CHECK_EQ(quarantine_turn(&q, 100).n, 0);
	quarantine_add(&q, &late[1]);
	CHECK_EQ(quarantine_count(&q), 4);
	bag = quarantine_take(&q);
	CHECK_EQ(bag.n, 2);
	CHECK(bag.first == &early[1] && bag.last == &early[0]);
	CHECK_EQ(quarantine_take(&q).n, 0);
	CHECK(quarantine_close(&q));
	CHECK_EQ(quarantine_take(&q).n, 2);
	CHECK(quarantine_empty(&q));
	for (u32 i = 0; i < 2; i++) { /* a third bag joins the second */
		quarantine_add(&q, &early[i]);
		quarantine_turn(&q, 100);
	}
	quarantine_add(&q, &late[0]);
	CHECK(quarantine_close(&q));
	run_read_unlock(host);
	for (u32 n = 0, i = 0; n < 3; i++) { /* by epochs: what is due is not there then */
		n += quarantine_turn(&q, 100).n;
		CHECK(i < 100);
	}
	CHECK_EQ(quarantine_take(&q).n, 0);
	fixture_free(host);
}

/* ------------------------------------------------------------------ a race */

enum { READERS = 2, ROUNDS = 3000, ALIVE = 1, DEAD = 2 };

struct shared {
	struct pintle_host *host;
	atomic(u64 *) link;
	atomic(u32) stop, wrong;
};

static void *read_links(void *data)
{
	struct shared *s = data;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		run_read_lock(s->host);
		u64 *at = atomic_load_explicit(&s->link, memory_order_acquire);

		for (u32 i = 0; i < 20; i++)
			if (*at != ALIVE) /* plain: the race detector watches it */
				atomic_store_explicit(&s->wrong, 1, memory_order_relaxed);
		run_read_unlock(s->host);
	}
	return NULL;
}

/* Two cells take turns; the one that is not linked is dead from when its epoch passed. */
TEST(epochs_race_with_readers)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	u64 cells[2] = {ALIVE, ALIVE};
	struct shared s = {.host = host, .link = &cells[0]};
	pthread_t readers[READERS];

	if (!epoch_usable())
		return fixture_free(host);
	for (u32 i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_links, &s);
	for (u32 i = 1; i < ROUNDS; i++) {
		u64 *old = &cells[!(i & 1)], stamp;

		cells[i & 1] = ALIVE;
		atomic_store_explicit(&s.link, &cells[i & 1], memory_order_release);
		stamp = epoch_stamp();
		while (!passes(stamp, 1))
			sched_yield();
		*old = DEAD;
	}
	atomic_store(&s.stop, 1);
	for (u32 i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	CHECK(!s.wrong);
	fixture_free(host);
}
