/* SPDX-License-Identifier: MIT
 *
 * Objects from file to run on a live host: load, attach, run, detach, close; what they keep
 * goes home; nothing is lost when memory is short.
 */
#include "test.h"

#include "pintle/pintle.h"
#include "run/object.h"
#include "unit/fail_alloc.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((noinline, used))

static int live;
static struct box *sunk;
static int poisoned; /* boxes used after their end */

struct box *box_new(long value);
void box_put(struct box *b);
void box_sink(struct box *b);
bool obj_not(bool b);
signed char obj_s8(int n);
unsigned short obj_u16(int n);
int obj_neg(int n);
long obj_u8_arg(unsigned char c);

EXPORTED struct box *box_new(long value)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->value = value;
	b->refs = 1;
	__atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
	return b;
}

EXPORTED void box_put(struct box *b)
{
	int refs = __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL);

	if (refs < 0)
		__atomic_add_fetch(&poisoned, 1, __ATOMIC_RELAXED);
	if (refs)
		return;
	__atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
	free(b);
}

EXPORTED void box_sink(struct box *b)
{
	b = __atomic_exchange_n(&sunk, b, __ATOMIC_SEQ_CST);
	if (b)
		box_put(b);
}

/* Opaque to the optimiser: as a host function in another file would be. */
EXPORTED bool obj_not(bool b)
{
	unsigned char raw;

	memcpy(&raw, &b, 1);
	return raw > 1 ? true : !raw;
}

EXPORTED signed char obj_s8(int n)
{
	return (signed char)n;
}

EXPORTED unsigned short obj_u16(int n)
{
	return (unsigned short)n;
}

EXPORTED int obj_neg(int n)
{
	return -n;
}

EXPORTED long obj_u8_arg(unsigned char c)
{
	return c;
}

static void drop_box(void *obj)
{
	box_put(obj);
}

struct obj_md *keep_obj_md; /* for BTF */

struct obj_ctx { /* the context as it is */
	unsigned char *data, *data_end;
	unsigned long mark;
	unsigned short width;
};

PINTLE_HOOK(int, obj_hook, struct box *, b, int, n)
PINTLE_HOOK(int, obj_slow, struct box *, b, int, n)

/* ------------------------------------------------------------------ the host */

static int add_type(struct pintle_host *host)
{
	static const struct pintle_ctx_field fields[] = {
		{"data", PINTLE_CTX_PACKET, false, offsetof(struct obj_ctx, data), 8},
		{"data_end", PINTLE_CTX_PACKET_END, false, offsetof(struct obj_ctx, data_end),
		 8},
		{"mark", PINTLE_CTX_SCALAR, true, offsetof(struct obj_ctx, mark), 8},
		{"width", PINTLE_CTX_SCALAR, false, offsetof(struct obj_ctx, width), 2},
	};
	const struct pintle_prog_type type = {.size = sizeof(type), .name = "objtest",
					      .section = "objtest", .ctx = "obj_md",
					      .fields = fields, .nfields = ARRAY_SIZE(fields)};

	return pintle_prog_type_add(host, &type);
}

