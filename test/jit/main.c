/* SPDX-License-Identifier: MIT
 *
 * jit-diff: interpreter against native code for as long as one likes.
 *
 *	jit-diff [--blind] [PROGRAMS [SEED]]	100000 programs from seed 1 on
 */
#include "jit/diff.h"
#include "run/memory/fault.h"

#include <inttypes.h>
#include <unistd.h>

enum { STEP = 10000 };

int main(int argc, char **argv)
{
	static struct diff_result result;
	bool blind = argc > 1 && !strcmp(argv[1], "--blind"), same = true;
	u64 n = 100000, seed = 1, skipped = 0;
	struct pintle_host host = {.opts.max_slots = 2};

	argc -= blind, argv += blind;
	if (argc > 1)
		n = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	if (fault_init(&host) || slots_init(&host) || defer_init(&host))
		return 2;
	printf("%" PRIu64 " programs from seed %" PRIu64 "\n", n, seed);
	for (u64 i = 0; i < n && same; i += STEP) {
		same = diff_run(&host, blind, seed + i, n - i < STEP ? n - i : STEP, &skipped,
				&result);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%" PRIu64 " ", i);
	}
	if (!same)
		printf("%s", result.words);
	printf("%d passed, %d failed, %d skipped\n", same && !skipped, !same, skipped != 0);
	defer_free(&host);
	slots_free(&host);
	fault_free(&host);
	words_free(&host);
	return !same;
}
