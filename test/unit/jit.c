/* SPDX-License-Identifier: MIT
 *
 * Native code against the interpreter (test/jit/diff.h); code memory; faults in native
 * code on many threads.
 */
#include "test.h"

#include "jit/diff.h"
#include "jit/jit.h"
#include "unit/bare.h"

enum { PROGRAMS = 3000, SEED = 1 };

TEST(jit_differential)
{
	static struct diff_result result;
	struct pintle_host host;
	u64 skipped = 0;
	bool same;

	bare_host(&host);
	same = diff_run(&host, SEED, PROGRAMS, &skipped, &result);
	bare_host_free(&host);
	if (!same)
		test_fail(__FILE__, __LINE__, "%s", result.words);
	if (skipped == PROGRAMS)
		SKIP("no native code here");
	CHECK_EQ(skipped, 0);
}
