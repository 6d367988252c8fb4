/* SPDX-License-Identifier: MIT
 *
 * rule/kfunc.c: calls of host functions (rule book B30-B34, section C): which function it
 * is, whether this program may call it here, and the order of it all. What it may be
 * handed is kfunc_arg.c's, what it gives kfunc_ret.c's.
 */
#include "verify/rule/kcall.h"

static bool available(const struct env *env, const struct abi_kfunc *kfunc)
{
	const struct abi_prog_type *type = env->prog->type;

	if (kfunc->prog_types == ~0ull)
		return true;
	return type && kfunc->prog_types & BIT64(type->bit) &&
	       (!kfunc->attach || kfunc->attach == type->attach);
}

/* B27: what works on containers is for their locks. */
static bool under_lock(const struct abi_kfunc *kfunc)
{
	static const bool allowed[NR_KS] = {
		[KS_REFCOUNT_ACQUIRE] = true,
		[KS_LIST_PUSH_FRONT] = true, [KS_LIST_PUSH_BACK] = true,
		[KS_LIST_POP_FRONT] = true,  [KS_LIST_POP_BACK] = true,
		[KS_LIST_FRONT] = true,	     [KS_LIST_BACK] = true,
		[KS_RBTREE_ADD] = true,	     [KS_RBTREE_REMOVE] = true,
		[KS_RBTREE_FIRST] = true,    [KS_RBTREE_ROOT] = true,
		[KS_RBTREE_LEFT] = true,     [KS_RBTREE_RIGHT] = true,
	};

	return kfunc->special < NR_KS && allowed[kfunc->special];
}

static int check_call(struct env *env, const struct abi_kfunc *kfunc)
{
	if (!available(env, kfunc))
		return reject(env, RULE_KFUNC_ALLOW, kfunc->name);
	if (env->abi->policy.need_gpl && !licence_is_gpl(env->image))
		return reject(env, RULE_HELPER_GPL);
	TRY(check_in_signal(env, kfunc->flags & KF_SIGNAL, kfunc->name));
	TRY(check_call_under_lock(env, under_lock(kfunc)));
	if (kfunc->flags & KF_SLEEPABLE)
		TRY(check_may_sleep(env, kfunc->name, 0));
	if (kfunc->flags & KF_KPTR_GET && env->abi->policy.no_kptr_get)
		return reject(env, RULE_KFUNC_ALLOW, kfunc->name);
	/* An iterator made outside is of no use: rule/iter.c. */
	if (kfunc->flags & KF_RCU_PROTECTED && !(kfunc->flags & KF_ITER_NEW) &&
	    !in_read_section(env))
		return reject(env, RULE_KFUNC_RCU_CS, kfunc->name);
	return 0;
}

static int find_kfunc(struct env *env, const struct insn *insn, struct kcall *call)
{
	const struct image *image = env->image;
	const struct image_ksym *ksym;

	if (insn->imm < 0 || (u32)insn->imm >= image->nksyms)
		return reject(env, RULE_KFUNC_ALLOW, "?");
	ksym = &image->ksyms[insn->imm];
	if (!ksym->is_func || !ksym->found || !ksym->kfunc)
		return reject(env, RULE_KFUNC_ALLOW, ksym->name);
	call->kfunc = ksym->kfunc;
	call->btf = ksym->btf;
	call->proto = btf_type(ksym->btf, ksym->type);
	return 0;
}

int kfunc_release(struct env *env, struct kcall *call)
{
	struct proof_insn *proof = &env->notes[env->insn].proof;

	if (!call->release_regno)
		return 0;
	if (proof->gives && proof->gives_arg != call->release_regno)
		proof->gives_arg = GIVES_VARIES;
	else
		proof->gives_arg = (u8)call->release_regno;
	return ref_release(env, cur_reg(env, call->release_regno)->ref);
}

int kfunc_ordinary(struct env *env, struct kcall *call)
{
	TRY(kfunc_check_args(env, call));
	TRY(kfunc_release(env, call));
	if (call->kfunc->flags & (KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY))
		return iter_call(env, call);
	return kfunc_result(env, call);
}

int call_kfunc(struct env *env, const struct insn *insn)
{
	struct kcall call = {0};

	TRY(find_kfunc(env, insn, &call));
	env->notes[env->insn].proof.kfunc = call.kfunc;
	TRY(check_call(env, call.kfunc));
	if (call.kfunc->special != KS_NONE)
		return special_call(env, &call);
	return kfunc_ordinary(env, &call);
}
