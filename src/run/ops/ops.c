/* SPDX-License-Identifier: MIT
 *
 * ops.c: operations structs of the host: what a struct of its BTF is to programs. Each member
 * that is a pointer to a function is one that programs implement, with a program type of its
 * own, made here; the others are numbers that an object sets.
 *
 * Function pointers have no names of parameters in BTF. What these say (__nullable, __ref)
 * comes from a function of the host's named STRUCT__MEMBER, if there is one.
 */
#include "run/ops/ops.h"

/* An operations struct while it is registered. */
struct adding {
	struct pintle_host *host;
	struct abi_ops *ops;
	struct abi_ops_member *members;
	struct abi_prog_type *types; /* of the members, by the same number */
	const struct pintle_ops_opts *opts;
};

/* Whether @name is one of @list, "a|b|c". */
static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at += strcspn(at, "|"), at += *at == '|')
		if (strcspn(at, "|") == len && !strncmp(at, name, len))
			return true;
	return false;
}

static int bad_member(const struct adding *a, const char *name, const char *why)
{
	return host_fail(a->host, -EINVAL, "operations %s: member '%s' %s", a->ops->name, name,
			 why);
}

static bool name_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && !strcmp(name + n - m, end);
}

/* ------------------------------------------------------------------ prototypes */

static bool same_shape(const struct btf *btf, u32 x, u32 y)
{
	const struct btf_type *a = btf_type(btf, x), *b = btf_type(btf, y);

	if (btf_vlen(a) != btf_vlen(b) || a->type != b->type)
		return false;
	for (u32 i = 0; i < btf_vlen(a); i++)
		if (btf_params(a)[i].type != btf_params(b)[i].type)
			return false;
	return true;
}

/* The prototype with names of parameters, where a function says them. */
static int find_names(const struct adding *a, const char *member, u32 *proto)
{
	const struct btf *btf = a->ops->btf;
	char name[256];
	u32 func;

	snprintf(name, sizeof(name), "%s__%s", a->ops->name, member);
	func = btf_find(btf, name, BTF_FUNC);
	if (!func)
		return 0;
	if (!same_shape(btf, *proto, btf_type(btf, func)->type))
		return bad_member(a, member, "has another prototype than the function "
					     "STRUCT__MEMBER that names its parameters");
	*proto = btf_type(btf, func)->type;
	return 0;
}

static int set_result(const struct adding *a, const char *member, struct abi_prog_type *type)
{
	u32 ret = btf_skip_mods(type->btf, btf_type(type->btf, type->proto)->type);

	type->no_ret = !ret;
	if (btf_kind(btf_type(type->btf, ret)) != BTF_PTR)
		return 0;
	type->ret_btf = type->btf;
	type->ret_type = btf_pointee(type->btf, ret);
	if (btf_kind(btf_type(type->btf, type->ret_type)) != BTF_STRUCT)
		return bad_member(a, member, "returns a pointer that is to no struct: unsupported");
	return 0;
}

static int set_args(const struct adding *a, const char *member, struct abi_prog_type *type)
{
	const struct btf_type *proto = btf_type(type->btf, type->proto);

	for (u32 i = 0; i < btf_vlen(proto); i++) {
		const char *name = btf_str(type->btf, btf_params(proto)[i].name_off);
		u32 to = btf_pointee(type->btf, btf_params(proto)[i].type);

		type->args[i] = CTX_ARG_TRUSTED;
		if (!name_ends(name, "__ref"))
			continue;
		if (btf_kind(btf_type(type->btf, to)) != BTF_STRUCT)
			return bad_member(a, member, "has a parameter named __ref that is no "
						     "pointer to a struct");
		type->args[i] |= CTX_ARG_REF;
	}
	return 0;
}

static int member_type(const struct adding *a, const char *member, u32 proto,
		       struct abi_prog_type *type)
{
	struct pintle_host *host = a->host;

	TRY(find_names(a, member, &proto));
	*type = (struct abi_prog_type){
		.name = arena_printf(host->arena, "struct_ops/%s.%s", a->ops->name, member),
		.section = "struct_ops", .kind = PROG_ARGS, .btf = a->ops->btf, .proto = proto,
		.may_sleep = is_listed(a->opts->sleepable, member),
		.ctx_size = 8 * btf_vlen(btf_type(a->ops->btf, proto)),
	};
	if (!type->name)
		return host_oom(host);
	TRY(proto_check(host, type->name, type->btf, proto));
	TRY(set_args(a, member, type));
	return set_result(a, member, type);
}

static void number_shape(const struct btf *btf, u32 id, u8 *size, bool *is_signed, bool *is_bool)
{
	const struct btf_type *t = btf_type(btf, id = btf_skip_mods(btf, id));
	u32 bytes = 8;

	btf_size(btf, id, &bytes);
	*size = (u8)bytes;
	*is_signed = btf_kind(t) == BTF_INT && btf_int_signed(t);
	*is_bool = btf_kind(t) == BTF_INT && btf_int_bool(t);
}

void ops_call_shape(const struct abi_ops_member *member, struct ops_call *call)
{
	const struct btf *btf = member->type->btf;
	const struct btf_type *proto = btf_type(btf, member->type->proto);
	bool ignored;

	call->nargs = (u8)btf_vlen(proto);
	for (u32 i = 0; i < call->nargs; i++)
		number_shape(btf, btf_params(proto)[i].type, &call->size[i],
			     &call->is_signed[i], &ignored);
	if (!member->type->no_ret)
		number_shape(btf, proto->type, &call->ret_size, &ignored, &call->ret_bool);
}

