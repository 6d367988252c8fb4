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

struct attach {
	const struct abi *abi;
	struct abi_place *place;
	const char *target;
	struct abi_prog_type *type;
};

static int refuse(const struct attach *a, const char *fmt, const char *name)
{
	a->place->wrong = arena_printf(a->place->arena, fmt, name);
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

static int attach_function(const struct attach *a, const char *prefix, const char *missing)
{
	struct abi_prog_type *type = a->type;
	u32 func = find_named(a, prefix, a->target, BTF_FUNC, &type->btf);

	if (!func)
		return refuse(a, missing, a->target);
	type->proto = btf_type(type->btf, func)->type;
	return 0;
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

	if (btf_kind(btf_type(type->btf, proto)) != BTF_FUNC_PROTO)
		return refuse(a, "attach_btf_id: there is no tracepoint '%s'", a->target);
	type->proto = proto;
	type->first_arg = btf_vlen(btf_type(type->btf, proto)) > 0;
	all_args(type, CTX_ARG_TRUSTED);
	func = find_named(a, "__bpf_trace_", a->target, BTF_FUNC, &btf);
	if (func)
		nullable_args(type, btf, func);
	return 0;
}

static int attach_trampoline(const struct attach *a)
{
	TRY(attach_function(a, "", "attach_btf_id: there is no function '%s'"));
	a->type->ret_arg = a->type->attach != LINUX_AT_TRACE_FENTRY;
	return 0;
}

static int attach_lsm(const struct attach *a)
{
	struct abi_prog_type *type = a->type;

	TRY(attach_function(a, "bpf_lsm_", "attach_btf_id: there is no LSM hook '%s'"));
	if (a->place->wrong)
		return 0;
	type->need_gpl = true;
	all_args(type, CTX_ARG_TRUSTED);
	type->no_ret = !returned(type) && type->attach == LINUX_AT_LSM_MAC;
	type->has_ret_range = !type->no_ret;
	if (type->attach == LINUX_AT_LSM_CGROUP) {
		type->ret_min = !returned(type);
		type->ret_max = 1;
	} else {
		type->ret_min = -4095;
	}
	return 0;
}

static int attach_iter(const struct attach *a)
{
	TRY(attach_function(a, "bpf_iter_", "attach_btf_id: there is no iterator '%s'"));
	if (!a->place->wrong)
		all_args(a->type, CTX_ARG_TRUSTED);
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
	type->proto = member_proto(type->btf, id, place->member);
	if (!type->proto)
		return refuse(a, "attach_btf_id: member '%s' is not a function", place->member);
	all_args(type, CTX_ARG_TRUSTED);
	snprintf(stub, sizeof(stub), "%s__", place->ops);
	func = find_named(a, stub, place->member, BTF_FUNC, &btf);
	if (func)
		nullable_args(type, btf, func);
	type->no_ret = !returned(type);
	type->need_gpl = true;
	return 0;
}

int linux_attach(const struct abi *abi, struct abi_place *place, const char *target,
		 struct abi_prog_type *type)
{
	struct attach a = {abi, place, target, type};

	type->kind = PROG_ARGS;
	type->target = target;
	if (type->bit == LINUX_STRUCT_OPS)
		return attach_ops(&a);
	if (!*target)
		return refuse(&a, "section '%s' names nothing to attach to", place->section);
	if (type->bit == LINUX_LSM)
		return attach_lsm(&a);
	if (type->attach == LINUX_AT_TRACE_RAW_TP)
		return attach_tp(&a);
	return type->attach == LINUX_AT_TRACE_ITER ? attach_iter(&a) : attach_trampoline(&a);
}
