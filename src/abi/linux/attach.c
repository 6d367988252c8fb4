/* SPDX-License-Identifier: MIT
 *
 * attach.c: programs attached to something that BTF describes: their context is an array
 * of arguments, typed by the prototype of
 *
 *	tp_btf		typedef btf_trace_TARGET (its first parameter is not the program's)
 *	fentry, fexit, fmod_ret		function TARGET; its result follows the arguments
 *	lsm, lsm_cgroup	function bpf_lsm_TARGET
 *	iter		function bpf_iter_TARGET
 *	struct_ops	the member that the object's struct of functions assigns it to
 *
 * A target that is not there refuses the program.
 */
#include "abi/linux/linux.h"

#include <stdarg.h>

struct attach {
	const struct abi *abi;
	struct abi_place *place;
	const char *target;
	struct abi_prog_type *type;
};

enum lsm_flag { SLEEPS = 1 << 0, OFF = 1 << 1, BOOL = 1 << 2, UNSURE = 1 << 3 };

static const struct {
	const char *name;
	u8 flags;
} lsm_hooks[] = {
#define LSM(name_, flags_) {#name_, flags_},
#include "abi/linux/attach.def"
};

enum {
	NULLABLE = CTX_ARG_NULL, TRUSTED = CTX_ARG_TRUSTED, RDONLY = CTX_ARG_RDONLY,
	BUF = CTX_ARG_BUF | CTX_ARG_NULL,
};

static const struct {
	const char *target;
	u8 arg, flags;
} iter_args[] = {
#define ITER(target_, arg_, flags_) {#target_, arg_, flags_},
#include "abi/linux/attach.def"
};

static const struct {
	const char *name;
	u8 arg;
} null_tps[] = {
#define NULL_TP(name_, arg_) {#name_, arg_},
#include "abi/linux/attach.def"
};

static const char *const d_paths[] = {
#define D_PATH(name) #name,
#include "abi/linux/attach.def"
};

static const char *const denied[] = {
#define DENY(name) #name,
#include "abi/linux/attach.def"
};

static int FORMAT(2, 3) refuse(const struct attach *a, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	a->place->wrong = arena_strdup(a->place->arena, text);
	return a->place->wrong ? 0 : -ENOMEM;
}

/* Type @prefix@name of @kind, in the kernel or one of its modules; 0: none. */
static u32 find_named(const struct attach *a, const char *prefix, const char *name,
		      enum btf_kind kind, const struct btf **btf)
{
	char full[256];

	if (snprintf(full, sizeof(full), "%s%s", prefix, name) >= (int)sizeof(full))
		return 0;
	for (u32 i = 0; i < a->abi->btfs.n; i++) {
		u32 id = btf_find(a->abi->btfs.v[i], full, kind);

		if (id) {
			*btf = a->abi->btfs.v[i];
			return id;
		}
	}
	return 0;
}

static u32 nargs(const struct abi_prog_type *type)
{
	return btf_vlen(btf_type(type->btf, type->proto)) - type->first_arg;
}

