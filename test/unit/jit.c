/* SPDX-License-Identifier: MIT
 *
 * Native code against the interpreter (test/jit/diff.h); code memory; faults in native
 * code on many threads.
 */
#include "test.h"

#include "jit/diff.h"
#include "jit/jit.h"
#include "run/life/thread.h"
#include "unit/bare.h"

#include <pthread.h>

enum { PROGRAMS = 3000, SEED = 1 };

/* --- faults on many threads, and nested --- */

enum { THREADS = 3, LOADS = 300 };

struct faulty {
	struct bare b;
	u64 good[2];
	atomic(u32) wrong;
};

/* Bad, good, bad again: what a fault leaves behind must not show. */
static void *load_often(void *arg)
{
	struct faulty *f = arg;

	for (u32 i = 0; i < LOADS; i++) {
		u64 bad = i % 2 ? 0x10000 + 8 * i : 0xdead000000000000;

		if (bare_run(&f->b, bad, (uintptr_t)f->good) != 0x1122334455667788 * 2)
			atomic_fetch_add(&f->wrong, 1);
	}
	slot_leave(&f->b.host);
	return NULL;
}

/* Two loads from r1, which fault, and two from r2. */
static void make_faulty(struct faulty *f)
{
	bare_make(&f->b,
		  "r0 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +8)\nr0 += r3\n"
		  "r2 = *(u64 *)(r2 +8)\nr0 += r2\nr1 = *(s32 *)(r1 +4)\nr0 += r1\nexit");
	f->b.proof->at[0].access = f->b.proof->at[1].access = ACCESS_FAULT_SAFE;
	f->b.proof->at[3].access = f->b.proof->at[5].access = ACCESS_FAULT_SAFE;
	CHECK_EQ(bare_lower(&f->b, NULL), 0);
	f->good[1] = 0x1122334455667788;
	f->wrong = 0;
}

TEST(jit_faults_on_many_threads)
{
	static struct faulty f;
	pthread_t threads[THREADS];
	u64 faults = 0;

	make_faulty(&f);
	for (u32 i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, load_often, &f), 0);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(f.wrong, 0);
	for (u32 i = 0; i < slot_count(&f.b.host); i++)
		faults += f.b.host.slots->at[i].faults;
	CHECK_EQ(faults, 2 * THREADS * LOADS);
	bare_free(&f.b);
}

/* --- every form of load that may fault --- */

static const char *const load_forms[] = {"u8", "u16", "u32", "u64", "s8", "s16", "s32"};
static const s64 read_as[] = {
	0x88,	  0x9988,      0xbbaa9988,     (s64)0xffeeddccbbaa9988,
	(s8)0x88, (s16)0x9988, (s32)0xbbaa9988};

struct forms {
	struct bare b[ARRAY_SIZE(load_forms)]
		     [2]; /* into another register; into its own */
	u64 good;
	atomic(u32) wrong;
};

static void *load_all_forms(void *arg)
{
	struct forms *f = arg;
	u64 bad[] = {0, 0x10000, 0xdead000000000000, 0xffffffff81000000};

	for (u32 i = 0; i < LOADS; i++) {
		u32 form = i % ARRAY_SIZE(load_forms);
		struct bare *b = &f->b[form][i / ARRAY_SIZE(load_forms) % 2];
		u64 good = (u64)read_as[form];

		/* The bad one's zero, the good one's value, and r1's low byte kept
		 * beside. */
		if (bare_run(b, bad[i % 4], (uintptr_t)&f->good) != good)
			atomic_fetch_add(&f->wrong, 1);
	}
	slot_leave(&f->b[0][0].host);
	return NULL;
}

static void make_form(struct bare *b, const char *form, bool own)
{
	char text[256];

	snprintf(text, sizeof(text),
		 own ? "r1 = *(%s *)(r1 +8)\nr2 = *(%s *)(r2 +0)\nr0 = r1\nr0 += r2\nexit"
		     : "r0 = *(%s *)(r1 +8)\nr3 = *(%s *)(r2 +0)\nr0 += r3\nexit",
		 form, form);
	bare_make(b, text);
	b->proof->at[0].access = b->proof->at[1].access = ACCESS_FAULT_SAFE;
	CHECK_EQ(bare_lower(b, NULL), 0);
}

