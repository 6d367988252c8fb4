/* SPDX-License-Identifier: MIT
 *
 * The interpreter's loads, stores and atomics of every size, and threads that share a word.
 */
#include "test.h"

#include "unit/bare.h"

#include <inttypes.h>
#include <pthread.h>

static union {
	u8 bytes[32];
	u64 words[4];
} mem;

struct step {
	const char *text;
	u64 before, r2;
	u64 want, after; /* r0, and the word r1 points at */
};

static void check_steps(const struct step *s, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u64 got;

		memset(&mem, 0xee, sizeof(mem));
		mem.words[0] = s[i].before;
		got = run_text(s[i].text, (u64)(uintptr_t)&mem, s[i].r2);
		if (got != s[i].want || mem.words[0] != s[i].after)
			test_fail(__FILE__, __LINE__,
				  "0x%" PRIx64 " and 0x%" PRIx64 ", want 0x%" PRIx64
				  " and 0x%" PRIx64 ":\n%s", got, mem.words[0], s[i].want,
				  s[i].after, s[i].text);
		CHECK_EQ(mem.words[1], 0xeeeeeeeeeeeeeeee);
	}
}

#define A 0x1122334455667788
#define N 0xf1f2f3f4f5f6f7f8

TEST(interp_loads)
{
	static const struct step s[] = {
		{"r0 = *(u8 *)(r1 +1)\nexit", N, 0, 0xf7, N},
		{"r0 = *(u16 *)(r1 +2)\nexit", N, 0, 0xf5f6, N},
		{"r0 = *(u32 *)(r1 +4)\nexit", N, 0, 0xf1f2f3f4, N},
		{"r0 = *(u64 *)(r1 +0)\nexit", N, 0, N, N},
		{"r0 = *(s8 *)(r1 +1)\nexit", N, 0, 0xfffffffffffffff7, N},
		{"r0 = *(s16 *)(r1 +2)\nexit", N, 0, 0xfffffffffffff5f6, N},
		{"r0 = *(s32 *)(r1 +4)\nexit", N, 0, 0xfffffffff1f2f3f4, N},
		{"r0 = *(s8 *)(r1 +1)\nexit", A, 0, 0x77, A},
		{"r0 = *(s32 *)(r1 +4)\nexit", A, 0, 0x11223344, A},
		{"r1 += 4\nr0 = *(u16 *)(r1 -2)\nexit", A, 0, 0x5566, A},
		{"r1 += 1\nr0 = *(u32 *)(r1 +0)\nexit", A, 0, 0x44556677, A}, /* unaligned */
	};

	check_steps(s, ARRAY_SIZE(s));
}

TEST(interp_stores)
{
	static const struct step s[] = {
		{"*(u8 *)(r1 +1) = r2\nr0 = 0\nexit", A, N, 0, 0x112233445566f888},
		{"*(u16 *)(r1 +2) = r2\nr0 = 0\nexit", A, N, 0, 0x11223344f7f87788},
		{"*(u32 *)(r1 +4) = r2\nr0 = 0\nexit", A, N, 0, 0xf5f6f7f855667788},
		{"*(u64 *)(r1 +0) = r2\nr0 = 0\nexit", A, N, 0, N},
		{"*(u8 *)(r1 +0) = -2\nr0 = 0\nexit", A, 0, 0, 0x11223344556677fe},
		{"*(u16 *)(r1 +0) = -2\nr0 = 0\nexit", A, 0, 0, 0x112233445566fffe},
		{"*(u32 *)(r1 +0) = -2\nr0 = 0\nexit", A, 0, 0, 0x11223344fffffffe},
		{"*(u64 *)(r1 +0) = -2\nr0 = 0\nexit", A, 0, 0, 0xfffffffffffffffe},
	};

	check_steps(s, ARRAY_SIZE(s));
}

TEST(interp_atomics_of_64_bits)
{
	static const struct step s[] = {
		{"lock *(u64 *)(r1 +0) += r2\nr0 = r2\nexit", A, 1, 1, A + 1},
		{"lock *(u64 *)(r1 +0) |= r2\nr0 = r2\nexit", A, 0xff, 0xff, A | 0xff},
		{"lock *(u64 *)(r1 +0) &= r2\nr0 = r2\nexit", A, 0xff, 0xff, A & 0xff},
		{"lock *(u64 *)(r1 +0) ^= r2\nr0 = r2\nexit", A, 0xff, 0xff, A ^ 0xff},
		{"r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)\nr0 = r2\nexit", A, N, A, A + N},
		{"r2 = atomic64_fetch_or((u64 *)(r1 +0), r2)\nr0 = r2\nexit", A, N, A, A | N},
		{"r2 = atomic64_fetch_and((u64 *)(r1 +0), r2)\nr0 = r2\nexit", A, N, A, A & N},
		{"r2 = atomic64_fetch_xor((u64 *)(r1 +0), r2)\nr0 = r2\nexit", A, N, A, A ^ N},
		{"r2 = atomic64_xchg((u64 *)(r1 +0), r2)\nr0 = r2\nexit", A, N, A, N},
		{"r0 = 5\nr0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)\nexit", A, N, A, A},
		{"r0 = 5\nr0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)\nexit", 5, N, 5, N},
		{"r0 = load_acquire((u64 *)(r1 +0))\nexit", A, 0, A, A},
		{"store_release((u64 *)(r1 +0), r2)\nr0 = 0\nexit", A, N, 0, N},
	};

	check_steps(s, ARRAY_SIZE(s));
}

