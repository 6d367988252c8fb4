/* SPDX-License-Identifier: MIT
 *
 * The value domains: a quick choice of the exhaustive checks (all of them: `make
 * check-domains`), random values at full width, and what precision programs rely on.
 */
#include "proofs/checks.h"
#include "test.h"

TEST(domain_tnums_of_few_bits)
{
	struct tally t = {0};

	if (!check_tnums(&t, 3))
		test_fail(__FILE__, __LINE__, "%s", t.wrong);
}

static void check_frames(const struct frame *fa, const struct frame *fb, unsigned bits)
{
	struct elements a = {0}, b = {0};
	struct tally t = {0};
	bool good;

	add_tnums(&a, fa, bits);
	add_intervals(&a, fa, bits);
	add_tnums(&b, fb, bits);
	add_intervals(&b, fb, bits);
	good = check_all_alu(&t, &a, &b) && check_all_branches(&t, &a, &b);
	elements_free(&a);
	elements_free(&b);
	if (!good)
		test_fail(__FILE__, __LINE__, "%s with %s: %s", fa->name, fb->name,
			  t.wrong);
}

TEST(domain_small_values_in_every_frame)
{
	for (int i = 0; i < NR_FRAMES; i++)
		for (int j = 0; j < NR_FRAMES; j++)
			check_frames(&frames[i], &frames[j], 2);
}

TEST(domain_three_bit_values)
{
	check_frames(&frames[0], &frames[0], 3);
	check_frames(&frames[1], &frames[1], 3);
}

TEST(domain_random_values)
{
	u64 seed = 1;

	for (int i = 0; i < 2000; i++) {
		struct element a, b;
		struct tally t = {0};
		u64 start = seed;
		bool good = true;

		a = random_element(&seed);
		b = random_element(&seed);
		for (int op = 0; op < 2 * NR_ALU; op++)
			good = good &&
			       check_alu(&t, (enum isa_alu)(op / 2), op & 1, &a, &b);
		for (int cond = 0; cond < 2 * NR_COND; cond++)
			good = good && check_branch(&t, (enum isa_cond)(cond / 2),
						    cond & 1, &a, &b);
		if (!good)
			test_fail(__FILE__, __LINE__, "seed %llu: %s",
				  (unsigned long long)start, t.wrong);
	}
}