static void all_args(struct abi_prog_type *type, u8 flags)
{
	for (u32 i = 0; i < nargs(type) && i < ARRAY_SIZE(type->args); i++)
		type->args[i] |= flags;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* Arguments that the parameter names of function @func call nullable; it has as many
 * parameters as the prototype. */
static void nullable_args(struct abi_prog_type *type, const struct btf *btf, u32 func)
{
	const struct btf_type *t = btf_type(btf, btf_type(btf, func)->type);

	if (!func || btf_vlen(t) != nargs(type) + type->first_arg)
		return;
	for (u32 i = 0; i < nargs(type) && i < ARRAY_SIZE(type->args); i++)
		if (ends_with(btf_str(btf, btf_params(t)[i + type->first_arg].name_off),
			      "__nullable"))
			type->args[i] |= CTX_ARG_NULL;
}

/* What programs can be attached to: as many arguments, of such sizes, as trampolines pass. */
static const char *proto_wrong(const struct btf *btf, u32 proto)
{
	enum { MOST_ARGS = 12, MOST_BYTES = 16 };
	const struct btf_type *t = btf_type(btf, proto);
	u32 ret = btf_skip_mods(btf, t->type), size = 0;

	if (btf_vlen(t) > MOST_ARGS)
		return "has too many arguments";
	for (u32 i = 0; i < btf_vlen(t); i++) {
		if (!btf_params(t)[i].type)
			return "takes a variable number of arguments";
		if (!btf_size(btf, btf_params(t)[i].type, &size) || size > MOST_BYTES)
			return "has an argument of a type or size that is unsupported";
	}
	if (ret && (!btf_size(btf, ret, &size) || size > 8 || btf_is_composite(btf_type(btf, ret))))
		return "returns what is unsupported";
	return NULL;
}

/* "module:function" names the module too. */
static int attach_function(const struct attach *a, const char *prefix, const char *what)
{
	struct abi_prog_type *type = a->type;
	const char *colon = strchr(a->target, ':');
	const char *name = colon ? colon + 1 : a->target;
	u32 func = find_named(a, prefix, name, BTF_FUNC, &type->btf);
	const char *wrong;

	if (!func)
		return refuse(a, "attach_btf_id: there is no %s '%s'", what, a->target);
	type->target = btf_type_name(type->btf, func);
	type->proto = btf_type(type->btf, func)->type;
	wrong = proto_wrong(type->btf, type->proto);
	return wrong ? refuse(a, "The function %s %s", type->target, wrong) : 0;
}

static u32 returned(const struct abi_prog_type *type)
{
	return btf_skip_mods(type->btf, btf_type(type->btf, type->proto)->type);
}

static int attach_tp(const struct attach *a)
{
	struct abi_prog_type *type = a->type;
	u32 id = find_named(a, "btf_trace_", a->target, BTF_TYPEDEF, &type->btf), func;
	const struct btf *btf;
	u32 proto = id ? btf_pointee(type->btf, id) : 0;

	if (!id || btf_kind(btf_type(type->btf, proto)) != BTF_FUNC_PROTO)
		return refuse(a, "attach_btf_id: there is no tracepoint '%s'", a->target);
	type->proto = proto;
	type->first_arg = btf_vlen(btf_type(type->btf, proto)) > 0;
	all_args(type, CTX_ARG_TRUSTED);
	func = find_named(a, "__bpf_trace_", a->target, BTF_FUNC, &btf);
	if (func)
		nullable_args(type, btf, func);
	for (u32 i = 0; i < ARRAY_SIZE(null_tps); i++)
		if (!strcmp(null_tps[i].name, a->target))
			type->args[null_tps[i].arg] |= CTX_ARG_NULL;
	return 0;
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Functions that may be made to fail, and are called where one may sleep. */
static bool is_syscall(const char *name)
{
	return starts_with(name, "__x64_sys_") || starts_with(name, "__ia32_sys_") ||
	       starts_with(name, "__arm64_sys_") || starts_with(name, "__do_sys_");
}

static bool may_sleep_in(const struct attach *a, const char *name)
{
	u32 flags = 0;

	strmap_get(&linux_data(a->abi)->fmod_ret, name, &flags);
	return is_syscall(name) || flags & KF_SLEEPABLE;
}

static bool modifiable(const struct attach *a, const char *name)
{
	u32 flags;

	return is_syscall(name) || starts_with(name, "security_") ||
	       strmap_get(&linux_data(a->abi)->fmod_ret, name, &flags);
}

static int attach_trampoline(const struct attach *a)
{
	struct abi_prog_type *type = a->type;

	TRY(attach_function(a, "", "function"));
	if (a->place->wrong)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(denied); i++)
		if (!strcmp(denied[i], type->target))
			return refuse(a, "%s() may not be traced", type->target);
	if (a->place->sleepable && !may_sleep_in(a, type->target))
		return refuse(a, "%s is not sleepable", type->target);
	type->ret_arg = type->attach != LINUX_AT_TRACE_FENTRY;
	if (type->attach == LINUX_AT_MODIFY_RETURN &&
	    (!returned(type) || !modifiable(a, type->target)))
		return refuse(a, "%s() is not modifiable", type->target);
	return 0;
}

static u8 lsm_flags(const char *hook)
{
	for (u32 i = 0; i < ARRAY_SIZE(lsm_hooks); i++)
		if (!strcmp(lsm_hooks[i].name, hook))
			return lsm_hooks[i].flags;
	return 0;
}

static void lsm_result(struct abi_prog_type *type, u8 flags)
{
	bool is_void = !returned(type);

	type->no_ret = is_void && type->attach == LINUX_AT_LSM_MAC;
	type->has_ret_range = !type->no_ret;
	type->ret_32bit = true;
	type->ret_arg = !is_void && type->attach == LINUX_AT_LSM_MAC;
	if (type->attach == LINUX_AT_LSM_CGROUP || flags & BOOL) {
		type->ret_min = is_void;
		type->ret_max = 1;
	} else {
		type->ret_min = -4095;
	}
}

static int attach_lsm(const struct attach *a)
{
	struct abi_prog_type *type = a->type;
	u8 flags = lsm_flags(a->target);

	TRY(attach_function(a, "bpf_lsm_", "LSM hook"));
	if (a->place->wrong)
		return 0;
	if (flags & OFF)
		return refuse(a, "attach_btf_id points to disabled hook %s", type->target);
	if (a->place->sleepable && !(flags & SLEEPS))
		return refuse(a, "%s is not sleepable", type->target);
	if (!(flags & UNSURE))
		all_args(type, CTX_ARG_TRUSTED);
	lsm_result(type, flags);
	return 0;
}

static int attach_iter(const struct attach *a)
{
	struct abi_prog_type *type = a->type;

	TRY(attach_function(a, "bpf_iter_", "iterator"));
	if (a->place->wrong)
		return 0;
	all_args(type, CTX_ARG_TRUSTED);
	for (u32 i = 0; i < ARRAY_SIZE(iter_args); i++)
		if (!strcmp(iter_args[i].target, a->target))
			type->args[iter_args[i].arg] = iter_args[i].flags;
	return 0;
}

/* The prototype of member @name of struct (btf, id); 0: it has none. */
static u32 member_proto(const struct btf *btf, u32 id, const char *name)
{
	const struct btf_type *t = btf_type(btf, id);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		u32 to = btf_pointee(btf, m->type);

		if (!strcmp(btf_str(btf, m->name_off), name) &&
		    btf_kind(btf_type(btf, to)) == BTF_FUNC_PROTO)
			return to;
	}
	return 0;
}

