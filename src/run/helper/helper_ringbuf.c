/* SPDX-License-Identifier: MIT
 *
 * helper_ringbuf.c: programs' side of ring buffers (map/ring.h): records to the host, and
 * from it.
 */
#include "run/helper/dynptr.h"
#include "run/helper/helpers.h"
#include "run/map/ring.h"

#include <pthread.h>

enum { NO_WAKEUP = 1, FORCE_WAKEUP = 2 };
enum { QUERY_AVAILABLE, QUERY_SIZE, QUERY_CONS, QUERY_PROD };
enum { MAX_DRAINED = 128 << 10 };

static void commit(void *data, bool discard, u64 flags)
{
	struct ring *ring = ring_commit(data, discard);

	if (!(flags & NO_WAKEUP) || flags & FORCE_WAKEUP)
		bell_ring(&ring->records, flags & FORCE_WAKEUP);
}

/* long(map, data, size, flags): 0, -EAGAIN when there is no room, -EINVAL. */
HELPER_FN(ringbuf_output)
{
	void *to;

	if (d & ~(u64)(NO_WAKEUP | FORCE_WAKEUP))
		return helper_err(-EINVAL);
	to = ring_reserve(ring_of(helper_ptr(a)), c);
	if (!to)
		return helper_err(-EAGAIN);
	memcpy(to, helper_ptr(b), c);
	commit(to, false, d);
	return 0;
}

/* void *(map, size, flags): room for a record, or NULL. */
HELPER_FN(ringbuf_reserve)
{
	return c ? 0 : (uintptr_t)ring_reserve(ring_of(helper_ptr(a)), b);
}

/* void(record, flags). */
HELPER_FN(ringbuf_submit)
{
	commit(helper_ptr(a), false, b);
	return 0;
}

HELPER_FN(ringbuf_discard)
{
	commit(helper_ptr(a), true, b);
	return 0;
}

/* u64(map, what): a number that may be old by now; 0 for what is not known. */
HELPER_FN(ringbuf_query)
{
	struct ring *ring = ring_of(helper_ptr(a));
	u64 cons = atomic_load_explicit(&ring->cons, memory_order_acquire);
	u64 prod = ring_produced(ring);

	switch (b) {
	case QUERY_AVAILABLE: return prod - cons;
	case QUERY_SIZE: return ring->size;
	case QUERY_CONS: return cons;
	case QUERY_PROD: return prod;
	default: return 0;
	}
}

/* long(map, size, flags, dynptr): 0; -E2BIG, -EINVAL and a dynptr of nothing. */
HELPER_FN(ringbuf_reserve_dynptr)
{
	struct dynptr *p = helper_ptr(d);
	u32 size = (u32)b;
	void *data;

	*p = (struct dynptr){0};
	if (c)
		return helper_err(-EINVAL);
	if (size > DYNPTR_MAX)
		return helper_err(-E2BIG);
	data = ring_reserve(ring_of(helper_ptr(a)), size);
	if (!data)
		return helper_err(-EINVAL);
	*p = (struct dynptr){data, size, 0};
	return 0;
}

/* A dynptr of nothing has nothing to give back. */
static void commit_dynptr(struct dynptr *p, bool discard, u64 flags)
{
	if (p->data)
		commit(p->data, discard, flags);
	*p = (struct dynptr){0};
}

/* void(dynptr, flags). */
HELPER_FN(ringbuf_submit_dynptr)
{
	commit_dynptr(helper_ptr(a), false, b);
	return 0;
}

HELPER_FN(ringbuf_discard_dynptr)
{
	commit_dynptr(helper_ptr(a), true, b);
	return 0;
}

/* Calls @fn for what there is, until it returns 1: how many records it was called for. */
static s64 drain(struct ring *ring, const void *fn, u64 ctx)
{
	bool go_on = true;
	s64 n = 0;
	u32 len;
	char *data;

	while (go_on && n < MAX_DRAINED && (data = ring_peek(ring, &len))) {
		/* Where the record is, what of it may be written: nothing. */
		struct dynptr p = {data, len | (u32)DYNPTR_RDONLY, 0};

		go_on = !interp_callback(fn, (uintptr_t)&p, ctx, 0, 0, 0);
		ring_pass(ring);
		n++;
	}
	return n;
}

/* Also when its thread ends in a function that the callback called. */
static void drainer_ends(void *ring)
{
	ring_end(ring);
}

/* long(map, callback(dynptr, ctx), ctx, flags): records drained, -EBUSY while another
 * program drains, -EINVAL. */
HELPER_FN(user_ringbuf_drain)
{
	struct ring *ring = ring_of(helper_ptr(a));
	s64 n;

	if (d & ~(u64)(NO_WAKEUP | FORCE_WAKEUP))
		return helper_err(-EINVAL);
	if (!ring_begin(ring))
		return helper_err(-EBUSY);
	pthread_cleanup_push(drainer_ends, ring);
	n = drain(ring, helper_ptr(b), c);
	pthread_cleanup_pop(1);
	if (d & FORCE_WAKEUP || (n && !(d & NO_WAKEUP)))
		ring_made_room(ring, d & FORCE_WAKEUP);
	return (u64)n;
}
