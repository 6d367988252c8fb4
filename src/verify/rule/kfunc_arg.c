/* SPDX-License-Identifier: MIT
 *
 * rule/kfunc_arg.c: arguments of host functions (rule book B30, B34, C2). What an argument
 * is follows from three tables, in this order: the suffix of its name, the struct it
 * points to, and what is left. Each class has one check. Programs declare the engine's own
 * functions, so names say nothing there and are not looked at: special.def's letters do.
 *
 * Host code believes its arguments. So a struct pointer reaches it only when the object is
 * sure to exist: owned, trusted, or (KF_RCU) protected by the read section around the call.
 * A class without a check is refused.
 */
#include "verify/rule/kcall.h"

enum { MAX_NESTING = 4, MAX_BUF = 1 << 29 };

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* The engine's own: its prototype is the program's. */
static bool is_own(const struct kcall *call)
{
	return !call->kfunc->btf && call->kfunc->special != KS_NONE;
}

static const char *param_name(const struct kcall *call, u32 i)
{
	return is_own(call) ? "" : btf_str(call->btf, btf_params(call->proto)[i].name_off);
}

bool arg_name_ends(const struct karg *arg, const char *suffix)
{
	return ends_with(arg->name, suffix);
}

/* What special.def says of argument @i of a function of the engine's own; else 0. */
static char letter_of(const struct kcall *call, u32 i)
{
	return is_own(call) ? abi_special(call->kfunc->special)->args[i] : 0;
}

static bool is_size_of(const struct kcall *call, u32 i)
{
	char letter;

	if (i >= btf_vlen(call->proto))
		return false;
	letter = letter_of(call, i);
	return letter == 's' || letter == 'z' || ends_with(param_name(call, i), "__sz") ||
	       ends_with(param_name(call, i), "__szk");
}

static bool is_ptr(const struct btf *btf, u32 id)
{
	return btf_kind(btf_type(btf, btf_skip_mods(btf, id))) == BTF_PTR;
}

bool btf_is_number(const struct btf *btf, u32 id)
{
	enum btf_kind kind = btf_kind(btf_type(btf, btf_skip_mods(btf, id)));

	return kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;
}

static bool is_plain_data(const struct btf *btf, u32 id, u32 depth)
{
	const struct btf_type *t;

	id = btf_skip_mods(btf, id);
	t = btf_type(btf, id);
	if (btf_is_number(btf, id))
		return true;
	if (btf_kind(t) == BTF_ARRAY)
		return is_plain_data(btf, btf_array(t)->type, depth);
	if (!btf_is_composite(t) || depth >= MAX_NESTING)
		return false;
	for (u32 i = 0; i < btf_vlen(t); i++)
		if (!is_plain_data(btf, btf_members(t)[i].type, depth + 1))
			return false;
	return true;
}

bool btf_is_plain_data(const struct btf *btf, u32 id)
{
	return is_plain_data(btf, id, 0);
}

static u32 pointee(const struct kcall *call, const struct karg *arg)
{
	return btf_skip_mods(call->btf, btf_pointee(call->btf, arg->type));
}

static const char *pointee_name(const struct kcall *call, const struct karg *arg)
{
	u32 to = pointee(call, arg);

	return to ? btf_type_name(call->btf, to) : "void";
}

/* "STRUCT foo", "INT int", "UNKNOWN ": as kernels name types. */
static const char *kind_name(const struct btf *btf, u32 id)
{
	static const char *const names[] = {
		[BTF_INT] = "INT",     [BTF_PTR] = "PTR",   [BTF_ARRAY] = "ARRAY",
		[BTF_STRUCT] = "STRUCT", [BTF_UNION] = "UNION", [BTF_ENUM] = "ENUM",
		[BTF_FWD] = "FWD",     [BTF_FUNC_PROTO] = "FUNC_PROTO",
	};
	u32 kind = btf_kind(btf_type(btf, id));

	return kind < ARRAY_SIZE(names) && names[kind] ? names[kind] : "UNKNOWN";
}

/* Not an object of the host, and not memory that may hold any bytes. */
static int reject_pointee(struct env *env, const struct kcall *call, const struct karg *arg)
{
	u32 to = pointee(call, arg);

	return reject(env, RULE_KFUNC_PTR, arg->i, kind_name(call->btf, to),
		      to ? btf_type_name(call->btf, to) : "",
		      arg->class_ == KA_MEM_SIZED ? "void, " : "");
}

