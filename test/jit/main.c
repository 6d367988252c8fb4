/* SPDX-License-Identifier: MIT
 *
 * jit-diff: interpreter against native code for as long as one likes.
 *
 *	jit-diff [PROGRAMS [SEED]]	100000 programs from seed 1 on
 */
#include "jit/diff.h"
#include "run/fault.h"

#include <inttypes.h>
#include <unistd.h>

enum { STEP = 10000 };

int main(int argc, char **argv)
{
	static struct diff_result result;
	u64 n = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000, skipped = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct pintle_host host = {.opts.max_slots = 2};
	bool same = true;

	if (fault_init(&host) || slots_init(&host) || defer_init(&host))
		return 2;
	printf("%" PRIu64 " programs from seed %" PRIu64 "\n", n, seed);
	for (u64 i = 0; i < n && same; i += STEP) {
		same = diff_run(&host, seed + i, n - i < STEP ? n - i : STEP, &skipped,
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
