/* SPDX-License-Identifier: MIT
 *
 * ring.c: see ring.h.
 *
 * Positions count bytes for ever; a record is at its position modulo the size. The memory
 * is twice the size, so that one which begins before the end lies there in one piece: the
 * bytes at the beginning that it would have wrapped into stay unused while it lives. (One
 * mapping of private memory, not two of shared: a child after a fork has its own.)
 *
 * Ordering
 *  B-A: records are consumed in the order of their reservations, each whole and once: a
 *       record that is still busy holds up those after it.
 *  B-B: a record's head says "busy" before its position is passed by `prod`: the release
 *       store of `prod` pairs with the acquire load in ring_produced(). The same store
 *       lets the next producer in, and pairs with the acquire in lock_prod(): positions are
 *       multiples of 8, and `prod` is its own lock.
 *  B-C: what a producer wrote before its commit is seen by the consumer: the exchange in
 *       ring_commit() pairs with the acquire load in ring_peek().
 *  B-D: room is reused after the consumer is done with it: the release store of `cons`
 *       pairs with the acquire load in has_room().
 *  B-E: no wake-up is lost: a committer stores the head, then looks whether the bell is
 *       armed; the consumer arms, then looks at the head once more. All four are
 *       sequentially consistent, so one of the two sees the other. The same of those
 *       who wait for room, with fences.
 *
 * Lines: a producer looks at the consumer's position, and the consumer at the producers',
 * only when what each saw last does not do; so while a ring is neither empty nor full, what
 * moves between processors are records.
 *
 * Progress: reserving blocks on the producers' lock, held for a few instructions;
 * committing and consuming are wait-free, but for a system call when the other side sleeps.
 */
#include "run/map/ring.h"
#include "run/lock.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEAD = sizeof(struct ring_head), PAGE = 4096 };

/* The page before the data says whose it is. */
static struct ring **owner_of(char *data)
{
	return (struct ring **)(data - PAGE);
}

/* ------------------------------------------------------------------ life */