static int fill(struct pintle_host *host)
{
	TRY(pintle_host_add_self(host));
	TRY(pintle_storable(host, "box", .dtor = drop_box));
	TRY(pintle_export(host, box_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	TRY(pintle_export(host, box_put, PINTLE_RELEASE));
	TRY(pintle_export(host, box_sink, PINTLE_CONSUME));
	TRY(pintle_export(host, obj_not, 0));
	TRY(pintle_export(host, obj_s8, 0));
	TRY(pintle_export(host, obj_u16, 0));
	TRY(pintle_export(host, obj_neg, 0));
	TRY(pintle_export(host, obj_u8_arg, 0));
	TRY(pintle_hook_add(host, obj_hook));
	TRY(pintle_hook_add(host, obj_slow, .sleepable = true));
	return add_type(host);
}

static struct pintle_host *new_host(const struct pintle_host_opts *opts)
{
	struct pintle_host *host = pintle_host_new(opts);

	CHECK(host != NULL);
	if (fill(host))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return host;
}

static void end_host(struct pintle_host *host)
{
	pintle_host_free(host);
	if (sunk)
		box_put(sunk);
	sunk = NULL;
	CHECK_EQ(live, 0);
	CHECK_EQ(poisoned, 0);
}

static struct pintle_object *open_object(struct pintle_host *host)
{
	struct pintle_object *o = pintle_open(host, test_object("run/object.bpf.o"), NULL);

	if (!o)
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return o;
}

static struct pintle_object *load_object(struct pintle_host *host)
{
	struct pintle_object *o = open_object(host);

	if (pintle_load(o))
		test_fail(__FILE__, __LINE__, "%s\n%s", pintle_host_error(host),
			  pintle_object_log(o));
	return o;
}

static u64 run_on(struct pintle_object *o, const char *name, struct obj_ctx *ctx)
{
	struct pintle_prog *prog = pintle_prog_find(o, name);
	u64 result = 0;

	CHECK(prog != NULL);
	CHECK_EQ(pintle_prog_run(prog, ctx, &result), 0);
	return result;
}

/* ------------------------------------------------------------------ tests */

TEST(object_hooks_run_in_order_and_references_go_home)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o = load_object(host);
	struct box *b = box_new(100);
	struct pintle_type_stats stats = {.size = sizeof(stats)};

	CHECK_EQ(obj_hook(b, 1), 0); /* nothing attached */
	CHECK_EQ(pintle_attach(o), 0);
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(o, "keep")), -EEXIST);
	for (int i = 1; i <= 1000; i++)
		CHECK_EQ(obj_hook(b, i), 100 + i); /* the last program's */
	pintle_drain(host);
	CHECK_EQ(live, 2);
	CHECK_EQ(pintle_type_stats(host, "box", &stats), 0);
	CHECK_EQ(stats.stored, 1);
	pintle_prog_detach(pintle_prog_find(o, "second"));
	CHECK_EQ(obj_hook(b, 1), 6); /* bias */
	pintle_detach(o);
	CHECK_EQ(obj_hook(b, 1), 0);
	pintle_close(o);
	pintle_drain(host);
	CHECK_EQ(live, 1);
	CHECK_EQ(pintle_type_stats(host, "box", &stats), 0);
	CHECK_EQ(stats.stored, 0);
	CHECK(stats.destructed >= 1);
	box_put(b);
	end_host(host);
}

TEST(object_sleepable_hook_and_consumed_reference)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o = load_object(host);
	struct box *b = box_new(0);

	CHECK_EQ(pintle_prog_attach(pintle_prog_find(o, "slow")), 0);
	CHECK_EQ(obj_slow(b, 3), 1);
	CHECK(sunk && sunk->value == 3);
	box_put(b);
	end_host(host); /* closes what is open */
}

TEST(object_explicit_read_section)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o = load_object(host);
	struct box *b = box_new(0);

	CHECK_EQ(pintle_prog_attach(pintle_prog_find(o, "section")), 0);
	CHECK_EQ(obj_slow(b, 3), -1);
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(o, "keep")), 0);
	obj_hook(b, 9);
	CHECK_EQ(obj_slow(b, 3), 9);
	box_put(b);
	end_host(host);
}

TEST(object_context_is_rewritten)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o = load_object(host);
	unsigned char frame[] = {1, 2, 3, 4, 5};
	struct obj_ctx ctx = {frame, frame + 5, ~0ul, 1000};

	CHECK_EQ((u32)run_on(o, "packet", &ctx), 0x80000000 + 10 + 1000);
	CHECK_EQ(ctx.mark, 0x80000000 + 10);
	CHECK_EQ(ctx.width, 1000);
	ctx.data_end = frame + 2;
	CHECK_EQ((u32)run_on(o, "packet", &ctx), 0x80000000 + 3 + 1000);
	end_host(host);
}

TEST(object_narrow_arguments_and_results)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o = load_object(host);
	struct obj_ctx ctx = {.mark = 0xffffffff};

	CHECK_EQ(run_on(o, "narrow", &ctx), 31);
	end_host(host);
}

static void check_peek(bool no_handler)
{
	struct pintle_host *host = new_host(PINTLE_OPTS(
		pintle_host_opts, .no_fault_handler = no_handler));
	struct pintle_object *o = load_object(host);
	struct box *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct obj_ctx ctx = {0};
	struct pintle_prog_info info = {.size = sizeof(info)};

	CHECK(b != MAP_FAILED);
	b->value = 55;
	b->next = b;
	CHECK_EQ((s32)run_on(o, "peek", &ctx), -2);
	CHECK_EQ(pintle_attach(o), 0);
	obj_hook(b, 1);
	CHECK_EQ(run_on(o, "peek", &ctx), 56);
	pintle_prog_info(pintle_prog_find(o, "peek"), &info);
	CHECK_EQ(info.runs, 2);
	CHECK_EQ(info.faults, 0);
	munmap(b, sizeof(*b));
	CHECK_EQ(run_on(o, "peek", &ctx), 0);
	pintle_prog_info(pintle_prog_find(o, "peek"), &info);
	CHECK_EQ(info.runs, 3);
	CHECK_EQ(info.faults, 2);
	CHECK(info.insns_run && info.insns_run <= info.insns);
	end_host(host);
}

