/* SPDX-License-Identifier: MIT
 *
 * meter.c: runs that are ended because their budget is used up. Whatever they held has been
 * given back: counts of the host's objects, locks that are free, rings with room; and they
 * make the same turns both ways of running.
 */
#include "fixture/host.h"
#include "run/run.h"
#include "test.h"

#include <pthread.h>
#include <unistd.h>

#define EXPORTED __attribute__((noinline, used))

enum { DONE = 77 };

struct bpf_iter_held {
	unsigned long opaque[2];
};

int bpf_iter_held_new(struct bpf_iter_held *it, int n);
struct T *bpf_iter_held_next(struct bpf_iter_held *it);
void bpf_iter_held_destroy(struct bpf_iter_held *it);
int meter_nest(int n);

static int iterators;
static struct pintle_prog *nested; /* for meter_nest() */
static bool leaves;		   /* it ends the thread */

EXPORTED int bpf_iter_held_new(struct bpf_iter_held *it, int n)
{
	it->opaque[0] = (unsigned long)n;
	iterators++;
	return 0;
}

EXPORTED struct T *bpf_iter_held_next(struct bpf_iter_held *it)
{
	return it->opaque[0] ? it->opaque[0]--, hook_t : NULL;
}

EXPORTED void bpf_iter_held_destroy(struct bpf_iter_held *it)
{
	iterators--;
	if (nested) /* programs may run meanwhile, and throw */
		meter_nest(0);
}

static int run(struct pintle_prog *prog, int *result)
{
	uint64_t args[] = {(uintptr_t)hook_t, 1}, value = 0;
	int err = pintle_prog_run(prog, args, &value);

	*result = (int)value;
	return err;
}

EXPORTED int meter_nest(int n)
{
	int result = 0;

	if (leaves)
		pthread_exit(NULL);
	if (!nested)
		return DONE;
	CHECK_EQ(run(nested, &result), 0);
	return result;
}

struct W *meter_take(int n);
void meter_give(struct W *w, int n);
static struct W only_w;

EXPORTED struct W *meter_take(int n)
{
	return n ? &only_w : NULL;
}

EXPORTED void meter_give(struct W *w, int n)
{
}

static struct pintle_host *begin(enum pintle_jit jit)
{
	struct pintle_host *host = test_host_new();

	host->opts.jit = jit;
	CHECK_EQ(pintle_export(host, bpf_iter_held_new, PINTLE_ITER_NEW), 0);
	CHECK_EQ(pintle_export(host, bpf_iter_held_next,
			       PINTLE_ITER_NEXT | PINTLE_RET_NULL), 0);
	CHECK_EQ(pintle_export(host, bpf_iter_held_destroy, PINTLE_ITER_DESTROY), 0);
	CHECK_EQ(pintle_export(host, meter_nest, 0), 0);
	CHECK_EQ(pintle_export(host, meter_take, PINTLE_ACQUIRE | PINTLE_RET_NULL), 0);
	CHECK_EQ(pintle_export(host, meter_give, PINTLE_RELEASE), 0);
	return host;
}

static struct pintle_object *open_object(struct pintle_host *host)
{
	struct pintle_object *object = pintle_open(host, test_object("run/meter.bpf.o"), NULL);

	if (!object)
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return object;
}

