/* SPDX-License-Identifier: MIT
 *
 * map/arena.c: memory that programs and their host share, by address. An arena is a window
 * of 4 GiB of the process's addresses, reserved and never given back before the map goes,
 * so that any 32 bits that a program comes by are an address in it; guards around it are
 * wider than what an instruction's offset reaches. Pages are there from their allocation
 * to their freeing; elsewhere programs read 0 and write nothing (fault.c), and hosts fault.
 *
 * Programs and the host see it at the same addresses, so pointers in it are pointers to
 * both.
 *
 * Pages: one bit each, under the map's lock. A page that is freed is zero when it is
 * allocated again; its memory goes back to the system at once.
 */
#include "run/map/arena.h"
#include "run/lock.h"

#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { PAGE_SHIFT = 12, PAGE = 1 << PAGE_SHIFT, GUARD = 1 << 16, FIRST = 1 << 16 };
enum { MAPF_SEGV_ON_FAULT = 1 << 17, MAPF_NO_USER_CONV = 1 << 18 };
static const u64 window = 1ull << 32;

struct arena_map {
	struct map map;
	char *reserved; /* the guard below the window */
	u64 start;	/* of the first page, in the window */
	u32 npages;
	u32 lock;
	u32 nused, next; /* where the search begins */
	u64 *used;	 /* a bit for each page */
	bool open;	 /* some that nobody has can be written */
};

static struct arena_map *arena_of(const struct map *map)
{
	return container_of(map, struct arena_map, map);
}

u64 arena_map_window(const struct map *map)
{
	return (u64)(uintptr_t)arena_of(map)->reserved + GUARD;
}

char *arena_map_start(const struct map *map)
{
	return (char *)(uintptr_t)arena_of(map)->start;
}

u64 arena_map_size(const struct map *map)
{
	return (u64)arena_of(map)->npages << PAGE_SHIFT;
}

/* ------------------------------------------------------------------ the window */

