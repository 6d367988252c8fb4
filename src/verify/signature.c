/* SPDX-License-Identifier: MIT
 *
 * signature.c: what the BTF prototype of a global subprogram promises (B49). The same
 * promise is the caller's duty at each call and the callee's knowledge at its start, so
 * the two sides are verified apart.
 *
 *	scalar				a number
 *	struct of the context		the context (also by tag arg:ctx)
 *	pointer to a sized type		that many bytes of memory, or NULL; arg:nonnull
 *	arg:trusted struct pointer	a trusted host object; arg:nullable: or NULL
 *	arg:untrusted struct pointer	fault-safe reads only
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

enum sig_kind { SIG_ARENA, SIG_SCALAR, SIG_CTX, SIG_MEM, SIG_BTF, SIG_DYNPTR };

struct sig_arg {
	u8 kind; /* enum sig_kind */
	bool nullable;
	u16 flags; /* SIG_BTF: of the register inside */
	u32 size;  /* SIG_MEM */
	const struct btf *btf;
	u32 type;
};

struct sig {
	u32 nargs;
	bool returns;
	struct sig_arg args[5];
};

static const struct image_subprog *sub_of(const struct env *env, u32 subprog)
{
	return &env->prog->subprogs[subprog];
}

static const char *name_of(const struct env *env, u32 subprog)
{
	const char *name = sub_of(env, subprog)->name;

	return name ? name : "subprogram";
}

static bool has_tag(const struct env *env, u32 func, u32 arg, const char *tag)
{
	u32 count = 0;

	btf_decl_tag(env->image->btf, func, (s32)arg, tag, &count);
	return count > 0;
}

static bool is_number(const struct btf_type *t)
{
	return btf_kind(t) == BTF_INT || btf_kind(t) == BTF_ENUM ||
	       btf_kind(t) == BTF_ENUM64;
}

/* --- parsing --- */

static const char *kind_name(const struct btf *btf, u32 type)
{
	static const char *const names[] = {
		[BTF_INT] = "INT",	 [BTF_PTR] = "PTR",	  [BTF_ARRAY] = "ARRAY",
		[BTF_STRUCT] = "STRUCT", [BTF_UNION] = "UNION",	  [BTF_ENUM] = "ENUM",
		[BTF_FWD] = "FWD",	 [BTF_ENUM64] = "ENUM64", [BTF_FUNC_PROTO] = "FUNC_PROTO",
	};
	u32 kind = btf_kind(btf_type(btf, type));

	return type && kind < ARRAY_SIZE(names) && names[kind] ? names[kind] : "UNKNOWN";
}

static int parse_host_struct(struct env *env, u32 subprog, u32 i, u32 pointee,
			     struct sig_arg *arg)
{
	const char *name = btf_type_name(env->image->btf, pointee);

	arg->kind = SIG_BTF;
	if (!abi_find_struct(env->abi, name, &arg->btf, &arg->type))
		return reject(env, RULE_SIG_TYPE, i, name_of(env, subprog));
	return 0;
}

/* The struct of the context; of probes, registers by any of their names. */
static bool is_ctx(const struct env *env, u32 pointee)
{
	const struct abi_prog_type *type = env->prog->type;
	const char *name = btf_type_name(env->image->btf, pointee);

	if (!type || !type->ctx_name || !name[0])
		return false;
	return !strcmp(name, type->ctx_name) ||
	       (!strcmp(type->ctx_name, "bpf_user_pt_regs_t") && !strcmp(name, "pt_regs"));
}

static bool may_be_ctx(const struct env *env, u32 pointee)
{
	const struct btf *btf = env->image->btf;
	const struct abi_prog_type *type = env->prog->type;
	const char *name = btf_type_name(btf, pointee);
	u32 args = type ? type->ctx_args : 0, size;

	if (!args || !pointee || is_ctx(env, pointee))
		return true;
	if (btf_kind(btf_type(btf, pointee)) == BTF_INT)
		return args & CTX_ARG_U64 && btf_size(btf, pointee, &size) && size == 8;
	return (args & CTX_ARG_REGS && !strcmp(name, "pt_regs")) ||
	       (args & CTX_ARG_RAW && !strcmp(name, "bpf_raw_tracepoint_args")) ||
	       (args & CTX_ARG_ITER && !strncmp(name, "bpf_iter__", 10));
}

static int parse_pointer(struct env *env, u32 subprog, u32 i, u32 type,
			 struct sig_arg *arg)
{
	const struct btf *btf = env->image->btf;
	u32 func = sub_of(env, subprog)->func;
	u32 pointee = btf_skip_mods(btf, btf_type(btf, type)->type);