static void load(struct pintle_host *host, struct pintle_object *object)
{
	if (pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
}

static struct pintle_prog *find(struct pintle_object *object, const char *name)
{
	struct pintle_prog *prog = pintle_prog_find(object, name);

	if (!prog)
		test_fail(__FILE__, __LINE__, "no program %s", name);
	return prog;
}

static long turns_made(struct pintle_object *object)
{
	struct pintle_map *map = pintle_map_find(object, ".bss");
	static char value[4096];
	uint32_t key = 0;
	long turns;

	CHECK(map && pintle_map_value_size(map) <= sizeof(value));
	CHECK_EQ(pintle_map_lookup(map, &key, value), 0);
	memcpy(&turns, value + pintle_map_value_size(map) - sizeof(turns), sizeof(turns));
	return turns;
}

static const char *const names[] = {
	"holds_nothing", "holds_reference", "holds_u", "holds_twice", "holds_in_three_frames",
	"holds_what_an_exchange_took", "holds_what_an_instruction_took", "holds_lock",
	"holds_section", "holds_section_in_section", "holds_iterator", "holds_iterators_in_two_frames", "holds_numbers", "holds_bits", "holds_keys",
	"holds_record", "holds_dynptr", "holds_empty_dynptr", "holds_objects", "holds_percpu",
	"holds_objects_of_fields", "holds_popped", "holds_removed", "holds_in_callback",
	"holds_over_callbacks", "holds_over_elements", "runs_another", "target",
	"jumps_elsewhere", "throws",
};

enum { NNAMES = ARRAY_SIZE(names) };

static void check_free(struct pintle_host *host, struct pintle_object *object,
		       const char *name, int t, int u)
{
	int result;

	CHECK(!run_read_ongoing());
	CHECK_EQ(iterators, 0);
	CHECK_EQ(run(find(object, "after"), &result), 0);
	CHECK_EQ(result, DONE);
	pintle_drain(host);
	if (live_t > t || live_u > u)
		test_fail(__FILE__, __LINE__, "%s: %d T and %d U more", name, live_t - t,
			  live_u - u);
}

/* What is left after @turns: of the result, and turns that the program counted. */
struct outcome {
	int err, result;
	long turns;
};

static struct outcome one(struct pintle_host *host, const char *name, u64 turns)
{
	struct pintle_object *object = open_object(host);
	int t = live_t, u = live_u;
	struct outcome o;

	CHECK_EQ(pintle_prog_set_budget(find(object, name), turns, 0), 0);
	if (!strcmp(name, "jumps_elsewhere"))
		CHECK_EQ(pintle_prog_set_budget(find(object, "target"), turns, 0), 0);
	load(host, object);
	if (!strcmp(name, "jumps_elsewhere"))
		CHECK_EQ(pintle_map_set_prog(pintle_map_find(object, "table"), 0,
					     find(object, "target")), 0);
	if (!strcmp(name, "runs_another"))
		nested = find(object, "holds_nothing");
	else if (!strcmp(name, "holds_iterators_in_two_frames"))
		nested = find(object, "throws");
	o.err = run(find(object, name), &o.result);
	nested = NULL;
	o.turns = turns_made(object);
	check_free(host, object, name, t + 1, u + 1); /* a field may keep one each */
	pintle_close(object);
	pintle_drain(host);
	CHECK_EQ(live_t, t);
	CHECK_EQ(live_u, u);
	return o;
}

static const u64 budgets[] = {1, 2, 3, 10, 150, 201, 350, 100000};

enum { NBUDGETS = ARRAY_SIZE(budgets) };

static void check_way(enum pintle_jit jit, struct outcome out[NNAMES][NBUDGETS])
{
	struct pintle_host *host = begin(jit);

	for (u32 i = 0; i < NNAMES; i++)
		for (u32 b = 0; b < NBUDGETS; b++)
			out[i][b] = one(host, names[i], budgets[b]);
	test_host_free(host);
}

static void check_outcome(const char *name, u64 budget, const struct outcome *o)
{
	bool cut = o->err == -ETIME;

	if (cut ? o->result != 0 : o->result != DONE || o->err)
		test_fail(__FILE__, __LINE__, "%s with %llu turns: error %d, result %d", name,
			  (unsigned long long)budget, o->err, o->result);
	if (cut && strcmp(name, "runs_another") && strncmp(name, "holds_iterators", 15) &&
	    (u64)o->turns > budget + 1) /* compilers peel */
		test_fail(__FILE__, __LINE__, "%s made %ld of %llu turns", name, o->turns,
			  (unsigned long long)budget);
}

TEST(meter_gives_back_what_is_held)
{
	static struct outcome interp[NNAMES][NBUDGETS], native[NNAMES][NBUDGETS];

	check_way(PINTLE_JIT_OFF, interp);
	check_way(PINTLE_JIT_AUTO, native);
	for (u32 i = 0; i < NNAMES; i++) {
		for (u32 b = 0; b < NBUDGETS; b++) {
			check_outcome(names[i], budgets[b], &interp[i][b]);
			check_outcome(names[i], budgets[b], &native[i][b]);
			CHECK_EQ(interp[i][b].turns, native[i][b].turns);
			CHECK_EQ(interp[i][b].err, native[i][b].err);
		}
		CHECK_EQ(interp[i][0].err, -ETIME);
		CHECK_EQ(interp[i][NBUDGETS - 1].err, 0);
	}
	for (u32 b = 0; b < NBUDGETS; b++) /* exact */
		CHECK_EQ(native[0][b].turns, min_u32((u32)budgets[b], 200));
}

/* --- what hosts see of it --- */

TEST(meter_results_and_counts)
{
	struct pintle_host *host = begin(PINTLE_JIT_AUTO);
	struct pintle_object *object = open_object(host);
	struct pintle_prog_info info = {.size = sizeof(info)};
	struct pintle_prog *prog = find(object, "holds_reference");
	int result;

	/* Of all programs; one has its own, and one does not need so much. */
	CHECK_EQ(pintle_prog_set_budget(find(object, "holds_nothing"), 1000, 0), 0);
	CHECK_EQ(pintle_load_with(object, PINTLE_OPTS(pintle_load_opts, .budget_turns = 100)), 0);
	CHECK_EQ(pintle_prog_set_budget(prog, 5, 0), -EBUSY);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(run(prog, &result), -ETIME);
		CHECK_EQ(run(find(object, "holds_nothing"), &result), 0);
		CHECK_EQ(result, DONE);
		CHECK_EQ(run(find(object, "after"), &result), 0);
	}
	pintle_prog_info(prog, &info);
	CHECK_EQ(info.cut, 5);
	CHECK_EQ(info.runs, 5);
	pintle_prog_info(find(object, "holds_nothing"), &info);
	CHECK_EQ(info.cut, 0);
	CHECK_EQ(pintle_prog_attach(prog), 0); /* a hook gets the result */
	CHECK_EQ(test_hook_p(hook_t, 1), 0);
	pintle_prog_info(prog, &info);
	CHECK_EQ(info.cut, 6);
	pintle_close(object);
	test_host_free(host);
}

