/* SPDX-License-Identifier: MIT
 *
 * ring_api.c: hosts' side of ring buffers (pintle_ringbuf_*, pintle_user_ringbuf_*). A
 * handle holds its map: it outlives the object it came from.
 *
 * How a consumer sleeps: whenever consume() leaves the ring empty it arms the bell, so the
 * next record makes the descriptor readable; a consumer that polls it is told exactly once
 * for all that comes until it consumes again.
 */
#include "run/map/ring.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

struct pintle_ringbuf {
	struct ring *ring;
	pintle_ringbuf_fn *fn;
	void *data;
	int fd;
};

struct pintle_user_ringbuf {
	struct ring *ring;
	int fd;
};

/* -EINVAL and words unless @map is a loaded one of @type. */
static int take_ring(struct pintle_map *map, u32 type, struct ring **ring)
{
	struct pintle_host *host;

	if (!map)
		return -EINVAL;
	host = map_host(map);
	TRY(host_check(host));
	if (!map->map || map->map->type != type)
		return host_fail(host, -EINVAL, "map '%s' is %s", map->image->name,
				 map->map ? "no ring buffer of this kind"
					  : "of an object that is not loaded");
	*ring = ring_of(map->map);
	return 0;
}

/* A handle holds its map. */
static void give_ring(struct ring *ring)
{
	struct pintle_host *host = ring->map.host;

	map_put(&ring->map);
	defer_safe_point(host);
}

/* ------------------------------------------------------------------ consumer */

/* Nothing is left to be consumed. In the other case the descriptor must be readable:
 * whoever polls it has to come back. */
static bool arm_when_empty(struct ring *ring)
{
	u32 len;

	bell_arm(&ring->records);
	if (!ring_peek(ring, &len))
		return true;
	bell_clear(&ring->records);
	return false;
}

PINTLE_API struct pintle_ringbuf *pintle_ringbuf_open(struct pintle_map *map,
						      pintle_ringbuf_fn *fn, void *data)
{
	struct pintle_ringbuf *rb = NULL;
	struct ring *ring = NULL;
	int fd;

	if (take_ring(map, MAP_RINGBUF, &ring))
		return NULL;
	fd = bell_fd(&ring->records);
	if (fd >= 0)
		rb = malloc(sizeof(*rb));
	if (!rb) {
		host_fail(map_host(map), fd < 0 ? fd : -ENOMEM, "map '%s': %s",
			  map->image->name, strerror(fd < 0 ? -fd : ENOMEM));
		return NULL;
	}
	map_get(map->map);
	*rb = (struct pintle_ringbuf){ring, fn, data, fd};
	bell_ring(&ring->records, true); /* there may be records: the first poll looks */
	return rb;
}

PINTLE_API void pintle_ringbuf_close(struct pintle_ringbuf *rb)
{
	if (!rb || rb->ring->map.host->torn)
		return;
	give_ring(rb->ring);
	free(rb);
}

PINTLE_API int pintle_ringbuf_fd(const struct pintle_ringbuf *rb)
{
	return rb ? rb->fd : -EINVAL;
}

/* Up to @max records: how many, or what fn() returned below 0. */
static s64 consume_some(struct pintle_ringbuf *rb, u64 max)
{
	s64 n = 0;
	void *at;
	u32 len;

	while ((u64)n < max && (at = ring_peek(rb->ring, &len))) {
		int err = rb->fn(rb->data, at, len);

		ring_pass(rb->ring);
		n++;
		if (err < 0)
			return err;
	}
	return n;
}

static s64 consume(struct pintle_ringbuf *rb, u64 max)
{
	s64 n = 0, more;

	bell_clear(&rb->ring->records);
	do {
		more = consume_some(rb, max - (u64)n);
		n = more < 0 ? more : n + more;
	} while (n >= 0 && (u64)n < max && !arm_when_empty(rb->ring));
	if (n < 0 || (u64)n == max) /* there may be more */
		bell_ring(&rb->ring->records, true);
	return n;
}

/* The record that the thread ended in is there still. */
static void consumer_ends(void *data)
{
	struct pintle_ringbuf *rb = data;

	bell_ring(&rb->ring->records, true);
	ring_end(rb->ring);
}

PINTLE_API int64_t pintle_ringbuf_consume(struct pintle_ringbuf *rb, uint64_t max)
{
	s64 n;

	if (!rb || !rb->fn)
		return -EINVAL;
	if (rb->ring->map.host->torn)
		return -ECHILD;
	if (!ring_begin(rb->ring))
		return -EBUSY;
	pthread_cleanup_push(consumer_ends, rb);
	n = consume(rb, max ? max : INT64_MAX);
	pthread_cleanup_pop(0);
	ring_end(rb->ring);
	return n;
}

