/* SPDX-License-Identifier: MIT
 *
 * rule/kfunc.c: calls of host functions, checked against their prototype in host BTF and
 * their flags (rule book B30-B34, section C).
 *
 * Host code believes its arguments. So a struct pointer reaches it only when the object is
 * sure to exist: owned, trusted, or (KF_RCU) protected by the read section around the call.
 * Everything not known here is refused.
 */
#include "verify/rule/rule.h"

enum { MAX_ARGS = 5, MAX_NESTING = 4 };

struct kcall {
	const struct abi_kfunc *kfunc;
	const struct btf *btf;
	const struct btf_type *proto;
	u32 release_regno;	/* 0: none seen */
};

struct karg {
	u32 i, regno;
	const char *name;
	u32 type;		/* after qualifiers */
	const struct btf_type *t;
	const struct reg *reg;
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static const char *param_name(const struct kcall *call, u32 i)
{
	return btf_str(call->btf, btf_params(call->proto)[i].name_off);
}

static bool is_size_of(const struct kcall *call, u32 i)
{
	return i < btf_vlen(call->proto) && (ends_with(param_name(call, i), "__sz") ||
					     ends_with(param_name(call, i), "__szk"));
}

static bool is_ptr(const struct kcall *call, u32 i)
{
	u32 id = btf_skip_mods(call->btf, btf_params(call->proto)[i].type);

	return btf_kind(btf_type(call->btf, id)) == BTF_PTR;
}

static bool is_scalar(const struct btf *btf, u32 id)
{
	enum btf_kind kind = btf_kind(btf_type(btf, btf_skip_mods(btf, id)));

	return kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;
}

/* Numbers all the way down: such memory may hold any bytes. */
static bool is_plain_data(const struct btf *btf, u32 id, u32 depth)
{
	const struct btf_type *t;

	id = btf_skip_mods(btf, id);
	t = btf_type(btf, id);
	if (is_scalar(btf, id))
		return true;
	if (btf_kind(t) == BTF_ARRAY)
		return is_plain_data(btf, btf_array(t)->type, depth);
	if (btf_kind(t) != BTF_STRUCT || depth >= MAX_NESTING)
		return false;
	for (u32 i = 0; i < btf_vlen(t); i++)
		if (!is_plain_data(btf, btf_members(t)[i].type, depth + 1))
			return false;
	return true;
}

static const char *pointee_name(const struct kcall *call, const struct karg *arg)
{
	u32 to = btf_pointee(call->btf, arg->type);

	return to ? btf_type_name(call->btf, to) : "void";
}

/* Not an object of the host, and not memory that may hold any bytes. */
static int reject_pointee(struct env *env, const struct kcall *call, const struct karg *arg)
{
	u32 to = btf_pointee(call->btf, arg->type);
	bool is_struct = btf_kind(btf_type(call->btf, btf_skip_mods(call->btf, to))) == BTF_STRUCT;

	return reject(env, RULE_KFUNC_PTR, arg->i, is_struct ? "STRUCT " : "",
		      pointee_name(call, arg));
}

/* ---- numbers ---- */

static int check_constant(struct env *env, const struct karg *arg)
{
	if (!scalar_is_const(arg->reg->num))
		return reject(env, RULE_NOT_CONST, arg->regno);
	return mark_precise(env, arg->regno);
}

static int scalar_arg(struct env *env, const struct kcall *call, const struct karg *arg)
{
	if (arg->reg->base != REG_SCALAR)
		return reject(env, RULE_KFUNC_SCALAR, arg->regno);
	if (ends_with(arg->name, "__szk") || ends_with(arg->name, "__k"))
		return check_constant(env, arg);
	if (!strcmp(arg->name, "rdonly_buf_size") || !strcmp(arg->name, "rdwr_buf_size"))
		return reject(env, RULE_UNSUPPORTED, "host functions that return memory");
	return 0;
}

/* ---- objects ---- */

static bool trusted_by_default(const struct env *env, const struct abi_kfunc *kfunc)
{
	return !(kfunc->flags & KF_ANY_ARGS) && !env->abi->policy.kf_untrusted_default;
}

/* B30: whether host code may see this pointer at all. */
static int check_trust(struct env *env, const struct abi_kfunc *kfunc, const struct karg *arg)
{
	const struct reg *reg = arg->reg;
	bool must = kfunc->flags & (KF_TRUSTED_ARGS | KF_RELEASE) ||
		    (trusted_by_default(env, kfunc) && !(kfunc->flags & KF_RCU));

	if (reg->flags & (F_PERCPU | F_USER))
		return reject_kind(env, arg->regno, "ptr_, trusted_ptr_, rcu_ptr_");
	if (reg->flags & F_UNTRUSTED)
		return reject(env, kfunc->flags & KF_RCU && !must ? RULE_KFUNC_RCU
								  : RULE_KFUNC_TRUST,
			      arg->regno);
	if (reg->ref || reg->flags & F_TRUSTED)
		return 0;
	if (must)
		return reject(env, RULE_KFUNC_TRUST, arg->regno);
	if (kfunc->flags & KF_RCU && !(reg->flags & F_RCU))
		return reject(env, RULE_KFUNC_RCU, arg->regno);
	return 0;
}

static int check_type(struct env *env, const struct kcall *call, const struct karg *arg,
		      bool strict)
{
	const struct reg *reg = arg->reg;
	const struct btf *btf;
	u32 type;

	if (!host_struct(env, call->btf, btf_pointee(call->btf, arg->type), &btf, &type))
		return reject_pointee(env, call, arg);
	if (btf_reg_fits(reg, btf, type, strict))
		return 0;
	return reject(env, RULE_KFUNC_TYPE, call->kfunc->name, arg->i,
		      btf_type_name(btf, type), arg->regno,
		      btf_type_name(reg->btf, reg->type));
}

static int btf_arg(struct env *env, struct kcall *call, const struct karg *arg)
{
	bool releases = call->kfunc->flags & KF_RELEASE && arg->reg->ref;

	TRY(check_trust(env, call->kfunc, arg));
	TRY(check_btf_offset(env, arg->regno, arg->reg));
	if (releases) {
		TRY(check_releasable(env, arg->regno, arg->reg));
		if (call->release_regno)
			return reject(env, RULE_KFUNC_TWO_REFS, arg->regno,
				      cur_reg(env, call->release_regno)->ref,
				      arg->reg->ref);
		call->release_regno = arg->regno;
	}
	return check_type(env, call, arg, releases);
}

/* ---- memory ---- */

static int data_arg(struct env *env, const struct kcall *call, const struct karg *arg)
{
	u32 to = btf_pointee(call->btf, arg->type), size;

	if (!is_plain_data(call->btf, to, 0) || !btf_size(call->btf, to, &size))
		return reject_pointee(env, call, arg);
	return mem_arg(env, arg->regno, size, true, false, false);
}

static int ctx_arg(struct env *env, const struct kcall *call, const struct karg *arg)
{
	if (arg->reg->base != REG_CTX || arg->reg->off || has_var_off(arg->reg))
		return reject(env, RULE_KFUNC_CTX, arg->i, reg_class_name(env, arg->reg));
	return 0;
}

/* C2: the address of a referenced field of exactly the type that is returned. */
static int slot_arg(struct env *env, const struct kcall *call, const struct karg *arg)
{
	const struct field *field;
	const struct btf *btf;
	u32 to = btf_pointee(call->btf, arg->type), type;

	if (arg->reg->base != REG_MAP_VALUE)
		return reject(env, RULE_KPTR_GET_DST, arg->i);
	TRY(check_not_null(env, arg->regno, arg->reg));
	TRY(slot_of_arg(env, arg->regno, &field));
	if (!to || btf_kind(btf_type(call->btf, to)) != BTF_PTR ||
	    !host_struct(env, call->btf, btf_pointee(call->btf, to), &btf, &type))
		return reject(env, RULE_KPTR_GET_PROTO, call->kfunc->name);
	if (!btf_same_type(btf, type, field->btf, field->type))
		return reject(env, RULE_KFUNC_TYPE, call->kfunc->name, arg->i,
			      btf_type_name(btf, type), arg->regno,
			      btf_type_name(field->btf, field->type));
	if (!env->notes[env->insn].proof.field)
		env->notes[env->insn].proof.field = field;
	return 0;
}

static bool is_ctx_param(const struct env *env, const struct kcall *call,
			 const struct karg *arg)
{
	const struct abi_prog_type *type = env->prog->type;

	return type && type->kind == PROG_CTX && type->ctx_name &&
	       !strcmp(pointee_name(call, arg), type->ctx_name);
}

/* NULL itself, or a pointer that may be: *done when nothing is left to check. */
static int null_arg(struct env *env, const struct kcall *call, const struct karg *arg,
		    bool *done)
{
	bool literal = reg_is_null(arg->reg);

	*done = false;
	if (!literal && !(arg->reg->flags & F_NULL))
		return 0;
	if (!ends_with(arg->name, "__nullable") &&
	    !(literal && ends_with(arg->name, "__opt") && is_size_of(call, arg->i + 1)))
		return reject(env, RULE_KFUNC_NULL, arg->i);
	*done = literal;
	return literal ? mark_precise(env, arg->regno) : 0;
}

static int pointer_arg(struct env *env, struct kcall *call, const struct karg *arg)
{
	bool slot = call->kfunc->flags & KF_KPTR_GET && arg->i == 0, done;

	if (slot)
		return slot_arg(env, call, arg);
	TRY(null_arg(env, call, arg, &done));
	if (done)
		return 0;
	if (is_size_of(call, arg->i + 1))
		return mem_arg_sized(env, arg->regno, arg->regno + 1, true, false,
				     arg->reg->flags & F_NULL, true);
	if (is_ctx_param(env, call, arg))
		return ctx_arg(env, call, arg);
	if (arg->reg->base == REG_BTF)
		return btf_arg(env, call, arg);
	return data_arg(env, call, arg);
}

/* ---- one argument ---- */

/* Suffixes whose meaning this version does not model. */
static const char *const unknown_suffixes[] = {
	"__alloc", "__refcounted_kptr", "__uninit", "__str", "__map", "__iter", "__irq_flag",
	"__prog", "__arena", "__const_map", "__dynptr", "__nonown_allowed", "__callback",
};

static int check_suffix(struct env *env, const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(unknown_suffixes); i++)
		if (ends_with(name, unknown_suffixes[i]))
			return reject(env, RULE_UNSUPPORTED, unknown_suffixes[i]);
	return 0;
}