TEST(jit_faults_in_every_form_of_load)
{
	static struct forms f = {.good = 0xffeeddccbbaa9988};
	pthread_t threads[THREADS];

	for (u32 i = 0; i < ARRAY_SIZE(load_forms); i++)
		for (u32 own = 0; own < 2; own++)
			make_form(&f.b[i][own], load_forms[i], own);
	for (u32 i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, load_all_forms, &f), 0);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(f.wrong, 0);
	for (u32 i = 0; i < ARRAY_SIZE(load_forms); i++)
		for (u32 own = 0; own < 2; own++)
			bare_free(&f.b[i][own]);
}

/* Where CET watches, every place that is jumped or called to by address begins so. */
TEST(jit_entries_are_marked)
{
	static const u8 endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	u32 callbacks = 0;
	struct bare b;

	bare_make(&b, "r2 = subprog[+3]\nr0 = 1\nexit\nr0 = 2\nexit");
	CHECK_EQ(bare_lower(&b, NULL), 0);
	if (!b.code->native) {
		bare_free(&b);
		SKIP("no native code here");
	}
	CHECK(!memcmp((const void *)(uintptr_t)b.code->native, endbr, 4));
	for (u32 i = 0; i < b.code->nsubprogs; i++)
		if (b.code->funcs[i].native) {
			CHECK(!memcmp((const void *)(uintptr_t)b.code->funcs[i].native,
				      endbr, 4));
			callbacks++;
		}
	CHECK_EQ(callbacks, 1);
	bare_free(&b);
}

/* A program of another unit that faults, called by one that has faulted and will again.
 */
static struct faulty inner;

static u64 run_inner(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return bare_run(&inner.b, 0x10000, (uintptr_t)inner.good);
}

static void *nest_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	return (void *)run_inner;
}

TEST(jit_faults_nest)
{
	struct link link = {.helper = nest_helper};
	struct bare b;

	make_faulty(&inner);
	bare_make(&b, "r6 = r1\nr7 = *(u64 *)(r6 +8)\ncall 1\nr8 = *(u8 *)(r6 +1)\n"
		      "r0 += r7\nr0 += r8\nexit");
	b.proof->at[1].access = b.proof->at[3].access = ACCESS_FAULT_SAFE;
	CHECK_EQ(bare_lower(&b, &link), 0);
	CHECK_EQ(bare_run(&b, 0x10000, 0), 0x1122334455667788 * 2);
	CHECK_EQ(slot_get(&b.host)->faults, 2);
	bare_free(&b);
	bare_free(&inner.b);
}

/* --- code memory --- */

static bool mapped_as(const void *at, const char *rights)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], is[5] = "";
	unsigned long from, to;
	bool same = false;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, is) == 3 &&
		    (uintptr_t)at >= from && (uintptr_t)at < to)
			same = !strcmp(is, rights);
	fclose(maps);
	return same;
}

TEST(jit_memory_is_never_writable_and_executable)
{
	static const u8 code[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* return 7 */
	static const struct jit_fix fix = {2, 5};
	int err;
	struct jit_mem *mem = jit_mem_new((const void *)mapped_as, 100000, &err);
	u8 *start;

	CHECK(mem != NULL);
	start = jit_mem_start(mem);
	CHECK(mapped_as(start, "rw-p"));
	CHECK(mapped_as(start - 1, "---p"));
	memcpy(start, code, sizeof(code));
	err = jit_mem_seal(mem, sizeof(code), &fix, 1);
	if (err) {
		jit_mem_free(mem);
		SKIP("no executable memory: %s", strerror(-err));
	}
	CHECK(mapped_as(start, "r-xp"));
	CHECK(mapped_as(start - 1, "---p"));
	CHECK(mapped_as(start + jit_mem_size(mem), "---p"));
	CHECK_EQ(((int (*)(void))(uintptr_t)start)(), 7);
	CHECK_EQ(jit_resume((uintptr_t)start + 2), (uintptr_t)start + 5);
	CHECK_EQ(jit_resume((uintptr_t)start + 1), 0);
	CHECK_EQ(jit_resume((uintptr_t)start + 99999), 0);
	jit_mem_free(mem);
	CHECK_EQ(jit_resume((uintptr_t)start + 2), 0);
}

/* --- the oracle --- */

TEST(jit_differential)
{
	static struct diff_result result;
	struct pintle_host host;
	u64 skipped = 0;
	bool same;

	bare_host(&host);
	same = diff_run(&host, false, SEED, PROGRAMS, &skipped, &result);
	bare_host_free(&host);
	if (!same)
		test_fail(__FILE__, __LINE__, "%s", result.words);
	if (skipped == PROGRAMS)
		SKIP("no native code here");
	CHECK_EQ(skipped, 0);
}
