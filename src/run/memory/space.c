/* SPDX-License-Identifier: MIT
 *
 * space.c: memory that is not the host's own: address spaces, what user pointers mean, and
 * the helpers that read through them (rule book E, J18-J20).
 *
 * A user pointer is a handle {space, address}. One that a program was given by a hook or
 * found in an object has no space: it means the space that is current in the invocation,
 * which the host set by pintle_space_enter(). Stored into a field, it gets the current
 * space's number and keeps it: reading it later reads the right space, or fails when that
 * is gone. Lowered code makes sure that no number of a program's own making, nor any
 * address that came from outside, carries the number of a space (lower_user_address()).
 *
 * Reads copy, never fault the host, and give all or nothing: on failure the destination is
 * zeroed. What may block (another process, callbacks that say so) fails with -EPERM inside
 * a read section (J20).
 *
 * Numbers are used again only when no field of any map holds them any more: see reclaim().
 *
 * Ordering
 *  S-A: a space is published in the table by a release that pairs with the acquire in
 *       space_of(); it is freed after a grace period of both domains.
 */
#include "run/memory/fault.h"
#include "run/helper/helpers.h"
#include "run/field/local.h"
#include "run/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_SPACES = 1 << 16 };

enum space_kind { SPACE_RANGE, SPACE_PROCESS, SPACE_GUEST, SPACE_CUSTOM };

struct pintle_space {
	struct pintle_host *host;
	u16 number; /* in handles; never 0 */
	enum space_kind kind;
	bool may_block;
	u64 start, size;		     /* RANGE */
	pid_t pid;			     /* PROCESS */
	int pidfd;
	struct pintle_guest_region *regions; /* GUEST: by rising guest address */
	u32 nregions;
	struct pintle_space_ops ops;	     /* CUSTOM */
	void *data;
};

/* CLOSED: fields may still hold it; SWEPT: so too, but not for long. */
enum number_state { NUMBER_USED, NUMBER_CLOSED, NUMBER_SWEPT };

struct space_table {
	u32 lock; /* the three below */
	u32 next; /* numbers below were used */
	u8 *state; /* by number, enum number_state */
	VEC(u16) free;
	atomic(struct pintle_space *) at[MAX_SPACES];
};

/* ------------------------------------------------------------------ handles */

u64 space_handle(const struct slot_ctx *slot, u64 pointer)
{
	u32 number;

	if (!pointer || pointer >> USER_SPACE_SHIFT)
		return pointer;
	number = atomic_load_explicit(&slot->space, memory_order_relaxed);
	/* Of no space: there is nothing that it could mean later. */
	return number ? pointer | (u64)number << USER_SPACE_SHIFT : 0;
}

static struct pintle_space *space_numbered(const struct pintle_host *host, u32 number)
{
	/* acquire: S-A */
	return number && host->spaces ? atomic_load_explicit(&host->spaces->at[number],
							     memory_order_acquire)
				      : NULL;
}

static const struct pintle_space *space_of(const struct slot_ctx *slot, u64 handle)
{
	u32 number = (u32)(handle >> USER_SPACE_SHIFT);

	if (!number)
		number = atomic_load_explicit(&slot->space, memory_order_relaxed);
	return space_numbered(slot->host, number);
}

/* ------------------------------------------------------------------ copies */

static size_t copy_range(const struct pintle_space *s, void *to, u64 at, size_t size)
{
	u64 off = at - s->start;

	if (at < s->start || off >= s->size)
		return 0;
	if (size > s->size - off)
		size = (size_t)(s->size - off);
	return fault_copy(to, (void *)(uintptr_t)at, size);
}

/* The process may be gone and its number another's: then nothing that was read counts. */
static size_t copy_process(const struct pintle_space *s, void *to, u64 at, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)at, size};
	ssize_t n = process_vm_readv(s->pid, &local, 1, &remote, 1, 0);

	if (syscall(SYS_pidfd_send_signal, s->pidfd, 0, NULL, 0) && errno == ESRCH)
		return 0;
	return n > 0 ? (size_t)n : 0;
}