/* The upper half of memory stays; results are zero-extended. */
TEST(interp_atomics_of_32_bits)
{
	static const struct step s[] = {
		{"lock *(u32 *)(r1 +0) += r2\nr0 = r2\nexit", 0x7ffffffff, 1, 1, 0x700000000},
		{"lock *(u32 *)(r1 +0) |= r2\nr0 = 0\nexit", A, N, 0, 0x11223344f5f6f7f8},
		{"lock *(u32 *)(r1 +0) &= r2\nr0 = 0\nexit", A, 0xff, 0, 0x1122334400000088},
		{"lock *(u32 *)(r1 +0) ^= r2\nr0 = 0\nexit", A, ~0ull, 0, 0x11223344aa998877},
		{"r2 = atomic_fetch_add((u32 *)(r1 +0), r2)\nr0 = r2\nexit", N, 8, 0xf5f6f7f8,
		 0xf1f2f3f4f5f6f800},
		{"r2 = atomic_fetch_or((u32 *)(r1 +0), r2)\nr0 = r2\nexit", N, 7, 0xf5f6f7f8,
		 0xf1f2f3f4f5f6f7ff},
		{"r2 = atomic_fetch_and((u32 *)(r1 +0), r2)\nr0 = r2\nexit", N, 0xf0,
		 0xf5f6f7f8, 0xf1f2f3f4000000f0},
		{"r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)\nr0 = r2\nexit", N, 0xf8,
		 0xf5f6f7f8, 0xf1f2f3f4f5f6f700},
		{"r2 = atomic_xchg((u32 *)(r1 +0), r2)\nr0 = r2\nexit", N, A, 0xf5f6f7f8,
		 0xf1f2f3f455667788},
		/* compares the low half of r0 only */
		{"r0 = 0x100000005 ll\nr0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)\nexit",
		 0x900000005, A, 5, 0x955667788},
		{"r0 = 6\nr0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)\nexit", N, A, 0xf5f6f7f8,
		 N},
		{"r0 = load_acquire((u32 *)(r1 +4))\nexit", N, 0, 0xf1f2f3f4, N},
		{"r0 = load_acquire((u16 *)(r1 +2))\nexit", N, 0, 0xf5f6, N},
		{"r0 = load_acquire((u8 *)(r1 +7))\nexit", N, 0, 0xf1, N},
		{"store_release((u32 *)(r1 +0), r2)\nr0 = 0\nexit", A, N, 0, 0x11223344f5f6f7f8},
		{"store_release((u16 *)(r1 +0), r2)\nr0 = 0\nexit", A, N, 0, 0x112233445566f7f8},
		{"store_release((u8 *)(r1 +0), r2)\nr0 = 0\nexit", A, N, 0, 0x11223344556677f8},
	};

	check_steps(s, ARRAY_SIZE(s));
}

/* --- several threads, one word --- */

enum { THREADS = 3, ROUNDS = 20000 };

struct shared {
	struct bare b;
	u64 word;
	atomic(u64) got; /* what exchanges returned, summed */
};

static void *adder(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < ROUNDS; i++)
		atomic_fetch_add(&s->got, bare_run(&s->b, (u64)(uintptr_t)&s->word, 3));
	slot_leave(&s->b.host);
	return NULL;
}

static void run_threads(struct shared *s, const char *text)
{
	pthread_t threads[THREADS];

	bare_make(&s->b, text);
	CHECK_EQ(bare_lower(&s->b, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, adder, s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	bare_free(&s->b);
}

TEST(interp_atomic_add_of_threads)
{
	static struct shared s;

	s.word = 0;
	run_threads(&s, "lock *(u64 *)(r1 +0) += r2\nr0 = 0\nexit");
	CHECK_EQ(s.word, 3ull * THREADS * ROUNDS);
}

TEST(interp_exchanges_lose_nothing)
{
	static struct shared s;

	s.word = 0;
	s.got = 0;
	run_threads(&s, "r0 = r2\nr0 = atomic64_xchg((u64 *)(r1 +0), r0)\nexit");
	CHECK_EQ(s.word + s.got, 3ull * THREADS * ROUNDS);
}
