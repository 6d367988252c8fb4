/* SPDX-License-Identifier: MIT
 *
 * space.c: address spaces: reads of each kind, failures, handles, numbers.
 */
#include "bare.h"
#include "map_fixture.h"

#include "lower/code.h"
#include "run/helper/helpers.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARG(p) ((u64)(uintptr_t)(p))
#define IN(number, addr) ((u64)(number) << USER_SPACE_SHIFT | ARG(addr))

static s64 read_user(void *to, u32 size, u64 from)
{
	return (s64)helper_probe_read_user(ARG(to), size, from, 0, 0);
}

static s64 read_str(char *to, u32 size, u64 from)
{
	return (s64)helper_probe_read_user_str(ARG(to), size, from, 0, 0);
}

struct world {
	struct pintle_host *host;
	char *page; /* two pages, the second unmapped */
	struct slot_ctx *slot;
};

static long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static void world_open(struct world *w)
{
	w->host = fixture_host(RCU_NONE);
	fault_init(w->host);
	w->page = mmap(NULL, 2 * (size_t)page_size(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(w->page != MAP_FAILED);
	/* Nobody else's mapping comes to lie there. */
	CHECK_EQ(mprotect(w->page + page_size(), (size_t)page_size(), PROT_NONE), 0);
	strcpy(w->page, "tenant");
	strcpy(w->page + page_size() - 4, "end");
	w->page[page_size() - 1] = '!';
}

static void world_close(struct world *w)
{
	spaces_free(w->host);
	munmap(w->page, 2 * (size_t)page_size());
	fault_free(w->host);
	fixture_free(w->host);
}

static struct pintle_space *enter(struct world *w, struct pintle_space *space)
{
	CHECK(space);
	pintle_space_enter(w->host, space);
	w->slot = fixture_enter(w->host);
	return space;
}

TEST(space_range_reads)
{
	struct world w;
	char to[64];

	world_open(&w);
	enter(&w, pintle_space_range(w.host, w.page, (size_t)page_size()));
	CHECK_EQ(read_user(to, 7, ARG(w.page)), 0);
	CHECK_STR(to, "tenant");
	CHECK_EQ(read_user(to, 0, ARG(w.page)), 0);
	CHECK_EQ(read_str(to, sizeof(to), ARG(w.page) + 3), 4);
	CHECK_STR(to, "ant");
	CHECK_EQ(read_str(to, 3, ARG(w.page)), 3);
	CHECK_STR(to, "te");
	fixture_leave(w.slot);
	world_close(&w);
}

/* E3: all or nothing. */
TEST(space_failed_reads_leave_zeros)
{
	struct world w;
	char to[64];

	world_open(&w);
	enter(&w, pintle_space_range(w.host, w.page, (size_t)page_size()));
	memset(to, 7, sizeof(to));
	CHECK_EQ(read_user(to, 8, ARG(w.page) + (u64)page_size() - 4), -EFAULT);
	CHECK(!to[0] && !to[7] && to[8] == 7);
	CHECK_EQ(read_user(to, 8, ARG(&w)), -EFAULT); /* mapped, but not its own */
	CHECK_EQ(read_user(to, 8, 0), -EFAULT);
	memset(to, 7, sizeof(to));
	CHECK_EQ(read_str(to, 32, ARG(w.page) + (u64)page_size() - 4), -EFAULT);
	CHECK(!to[0] && !to[31] && to[32] == 7);
	fixture_leave(w.slot);
	pintle_space_enter(w.host, NULL);
	w.slot = fixture_enter(w.host);
	CHECK_EQ(read_user(to, 1, ARG(w.page)), -EFAULT); /* no space is current */
	fixture_leave(w.slot);
	world_close(&w);
}

TEST(J08_tenant_range_unmapped)
{
	struct world w;
	u64 to = 7;

	world_open(&w);
	enter(&w, pintle_space_range(w.host, w.page, 2 * (size_t)page_size()));
	CHECK_EQ(read_user(&to, 8, ARG(w.page) + (u64)page_size()), -EFAULT);
	CHECK_EQ(to, 0);
	fixture_leave(w.slot);
	world_close(&w);
}

TEST(U23_space_is_gone)
{
	struct world w;
	struct pintle_space *s;
	u64 handle, to = 7;

	world_open(&w);
	s = enter(&w, pintle_space_range(w.host, w.page, (size_t)page_size()));
	handle = space_handle(w.slot, ARG(w.page));
	CHECK_EQ(handle, IN(1, w.page));
	fixture_leave(w.slot);
	pintle_space_close(s);
	w.slot = fixture_enter(w.host);
	CHECK_EQ(read_user(&to, 8, handle), -EFAULT);
	CHECK_EQ(to, 0);
	CHECK_EQ(read_user(&to, 8, ARG(w.page)), -EFAULT); /* it was the current one */
	fixture_leave(w.slot);
	world_close(&w);
}

/* J19: what a field remembers is read in the space that it came from. */
TEST(space_handle_keeps_its_space)
{
	struct world w;
	struct pintle_space *mine, *other;
	static const char text[] = "other";
	char to[8];
	u64 handle;

	world_open(&w);
	mine = pintle_space_range(w.host, w.page, (size_t)page_size());
	other = pintle_space_range(w.host, text, sizeof(text));
	CHECK(mine && other);
	enter(&w, mine);
	handle = space_handle(w.slot, ARG(w.page));
	CHECK_EQ(space_handle(w.slot, handle), handle);
	CHECK_EQ(space_handle(w.slot, 0), 0);
	fixture_leave(w.slot);
	CHECK(pintle_space_enter(w.host, other) == mine);
	w.slot = fixture_enter(w.host);
	CHECK_EQ(read_user(to, 7, handle), 0);
	CHECK_STR(to, "tenant");
	CHECK_EQ(read_user(to, 7, ARG(w.page)), -EFAULT);
	CHECK_EQ(read_user(to, 6, ARG(text)), 0);
	CHECK_STR(to, "other");
	fixture_leave(w.slot);
	CHECK(pintle_space_enter(w.host, NULL) == other);
	w.slot = fixture_enter(w.host);
	CHECK_EQ(space_handle(w.slot, ARG(text)), 0);
	fixture_leave(w.slot);
	world_close(&w);
}

TEST(space_guest_memory)
{
	struct world w;
	static char low[100] = "low", high[100] = "high";
	const struct pintle_guest_region regions[] = {
		{0x100064, 100, high}, {0x100000, 100, low}, {0x200000, 4096, NULL}};
	char to[128];

	world_open(&w);
	memset(low + 90, 'x', 10);
	CHECK(!pintle_space_guest(w.host, regions, 3));
	CHECK_HAS(pintle_host_error(w.host), "overlap");
	CHECK(!pintle_space_guest(w.host, regions, 0));
	enter(&w, pintle_space_guest(w.host, regions, 2));
	CHECK_EQ(read_user(to, 4, 0x100000), 0);
	CHECK_STR(to, "low");
	CHECK_EQ(read_str(to, sizeof(to), 0x10005a), 15); /* over the seam */
	CHECK_STR(to, "xxxxxxxxxxhigh");
	CHECK_EQ(read_user(to, 2, 0x1000c7), -EFAULT);
	CHECK_EQ(read_user(to, 1, 0xfffff), -EFAULT);
	fixture_leave(w.slot);
	world_close(&w);
}

static int custom_read(void *data, void *to, uint64_t from, size_t size)
{
	if (from + size > 100)
		return -1;
	memset(to, (int)from, size);
	return 0;
}

TEST(space_custom_callbacks)
{
	struct world w;
	char to[4];

	world_open(&w);
	CHECK(!pintle_space_custom(w.host, PINTLE_OPTS(pintle_space_ops), NULL));
	enter(&w, pintle_space_custom(w.host,
				      PINTLE_OPTS(pintle_space_ops, .read = custom_read), NULL));
	CHECK_EQ(read_user(to, 4, 65), 0);
	CHECK(!memcmp(to, "AAAA", 4));
	CHECK_EQ(read_user(to, 4, 99), -EFAULT);
	fixture_leave(w.slot);
	world_close(&w);
}

/* The same process, by a descriptor that need not outlive the call. */
static void by_pidfd(struct world *w, pid_t child, char *secret)
{
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pintle_space *s = pintle_space_pidfd(w->host, fd), *before;
	struct slot_ctx *slot;
	char to[32];

	CHECK(s && fd >= 0);
	close(fd);
	before = pintle_space_enter(w->host, s);
	slot = slot_get(w->host);
	sleep_enter(slot);
	slot_swap(slot);
	CHECK_EQ(read_str(to, sizeof(to), ARG(secret)), 13);
	CHECK_STR(to, "of the child");
	slot_swap(NULL);
	sleep_leave(slot);
	pintle_space_enter(w->host, before);
	pintle_space_close(s);
}

TEST(space_pidfd_that_is_none)
{
	struct world w;
	int fd[2], child, gone;

#ifdef TEST_TSAN
	SKIP("the thread sanitizer's children do not live");
#endif
	world_open(&w);
	CHECK(!pintle_space_pidfd(w.host, -1));
	CHECK_EQ(pipe(fd), 0);
	CHECK(!pintle_space_pidfd(w.host, fd[0]));
	CHECK(strstr(pintle_host_error(w.host), "of no process"));
	child = fork();
	if (!child)
		_exit(0);
	gone = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK(gone >= 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK(!pintle_space_pidfd(w.host, gone));
	CHECK(strstr(pintle_host_error(w.host), "has ended"));
	close(gone);
	close(fd[0]);
	close(fd[1]);
	world_close(&w);
}

/* J09, J20: what may block is for runs that may sleep. */
TEST(J09_process_space)
{
	static char secret[] = "of another process";
	struct world w;
	struct slot_ctx *slot;
	char to[32];
	pid_t child;
	struct pintle_space *s;

#ifdef TEST_TSAN
	SKIP("the thread sanitizer's children do not live");
#endif
	world_open(&w);
	child = fork();
	if (!child) {
		strcpy(secret, "of the child");
		pause();
		_exit(0);
	}
	CHECK(child > 0);
	s = enter(&w, pintle_space_process(w.host, child));
	CHECK_EQ(read_user(to, 4, ARG(secret)), -EPERM);
	CHECK_EQ(read_str(to, 4, ARG(secret)), -EPERM);
	fixture_leave(w.slot);

	slot = slot_get(w.host);
	sleep_enter(slot);
	slot_swap(slot);
	for (u32 i = 0; i < 1000 && (read_str(to, sizeof(to), ARG(secret)) < 0 ||
				     strcmp(to, "of the child"));
	     i++)
		usleep(1000);
	CHECK_STR(to, "of the child");
	CHECK_EQ((s64)helper_copy_from_user(ARG(to), 4, 0x1000, 0, 0), -EFAULT);
	slot_swap(NULL);
	sleep_leave(slot);
	by_pidfd(&w, child, secret);
	slot = slot_get(w.host);
	sleep_enter(slot);
	slot_swap(slot);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK_EQ((s64)helper_copy_from_user(ARG(to), 4, ARG(secret), 0, 0), -EFAULT);
	slot_swap(NULL);
	sleep_leave(slot);
	pintle_space_close(s);
	CHECK(!pintle_space_process(w.host, child));
	world_close(&w);
}

/* Numbers come back when no field remembers them: a field that does is emptied first. */
TEST(space_numbers_are_used_again)
{
	static struct { u32 n; struct field f[1]; } rec = {
		1, {{.kind = FIELD_USER, .off = 0, .size = 8, .path = "v.user"}}};
	struct world w;
	struct image_map def;
	struct pintle_space *s;
	struct map *map;
	u32 key = 0;
	u64 *field;

	world_open(&w);
	def = fixture_def(MAP_ARRAY, 1, 0, (const struct record *)&rec);
	map = fixture_map(w.host, &def);
	field = map->ops->lookup(map, &key);
	s = enter(&w, pintle_space_range(w.host, w.page, (size_t)page_size()));
	*field = space_handle(w.slot, ARG(w.page));
	fixture_leave(w.slot);
	pintle_space_close(s);
	for (u32 i = 0; i < 65534; i++) { /* closed at once, but without a grace period each */
		s = pintle_space_range(w.host, w.page, 1);
		CHECK(s);
		run_read_lock(w.host);
		pintle_space_close(s);
		run_read_unlock(w.host);
	}
	CHECK_EQ(*field, IN(1, w.page));
	CHECK(pintle_space_range(w.host, w.page, 1));
	CHECK_EQ(*field, 0);
	map_put(map);
	world_close(&w);
}

/* --- as programs are lowered --- */

static void *the_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	return id == HELPER_PROBE_READ_USER ? (void *)helper_probe_read_user : NULL;
}

/* What a program reads that passes @from to bpf_probe_read_user(); 0 where it cannot. */
static u64 program_reads(u64 from, u8 note, struct pintle_space **space, const u64 *range)
{
	static const struct link link = {.helper = the_helper};
	struct bare b;
	u64 result;

	bare_make(&b, "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall 112\n"
		      "r0 = *(u64 *)(r10 -8)\nexit\n");
	b.host.arena = b.arena;
	*space = pintle_space_range(&b.host, range, 8);
	CHECK(*space);
	b.proof->at[4].user = note;
	CHECK_EQ(bare_lower(&b, &link), 0);
	result = bare_run(&b, from, 0);
	spaces_free(&b.host);
	defer_drain(&b.host);
	b.host.arena = NULL;
	bare_free(&b);
	return result;
}

/* No number that a program made up, and no address that came from outside, names a space;
 * a pointer from a field does. */
TEST(space_is_not_named_by_numbers)
{
	static const u64 secret = 4711;
	struct pintle_space *space;

	CHECK_EQ(program_reads(IN(1, &secret), USER_PASSED, &space, &secret), 4711);
	CHECK_EQ(program_reads(IN(1, &secret), USER_UNPASSED, &space, &secret), 0);
	CHECK_EQ(program_reads(IN(1, &secret), USER_PASSED | USER_UNPASSED, &space, &secret),
		 0);
	CHECK_EQ(program_reads(IN(1, &secret), 0, &space, &secret), 0);
}

/* A load of such an address leaves nothing above its 47 bits. */
TEST(space_is_not_named_by_addresses_from_outside)
{
	const u64 outside = IN(7, 0x1234) | BIT64(47);
	struct bare b;

	bare_make(&b, "r0 = *(u64 *)(r1 +0)\nexit\n");
	b.proof->at[0].user = USER_LOADED;
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, ARG(&outside), 0), 0x1234);
	bare_free(&b);
}
