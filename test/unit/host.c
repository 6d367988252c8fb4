/* SPDX-License-Identifier: MIT
 *
 * The registry refuses what does not fit together, when it is registered, with words.
 */
#include "btf_build.h"
#include "test.h"

#include "fixture/host.h"
#include "pintle/pintle.h"

#include <pthread.h>

#define EXPORTED __attribute__((noinline, used))

struct reg_obj {
	int a;
	struct reg_obj *peer;
	struct {
		struct reg_obj *inner;
	};
	unsigned int bits : 3;
};

struct reg_big {
	long a[4];
};

struct reg_ctx {
	unsigned int data, end, mark;
	struct reg_obj *obj;
	unsigned int bits : 3;
	char name[12];
};

struct reg_ctx *keep_reg_ctx;

struct reg_obj *reg_get(int id);
void reg_put(struct reg_obj *o);
int reg_put_int(struct reg_obj *o);
void reg_put_two(struct reg_obj *o, struct reg_obj *p);
int reg_plain(int a);
int reg_six(int a, int b, int c, int d, int e, int f);
int reg_struct(struct reg_big b);
int reg_float(double d);
int reg_variadic(int a, ...);
struct reg_obj *reg_kget(struct reg_obj **slot);

EXPORTED struct reg_obj *reg_get(int id)
{
	return NULL;
}

EXPORTED void reg_put(struct reg_obj *o)
{
}

EXPORTED int reg_put_int(struct reg_obj *o)
{
	return o != NULL;
}

EXPORTED void reg_put_two(struct reg_obj *o, struct reg_obj *p)
{
}

EXPORTED int reg_plain(int a)
{
	return a;
}

EXPORTED int reg_six(int a, int b, int c, int d, int e, int f)
{
	return a + b + c + d + e + f;
}

EXPORTED int reg_struct(struct reg_big b)
{
	return (int)b.a[0];
}

EXPORTED int reg_float(double d)
{
	return (int)d;
}

EXPORTED int reg_variadic(int a, ...)
{
	return a;
}

EXPORTED struct reg_obj *reg_kget(struct reg_obj **slot)
{
	return *slot;
}

static void drop(void *obj)
{
}

PINTLE_HOOK(int, reg_hook, struct reg_obj *, o, int, n)

static uint32_t no_length(const void *object)
{
	return 0;
}

static int no_read(const void *object, uint32_t off, void *to, uint32_t len)
{
	return 0;
}

static struct pintle_host *host_with_types(void)
{
	struct pintle_host *host = pintle_host_new(NULL);

	CHECK(host != NULL);
	CHECK_STR(pintle_host_error(host), "");
	if (pintle_host_add_self(host))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return host;
}

#define REFUSED(call, err, words)                                                        \
	do {                                                                             \
		CHECK_EQ(call, err);                                                     \
		CHECK_HAS(pintle_host_error(host), words);                               \
	} while (0)

TEST(host_functions_by_prototype)
{
	struct pintle_host *host = host_with_types();

	CHECK_EQ(pintle_export(host, reg_plain, 0), 0);
	REFUSED(pintle_export(host, reg_plain, 0), -EEXIST, "exported already");
	REFUSED(pintle_export_func(host, "reg_nowhere", (void (*)(void))reg_plain, NULL),
		-ENOENT, "not in the host's BTF");
	REFUSED(pintle_export_func(host, NULL, (void (*)(void))reg_plain, NULL), -EINVAL,
		"no name");
	REFUSED(pintle_export_func(host, "reg_put", NULL, NULL), -EINVAL, "no function");
	REFUSED(pintle_export(host, reg_six, 0), -EINVAL, "6 parameters");
	REFUSED(pintle_export(host, reg_struct, 0), -EINVAL, "passed by value");
	REFUSED(pintle_export(host, reg_float, 0), -EINVAL, "reg_float: parameter 1 ('d')");
	REFUSED(pintle_export(host, reg_variadic, 0), -EINVAL, "variable number");
	pintle_host_free(host);
}

