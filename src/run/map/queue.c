/* SPDX-License-Identifier: MIT
 *
 * queue.c: queues and stacks of values without keys: a ring of max_entries values under
 * one lock. An update pushes, a lookup peeks, a lookup-and-delete pops: from the oldest of
 * a queue, the newest of a stack. Pushed with MAP_EXIST, a value takes the place of the
 * oldest when the map is full.
 *
 * Values hold no special fields (A28). One that is popped or peeked from an empty map
 * comes back as zeros.
 *
 * Ordering
 *  Q-A: pushes and pops of one map are one sequence, which is that of its lock (L1 in
 *       lock.h): what a thread did before it pushed is seen by who pops that value.
 *
 * Progress: blocking on that lock, which is held while one value is copied.
 */
#include "run/map/map.h"
#include "run/lock.h"

struct queue {
	struct map map;
	u32 lock;
	bool lifo;
	u32 n, oldest; /* values there are; index of the first of them */
	char *values;
};

static struct queue *queue_of(struct map *map)
{
	return container_of(map, struct queue, map);
}

/* The @i-th value from the oldest. */
static void *value_at(struct queue *q, u32 i)
{
	u64 index = ((u64)q->oldest + i) % q->map.max_entries;

	return q->values + index * q->map.value_size;
}

static int make(struct log *log, const struct map *proto, const struct image_map *def,
		bool lifo, struct map **out)
{
	u64 size = (u64)proto->value_size * proto->max_entries;
	struct queue *q = calloc(1, sizeof(*q));

	if (q)
		q->values = calloc(proto->max_entries, proto->value_size);
	if (!q || !q->values) {
		free(q);
		return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
				def->name, (unsigned long long)size);
	}
	q->map = *proto;
	q->lifo = lifo;
	*out = &q->map;
	return 0;
}

static int create_queue(struct log *log, const struct map *proto,
			const struct image_map *def, struct map **out)
{
	return make(log, proto, def, false, out);
}

static int create_stack(struct log *log, const struct map *proto,
			const struct image_map *def, struct map **out)
{
	return make(log, proto, def, true, out);
}

static void destroy(struct map *map)
{
	free(queue_of(map)->values);
	free(queue_of(map));
}

static int push(struct map *map, const void *key, const void *value, u64 flags)
{
	struct queue *q = queue_of(map);
	int err = 0;

	if (flags && flags != MAP_EXIST)
		return -EINVAL;
	lock_take(&q->lock);
	if (q->n == map->max_entries && !flags) {
		err = -E2BIG;
	} else {
		if (q->n == map->max_entries) {
			q->oldest = (q->oldest + 1) % map->max_entries;
			q->n--;
		}
		memcpy(value_at(q, q->n++), value, map->value_size);
	}
	lock_drop(&q->lock);
	return err;
}

static int get(struct queue *q, void *value, bool remove)
{
	lock_take(&q->lock);
	if (!q->n) {
		lock_drop(&q->lock);
		memset(value, 0, q->map.value_size);
		return -ENOENT;
	}
	memcpy(value, value_at(q, q->lifo ? q->n - 1 : 0), q->map.value_size);
	if (remove) {
		q->n--;
		if (!q->lifo)
			q->oldest = (q->oldest + 1) % q->map.max_entries;
	}
	lock_drop(&q->lock);
	return 0;
}

static int peek(struct map *map, const void *key, void *value)
{
	return get(queue_of(map), value, false);
}

static int pop(struct map *map, const void *key, void *value)
{
	return get(queue_of(map), value, true);
}

static u32 count(struct map *map)
{
	struct queue *q = queue_of(map);
	u32 n;

	lock_take(&q->lock);
	n = q->n;
	lock_drop(&q->lock);
	return n;
}

#define QUEUE_OPS                                                                        \
	.keyless = true, .free = destroy, .update = push, .write = push, .read = peek,   \
	.take = pop, .count = count

const struct map_ops map_queue_ops = {
	.type = MAP_QUEUE,
	.create = create_queue,
	QUEUE_OPS,
};

const struct map_ops map_stack_ops = {
	.type = MAP_STACK,
	.create = create_stack,
	QUEUE_OPS,
};