static const struct pintle_guest_region *region_of(const struct pintle_space *s, u64 at)
{
	u32 lo = 0, hi = s->nregions;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (at - s->regions[mid].guest < s->regions[mid].size)
			return &s->regions[mid];
		if (at < s->regions[mid].guest)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static size_t copy_guest(const struct pintle_space *s, void *to, u64 at, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const struct pintle_guest_region *r = region_of(s, at + done);
		u64 off = r ? at + done - r->guest : 0;
		size_t n = size - done;

		if (!r)
			break;
		if (n > r->size - off)
			n = (size_t)(r->size - off);
		if (fault_copy((char *)to + done, (char *)r->host + off, n) != n)
			break;
		done += n;
	}
	return done;
}

static size_t copy_custom(const struct pintle_space *s, void *to, u64 at, size_t size)
{
	return s->ops.read(s->data, to, at, size) ? 0 : size;
}

static size_t space_copy(const struct pintle_space *s, void *to, u64 at, size_t size)
{
	static size_t (*const by_kind[])(const struct pintle_space *, void *, u64, size_t) = {
		copy_range, copy_process, copy_guest, copy_custom,
	};

	return size ? by_kind[s->kind](s, to, at, size) : 0;
}

/* The space that @handle is of, or why it cannot be read here and now. */
static int space_for(u64 handle, const struct pintle_space **s, u64 *at)
{
	*s = space_of(slot_current(), handle);
	*at = handle & (BIT64(USER_SPACE_SHIFT) - 1);
	if (!*s)
		return -EFAULT;
	return (*s)->may_block && run_read_ongoing() ? -EPERM : 0;
}

/* @err: why it cannot be, or 0. */
static u64 read_all(const struct pintle_space *s, void *to, u32 size, u64 at, int err)
{
	if (!err && space_copy(s, to, at, size) != size)
		err = -EFAULT;
	if (err)
		memset(to, 0, size);
	return helper_err(err);
}

static u64 read_user(void *to, u32 size, u64 handle)
{
	const struct pintle_space *s;
	u64 at;
	int err = space_for(handle, &s, &at);

	return read_all(s, to, size, at, err);
}

/* A type of the host whose objects have memory of their own. */
struct space_owner {
	struct pintle_space *(*space)(void *object);
} __attribute__((aligned(8)));

enum { OWNER_FLAGS = 7 }; /* below the owner in one argument; see lower_call.c */

/* The space of @object, as its type's @owner says, whatever space @handle is of. */
static int space_of_object(u64 owner, u64 object, u64 handle, const struct pintle_space **s,
			   u64 *at)
{
	const struct space_owner *o = helper_ptr(owner & ~(u64)OWNER_FLAGS);

	*s = o->space(helper_ptr(object));
	*at = handle & (BIT64(USER_SPACE_SHIFT) - 1);
	if (!*s)
		return -EFAULT;
	return (*s)->may_block && run_read_ongoing() ? -EPERM : 0;
}

/* long(dst, size, address, object, owner): as copy_from_user. */
HELPER_FN(copy_from_user_task)
{
	const struct pintle_space *s;
	u64 at;
	int err = space_of_object(e, d, c, &s, &at);

	return read_all(s, helper_ptr(a), (u32)b, at, err);
}

/* long(dst, size, user): 0; -EFAULT (not there, or its space is gone) or -EPERM, zeros. */
HELPER_FN(probe_read_user)
{
	return read_user(helper_ptr(a), (u32)b, c);
}

HELPER_FN(copy_from_user)
{
	return read_user(helper_ptr(a), (u32)b, c);
}

enum { PIECE = 64 }; /* divides a page */

static s64 read_string(const struct pintle_space *s, char *to, u32 size, u64 at)
{
	u32 n = 0;

	while (n < size) {
		u32 want = min_u32(size - n, PIECE - (u32)((at + n) % PIECE));
		u32 got = (u32)space_copy(s, to + n, at + n, want);
		char *end = memchr(to + n, 0, got);

		if (end) {
			memset(end, 0, size - (u32)(end - to));
			return end - to + 1;
		}
		if (got < want)
			return -EFAULT;
		n += got;
	}
	if (size)
		to[size - 1] = 0;
	return size;
}

