/* SPDX-License-Identifier: MIT
 *
 * helper.c: helpers called as programs call them: results, errnos, bad arguments.
 */
#include "map_fixture.h"
#include "run/helper/helpers.h"

#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static u64 ptr(const void *p)
{
	return (uintptr_t)p;
}

/* A host inside a run; with handlers, so that bad addresses may be read. */
struct in_run {
	struct pintle_host *host;
	struct slot_ctx *slot;
};

static struct in_run begin(void)
{
	struct in_run r = {fixture_host(RCU_DEFERRED_PUT)};

	CHECK_EQ(fault_init(r.host), 0);
	r.slot = fixture_enter(r.host);
	return r;
}

static void end(struct in_run r)
{
	fixture_leave(r.slot);
	fault_free(r.host);
	fixture_free(r.host);
}

/* ------------------------------------------------------------------ the table */

/* Everything here has a prototype there, but for what others implement. */
TEST(helper_table_matches_abi)
{
	static const u32 numbers[] = {
#define HELPER(id, name) id,
#include "run/helper/helpers.def"
#undef HELPER
	};
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		CHECK(abi_helper(numbers[i]));
		CHECK(helper_find(host, NULL, numbers[i]));
		CHECK(!i || numbers[i] > numbers[i - 1]);
	}
	CHECK(!helper_find(host, NULL, 0) && !helper_find(host, NULL, 23));
	CHECK(!helper_find(host, NULL, UINT32_MAX));
	fixture_free(host);
}

TEST(helper_of_host_comes_first)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct abi_prog_type xdp = {.name = "xdp"}, other = {.name = "tc"};
	char mine;
	struct host_helper h = {.prog_type = strdup("xdp"), .id = 5, .fn = &mine};

	CHECK(vec_push(&host->helpers, h));
	CHECK(helper_find(host, &xdp, 5) == &mine);
	CHECK(helper_find(host, &other, 5) == (void *)helper_ktime_get_ns);
	CHECK(helper_find(host, NULL, 5) == (void *)helper_ktime_get_ns);
	free(h.prog_type);
	vec_free(&host->helpers);
	fixture_free(host);
}

/* ------------------------------------------------------------------ maps and slots */

TEST(helper_maps)
{
	struct in_run r = begin();
	struct image_map hash = fixture_def(MAP_HASH, 1, 0, NULL);
	struct image_map percpu = fixture_def(MAP_PERCPU_ARRAY, 1, 0, NULL);
	struct map *h = fixture_map(r.host, &hash), *p = fixture_map(r.host, &percpu);
	u32 key = 0, other = 1;
	u64 v = 5, at;

	CHECK_EQ(helper_map_lookup_elem(ptr(h), ptr(&key), 0, 0, 0), 0);
	CHECK_EQ(helper_map_update_elem(ptr(h), ptr(&key), ptr(&v), MAP_EXIST, 0),
		 -ENOENT);
	CHECK_EQ(helper_map_update_elem(ptr(h), ptr(&key), ptr(&v), 0, 0), 0);
	CHECK_EQ(helper_map_update_elem(ptr(h), ptr(&key), ptr(&v), MAP_NOEXIST, 0),
		 -EEXIST);
	CHECK_EQ(helper_map_update_elem(ptr(h), ptr(&other), ptr(&v), 0, 0), -E2BIG);
	CHECK_EQ(helper_map_update_elem(ptr(h), ptr(&key), ptr(&v), 99, 0), -EINVAL);
	at = helper_map_lookup_elem(ptr(h), ptr(&key), 0, 0, 0);
	CHECK(at && *(u64 *)at == 5);
	CHECK_EQ(helper_map_delete_elem(ptr(h), ptr(&key), 0, 0, 0), 0);
	CHECK_EQ(helper_map_delete_elem(ptr(h), ptr(&key), 0, 0, 0), -ENOENT);
	CHECK_EQ(helper_map_delete_elem(ptr(p), ptr(&key), 0, 0, 0), -EINVAL);
	CHECK_EQ(helper_for_each_map_elem(ptr(h), 0, 0, 1, 0), -EINVAL);

	at = helper_map_lookup_percpu_elem(ptr(p), ptr(&key), r.slot->index, 0, 0);
	CHECK(at && at == helper_map_lookup_elem(ptr(p), ptr(&key), 0, 0, 0));
	CHECK_EQ(helper_map_lookup_percpu_elem(ptr(p), ptr(&key), 8, 0, 0), 0);
	CHECK_EQ(helper_map_lookup_percpu_elem(ptr(p), ptr(&other), 0, 0, 0), 0);
	CHECK_EQ(helper_map_lookup_percpu_elem(ptr(h), ptr(&key), 0, 0, 0), 0);
	map_put(h);
	map_put(p);
	end(r);
}