	arg->nullable = has_tag(env, func, i, "arg:nullable");
	if (has_tag(env, func, i, "arg:ctx") || is_ctx(env, pointee)) {
		arg->kind = SIG_CTX;
		return may_be_ctx(env, pointee)
			       ? 0
			       : reject(env, RULE_SIG_CTX_TYPE, i, name_of(env, subprog),
					kind_name(btf, pointee), btf_type_name(btf, pointee));
	}
	if (has_tag(env, func, i, "arg:arena")) {
		arg->kind = SIG_ARENA;
		return 0;
	}
	if (has_tag(env, func, i, "arg:trusted")) {
		arg->flags = F_TRUSTED;
		return parse_host_struct(env, subprog, i, pointee, arg);
	}
	if (has_tag(env, func, i, "arg:untrusted")) {
		arg->flags = F_UNTRUSTED;
		arg->nullable = true;
		return parse_host_struct(env, subprog, i, pointee, arg);
	}
	if (!strcmp(btf_type_name(btf, pointee), "bpf_dynptr")) {
		arg->kind = SIG_DYNPTR;
		return 0;
	}
	arg->kind = SIG_MEM;
	arg->nullable = !has_tag(env, func, i, "arg:nonnull");
	if (!pointee || !btf_size(btf, pointee, &arg->size))
		return reject(env, RULE_SIG_SIZE, i, kind_name(btf, pointee),
			      btf_type_name(btf, pointee));
	return 0;
}

static int parse_arg(struct env *env, u32 subprog, u32 i, u32 type, struct sig_arg *arg)
{
	const struct btf_type *t;

	type = btf_skip_mods(env->image->btf, type);
	t = btf_type(env->image->btf, type);
	if (is_number(t)) {
		arg->kind = SIG_SCALAR;
		return 0;
	}
	if (btf_kind(t) != BTF_PTR)
		return reject(env, RULE_SIG_TYPE, i, name_of(env, subprog));
	return parse_pointer(env, subprog, i, type, arg);
}

static int parse(struct env *env, u32 subprog, struct sig *sig)
{
	const struct image_subprog *sub = sub_of(env, subprog);
	const struct btf *btf = env->image->btf;
	const struct btf_type *proto;
	u32 ret;

	if (!btf || !sub->func || !sub->proto)
		return reject(env, RULE_SIG_NONE, name_of(env, subprog));
	proto = btf_type(btf, sub->proto);
	if (btf_kind(proto) != BTF_FUNC_PROTO || btf_vlen(proto) > 5)
		return reject(env, RULE_SIG_NARGS, name_of(env, subprog),
			      btf_vlen(proto));
	ret = btf_skip_mods(btf, proto->type);
	sig->returns = ret != 0;
	if (ret && !is_number(btf_type(btf, ret)))
		return reject(env, RULE_SIG_RETURN, name_of(env, subprog));
	sig->nargs = btf_vlen(proto);
	for (u32 i = 0; i < sig->nargs; i++)
		TRY(parse_arg(env, subprog, i, btf_params(proto)[i].type, &sig->args[i]));
	return 0;
}

static int get(struct env *env, u32 subprog, const struct sig **out)
{
	struct subprog_note *note = &env->subs[subprog];
	struct sig *sig;

	if (!note->sig) {
		sig = arena_new_of(env->arena, struct sig);
		if (!sig)
			return out_of_memory(env);
		TRY(parse(env, subprog, sig));
		note->sig = sig;
	}
	*out = note->sig;
	return 0;
}

/* --- the callee's side --- */

static struct reg arg_reg(struct env *env, const struct sig_arg *arg)
{
	struct reg reg;

	switch (arg->kind) {
	case SIG_ARENA:
		return arena_reg();
	case SIG_CTX:
		return reg_pointer(REG_CTX, 0);
	case SIG_DYNPTR:
		return dynptr_any(env);
	case SIG_MEM:
		reg = reg_pointer(REG_MEM, 0);
		reg.mem_size = arg->size;
		break;
	case SIG_BTF:
		reg = reg_btf(arg->btf, arg->type, arg->flags);
		break;
	default:
		return reg_unknown();
	}
	if (arg->nullable) {
		reg.flags |= F_NULL;
		reg.id = id_new(env);
	}
	return reg;
}

int sig_begin(struct env *env, u32 subprog)
{
	const struct sig *sig;

	TRY(get(env, subprog, &sig));
	for (u32 i = 0; i < sig->nargs; i++)
		*cur_reg(env, R1 + i) = arg_reg(env, &sig->args[i]);
	return 0;
}

bool sig_returns(const struct env *env, u32 subprog)
{
	const struct sig *sig = env->subs[subprog].sig;

	return sig && sig->returns;
}