static u64 read_text(const struct pintle_space *s, char *to, u32 size, u64 at, int err)
{
	s64 n = err ? err : read_string(s, to, size, at);

	if (n < 0)
		memset(to, 0, size);
	return (u64)n;
}

/* long(dst, size, user): length with the NUL, cut to size; or -EFAULT, -EPERM and zeros. */
HELPER_FN(probe_read_user_str)
{
	const struct pintle_space *s;
	u64 at;
	int err = space_for(c, &s, &at);

	return read_text(s, helper_ptr(a), (u32)b, at, err);
}

/* The same for programs that may sleep. BPF_F_PAD_ZEROS: what follows the text is 0 anyway. */
int user_copy_str(char *to, u32 size, u64 handle, u64 flags)
{
	const struct pintle_space *s;
	u64 at;
	int err = space_for(handle, &s, &at);

	return (int)read_text(s, to, size, at, err);
}

int user_copy_task_str(char *to, u32 size, u64 handle, void *object, u64 owner)
{
	const struct pintle_space *s;
	u64 at;
	int err = space_of_object(owner, (uintptr_t)object, handle, &s, &at);

	return (int)read_text(s, to, size, at, err);
}

/* ------------------------------------------------------------------ numbers */

static void clear_gone(const struct space_table *t, u64 *field)
{
	u64 handle = __atomic_load_n(field, __ATOMIC_RELAXED);

	if (handle && t->state[handle >> USER_SPACE_SHIFT] == NUMBER_SWEPT)
		__atomic_compare_exchange_n(field, &handle, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

struct sweep {
	const struct space_table *table;
	const struct fields *fields;
};

static void sweep_value(void *data, void *value)
{
	const struct sweep *sweep = data;

	for (u32 i = 0; i < sweep->fields->n; i++)
		if (sweep->fields->at[i].kind == FIELD_USER)
			clear_gone(sweep->table,
				   (u64 *)((char *)value + sweep->fields->at[i].off));
}

static void sweep_maps(struct pintle_host *host)
{
	struct sweep sweep = {.table = host->spaces};

	run_read_lock(host);
	lock_take(&host->maps_lock);
	for (struct map *map = host->maps; map; map = map->next) {
		sweep.fields = map->fields;
		if (map->fields && map->ops->each_value)
			map->ops->each_value(map, sweep_value, &sweep);
	}
	lock_drop(&host->maps_lock);
	run_read_unlock(host);
}

static void sweep_slots(struct pintle_host *host)
{
	for (u32 i = 0; i < slot_count(host); i++) {
		atomic(u32) *space = &slot_at(host, i)->space;
		u32 number = atomic_load_explicit(space, memory_order_relaxed);

		if (number && host->spaces->state[number] == NUMBER_SWEPT)
			atomic_compare_exchange_strong_explicit(space, &number, 0,
								memory_order_relaxed,
								memory_order_relaxed);
	}
}

/* Numbers in state @from become @to; those that get free are given out again. */
static void numbers_move(struct space_table *t, enum number_state from, enum number_state to)
{
	lock_take(&t->lock);
	for (u32 i = 1; i < t->next; i++) {
		if (t->state[i] != from || (to == NUMBER_USED && !vec_push(&t->free, (u16)i)))
			continue;
		t->state[i] = (u8)to;
	}
	lock_drop(&t->lock);
}

/*
 * Frees the numbers of closed spaces. Programs that hold handles of them in registers end
 * (the first grace period); then fields are swept, which programs cannot fill with such
 * handles any more but from other fields; so a second round sees what moved meanwhile.
 */
static void reclaim(struct pintle_host *host)
{
	struct space_table *t = host->spaces;

	numbers_move(t, NUMBER_CLOSED, NUMBER_SWEPT);
	for (u32 round = 0; round < 2; round++) {
		grace_wait(host);
		sweep_slots(host);
		sweep_maps(host);
	}
	grace_wait(host);
	numbers_move(t, NUMBER_SWEPT, NUMBER_USED);
}

static bool number_take(struct space_table *t, u32 *number)
{
	bool found = true;

	lock_take(&t->lock);
	if (t->free.n)
		*number = vec_pop(&t->free);
	else if (t->next < MAX_SPACES)
		*number = t->next++;
	else
		found = false;
	lock_drop(&t->lock);
	return found;
}

static struct space_table *table_of(struct pintle_host *host)
{
	struct space_table *t = host->spaces;

	if (t)
		return t;
	t = calloc(1, sizeof(*t)); /* pages that are not used cost nothing */
	if (!t)
		return NULL;
	t->state = calloc(MAX_SPACES, 1);
	if (!t->state) {
		free(t);
		return NULL;
	}
	t->next = 1;
	host->spaces = t;
	return t;
}

void spaces_free(struct pintle_host *host)
{
	struct space_table *t = host->spaces;

	for (u32 i = 1; t && i < t->next; i++)
		if (t->at[i])
			pintle_space_close(t->at[i]);
	if (t) {
		vec_free(&t->free);
		free(t->state);
	}
	free(t);
	host->spaces = NULL;
}

/* ------------------------------------------------------------------ registering */

static void space_free(void *data)
{
	struct pintle_space *s = data;

	if (s->kind == SPACE_PROCESS && s->pidfd >= 0)
		close(s->pidfd);
	free(s->regions);
	free(s);
}

static struct pintle_space *space_new(struct pintle_host *host, enum space_kind kind)
{
	struct pintle_space *s = calloc(1, sizeof(*s));

	if (!s) {
		host_oom(host);
		return NULL;
	}
	s->host = host;
	s->kind = kind;
	s->pidfd = -1;
	return s;
}

static struct pintle_space *space_add(struct pintle_space *s)
{
	struct pintle_host *host = s->host;
	struct space_table *t;
	u32 number;

	lock_take(&host->spaces_lock);
	t = table_of(host);
	lock_drop(&host->spaces_lock);
	if (!t) {
		host_oom(host);
	} else if (number_take(t, &number) ||
		   (!slot_current() && !run_read_ongoing() &&
		    (reclaim(host), number_take(t, &number)))) {
		s->number = (u16)number;
		/* release: S-A */
		atomic_store_explicit(&t->at[number], s, memory_order_release);
		return s;
	} else {
		host_fail(host, -ENOSPC, "more than %u address spaces", MAX_SPACES - 1);
	}
	space_free(s);
	return NULL;
}

struct pintle_space *pintle_space_range(struct pintle_host *host, const void *start, size_t size)
{
	struct pintle_space *s;

	if (!size || (u64)(uintptr_t)start + size > BIT64(USER_ADDR_BITS)) {
		host_fail(host, -EINVAL, "space: a range of memory of this process needed");
		return NULL;
	}
	s = space_new(host, SPACE_RANGE);
	if (!s)
		return NULL;
	s->start = (uintptr_t)start;
	s->size = size;
	return space_add(s);
}

/* @pidfd is the space's from now on; below 0: errno says why. */
static struct pintle_space *space_process(struct pintle_host *host, int pid, int pidfd)
{
	struct pintle_space *s;

	if (pidfd < 0) {
		host_fail(host, -errno, "space: process %d: %s", pid, strerror(errno));
		return NULL;
	}
	s = space_new(host, SPACE_PROCESS);
	if (!s) {
		close(pidfd);
		return NULL;
	}
	s->may_block = true;
	s->pid = pid;
	s->pidfd = pidfd;
	return space_add(s);
}

struct pintle_space *pintle_space_process(struct pintle_host *host, int pid)
{
	return space_process(host, pid, (int)syscall(SYS_pidfd_open, pid, 0));
}

/* Whose @pidfd is; -1 when it has ended, 0 when it has no number here, -2: it is none. */
static int pid_of(int pidfd)
{
	char path[64], line[128];
	int pid = -2;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	if (!f)
		return -2;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "Pid:", 4))
			pid = atoi(line + 4);
	fclose(f);
	return pid;
}

