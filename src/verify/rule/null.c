/* SPDX-License-Identifier: MIT
 *
 * null.c: a pointer that may be NULL is tested before it is used (rule book 0.3, B19).
 */
#include "verify/rule/rule.h"

int check_not_null(struct env *env, u32 regno, const struct reg *reg)
{
	if (!(reg->flags & F_NULL))
		return 0;
	return reject(env, RULE_NULL_DEREF, regno, reg_class_name(env, reg));
}
