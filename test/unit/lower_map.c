/* SPDX-License-Identifier: MIT
 *
 * Lookups in arrays as instructions: whatever stands around the call, the element is that
 * of the key, and no key beyond the last leads to one.
 */
#include "test.h"

#include "unit/bare.h"

enum { ENTRIES = 8, STRIDE = 24 };

static u64 values[3 * ENTRIES * STRIDE / 8];
static struct link_array array;

static void *the_map(void *data, u32 index)
{
	return &array;
}

static bool the_array(void *data, u32 index, struct link_array *out)
{
	*out = array;
	return true;
}

static bool own(void *data, const struct abi_prog_type *type, u32 id)
{
	return true;
}

static const struct link link_to = {.map = the_map, .array = the_array, .own_helper = own};

/* What a lookup of @key with the value's first word as result should give. */
static u64 want(u64 key, u64 null)
{
	return (u32)key < ENTRIES ? values[(u32)key * array.stride / 8] : null;
}

static void fill(u32 stride, u64 block)
{
	array = (struct link_array){(char *)values, ENTRIES, stride, block};
	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		values[i] = 1000 + i;
}

/* The ops of the code, for counting. */
static u32 count_op(const struct bare *b, u32 op)
{
	u32 n = 0;

	for (u32 i = 0; i < b->code->ninsns; i++)
		n += b->code->insns[i].op == op;
	return n;
}

static void make(struct bare *b, const char *text)
{
	bare_make(b, text);
	for (u32 i = 0; i < b->proof->ninsns; i++)
		b->proof->at[i].map = 0;
	if (bare_lower(b, &link_to))
		test_fail(__FILE__, __LINE__, "%s", b->log.error);
}

/* Runs @text with keys in and out of range; @null is what it returns then. */
static void check(const char *text, u64 null)
{
	static const u64 keys[] = {0, 3, 7, 8, 9, UINT32_MAX, 0x100000002, 0x7fffffff};
	struct bare b;

	make(&b, text);
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		u64 way[2] = {bare_run(&b, keys[i], 0), 0};
		struct slot_ctx *slot = slot_get(&b.host);

		way[1] = interp_run(b.code, b.code->entry[0], keys[i], 0, slot);
		for (u32 k = 0; k < 2; k++)
			if (way[k] != want(keys[i], null))
				test_fail(__FILE__, __LINE__, "key %#llx gives %llu\n%s",
					  (unsigned long long)keys[i],
					  (unsigned long long)way[k], text);
	}
	bare_free(&b);
}

#define KEY "*(u32 *)(r10 -4) = r1\nr2 = r10\nr2 += -4\nr1 = 5 ll\n"
#define CALL "call 1\n"

static void check_all(void)
{
	check(KEY CALL "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
	check(KEY CALL "if r0 != 0 goto some\nr0 = 9\nexit\nsome: r0 = *(u64 *)(r0 +0)\nexit", 9);
	/* r0 is read where it is NULL */
	check(KEY CALL "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nnull: exit", 0);
	check(KEY CALL "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\n"
	      "null: r0 += 4\nexit", 4);
	check(KEY CALL "r6 = r0\nif r6 == 0 goto null\nr0 = *(u64 *)(r6 +0)\nexit\n"
	      "null: r0 = 8\nexit", 8);
	/* numbers loaded in between */
	check(KEY CALL "r1 = 7\nw2 = 2\nif r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nr0 += r1\n"
	      "r0 -= 7\nexit\nnull: r0 = r1\nr0 += r2\nexit", 9);
	check(KEY CALL "r1 = 1\nr2 = 2\nr3 = 3\nif r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\n"
	      "exit\nnull: r0 = r3\nexit", 3);
	/* the key is somewhere else by then */
	check("*(u32 *)(r10 -4) = r1\nr2 = r10\nr2 += -4\nr1 = 3\n" CALL
	      "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
	check("r6 = r1\n*(u32 *)(r10 -4) = r6\nr6 = 2\nr2 = r10\nr2 += -4\n" CALL
	      "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
	check("r6 = 2\n*(u32 *)(r10 -4) = r6\n*(u32 *)(r10 -8) = r1\nr2 = r10\nr2 += -8\n" CALL
	      "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
	check("*(u32 *)(r10 -4) = r1\nr6 = 2\n*(u32 *)(r10 -8) = r6\nr2 = r10\nr2 += -8\n"
	      "r2 += 4\n" CALL
	      "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
	/* or was written on another path */
	check("r6 = 2\n*(u32 *)(r10 -4) = r1\nif r1 != 77 goto on\n*(u32 *)(r10 -4) = r6\n"
	      "on: r2 = r10\nr2 += -4\n" CALL
	      "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
	/* someone else comes to the check */
	check("r0 = 0\nif r1 == 77 goto check\n" KEY CALL
	      "check: if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit", 9);
}

TEST(lower_array_lookups)
{
	fill(STRIDE, 0);
	check_all();
	fill(8, 0);
	check_all();
	fill(8, ENTRIES * 8); /* the block of slot 0 */
	check_all();
}

static u64 run_constant(const char *text, bool *compares)
{
	struct bare b;
	u64 result;

	make(&b, text);
	result = bare_run(&b, 1, 0);
	*compares = count_op(&b, OP_JGE32_IMM) || count_op(&b, OP_JEQ64_IMM);
	bare_free(&b);
	return result;
}

#define CHECK_NULL "if r0 == 0 goto null\nr0 = *(u64 *)(r0 +0)\nexit\nnull: r0 = 9\nexit"

TEST(lower_array_lookups_of_constants)
{
	bool compares;

	fill(STRIDE, 0);
	CHECK_EQ(run_constant("r1 = 5\n" KEY CALL CHECK_NULL, &compares), want(5, 9));
	CHECK(!compares);
	CHECK_EQ(run_constant("w1 = 8\n" KEY CALL CHECK_NULL, &compares), 9);
	CHECK(compares);
	/* Only where the number is the only one. */
	CHECK_EQ(run_constant("r1 = 5\nif r1 == 5 goto on\nr1 = 6\non: " KEY CALL CHECK_NULL,
			      &compares), want(5, 9));
	CHECK(compares);
}