TEST(host_functions_by_flags)
{
	struct pintle_host *host = host_with_types();

	REFUSED(pintle_export(host, reg_plain, PINTLE_ACQUIRE), -EINVAL, "pointer to a struct");
	REFUSED(pintle_export(host, reg_plain, PINTLE_RET_NULL), -EINVAL, "return a pointer");
	REFUSED(pintle_export(host, reg_plain, PINTLE_RELEASE), -EINVAL, "no parameter");
	REFUSED(pintle_export(host, reg_put_two, PINTLE_RELEASE), -EINVAL, "more than one");
	REFUSED(pintle_export(host, reg_plain, 1u << 20), -EINVAL, "unknown flags 0x100000");
	REFUSED(pintle_export(host, reg_plain, PINTLE_TRUSTED | PINTLE_ANY_ARGS), -EINVAL,
		"contradicts");
	REFUSED(pintle_export(host, reg_kget, PINTLE_KPTR_GET), -EINVAL, "needs");
	REFUSED(pintle_export(host, reg_get, PINTLE_KPTR_GET | PINTLE_ACQUIRE |
						     PINTLE_RET_NULL), -EINVAL, "T **slot");
	CHECK_EQ(pintle_export(host, reg_kget, PINTLE_KPTR_GET | PINTLE_ACQUIRE |
						       PINTLE_RET_NULL), 0);
	CHECK_EQ(pintle_export(host, reg_get, PINTLE_ACQUIRE | PINTLE_RET_NULL), 0);
	CHECK_EQ(pintle_export(host, reg_put, PINTLE_RELEASE), 0);
	pintle_host_free(host);
}

TEST(host_iterators_by_prototype)
{
	struct pintle_host *host = host_with_types();

	REFUSED(pintle_export(host, reg_plain, PINTLE_ITER_NEW), -EINVAL, "struct bpf_iter_...");
	REFUSED(pintle_export(host, bpf_iter_ts_new, PINTLE_ITER_NEXT), -EINVAL,
		"named after");
	REFUSED(pintle_export(host, bpf_iter_ts_next, PINTLE_ITER_NEXT), -EINVAL,
		"PINTLE_RET_NULL");
	REFUSED(pintle_export(host, bpf_iter_ts_next, PINTLE_ITER_NEW), -EINVAL, "named after");
	REFUSED(pintle_export(host, bpf_iter_ts_new, PINTLE_ITER_NEW | PINTLE_ITER_DESTROY),
		-EINVAL, "one of the three");
	REFUSED(pintle_export(host, bpf_iter_ts_next, PINTLE_ITER_NEXT | PINTLE_RET_NULL |
							     PINTLE_ACQUIRE), -EINVAL, "without");
	CHECK_EQ(pintle_export(host, bpf_iter_ts_new, PINTLE_ITER_NEW), 0);
	pintle_host_free(host);
}

TEST(host_dynptr_sources)
{
	struct pintle_host *host = host_with_types();
	struct pintle_dynptr_source source = {.size = sizeof(source)};
	struct pintle_object *object;

	REFUSED(pintle_dynptr_source_add(host, "x", "T", NULL), -EINVAL, "callbacks needed");
	REFUSED(pintle_dynptr_source_add(host, "x", "T", &source), -EINVAL, "no length");
	source.length = no_length;
	REFUSED(pintle_dynptr_source_add(host, "x", "T", &source), -EINVAL, "no read");
	source.read = no_read;
	REFUSED(pintle_dynptr_source_add(host, "x", "nothing", &source), -ENOENT, "neither");
	CHECK_EQ(pintle_dynptr_source_add(host, "x", "T", &source), 0);
	REFUSED(pintle_dynptr_source_add(host, "x", "U", &source), -EEXIST, "already");
	object = pintle_open(host, test_object("run/maps.bpf.o"), NULL);
	if (object)
		REFUSED(pintle_dynptr_source_add(host, "y", "U", &source), -EBUSY, "open");
	pintle_close(object);
	pintle_host_free(host);
}