/* ---- what an argument is ---- */

static const struct {
	const char *suffix;
	u8 class_; /* enum karg_class */
} by_suffix[] = {
	{"__ign", KA_IGNORED},
	{"__k", KA_CONSTANT},
	{"__sz", KA_SIZE},
	{"__szk", KA_SIZE},
	{"rdonly_buf_size", KA_BUF_SIZE},
	{"rdwr_buf_size", KA_BUF_SIZE},
	{"__alloc", KA_ALLOC},
	{"__refcounted_kptr", KA_REFCOUNTED},
	{"__str", KA_STR},
	{"__map", KA_MAP},
	{"__const_map", KA_MAP},
	{"__iter", KA_ITER},
	{"__irq_flag", KA_IRQ_FLAG},
	{"__prog", KA_IGNORED}, /* filled in by the engine */
	{"__arena", KA_ARENA},
	{"__callback", KA_CALLBACK},
	{"__nonown_allowed", KA_UNKNOWN},
};

static const struct {
	const char *name;
	u8 class_; /* enum karg_class */
} by_struct[] = {
	{"bpf_dynptr", KA_DYNPTR},
	{"bpf_dynptr_kern", KA_DYNPTR},
	{"bpf_list_head", KA_LIST_HEAD},
	{"bpf_list_node", KA_LIST_NODE},
	{"bpf_rb_root", KA_RB_ROOT},
	{"bpf_rb_node", KA_RB_NODE},
	{"bpf_wq", KA_WQ},
};

static const struct {
	char letter;
	u8 class_; /* enum karg_class */
} by_letter[] = {
	{'D', KA_DYNPTR},
	{'U', KA_DYNPTR},
	{'s', KA_SIZE},
	{'z', KA_SIZE},
	{'a', KA_ANY},
	{'I', KA_ITER},
	{'B', KA_ITER},
	{'E', KA_ITER},
	{'M', KA_MAP},
	{'W', KA_WQ},
	{'C', KA_CALLBACK},
	{'_', KA_IGNORED},
};

static bool class_by_letter(const struct kcall *call, struct karg *arg)
{
	char letter = letter_of(call, arg->i);

	for (u32 i = 0; letter && i < ARRAY_SIZE(by_letter); i++)
		if (by_letter[i].letter == letter) {
			arg->class_ = by_letter[i].class_;
			return true;
		}
	return false;
}

static bool class_by_suffix(struct karg *arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(by_suffix); i++)
		if (ends_with(arg->name, by_suffix[i].suffix)) {
			arg->class_ = by_suffix[i].class_;
			return true;
		}
	return false;
}

static bool class_by_struct(const struct kcall *call, struct karg *arg)
{
	const char *name = pointee_name(call, arg);

	for (u32 i = 0; i < ARRAY_SIZE(by_struct); i++)
		if (!strcmp(name, by_struct[i].name)) {
			arg->class_ = by_struct[i].class_;
			return true;
		}
	if (btf_kind(btf_type(call->btf, pointee(call, arg))) == BTF_FUNC_PROTO) {
		arg->class_ = KA_CALLBACK;
		return true;
	}
	return false;
}

/*
 * The parameter is the program's context: a pointer to the struct that is its type's, also
 * by a typedef's name (bpf_user_pt_regs_t).
 */
static bool is_ctx_param(const struct env *env, const struct kcall *call,
			 const struct karg *arg)
{
	const struct abi_prog_type *type = env->prog->type;
	u32 to = btf_pointee(call->btf, arg->type);

	if (!type || type->kind != PROG_CTX || !type->ctx_name)
		return false;
	for (;;) {
		const struct btf_type *t = btf_type(call->btf, to);

		if (!strcmp(btf_type_name(call->btf, to), type->ctx_name))
			return true;
		if (btf_kind(t) != BTF_TYPEDEF && btf_kind(t) != BTF_CONST &&
		    btf_kind(t) != BTF_VOLATILE)
			return false;
		to = t->type;
	}
}

/* The object that the register points to as a struct of the host: itself, the map, or the
 * struct behind a table of members. */
