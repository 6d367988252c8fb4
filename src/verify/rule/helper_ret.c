/* SPDX-License-Identifier: MIT
 *
 * helper_ret.c: what helpers return, one function per kind (enum ret_kind).
 */
#include "verify/rule/hcall.h"

enum { MAX_ERRNO = 4095 };

int helper_ret_finish(struct env *env, const struct call *call, struct reg *r0)
{
	u8 flags = call->helper->ret_flags;
	u32 ref = 0;

	if (flags & RETF_ACQUIRE)
		TRY(flags & RETF_NULL ? ref_take_or_null(env, &ref) : ref_take(env, &ref));
	r0->flags |= flags & RETF_NULL ? F_NULL : 0;
	if (flags & RETF_CAST) {
		r0->ref = call->cast_ref;
		r0->id = id_new(env);
		return 0;
	}
	r0->ref = ref;
	r0->id = ref;
	/* To learn of all copies whether they are NULL; and a lock is known by its value. */
	if (!ref && (flags & RETF_NULL || r0->base == REG_MAP_VALUE))
		r0->id = id_new(env);
	return 0;
}

static int ret_scalar(struct env *env, const struct call *call, struct reg *r0)
{
	const struct abi_helper *h = call->helper;
	s64 max = h->ret_max;

	/* An error, or how many bytes of the memory it was given. */
	if (h->ret_flags & RETF_SIZED) {
		*r0 = reg_num(scalar_srange(-MAX_ERRNO, (s64)call->most_bytes));
		return 0;
	}
	if (h->id == HELPER_get_smp_processor_id && env->abi->max_cpus)
		max = (s64)env->abi->max_cpus - 1;
	*r0 = h->ret_min < max ? reg_num(scalar_srange(h->ret_min, max)) : reg_unknown();
	return 0;
}

static int ret_void(struct env *env, const struct call *call, struct reg *r0)
{
	*r0 = reg_none();
	return 0;
}

static int ret_tail_call(struct env *env, const struct call *call, struct reg *r0)
{
	TRY(check_nothing_held(env, "tail_call"));
	TRY(ops_check_tail_call(env));
	TRY(tail_call_return(env));
	*r0 = reg_unknown();
	return 0;
}

static bool is_map_of_maps(const struct image_map *map)
{
	return map->type == MAP_ARRAY_OF_MAPS || map->type == MAP_HASH_OF_MAPS;
}

/* What is in a map of sockets is looked up with a reference; XDP's sockets stay. */
static int ret_map_sock(struct env *env, const struct call *call, enum abi_table_id table,
			struct reg *r0)
{
	*r0 = reg_pointer(REG_TABLE, F_NULL);
	r0->table = abi_table(table);
	if (table != TABLE_SOCK) {
		r0->id = id_new(env);
		return 0;
	}
	TRY(ref_take_or_null(env, &r0->ref));
	r0->id = r0->ref;
	return 0;
}

static int ret_map_value(struct env *env, const struct call *call, struct reg *r0)
{
	bool of_maps = call->map && is_map_of_maps(call->map);
	enum abi_table_id table;

	if (!call->map || (of_maps && (call->map->inner < 0 ||
				       (u32)call->map->inner >= env->image->nmaps)))
		return reject(env, RULE_HELPER_NO_MAP);
	if (sock_of_map(call->map, &table))
		return ret_map_sock(env, call, table, r0);
	*r0 = reg_pointer(of_maps ? REG_MAP : REG_MAP_VALUE, 0);
	TRY(helper_ret_finish(env, call, r0));
	r0->map = of_maps ? &env->image->maps[call->map->inner] : call->map;
	r0->map_uid = of_maps ? r0->id : call->map_uid;
	if (call->key_known && call->helper->id == HELPER_map_lookup_elem &&
	    !env->abi->policy.lookups_may_fail)
		r0->flags &= ~F_NULL;
	return 0;
}

static int ret_mem(struct env *env, const struct call *call, struct reg *r0)
{
	bool reserved = call->helper->ret_flags & RETF_ACQUIRE;

	*r0 = reg_pointer(REG_MEM, reserved ? F_RINGBUF : 0);
	if (call->helper->ret_flags & RETF_RDONLY)
		r0->flags |= F_RDONLY;
	r0->mem_size = (u32)call->mem_size;
	return helper_ret_finish(env, call, r0);
}

static int ret_btf(struct env *env, const struct call *call, struct reg *r0)
{
	u8 flags = call->helper->ret_flags;
	const struct btf *btf;
	u32 type;

	if (!call->helper->ret_type ||
	    !abi_find_struct(env->abi, call->helper->ret_type, &btf, &type))
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	*r0 = reg_btf(btf, type, 0);
	if (flags & RETF_TRUSTED)
		r0->flags |= F_TRUSTED;
	else if (flags & RETF_RCU)
		r0->flags |= in_read_section(env) ? F_RCU : F_UNTRUSTED;
	else if (!(flags & RETF_ACQUIRE) && !env->abi->policy.legacy_walk)
		r0->flags |= F_UNTRUSTED;
	return helper_ret_finish(env, call, r0);
}

/* B13.5: the old value is the program's now. */
static int ret_slot(struct env *env, const struct call *call, struct reg *r0)
{
	u32 ref;

	if (!call->field)
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	TRY(ref_take_or_null(env, &ref));
	*r0 = slot_taken(env, call->field, ref);
	return 0;
}

static int ret_dynptr_mem(struct env *env, const struct call *call, struct reg *r0)
{
	*r0 = dynptr_slice(env, &call->dynptr.object, (u32)call->mem_size,
			   call->helper->ret_flags & RETF_NULL ? F_NULL : 0);
	return 0;
}

static int ret_percpu_mem(struct env *env, const struct call *call, struct reg *r0)
{
	return percpu_opened(env, &call->percpu, call->helper->ret_flags & RETF_NULL, r0);
}

static int (*const by_ret[])(struct env *env, const struct call *call, struct reg *r0) = {
	[RET_SCALAR] = ret_scalar,
	[RET_VOID] = ret_void,
	[RET_MAP_VALUE] = ret_map_value,
	[RET_MEM] = ret_mem,
	[RET_BTF] = ret_btf,
	[RET_SLOT] = ret_slot,
	[RET_PERCPU_MEM] = ret_percpu_mem,
	[RET_TAIL_CALL] = ret_tail_call,
	[RET_SOCKET] = sock_ret,
	[RET_SOCK_COMMON] = sock_ret,
	[RET_TCP_SOCK] = sock_ret,
	[RET_DYNPTR_MEM] = ret_dynptr_mem,
};

int helper_result(struct env *env, const struct call *call, struct reg *r0)
{
	u8 ret = call->helper->ret;

	if (ret >= ARRAY_SIZE(by_ret) || !by_ret[ret])
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	return by_ret[ret](env, call, r0);
}
