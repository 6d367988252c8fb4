/* SPDX-License-Identifier: MIT
 *
 * equal.h: when one state covers another.
 */
#ifndef PINTLE_VERIFY_EQUAL_H
#define PINTLE_VERIFY_EQUAL_H

#include "verify/env.h"

enum cover {
	COVER_PRECISE, /* numbers are compared only where @old marked them precise */
	COVER_WITHIN,  /* every live number of @cur lies within @old's */
	COVER_SAME,    /* nothing differs */
};

/* Whatever can happen from @cur on was proved safe by the walk from @old: both are at
 * env->insn. */
bool state_covers(struct env *env, const struct state *old, const struct state *cur,
		  enum cover how);

#endif
