/* SPDX-License-Identifier: MIT
 *
 * mem.c: blocks of native code: a private mapping with an inaccessible page on either
 * side, writable until it is sealed, executable from then on.
 *
 * Why not two mappings of one file: those are shared after a fork(), and what the parent
 * loads later would appear in, or under, the code that its children run. A private
 * mapping is copied on fork like everything else.
 *
 * The list of blocks is read by signal handlers of any thread, at any time:
 *  A  A node is never freed, but used again for another block. Its fields are written
 *     between two steps of `seq` (odd: being written), the second a release store.
 *  B  The reader reads seq, the fields (each an acquire load), then seq again; a node that
 *     changed meanwhile is not the one that it looks for: that one's code is being
 *     executed, hence not freed.
 *  C  Nodes are pushed at the head by a release store; the list only grows.
 * Progress: readers are wait-free; writers take a lock.
 */
#include "jit/mem.h"
#include "base/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

struct jit_node {
	struct jit_node *next; /* set before the node is published */
	struct jit_node *next_free;
	atomic(u32) seq;
	atomic(uintptr_t) start, end;
	atomic(const struct jit_fix *) fixes;
	atomic(u32) nfixes;
};

struct jit_mem {
	u8 *map; /* with the guard pages */
	size_t map_size;
	u8 *start;
	size_t size;
	struct jit_fix *fixes;
	struct jit_node *node;
};

static struct {
	pthread_mutex_t lock;
	struct jit_node *free;
	atomic(struct jit_node *) all;
} blocks = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- the list --- */

static void node_write(struct jit_node *node, uintptr_t start, uintptr_t end,
		       const struct jit_fix *fixes, u32 n)
{
	u32 seq = atomic_load_explicit(&node->seq, memory_order_relaxed);

	atomic_store_explicit(&node->seq, seq + 1, memory_order_relaxed);
	/* release, A: whoever sees one of these sees that it is being written */
	atomic_store_explicit(&node->start, start, memory_order_release);
	atomic_store_explicit(&node->end, end, memory_order_release);
	atomic_store_explicit(&node->fixes, fixes, memory_order_release);
	atomic_store_explicit(&node->nfixes, n, memory_order_release);
	/* release, A: pairs with the acquire load in node_resume() */
	atomic_store_explicit(&node->seq, seq + 2, memory_order_release);
}

static struct jit_node *node_get(void)
{
	struct jit_node *node;

	pthread_mutex_lock(&blocks.lock);
	node = blocks.free;
	if (node)
		blocks.free = node->next_free;
	pthread_mutex_unlock(&blocks.lock);
	return node ? node : calloc(1, sizeof(*node));
}

static void node_publish(struct jit_node *node)
{
	pthread_mutex_lock(&blocks.lock);
	/* One that is used again is in the list already. */
	if (!atomic_load_explicit(&node->seq, memory_order_relaxed)) {
		node->next = atomic_load_explicit(&blocks.all, memory_order_relaxed);
		/* release, C: pairs with the acquire load in jit_resume() */
		atomic_store_explicit(&blocks.all, node, memory_order_release);
	}
	pthread_mutex_unlock(&blocks.lock);
}

static void node_put(struct jit_node *node)
{
	node_write(node, 0, 0, NULL, 0);
	pthread_mutex_lock(&blocks.lock);
	node->next_free = blocks.free;
	blocks.free = node;
	pthread_mutex_unlock(&blocks.lock);
}