struct pintle_space *pintle_space_pidfd(struct pintle_host *host, int pidfd)
{
	int pid = pid_of(pidfd);

	if (pid == -1)
		host_fail(host, -ESRCH, "space: the process of descriptor %d has ended", pidfd);
	else if (pid <= 0)
		host_fail(host, -EINVAL, "space: descriptor %d is of no process that can be "
			  "reached from here", pidfd);
	else
		return space_process(host, pid, fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
	return NULL;
}

void *space_owner_at(const struct pintle_host *host, u32 owner)
{
	return owner < host->owners.n ? host->owners.v[owner] : NULL;
}

int pintle_space_owner(struct pintle_host *host, const char *type,
		       struct pintle_space *(*space)(void *object))
{
	struct abi_space_owner row;
	struct space_owner *owner;

	if (!type || !space)
		return host_fail(host, -EINVAL, "space owner: a type and a function needed");
	if (!abi_find_struct(&host->abi, type, &row.btf, &row.type))
		return host_fail(host, -ENOENT, "struct %s is not in the host's BTF", type);
	if (abi_space_owner(&host->abi, row.btf, row.type) >= 0)
		return host_fail(host, -EEXIST, "objects of struct %s have spaces already", type);
	owner = arena_new_of(host->arena, struct space_owner);
	if (!owner || !vec_reserve(&host->owners, 1) || !vec_reserve(&host->abi.owners, 1))
		return host_oom(host);
	owner->space = space;
	(void)vec_push(&host->owners, owner);
	(void)vec_push(&host->abi.owners, row);
	return 0;
}

static int by_guest(const void *a, const void *b)
{
	const struct pintle_guest_region *x = a, *y = b;

	return x->guest < y->guest ? -1 : x->guest > y->guest;
}

static bool regions_wrong(const struct pintle_guest_region *r, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!r[i].size || !r[i].host || r[i].guest > BIT64(USER_ADDR_BITS) ||
		    r[i].size > BIT64(USER_ADDR_BITS) - r[i].guest ||
		    (i && r[i].guest < r[i - 1].guest + r[i - 1].size))
			return true;
	return !n;
}

