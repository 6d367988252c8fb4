/* SPDX-License-Identifier: MIT
 *
 * map_ring.c: ring buffers: order, room, wake-ups, threads.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

#include "run/helper/dynptr.h"
#include "run/helper/helpers.h"
#include "run/map/ring.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

static u32 random_of(u32 *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

struct rig {
	struct pintle_host *host;
	struct pintle_object object;
	struct image_map def;
	struct pintle_map map;
	struct pintle_ringbuf *rb;
};

static struct image_map ring_def(u32 type, u32 size)
{
	struct image_map def = fixture_def(type, size, 0, NULL);

	def.key_size = def.value_size = 0;
	return def;
}

static void rig_up(struct rig *r, u32 type, u32 size, pintle_ringbuf_fn *fn, void *data)
{
	*r = (struct rig){.host = fixture_host(RCU_DEFERRED_PUT)};
	r->object.host = r->host;
	r->def = ring_def(type, size);
	r->map = (struct pintle_map){&r->object, &r->def,
				     fixture_map(r->host, &r->def)};
	if (!fn)
		return;
	r->rb = pintle_ringbuf_open(&r->map, fn, data);
	CHECK(r->rb);
}

static void rig_down(struct rig *r)
{
	pintle_ringbuf_close(r->rb);
	map_put(r->map.map);
	fixture_free(r->host);
}

static u64 arg(const void *p)
{
	return (uintptr_t)p;
}

static int output(struct rig *r, const void *data, u32 size, u64 flags)
{
	return (int)helper_ringbuf_output(arg(r->map.map), arg(data), size, flags, 0);
}

static bool readable(struct rig *r)
{
	struct pollfd p = {.fd = pintle_ringbuf_fd(r->rb), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* ------------------------------------------------------------------ order and content */

struct expect {
	u32 next, stop_at, bad;
};

/* Record @n is of (n * 7) % 100 bytes, at least 4, all but the first four being n. */
static u32 record_size(u32 n)
{
	u32 size = n * 7 % 100;

	return size < 4 ? 4 : size;
}

static void record_fill(u8 *to, u32 n)
{
	memset(to, (int)n, record_size(n));
	memcpy(to, &n, 4);
}

static int expect_next(void *data, void *sample, size_t size)
{
	struct expect *e = data;
	u8 want[100];

	record_fill(want, e->next);
	e->bad += size != record_size(e->next) || (uintptr_t)sample % 8 ||
		  memcmp(sample, want, size) != 0;
	e->next++;
	return e->next == e->stop_at ? -ECANCELED : 0;
}

/* Reserved, submitted and discarded in any order; consumed in that of reservations. */
TEST(ring_random_operations)
{
	enum { OPEN = 16 };
	struct expect e = {0};
	struct { u8 *at; u32 n; bool discard; } open[OPEN] = {0};
	u32 seed = 1, n = 0, refused = 0;
	struct rig r;

	rig_up(&r, MAP_RINGBUF, 4096, expect_next, &e);
	for (u32 i = 0; i < 60000; i++) {
		u32 k = random_of(&seed) % OPEN;

		if (open[k].at && open[k].discard) {
			helper_ringbuf_discard(arg(open[k].at), 0, 0, 0, 0);
			open[k].at = NULL;
		} else if (open[k].at) {
			record_fill(open[k].at, open[k].n);
			helper_ringbuf_submit(arg(open[k].at), 0, 0, 0, 0);
			open[k].at = NULL;
		} else {
			open[k].discard = random_of(&seed) % 4 == 0;
			open[k].n = n;
			open[k].at = (u8 *)(uintptr_t)helper_ringbuf_reserve(
				arg(r.map.map),
				open[k].discard ? random_of(&seed) % 300 : record_size(n), 0,
				0, 0);
			refused += !open[k].at;
			n += open[k].at && !open[k].discard;
		}
		if (random_of(&seed) % 32 == 0)
			CHECK(pintle_ringbuf_consume(r.rb, random_of(&seed) % 5) >= 0);
	}
	for (u32 k = 0; k < OPEN; k++)
		if (open[k].at) {
			record_fill(open[k].at, open[k].n);
			(open[k].discard ? helper_ringbuf_discard : helper_ringbuf_submit)(
				arg(open[k].at), 0, 0, 0, 0);
		}
	CHECK(pintle_ringbuf_consume(r.rb, 0) >= 0);
	CHECK(refused && n > 1000);
	CHECK_EQ(e.bad, 0);
	CHECK_EQ(e.next, n);
	CHECK_EQ(pintle_map_count(&r.map), 0);
	rig_down(&r);
}

