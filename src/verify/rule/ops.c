/* SPDX-License-Identifier: MIT
 *
 * ops.c: references that go in and out of programs with their arguments and results, as
 * functions of operations structs have them.
 *
 * A parameter named __ref (CTX_ARG_REF) gives the program a reference when it begins: it is
 * held from the first instruction, and what is read from the context carries it until it is
 * given back. A function that returns a pointer to a struct (ret_btf) returns NULL or a
 * reference, which leaves the program with its result.
 */
#include "verify/rule/rule.h"

int ops_begin(struct env *env)
{
	const struct abi_prog_type *type = env->prog->type;

	for (u32 i = 0; type && i < ARRAY_SIZE(type->args); i++)
		if (type->args[i] & CTX_ARG_REF)
			TRY(ref_take(env, &env->arg_refs[i]));
	return 0;
}

int ops_arg_ref(struct env *env, u32 i, struct reg *value)
{
	if (!held_find(env->cur, HELD_REF, env->arg_refs[i]))
		return reject(env, RULE_OPS_ARG_REF, i);
	value->ref = env->arg_refs[i];
	return 0;
}

int ops_check_tail_call(struct env *env)
{
	const struct abi_prog_type *type = env->prog->type;

	for (u32 i = 0; type && i < ARRAY_SIZE(type->args); i++)
		if (type->args[i] & CTX_ARG_REF)
			return reject(env, RULE_OPS_TAIL_CALL);
	if (type && type->ret_btf && cur_frame(env)->subprog)
		return reject(env, RULE_UNSUPPORTED, "a tail call in a subprogram, where the "
						     "program returns a reference");
	return 0;
}

static int bad_result(struct env *env, u32 regno)
{
	const struct abi_prog_type *type = env->prog->type;

	return reject(env, RULE_OPS_RET, regno, reg_class_name(env, cur_reg(env, regno)),
		      btf_type_name(type->ret_btf, type->ret_type));
}

int ops_check_null(struct env *env, u32 regno)
{
	if (!reg_is_null(cur_reg(env, regno)))
		return bad_result(env, regno);
	return mark_precise(env, regno);
}

/* One that may be NULL will do: where it is not, it is a reference. That goes; as far as the
 * walk is concerned, a number is returned in its place. */
int ops_return(struct env *env)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct reg *r0 = cur_reg(env, R0);

	TRY(check_readable(env, R0));
	if (r0->base == REG_SCALAR)
		return ops_check_null(env, R0);
	if (r0->base != REG_BTF || !btf_reg_fits(r0, type->ret_btf, type->ret_type, true))
		return bad_result(env, R0);
	TRY(check_releasable(env, R0, r0));
	TRY(ref_release(env, r0->ref));
	*cur_reg(env, R0) = reg_num(scalar_const(0));
	return 0;
}