static int map_memory(struct ring *ring)
{
	char *at;

	ring->mapped = PAGE + 2 * ring->size;
	at = mmap(NULL, ring->mapped, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	ring->data = at + PAGE;
	*owner_of(ring->data) = ring;
	return 0;
}

int ring_create(struct log *log, const struct map *proto, const struct image_map *def,
		struct map **out)
{
	u64 size = proto->max_entries;
	struct ring *ring;

	if (size & (size - 1) || size % PAGE)
		return log_fail(log, -EINVAL,
				"map '%s': max_entries is %u: the size of a ring buffer in "
				"bytes is a power of two and a multiple of %d",
				def->name, def->max_entries, PAGE);
	ring = aligned_alloc(RING_LINE, sizeof(*ring));
	if (ring) {
		memset(ring, 0, sizeof(*ring));
		ring->map = *proto;
		ring->size = size;
		ring->records.fd = ring->room.fd = -1;
	}
	if (!ring || map_memory(ring)) {
		free(ring);
		return log_fail(log, -ENOMEM, "map '%s': no memory for %llu bytes",
				def->name, (unsigned long long)size);
	}
	*out = &ring->map;
	return 0;
}

static void bell_close(struct bell *bell)
{
	if (bell->fd >= 0)
		close(bell->fd);
}

void ring_free(struct map *map)
{
	struct ring *ring = ring_of(map);

	bell_close(&ring->records);
	bell_close(&ring->room);
	munmap(ring->data - PAGE, ring->mapped);
	free(ring);
}

/* ------------------------------------------------------------------ producing */

/* Under the producers' lock: whether all up to @end fits. The consumer's line is looked
 * at only when what was seen of it last does not do. */
static bool has_room(struct ring *ring, u64 end)
{
	if (end - ring->cons_seen <= ring->size)
		return true;
	/* acquire: B-D, pairs with ring_pass() */
	ring->cons_seen = atomic_load_explicit(&ring->cons, memory_order_acquire);
	return end - ring->cons_seen <= ring->size;
}

static struct ring_head *head_at(struct ring *ring, u64 pos)
{
	return (struct ring_head *)(ring->data + (pos & (ring->size - 1)));
}

/* The position to reserve at; then `prod` is locked. */
static u64 lock_prod(struct ring *ring)
{
	for (u32 tries = 0;; tries++) {
		u64 pos = atomic_load_explicit(&ring->prod, memory_order_relaxed);

		/* acquire: pairs with unlock_prod() */
		if (likely(!(pos & RING_LOCKED) &&
			   atomic_compare_exchange_strong_explicit(
				   &ring->prod, &pos, pos | RING_LOCKED,
				   memory_order_acquire, memory_order_relaxed)))
			return pos;
		lock_pause(tries);
	}
}

static void unlock_prod(struct ring *ring, u64 pos)
{
	/* release: B-B, pairs with ring_produced() and lock_prod() */
	atomic_store_explicit(&ring->prod, pos, memory_order_release);
}

void *ring_reserve(struct ring *ring, u64 len)
{
	u64 total = ROUND_UP(len + HEAD, 8), pos;
	struct ring_head *head;

	if (len > RING_MAX || total > ring->size)
		return NULL;
	pos = lock_prod(ring);
	if (unlikely(!has_room(ring, pos + total))) {
		unlock_prod(ring, pos);
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return NULL;
	}
	head = head_at(ring, pos);
	head->at = (u32)(((char *)head - ring->data) / 8);
	atomic_store_explicit(&head->len, (u32)len | (u32)RING_BUSY, memory_order_relaxed);
	unlock_prod(ring, pos + total);
	return head + 1;
}

struct ring *ring_commit(void *data, bool discard)
{
	struct ring_head *head = (struct ring_head *)data - 1;
	struct ring *ring = *owner_of((char *)head - (u64)head->at * 8);
	u32 len = atomic_load_explicit(&head->len, memory_order_relaxed);

	len = (len & ~(u32)RING_BUSY) | (discard ? RING_DISCARD : 0);
	/* B-C, B-E: pairs with ring_peek() */
	atomic_exchange_explicit(&head->len, len, memory_order_seq_cst);
	return ring;
}

/* ------------------------------------------------------------------ consuming */

bool ring_begin(struct ring *ring)
{
	/* acquire: pairs with ring_end(): one consumer goes on where another ended */
	return !atomic_exchange_explicit(&ring->consuming, 1, memory_order_acquire);
}

void ring_end(struct ring *ring)
{
	/* release: pairs with ring_begin() */
	atomic_store_explicit(&ring->consuming, 0, memory_order_release);
}

/* The head of the next record, committed or not; NULL: there is none. By who consumes. */
static struct ring_head *next_head(struct ring *ring)
{
	u64 cons = atomic_load_explicit(&ring->cons, memory_order_relaxed);

	if (cons == ring->prod_seen)
		ring->prod_seen = ring_produced(ring);
	return cons == ring->prod_seen ? NULL : head_at(ring, cons);
}

static void pass(struct ring *ring, u32 len)
{
	u64 cons = atomic_load_explicit(&ring->cons, memory_order_relaxed);

	/* release: B-D, pairs with has_room() */
	atomic_store_explicit(&ring->cons, cons + ROUND_UP((u64)len + HEAD, 8),
			      memory_order_release);
}

void ring_made_room(struct ring *ring, bool force)
{
	/* B-E, with the roles changed: pairs with the fence in bell_arm() */
	atomic_thread_fence(memory_order_seq_cst);
	bell_ring(&ring->room, force);
}

void *ring_peek(struct ring *ring, u32 *len)
{
	struct ring_head *head;

	while ((head = next_head(ring))) {
		/* B-C, B-E: pairs with ring_commit() */
		*len = atomic_load_explicit(&head->len, memory_order_seq_cst);
		if (*len & (u32)RING_BUSY)
			return NULL;
		if (!(*len & RING_DISCARD))
			return head + 1;
		pass(ring, *len & ~(u32)RING_DISCARD);
	}
	return NULL;
}

void ring_pass(struct ring *ring)
{
	struct ring_head *head = next_head(ring);

	BUG_ON(!head);
	pass(ring, atomic_load_explicit(&head->len, memory_order_relaxed));
}

/* ------------------------------------------------------------------ bells */

int bell_fd(struct bell *bell)
{
	int fd = atomic_load_explicit(&bell->fd, memory_order_acquire), none = -1;

	if (fd >= 0)
		return fd;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* release: pairs with the loads of fd: it stays until the map goes */
	if (atomic_compare_exchange_strong_explicit(&bell->fd, &none, fd,
						    memory_order_acq_rel,
						    memory_order_acquire))
		return fd;
	close(fd);
	return none;
}

void bell_arm(struct bell *bell)
{
	atomic_store_explicit(&bell->armed, 1, memory_order_seq_cst);
	atomic_thread_fence(memory_order_seq_cst);
}

static void make_readable(struct bell *bell)
{
	int fd = atomic_load_explicit(&bell->fd, memory_order_acquire);
	u64 one = 1;

	/* It cannot block; when its count is at the limit it is readable already. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;
}

void bell_ring(struct bell *bell, bool force)
{
	int saved = errno;

	if (likely(!force && !atomic_load_explicit(&bell->armed, memory_order_seq_cst)))
		return;
	if (atomic_exchange_explicit(&bell->armed, 0, memory_order_seq_cst) || force) {
		make_readable(bell);
		/* Afterwards: who armed again meanwhile has cleared too early. */
		atomic_store_explicit(&bell->rung, 1, memory_order_release);
	}
	errno = saved;
}

void bell_clear(struct bell *bell)
{
	int saved = errno, fd = atomic_load_explicit(&bell->fd, memory_order_acquire);
	u64 n;

	/* Armed and not rung: it is not readable. */
	bool armed = atomic_exchange_explicit(&bell->armed, 0, memory_order_seq_cst);

	if (!atomic_exchange_explicit(&bell->rung, 0, memory_order_acquire) && armed)
		return;
	if (fd >= 0 && read(fd, &n, sizeof(n)) < 0)
		n = 0;
	errno = saved;
}

/* The parent's would hear of the child's records, and the child would clear the parent's. */
static void bell_renew(struct bell *bell)
{
	int fd = bell->fd, fresh = fd < 0 ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fresh < 0)
		return;
	if (dup3(fresh, fd, O_CLOEXEC) == fd)
		bell_ring(bell, true); /* there may be something */
	close(fresh);
}

void ring_after_fork(struct ring *ring)
{
	bell_renew(&ring->records);
	bell_renew(&ring->room);
	atomic_store_explicit(&ring->consuming, 0, memory_order_relaxed);
}