/* J9: what the engine postpones takes the object and returns nothing, in either order. */
TEST(host_deferred_puts)
{
	struct pintle_host *host = host_with_types();

	CHECK_EQ(pintle_storable(host, "reg_obj", .dtor = drop), 0);
	REFUSED(pintle_export(host, reg_put_int, PINTLE_RELEASE), -EINVAL,
		"void reg_put_int(struct reg_obj *)");
	CHECK_EQ(pintle_export(host, reg_put_int, PINTLE_CONSUME), 0);
	pintle_host_free(host);
	host = host_with_types();
	CHECK_EQ(pintle_export(host, reg_put_int, PINTLE_RELEASE), 0);
	REFUSED(pintle_storable(host, "reg_obj", .dtor = drop), -EINVAL, "reg_put_int");
	CHECK_EQ(pintle_storable(host, "reg_obj", .dtor = drop, .rcu = PINTLE_RCU_NONE), 0);
	REFUSED(pintle_storable(host, "reg_obj", .dtor = drop), -EEXIST, "already");
	REFUSED(pintle_storable(host, "reg_nothing", .dtor = drop), -ENOENT, "not in");
	REFUSED(pintle_storable(host, "reg_big", .rcu = 7), -EINVAL, "class");
	pintle_host_free(host);
}

TEST(host_members)
{
	struct pintle_host *host = host_with_types();

	CHECK_EQ(pintle_member(host, "reg_obj", "peer", PINTLE_MEMBER_RCU), 0);
	CHECK_EQ(pintle_member(host, "reg_obj", "inner", PINTLE_MEMBER_TRUSTED), 0);
	REFUSED(pintle_member(host, "reg_obj", "peer", PINTLE_MEMBER_RCU), -EEXIST, "already");
	REFUSED(pintle_member(host, "reg_obj", "a", PINTLE_MEMBER_RCU), -EINVAL,
		"not a pointer");
	REFUSED(pintle_member(host, "reg_obj", "z", PINTLE_MEMBER_RCU), -ENOENT,
		"no member 'z'");
	REFUSED(pintle_member(host, "reg_none", "z", PINTLE_MEMBER_RCU), -ENOENT,
		"reg_none is not");
	REFUSED(pintle_member(host, "reg_obj", "peer", 99), -EINVAL, "class");
	pintle_host_free(host);
}

static int add_type(struct pintle_host *host, struct pintle_ctx_field field)
{
	return pintle_prog_type_add(
		host, PINTLE_OPTS(pintle_prog_type, .name = "reg", .ctx = "reg_ctx",
				  .fields = &field, .nfields = 1));
}

TEST(host_program_types)
{
	struct pintle_host *host = host_with_types();

	REFUSED(add_type(host, (struct pintle_ctx_field){"none"}), -ENOENT, "no such member");
	REFUSED(add_type(host, (struct pintle_ctx_field){"name"}), -EINVAL, "1, 2, 4 or 8");
	REFUSED(add_type(host, (struct pintle_ctx_field){"bits"}), -EINVAL, "bit fields");
	REFUSED(add_type(host, (struct pintle_ctx_field){"mark", 99}), -EINVAL, "kind");
	REFUSED(add_type(host, (struct pintle_ctx_field){"data", PINTLE_CTX_PACKET}), -EINVAL,
		"real_size of 8");
	REFUSED(add_type(host, (struct pintle_ctx_field){"mark", PINTLE_CTX_SCALAR, true, 0, 3}),
		-EINVAL, "real_size");
	REFUSED(add_type(host, (struct pintle_ctx_field){"mark", PINTLE_CTX_POINTER, false, 0,
							 8}), -EINVAL, "pointer to a struct");
	REFUSED(add_type(host, (struct pintle_ctx_field){"obj", PINTLE_CTX_POINTER, true}),
		-EINVAL, "cannot set");
	CHECK_EQ(add_type(host, (struct pintle_ctx_field){"obj", PINTLE_CTX_POINTER}), 0);
	REFUSED(add_type(host, (struct pintle_ctx_field){"mark"}), -EEXIST, "exists");
	REFUSED(pintle_prog_type_add(host, NULL), -EINVAL, "no name");
	CHECK_EQ(pintle_prog_type_add(host, PINTLE_OPTS(pintle_prog_type, .name = "raw",
							.ctx_size = 16)), 0);
	REFUSED(pintle_helper_add(host, "none", "bpf_xdp_adjust_head",
				  (void (*)(void))reg_plain), -ENOENT, "no program type");
	REFUSED(pintle_helper_add(host, "raw", "bpf_nothing", (void (*)(void))reg_plain),
		-ENOENT, "no helper");
	CHECK_EQ(pintle_helper_add(host, "raw", "bpf_ktime_get_ns",
				   (void (*)(void))reg_plain), 0);
	REFUSED(pintle_helper_add(host, "raw", "bpf_ktime_get_ns",
				  (void (*)(void))reg_plain), -EEXIST, "already");
	pintle_host_free(host);
}