TEST(object_dangling_pointers_read_as_zero)
{
	check_peek(false);
	check_peek(true);
}

TEST(object_global_data_is_shared)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o = load_object(host);
	struct box *b = box_new(0);
	size_t size = 0;
	long *total = NULL;

	for (struct pintle_map *m = NULL; (m = pintle_map_next_in(o, m));)
		if (strstr(pintle_map_name(m), ".bss"))
			total = pintle_map_data(m, &size);
	CHECK(total && size >= 8);
	CHECK_EQ(pintle_attach(o), 0);
	obj_hook(b, 20);
	obj_hook(b, 22);
	CHECK_EQ(*total, 42);
	box_put(b);
	end_host(host);
}

TEST(object_misuse_has_words)
{
	struct pintle_host *host = new_host(NULL);
	struct pintle_object *o;
	u64 result;

	CHECK(!pintle_open(host, "/nonexistent/x.bpf.o", NULL));
	CHECK_HAS(pintle_host_error(host), "/nonexistent/x.bpf.o: No such file");
	CHECK(!pintle_open(host, "/tmp", NULL));
	CHECK(!pintle_open(host, NULL, NULL));
	CHECK(!pintle_open(host, "/dev/null", NULL));
	CHECK(!pintle_open_mem(host, "garbage", 7, NULL));
	CHECK(*pintle_host_error(host));
	o = open_object(host);
	CHECK_EQ(pintle_attach(o), -EINVAL);
	CHECK_EQ(pintle_prog_run(pintle_prog_find(o, "packet"), NULL, &result), -ENOENT);
	CHECK_EQ(pintle_load_with(o, PINTLE_OPTS(pintle_load_opts, .only = "none")), -ENOENT);
	CHECK_EQ(pintle_load_with(o, PINTLE_OPTS(pintle_load_opts, .only = "peek")), 0);
	CHECK_EQ(pintle_load(o), -EBUSY);
	CHECK_EQ(pintle_prog_run(pintle_prog_find(o, "packet"), NULL, &result), -ENOENT);
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(o, "keep")), -EINVAL);
	CHECK_EQ(pintle_prog_attach(pintle_prog_find(o, "peek")), -ENOENT);
	CHECK_EQ(pintle_storable(host, "obj_md", .rcu = PINTLE_RCU_NONE), -EBUSY);
	CHECK(pintle_prog_find(o, "none") == NULL);
	pintle_close(o);
	end_host(host);
}

/* --- several threads run while programs come and go --- */

struct traffic {
	struct pintle_host *host;
	bool stop;
};

static void *drive(void *arg)
{
	struct traffic *t = arg;
	struct box *b = box_new(0);

	for (int i = 0; !__atomic_load_n(&t->stop, __ATOMIC_RELAXED); i++) {
		obj_hook(b, i % 1000);
		obj_slow(b, i % 1000);
	}
	box_put(b);
	return NULL;
}

TEST(object_replaced_under_load)
{
	struct traffic t = {.host = new_host(NULL)};
	pthread_t threads[2];

	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, drive, &t), 0);
	for (int i = 0; i < 20; i++) {
		struct pintle_object *o = load_object(t.host);

		CHECK_EQ(pintle_attach(o), 0);
		usleep(2000);
		pintle_close(o);
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	end_host(t.host);
}

/* --- every allocation of a host's whole life fails once --- */

/* Whether it came through to the end. */
static bool whole_life(void)
{
	struct pintle_host *host = pintle_host_new(NULL);
	struct pintle_object *o = NULL;
	bool done = false;

	if (host && !fill(host))
		o = pintle_open(host, test_object("run/object.bpf.o"), NULL);
	if (o && !pintle_load(o) && !pintle_attach(o)) {
		fail_alloc_off();
		done = true;
	} else if (host) {
		CHECK_HAS(pintle_host_error(host), "memory");
	}
	pintle_host_free(host);
	return done;
}

TEST(object_without_memory)
{
	u32 n = 0;
	bool done;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	CHECK(whole_life()); /* what stays for the process is there */
	do {
		s64 before = fail_alloc_blocks();

		fail_alloc_at(++n);
		done = whole_life();
		fail_alloc_off();
		if (fail_alloc_blocks() != before)
			test_fail(__FILE__, __LINE__, "allocation %u: %lld blocks leaked", n,
				  (long long)(fail_alloc_blocks() - before));
	} while (!done && n < 100000);
	CHECK(done);
	CHECK(n > 50);
	CHECK_EQ(live, 0);
}
