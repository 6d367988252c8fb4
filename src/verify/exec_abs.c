/* SPDX-License-Identifier: MIT
 *
 * exec_abs.c: loads from the packet as classic BPF had them: r0 = packet[imm] or
 * packet[src + imm], with r6 the context. Where the packet ends before, the function
 * returns 0 there and then: so nothing may be held, and it must be one that returns a
 * number.
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

static int check_r6(struct env *env)
{
	const struct reg *r6 = cur_reg(env, R6);

	TRY(check_readable(env, R6));
	if (r6->base != REG_CTX || r6->flags)
		return reject(env, RULE_ABS_CTX);
	if (r6->off || has_var_off(r6))
		return reject(env, RULE_CTX_MODIFIED, R6, r6->off);
	return 0;
}

int exec_ld_abs(struct env *env, const struct insn *insn, u32 *next)
{
	const struct isa_info *info = isa_info(env->notes[env->insn].op);

	if (!env->prog->type || !env->prog->type->ld_abs)
		return reject(env, RULE_LD_ABS);
	TRY(check_nothing_held(env, "BPF_LD_[ABS|IND] cannot be mixed with socket references: it"));
	TRY(check_r6(env));
	if (info->src_reg)
		TRY(check_readable(env, insn->src));
	if (info->src_reg)
		TRY(check_number_arg(env, insn->src));
	for (u32 r = R1; r <= R5; r++)
		set_reg(env, r, reg_none());
	set_reg(env, R0, reg_num(scalar_zext(scalar_unknown(), info->size)));
	return 0;
}