TEST(host_many_program_types)
{
	struct pintle_host *host = host_with_types();
	char name[32];
	int err = 0, n = 0;

	for (; !err && n < 100; n++) {
		snprintf(name, sizeof(name), "t%d", n);
		err = pintle_prog_type_add(host, PINTLE_OPTS(pintle_prog_type, .name = name));
	}
	CHECK_EQ(n, 65);
	REFUSED(err, -E2BIG, "more than 64");
	pintle_host_free(host);
}

TEST(host_hooks)
{
	struct pintle_host *host = host_with_types(), *other;
	struct pintle_hook unknown = {.name = "reg_unknown"};

	CHECK_EQ(pintle_hook_add(host, reg_hook), 0);
	REFUSED(pintle_hook_add(host, reg_hook), -EEXIST, "registered already");
	REFUSED(pintle_hook_register(host, &unknown, NULL), -ENOENT, "pintle_hook__reg_unknown");
	CHECK_EQ(reg_hook(NULL, 3), 0);
	other = host;
	host = host_with_types();
	REFUSED(pintle_hook_add(host, reg_hook), -EBUSY, "registered already");
	pintle_host_free(other);
	CHECK_EQ(pintle_hook_add(host, reg_hook), 0); /* free again */
	pintle_host_free(host);
}

TEST(host_without_types)
{
	struct pintle_host *host = pintle_host_new(NULL);

	CHECK(host != NULL);
	REFUSED(pintle_export(host, reg_plain, 0), -EINVAL, "no types yet");
	REFUSED(pintle_host_add_btf(host, "mem", "xx", 2), -EINVAL, "mem");
	REFUSED(pintle_host_add_btf(host, "mem", NULL, 2), -EINVAL, "no data");
	REFUSED(pintle_host_add_btf_file(host, "/nonexistent"), -ENOENT, "/nonexistent");
	REFUSED(pintle_host_add_btf_file(host, NULL), -EINVAL, "no path");
	pintle_host_free(host);
	CHECK(!pintle_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = 1 << 20)));
	CHECK_HAS(pintle_host_error(NULL), "max_slots");
	pintle_host_free(NULL);
}

static char seen[256];

static void log_line(void *data, enum pintle_log_level level, const char *line)
{
	snprintf(seen, sizeof(seen), "%d %s", level, line);
}

TEST(host_log)
{
	struct pintle_host *host =
		pintle_host_new(PINTLE_OPTS(pintle_host_opts, .log = log_line));

	CHECK(host != NULL);
	CHECK_EQ(pintle_export(host, reg_plain, 0), -EINVAL);
	CHECK_HAS(seen, "0 reg_plain: the host has no types");
	pintle_host_free(host);
}

/* F4 */
TEST(host_types_with_destructors)
{
	struct pintle_host *host = pintle_host_new(NULL);
	char name[16];
	struct bb b;
	u32 i32;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	for (int i = 0; i < 257; i++) {
		snprintf(name, sizeof(name), "kind%d", i);
		bb_struct(&b, name, 4, {"n", i32, 0});
	}
	bb_blob(&b);
	CHECK_EQ(pintle_host_add_btf(host, "kinds", b.blob, b.size), 0);
	for (int i = 0; i < 255; i++) {
		snprintf(name, sizeof(name), "kind%d", i);
		CHECK_EQ(pintle_storable_add(host, name, PINTLE_OPTS(pintle_storable_opts,
								     .dtor = free)), 0);
	}
	CHECK_EQ(pintle_storable_add(host, "kind255", PINTLE_OPTS(pintle_storable_opts,
								  .dtor = free)), -E2BIG);
	CHECK(strstr(pintle_host_error(host), "255 types with destructors"));
	CHECK_EQ(pintle_storable_add(host, "kind256", PINTLE_OPTS(pintle_storable_opts)), 0);
	pintle_host_free(host);
	bb_free(&b);
}