u32 sig_nargs(const struct env *env, u32 subprog)
{
	return env->subs[subprog].sig->nargs;
}

int sig_check_return(struct env *env, u32 subprog)
{
	const struct reg *r0 = cur_reg(env, R0);

	if (r0->base != REG_SCALAR)
		return reject(env, RULE_RET_SCALAR, "subprogram exit", R0,
			      reg_class_name(env, r0));
	return leaks_address(env, r0) ? reject(env, RULE_RET_LEAK, R0) : 0;
}

/* --- the caller's side --- */

/*
 * Inside the function the pointer would be trusted for good, and whatever raises counts
 * would take it without asking whether the count is 0 already. So the section must be the
 * whole run (B49), and the object's reference must still be there while it lasts, which
 * only deferred puts promise (J9).
 */
static bool rcu_is_trusted(struct env *env, const struct reg *reg)
{
	const struct abi_storable *s;

	if (env->cur->sleepable || reg->base != REG_BTF)
		return false;
	if (env->abi->policy.legacy_walk)
		return true;
	s = abi_find_storable(env->abi, reg->btf, reg->type);
	return s && s->rcu == RCU_DEFERRED_PUT;
}

static int check_btf(struct env *env, u32 regno, const struct sig_arg *arg)
{
	const struct reg *reg = cur_reg(env, regno);
	u16 bad = F_ALLOC | F_PERCPU | F_USER | F_NONOWN;

	if (arg->nullable && reg_is_null(reg))
		return mark_precise(env, regno);
	if (!(arg->flags & F_UNTRUSTED))
		bad |= F_UNTRUSTED;
	if (!arg->nullable)
		bad |= F_NULL;
	if (!(arg->flags & F_UNTRUSTED) && !rcu_is_trusted(env, reg))
		bad |= F_RCU;
	/* A legacy pointer (no flags, no reference) may be anything. */
	if (reg->base != REG_BTF || reg->flags & bad ||
	    (!(arg->flags & F_UNTRUSTED) && !reg->flags && !reg->ref &&
	     !env->abi->policy.legacy_walk))
		return reject(env, RULE_SIG_TRUSTED, regno, reg_class_name(env, reg),
			      arg->flags & F_UNTRUSTED ? "untrusted_ptr_"
						       : "trusted_ptr_");
	if (!btf_reg_fits(reg, arg->btf, arg->type, false))
		return reject(env, RULE_SIG_STRUCT, regno,
			      btf_type_name(arg->btf, arg->type));
	return 0;
}

/* The function may write to it, for which the packet may move. */
static int check_dynptr(struct env *env, u32 regno)
{
	struct dynptr_at d;

	TRY(dynptr_arg(env, regno, &d));
	if (d.object.flags & F_PKT)
		packet_forget(env);
	return 0;
}

static int check_arg(struct env *env, u32 regno, const struct sig_arg *arg)
{
	const struct reg *reg = cur_reg(env, regno);

	TRY(check_readable(env, regno));
	switch (arg->kind) {
	case SIG_ARENA:
		return arena_arg(env, regno);
	case SIG_SCALAR:
		if (reg->base != REG_SCALAR)
			return reject(env, RULE_SIG_SCALAR, regno);
		return check_number_arg(env, regno);
	case SIG_CTX:
		if (reg->base != REG_CTX || !scalar_is_const(reg->num))
			return reject(env, RULE_SIG_CTX, regno, reg_class_name(env, reg));
		if (reg->off)
			return reject(env, RULE_CTX_MODIFIED, regno, reg->off);
		return 0;
	case SIG_BTF:
		return check_btf(env, regno, arg);
	case SIG_DYNPTR:
		return check_dynptr(env, regno);
	default:
		break;
	}
	if (!arg->nullable && (reg_is_null(reg) || reg->flags & F_NULL))
		return reject(env, RULE_SIG_NONNULL, regno - 1);
	if (reg_is_null(reg))
		return mark_precise(env, regno);
	if (!arg->size) /* no byte of it can be touched */
		return reg_is_pointer(reg) && reg->base != REG_CTX
			       ? 0
			       : reject_kind(env, regno, "mem");
	return mem_arg(env, regno, arg->size, true, false, arg->nullable);
}

int sig_check_call(struct env *env, u32 subprog)
{
	const struct sig *sig;

	TRY(get(env, subprog, &sig));
	for (u32 i = 0; i < sig->nargs; i++) {
		int err = check_arg(env, R1 + i, &sig->args[i]);

		if (err)
			log_print(env->log, LOG_ERROR,
				  "Caller passes invalid args into func#%u ('%s')\n", subprog,
				  name_of(env, subprog));
		if (err)
			return err;
	}
	return 0;
}
