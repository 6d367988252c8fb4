/* SPDX-License-Identifier: MIT
 *
 * ringbuf.c: the two kinds of ring buffer: records from programs to the host
 * (BPF_MAP_TYPE_RINGBUF) and from the host to programs (BPF_MAP_TYPE_USER_RINGBUF). The
 * ring itself is ring.c; programs' side of it helper_ringbuf.c, hosts' ring_api.c.
 */
#include "run/map/ring.h"

/* Bytes that are reserved and not consumed. */
static u32 count(struct map *map)
{
	struct ring *ring = ring_of(map);
	u64 cons = atomic_load_explicit(&ring->cons, memory_order_relaxed);

	return (u32)(ring_produced(ring) - cons);
}

const struct map_ops map_ringbuf_ops = {
	.type = MAP_RINGBUF,
	.keyless = true,
	.valueless = true,
	.create = ring_create,
	.free = ring_free,
	.count = count,
};

const struct map_ops map_user_ringbuf_ops = {
	.type = MAP_USER_RINGBUF,
	.keyless = true,
	.valueless = true,
	.create = ring_create,
	.free = ring_free,
	.count = count,
};