TEST(helper_kptr_xchg_moves)
{
	void *slot = NULL;
	int thing;

	CHECK_EQ(helper_kptr_xchg(ptr(&slot), ptr(&thing), 0, 0, 0), 0);
	CHECK(slot == &thing);
	CHECK_EQ(helper_kptr_xchg(ptr(&slot), 0, 0, 0, 0), ptr(&thing));
	CHECK(!slot);
}

TEST(helper_loop_limits)
{
	CHECK_EQ(helper_loop(0, 0, 0, 0, 0), 0);
	CHECK_EQ(helper_loop(1, 0, 0, 1, 0), -EINVAL);
	CHECK_EQ(helper_loop((1 << 23) + 1, 0, 0, 0, 0), -E2BIG);
}

static u32 lock;
static u64 guarded;

static void *add_under_lock(void *data)
{
	for (u32 i = 0; i < 50000; i++) {
		helper_spin_lock(ptr(&lock), 0, 0, 0, 0);
		guarded++;
		helper_spin_unlock(ptr(&lock), 0, 0, 0, 0);
	}
	return NULL;
}

TEST(helper_spin_lock_excludes)
{
	pthread_t t[4];

	guarded = 0;
	for (u32 i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, add_under_lock, NULL), 0);
	for (u32 i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(guarded, 200000);
	CHECK_EQ(lock, 0);
}

/* ------------------------------------------------------------------ where and when */