static bool object_of(const struct env *env, const struct reg *reg, struct reg *object)
{
	static const char *const structs[NR_TABLES] = {
		[TABLE_SOCK_COMMON] = "sock_common",
		[TABLE_SOCK] = "sock",
		[TABLE_TCP_SOCK] = "tcp_sock",
	};

	*object = *reg;
	if (reg->base == REG_BTF)
		return true;
	if (reg->base == REG_MAP && env->abi->map_structs) {
		object->base = REG_BTF;
		object->flags |= F_TRUSTED;
		return abi_find_struct(env->abi, "bpf_map", &object->btf, &object->type);
	}
	if (reg->base != REG_TABLE)
		return false;
	for (u32 i = 0; i < NR_TABLES; i++)
		if (structs[i] && reg->table == abi_table((enum abi_table_id)i)) {
			object->base = REG_BTF;
			object->flags |= F_TRUSTED;
			return abi_find_struct(env->abi, structs[i], &object->btf,
					       &object->type);
		}
	return false;
}

/* As kernels do: what a pointer to a struct is, the register decides. */
static u8 class_of_rest(const struct env *env, const struct kcall *call,
			const struct karg *arg)
{
	enum btf_kind kind = btf_kind(btf_type(call->btf, pointee(call, arg)));
	bool is_struct = kind == BTF_STRUCT || kind == BTF_UNION || kind == BTF_FWD;
	bool sized = is_size_of(call, arg->i + 1);
	struct reg object;

	if (object_of(env, arg->reg, &object) && (is_struct || !sized))
		return KA_OBJECT;
	return sized ? KA_MEM_SIZED : KA_MEM;
}

/* NULL itself where it is welcome. */
static bool is_allowed_null(const struct kcall *call, const struct karg *arg)
{
	return reg_is_null(arg->reg) && is_ptr(call->btf, arg->type) &&
	       (letter_of(call, arg->i) == 'm' || ends_with(arg->name, "__nullable") ||
		(ends_with(arg->name, "__opt") && is_size_of(call, arg->i + 1)));
}

static void classify(const struct env *env, const struct kcall *call, struct karg *arg)
{
	if (class_by_letter(call, arg))
		return;
	if (class_by_suffix(arg)) {
		if (is_allowed_null(call, arg))
			arg->class_ = KA_NULL;
		return;
	}
	if (!arg->i && call->kfunc->flags & (KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY))
		arg->class_ = KA_ITER;
	else if (!is_ptr(call->btf, arg->type))
		arg->class_ = btf_is_number(call->btf, arg->type) ? KA_NUMBER : KA_UNKNOWN;
	else if (call->kfunc->flags & KF_KPTR_GET && arg->i == 0)
		arg->class_ = KA_SLOT;
	else if (is_ctx_param(env, call, arg))
		arg->class_ = KA_CTX;
	else if (is_allowed_null(call, arg))
		arg->class_ = KA_NULL;
	else if (!class_by_struct(call, arg))
		arg->class_ = class_of_rest(env, call, arg);
}

int kfunc_arg(struct env *env, const struct kcall *call, u32 i, struct karg *arg)
{
	*arg = (struct karg){.i = i, .regno = i + 1, .name = param_name(call, i)};
	arg->type = btf_skip_mods(call->btf, btf_params(call->proto)[i].type);
	arg->reg = cur_reg(env, arg->regno);
	classify(env, call, arg);
	return arg->class_ == KA_IGNORED ? 0 : check_readable(env, arg->regno);
}

/* ---- numbers ---- */

static int arg_ignored(struct env *env, struct kcall *call, const struct karg *arg)
{
	return 0;
}

/* KA_ANY is a string: the how manieth of the call says where lowering puts its bound. */
static int arg_text(struct env *env, struct kcall *call, const struct karg *arg)
{
	u32 nth = 0;

	for (u32 i = 0; i < arg->i; i++)
		nth += letter_of(call, i) == 'a';
	return text_arg(env, arg->regno, nth);
}

static int arg_number(struct env *env, struct kcall *call, const struct karg *arg)
{
	if (arg->reg->base != REG_SCALAR)
		return reject(env, RULE_KFUNC_SCALAR, arg->regno);
	return check_number_arg(env, arg->regno);
}

static int check_constant(struct env *env, const struct karg *arg)
{
	if (!scalar_is_const(arg->reg->num))
		return reject(env, RULE_NOT_CONST, arg->regno);
	return mark_precise(env, arg->regno);
}

static int arg_constant(struct env *env, struct kcall *call, const struct karg *arg)
{
	TRY(arg_number(env, call, arg));
	TRY(check_constant(env, arg));
	call->has_constant = true;
	call->constant = arg->reg->num.bits.value;
	return 0;
}