static s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (s64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is left of @timeout_ms (below 0: for ever) that began at @begin. */
static int time_left(s64 begin, int timeout_ms)
{
	s64 gone = timeout_ms < 0 ? 0 : now_ms() - begin;

	return timeout_ms < 0 ? -1 : gone < timeout_ms ? (int)(timeout_ms - gone) : 0;
}

/* Until @fd is readable, or the time is over. */
static int wait_for(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) < 0 ? -errno : 0;
}

/* A bell may ring for a record that waits behind one that is still busy. */
PINTLE_API int64_t pintle_ringbuf_poll(struct pintle_ringbuf *rb, int timeout_ms)
{
	s64 n = pintle_ringbuf_consume(rb, 0), begin = n || !timeout_ms ? 0 : now_ms();
	int left = timeout_ms;

	while (!n && left) {
		TRY(wait_for(rb->fd, left));
		n = pintle_ringbuf_consume(rb, 0);
		left = time_left(begin, timeout_ms);
	}
	return n;
}

PINTLE_API int pintle_ringbuf_info(const struct pintle_ringbuf *rb,
				   struct pintle_ringbuf_info *info)
{
	struct pintle_ringbuf_info full = {.size = info ? info->size : 0};

	if (!rb || !info)
		return -EINVAL;
	full.bytes = rb->ring->size;
	full.consumed = atomic_load_explicit(&rb->ring->cons, memory_order_acquire);
	full.produced = ring_produced(rb->ring);
	full.refused = atomic_load_explicit(&rb->ring->lost, memory_order_relaxed);
	memcpy(info, &full, info->size < sizeof(full) ? info->size : sizeof(full));
	return 0;
}

/* ------------------------------------------------------------------ producer */

PINTLE_API struct pintle_user_ringbuf *pintle_user_ringbuf_open(struct pintle_map *map)
{
	struct pintle_user_ringbuf *rb;
	struct ring *ring = NULL;

	if (take_ring(map, MAP_USER_RINGBUF, &ring))
		return NULL;
	rb = malloc(sizeof(*rb));
	if (!rb) {
		host_oom(map_host(map));
		return NULL;
	}
	map_get(map->map);
	*rb = (struct pintle_user_ringbuf){ring, -1};
	return rb;
}

PINTLE_API void pintle_user_ringbuf_close(struct pintle_user_ringbuf *rb)
{
	if (!rb || rb->ring->map.host->torn)
		return;
	give_ring(rb->ring);
	free(rb);
}

/* In a section, so that no fork finds the producers' lock taken. */
static void *reserve_whole(struct ring *ring, u32 size)
{
	void *at;

	run_read_lock(ring->map.host);
	at = ring_reserve(ring, size);
	run_read_unlock(ring->map.host);
	return at;
}

PINTLE_API void *pintle_user_ringbuf_reserve(struct pintle_user_ringbuf *rb, uint32_t size)
{
	struct pintle_host *host = rb ? rb->ring->map.host : NULL;
	void *at = NULL;

	if (!rb)
		errno = EINVAL;
	else if (host->torn)
		errno = ECHILD;
	else if (size > RING_MAX || size + sizeof(struct ring_head) > rb->ring->size)
		errno = E2BIG;
	else if (!(at = reserve_whole(rb->ring, size)))
		errno = ENOSPC;
	return at;
}

enum { ROOM_NAP_MS = 50 };

/* Sleeps until the bell for room rings; false: it cannot. Not for long: of several who
 * wait one may clear the bell for all. */
static bool sleep_for_room(int fd, int ms)
{
	int err = wait_for(fd, ms < 0 || ms > ROOM_NAP_MS ? ROOM_NAP_MS : ms);

	if (!err || err == -EINTR)
		return true;
	errno = -err;
	return false;
}

PINTLE_API void *pintle_user_ringbuf_reserve_blocking(struct pintle_user_ringbuf *rb,
						      uint32_t size, int timeout_ms)
{
	void *at = pintle_user_ringbuf_reserve(rb, size);
	s64 begin;
	int fd, left;

	if (at || !rb || errno != ENOSPC)
		return at;
	begin = now_ms();
	fd = bell_fd(&rb->ring->room);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	do {
		left = time_left(begin, timeout_ms);
		bell_clear(&rb->ring->room);
		bell_arm(&rb->ring->room);
		at = pintle_user_ringbuf_reserve(rb, size);
	} while (!at && left && sleep_for_room(fd, left));
	return at;
}

PINTLE_API void pintle_user_ringbuf_submit(struct pintle_user_ringbuf *rb, void *sample)
{
	if (rb && sample)
		ring_commit(sample, false);
}

PINTLE_API void pintle_user_ringbuf_discard(struct pintle_user_ringbuf *rb, void *sample)
{
	if (rb && sample)
		ring_commit(sample, true);
}
