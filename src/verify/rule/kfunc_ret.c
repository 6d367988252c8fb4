/* SPDX-License-Identifier: MIT
 *
 * rule/kfunc_ret.c: what a host function gives (rule book B32): nothing, a number, or an
 * object whose class its flags decide.
 */
#include "verify/rule/kcall.h"

static int struct_result(struct env *env, const struct kcall *call, u32 ptr, struct reg *r0)
{
	u32 flags = call->kfunc->flags, type, to = btf_pointee(call->btf, ptr), ref = 0;
	const struct btf *btf;

	if (!host_struct(env, call->btf, to, &btf, &type))
		return reject(env, RULE_KFUNC_RET, call->kfunc->name,
			      to ? btf_type_name(call->btf, to) : "void");
	*r0 = reg_btf(btf, type, flags & KF_RET_NULL ? F_NULL : 0);
	if (flags & KF_ACQUIRE) {
		TRY(flags & KF_RET_NULL ? ref_take_or_null(env, &ref) : ref_take(env, &ref));
		r0->ref = ref;
	} else if (flags & KF_RCU_PROTECTED) {
		r0->flags |= F_RCU;
	} else if (!env->abi->policy.legacy_walk) {
		r0->flags |= F_UNTRUSTED; /* nobody promises that the object stays */
	}
	if (ref || r0->flags & F_NULL)
		r0->id = ref ? ref : id_new(env);
	return 0;
}

/* Its size is what an argument says, or that of the number it points to; the latter only
 * where something says how long it lives, unless policy believes all hosts. */
static bool is_memory(const struct env *env, const struct kcall *call, u32 ptr)
{
	if (call->has_buf)
		return true;
	return btf_is_number(call->btf, btf_pointee(call->btf, ptr)) &&
	       (call->kfunc->flags & KF_ITER_NEXT || env->abi->policy.legacy_walk);
}

/* Memory that nothing says may be written is only read. */
static int memory_result(struct env *env, const struct kcall *call, u32 ptr, struct reg *r0)
{
	u32 flags = call->kfunc->flags, size = call->buf_size;

	/* Kernels take it for the last argument's, and think no further. */
	if (call->rcu_arg && !env->abi->policy.legacy_walk)
		return reject(env, RULE_UNSUPPORTED, "memory of what a read section protects");
	if (call->two_refs && !env->abi->policy.legacy_walk)
		return reject(env, RULE_UNSUPPORTED, "memory of one of several objects");
	if (!call->has_buf && !btf_size(call->btf, btf_pointee(call->btf, ptr), &size))
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	*r0 = reg_pointer(REG_MEM, flags & KF_RET_NULL ? F_NULL : 0);
	if (!call->has_buf || call->buf_rdonly)
		r0->flags |= F_RDONLY;
	r0->mem_size = size;
	r0->owner = call->arg_ref;
	r0->id = flags & KF_RET_NULL ? id_new(env) : 0;
	return 0;
}

/* An untyped pointer that policy believes: nothing can be done with it but casts. */
static bool is_number_in_disguise(const struct env *env, const struct kcall *call, u32 ptr)
{
	return env->abi->policy.legacy_walk && !call->has_buf &&
	       btf_kind(btf_type(call->btf, ptr)) == BTF_PTR &&
	       !btf_pointee(call->btf, ptr);
}

int kfunc_result(struct env *env, const struct kcall *call)
{
	u32 ret = btf_skip_mods(call->btf, call->proto->type);
	struct reg r0 = reg_unknown();

	if (!ret)
		r0 = reg_none();
	else if (is_number_in_disguise(env, call, ret))
		r0 = reg_unknown();
	else if (btf_kind(btf_type(call->btf, ret)) == BTF_PTR)
		TRY(is_memory(env, call, ret) ? memory_result(env, call, ret, &r0)
					 : struct_result(env, call, ret, &r0));
	else if (!btf_is_number(call->btf, ret))
		return reject(env, RULE_UNSUPPORTED, "results that are structs");
	if (call->kfunc->flags & KF_ACQUIRE && !r0.ref)
		return reject(env, RULE_KFUNC_ACQUIRE, call->kfunc->name);
	kfunc_set_result(env, r0);
	return 0;
}

void kfunc_set_result(struct env *env, struct reg r0)
{
	r0.def = env->insn;
	*cur_reg(env, R0) = r0;
}