static void *reserve_at(u64 at, u64 size, int flags)
{
	void *got = mmap((void *)(uintptr_t)at, size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	return got == MAP_FAILED ? NULL : got;
}

/* Anywhere: twice as much, of which a window that begins at a multiple of its size stays. */
static char *reserve_any(void)
{
	u64 size = 2 * window + 2 * GUARD, from, at;
	char *got = reserve_at(0, size, 0);

	if (!got)
		return NULL;
	from = (u64)(uintptr_t)got;
	at = ROUND_UP(from + GUARD, window) - GUARD;
	if (at > from)
		munmap(got, at - from);
	munmap((char *)(uintptr_t)(at + window + 2 * GUARD), from + size - at - window - 2 * GUARD);
	return (char *)(uintptr_t)at;
}

static int reserve(struct log *log, struct arena_map *a, u64 wanted)
{
	if (wanted)
		a->reserved = reserve_at((wanted & ~(window - 1)) - GUARD, window + 2 * GUARD,
					 MAP_FIXED_NOREPLACE);
	else
		a->reserved = reserve_any();
	if (a->reserved && wanted &&
	    arena_map_window(&a->map) != (wanted & ~(window - 1))) { /* an old kernel */
		munmap(a->reserved, window + 2 * GUARD);
		a->reserved = NULL;
	}
	if (!a->reserved)
		return log_fail(log, -ENOMEM, "map '%s': no room for 4 GiB of addresses%s",
				a->map.name, wanted ? " where map_extra wants them" : "");
	a->start = wanted ? wanted : arena_map_window(&a->map) +
				     (a->npages <= (window - FIRST) >> PAGE_SHIFT ? FIRST : 0);
	return 0;
}

static int check(struct log *log, const struct map *proto, const struct image_map *def)
{
	u64 size = (u64)def->max_entries << PAGE_SHIFT, at = def->map_extra;

	if (size > window)
		return log_fail(log, -E2BIG, "map '%s': max_entries is %u: an arena has at "
				"most 4 GiB of pages", def->name, def->max_entries);
	if (at % PAGE || at >> 47 || (at && at < window))
		return log_fail(log, -EINVAL, "map '%s': map_extra 0x%llx is no address of a "
				"page above 4 GiB", def->name, (unsigned long long)at);
	if (at && at >> 32 != (at + size - 1) >> 32)
		return log_fail(log, -ERANGE, "map '%s': from 0x%llx on, an arena of %u pages "
				"crosses a multiple of 4 GiB", def->name, (unsigned long long)at,
				def->max_entries);
	if (proto->host->opts.no_fault_handler)
		return log_fail(log, -ENOTSUP, "map '%s': arenas need the fault handlers that "
				"this host opted out of", def->name);
	return 0;
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct arena_map *a;
	int err;

	TRY(check(log, proto, def));
	a = calloc(1, sizeof(*a));
	if (a)
		a->used = calloc((def->max_entries + 63) / 64, sizeof(u64));
	if (!a || !a->used) {
		free(a);
		return log_fail(log, -ENOMEM, "map '%s': out of memory", def->name);
	}
	a->map = *proto;
	a->npages = def->max_entries;
	err = reserve(log, a, def->map_extra);
	if (err) {
		free(a->used);
		free(a);
		return err;
	}
	*out = &a->map;
	return 0;
}

static void destroy(struct map *map)
{
	struct arena_map *a = arena_of(map);

	munmap(a->reserved, window + 2 * GUARD);
	free(a->used);
	free(a);
}

/* ------------------------------------------------------------------ pages */

static bool is_used(const struct arena_map *a, u32 page)
{
	return a->used[page / 64] & BIT64(page % 64);
}

static void mark(struct arena_map *a, u32 page, u32 n, bool used)
{
	for (u32 i = page; i < page + n; i++) {
		if (used)
			a->used[i / 64] |= BIT64(i % 64);
		else
			a->used[i / 64] &= ~BIT64(i % 64);
	}
	__atomic_store_n(&a->nused, a->nused + (used ? n : -n), __ATOMIC_RELAXED);
}

/* Whether @n pages from @page on are free; else *busy is the last that is not. */
static bool are_free(const struct arena_map *a, u32 page, u32 n, u32 *busy)
{
	for (u32 i = page + n; i-- > page;)
		if (is_used(a, i)) {
			*busy = i;
			return false;
		}
	return true;
}

/* The page whose address would be that of NULL as programs see it is nobody's. */
static bool is_null_page(const struct arena_map *a, u32 page)
{
	return !(u32)(a->start + ((u64)page << PAGE_SHIFT));
}

static bool find(const struct arena_map *a, u32 from, u32 to, u32 n, u32 *page)
{
	u32 busy;

	for (u32 at = from; n <= to - at && at < to; at = busy + 1) {
		if (is_null_page(a, at)) {
			busy = at;
			continue;
		}
		if (are_free(a, at, n, &busy)) {
			*page = at;
			return true;
		}
	}
	return false;
}

static bool find_any(struct arena_map *a, u32 n, u32 *page)
{
	u32 end = min_u32(a->npages, a->next + n > a->next ? a->next + n : a->npages);

	return find(a, a->next, a->npages, n, page) || find(a, 0, end, n, page);
}

/* The number of the page at @addr, of whose address programs may know the lower half only. */
static bool page_of(const struct arena_map *a, u64 addr, u32 n, u32 *page)
{
	u32 off = (u32)addr - (u32)a->start;

	*page = off >> PAGE_SHIFT;
	return !(addr % PAGE) && n && add_fits(*page, n, a->npages);
}

static char *page_at(const struct arena_map *a, u32 page)
{
	return (char *)(uintptr_t)(a->start + ((u64)page << PAGE_SHIFT));
}

static int close_pages(struct arena_map *a, u32 page, u32 n)
{
	void *at = mmap(page_at(a, page), (u64)n << PAGE_SHIFT, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	return at == MAP_FAILED ? -ENOMEM : 0;
}

/* The system may have no memory for another mapping; it may find that out halfway, when
 * some can be written already that nobody has. */
static bool open_pages(struct arena_map *a, u32 page, u32 n)
{
	u64 size = (u64)n << PAGE_SHIFT;

	if (mprotect(page_at(a, page), size, PROT_READ | PROT_WRITE)) {
		if (close_pages(a, page, n))
			a->open = true;
		return false;
	}
	if (a->open)
		madvise(page_at(a, page), size, MADV_DONTNEED);
	return true;
}

static bool take_pages(struct arena_map *a, u64 addr, u32 n, u32 *page)
{
	u32 busy;

	if (!n || n > a->npages - a->nused)
		return false;
	if (addr ? !page_of(a, addr, n, page) || !are_free(a, *page, n, &busy)
		 : !find_any(a, n, page))
		return false;
	if (!open_pages(a, *page, n))
		return false;
	mark(a, *page, n, true);
	if (!addr)
		a->next = *page + n == a->npages ? 0 : *page + n;
	return true;
}

void *arena_map_alloc(struct map *map, u64 addr, u32 n)
{
	struct arena_map *a = arena_of(map);
	u32 page = 0;
	bool done;

	lock_take(&a->lock);
	done = take_pages(a, addr, n, &page);
	lock_drop(&a->lock);
	return done ? page_at(a, page) : NULL;
}

/* Memory goes first, so that a page which nobody has is zero, whatever is written to it
 * until it faults. */
static void give_back(struct arena_map *a, u32 page, u32 n)
{
	if (close_pages(a, page, n)) { /* too many mappings: they stay open */
		a->open = true;
		madvise(page_at(a, page), (u64)n << PAGE_SHIFT, MADV_DONTNEED);
	}
	mark(a, page, n, false);
}

int arena_map_release(struct map *map, u64 addr, u32 n)
{
	struct arena_map *a = arena_of(map);
	u32 page;
	int err = 0;

	if (!page_of(a, addr, n, &page))
		return -EINVAL;
	lock_take(&a->lock);
	for (u32 i = page; i < page + n;) {
		u32 run = 0;

		while (i + run < page + n && is_used(a, i + run))
			run++;
		if (run)
			give_back(a, i, run);
		else
			err = -ENOENT;
		i += run ? run : 1;
	}
	lock_drop(&a->lock);
	return err;
}

u32 arena_map_pages(const struct map *map)
{
	return __atomic_load_n(&arena_of(map)->nused, __ATOMIC_RELAXED);
}

static u32 count(struct map *map)
{
	return arena_map_pages(map);
}

int arena_map_fill(struct map *map, const void *data, u64 size)
{
	struct arena_map *a = arena_of(map);
	u32 n = (u32)((size + PAGE - 1) >> PAGE_SHIFT);

	if (!arena_map_alloc(map, a->start, n))
		return -ENOMEM;
	if (data)
		memcpy(arena_map_start(map), data, size);
	return 0;
}

/* ------------------------------------------------------------------ for programs */

/* void *(map, addr, pages, node, flags): their address, or NULL. A process has one kind of
 * memory: nodes are a wish. Where a budget counts turns, a page is one. */
void *arena_alloc_pages(struct map *map, u64 addr, u64 n, u64 node, u64 flags)
{
	if (flags || n > arena_of(map)->npages || !meter_spend(slot_current(), n))
		return NULL;
	return arena_map_alloc(map, addr, (u32)n);
}

/* void(map, addr, pages): those of them that are there, whatever is left of the budget. */
void arena_free_pages(struct map *map, u64 addr, u64 n)
{
	if (n > arena_of(map)->npages)
		return;
	meter_spend(slot_current(), n);
	arena_map_release(map, addr, (u32)n);
}

const struct map_ops map_arena_ops = {
	.type = MAP_ARENA,
	.flags = MAPF_MMAPABLE | MAPF_SEGV_ON_FAULT | MAPF_NO_USER_CONV,
	.keyless = true,
	.valueless = true,
	.extra = true,
	.create = create,
	.free = destroy,
	.count = count,
};

/* ------------------------------------------------------------------ for hosts */

static struct map *arena_behind(const struct pintle_map *map)
{
	struct map *m = map ? map->map : NULL;

	return m && m->type == MAP_ARENA ? m : NULL;
}

void *pintle_arena_base(const struct pintle_map *map, size_t *size)
{
	struct map *m = arena_behind(map);

	if (size)
		*size = m ? (size_t)arena_map_size(m) : 0;
	return m ? arena_map_start(m) : NULL;
}

void *pintle_arena_alloc(const struct pintle_map *map, void *at, uint32_t pages)
{
	struct map *m = arena_behind(map);
	u64 addr = (u64)(uintptr_t)at;

	if (!m || (addr && addr >> 32 != arena_map_window(m) >> 32)) {
		errno = EINVAL;
		return NULL;
	}
	at = arena_map_alloc(m, addr, pages);
	if (!at)
		errno = ENOMEM;
	return at;
}

int pintle_arena_free(const struct pintle_map *map, void *at, uint32_t pages)
{
	struct map *m = arena_behind(map);
	u64 addr = (u64)(uintptr_t)at;

	if (!m || addr >> 32 != arena_map_window(m) >> 32)
		return -EINVAL;
	return arena_map_release(m, addr, pages);
}