TEST(ring_room)
{
	struct expect e = {0};
	struct rig r;
	u8 big[4096];
	struct pintle_ringbuf_info info = {sizeof(info)};
	u64 a;

	rig_up(&r, MAP_RINGBUF, 4096, expect_next, &e);
	CHECK_EQ(output(&r, big, 4089, 0), -EAGAIN);
	a = helper_ringbuf_reserve(arg(r.map.map), 4088, 0, 0, 0); /* all of it */
	CHECK(a);
	memset((void *)(uintptr_t)a, 1, 4088);
	CHECK_EQ(output(&r, big, 0, 0), -EAGAIN);
	CHECK_EQ(helper_ringbuf_query(arg(r.map.map), 0, 0, 0, 0), 4096);
	CHECK_EQ(helper_ringbuf_query(arg(r.map.map), 1, 0, 0, 0), 4096);
	CHECK_EQ(helper_ringbuf_query(arg(r.map.map), 2, 0, 0, 0), 0);
	CHECK_EQ(helper_ringbuf_query(arg(r.map.map), 3, 0, 0, 0), 4096);
	CHECK_EQ(helper_ringbuf_query(arg(r.map.map), 99, 0, 0, 0), 0);
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 0);
	helper_ringbuf_discard(a, 0, 0, 0, 0);
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 0);
	record_fill(big, 0);
	for (u32 i = 0; i < 1000; i++) { /* across the end, over and over */
		record_fill(big, i);
		CHECK_EQ(output(&r, big, record_size(i), 0), 0);
		CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 1);
	}
	CHECK_EQ(e.bad, 0);
	CHECK_EQ(pintle_ringbuf_info(r.rb, &info), 0);
	CHECK(info.bytes == 4096 && info.refused == 1 && info.produced == info.consumed);
	rig_down(&r);
}

TEST(ring_consumer_may_stop)
{
	struct expect e = {.stop_at = 2};
	struct rig r;
	u8 data[100];

	rig_up(&r, MAP_RINGBUF, 4096, expect_next, &e);
	for (u32 i = 0; i < 4; i++) {
		record_fill(data, i);
		CHECK_EQ(output(&r, data, record_size(i), 0), 0);
	}
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), -ECANCELED);
	CHECK(readable(&r));
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 1), 1);
	CHECK(readable(&r)); /* one is left */
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 1);
	CHECK(!readable(&r));
	CHECK_EQ(e.bad, 0);
	rig_down(&r);
}

/* ------------------------------------------------------------------ wake-ups */

TEST(ring_descriptor)
{
	struct expect e = {0};
	struct rig r;
	u8 data[100];

	rig_up(&r, MAP_RINGBUF, 4096, expect_next, &e);
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 0);
	CHECK(!readable(&r));
	record_fill(data, 0);
	CHECK_EQ(output(&r, data, record_size(0), 1 /* no wake-up */), 0);
	CHECK(!readable(&r));
	record_fill(data, 1);
	CHECK_EQ(output(&r, data, record_size(1), 0), 0);
	CHECK(readable(&r));
	CHECK_EQ(pintle_ringbuf_poll(r.rb, 0), 2);
	CHECK(!readable(&r));
	CHECK_EQ(pintle_ringbuf_poll(r.rb, 1), 0); /* in time */
	record_fill(data, 2);
	CHECK_EQ(output(&r, data, record_size(2), 2 /* by force */), 0);
	CHECK(readable(&r));
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 1);
	CHECK(!readable(&r));
	CHECK_EQ(e.bad, 0);
	rig_down(&r);
}

/* What was there before anybody looked is told at once. */
TEST(ring_opened_late)
{
	struct expect e = {0};
	struct rig r;
	u8 data[100];

	rig_up(&r, MAP_RINGBUF, 4096, NULL, NULL);
	record_fill(data, 0);
	CHECK_EQ(output(&r, data, record_size(0), 0), 0);
	CHECK_EQ(output(&r, data, record_size(0), 2), 0);
	r.rb = pintle_ringbuf_open(&r.map, expect_next, &e);
	CHECK(r.rb && readable(&r));
	CHECK_EQ(pintle_ringbuf_poll(r.rb, 1000), 2);
	rig_down(&r);
}