static int check_arg(struct env *env, struct kcall *call, u32 i)
{
	struct karg arg = {.i = i, .regno = i + 1, .name = param_name(call, i)};

	if (ends_with(arg.name, "__ign"))
		return 0;
	TRY(check_readable(env, arg.regno));
	TRY(check_suffix(env, arg.name));
	arg.type = btf_skip_mods(call->btf, btf_params(call->proto)[i].type);
	arg.t = btf_type(call->btf, arg.type);
	arg.reg = cur_reg(env, arg.regno);
	if (btf_kind(arg.t) == BTF_PTR)
		return pointer_arg(env, call, &arg);
	if (!is_scalar(call->btf, arg.type))
		return reject(env, RULE_UNSUPPORTED, "arguments that are structs");
	if (is_size_of(call, i) && (!i || !is_ptr(call, i - 1)))
		return reject(env, RULE_UNSUPPORTED, "a size without its memory");
	return scalar_arg(env, call, &arg);
}

static int check_args(struct env *env, struct kcall *call)
{
	u32 n = btf_vlen(call->proto);

	if (n > MAX_ARGS)
		return reject(env, RULE_UNSUPPORTED, "more than 5 arguments");
	for (u32 i = 0; i < n; i++)
		TRY(check_arg(env, call, i));
	if (call->kfunc->flags & KF_RELEASE && !call->release_regno)
		return reject(env, RULE_KFUNC_RELEASE, call->kfunc->name);
	return 0;
}