/* Time is up: much later than one turn takes, and much earlier than all of them. */
TEST(meter_time)
{
	for (int jit = PINTLE_JIT_AUTO; jit <= PINTLE_JIT_OFF; jit++) {
		struct pintle_host *host = begin((enum pintle_jit)jit);
		struct pintle_object *object = open_object(host);
		struct pintle_prog *prog = find(object, "takes_long");
		int result;

		CHECK_EQ(pintle_prog_set_budget(prog, 0, 2000000), 0);
		load(host, object);
		CHECK_EQ(run(prog, &result), -ETIME);
		CHECK(turns_made(object) > 0 && turns_made(object) < 1000000000);
		CHECK_EQ(run(find(object, "holds_nothing"), &result), 0);
		check_free(host, object, "takes_long", live_t, live_u);
		pintle_close(object);
		test_host_free(host);
	}
}

/* A tail call leads from a program with a budget to such programs only, and into them from
 * any. */
TEST(meter_tail_calls)
{
	struct pintle_host *host = begin(PINTLE_JIT_AUTO);
	int result;

	for (int which = 0; which < 2; which++) {
		struct pintle_object *object = open_object(host);
		const char *with = which ? "target" : "jumps_elsewhere";

		CHECK_EQ(pintle_prog_set_budget(find(object, with), 20, 0), 0);
		load(host, object);
		CHECK_EQ(pintle_map_set_prog(pintle_map_find(object, "table"), 0,
					     find(object, "target")), 0);
		CHECK_EQ(run(find(object, "jumps_elsewhere"), &result), which ? -ETIME : 0);
		CHECK_EQ(result, which ? 0 : -1); /* each jump had 20; none was made */
		check_free(host, object, with, live_t, live_u);
		pintle_close(object);
	}
	test_host_free(host);
}

static void *ends_inside(void *data)
{
	int result;

	run(data, &result);
	return NULL;
}

/* Who has its slot next is in no run of the other's. */
TEST(J06_meter_goes_with_its_thread)
{
	struct pintle_host *host;
	struct pintle_object *object;
	pthread_t t;

#if defined(TEST_TSAN) || defined(__SANITIZE_ADDRESS__)
	SKIP("sanitizers do not know of threads that end like this");
#endif
	for (int way = 0; way < 2; way++) {
		host = begin(way ? PINTLE_JIT_AUTO : PINTLE_JIT_OFF);
		object = open_object(host);
		CHECK_EQ(pintle_prog_set_budget(find(object, "runs_another"), 20, 0), 0);
		load(host, object);
		leaves = true;
		CHECK_EQ(pthread_create(&t, NULL, ends_inside, find(object, "runs_another")), 0);
		pthread_join(t, NULL);
		leaves = false;
		for (u32 i = 0; i < slot_count(host); i++) {
			CHECK(!slot_at(host, i)->meter);
			CHECK(!slot_at(host, i)->turns);
		}
		live_t--; /* what the run held is lost */
		pintle_close(object);
		test_host_free(host);
	}
}

/* A program that sets a timer has been left when that fires. */
TEST(meter_timers)
{
	for (int way = 0; way < 4; way++) {
		struct pintle_host *host = begin(way % 2 ? PINTLE_JIT_AUTO : PINTLE_JIT_OFF);
		struct pintle_object *object = open_object(host);
		u64 budget = way < 2 ? 10 : 1000;
		int result;

		CHECK_EQ(pintle_prog_set_budget(find(object, "sets_timer"), budget, 0), 0);
		load(host, object);
		CHECK_EQ(run(find(object, "sets_timer"), &result), 0);
		CHECK_EQ(result, DONE);
		for (int i = 0; i < 1000 && !turns_made(object); i++) {
			pintle_timers_run(host, 0);
			usleep(1000);
		}
		CHECK_EQ(turns_made(object), way < 2 ? 9 : 1000); /* and the call */
		check_free(host, object, "sets_timer", live_t, live_u);
		pintle_close(object);
		test_host_free(host);
	}
}

/* Without a budget it loads; with one it is refused by name, and nothing is left of it. */
TEST(meter_refuses)
{
	struct pintle_host *host = begin(PINTLE_JIT_AUTO);
	struct pintle_object *object = open_object(host);
	struct pintle_load_opts opts = {.size = sizeof(opts), .only = "holds_what_stays"};

	CHECK_EQ(pintle_prog_set_budget(find(object, "holds_what_stays"), 10, 0), 0);
	CHECK_EQ(pintle_load_with(object, &opts), -ENOTSUP);
	CHECK(strstr(pintle_host_error(host), "holds_what_stays"));
	CHECK(strstr(pintle_host_error(host), "unsupported: a budget"));
	CHECK(strstr(pintle_host_error(host), "hold W"));
	CHECK_EQ(pintle_prog_set_budget(find(object, "holds_what_stays"), 0, 0), 0);
	CHECK_EQ(pintle_load_with(object, &opts), 0);
	pintle_close(object);
	test_host_free(host);
}