TEST(helper_time)
{
	u64 a = helper_ktime_get_ns(0, 0, 0, 0, 0),
	    b = helper_ktime_get_ns(0, 0, 0, 0, 0);
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	CHECK(a <= b && b <= (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec);
	CHECK(helper_ktime_get_boot_ns(0, 0, 0, 0, 0) >= a);
	CHECK(helper_ktime_get_coarse_ns(0, 0, 0, 0, 0) <=
	      helper_ktime_get_ns(0, 0, 0, 0, 0));
	CHECK(helper_ktime_get_tai_ns(0, 0, 0, 0, 0) > 1500000000ull * 1000000000);
	a = helper_jiffies64(0, 0, 0, 0, 0);
	b = helper_ktime_get_ns(0, 0, 0, 0, 0) / 10000000;
	CHECK(a <= b && b - a < 100);
}

TEST(helper_place_and_chance)
{
	struct in_run r = begin();
	u32 bits = 0, same = 0, last = 0;

	CHECK_EQ(helper_get_smp_processor_id(0, 0, 0, 0, 0), r.slot->index);
	CHECK_EQ(helper_get_numa_node_id(0, 0, 0, 0, 0), 0);
	CHECK_EQ(helper_get_current_pid_tgid(0, 0, 0, 0, 0) >> 32, getpid());
	CHECK_EQ((u32)helper_get_current_pid_tgid(0, 0, 0, 0, 0), gettid());
	CHECK_EQ(helper_get_current_uid_gid(0, 0, 0, 0, 0),
		 (u64)getgid() << 32 | (u64)getuid());
	r.slot->random = 0; /* any state will do */
	for (u32 i = 0; i < 1000; i++) {
		u64 x = helper_get_prandom_u32(0, 0, 0, 0, 0);

		CHECK(x <= UINT32_MAX);
		bits += (u32)__builtin_popcountll(x);
		same += last == x;
		last = (u32)x;
	}
	CHECK(bits > 15000 && bits < 17000 && !same);
	end(r);
}

TEST(helper_comm)
{
	char name[16] = "", buf[20];

	pthread_getname_np(pthread_self(), name, sizeof(name));
	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(helper_get_current_comm(ptr(buf), sizeof(buf), 0, 0, 0), 0);
	CHECK_STR(buf, name);
	CHECK_EQ(buf[19], 0);
	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(helper_get_current_comm(ptr(buf), 3, 0, 0, 0), 0);
	CHECK(buf[0] == name[0] && buf[1] == name[1] && !buf[2] && buf[3] == 'x');
	CHECK_EQ(helper_get_current_comm(ptr(buf), 0, 0, 0, 0), -EINVAL);
}

/* ------------------------------------------------------------------ reading memory */

TEST(helper_probe_read)
{
	struct in_run r = begin();
	char from[200], to[200];

	memset(from, 7, sizeof(from));
	memset(to, 1, sizeof(to));
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 150, ptr(from), 0, 0), 0);
	CHECK(!memcmp(to, from, 150) && to[150] == 1);
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 150, 0, 0, 0), -EFAULT);
	CHECK(!to[0] && !to[149] && to[150] == 1);
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 0, 0, 0, 0), 0);
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 8, 0x4141414141414141, 0, 0), -EFAULT);
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 8, UINT64_MAX - 3, 0, 0), -EFAULT);
	end(r);
}

TEST(helper_probe_read_at_the_edge)
{
	struct in_run r = begin();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char to[64];

	CHECK(p != MAP_FAILED && !munmap(p + page, page));
	memset(p, 'a', page);
	memset(to, 'x', sizeof(to));
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 32, ptr(p + page - 31), 0, 0),
		 -EFAULT);
	CHECK(!to[0] && !to[31] && to[32] == 'x');
	CHECK_EQ(helper_probe_read_kernel(ptr(to), 31, ptr(p + page - 31), 0, 0), 0);
	/* a string that runs out of the mapping, and one that just fits */
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 64, ptr(p + page - 20), 0, 0),
		 -EFAULT);
	CHECK(!to[0]);
	p[page - 1] = 0;
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 64, ptr(p + page - 20), 0, 0), 20);
	CHECK_EQ(strlen(to), 19);
	munmap(p, page);
	end(r);
}

TEST(helper_probe_read_str)
{
	struct in_run r = begin();
	char to[128], from[128] = "hello", longer[128];

	memset(to, 'x', sizeof(to));
	memset(from + 6, 'y', 100);
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 128, ptr(from), 0, 0), 6);
	CHECK_STR(to, "hello");
	CHECK_EQ(to[64], 0); /* nothing of what follows the string */
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 3, ptr(from), 0, 0), 3);
	CHECK_STR(to, "he");
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 6, ptr(from), 0, 0), 6);
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 1, ptr(from), 0, 0), 1);
	CHECK_STR(to, "");
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 0, ptr(from), 0, 0), 0);
	memset(longer, 'z', sizeof(longer));
	longer[120] = 0;
	for (u32 off = 0; off < 70; off++) {
		CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 128, ptr(longer + off), 0,
						      0),
			 121 - off);
		CHECK_STR(to, longer + off);
	}
	CHECK_EQ(helper_probe_read_kernel_str(ptr(to), 8, 8, 0, 0), -EFAULT);
	CHECK_STR(to, "");
	end(r);
}

