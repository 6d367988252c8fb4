/* SPDX-License-Identifier: MIT
 *
 * Random programs: what the verifier accepts does what was proved, and what it said of
 * each register and slot is so (test/soundness). And a program refused by a walk that never
 * prunes is refused by one that does, but for what a pruned path may read differently:
 * bytes of a spilled pointer. The long run is `make check-soundness`.
 */
#include "soundness/check.h"

enum { PROGRAMS = 400 };

TEST(verify_random_programs_do_what_was_proved)
{
	u32 accepted = 0;

	for (u64 seed = 1; seed <= PROGRAMS; seed++) {
		struct finding f;

		if (!soundness_check(seed, &f))
			test_fail(__FILE__, __LINE__, "seed %llu: %s at instruction %u",
				  (unsigned long long)seed, f.what, f.insn);
		accepted += f.accepted;
	}
	CHECK(accepted > PROGRAMS / 20);
}
