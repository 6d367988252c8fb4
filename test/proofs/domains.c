/* SPDX-License-Identifier: MIT
 *
 * domains.c: the long check of the value domains, by enumeration (`make check-domains`).
 *
 *	check-domains [SECONDS [SEED]]
 *	check-domains --vectors COUNT [SEED]	what the code computes, for prove.py
 *
 * In turn: every pair of tnums of 4 bits; every pair of tnums and intervals of 3 bits,
 * frame against frame, and of 4 bits in one frame; every pair of abstract values of any
 * set of 2-bit and 3-bit numbers; how many results are the best the domain can say; then
 * random values at full width for the seconds given (20). Exit 1 on the first that is
 * wrong.
 */
#include "checks.h"
#include "vectors.h"

#include <inttypes.h>
#include <time.h>

/* clang-format off */
static const char *const alu_names[] = {
	"add", "sub", "mul", "div", "sdiv", "mod", "smod", "or", "and", "xor", "lsh",
	"rsh", "arsh", "neg", "mov", "movsx8", "movsx16", "movsx32", "le16", "le32",
	"le64", "be16", "be32", "be64", "bswap16", "bswap32", "bswap64",
};

static const char *const cond_names[] = {
	"eq", "ne", "gt", "ge", "lt", "le", "sgt", "sge", "slt", "sle", "set",
};
/* clang-format on */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void report(const char *what, const struct tally *t, double since)
{
	printf("%-34s %11" PRIu64 " calls %12" PRIu64 " checks", what, t->calls,
	       t->checks);
	if (t->best)
		printf(" %5.1f %% best", 100.0 * (double)t->best / (double)t->calls);
	printf(" %6.1f s\n", seconds() - since);
	fflush(stdout);
}

static bool failed(const struct tally *t)
{
	printf("WRONG: %s\n", t->wrong);
	return false;
}

static bool all_tnums(void)
{
	struct tally t = {0};
	double since = seconds();

	if (!check_tnums(&t, 4))
		return failed(&t);
	report("tnums of 4 bits", &t, since);
	return true;
}

/* Every pair of frames at @bits bits, by @add: the values of a frame. */
static bool frame_pairs(const char *what, unsigned bits, bool same,
			void (*add)(struct elements *e, const struct frame *f,
				    unsigned bits))
{
	struct elements e[NR_FRAMES] = {0};
	struct tally t = {0};
	double since = seconds();
	bool good = true;

	for (int i = 0; i < NR_FRAMES; i++)
		add(&e[i], &frames[i], bits);
	for (int i = 0; good && i < NR_FRAMES; i++)
		for (int j = 0; good && j < NR_FRAMES; j++)
			if (!same || i == j)
				good = check_all_alu(&t, &e[i], &e[j]) &&
				       check_all_branches(&t, &e[i], &e[j]);
	for (int i = 0; i < NR_FRAMES; i++)
		elements_free(&e[i]);
	if (good)
		report(what, &t, since);
	return good || failed(&t);
}

static void add_both(struct elements *e, const struct frame *f, unsigned bits)
{
	add_tnums(e, f, bits);
	add_intervals(e, f, bits);
}

/* How sharp each operation is, over all abstract values of 3-bit numbers of two frames.
 */
static bool sharpness(const struct frame *f)
{
	struct elements e = {0};
	bool good = true;

	add_sets(&e, f, 3);
	printf("best results in frame '%s', 64 and 32 bits:\n", f->name);
	for (int op = 0; good && op < 2 * (NR_ALU + NR_COND); op++) {
		struct tally t = {.measure = true};
		int cond = op / 2 - NR_ALU;

		for (u32 i = 0; good && i < e.count; i++)
			for (u32 j = 0; good && j < e.count; j++)
				good = cond >= 0
					       ? check_branch(&t, (enum isa_cond)cond,
							      !(op & 1), &e.at[i],
							      &e.at[j])
					       : check_alu(&t, (enum isa_alu)(op / 2),
							   !(op & 1), &e.at[i], &e.at[j]);
		if (!good)
			failed(&t);
		else if (!(op & 1))
			printf("  %-8s",
			       cond >= 0 ? cond_names[cond] : alu_names[op / 2]);
		printf(" %5.1f %%%s", 100.0 * (double)t.best / (double)t.calls,
		       op % 8 == 7 ? "\n" : "");
	}
	printf("\n");
	elements_free(&e);
	return good;
}

static bool random_pair(struct tally *t, u64 *seed)
{
	struct element a = random_element(seed), b = random_element(seed);
	bool good = true;

	for (int op = 0; good && op < 2 * NR_ALU; op++)
		good = check_alu(t, (enum isa_alu)(op / 2), op & 1, &a, &b);
	for (int cond = 0; good && cond < 2 * NR_COND; cond++)
		good = check_branch(t, (enum isa_cond)(cond / 2), cond & 1, &a, &b);
	return good;
}

static bool random_values(double length, u64 seed)
{
	struct tally t = {0};
	double since = seconds();

	printf("random values, seed %" PRIu64 "\n", seed);
	while (seconds() - since < length) {
		for (int i = 0; i < 1000; i++) {
			u64 start = seed;

			if (!random_pair(&t, &seed)) {
				printf("seed %" PRIu64 ": ", start);
				return failed(&t);
			}
		}
	}
	report("random values of 64 bits", &t, since);
	return true;
}

static bool everything(double length, u64 seed)
{
	return all_tnums() && frame_pairs("sets of 2-bit numbers", 2, false, add_sets) &&
	       frame_pairs("3 bits, frame against frame", 3, false, add_both) &&
	       frame_pairs("sets of 3-bit numbers", 3, true, add_sets) &&
	       frame_pairs("4 bits in one frame", 4, true, add_both) &&
	       sharpness(&frames[0]) && sharpness(&frames[1]) &&
	       random_values(length, seed);
}

int main(int argc, char **argv)
{
	u64 seed = argc > 2 ? strtoull(argv[argc - 1], NULL, 0) : (u64)time(NULL);

	if (argc > 2 && !strcmp(argv[1], "--vectors"))
		print_vectors(atoi(argv[2]), argc > 3 ? seed : 1);
	else
		return !everything(argc > 1 ? atof(argv[1]) : 20, seed);
	return 0;
}