/* What a 6.18 kernel answers. */
TEST(helper_csum_diff_as_kernel)
{
	u8 bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	u32 ones[] = {0xffffffff, 0xfffffffe}, beef = 0xdeadbeef, zero = 0,
	    two = 0x00010001;

	CHECK_EQ(helper_csum_diff(0, 0, ptr(bytes), 8, 0), 5136);
	CHECK_EQ(helper_csum_diff(ptr(bytes), 8, 0, 0, 0x12345678), 21660);
	CHECK_EQ(helper_csum_diff(ptr(ones), 8, ptr(&beef), 4, 0xabcd), 18796);
	CHECK_EQ(helper_csum_diff(0, 0, 0, 0, 0x12345678), 26796);
	CHECK_EQ(helper_csum_diff(ptr(&zero), 4, 0, 0, 0), 0);
	CHECK_EQ(helper_csum_diff(ptr(&two), 4, ptr(&two), 4, 0), 65535);
	CHECK_EQ(helper_csum_diff(ptr(&two), 3, ptr(&two), 4, 0), 65535);
}

/* ------------------------------------------------------------------ words */

struct number {
	const char *text;
	u64 base;
	s64 used, value;
};

TEST(helper_strtol)
{
	static const struct number cases[] = {
		{"0", 0, 1, 0}, {"12", 0, 2, 12}, {"12", 8, 2, 10}, {"12", 16, 2, 18},
		{"0x1F", 0, 4, 31}, {"0x1F", 16, 4, 31}, {"0x1F", 10, 1, 0},
		{"017", 0, 3, 15}, {"017", 10, 3, 17}, {"0xg", 0, 1, 0}, {"0x", 16, 1, 0},
		{" \t\n-5z", 0, 5, -5}, {"-0x10", 0, 5, -16}, {"9", 8, -EINVAL, 0},
		{"", 0, -EINVAL, 0}, {"-", 0, -EINVAL, 0}, {"+5", 0, -EINVAL, 0},
		{"--5", 0, -EINVAL, 0}, {"- 5", 0, -EINVAL, 0}, {"x", 16, -EINVAL, 0},
		{"5", 2, -EINVAL, 0}, {"5", 36, -EINVAL, 0}, {"5", 42, -EINVAL, 0},
		{"9223372036854775807", 10, 19, LLONG_MAX},
		{"9223372036854775808", 10, -ERANGE, 0},
		{"-9223372036854775808", 10, 20, LLONG_MIN},
		{"-9223372036854775809", 10, -ERANGE, 0},
		{"99999999999999999999999", 10, -ERANGE, 0},
		{"0xffffffffffffffff0", 16, -ERANGE, 0},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct number *c = &cases[i];
		s64 value = 99;

		CHECK_EQ(helper_strtol(ptr(c->text), strlen(c->text) + 1, c->base,
				       ptr(&value), 0),
			 c->used);
		CHECK_EQ(value, c->value);
	}
}

TEST(helper_strtoul)
{
	static const struct number cases[] = {
		{"18446744073709551615", 10, 20, -1},
		{"18446744073709551616", 0, -ERANGE, 0},
		{"  7", 0, 3, 7},
		{"-7", 0, -EINVAL, 0},
		{"0XfF", 0, 4, 255},
		{"01777777777777777777777", 0, 23, -1},
		{"02000000000000000000000", 0, -ERANGE, 0},
	};
	u64 value = 99;

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct number *c = &cases[i];

		CHECK_EQ(helper_strtoul(ptr(c->text), strlen(c->text) + 1, c->base,
					ptr(&value), 0), c->used);
		CHECK_EQ(value, c->value);
	}
	/* the buffer need not end */
	CHECK_EQ(helper_strtoul(ptr("1234"), 2, 0, ptr(&value), 0), 2);
	CHECK_EQ(value, 12);
	CHECK_EQ(helper_strtoul(ptr("0x12"), 2, 0, ptr(&value), 0), 1);
	CHECK_EQ(helper_strtoul(ptr("   "), 3, 0, ptr(&value), 0), -EINVAL);
}

