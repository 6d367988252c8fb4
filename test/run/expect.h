/* SPDX-License-Identifier: MIT
 *
 * expect.h: the expectations of annotated programs (test/verdict/verdict.h), read from the
 * tags of their BTF and compared with a verification.
 */
#ifndef TEST_EXPECT_H
#define TEST_EXPECT_H

#include "load/image.h"

struct expectation {
	bool accept, reject, run;
	char rule[64], phrase[256], book[16];
	s64 retval;
};

/* What the tags of function @id say. */
struct expectation expectation_of(const struct btf *btf, u32 id);
/* Verifies @prog; false, with @words about it, when that is not what @e says. */
bool expect_verdict(const struct expectation *e, const struct image *image,
		    const struct image_prog *prog, char *words, size_t size);

#endif
