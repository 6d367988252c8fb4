/* SPDX-License-Identifier: MIT
 *
 * user.c: reading what lies in an address space (rule book E2, J18-J20): the address is a
 * number or a user pointer; whose space it is, is the current one's, the pointer's own, or
 * that of an object: of a type for which the host registered where its objects' memory is.
 */
#include "verify/rule/kcall.h"
#include "verify/walk.h"

int user_address(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);

	TRY(check_readable(env, regno));
	if (reg->base == REG_SCALAR)
		return check_number_arg(env, regno);
	if (reg->base == REG_BTF && (reg->flags & (F_PERCPU | F_USER)) == F_USER)
		return 0;
	return reject_kind(env, regno, "scalar, user_ptr_");
}

/* An address in the space that is current is a number; what knows its space is not. */
void note_user_address(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	bool user = reg->base == REG_BTF && reg->flags & F_USER && reg->off >= 0 &&
		    !has_var_off(reg);

	env->notes[env->insn].proof.user |= user ? USER_PASSED : USER_UNPASSED;
}

int space_owner_arg(struct env *env, u32 regno)
{
	struct proof_insn *note = &env->notes[env->insn].proof;
	const struct reg *reg = cur_reg(env, regno);
	s32 owner;

	TRY(check_readable(env, regno));
	if (reg->base != REG_BTF || reg->flags & ~(F_TRUSTED | F_RCU))
		return reject_kind(env, regno, "ptr_, trusted_ptr_");
	TRY(check_btf_offset(env, regno, reg));
	owner = reg->off ? -1 : abi_space_owner(env->abi, reg->btf, reg->type);
	if (owner < 0)
		return reject(env, RULE_SPACE_OWNER, regno, btf_type_name(reg->btf, reg->type));
	if (note->space_owner && note->space_owner != (u32)owner + 1)
		return reject(env, RULE_UNSUPPORTED, "one call that reads the memory of several types");
	note->space_owner = (u32)owner + 1;
	return 0;
}

/* (dst, size, address, [object,] flags) */
static int copy_str(struct env *env, struct kcall *call, bool of_object)
{
	u32 flags = R4 + of_object;

	if (env->abi->policy.ptr_leaks)
		return kfunc_ordinary(env, call);
	TRY(mem_arg_sized(env, R1, R2, true, true, false, true));
	TRY(user_address(env, R3));
	note_user_address(env, R3);
	if (of_object)
		TRY(space_owner_arg(env, R4));
	TRY(check_readable(env, flags));
	if (cur_reg(env, flags)->base != REG_SCALAR || cur_reg(env, flags)->num.umax > 1)
		return reject(env, RULE_COPY_FLAGS, call->kfunc->name);
	TRY(mark_precise(env, flags));
	return kfunc_result(env, call);
}

int special_copy_str(struct env *env, struct kcall *call)
{
	return copy_str(env, call, false);
}

int special_copy_task_str(struct env *env, struct kcall *call)
{
	return copy_str(env, call, true);
}
