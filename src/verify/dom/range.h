/* SPDX-License-Identifier: MIT
 *
 * range.h: arithmetic on ranges, one pair of halves at a time (private to src/verify/dom).
 *
 * Every rule widens *r by what the operation makes of the w-bit intervals @a and @b, each
 * non-empty and of one sign; of @a and shift amounts k.min..k.max, all below w.
 */
#ifndef PINTLE_RANGE_H
#define PINTLE_RANGE_H

#include "verify/dom/halves.h"

struct amounts {
	u8 min, max;
};

typedef void range_rule(struct halves *r, struct half a, struct half b, unsigned w);
typedef void range_shift(struct halves *r, struct half a, struct amounts k, unsigned w);

range_rule range_add, range_sub, range_mul, range_div, range_sdiv, range_mod,
	range_smod, range_or, range_and, range_xor;
range_shift range_lsh, range_rsh, range_arsh;

/* *r becomes the rule over every pair of halves of @a and @b. */
void range_pairs(struct halves *r, range_rule *rule, const struct halves *a,
		 const struct halves *b, unsigned w);

#endif
