/* SPDX-License-Identifier: MIT
 *
 * ctxarg.c: contexts that are an array of 64-bit arguments, typed by a prototype: hooks of
 * a host, and what the kernel attaches programs to by BTF. A struct passed by value takes
 * as many slots as it needs. Where the program runs behind a function, its result is the
 * last argument.
 *
 * What an argument is beyond its type (trusted, maybe NULL, ...) the program type says
 * (abi_prog_type.args), or the parameter's name (__nullable).
 */
#include "verify/rule/rule.h"

/* Bytes of memory whose real size is checked at attachment. */
enum { BUF_SIZE = 1 << 29 };

struct arg {
	const struct abi_prog_type *type;
	u32 i;		  /* of the prototype's parameters that programs see */
	u32 param;	  /* BTF id of its type */
	const char *name; /* "" for a result */
	u8 flags;	  /* enum ctx_arg_flag */
	bool result;	  /* of the function */
};

static const char *func_name(const struct abi_prog_type *type)
{
	return type->target ? type->target : type->name;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* Which argument lies at byte @off; its number even when there is none. */
static bool arg_at(const struct abi_prog_type *type, u32 off, struct arg *arg)
{
	const struct btf_type *proto = btf_type(type->btf, type->proto);
	const struct btf_param *params = btf_params(proto);
	u32 end = 0, size = 0;

	*arg = (struct arg){.type = type, .name = ""};
	for (u32 i = type->first_arg; i < btf_vlen(proto); i++, arg->i++) {
		btf_size(type->btf, params[i].type, &size);
		end += ROUND_UP(max_u32(size, 1), 8);
		if (off >= end)
			continue;
		arg->param = params[i].type;
		arg->name = btf_str(type->btf, params[i].name_off);
		arg->flags = arg->i < ARRAY_SIZE(type->args) ? type->args[arg->i] : 0;
		return true;
	}
	arg->i += (off - end) / 8;
	arg->param = proto->type;
	arg->result = true;
	return type->ret_arg && off < end + 8 && btf_skip_mods(type->btf, proto->type);
}

static struct reg buffer(struct env *env, const struct arg *arg)
{
	struct reg reg = reg_pointer(REG_MEM, F_BUF);

	reg.mem_size = BUF_SIZE;
	reg.flags |= arg->flags & CTX_ARG_RDONLY ? F_RDONLY : 0;
	return reg;
}

/* A pointer to a host object. */
static struct reg object(struct env *env, const struct arg *arg, u32 ptr,
			 const struct btf *host, u32 type)
{
	struct reg reg = reg_btf(host, type, 0);

	if (btf_ptr_has_tag(arg->type->btf, ptr, "user"))
		reg.flags = F_USER;
	else if (btf_ptr_has_tag(arg->type->btf, ptr, "percpu"))
		reg.flags = F_PERCPU | (env->abi->policy.legacy_walk ? 0 : F_TRUSTED);
	else if (arg->flags & CTX_ARG_TRUSTED || !env->abi->policy.legacy_walk)
		reg.flags = F_TRUSTED;
	else if (arg->flags & CTX_ARG_RCU)
		reg.flags = F_RCU;
	if (arg->flags & CTX_ARG_NULL || ends_with(arg->name, "__nullable"))
		reg.flags |= F_NULL;
	return reg;
}

/* What a pointer without a host object behind it is: the kernel refuses to read some. */
static int plain_pointer(struct env *env, const struct access *acc, const struct arg *arg,
			 u32 to)
{
	const struct btf *btf = arg->type->btf;
	enum btf_kind kind = btf_kind(btf_type(btf, to));

	if (!arg->type->target || !to || kind == BTF_INT || kind == BTF_FWD)
		return 0;
	return reject(env, RULE_CTX_ARG_TYPE, func_name(arg->type), arg->i, acc->off, acc->size);
}

static int pointer_value(struct env *env, const struct access *acc, const struct arg *arg,
			 struct reg *value)
{
	const struct btf *btf = arg->type->btf, *host;
	u32 ptr = btf_skip_mods(btf, arg->param), to = btf_pointee(btf, ptr), type;

	if (to && to == arg->type->promote_from)
		to = arg->type->promote_to;
	if (arg->flags & CTX_ARG_BUF)
		*value = buffer(env, arg);
	else if (host_struct(env, btf, to, &host, &type))
		*value = object(env, arg, ptr, host, type);
	else if (btf_kind(btf_type(btf, to)) == BTF_UNION && arg->type->target)
		*value = object(env, arg, ptr, btf, to);
	else
		return plain_pointer(env, acc, arg, to);
	if (arg->flags & CTX_ARG_REF)
		TRY(ops_arg_ref(env, arg->i, value));
	if (arg->flags & CTX_ARG_NULL)
		value->flags |= F_NULL;
	if (value->flags & F_NULL)
		value->id = id_new(env);
	if (acc->size != 8)
		return reject(env, RULE_CTX_ARG_SIZE, func_name(arg->type), arg->i + 1,
			      acc->off, acc->size);
	return 0;
}

int access_ctx_args(struct env *env, struct access *acc)
{
	const struct abi_prog_type *type = env->prog->type;
	struct reg value = reg_address();
	struct arg arg;
	u32 id;

	if (acc->kind != ACC_READ || acc->off < 0 || acc->off % acc->size)
		return reject(env, RULE_CTX_ACCESS, acc->off, acc->size);
	if (acc->off % 8)
		return reject(env, RULE_CTX_ARG_OFF, func_name(type), acc->off, acc->off,
			      acc->size);
	if (!arg_at(type, (u32)acc->off, &arg))
		return reject(env, RULE_CTX_ARG, func_name(type), arg.i + 1, acc->off,
			      acc->size);
	id = btf_skip_mods(type->btf, arg.param);
	acc->class_ = ACCESS_CTX;
	acc->ctx_arg = (u8)(arg.i + 1);
	if (btf_kind(btf_type(type->btf, id)) != BTF_PTR) {
		/* What other programs there may have returned. */
		acc->result_set = arg.result && type->ret_32bit && acc->size == 8;
		acc->result = reg_num(scalar_srange(type->ret_min, type->ret_max));
		return 0;
	}
	TRY(pointer_value(env, acc, &arg, &value));
	if (value.base == REG_SCALAR && acc->size < 8) {
		value.num = scalar_zext(value.num, (u8)acc->size);
		value.flags = part_marks(value.flags);
	}
	acc->result = value;
	acc->result_set = true;
	return 0;
}
