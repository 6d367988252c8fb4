/* SPDX-License-Identifier: MIT
 *
 * arena.c: arenas: programs of arena.bpf.c on one side, the host's own pointers on the
 * other; by both engines.
 */
#include "fixture/host.h"
#include "test.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

PINTLE_HOOK(int, arena_hook, long, arg)

enum { PAGE = 4096, PAGES = 64 };

struct node {
	struct node *next;
	long value;
};

struct list { /* as arena.bpf.c has it */
	struct node *head;
	long pushed;
};

struct arena_setup {
	struct pintle_host *host;
	struct pintle_object *object;
	struct pintle_map *map;
	char *base;
};

static struct arena_setup begin_with(enum pintle_jit jit, uint64_t turns)
{
	struct arena_setup s = {pintle_host_new(PINTLE_OPTS(pintle_host_opts, .jit = jit))};
	char words[2048];
	size_t size = 0;

	CHECK(s.host);
	if (pintle_host_add_self(s.host) || pintle_hook_add(s.host, arena_hook) ||
	    !(s.object = pintle_open(s.host, test_object("run/arena.bpf.o"), NULL)) ||
	    pintle_load_with(s.object, PINTLE_OPTS(pintle_load_opts, .budget_turns = turns))) {
		snprintf(words, sizeof(words), "%s", pintle_host_error(s.host));
		pintle_close(s.object);
		pintle_host_free(s.host);
		test_fail(__FILE__, __LINE__, "%s", words);
	}
	s.map = pintle_map_find(s.object, "arena");
	s.base = pintle_arena_base(s.map, &size);
	CHECK(s.base);
	CHECK_EQ(size, PAGES * PAGE);
	return s;
}

static struct arena_setup begin(enum pintle_jit jit)
{
	return begin_with(jit, 0);
}

static void end(struct arena_setup s)
{
	pintle_close(s.object);
	pintle_host_free(s.host);
}

static int run(struct arena_setup s, const char *name, long arg)
{
	struct pintle_prog *prog = pintle_prog_find(s.object, name);
	uint64_t args[] = {(uint64_t)arg}, result = 0;

	CHECK(prog);
	CHECK_EQ(pintle_prog_run(prog, args, &result), 0);
	return (int)result;
}

/* Where there can be native code, that is required to be there. */
static enum pintle_jit last_way(void)
{
	void *code = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool possible = code != MAP_FAILED && !mprotect(code, 1, PROT_READ | PROT_EXEC);

	if (code != MAP_FAILED)
		munmap(code, 1);
	return possible ? PINTLE_JIT_REQUIRE : PINTLE_JIT_OFF;
}

#define BOTH(jit)                                                                        \
	for (enum pintle_jit jit = PINTLE_JIT_OFF, last = last_way(); jit <= last;       \
	     jit = (enum pintle_jit)(jit + 1))

/* The program's pointers are the host's. */
TEST(arena_list_of_both)
{
	BOTH(jit) {
		struct arena_setup s = begin(jit);
		struct list *list = (struct list *)s.base;
		struct node *own;

		CHECK_EQ(list->pushed, 100);
		CHECK(!list->head);
		CHECK_EQ(run(s, "push", 5), 101);
		CHECK_EQ(run(s, "push", 7), 102);
		CHECK_EQ(list->pushed, 102);
		CHECK_EQ(list->head->value, 7);
		CHECK_EQ(list->head->next->value, 5);
		CHECK(!list->head->next->next);
		own = pintle_arena_alloc(s.map, NULL, 1);
		CHECK(own);
		CHECK_EQ(own->value, 0);
		*own = (struct node){list->head, 30};
		list->head = own;
		CHECK_EQ(run(s, "sum", 2), 84);
		CHECK_EQ(run(s, "pop", 0), 30);
		CHECK_EQ(run(s, "pop", 0), 7);
		CHECK_EQ(run(s, "pop", 0), 5);
		CHECK_EQ(run(s, "pop", 0), -1);
		end(s);
	}
}

TEST(arena_accesses)
{
	BOTH(jit) {
		struct arena_setup s = begin(jit);
		uint64_t *p = pintle_arena_alloc(s.map, NULL, 2);

		CHECK(p);
		CHECK_EQ(run(s, "sizes", (long)p), 0);
		CHECK_EQ(p[0], (uint64_t)(uint32_t)(uintptr_t)p << 32 | 0xbbccaa88);
		CHECK_EQ(p[1], (uint64_t)(uintptr_t)p);
		CHECK_EQ(run(s, "sizes", (long)p + PAGE - 4), 0); /* over the end of a page */
		CHECK_EQ(run(s, "atomics", (long)p), 0);
		CHECK_EQ(p[0], 0x10b);
		p[0] = 1, p[1] = 1, p[2] = 3, p[3] = 3;
		CHECK_EQ(run(s, "count", (long)p), 0);
		CHECK(p[0] == 2 && p[1] == 7 && p[2] == 2 && p[3] == 5);
		CHECK_EQ(run(s, "half", (long)p), 17);
		CHECK_EQ(*(int *)p, 17);
		end(s);
	}
}

