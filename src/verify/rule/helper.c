/* SPDX-License-Identifier: MIT
 *
 * rule/helper.c: calls of helpers, checked against the tables of src/abi: one function per
 * kind of argument, one per kind of result. What a helper alone knows (a lock, a tail
 * call, an exchange) is in the kinds and flags of its row, not in its number.
 */
#include "verify/rule/hcall.h"

#include <limits.h>

enum { MAX_ERRNO = 4095 };

bool licence_is_gpl(const struct image *image)
{
	return abi_license_is_gpl(image->license);
}

/* ---- numbers and anything ---- */

static int arg_scalar(struct env *env, struct call *call, u32 i)
{
	if (cur_reg(env, i + 1)->base != REG_SCALAR)
		return reject_kind(env, i + 1, "scalar");
	return 0;
}

/*
 * Helpers that read memory without faults take addresses (B26): of objects as they are, of
 * the program's own memory by its rules. Everything else takes numbers.
 */
static const struct { u32 id; bool user; } probes[] = {
	{4, false}, {45, false}, {113, false}, {115, false}, /* probe_read... */
	{112, true}, {114, true}, {148, true}, /* ..._user, ..._user_str, copy_from_user */
};

static int probe_arg(struct env *env, u32 regno, bool user)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base == REG_BTF && !(reg->flags & F_PERCPU) &&
	    user == !!(reg->flags & F_USER))
		return 0;
	if (user || reg->base == REG_BTF)
		return reject_kind(env, regno, user ? "scalar, user_ptr_" : "scalar, ptr_");
	return mem_arg_sized(env, regno, R2, false, false, false, true);
}

/* Whether the call names memory by a user pointer, which knows its space, or by a number,
 * which then means the space that is current. */
static void note_user_arg(struct env *env, u32 helper, const struct reg *reg)
{
	bool user = reg->base == REG_BTF && reg->flags & F_USER && reg->off >= 0 &&
		    !has_var_off(reg);

	for (u32 p = 0; p < ARRAY_SIZE(probes); p++)
		if (probes[p].id == helper && probes[p].user)
			env->notes[env->insn].proof.user |= user ? USER_PASSED : USER_UNPASSED;
}

static int arg_anything(struct env *env, struct call *call, u32 i)
{
	if (i == 2)
		note_user_arg(env, call->helper->id, cur_reg(env, i + 1));
	if (!reg_is_pointer(cur_reg(env, i + 1)) || env->abi->policy.ptr_leaks)
		return 0;
	for (u32 p = 0; p < ARRAY_SIZE(probes); p++)
		if (probes[p].id == call->helper->id && i == 2)
			return probe_arg(env, i + 1, probes[p].user);
	return reject(env, RULE_ARG_LEAK, i + 1);
}

static int arg_const_size(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	TRY(arg_scalar(env, call, i));
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_NOT_CONST, i + 1);
	if (reg->num.bits.value > INT_MAX)
		return reject(env, RULE_MEM_SIZE_MAX, i + 1);
	call->mem_size = reg->num.bits.value;
	return mark_precise(env, i + 1);
}

/* ---- maps ---- */

static bool writes_map(u32 helper)
{
	return helper == HELPER_map_update_elem || helper == HELPER_map_delete_elem ||
	       helper == HELPER_map_push_elem || helper == HELPER_map_pop_elem;
}

static int arg_map(struct env *env, struct call *call, u32 i)
{
	const struct abi_helper *h = call->helper;
	const struct reg *reg = cur_reg(env, i + 1);

	if (reg->base != REG_MAP || reg->flags & F_NULL)
		return reject_kind(env, i + 1, "map_ptr");
	if (call->map_of_timer)
		return timer_map(env, call, reg);
	TRY(sock_map_change(env, call, reg->map));
	if (reg->map->type >= NR_MAP_TYPES ||
	    (h->map_types && !(h->map_types & BIT64(reg->map->type))))
		return reject(env, RULE_HELPER_MAP, reg->map->type, h->name, h->id);
	if (writes_map(h->id))
		TRY(check_map_mode(env, reg->map, true, 0, 0));
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}