static u32 find_fix(const struct jit_fix *fixes, u32 n, u32 at)
{
	u32 low = 0, high = n;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (fixes[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && fixes[low].at == at ? low : n;
}

static uintptr_t node_resume(const struct jit_node *node, uintptr_t pc)
{
	u32 seq = atomic_load_explicit(&node->seq, memory_order_acquire), n, i;
	uintptr_t start = atomic_load_explicit(&node->start, memory_order_acquire);
	uintptr_t end = atomic_load_explicit(&node->end, memory_order_acquire);
	const struct jit_fix *fixes = atomic_load_explicit(&node->fixes, memory_order_acquire);

	n = atomic_load_explicit(&node->nfixes, memory_order_acquire);
	if (pc < start || pc >= end || seq & 1 ||
	    seq != atomic_load_explicit(&node->seq, memory_order_relaxed))
		return 0;
	i = find_fix(fixes, n, (u32)(pc - start));
	return i < n ? start + fixes[i].resume : 0;
}

uintptr_t jit_resume(uintptr_t pc)
{
	const struct jit_node *node = atomic_load_explicit(&blocks.all, memory_order_acquire);
	uintptr_t to = 0;

	for (; node && !to; node = node->next)
		to = node_resume(node, pc);
	return to;
}

/* --- blocks --- */

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

enum { FAR_AWAY = 1 << 30, STEP = 16 << 20 };

static bool is_near(const void *a, const void *b)
{
	s64 d = (s64)(uintptr_t)a - (s64)(uintptr_t)b;

	return d < FAR_AWAY && d > -FAR_AWAY;
}

/* Calls of the host's functions are short where the code lies near them: asks for places
 * below the host's own code, which the system may refuse. */
static void *map_near(const void *near, size_t size)
{
	uintptr_t at = (uintptr_t)near & ~(uintptr_t)(STEP - 1);
	void *map = MAP_FAILED;

	for (int i = 1; near && i <= 8 && at > (uintptr_t)i * STEP; i++) {
		/* Kernels that do not know the last flag may choose another place. */
		map = mmap((void *)(at - (uintptr_t)i * STEP), size, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
			   -1, 0);
		if (map != MAP_FAILED && is_near(map, near))
			return map;
		if (map != MAP_FAILED)
			munmap(map, size);
		else if (errno != EEXIST)
			break;
	}
	return mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

struct jit_mem *jit_mem_new(const void *near, size_t size, int *err)
{
	struct jit_mem *mem = calloc(1, sizeof(*mem));
	size_t page = page_size();
	void *map;

	*err = -ENOMEM;
	if (!mem)
		return NULL;
	mem->size = ROUND_UP(size, page);
	mem->map_size = mem->size + 2 * page;
	map = map_near(near, mem->map_size);
	if (map != MAP_FAILED && !mprotect((u8 *)map + page, mem->size, PROT_READ | PROT_WRITE)) {
		mem->map = map;
		mem->start = mem->map + page;
		*err = 0;
		return mem;
	}
	*err = -errno;
	if (map != MAP_FAILED)
		munmap(map, mem->map_size);
	free(mem);
	return NULL;
}

u8 *jit_mem_start(const struct jit_mem *mem)
{
	return mem->start;
}

size_t jit_mem_size(const struct jit_mem *mem)
{
	return mem->size;
}

/* What was not used goes back, but for one page as a guard. */
static void trim(struct jit_mem *mem, size_t used)
{
	size_t page = page_size(), keep = ROUND_UP(used, page);

	if (keep + page >= mem->size)
		return;
	mprotect(mem->start + keep, page, PROT_NONE);
	munmap(mem->start + keep + page, mem->map_size - keep - 2 * page);
	mem->size = keep;
	mem->map_size = keep + 2 * page;
}

int jit_mem_seal(struct jit_mem *mem, size_t used, const struct jit_fix *fixes, u32 nfixes)
{
	mem->fixes = malloc((nfixes + 1) * sizeof(fixes[0]));
	mem->node = node_get();
	if (!mem->fixes || !mem->node)
		return -ENOMEM;
	if (nfixes)
		memcpy(mem->fixes, fixes, nfixes * sizeof(fixes[0]));
	trim(mem, used);
	node_publish(mem->node);
	node_write(mem->node, (uintptr_t)mem->start, (uintptr_t)mem->start + mem->size,
		   mem->fixes, nfixes);
	return mprotect(mem->start, mem->size, PROT_READ | PROT_EXEC) ? -errno : 0;
}

void jit_mem_free(struct jit_mem *mem)
{
	if (!mem)
		return;
	if (mem->node)
		node_put(mem->node);
	munmap(mem->map, mem->map_size);
	free(mem->fixes);
	free(mem);
}