/* The other way: a host's records of all sizes, some discarded, come whole and in order. */
TEST(user_ring_random_operations)
{
	struct pintle_user_ringbuf *rb;
	u32 seed = 3, made = 0, taken = 0, full = 0, len;
	struct ring *ring;
	struct rig r;
	u8 want[100];

	rig_up(&r, MAP_USER_RINGBUF, 4096, NULL, NULL);
	ring = ring_of(r.map.map);
	rb = pintle_user_ringbuf_open(&r.map);
	CHECK(rb && ring_begin(ring));
	for (u32 i = 0; i < 40000; i++) {
		bool discard = random_of(&seed) % 4 == 0;
		u32 size = discard ? random_of(&seed) % 300 : record_size(made);
		u8 *at;

		if (random_of(&seed) % 3) {
			at = pintle_user_ringbuf_reserve(rb, size);
			full += !at;
			if (at && discard)
				pintle_user_ringbuf_discard(rb, at);
			if (!at || discard)
				continue;
			record_fill(at, made++);
			pintle_user_ringbuf_submit(rb, at);
		} else if ((at = ring_peek(ring, &len))) {
			record_fill(want, taken);
			CHECK_EQ(len, record_size(taken));
			CHECK(!memcmp(at, want, len));
			ring_pass(ring);
			taken++;
		}
	}
	for (; ring_peek(ring, &len); taken++)
		ring_pass(ring);
	CHECK(full && made > 1000 && taken == made);
	CHECK_EQ(pintle_map_count(&r.map), 0);
	ring_end(ring);
	pintle_user_ringbuf_close(rb);
	rig_down(&r);
}