/* An array's constant index on the stack, in range: that element always exists. */
static void learn_key(struct env *env, struct call *call, const struct reg *reg)
{
	u64 key;

	if (call->map->type != MAP_ARRAY && call->map->type != MAP_PERCPU_ARRAY)
		return;
	if (call->map_uid || call->map->key_size != 4 || reg->base != REG_STACK ||
	    !scalar_is_const(reg->num))
		return;
	if (!stack_const(env, reg->frame, reg->off + (s32)reg->num.bits.value, 4, &key) ||
	    key >= call->map->max_entries)
		return;
	call->key_known = true;
	call->key = (u32)key;
}

static int arg_map_key(struct env *env, struct call *call, u32 i)
{
	if (!call->map || (!call->map->key_size && !env->abi->policy.open_keys))
		return reject(env, RULE_HELPER_NO_MAP);
	TRY(mem_arg(env, i + 1, call->map->key_size, false, false,
		    arg_of(call, i)->flags & ARGF_NULL));
	learn_key(env, call, cur_reg(env, i + 1));
	return 0;
}

static int arg_map_value(struct env *env, struct call *call, u32 i)
{
	u8 flags = arg_of(call, i)->flags;
	enum abi_table_id table;

	if (!call->map || !call->map->value_size)
		return reject(env, RULE_HELPER_NO_MAP);
	/* Maps of sockets are given sockets. */
	if (sock_of_map(call->map, &table))
		return sock_arg(env, call, i);
	/* A filter's question goes in where the answer of others comes out. */
	if (call->map->type == MAP_BLOOM_FILTER && call->helper->id == HELPER_map_peek_elem)
		flags = ARGF_RDONLY;
	return mem_arg(env, i + 1, call->map->value_size, flags & (ARGF_WRITE | ARGF_UNINIT),
		       flags & ARGF_UNINIT, flags & ARGF_NULL);
}

/* ---- memory ---- */

static bool is_size(const struct call *call, u32 i)
{
	u8 kind = i < MAX_ARGS ? arg_of(call, i)->kind : ARG_NONE;

	return kind == ARG_SIZE || kind == ARG_SIZE_OR_ZERO;
}

static int arg_mem(struct env *env, struct call *call, u32 i)
{
	const struct abi_arg *arg = arg_of(call, i);

	/* The rest is checked with its size. */
	if (is_size(call, i + 1))
		return mem_arg_kind(env, i + 1, arg->flags & ARGF_NULL);
	return mem_arg(env, i + 1, arg->size, arg->flags & (ARGF_WRITE | ARGF_UNINIT),
		       arg->flags & ARGF_UNINIT, arg->flags & ARGF_NULL);
}

/* Memory that stays as long as the program runs; its size is checked with it. */
static int arg_dynptr_data(struct env *env, struct call *call, u32 i)
{
	return check_dynptr_data(env, i + 1);
}

static int arg_size(struct env *env, struct call *call, u32 i)
{
	u8 flags;

	BUG_ON(i == 0);
	flags = arg_of(call, i - 1)->flags;
	call->most_bytes = cur_reg(env, i + 1)->num.umax;
	return mem_arg_sized(env, i, i + 1, flags & (ARGF_WRITE | ARGF_UNINIT),
			     flags & ARGF_UNINIT, flags & ARGF_NULL,
			     arg_of(call, i)->kind == ARG_SIZE_OR_ZERO);
}

static int arg_number(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);
	u32 size = arg_of(call, i)->kind == ARG_LONG ? 8 : 4;
	struct tnum at = tnum_add(reg->num.bits, tnum_const((u64)(s64)reg->off));

	if (reg_is_pointer(reg) && !tnum_is_aligned(at, size))
		return reject(env, RULE_MISALIGNED_ARG, i + 1, (s64)reg->off, size);
	return mem_arg(env, i + 1, size, true, arg_of(call, i)->flags & ARGF_UNINIT, false);
}