/* ------------------------------------------------------------------ members */

static u32 function_of(const struct btf *btf, const struct btf_member *m)
{
	u32 to = btf_pointee(btf, m->type);

	return to && btf_kind(btf_type(btf, to)) == BTF_FUNC_PROTO ? to : 0;
}

static int add_members(struct adding *a)
{
	const struct btf *btf = a->ops->btf;
	const struct btf_type *t = btf_type(btf, a->ops->type);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		struct abi_prog_type *type = &a->types[a->ops->nmembers];
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = host_strdup(a->host, btf_str(btf, m->name_off));
		u32 proto = function_of(btf, m);

		if (!proto)
			continue;
		if (!name)
			return host_oom(a->host);
		TRY(member_type(a, name, proto, type));
		a->members[a->ops->nmembers++] = (struct abi_ops_member){
			.name = name, .off = btf_member_bit(t, m) / 8, .type = type,
			.optional = is_listed(a->opts->optional, name) ||
				    is_listed(a->opts->optional, "*"),
		};
	}
	return a->ops->nmembers ? 0 : host_fail(a->host, -EINVAL, "operations %s: struct %s has "
						"no pointer to a function", a->ops->name,
						a->ops->name);
}

/* Every name of @list is one of a function. */
static int check_list(const struct adding *a, const char *list)
{
	char name[128];

	for (const char *at = list; at && *at; at += strcspn(at, "|"), at += *at == '|') {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "|"), at);
		if (strcmp(name, "*") && !abi_ops_member(a->ops, name))
			return host_fail(a->host, -ENOENT, "operations %s: struct %s has no "
					 "function '%s'", a->ops->name, a->ops->name, name);
	}
	return 0;
}

/* ------------------------------------------------------------------ registration */

static int copy_opts(struct adding *a, struct ops_type *row)
{
	row->opts = *a->opts;
	row->opts.optional = a->opts->optional ? host_strdup(a->host, a->opts->optional) : NULL;
	row->opts.sleepable = a->opts->sleepable ? host_strdup(a->host, a->opts->sleepable) : NULL;
	return (a->opts->optional && !row->opts.optional) ||
			       (a->opts->sleepable && !row->opts.sleepable)
		       ? host_oom(a->host)
		       : 0;
}

/* One row, and one bit, for the programs of all members. */
static int push_type(const struct adding *a, const struct abi_prog_type *common)
{
	TRY(prog_type_push(a->host, common));
	for (u32 i = 0; i < a->ops->nmembers; i++)
		a->types[i].bit = (u32)prog_type_find(a->host, common->name);
	return 0;
}

static int fill(struct adding *a, struct ops_type *row)
{
	struct pintle_host *host = a->host;
	const struct btf_type *t = btf_type(a->ops->btf, a->ops->type);
	struct abi_prog_type common = {
		.name = arena_printf(host->arena, "struct_ops/%s", a->ops->name),
		.kind = PROG_ARGS, .btf = a->ops->btf,
	};

	common.section = common.name;
	a->members = arena_array(host->arena, btf_vlen(t) + 1, sizeof(a->members[0]));
	a->types = arena_array(host->arena, btf_vlen(t) + 1, sizeof(a->types[0]));
	if (!a->members || !a->types || !common.name)
		return host_oom(host);
	a->ops->members = a->members;
	a->ops->size = t->size;
	TRY(add_members(a));
	TRY(check_list(a, a->opts->optional));
	TRY(check_list(a, a->opts->sleepable));
	TRY(copy_opts(a, row));
	return push_type(a, &common);
}

static int check_handle(struct pintle_host *host, const struct pintle_ops *handle)
{
	if (!handle || !handle->name)
		return host_fail(host, -EINVAL, "operations: no name given");
	if (handle->type || abi_find_ops(&host->abi, handle->name))
		return host_fail(host, -EEXIST, "operations %s are registered already",
				 handle->name);
	if (host->objects)
		return host_fail(host, -EBUSY, "operations %s: objects are open", handle->name);
	return 0;
}

int pintle_ops_register(struct pintle_host *host, struct pintle_ops *handle,
			const struct pintle_ops_opts *opts)
{
	struct abi_ops *ops = arena_new_of(host->arena, struct abi_ops);
	struct ops_type *row = arena_new_of(host->arena, struct ops_type);
	struct pintle_ops_opts o;
	struct adding a = {.host = host, .ops = ops, .opts = &o};

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	TRY(check_handle(host, handle));
	if (!ops || !row || !(ops->name = host_strdup(host, handle->name)) ||
	    !vec_reserve(&host->abi.ops, 1))
		return host_oom(host);
	if (!abi_find_struct(&host->abi, ops->name, &ops->btf, &ops->type))
		return host_fail(host, -ENOENT, "operations %s: struct %s is not in the host's BTF",
				 ops->name, ops->name);
	TRY(fill(&a, row));
	row->host = host;
	row->handle = handle;
	row->abi = ops;
	ops->data = row;
	(void)vec_push(&host->abi.ops, (const struct abi_ops *)ops);
	handle->type = row;
	return 0;
}

void ops_forget(struct pintle_host *host, const struct btf *btf)
{
	for (u32 i = 0; i < host->abi.ops.n; i++) {
		struct ops_type *row = host->abi.ops.v[i]->data;

		if (btf && row->abi->btf != btf)
			continue;
		row->handle->type = NULL;
		row->handle->active = NULL;
	}
}
