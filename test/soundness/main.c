/* SPDX-License-Identifier: MIT
 *
 * main.c: check-soundness: random programs, until one shows a fault of the verifier; that
 * one is made as small as it gets and printed with its seed.
 *
 *	check-soundness [-s SEED] [-n PROGRAMS]		(one seed: -n 1)
 */
#include "soundness/check.h"

#include <stdarg.h>
#include <unistd.h>

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Instruction @i becomes one that does nothing; both halves of a long one. */
static u32 blank(struct insn *insns, u32 i)
{
	static const struct insn nothing = {.code = 0x05};
	u32 slots = insns[i].code == 0x18 ? 2 : 1;

	for (u32 k = 0; k < slots; k++)
		insns[i + k] = nothing;
	return slots;
}

/* One round over all instructions; how many could go. */
static u32 shrink(struct insn *insns, u32 n, u64 seed, struct finding *f)
{
	static struct insn kept[GEN_MAX];
	u32 gone = 0;

	for (u32 i = 0; i < n;) {
		u32 slots = insns[i].code == 0x18 ? 2 : 1;
		struct finding now;

		memcpy(kept, insns, n * sizeof(*insns));
		if (insns[i].code != 0x05 || insns[i].off) {
			blank(insns, i);
			if (soundness_check_insns(insns, n, seed, &now)) {
				memcpy(insns, kept, n * sizeof(*insns));
			} else {
				*f = now;
				gone++;
			}
		}
		i += slots;
	}
	return gone;
}

static void print(const struct insn *insns, u32 n)
{
	char text[160];

	for (u32 i = 0; i < n; i++) {
		if (insns[i].code == 0x05 && !insns[i].off)
			continue;
		isa_disasm(insns + i, n - i, NULL, text, sizeof(text));
		printf("%4u: %s\n", i, text);
		i += insns[i].code == 0x18;
	}
}

static void report(u64 seed, struct finding *f)
{
	static struct gen g;

	gen_program(&g, seed);
	while (shrink(g.insns, g.n, seed, f))
		;
	printf("seed %llu: %s at instruction %u\n", (unsigned long long)seed, f->what, f->insn);
	print(g.insns, g.n);
}

int main(int argc, char **argv)
{
	unsigned long long seed = 1, programs = 100000, accepted = 0;
	int opt;

	while ((opt = getopt(argc, argv, "s:n:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			programs = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	for (unsigned long long i = 0; i < programs; i++) {
		struct finding f;

		if (!soundness_check(seed + i, &f)) {
			report(seed + i, &f);
			return 1;
		}
		accepted += f.accepted;
	}
	printf("seeds %llu to %llu: %llu programs accepted and right\n", seed,
	       seed + programs - 1, accepted);
	return 0;
}