static int arg_const_str(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject_kind(env, i + 1, "map_value");
	if (!reg->map->frozen)
		return reject(env, RULE_CONST_STR, i + 1, "does not point to a readonly map");
	if (!scalar_is_const(reg->num) || off < 0 || off >= reg->map->value_size)
		return reject(env, RULE_CONST_STR, i + 1, "is not a constant address");
	if (reg->map->data && !memchr((const char *)reg->map->data + off, 0,
				      reg->map->value_size - (u32)off))
		return reject(env, RULE_CONST_STR, i + 1,
			      "is no text: string is not zero-terminated");
	return 0;
}

/* A record that was reserved: it goes back whole. */
static int arg_ringbuf_mem(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (reg->base != REG_MEM || reg->flags != F_RINGBUF)
		return reject_kind(env, i + 1, "ringbuf_mem");
	TRY(check_releasable(env, i + 1, reg));
	call->release_ref = reg->ref;
	return 0;
}

/* ---- pointers of the walk itself ---- */

static int arg_ctx(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (arg_of(call, i)->flags & ARGF_NULL && reg_is_null(reg))
		return mark_precise(env, i + 1);
	if (reg->base != REG_CTX || reg->flags & F_NULL)
		return reject_kind(env, i + 1, "ctx");
	return check_ctx_pointer(env, i + 1, reg);
}

static int arg_func(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (reg->base != REG_FUNC)
		return reject_kind(env, i + 1, "func");
	call->subprog = reg->subprog;
	return 0;
}

static int arg_stack(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (arg_of(call, i)->flags & ARGF_NULL && reg_is_null(reg))
		TRY(mark_precise(env, i + 1));
	else if (reg->base != REG_STACK)
		return reject_kind(env, i + 1, "fp");
	call->context = *reg;
	return 0;
}

static int arg_spin_lock(struct env *env, struct call *call, u32 i)
{
	if (call->helper->flags & HELPERF_LOCK)
		return lock_take(env, i + 1);
	if (call->helper->flags & HELPERF_UNLOCK)
		return lock_give(env, i + 1);
	return reject(env, RULE_UNSUPPORTED, call->helper->name);
}

static int arg_timer(struct env *env, struct call *call, u32 i)
{
	return timer_arg(env, call, i + 1);
}

/* A flags argument of which no bit has a meaning yet. */
static int arg_zero(struct env *env, struct call *call, u32 i)
{
	if (!reg_is_null(cur_reg(env, i + 1)))
		return reject(env, RULE_ARG_FLAGS, call->helper->name + strlen("bpf_"));
	return mark_precise(env, i + 1);
}

/* ---- dynptrs ---- */

static int arg_dynptr(struct env *env, struct call *call, u32 i)
{
	u8 flags = arg_of(call, i)->flags;

	if (flags & ARGF_UNINIT)
		return dynptr_arg_new(env, i + 1, &call->new_dynptr);
	if (flags & ARGF_RELEASE)
		return dynptr_arg_release(env, i + 1, &call->dynptr);
	return dynptr_arg(env, i + 1, &call->dynptr);
}

/* What the call does to the dynptrs of its arguments. */
static int apply_dynptrs(struct env *env, const struct call *call)
{
	for (u32 i = 0; i < MAX_ARGS; i++) {
		const struct abi_arg *arg = arg_of(call, i);

		if (arg->kind != ARG_DYNPTR)
			continue;
		if (arg->flags & ARGF_UNINIT)
			TRY(dynptr_make(env, &call->new_dynptr,
					arg->flags & ARGF_RINGBUF ? DYNPTR_RINGBUF
								  : DYNPTR_LOCAL));
		if (arg->flags & ARGF_RELEASE)
			TRY(dynptr_release(env, &call->dynptr));
		/* Writing makes room first: the packet may move. */
		if (arg->flags & ARGF_WRITE && call->dynptr.object.dynptr == DYNPTR_SKB)
			packet_forget(env);
	}
	return 0;
}

/* ---- typed pointers ---- */

static int arg_slot(struct env *env, struct call *call, u32 i)
{
	TRY(slot_of_arg(env, i + 1, &call->field));
	/* Where several fields meet, the note has one of them; but their version must be
	 * found in one place (H6). */
	if (!env->notes[env->insn].proof.field)
		env->notes[env->insn].proof.field = call->field;
	if (env->notes[env->insn].proof.field->seq != call->field->seq)
		return reject(env, RULE_UNSUPPORTED,
			      "one exchange of fields with and without a struct pintle_seq");
	return 0;
}