TEST(helper_strncmp_signs)
{
	CHECK_EQ(helper_strncmp(ptr("abc"), 3, ptr("abc"), 0, 0), 0);
	CHECK((s64)helper_strncmp(ptr("abc"), 3, ptr("abd"), 0, 0) < 0);
	CHECK((s64)helper_strncmp(ptr("abd"), 3, ptr("abc"), 0, 0) > 0);
	CHECK_EQ(helper_strncmp(ptr("abd"), 2, ptr("abc"), 0, 0), 0);
}

static s64 format(char *to, u32 size, const char *fmt, u64 a, u64 b)
{
	static struct format_proof proof = {.room = {100, 100}, .pointers = 3};
	const u64 args[] = {a, b};

	return format_text(to, size, fmt, UINT32_MAX, args, 2, &proof);
}

static void formats(const char *fmt, u64 a, u64 b, const char *want)
{
	char to[2048];

	CHECK_EQ(format(to, sizeof(to), fmt, a, b), strlen(want));
	CHECK_STR(to, want);
}

TEST(helper_snprintf_formats)
{
	struct in_run r = begin();
	u8 ip[16] = {192, 168, 0, 1}, ip6[16] = {0x20, 1, [15] = 1};

	formats("plain", 0, 0, "plain");
	formats("%d%%%u", (u64)-1, (u64)-1, "-1%4294967295");
	formats("%ld %lu", (u64)-1, (u64)-1, "-1 18446744073709551615");
	formats("%lld %llx", (u64)-1, (u64)-1, "-1 ffffffffffffffff");
	formats("%i %x", 0x1fffffffful, 0x1deadbeeful, "-1 deadbeef");
	formats("%05d|%-5u|", 42, 7, "00042|7    |");
	formats("%+d %X", 5, 0xabc, "+5 ABC");
	formats("%x%c", 16, 'z', "10z");
	formats("[%s] [%6s]", ptr("one"), ptr("two"), "[one] [   two]");
	formats("[%-6s] [%06s]", ptr("one"), ptr("two"), "[one   ] [   two]");
	formats("[%s] [%s]", 0, 0x4141414141414141, "[] []");
	formats("%pi4 %pI6", ptr(ip), ptr(ip6), "192.168.0.1 2001::1");
	formats("%pks|%pus", ptr("one"), ptr("two"), "one|");
	formats("%p", 0, 0, "(null)");
	formats("\t%d\n", 1, 0, "\t1\n");
	end(r);
}

TEST(helper_snprintf_hides_pointers)
{
	struct in_run r = begin();
	char one[64], two[64], hex[32];

	CHECK_EQ(format(one, sizeof(one), "%p %px", ptr(one), ptr(one)), 33);
	CHECK(!memcmp(one, one + 17, 16)); /* the same number for the same address */
	snprintf(hex, sizeof(hex), "%lx", (unsigned long)ptr(one));
	CHECK(!strstr(one, hex));
	CHECK_EQ(format(two, sizeof(two), "%pK %p", ptr(two), ptr(one)), 33);
	CHECK(memcmp(two, one, 16) && !memcmp(two + 17, one, 16));
	end(r);
}

TEST(helper_snprintf_limits)
{
	struct in_run r = begin();
	char to[8];
	u64 args[16] = {0};

	memset(to, 'x', sizeof(to));
	CHECK_EQ(format(to, 4, "%d", 12345678, 0), 8);
	CHECK_STR(to, "123");
	CHECK_EQ(to[4], 'x');
	CHECK_EQ(format(to, 1, "%d", 12345678, 0), 8);
	CHECK_STR(to, "");
	CHECK_EQ(format(NULL, 0, "%d", 12345678, 0), 8);
	CHECK_EQ(helper_snprintf(ptr(to), 8, ptr("hi"), 0, 0), 3);
	CHECK_EQ(helper_snprintf(ptr(to), 8, ptr("hi"), ptr(args), 7), -EINVAL);
	CHECK_EQ(helper_snprintf(ptr(to), 8, ptr("hi"), ptr(args), 13 * 8), -EINVAL);
	CHECK_EQ(helper_snprintf(ptr(to), 8, ptr("hi"), 0, 8), -EINVAL);
	CHECK_EQ(helper_snprintf(ptr(to), 8, ptr("%d"), 0, 0), -EINVAL);
	CHECK_EQ(helper_snprintf(0, 8, ptr("hi"), 0, 0), -EINVAL);
	end(r);
}