/* How much memory the function returns. */
static int arg_buf_size(struct env *env, struct kcall *call, const struct karg *arg)
{
	u64 size = arg->reg->num.bits.value;

	TRY(arg_number(env, call, arg));
	if (!scalar_is_const(arg->reg->num))
		return reject(env, RULE_KFUNC_BUF_SIZE, arg->regno);
	if (call->has_buf || size > MAX_BUF)
		return reject(env, RULE_UNSUPPORTED, arg->name);
	call->has_buf = true;
	call->buf_rdonly = !strcmp(arg->name, "rdonly_buf_size");
	call->buf_size = (u32)size;
	return mark_precise(env, arg->regno);
}

static int arg_size(struct env *env, struct kcall *call, const struct karg *arg)
{
	if (!arg->i || !is_ptr(call->btf, btf_params(call->proto)[arg->i - 1].type))
		return reject(env, RULE_UNSUPPORTED, "a size without its memory");
	TRY(arg_number(env, call, arg));
	if (!ends_with(arg->name, "__szk") && letter_of(call, arg->i) != 'z')
		return 0;
	TRY(check_constant(env, arg));
	call->has_constant = true;
	call->constant = arg->reg->num.bits.value;
	return 0;
}

static int arg_null(struct env *env, struct kcall *call, const struct karg *arg)
{
	return mark_precise(env, arg->regno);
}

/* ---- objects ---- */

/* B30: whether the function wants objects that are sure to exist. */
static bool wants_trusted(const struct env *env, const struct abi_kfunc *kfunc)
{
	if (kfunc->flags & (KF_TRUSTED_ARGS | KF_RELEASE | KF_RCU))
		return true;
	return !(kfunc->flags & KF_ANY_ARGS) && !env->abi->policy.kf_untrusted_default;
}

/* Kernels let functions that want nothing trusted see NULL, too. */
static bool takes_null(const struct env *env, const struct abi_kfunc *kfunc)
{
	return !wants_trusted(env, kfunc) && env->abi->policy.kf_untrusted_default;
}

static bool is_trusted(const struct reg *reg)
{
	const u16 good = F_TRUSTED | F_ALLOC | F_NONOWN;

	if (reg->ref)
		return !(reg->flags & F_UNTRUSTED);
	return reg->flags & good && !(reg->flags & ~good);
}

/* Whether host code may see this pointer at all. */
static int check_trust(struct env *env, const struct abi_kfunc *kfunc,
		       const struct karg *arg, const struct reg *reg)
{
	bool rcu = reg->flags & F_RCU && !(reg->flags & F_UNTRUSTED);

	if (!wants_trusted(env, kfunc)) {
		if ((rcu && takes_null(env, kfunc)) || !(reg->flags & ~(F_RCU | F_TRUSTED | F_ALLOC | F_NONOWN)))
			return 0;
		return reject(env, RULE_KFUNC_OBJECT, arg->i, reg_class_name(env, arg->reg),
			      "ptr_");
	}
	if (reg->flags & (F_PERCPU | F_USER))
		return reject_kind(env, arg->regno, "ptr_, trusted_ptr_, rcu_ptr_");
	if (is_trusted(reg))
		return 0;
	if (!(kfunc->flags & KF_RCU))
		return reject(env, RULE_KFUNC_TRUST, arg->regno);
	return rcu ? 0 : reject(env, RULE_KFUNC_RCU, arg->regno);
}

/* "__sk_buff" stands for "sk_buff", "xdp_md" for "xdp_buff": a function that is declared
 * to take the former does with the latter. */
static bool is_projection(const char *of, const char *struct_name)
{
	return (!strcmp(of, "__sk_buff") && !strcmp(struct_name, "sk_buff")) ||
	       (!strcmp(of, "xdp_md") && !strcmp(struct_name, "xdp_buff"));
}

static int check_type(struct env *env, const struct kcall *call, const struct karg *arg,
		      const struct reg *reg, bool strict)
{
	const struct btf *btf;
	u32 type;

	if (!host_struct(env, call->btf, btf_pointee(call->btf, arg->type), &btf, &type))
		return reject_pointee(env, call, arg);
	if (btf_reg_fits(reg, btf, type, strict) ||
	    is_projection(btf_type_name(btf, type), btf_type_name(reg->btf, reg->type)))
		return 0;
	return reject(env, RULE_KFUNC_TYPE, call->kfunc->name, arg->i,
		      btf_type_name(btf, type), arg->regno,
		      btf_type_name(reg->btf, reg->type));
}

