/* SPDX-License-Identifier: MIT
 *
 * check.h: one random program, verified in several ways and run.
 */
#ifndef PINTLE_TEST_SOUNDNESS_CHECK_H
#define PINTLE_TEST_SOUNDNESS_CHECK_H

#include "soundness/gen.h"
#include "test.h"

struct finding {
	bool accepted;
	char what[600];
	u32 insn;
};

/* False: something is wrong with the verifier, *f says what. */
bool soundness_check(u64 seed, struct finding *f);
/* The same for instructions (of a generator whose state is @seed's). */
bool soundness_check_insns(const struct insn *insns, u32 n, u64 seed, struct finding *f);

#endif