TEST(helper_snprintf_refuses)
{
	static const char *const bad[] = {
		"%",	     "%n",     "%f",	"%ls",	"%lll", "%llld", "%hd", "%.3d",
		"%*d",	     "%1$d",   "%L",	"%5",	"%l",	"%pq",	 "%p4", "%d%d%d",
		"%0000000d", "%1000d", "a\x01", "%sx", "%-",	"%5%",	 "%z",
	};
	struct in_run r = begin();
	char to[8] = "same";

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(format(to, sizeof(to), bad[i], 0, 0), -EINVAL);
		CHECK_STR(to, "same");
	}
	end(r);
}

static char printed[4096];

static void remember(void *data, enum pintle_log_level level, const char *line)
{
	size_t n = strlen(printed);

	if (level == PINTLE_LOG_PROGRAM)
		snprintf(printed + n, sizeof(printed) - n, "<%s>", line);
}

TEST(helper_trace_printk)
{
	struct in_run r = begin();
	static const char fmt[] = "n=%d s=%s\n", lines[] = "a\n\nb %d%d%d",
			  huge[] = "%999d";
	static struct format_proof proof = {.room = {[1] = 100}, .pointers = 2, .numbers = 1};
	u64 args[12] = {0};

	r.host->opts.log = remember;
	printed[0] = 0;
	CHECK_EQ(helper_trace_printk(ptr(fmt), ptr(&proof) | FORMAT_KNOWN, 5, ptr("five"), 0),
		 11);
	CHECK_STR(printed, "<n=5 s=five>");
	printed[0] = 0;
	CHECK_EQ(helper_trace_printk(ptr(fmt), sizeof(fmt), 5, ptr("five"), 0), 7);
	CHECK_STR(printed, "<n=5 s=>");
	printed[0] = 0;
	CHECK_EQ(helper_trace_printk(ptr(lines), sizeof(lines), 1, 2, 3), 8);
	CHECK_STR(printed, "<a><><b 123>");
	printed[0] = 0;
	CHECK_EQ(helper_trace_printk(ptr(fmt), sizeof(fmt) - 1, 5, 0, 0), -EINVAL);
	CHECK_EQ(helper_trace_printk(ptr("%f"), 3, 5, 0, 0), -EINVAL);
	CHECK_EQ(helper_trace_printk(ptr("%d%d%d%d"), 9, 5, 0, 0), -EINVAL);
	CHECK_EQ(helper_trace_vprintk(ptr("x"), 2, ptr(args), 7, 0), -EINVAL);
	CHECK_EQ(helper_trace_vprintk(ptr("x"), 2, 0, 8, 0), -EINVAL);
	CHECK_EQ(helper_trace_vprintk(ptr("x"), 2, ptr(args), 104, 0), -EINVAL);
	CHECK_STR(printed, "");
	CHECK_EQ(helper_trace_vprintk(ptr("%d%d%d%d"), 9, ptr(args), 32, 0), 4);
	CHECK_STR(printed, "<0000>");
	CHECK_EQ(helper_trace_vprintk(ptr("x"), 2, 0, 0, 0), 1);
	CHECK_EQ(helper_trace_printk(ptr(huge), sizeof(huge), 1, 0, 0), 999);
	CHECK_EQ(helper_trace_printk(ptr("%999d%999d"), 11, 1, 1, 0), 1023);
	end(r);
}