/* B13.3: what moves into the field; NULL moves nothing. */
static int arg_btf_any(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (!call->field)
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	if (!reg_is_null(reg) && reg->base != REG_BTF)
		return reject_kind(env, i + 1, "ptr_, trusted_ptr_, rcu_ptr_");
	TRY(slot_takes(env, call->field, i + 1, reg, true));
	call->release_ref = reg->base == REG_BTF ? reg->ref : 0;
	return 0;
}

/* B30: a helper's struct argument. */
static int arg_btf(struct env *env, struct call *call, u32 i)
{
	const struct abi_arg *arg = arg_of(call, i);
	const struct reg *reg = cur_reg(env, i + 1);
	bool release = arg->flags & ARGF_RELEASE;
	const struct btf *btf;
	u32 type;

	if (arg->flags & ARGF_NULL && reg_is_null(reg))
		return mark_precise(env, i + 1);
	if (reg->base != REG_BTF ||
	    reg->flags & ~(F_TRUSTED | F_RCU | (arg->flags & ARGF_NULL ? F_NULL : 0)))
		return reject_kind(env, i + 1, "ptr_, trusted_ptr_, rcu_ptr_");
	if (release)
		TRY(check_releasable(env, i + 1, reg));
	if (!arg->type || !abi_find_struct(env->abi, arg->type, &btf, &type))
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	TRY(check_btf_offset(env, i + 1, reg));
	if (!btf_reg_fits(reg, btf, type, release))
		return reject(env, RULE_ARG_STRUCT, i + 1, btf_type_name(reg->btf, reg->type),
			      arg->type);
	if (release)
		call->release_ref = reg->ref;
	return 0;
}

static int arg_percpu(struct env *env, struct call *call, u32 i)
{
	call->percpu = *cur_reg(env, i + 1);
	return percpu_arg(env, i + 1);
}

static int (*const by_kind[NR_ARG_KINDS])(struct env *env, struct call *call, u32 i) = {
	[ARG_ANYTHING] = arg_anything,
	[ARG_SCALAR] = arg_scalar,
	[ARG_MAP] = arg_map,
	[ARG_MAP_KEY] = arg_map_key,
	[ARG_MAP_VALUE] = arg_map_value,
	[ARG_MEM] = arg_mem,
	[ARG_SIZE] = arg_size,
	[ARG_SIZE_OR_ZERO] = arg_size,
	[ARG_CONST_SIZE] = arg_const_size,
	[ARG_CTX] = arg_ctx,
	[ARG_FUNC] = arg_func,
	[ARG_STACK] = arg_stack,
	[ARG_SPIN_LOCK] = arg_spin_lock,
	[ARG_TIMER] = arg_timer,
	[ARG_ZERO] = arg_zero,
	[ARG_SLOT] = arg_slot,
	[ARG_BTF] = arg_btf,
	[ARG_BTF_ANY] = arg_btf_any,
	[ARG_PERCPU] = arg_percpu,
	[ARG_CONST_STR] = arg_const_str,
	[ARG_LONG] = arg_number,
	[ARG_INT] = arg_number,
	[ARG_RINGBUF_MEM] = arg_ringbuf_mem,
	[ARG_SOCKET] = sock_arg,
	[ARG_SOCK] = sock_arg,
	[ARG_SOCK_BTF] = sock_arg,
	[ARG_DYNPTR] = arg_dynptr,
	[ARG_DYNPTR_DATA] = arg_dynptr_data,
};

/* What such a register happens to hold is nothing for the helper to see. */
static bool is_left_unset(struct env *env, const struct call *call, u32 i)
{
	if (!(arg_of(call, i)->flags & ARGF_UNSET) || cur_reg(env, i + 1)->base != REG_NONE)
		return false;
	env->notes[env->insn].proof.zero_args |= (u8)BIT(i);
	return true;
}