/* Nothing there, the end of what is there, and all around the window. */
TEST(arena_faults)
{
	BOTH(jit) {
		struct arena_setup s = begin(jit);
		struct pintle_prog *prog = pintle_prog_find(s.object, "nobody");
		struct pintle_prog_info before = {.size = sizeof(before)}, after = before;
		char *last_page = pintle_arena_alloc(s.map, s.base + 39 * PAGE, 1);

		CHECK(last_page);
		CHECK_EQ(pintle_prog_info(prog, &before), 0);
		CHECK_EQ(run(s, "nobody", 0), 0);
		CHECK_EQ(run(s, "nobody", 4088), 0);
		CHECK_EQ(pintle_prog_info(prog, &after), 0);
		CHECK(after.faults >= before.faults + 30);
		memset(last_page, 0, PAGE);
		CHECK_EQ(run(s, "sizes", (long)last_page + PAGE - 4) != 0, 1);
		CHECK_EQ(*(unsigned *)(last_page + PAGE - 4) >> 24, 0xbb); /* what was there */
		CHECK_EQ(run(s, "far", 0), 0);
		end(s);
	}
}

TEST(arena_pages_come_and_go)
{
	BOTH(jit) {
		struct arena_setup s = begin(jit);
		char *p;

		for (int i = 0; i < 50; i++)
			CHECK_EQ(run(s, "pages", 0), 0);
		CHECK(!pintle_arena_alloc(s.map, NULL, 0));
		CHECK(!pintle_arena_alloc(s.map, s.base + 1, 1));
		CHECK(!pintle_arena_alloc(s.map, (void *)(uintptr_t)PAGE, 1));
		CHECK_EQ(errno, EINVAL);
		CHECK(!pintle_arena_alloc(s.map, NULL, PAGES)); /* one has the variables */
		CHECK_EQ(errno, ENOMEM);
		p = pintle_arena_alloc(s.map, NULL, PAGES - 1);
		CHECK(p == s.base + PAGE);
		p[0] = 1;
		CHECK(!pintle_arena_alloc(s.map, NULL, 1));
		CHECK_EQ(run(s, "push", 1), -1);
		CHECK_EQ(pintle_arena_free(s.map, p + 1, 1), -EINVAL);
		CHECK_EQ(pintle_arena_free(s.map, p, PAGES), -EINVAL);
		CHECK_EQ(pintle_arena_free(s.map, p, 2), 0);
		CHECK_EQ(pintle_arena_free(s.map, p, 3), -ENOENT);
		CHECK(pintle_arena_alloc(s.map, p, 3) == p);
		CHECK_EQ(p[0], 0);
		CHECK(!pintle_arena_base(NULL, NULL));
		CHECK_EQ(pintle_map_lookup(s.map, p, p), -EOPNOTSUPP);
		end(s);
	}
}

/* A page is a turn: two times eight of 20, and then nothing more. */
TEST(arena_pages_cost_turns)
{
	BOTH(jit) {
		struct arena_setup s = begin_with(jit, 20);
		struct list *list = (struct list *)s.base;
		uint64_t args[] = {0}, result;

		CHECK_EQ(run(s, "greedy", 0), 2);
		CHECK_EQ(pintle_map_count(s.map), 17);
		list->pushed = 0;
		CHECK_EQ(pintle_prog_run(pintle_prog_find(s.object, "greedy_for_long"), args,
					 &result), -ETIME);
		CHECK_EQ(list->pushed, 1);
		end(s);
		s = begin(jit);
		CHECK_EQ(run(s, "greedy", 0), 3);
		list = (struct list *)s.base;
		list->pushed = 0;
		CHECK_EQ(run(s, "greedy_for_long", 0), 1);
		CHECK_EQ(list->pushed, 1000);
		end(s);
	}
}

/* ------------------------------------------------------------------ failures */

static size_t mprotect_stops; /* opens so many bytes, then fails; 0: as it should */

/* Takes the place of the C library's. */
__attribute__((visibility("default"))) int mprotect(void *addr, size_t size, int prot)
{
	bool fails = mprotect_stops && prot == (PROT_READ | PROT_WRITE);

	if (fails)
		size = mprotect_stops < size ? mprotect_stops : size;
	if (syscall(SYS_mprotect, addr, size, prot))
		return -1;
	errno = fails ? ENOMEM : 0;
	return fails ? -1 : 0;
}

