/* SPDX-License-Identifier: MIT
 *
 * expect.h: the expectations of annotated programs (test/verdict/verdict.h), read from the
 * tags of their BTF and compared with a verification.
 */
#ifndef TEST_EXPECT_H
#define TEST_EXPECT_H

#include "load/image.h"

enum { MAX_POLICIES = 3, MAX_BOOKS = 4, MAX_SAYS = 4 };

struct expectation {
	bool accept, reject, run;
	char rule[64], phrase[256];
	char books[MAX_BOOKS][16]; /* the rule book's cases that it is */
	u32 nbooks;
	s64 retval;
	struct says { /* what an explanation holds, or does not */
		bool not;
		char text[96];
	} says[MAX_SAYS];
	u32 nsays;
	struct policy_case { /* another verdict under another policy */
		char policy[16];
		bool accept;
		char phrase[160];
	} policies[MAX_POLICIES];
	u32 npolicies;
};

/* What the tags of function or variable @id say. */
struct expectation expectation_of(const struct btf *btf, u32 id);
/* Verifies @prog; false, with @words about it, when that is not what @e says. */
bool expect_policy(const struct policy_case *c, const struct image *image,
		   const struct image_prog *prog, char *words, size_t size);
bool expect_verdict(const struct expectation *e, const struct image *image,
		    const struct image_prog *prog, char *words, size_t size);

#endif