static int check_args(struct env *env, struct call *call)
{
	for (u32 i = 0; i < MAX_ARGS; i++) {
		u8 kind = arg_of(call, i)->kind;

		if (kind == ARG_NONE)
			break;
		if (is_left_unset(env, call, i))
			continue;
		TRY(check_readable(env, i + 1));
		if (kind >= NR_ARG_KINDS || !by_kind[kind])
			return reject(env, RULE_UNSUPPORTED, call->helper->name);
		TRY(by_kind[kind](env, call, i));
	}
	return 0;
}

/* ---- the result ---- */

int helper_ret_finish(struct env *env, const struct call *call, struct reg *r0)
{
	u8 flags = call->helper->ret_flags;
	u32 ref = 0;

	/* A number for the value; where it carries a reference, that one's stands for both. */
	if (flags & RETF_NULL)
		r0->id = id_new(env);
	if (flags & RETF_ACQUIRE)
		TRY(flags & RETF_NULL ? ref_take_or_null(env, &ref) : ref_take(env, &ref));
	r0->flags |= flags & RETF_NULL ? F_NULL : 0;
	if (flags & RETF_CAST) {
		r0->ref = call->cast_ref;
		return 0;
	}
	r0->ref = ref;
	if (ref || !r0->id)
		r0->id = ref ? ref : id_new(env);
	return 0;
}

static int ret_scalar(struct env *env, const struct call *call, struct reg *r0)
{
	const struct abi_helper *h = call->helper;

	/* An error, or how many bytes of the memory it was given. */
	if (h->ret_flags & RETF_SIZED) {
		*r0 = reg_num(scalar_srange(-MAX_ERRNO, (s64)call->most_bytes));
		return 0;
	}
	*r0 = h->ret_min < h->ret_max ? reg_num(scalar_srange(h->ret_min, h->ret_max))
				      : reg_unknown();
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
	r0->id = id_new(env);
	if (table != TABLE_SOCK)
		return 0;
	TRY(ref_take(env, &r0->ref));
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

/* ---- callbacks ---- */

static struct reg map_pointer(struct env *env, const struct call *call, enum reg_base base)
{
	struct reg reg = reg_pointer(base, 0);

	reg.map = call->map;
	reg.map_uid = call->map_uid;
	reg.id = base == REG_MAP ? 0 : id_new(env);
	return reg;
}

static int vma_pointer(struct env *env, const struct call *call, struct reg *out)
{
	const struct btf *btf;
	u32 type;

	if (!abi_find_struct(env->abi, "vm_area_struct", &btf, &type))
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	*out = reg_btf(btf, type, 0);
	return 0;
}

/* What r1-r5 of the callback hold. */
static int callback_args(struct env *env, const struct call *call, struct reg *args)
{
	for (u32 i = 0; i < MAX_ARGS; i++)
		args[i] = reg_none();
	switch (call->helper->callback) {
	case CB_LOOP:
		args[0] = reg_num(scalar_urange(0, UINT32_MAX));
		args[1] = call->context;
		return 0;
	case CB_TIMER:
		if (!call->map)
			return reject(env, RULE_UNSUPPORTED, call->helper->name);
		args[0] = map_pointer(env, call, REG_MAP);
		args[1] = map_pointer(env, call, REG_MAP_KEY);
		args[2] = map_pointer(env, call, REG_MAP_VALUE);
		return 0;
	case CB_USER_RINGBUF:
		args[0] = dynptr_const(env);
		args[1] = call->context;
		return 0;
	case CB_FIND_VMA:
		args[0] = *cur_reg(env, R1);
		TRY(vma_pointer(env, call, &args[1]));
		args[2] = call->context;
		return 0;
	case CB_MAP_ELEM:
		if (!call->map)
			return reject(env, RULE_HELPER_NO_MAP);
		args[0] = map_pointer(env, call, REG_MAP);
		args[1] = map_pointer(env, call, REG_MAP_KEY);
		args[2] = map_pointer(env, call, REG_MAP_VALUE);
		args[3] = call->context;
		return 0;
	default:
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	}
}

static int start_callback(struct env *env, const struct call *call)
{
	struct reg args[MAX_ARGS];

	TRY(callback_args(env, call, args));
	env->notes[env->insn].proof.callback = env->prog->subprogs[call->subprog].start;
	return call_callback(env, call->subprog, call->helper->callback, args);
}

/* ---- the call ---- */

static bool listed(const struct abi_prog_type *type, u32 id)
{
	return !type || !type->helpers || helper_set_has(type->helpers, id);
}

/* The loader puts calls of these numbers where what the program needs was not found. */
static int unknown_helper(struct env *env, u32 id)
{
	u32 ksym = id - POISON_KSYM;

	if (id == CORE_POISON)
		return reject(env, RULE_CORE_MISSING, id);
	if (id >= POISON_KSYM && ksym < env->image->nksyms)
		return reject(env, RULE_KSYM_MISSING, id, env->image->ksyms[ksym].name);
	return reject(env, RULE_HELPER_UNKNOWN, id);
}

static int find_helper(struct env *env, u32 id, const struct abi_helper **out)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct abi_helper *h = type && type->helper ? type->helper(type, id) : NULL;
	const char *name = abi_helper_name(id);

	h = h ? h : abi_helper(id);
	if (!h && !name)
		return unknown_helper(env, id);
	if (!h || !listed(type, id) ||
	    (env->abi->helper_there && !env->abi->helper_there(env->abi, type, id)))
		return reject(env, RULE_HELPER_PROG_TYPE, name ? name : h->name, id);
	if (id == HELPER_d_path && type && type->no_d_path)
		return reject(env, RULE_HELPER_PLACE);
	*out = h;
	return 0;
}