/* What could be opened is nobody's, and no program's: what is written there is gone. */
TEST(arena_pages_that_were_opened_in_part)
{
	BOTH(jit) {
		struct arena_setup s = begin(jit);
		char *page = s.base + 40 * PAGE; /* as nobody() has it */
		void *got;

		mprotect_stops = 2 * PAGE;
		got = pintle_arena_alloc(s.map, page, 4);
		mprotect_stops = 0;
		CHECK(!got);
		CHECK_EQ(pintle_map_count(s.map), 1);
		CHECK_EQ(run(s, "nobody", 0), 0); /* reads 0 behind its stores */
		CHECK(pintle_arena_alloc(s.map, page, 4) == page);
		for (int i = 0; i < 4 * PAGE; i++)
			CHECK_EQ(page[i], 0);
		end(s);
	}
}

/* ------------------------------------------------------------------ attributes */

static int make(struct pintle_host *host, uint32_t pages, uint64_t extra, const char *words)
{
	struct pintle_map *map = pintle_map_create(
		host, "a", PINTLE_OPTS(pintle_map_opts, .type = 33 /* BPF_MAP_TYPE_ARENA */,
				       .max_entries = pages, .extra = extra));

	if (!map) {
		CHECK_HAS(pintle_host_error(host), words);
		return -1;
	}
	if (extra)
		CHECK_EQ((uint64_t)(uintptr_t)pintle_arena_base(map, NULL), extra);
	CHECK(pintle_arena_alloc(map, NULL, 1));
	pintle_map_close(map);
	pintle_drain(host);
	return 0;
}

/* What can be asked of any map: the count is of pages; it has no elements. */
TEST(arena_is_a_map_without_elements)
{
	struct arena_setup s = begin(PINTLE_JIT_OFF);
	uint32_t before = pintle_map_count(s.map), key = 0, n = 1;
	void *page = pintle_arena_alloc(s.map, NULL, 3);
	char value[64];

	CHECK_EQ(before, 1); /* variables */
	CHECK_EQ(pintle_map_count(s.map), 4);
	CHECK_EQ(pintle_arena_free(s.map, page, 3), 0);
	CHECK_EQ(pintle_map_count(s.map), 1);
	CHECK_EQ(pintle_map_lookup(s.map, &key, value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_update(s.map, &key, value, 0), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_delete(s.map, &key), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup_and_delete(s.map, &key, value), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_next_key(s.map, NULL, &key), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup_batch(s.map, NULL, &key, &key, value, &n, 0),
		 -EOPNOTSUPP);
	CHECK_EQ(pintle_map_freeze(s.map), 0);
	CHECK(!pintle_map_data(s.map, NULL));
	CHECK_EQ(pintle_refs_each(s.host, NULL, NULL, NULL, NULL), 0);
	end(s);
}

TEST(arena_attributes)
{
	struct pintle_host *host = pintle_host_new(NULL);
	uint64_t at = 0x3f0000000000;

	CHECK(host);
	CHECK_EQ(make(host, 16, 0, ""), 0);
	CHECK_EQ(make(host, 1 << 20, 0, ""), 0);
	CHECK_EQ(make(host, 16, at, ""), 0);
	CHECK_EQ(make(host, 16, at + 5 * PAGE, ""), 0);
	CHECK_EQ(make(host, 0, 0, "max_entries is 0"), -1);
	CHECK_EQ(make(host, (1 << 20) + 1, 0, "at most 4 GiB"), -1);
	CHECK_EQ(make(host, 16, at + 1, "no address of a page"), -1);
	CHECK_EQ(make(host, 16, PAGE, "no address of a page"), -1);
	CHECK_EQ(make(host, 2, at - PAGE, "crosses a multiple of 4 GiB"), -1);
	CHECK_EQ(make(host, 1, (uint64_t)(uintptr_t)&host & ~(uint64_t)(PAGE - 1),
		      "where map_extra wants"), -1);
	pintle_host_free(host);
	host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .no_fault_handler = true));
	CHECK_EQ(make(host, 1, 0, "fault handlers"), -1);
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ threads */

enum { THREADS = 3, LAPS = 300 };

static struct arena_setup shared;
static uint64_t *counters;

static void *work(void *arg)
{
	long id = (long)arg;

	for (int i = 0; i < LAPS; i++) {
		char *p = pintle_arena_alloc(shared.map, NULL, 2);

		if (p) {
			p[0] = (char)id;
			pintle_arena_free(shared.map, p, 2);
		}
		/* in a page that comes and goes meanwhile */
		run(shared, "nobody", (id * 8) % PAGE);
		run(shared, "pages", 0);
		run(shared, "count", (long)counters);
	}
	return NULL;
}

TEST(race_arena)
{
	BOTH(jit) {
		pthread_t threads[THREADS];

		shared = begin(jit);
		counters = pintle_arena_alloc(shared.map, NULL, 1);
		CHECK(counters);
		for (long i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&threads[i], NULL, work, (void *)i));
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		CHECK_EQ(counters[0], THREADS * LAPS);
		end(shared);
	}
}