/* The function takes over the reference that the argument carries. */
static int arg_releases(struct env *env, struct kcall *call, const struct karg *arg)
{
	TRY(check_releasable(env, arg->regno, arg->reg));
	if (call->release_regno)
		return reject(env, RULE_KFUNC_TWO_REFS, arg->regno,
			      cur_reg(env, call->release_regno)->ref, arg->reg->ref);
	call->release_regno = arg->regno;
	return 0;
}

static int arg_object(struct env *env, struct kcall *call, const struct karg *arg)
{
	bool releases = call->kfunc->flags & KF_RELEASE && arg->reg->ref;
	struct reg object;

	if (!object_of(env, arg->reg, &object))
		return reject_pointee(env, call, arg);
	TRY(check_trust(env, call->kfunc, arg, &object));
	TRY(check_btf_offset(env, arg->regno, &object));
	call->rcu_arg |= env->cur->sleepable && !is_trusted(&object);
	if (releases)
		TRY(arg_releases(env, call, arg));
	return check_type(env, call, arg, &object, releases);
}

/* ---- memory ---- */

static int arg_mem(struct env *env, struct kcall *call, const struct karg *arg)
{
	u32 to = btf_pointee(call->btf, arg->type), size;

	if (!btf_is_plain_data(call->btf, to) || !btf_size(call->btf, to, &size))
		return reject_pointee(env, call, arg);
	TRY(mem_arg(env, arg->regno, size, true, false,
		    takes_null(env, call->kfunc) || arg->reg->flags & F_NULL));
	/* Memory that came with a reference goes with it. */
	if (call->kfunc->flags & KF_RELEASE && arg->reg->ref)
		return arg_releases(env, call, arg);
	return 0;
}

static int arg_mem_sized(struct env *env, struct kcall *call, const struct karg *arg)
{
	u32 to = pointee(call, arg);
	int err;

	if (to && !btf_is_plain_data(call->btf, to))
		return reject_pointee(env, call, arg);
	err = mem_arg_sized(env, arg->regno, arg->regno + 1, true, false,
			    takes_null(env, call->kfunc) || arg->reg->flags & F_NULL, true);
	if (err)
		log_print(env->log, LOG_ERROR,
			  "arg#%u arg#%u memory, len pair leads to invalid memory access\n",
			  arg->i, arg->i + 1);
	return err;
}

static int arg_ctx(struct env *env, struct kcall *call, const struct karg *arg)
{
	if (arg->reg->base != REG_CTX || arg->reg->off || has_var_off(arg->reg))
		return reject(env, RULE_KFUNC_CTX, arg->i, reg_class_name(env, arg->reg));
	return 0;
}

static int arg_dynptr(struct env *env, struct kcall *call, const struct karg *arg)
{
	if (arg_name_ends(arg, "__uninit") || letter_of(call, arg->i) == 'U')
		return dynptr_arg_new(env, arg->regno, &call->new_dynptr);
	return dynptr_arg(env, arg->regno, &call->dynptr);
}

static int arg_str(struct env *env, struct kcall *call, const struct karg *arg)
{
	if (arg->reg->base != REG_MAP_VALUE || arg->reg->flags & F_NULL)
		return reject(env, RULE_KFUNC_STR, arg->i);
	return check_const_str(env, arg->regno);
}

static int arg_map(struct env *env, struct kcall *call, const struct karg *arg)
{
	const struct reg *reg = arg->reg;

	if (reg->base != REG_MAP || reg->flags & F_NULL)
		return reject(env, RULE_KFUNC_MAP, arg->regno);
	if (call->map_of_wq && (call->map != reg->map || call->map_uid != reg->map_uid))
		return reject(env, RULE_WQ_MAP, call->map_uid, reg->map_uid);
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}

static int arg_callback(struct env *env, struct kcall *call, const struct karg *arg)
{
	if (arg->reg->base != REG_FUNC)
		return reject(env, RULE_KFUNC_FUNC, arg->i);
	/* What a host would call it with, nobody knows: it could not be walked. */
	if (!call->kfunc->special) {
		char words[128];

		snprintf(words, sizeof(words), "%s: a function of the program for the host to call",
			 call->kfunc->name);
		return reject(env, RULE_UNSUPPORTED, words);
	}
	call->subprog = arg->reg->subprog;
	return 0;
}

/* C2: the address of a referenced field of exactly the type that is returned. */
static int arg_slot(struct env *env, struct kcall *call, const struct karg *arg)
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