static int check_call(struct env *env, const struct abi_helper *h)
{
	bool under_lock = h->flags & (HELPERF_UNDER_LOCK | HELPERF_LOCK | HELPERF_UNLOCK);

	if (h->ret == RET_SLOT && env->abi->policy.no_xchg_lock)
		under_lock = false;
	if (h->flags & HELPERF_GPL && env->abi->policy.need_gpl &&
	    !licence_is_gpl(env->image))
		return reject(env, RULE_HELPER_GPL);
	TRY(check_call_under_lock(env, under_lock));
	if (h->flags & HELPERF_SLEEPABLE)
		TRY(check_may_sleep(env, h->name));
	return 0;
}

/* What lowering may know of the call: only what every path agrees on. */
static void note_call(struct env *env, const struct call *call)
{
	struct insn_note *note = &env->notes[env->insn];
	struct proof_insn *proof = &note->proof;
	s32 map = call->map && !call->map_uid ? (s32)(call->map - env->image->maps) : -1;

	if (!note->map_seen) {
		note->map_seen = 1;
		proof->map = map;
		proof->const_key = call->key_known;
		proof->key = call->key;
	}
	if (proof->map != map || map < 0) {
		note->map_seen = 2;
		proof->map = -1;
	}
	if (!call->key_known || proof->key != call->key || proof->map < 0)
		proof->const_key = false;
}

static int apply_flags(struct env *env, const struct call *call)
{
	const struct abi_helper *h = call->helper;

	if (call->release_ref)
		TRY(call->field ? ref_moved(env, call->release_ref)
				: ref_release(env, call->release_ref));
	TRY(apply_dynptrs(env, call));
	if (h->flags & HELPERF_RCU_LOCK)
		TRY(rcu_enter(env, h->name));
	if (h->flags & HELPERF_RCU_UNLOCK)
		TRY(rcu_leave(env, h->name));
	if (h->flags & HELPERF_CHANGES_PACKET)
		packet_forget(env);
	return 0;
}

int call_helper(struct env *env, const struct insn *insn, u32 *next)
{
	struct call call = {.context = reg_none()};
	struct reg r0;

	TRY(find_helper(env, (u32)insn->imm, &call.helper));
	env->notes[env->insn].proof.helper = call.helper;
	TRY(check_call(env, call.helper));
	TRY(check_args(env, &call));
	note_call(env, &call);
	if (call.helper->callback != CB_NONE)
		TRY(start_callback(env, &call));
	TRY(apply_flags(env, &call));
	if (call.helper->ret >= ARRAY_SIZE(by_ret))
		return reject(env, RULE_UNSUPPORTED, call.helper->name);
	TRY(by_ret[call.helper->ret](env, &call, &r0));
	r0.def = env->insn;
	*cur_reg(env, R0) = r0;
	return 0;
}
