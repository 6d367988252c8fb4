/* SPDX-License-Identifier: MIT
 *
 * call.c: a call is of a helper, a kfunc or a subprogram; the first two leave r1-r5
 * unreadable, whatever they did with them.
 */
#include "verify/walk.h"

void call_clobber(struct env *env)
{
	for (u32 r = R1; r <= R5; r++)
		set_reg(env, r, reg_none());
}

int exec_call(struct env *env, const struct insn *insn, u32 *next)
{
	env->jumps_processed++;
	if (insn->src == CALL_SUBPROG)
		return call_subprog(env, insn, next);
	if (insn->src == CALL_HELPER)
		TRY(call_helper(env, insn, next));
	else
		TRY(call_kfunc(env, insn));
	call_clobber(env);
	cur_reg(env, R0)->def = env->insn;
	cur_frame(env)->written |= (u16)BIT(R0);
	return 0;
}