/* ---- one argument ---- */

static int check_null(struct env *env, const struct kcall *call, const struct karg *arg);

int kfunc_check_source(struct env *env, struct kcall *call)
{
	const struct abi_kfunc *kfunc = call->kfunc;
	struct karg arg;

	TRY(kfunc_arg(env, call, 0, &arg));
	if (!kfunc->of_btf)
		return arg_ctx(env, call, &arg);
	TRY(check_null(env, call, &arg));
	if (arg.reg->base != REG_BTF)
		return reject_kind(env, arg.regno, "ptr_, trusted_ptr_");
	TRY(check_trust(env, kfunc, &arg, arg.reg));
	TRY(check_btf_offset(env, arg.regno, arg.reg));
	if (btf_reg_fits(arg.reg, kfunc->of_btf, kfunc->of_type, false))
		return 0;
	return reject(env, RULE_KFUNC_TYPE, kfunc->name, arg.i,
		      btf_type_name(kfunc->of_btf, kfunc->of_type), arg.regno,
		      btf_type_name(arg.reg->btf, arg.reg->type));
}

static int (*const by_class[NR_KARG_CLASSES])(struct env *env, struct kcall *call,
					      const struct karg *arg) = {
	[KA_IGNORED] = arg_ignored,
	[KA_ANY] = arg_text,
	[KA_NUMBER] = arg_number,
	[KA_CONSTANT] = arg_constant,
	[KA_BUF_SIZE] = arg_buf_size,
	[KA_SIZE] = arg_size,
	[KA_NULL] = arg_null,
	[KA_SLOT] = arg_slot,
	[KA_CTX] = arg_ctx,
	[KA_OBJECT] = arg_object,
	[KA_MEM] = arg_mem,
	[KA_MEM_SIZED] = arg_mem_sized,
	[KA_ITER] = arg_iter,
	[KA_DYNPTR] = arg_dynptr,
	[KA_STR] = arg_str,
	[KA_MAP] = arg_map,
	[KA_CALLBACK] = arg_callback,
	[KA_WQ] = arg_wq,
};

/* A pointer that may be NULL reaches only those that say so. */
static int check_null(struct env *env, const struct kcall *call, const struct karg *arg)
{
	bool pointer = is_ptr(call->btf, arg->type) && arg->class_ != KA_IGNORED &&
		       arg->class_ != KA_NULL && arg->class_ != KA_SLOT &&
		       arg->class_ != KA_ANY;

	if (!pointer || takes_null(env, call->kfunc) || ends_with(arg->name, "__nullable"))
		return 0;
	if (!reg_is_null(arg->reg) && !(arg->reg->flags & F_NULL))
		return 0;
	return reject(env, RULE_KFUNC_NULL, arg->i);
}

/* Memory that the function returns lives no longer than the object it is of: until its
 * reference is given back, or the iterator that gave it goes on. */
static void note_life(struct kcall *call, const struct reg *reg)
{
	u32 life = reg->ref;

	if (!life && reg->base == REG_BTF)
		life = reg->owner;
	if (!reg_is_pointer(reg) || !life)
		return;
	call->two_refs |= call->arg_ref && call->arg_ref != life;
	call->arg_ref = life;
}

int kfunc_check_arg(struct env *env, struct kcall *call, u32 i)
{
	struct karg arg;

	TRY(kfunc_arg(env, call, i, &arg));
	if (!by_class[arg.class_])
		return reject(env, RULE_UNSUPPORTED, arg.name);
	TRY(check_null(env, call, &arg));
	if (arg.reg->base == REG_BTF && is_ptr(call->btf, arg.type) &&
	    arg.class_ != KA_IGNORED && arg.class_ != KA_ANY)
		TRY(check_btf_offset(env, arg.regno, arg.reg));
	if (arg.class_ != KA_IGNORED)
		note_life(call, arg.reg);
	return by_class[arg.class_](env, call, &arg);
}

int kfunc_check_args(struct env *env, struct kcall *call)
{
	u32 n = btf_vlen(call->proto);

	if (n > MAX_KARGS)
		return reject(env, RULE_UNSUPPORTED, "more than 5 arguments");
	for (u32 i = 0; i < n; i++)
		TRY(kfunc_check_arg(env, call, i));
	if (call->kfunc->flags & KF_RELEASE && !call->release_regno)
		return reject(env, RULE_KFUNC_RELEASE, call->kfunc->name);
	return 0;
}