/* ---- the result ---- */

static int struct_result(struct env *env, const struct kcall *call, u32 ptr, struct reg *r0)
{
	u32 flags = call->kfunc->flags, type, to = btf_pointee(call->btf, ptr), ref = 0;
	const struct btf *btf;

	if (!host_struct(env, call->btf, to, &btf, &type))
		return reject(env, RULE_KFUNC_RET, call->kfunc->name,
			      to ? btf_type_name(call->btf, to) : "void");
	*r0 = reg_btf(btf, type, flags & KF_RET_NULL ? F_NULL : 0);
	if (flags & KF_ACQUIRE) {
		TRY(ref_take(env, &ref));
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

static int result(struct env *env, const struct kcall *call)
{
	u32 ret = btf_skip_mods(call->btf, call->proto->type);
	struct reg r0 = reg_unknown();

	if (!ret)
		r0 = reg_none();
	else if (btf_kind(btf_type(call->btf, ret)) == BTF_PTR)
		TRY(struct_result(env, call, ret, &r0));
	else if (!is_scalar(call->btf, ret))
		return reject(env, RULE_UNSUPPORTED, "results that are structs");
	if (call->kfunc->flags & KF_ACQUIRE && !r0.ref)
		return reject(env, RULE_KFUNC_RET, call->kfunc->name, "none");
	r0.def = env->insn;
	*cur_reg(env, R0) = r0;
	return 0;
}

/* ---- the call ---- */

static bool available(const struct env *env, const struct abi_kfunc *kfunc)
{
	u64 index = (u64)(env->prog->type - env->abi->prog_types.v);

	return kfunc->prog_types == ~0ull ||
	       (env->prog->type && index < 64 && kfunc->prog_types & BIT64(index));
}

static int check_call(struct env *env, const struct abi_kfunc *kfunc)
{
	if (!available(env, kfunc))
		return reject(env, RULE_KFUNC_ALLOW, kfunc->name);
	if (env->abi->policy.need_gpl && !licence_is_gpl(env->image))
		return reject(env, RULE_HELPER_GPL);
	TRY(check_call_under_lock(env, false));
	if (kfunc->flags & KF_SLEEPABLE)
		TRY(check_may_sleep(env, kfunc->name));
	if (kfunc->flags & (KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY))
		return reject(env, RULE_UNSUPPORTED, "open-coded iterators");
	if (kfunc->flags & KF_KPTR_GET && env->abi->policy.no_kptr_get)
		return reject(env, RULE_KFUNC_ALLOW, kfunc->name);
	if (kfunc->flags & KF_RCU_PROTECTED && !in_read_section(env))
		return reject(env, RULE_KFUNC_RCU_CS, kfunc->name);
	return 0;
}

/* Functions of the engine that have a meaning of their own. */
static int special_call(struct env *env, const struct abi_kfunc *kfunc)
{
	if (kfunc->special == KS_RCU_READ_LOCK)
		TRY(rcu_enter(env, kfunc->name));
	else if (kfunc->special == KS_RCU_READ_UNLOCK)
		TRY(rcu_leave(env, kfunc->name));
	else if (kfunc->special == KS_PREEMPT_DISABLE)
		env->cur->preempt_depth++;
	else if (kfunc->special == KS_PREEMPT_ENABLE)
		TRY(preempt_enable(env, kfunc->name));
	else
		return reject(env, RULE_UNSUPPORTED, kfunc->name);
	*cur_reg(env, R0) = reg_none();
	return 0;
}

static int find_kfunc(struct env *env, const struct insn *insn, const struct abi_kfunc **out)
{
	const struct image *image = env->image;
	const struct image_ksym *ksym;

	if (insn->imm < 0 || (u32)insn->imm >= image->nksyms)
		return reject(env, RULE_KFUNC_ALLOW, "?");
	ksym = &image->ksyms[insn->imm];
	if (!ksym->is_func || !ksym->found || !ksym->kfunc)
		return reject(env, RULE_KFUNC_ALLOW, ksym->name);
	*out = ksym->kfunc;
	return 0;
}

int call_kfunc(struct env *env, const struct insn *insn)
{
	struct kcall call = {0};

	TRY(find_kfunc(env, insn, &call.kfunc));
	env->notes[env->insn].proof.kfunc = call.kfunc;
	TRY(check_call(env, call.kfunc));
	if (call.kfunc->special != KS_NONE)
		return special_call(env, call.kfunc);
	call.btf = call.kfunc->btf;
	call.proto = btf_type(call.btf, call.kfunc->proto);
	TRY(check_args(env, &call));
	if (call.release_regno)
		TRY(ref_release(env, cur_reg(env, call.release_regno)->ref));
	return result(env, &call);
}