static int attach_ops(const struct attach *a)
{
	struct abi_prog_type *type = a->type;
	struct abi_place *place = a->place;
	const struct btf *btf;
	char stub[256];
	u32 id, func;

	if (!place->ops)
		return refuse(a, "program '%s' is not assigned to a member of a struct_ops map",
			      place->name);
	id = find_named(a, "", place->ops, BTF_STRUCT, &type->btf);
	if (!id || !find_named(a, "bpf_struct_ops_", place->ops, BTF_STRUCT, &btf))
		return refuse(a, "attach_btf_id: struct '%s' is not one that programs may "
			      "implement", place->ops);
	if (!linux_ops_member(place->ops, place->member))
		return refuse(a, "attach to unsupported member %s of struct %s", place->member,
			      place->ops);
	type->proto = member_proto(type->btf, id, place->member);
	if (!type->proto)
		return refuse(a, "attach_btf_id: member '%s' is not a function", place->member);
	all_args(type, CTX_ARG_TRUSTED);
	linux_promote(a->abi, place->ops, type);
	snprintf(stub, sizeof(stub), "%s__", place->ops);
	func = find_named(a, stub, place->member, BTF_FUNC, &btf);
	if (func)
		nullable_args(type, btf, func);
	type->no_ret = !returned(type);
	return 0;
}

/* bpf_d_path() takes locks: only where these are known not to be held. */
static bool may_d_path(const struct attach *a)
{
	const struct abi_prog_type *type = a->type;

	if (type->bit == LINUX_LSM)
		return lsm_flags(a->target) & SLEEPS;
	if (type->attach == LINUX_AT_TRACE_ITER)
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(d_paths); i++)
		if (!strcmp(d_paths[i], type->target))
			return true;
	return false;
}

static void bar_helpers(const struct attach *a)
{
	struct abi_prog_type *type = a->type;
	u32 n = 0;

	if (!may_d_path(a)) {
		type->barred[n].helper = HELPER_d_path;
		type->barred[n++].why = "helper call is not allowed in probe";
	}
	if (type->attach == LINUX_AT_LSM_CGROUP && !returned(type)) {
		type->barred[n].helper = HELPER_set_retval;
		type->barred[n++].why = "BPF_LSM_CGROUP that attach to void LSM hooks can't "
					"modify return value!";
	}
}

/* The way to the target's prototype, by attach type. */
static int attach_by_type(const struct attach *a)
{
	switch (a->type->attach) {
	case LINUX_AT_LSM_MAC:
	case LINUX_AT_LSM_CGROUP:
		return attach_lsm(a);
	case LINUX_AT_TRACE_RAW_TP:
		return attach_tp(a);
	case LINUX_AT_TRACE_ITER:
		return attach_iter(a);
	default:
		return attach_trampoline(a);
	}
}

int linux_attach(const struct abi *abi, struct abi_place *place, const char *target,
		 struct abi_prog_type *type)
{
	struct attach a = {abi, place, target, type};

	type->kind = PROG_ARGS;
	type->target = target;
	if ((type->bit == LINUX_STRUCT_OPS || type->bit == LINUX_LSM) &&
	    !abi_license_is_gpl(place->license))
		return refuse(&a, "%s programs must have a GPL compatible license", type->name);
	if (type->bit == LINUX_STRUCT_OPS)
		return attach_ops(&a);
	if (!*target)
		return refuse(&a, "section '%s' names nothing to attach to", place->section);
	TRY(attach_by_type(&a));
	if (!place->wrong)
		bar_helpers(&a);
	return 0;
}
