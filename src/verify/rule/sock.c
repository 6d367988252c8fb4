/* SPDX-License-Identifier: MIT
 *
 * sock.c: sockets of the kernel as arguments and results of helpers.
 *
 * A socket is a table of members (REG_TABLE), or a struct of the kernel that begins with a
 * struct sock_common. What casts one into the other hands on the reference, so that all of
 * them die together when it is given back.
 */
#include "verify/rule/hcall.h"

static bool is_sock(const struct reg *reg)
{
	return reg->base == REG_TABLE && reg->table->socket && !reg->flags;
}

static int reject_sock(struct env *env, u32 i, u8 kind)
{
	return reject_kind(env, i + 1,
			   kind == ARG_SOCKET ? "sock"
			   : kind == ARG_SOCK ? "sock_common, sock, tcp_sock, xdp_sock"
					      : "sock_common, sock, tcp_sock, xdp_sock, ptr_, "
						"trusted_ptr_");
}

/* A struct that begins with the common part of all sockets. */
static int check_struct(struct env *env, u32 i, const struct reg *reg)
{
	const struct btf *btf;
	u32 type;

	TRY(check_btf_offset(env, i + 1, reg));
	if (abi_find_struct(env->abi, "sock_common", &btf, &type) &&
	    btf_reg_fits(reg, btf, type, false))
		return 0;
	return reject(env, RULE_ARG_STRUCT, i + 1, btf_type_name(reg->btf, reg->type),
		      "sock_common");
}

int sock_arg(struct env *env, struct call *call, u32 i)
{
	const struct abi_arg *arg = arg_of(call, i);
	const struct reg *reg = cur_reg(env, i + 1);
	bool btf = arg->kind != ARG_SOCKET && arg->kind != ARG_SOCK && reg->base == REG_BTF;

	if (arg->flags & ARGF_NULL && reg_is_null(reg))
		return mark_precise(env, i + 1);
	if (btf ? reg->flags & ~F_TRUSTED : !is_sock(reg))
		return reject_sock(env, i, arg->kind);
	if (arg->kind == ARG_SOCKET && reg->table != abi_table(TABLE_SOCK))
		return reject_sock(env, i, arg->kind);
	if (btf)
		TRY(check_struct(env, i, reg));
	if (arg->flags & ARGF_RELEASE) {
		TRY(check_releasable(env, i + 1, reg));
		call->release_ref = reg->ref;
	}
	call->cast_ref = reg->ref;
	return 0;
}

int sock_ret(struct env *env, const struct call *call, struct reg *r0)
{
	u8 ret = call->helper->ret;

	*r0 = reg_pointer(REG_TABLE, 0);
	r0->table = abi_table(ret == RET_SOCKET	       ? TABLE_SOCK
			      : ret == RET_SOCK_COMMON ? TABLE_SOCK_COMMON
						       : TABLE_TCP_SOCK);
	return helper_ret_finish(env, call, r0);
}

/* ---- maps of sockets ---- */

bool is_sock_map(const struct image_map *map)
{
	return map->type == MAP_SOCKMAP || map->type == MAP_SOCKHASH;
}

bool sock_of_map(const struct image_map *map, enum abi_table_id *table)
{
	*table = map->type == MAP_XSKMAP ? TABLE_XDP_SOCK : TABLE_SOCK;
	return map->type == MAP_XSKMAP || is_sock_map(map);
}

int sock_map_change(struct env *env, const struct call *call, const struct image_map *map)
{
	const struct abi_prog_type *type = env->prog->type;
	u32 id = call->helper->id;
	bool allowed = id == HELPER_map_update_elem   ? type && type->sockmap_update
		       : id == HELPER_map_delete_elem ? type && type->sockmap_delete
						      : true;

	if (allowed || !is_sock_map(map))
		return 0;
	return reject(env, RULE_SOCKMAP, map->type, call->helper->name, id);
}