TEST(user_ring_bad_arguments)
{
	static const u64 bad[] = {4, 8, 1ull << 32, UINT64_MAX};
	struct pintle_user_ringbuf *rb;
	struct rig r;
	u64 value;

	rig_up(&r, MAP_USER_RINGBUF, 4096, NULL, NULL);
	rb = pintle_user_ringbuf_open(&r.map);
	CHECK(rb && !pintle_user_ringbuf_open(NULL) &&
	      !pintle_ringbuf_open(&r.map, expect_next, NULL));
	CHECK(!pintle_user_ringbuf_reserve(NULL, 8) && errno == EINVAL);
	CHECK(!pintle_user_ringbuf_reserve(rb, 4096) && errno == E2BIG);
	CHECK(!pintle_user_ringbuf_reserve(rb, UINT32_MAX) && errno == E2BIG);
	CHECK(!pintle_user_ringbuf_reserve_blocking(rb, UINT32_MAX, -1) && errno == E2BIG);
	CHECK(!pintle_user_ringbuf_reserve_blocking(NULL, 8, -1) && errno == EINVAL);
	pintle_user_ringbuf_submit(NULL, &value);
	pintle_user_ringbuf_submit(rb, NULL);
	pintle_user_ringbuf_discard(NULL, &value);
	pintle_user_ringbuf_discard(rb, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ((int)helper_user_ringbuf_drain(arg(r.map.map), 0, 0, bad[i], 0),
			 -EINVAL);
	CHECK_EQ(pintle_map_lookup(&r.map, NULL, &value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_update(&r.map, NULL, &value, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_delete(&r.map, NULL), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_next_key(&r.map, NULL, &value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_count(&r.map), 0);
	pintle_user_ringbuf_close(rb);
	rig_down(&r);
}

TEST(ring_bad_arguments)
{
	struct pintle_ringbuf_info info = {sizeof(info)};
	struct expect e = {0};
	struct rig r;
	u64 value;

	rig_up(&r, MAP_RINGBUF, 4096, expect_next, &e);
	CHECK(!pintle_ringbuf_open(NULL, expect_next, &e));
	CHECK(!pintle_user_ringbuf_open(&r.map));
	CHECK_EQ(pintle_ringbuf_consume(NULL, 0), -EINVAL);
	CHECK_EQ(pintle_ringbuf_fd(NULL), -EINVAL);
	CHECK_EQ(pintle_ringbuf_info(NULL, &info), -EINVAL);
	CHECK_EQ(pintle_ringbuf_info(r.rb, NULL), -EINVAL);
	CHECK_EQ(output(&r, &value, 8, 4), -EINVAL);
	CHECK(!helper_ringbuf_reserve(arg(r.map.map), 8, 1, 0, 0));
	CHECK(!helper_ringbuf_reserve(arg(r.map.map), UINT64_MAX, 0, 0, 0));
	CHECK(!helper_ringbuf_reserve(arg(r.map.map), UINT32_MAX, 0, 0, 0));
	CHECK_EQ(pintle_map_lookup(&r.map, NULL, &value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_update(&r.map, NULL, &value, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_delete(&r.map, NULL), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_next_key(&r.map, NULL, &value), -EOPNOTSUPP);
	pintle_ringbuf_close(NULL);
	pintle_user_ringbuf_close(NULL);
	CHECK(!pintle_user_ringbuf_reserve(NULL, 8) && errno == EINVAL);
	rig_down(&r);
}

TEST(ring_open_without_memory)
{
	struct pintle_user_ringbuf *user;
	struct expect e = {0};
	struct rig r;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	rig_up(&r, MAP_RINGBUF, 4096, NULL, NULL);
	fail_alloc_only(1);
	r.rb = pintle_ringbuf_open(&r.map, expect_next, &e);
	fail_alloc_off();
	CHECK(!r.rb);
	CHECK_HAS(words_get(r.host), "memory");
	r.rb = pintle_ringbuf_open(&r.map, expect_next, &e);
	CHECK(r.rb);
	rig_down(&r);
	rig_up(&r, MAP_USER_RINGBUF, 4096, NULL, NULL);
	fail_alloc_only(1);
	user = pintle_user_ringbuf_open(&r.map);
	fail_alloc_off();
	CHECK(!user);
	CHECK_HAS(words_get(r.host), "memory");
	rig_down(&r);
}

/* ------------------------------------------------------------------ dynptrs */

TEST(ring_dynptr)
{
	struct expect e = {0};
	struct dynptr d;
	struct rig r;
	u8 data[100], back[4];

	rig_up(&r, MAP_RINGBUF, 4096, expect_next, &e);
	record_fill(data, 0);
	CHECK_EQ((int)helper_ringbuf_reserve_dynptr(arg(r.map.map), 8, 1, arg(&d), 0),
		 -EINVAL);
	CHECK_EQ((int)helper_ringbuf_reserve_dynptr(arg(r.map.map), 1 << 24, 0, arg(&d), 0),
		 -E2BIG);
	helper_ringbuf_submit_dynptr(arg(&d), 0, 0, 0, 0); /* of nothing */
	CHECK_EQ((int)helper_dynptr_write(arg(&d), 0, arg(data), 4, 0), -EINVAL);
	CHECK_EQ(helper_ringbuf_reserve_dynptr(arg(r.map.map), record_size(0), 0, arg(&d), 0),
		 0);
	CHECK_EQ((int)helper_dynptr_write(arg(&d), 0, arg(data), record_size(0), 0), 0);
	CHECK_EQ((int)helper_dynptr_write(arg(&d), 1, arg(data), record_size(0), 0), -E2BIG);
	CHECK_EQ((int)helper_dynptr_write(arg(&d), 0, arg(data), 1, 1), -EINVAL);
	CHECK_EQ((int)helper_dynptr_read(arg(back), 4, arg(&d), 0, 0), 0);
	CHECK(!memcmp(back, data, 4));
	CHECK_EQ((int)helper_dynptr_read(arg(back), 4, arg(&d), UINT32_MAX, 0), -E2BIG);
	CHECK(helper_dynptr_data(arg(&d), 0, 4, 0, 0));
	CHECK(!helper_dynptr_data(arg(&d), 1, 4, 0, 0));
	helper_ringbuf_submit_dynptr(arg(&d), 0, 0, 0, 0);
	CHECK_EQ(helper_ringbuf_reserve_dynptr(arg(r.map.map), 50, 0, arg(&d), 0), 0);
	helper_ringbuf_discard_dynptr(arg(&d), 0, 0, 0, 0);
	CHECK_EQ(pintle_ringbuf_consume(r.rb, 0), 1);
	CHECK_EQ(e.bad, 0);
	CHECK_EQ((int)helper_dynptr_from_mem(arg(data), 1 << 24, 0, arg(&d), 0), -E2BIG);
	CHECK_EQ((int)helper_dynptr_from_mem(arg(data), 8, 1, arg(&d), 0), -EINVAL);
	CHECK_EQ((int)helper_dynptr_from_mem(arg(data), 8, 0, arg(&d), 0), 0);
	CHECK_EQ(helper_dynptr_data(arg(&d), 4, 4, 0, 0), arg(data + 4));
	rig_down(&r);
}

/* ------------------------------------------------------------------ threads */

enum { PRODUCERS = 3, RECORDS = 30000 };

struct producer {
	pthread_t thread;
	struct rig *rig;
	u32 id;
};

static void *produce(void *data)
{
	struct producer *p = data;

	for (u32 i = 0; i < RECORDS;) {
		u32 *at = (u32 *)(uintptr_t)helper_ringbuf_reserve(
			arg(p->rig->map.map), 8 + i % 3 * 8, 0, 0, 0);

		if (!at) {
			sched_yield();
			continue;
		}
		at[0] = p->id;
		at[1] = i++;
		helper_ringbuf_submit(arg(at), 0, 0, 0, 0);
	}
	return NULL;
}

struct tally {
	u32 next[PRODUCERS], bad;
};

static int count_record(void *data, void *sample, size_t size)
{
	struct tally *t = data;
	u32 *at = sample;

	t->bad += at[0] >= PRODUCERS || at[1] != t->next[at[0] % PRODUCERS]++ ||
		  size != 8 + at[1] % 3 * 8;
	return 0;
}

/* B-A, B-C, B-E: all come, in order, to a consumer that sleeps whenever it can. */
TEST(race_ring)
{
	struct producer p[PRODUCERS];
	struct tally t = {0};
	u32 total = 0;
	struct rig r;

	rig_up(&r, MAP_RINGBUF, 4096, count_record, &t);
	for (u32 i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){.rig = &r, .id = i};
		CHECK_EQ(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
	}
	while (total < PRODUCERS * RECORDS) {
		s64 n = pintle_ringbuf_poll(r.rb, 10000);

		if (n <= 0) {
			t.bad++; /* slept through a wake-up */
			break;
		}
		total += (u32)n;
	}
	for (u32 i = 0; i < PRODUCERS; i++)
		pthread_join(p[i].thread, NULL);
	CHECK_EQ(t.bad, 0);
	CHECK_EQ(total, PRODUCERS * RECORDS);
	rig_down(&r);
}

struct feeder {
	pthread_t thread;
	struct pintle_user_ringbuf *rb;
	u32 n, wrong;
};

static void *feed(void *data)
{
	struct feeder *f = data;

	for (u32 i = 0; i < RECORDS; i++) {
		u32 *at = pintle_user_ringbuf_reserve_blocking(f->rb, 16, 10000);

		if (!at) {
			f->wrong++;
			break;
		}
		at[0] = i;
		if (i % 8 == 7)
			pintle_user_ringbuf_discard(f->rb, at);
		else
			pintle_user_ringbuf_submit(f->rb, at);
	}
	return NULL;
}

/* A producer that waits for room gets it. */
TEST(race_ring_room)
{
	struct feeder f = {0};
	u32 next = 0, len, bad = 0;
	struct ring *ring;
	struct rig r;

	rig_up(&r, MAP_USER_RINGBUF, 4096, NULL, NULL);
	ring = ring_of(r.map.map);
	f.rb = pintle_user_ringbuf_open(&r.map);
	CHECK(f.rb && !pintle_ringbuf_open(&r.map, count_record, NULL));
	CHECK(!pintle_user_ringbuf_reserve(f.rb, 4096) && errno == E2BIG);
	CHECK_EQ(pthread_create(&f.thread, NULL, feed, &f), 0);
	CHECK(ring_begin(ring) && !ring_begin(ring));
	while (next < RECORDS - 1) {
		u32 *at = ring_peek(ring, &len);

		if (!at) {
			sched_yield();
			continue;
		}
		bad += *at != next || len != 16;
		next += next % 8 == 6 ? 2 : 1;
		ring_pass(ring);
		ring_made_room(ring, false);
	}
	ring_end(ring);
	pthread_join(f.thread, NULL);
	CHECK(!bad && !f.wrong);
	pintle_user_ringbuf_close(f.rb);
	rig_down(&r);
}
