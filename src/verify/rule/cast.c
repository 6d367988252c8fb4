/* SPDX-License-Identifier: MIT
 *
 * cast.c: functions that only change what the verifier takes a pointer for (rule book B40,
 * J12). Their results are untrusted, so that reads through them cannot fault and no host
 * function takes them; but a number that was cast could name any memory of the process,
 * which is why numbers are cast by policy only.
 */
#include "verify/rule/kcall.h"

static bool castable(const struct env *env, const struct reg *reg)
{
	if (env->abi->policy.casts)
		return true;
	return reg->base == REG_BTF && reg->btf != env->image->btf &&
	       !(reg->flags & (F_PERCPU | F_USER | F_ALLOC));
}

/* The struct of the host's base BTF that constant R2 names. */
static int cast_type(struct env *env, u32 *type)
{
	const struct btf *btf = env->abi->btfs.n ? env->abi->btfs.v[0] : NULL;
	const struct reg *reg = cur_reg(env, R2);
	u64 id;

	TRY(check_readable(env, R2));
	if (reg->base != REG_SCALAR)
		return reject(env, RULE_KFUNC_SCALAR, R2);
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_NOT_CONST, R2);
	TRY(mark_precise(env, R2));
	id = reg->num.bits.value;
	if (!btf || id >= btf_end(btf) || btf_kind(btf_type(btf, (u32)id)) != BTF_STRUCT)
		return reject(env, RULE_CAST_TYPE);
	*type = (u32)id;
	return 0;
}

/*
 * As another struct an object would show its pointers as numbers, and what lies behind it
 * (B10, J12): by default it is only seen as itself, or as what it begins with.
 */
static int check_part(struct env *env, const struct reg *reg, u32 type)
{
	const struct btf *btf = env->abi->btfs.v[0];

	if (env->abi->policy.casts || btf_reg_fits(reg, btf, type, false))
		return 0;
	return reject(env, RULE_CAST_OTHER, btf_type_name(reg->btf, reg->type),
		      btf_type_name(btf, type));
}

int special_rdonly_cast(struct env *env, struct kcall *call)
{
	const struct reg *reg = cur_reg(env, R1);
	u32 type = 0;

	TRY(check_readable(env, R1));
	if (!castable(env, reg))
		return reject(env, RULE_CAST, R1, reg_class_name(env, reg));
	TRY(cast_type(env, &type));
	TRY(check_part(env, reg, type));
	kfunc_set_result(env, reg_btf(env->abi->btfs.v[0], type, F_UNTRUSTED));
	return 0;
}

/* The context as what it is a view of: as sure to exist as the context is. */
int special_cast_to_kern_ctx(struct env *env, struct kcall *call)
{
	const struct abi_prog_type *prog = env->prog->type;
	const struct reg *reg = cur_reg(env, R1);
	const struct btf *btf;
	u32 type;

	TRY(check_readable(env, R1));
	if (reg->base != REG_CTX || reg->off || has_var_off(reg))
		return reject(env, RULE_KFUNC_CTX, 0, reg_class_name(env, reg));
	if (!prog || !prog->ctx_kern || !abi_find_struct(env->abi, prog->ctx_kern, &btf, &type))
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	kfunc_set_result(env, reg_btf(btf, type, F_TRUSTED));
	return 0;
}
