/* SPDX-License-Identifier: MIT
 *
 * Frames of native code: what of the stack is cleared, by what the proof says of it; and where
 * loops lie.
 */
#include "test.h"
#include "unit/bare.h"
#include "unit/verify_fixture.h"

/* The slots of subprogram @sub of @text that may be read unwritten. */
static u64 unwritten(const char *text, u32 sub, bool often)
{
	struct verify_opts opts = {.test_state_freq = often};
	struct verified v;
	u64 slots = 0;

	verify_text(&v, text, &opts);
	CHECK_EQ(v.err, 0);
	if (!v.err)
		slots = v.proof->stack_unwritten[sub];
	verify_done(&v);
	return slots;
}

TEST(proof_says_which_slots_are_read_unwritten)
{
	CHECK_EQ(unwritten("r2 = 7\n*(u64 *)(r10 -8) = r2\nr0 = *(u64 *)(r10 -8)\nexit", 0, false), 0);
	CHECK_EQ(unwritten("r0 = *(u64 *)(r10 -16)\nexit", 0, false), 2);
	CHECK_EQ(unwritten("r2 = 7\n*(u32 *)(r10 -8) = r2\nr0 = *(u64 *)(r10 -8)\nexit", 0, false), 1);
	CHECK_EQ(unwritten("r2 = 7\n*(u32 *)(r10 -8) = r2\nr0 = *(u32 *)(r10 -8)\nexit", 0, false), 0);
	CHECK_EQ(unwritten("r2 = 7\n*(u64 *)(r10 -24) = r2\nr1 = r10\nr1 += -24\ncall f\nexit\n"
			   "f:\n*(u64 *)(r10 -8) = r1\nr0 = *(u64 *)(r1 +0)\nexit", 0, false), 0);
	CHECK_EQ(unwritten("r1 = r10\nr1 += -24\ncall f\nexit\n"
			   "f:\n*(u64 *)(r10 -8) = r1\nr0 = *(u64 *)(r1 +0)\nexit", 0, false), 4);
	CHECK_EQ(unwritten("r1 = r10\nr1 += -24\ncall f\nexit\n"
			   "f:\n*(u64 *)(r10 -8) = r1\nr0 = *(u64 *)(r1 +0)\nexit", 1, false), 0);
	/* somewhere in two slots: either may be left */
	CHECK_EQ(unwritten(RANDOM "r1 = r10\nr0 &= 8\nr1 += r0\nr2 = 7\n*(u64 *)(r1 -16) = r2\n"
			   "r0 = *(u64 *)(r10 -8)\nexit", 0, false), 3);
}

/* One path writes it, the other does not and is pruned where they meet, or the other way. */
TEST(proof_says_what_pruned_paths_leave_unwritten)
{
	for (int often = 0; often < 2; often++) {
		CHECK_EQ(unwritten(RANDOM "r2 = r0\nif r0 > 9 goto +1\n*(u32 *)(r10 -4) = r2\n"
				   "r0 = 0\nr3 = 0\nr4 = 0\nr0 = *(u32 *)(r10 -4)\nexit", 0, often), 1);
		CHECK_EQ(unwritten(RANDOM "r2 = r0\nif r0 > 9 goto +1\ngoto +1\n"
				   "*(u32 *)(r10 -4) = r2\n"
				   "r0 = 0\nr3 = 0\nr4 = 0\nr0 = *(u32 *)(r10 -4)\nexit", 0, often), 1);
		CHECK_EQ(unwritten(RANDOM "r2 = r0\nif r0 > 9 goto +2\n*(u32 *)(r10 -4) = r2\ngoto +1\n"
				   "*(u32 *)(r10 -4) = r2\n"
				   "r0 = 0\nr3 = 0\nr4 = 0\nr0 = *(u32 *)(r10 -4)\nexit", 0, often), 0);
	}
}

static bool clears(const struct bare *b, u8 below)
{
	const u8 store[] = {0x0f, 0x29, 0x45, (u8)-below}; /* movaps [rbp - below], xmm0 */

	return memmem((const void *)(uintptr_t)b->code->native, b->code->native_size, store,
		      sizeof(store));
}

/* What was not written is 0; what will be is left alone. */
TEST(jit_clears_what_may_be_read_unwritten)
{
	struct bare b;

	bare_make(&b, "r2 = 7\n*(u64 *)(r10 -8) = r2\nr0 = *(u64 *)(r10 -40)\n"
		      "r3 = *(u64 *)(r10 -8)\nr0 += r3\nexit");
	b.proof->stack_unwritten[0] = BIT64(4);
	b.proof->stack_depth[0] = 64;
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, 0, 0), 7);
	if (b.code->native) {
		CHECK(!clears(&b, 16));
		CHECK(!clears(&b, 32));
		CHECK(clears(&b, 48));
		CHECK(!clears(&b, 64));
	}
	bare_free(&b);
	bare_make(&b, "r0 = *(u64 *)(r10 -40)\nexit"); /* nothing was proved of it */
	CHECK_EQ(bare_lower(&b, NULL), 0);
	CHECK_EQ(bare_run(&b, 0, 0), 0);
	CHECK(!b.code->native || clears(&b, 16));
	bare_free(&b);
}

/* Whatever lies before a loop, it does not begin in the last bytes of 16. */
TEST(jit_short_loops_begin_where_they_are_decoded_at_once)
{
	static const char *const before[] = {"", "r3 = 1\n", "w3 = 1\nr4 = 1\n", "r3 = 1 ll\nr4 = r3\n",
					     "r3 = 0x123456789a ll\n", "r3 = r1\nr3 <<= 1\nr4 = 9\n"};

	for (u32 i = 0; i < ARRAY_SIZE(before); i++) {
		char text[256];
		struct bare b;

		snprintf(text, sizeof(text), "%sr0 = 0\nr2 = 5\nagain: r0 += r2\nr2 += -1\n"
			 "if r2 != 0 goto again\nexit", before[i]);
		bare_make(&b, text);
		CHECK_EQ(bare_lower(&b, NULL), 0);
		CHECK_EQ(bare_run(&b, 0, 0), 15);
		for (u32 at = 0; b.code->native && at < b.code->ninsns; at++)
			if (b.code->insns[at].op == OP_JNE64_IMM)
				CHECK(((uintptr_t)b.code->native +
				       b.code->native_at[at + 1 + (u32)b.code->insns[at].off]) % 16 <= 8);
		bare_free(&b);
	}
}
