/* SPDX-License-Identifier: MIT
 *
 * kinds.c: each map kind end to end: programs of kinds.bpf.c on one side, the public API
 * on the other.
 */
#include "setup.h"

PINTLE_HOOK(int, kinds_hook, int, n)

static int add(struct pintle_host *host)
{
	return pintle_hook_add(host, kinds_hook);
}

static struct setup begin(void)
{
	return setup_begin(PINTLE_OPTS(pintle_host_opts, .max_slots = 4), add,
			   "run/kinds.bpf.o");
}

TEST(run_kinds_hashes)
{
	struct setup s = begin();
	uint64_t values[4];
	uint32_t key = 5;

	for (int i = 0; i < 4; i++) {
		CHECK_EQ(setup_run(s, "count_percpu_hash", 5), i);
		CHECK_EQ(setup_run(s, "count_lru", 5), i);
		CHECK_EQ(setup_run(s, "count_lru_percpu", 5), i);
	}
	CHECK_EQ(pintle_map_value_size(setup_map(s, "percpu_hash")), sizeof(values));
	CHECK_EQ(pintle_map_lookup(setup_map(s, "percpu_hash"), &key, values), 0);
	CHECK_EQ(values[0] + values[1] + values[2] + values[3], 4);
	CHECK_EQ(pintle_map_lookup_and_delete(setup_map(s, "lru"), &key, values), 0);
	CHECK_EQ(values[0], 4);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(setup_run(s, "count_lru", i), 0);
		CHECK_EQ(setup_run(s, "count_lru_percpu", i + 50), 0);
	}
	CHECK_EQ(pintle_map_count(setup_map(s, "lru")), 8);
	CHECK_EQ(pintle_map_count(setup_map(s, "lru_percpu")), 8);
	setup_end(s);
}

TEST(run_kinds_without_keys)
{
	struct setup s = begin();
	struct pintle_map *queue = setup_map(s, "queue");
	uint64_t v = 50;

	CHECK_EQ(setup_run(s, "pop_queue", 0), -1);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(setup_run(s, "push_queue", i), i < 4 ? 0 : -E2BIG);
		CHECK_EQ(setup_run(s, "push_stack", i), 0);
	}
	CHECK_EQ(setup_run(s, "pop_queue", 0), 0);
	CHECK_EQ(pintle_map_update(queue, NULL, &v, 0), 0);
	CHECK_EQ(pintle_map_lookup_and_delete(queue, NULL, &v), 0);
	CHECK_EQ(v, 1);
	CHECK_EQ(setup_run(s, "pop_queue", 0), 2);
	CHECK_EQ(setup_run(s, "pop_queue", 0), 3);
	CHECK_EQ(setup_run(s, "pop_queue", 0), 50);
	for (int i = 5; i > 1; i--)
		CHECK_EQ(setup_run(s, "pop_stack", 0), i);
	CHECK_EQ(setup_run(s, "pop_stack", 0), -1);
	CHECK_EQ(setup_run(s, "in_bloom", 7), 0);
	CHECK_EQ(setup_run(s, "add_bloom", 7), 0);
	CHECK_EQ(setup_run(s, "in_bloom", 7), 1);
	setup_end(s);
}

TEST(run_kinds_lpm)
{
	struct setup s = begin();
	struct pintle_map *lpm = setup_map(s, "lpm");
	struct { uint32_t len; uint8_t addr[4]; } key = {8, {10}};
	uint64_t v = 1;

	CHECK_EQ(setup_run(s, "route", 3), -1);
	CHECK_EQ(pintle_map_update(lpm, &key, &v, 0), 0);
	key.len = 31;
	key.addr[1] = 1;
	key.addr[2] = 2;
	key.addr[3] = 4;
	v = 2;
	CHECK_EQ(pintle_map_update(lpm, &key, &v, 0), 0);
	CHECK_EQ(setup_run(s, "route", 3), 1);
	CHECK_EQ(setup_run(s, "route", 4), 2);
	CHECK_EQ(setup_run(s, "route", 5), 2);
	CHECK_EQ(setup_run(s, "route", 6), 1);
	setup_end(s);
}

struct seen {
	int n[8];
	int count;
};

static int see(void *data, void *sample, size_t size)
{
	struct seen *seen = data;

	if (size == 8 && seen->count < 8)
		seen->n[seen->count++] = *(int *)sample;
	return 0;
}

TEST(run_kinds_ringbuf)
{
	struct setup s = begin();
	struct seen seen = {0};
	struct pintle_ringbuf *rb = pintle_ringbuf_open(setup_map(s, "ring"), see, &seen);

	CHECK(rb);
	CHECK_EQ(setup_run(s, "report", -7), 0);
	CHECK_EQ(setup_run(s, "report", 1), 32);
	CHECK_EQ(setup_run(s, "report", 2), 48);
	CHECK_EQ(pintle_ringbuf_poll(rb, 1000), 2);
	CHECK(seen.count == 2 && seen.n[0] == -7 && seen.n[1] == 2);
	CHECK_EQ(setup_run(s, "report_dynptr", 6), 0);
	CHECK_EQ(pintle_ringbuf_poll(rb, 1000), 1);
	CHECK_EQ(seen.n[2], 6);
	CHECK_EQ(setup_run(s, "report", 4), 16);
	pintle_close(s.object); /* the handle holds the ring */
	CHECK_EQ(pintle_ringbuf_consume(rb, 0), 1);
	CHECK_EQ(seen.n[3], 4);
	pintle_ringbuf_close(rb);
	pintle_host_free(s.host);
}

static void feed(struct pintle_user_ringbuf *rb, uint64_t value, bool discard)
{
	uint64_t *at = pintle_user_ringbuf_reserve(rb, sizeof(value));

	CHECK(at);
	*at = value;
	if (discard)
		pintle_user_ringbuf_discard(rb, at);
	else
		pintle_user_ringbuf_submit(rb, at);
}

TEST(run_kinds_user_ringbuf)
{
	struct setup s = begin();
	struct pintle_user_ringbuf *rb =
		pintle_user_ringbuf_open(setup_map(s, "user_ring"));

	CHECK(rb && !pintle_user_ringbuf_open(setup_map(s, "ring")));
	CHECK_EQ(setup_run(s, "drain", 0), 0);
	for (int i = 1; i <= 5; i++)
		feed(rb, (uint64_t)i, i == 3);
	CHECK_EQ(setup_run(s, "drain", 0), 12004);
	feed(rb, 100, false); /* the callback stops here */
	feed(rb, 7, false);
	CHECK_EQ(setup_run(s, "drain", 0), 100001);
	CHECK_EQ(setup_run(s, "drain", 0), 7001);
	CHECK_EQ(setup_run(s, "drain", 0), 0);
	while (pintle_user_ringbuf_reserve(rb, 1000)) /* never submitted */
		;
	CHECK_EQ(errno, ENOSPC);
	CHECK(!pintle_user_ringbuf_reserve_blocking(rb, 1000, 5) && errno == ENOSPC);
	CHECK_EQ(setup_run(s, "drain", 0), 0);
	pintle_user_ringbuf_close(rb);
	setup_end(s);
}
