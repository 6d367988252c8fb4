/* SPDX-License-Identifier: MIT
 *
 * buffer.c: pinned user buffers (rule book A14, E6, J21): memory that a tenant shares and
 * that programs may read and write in place, by way of `uptr` fields. Only the host writes
 * such a field: an update's value has the address as the tenant names it; it is translated
 * and checked there, and the field pins the buffer. The pin goes a grace period of both
 * domains after the field lost it; a closed buffer is released with its last pin.
 *
 * host->buffers is under buffers_lock, a leaf. Buffers do not overlap, so that a field's
 * address tells whose it is.
 */
#include "run/memory/buffer.h"
#include "run/lock.h"

struct pintle_buffer {
	struct pintle_host *host;
	struct pintle_buffer *next;
	u64 user, size;
	char *memory;
	u64 pins; /* one of the host's own until it is closed */
	bool closed;
	void (*released)(void *data);
	void *data;
};

static bool overlaps(const struct pintle_buffer *b, u64 user, u64 memory, u64 size)
{
	u64 start = (uintptr_t)b->memory;

	return (!b->closed && user < b->user + b->size && b->user < user + size) ||
	       (memory < start + b->size && start < memory + size);
}

static bool link_buffer(struct pintle_buffer *b)
{
	struct pintle_host *host = b->host;
	bool free_of_others = true;

	lock_take(&host->buffers_lock);
	for (struct pintle_buffer *o = host->buffers; o; o = o->next)
		free_of_others &= !overlaps(o, b->user, (uintptr_t)b->memory, b->size);
	if (free_of_others) {
		b->next = host->buffers;
		host->buffers = b;
	}
	lock_drop(&host->buffers_lock);
	return free_of_others;
}

struct pintle_buffer *pintle_buffer_add(struct pintle_host *host, uint64_t user, void *memory,
					size_t size, void (*released)(void *data), void *data)
{
	struct pintle_buffer *b;

	if (!memory || !size || (uintptr_t)memory % 8 || user + size < user) {
		host_fail(host, -EINVAL, "buffer: memory at a multiple of 8 and a size needed");
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (!b) {
		host_oom(host);
		return NULL;
	}
	*b = (struct pintle_buffer){host, .user = user, .size = size, .memory = memory,
				    .pins = 1, .released = released, .data = data};
	if (link_buffer(b))
		return b;
	host_fail(host, -EEXIST, "buffer: it overlaps another");
	free(b);
	return NULL;
}

/* Takes a dead one out. With the lock held. */
static void unlink_buffer(struct pintle_buffer *b)
{
	struct pintle_buffer **at = &b->host->buffers;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
}

static void drop_pin(void *buffer)
{
	struct pintle_buffer *b = buffer;
	struct pintle_host *host = b->host;
	bool last;

	lock_take(&host->buffers_lock);
	last = !--b->pins;
	if (last)
		unlink_buffer(b);
	lock_drop(&host->buffers_lock);
	if (!last)
		return;
	if (b->released)
		b->released(b->data);
	free(b);
}

void pintle_buffer_close(struct pintle_buffer *buffer)
{
	struct pintle_host *host;

	if (!buffer)
		return;
	host = buffer->host;
	lock_take(&host->buffers_lock);
	buffer->closed = true;
	lock_drop(&host->buffers_lock);
	defer_call(host, drop_pin, buffer);
	defer_safe_point(host);
}

void buffers_free(struct pintle_host *host)
{
	for (struct pintle_buffer *b = host->buffers, *next; b; b = next) {
		next = b->next;
		if (!b->closed)
			pintle_buffer_close(b);
	}
}

static bool covers(const struct pintle_buffer *b, u64 user, u64 size)
{
	return !b->closed && user >= b->user && user - b->user < b->size &&
	       size <= b->size - (user - b->user);
}

void *buffer_pin(struct pintle_host *host, u64 user, u64 size)
{
	void *memory = NULL;

	lock_take(&host->buffers_lock);
	for (struct pintle_buffer *b = host->buffers; b && !memory; b = b->next) {
		if (!covers(b, user, size) || (user - b->user) % 8)
			continue;
		memory = b->memory + (user - b->user);
		b->pins++;
	}
	lock_drop(&host->buffers_lock);
	return memory;
}

void buffer_unpin(struct pintle_host *host, void *memory)
{
	struct pintle_buffer *b;

	lock_take(&host->buffers_lock);
	b = host->buffers;
	while (b && (u64)((char *)memory - b->memory) >= b->size)
		b = b->next;
	lock_drop(&host->buffers_lock);
	BUG_ON(!b); /* the pin keeps it in the list */
	defer_call(host, drop_pin, b);
}

/* ------------------------------------------------------------------ fields */

bool fields_have_uptr(const struct fields *fields)
{
	for (u32 i = 0; fields && i < fields->n; i++)
		if (fields->at[i].kind == FIELD_UPTR)
			return true;
	return false;
}

void uptrs_drop(struct pintle_host *host, void **pins, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (pins[i])
			buffer_unpin(host, pins[i]);
}

int uptrs_pin(struct pintle_host *host, const struct fields *fields, const void *value,
	      void **pins)
{
	for (u32 i = 0; i < fields->n; i++) {
		const struct run_field *f = &fields->at[i];
		u64 user = 0;

		pins[i] = NULL;
		if (f->kind == FIELD_UPTR)
			memcpy(&user, (const char *)value + f->off, sizeof(user));
		if (!user)
			continue;
		pins[i] = buffer_pin(host, user, f->pointee_size);
		if (!pins[i]) {
			uptrs_drop(host, pins, i);
			return host_fail(host, -EFAULT,
					 "%s: the %u bytes at 0x%llx are in no registered buffer",
					 f->path ? f->path : "uptr", f->pointee_size,
					 (unsigned long long)user);
		}
	}
	return 0;
}

void uptrs_store(struct pintle_host *host, const struct fields *fields, void *value,
		 void **pins)
{
	for (u32 i = 0; i < fields->n; i++)
		if (fields->at[i].kind == FIELD_UPTR)
			pins[i] = field_xchg((char *)value + fields->at[i].off, pins[i]);
	uptrs_drop(host, pins, fields->n);
}