struct pintle_space *pintle_space_guest(struct pintle_host *host,
					const struct pintle_guest_region *regions, uint32_t n)
{
	struct pintle_space *s = space_new(host, SPACE_GUEST);

	if (!s)
		return NULL;
	s->regions = calloc(n + 1, sizeof(regions[0]));
	if (!s->regions) {
		host_oom(host);
		space_free(s);
		return NULL;
	}
	if (n)
		memcpy(s->regions, regions, n * sizeof(regions[0]));
	s->nregions = n;
	qsort(s->regions, n, sizeof(regions[0]), by_guest);
	if (!regions_wrong(s->regions, n))
		return space_add(s);
	host_fail(host, -EINVAL, "space: regions are empty, overlap, or end above 2^%u",
		  USER_ADDR_BITS);
	space_free(s);
	return NULL;
}

struct pintle_space *pintle_space_custom(struct pintle_host *host,
					 const struct pintle_space_ops *ops, void *data)
{
	struct pintle_space *s;

	if (!ops || !ops->read) {
		host_fail(host, -EINVAL, "space: no function to read it");
		return NULL;
	}
	s = space_new(host, SPACE_CUSTOM);
	if (!s)
		return NULL;
	opts_copy(&s->ops, sizeof(s->ops), ops, ops->size);
	s->may_block = s->ops.may_block;
	s->data = data;
	return space_add(s);
}

void pintle_space_close(struct pintle_space *s)
{
	struct space_table *t;
	struct pintle_host *host;

	if (!s)
		return;
	host = s->host;
	t = host->spaces;
	atomic_store_explicit(&t->at[s->number], NULL, memory_order_release);
	lock_take(&t->lock);
	t->state[s->number] = NUMBER_CLOSED;
	lock_drop(&t->lock);
	if (slot_current() || run_read_ongoing()) {
		defer_call(host, space_free, s);
		return;
	}
	grace_wait(host);
	space_free(s);
}

struct pintle_space *pintle_space_enter(struct pintle_host *host, struct pintle_space *space)
{
	struct slot_ctx *slot = slot_get(host);
	u32 before;

	if (!slot) {
		host_fail(host, -EAGAIN, "space: all execution slots are taken");
		return NULL;
	}
	before = atomic_load_explicit(&slot->space, memory_order_relaxed);
	atomic_store_explicit(&slot->space, space ? space->number : 0, memory_order_relaxed);
	return space_numbered(host, before);
}
