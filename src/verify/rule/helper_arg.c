/* SPDX-License-Identifier: MIT
 *
 * helper_arg.c: arguments of helpers, one function per kind (enum arg_kind). They check the
 * register, and leave in the call what later arguments and the result need to know.
 *
 * The order of the checks is the order in which people will meet them: whether there is a
 * value, whether packets may be passed at all, the kind, the contents; and, when all
 * arguments are right, whether the helper works on such a map.
 */
#include "verify/rule/hcall.h"

#include <limits.h>

/* ---- numbers and anything ---- */

static int arg_scalar(struct env *env, struct call *call, u32 i)
{
	if (cur_reg(env, i + 1)->base != REG_SCALAR)
		return reject_kind(env, i + 1, "scalar");
	return check_number_arg(env, i + 1);
}

/*
 * Helpers that read memory without faults take addresses (B26): of objects as they are, of
 * the program's own memory by its rules. Everything else takes numbers; and numbers are
 * addresses of a client's memory only: one that names the host's could be forged (J12).
 */
static const struct probe {
	u32 id;
	bool user, text; /* text: ends with its first zero byte */
} probes[] = {
	{4, false, false},  {45, false, true},	{113, false, false}, {115, false, true},
	{112, true, false}, {114, true, true},	{148, true, false}, /* the last: copy_from_user, */
	{191, true, false},					    /* and of a task */
};

/* What lies behind an object is none of the program's business, nor where others lie. */
static int probe_object(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno), *bytes = cur_reg(env, R2);
	const char *name = btf_type_name(reg->btf, reg->type);
	u64 n = bytes->num.umax;
	u32 size = 0;

	TRY(check_btf_offset(env, regno, reg));
	btf_size(reg->btf, reg->type, &size);
	if (bytes->base != REG_SCALAR || !add_fits((u32)reg->off, n, size))
		return reject(env, RULE_BTF_BEYOND, name, (s64)reg->off, (u32)n);
	if (n > object_plain_room(reg))
		return reject(env, RULE_PROBE_POINTER, (u32)n, name, (s64)reg->off);
	return n ? mark_precise(env, R2) : 0;
}

int null_address(struct env *env, u32 regno)
{
	if (reg_is_null(cur_reg(env, regno)))
		return mark_precise(env, regno);
	return reject(env, RULE_PROBE_NUMBER, regno);
}

static int probe_arg(struct env *env, const struct probe *probe, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);

	if (probe->user)
		return user_address(env, regno);
	if (reg->base == REG_SCALAR)
		return null_address(env, regno);
	if (reg->base == REG_BTF && reg->flags & (F_PERCPU | F_USER))
		return reject_kind(env, regno, "ptr_");
	if (reg->base == REG_BTF && reg->btf != env->image->btf)
		return probe_object(env, regno);
	return mem_arg_sized(env, regno, R2, false, false, false, true);
}

static const struct probe *probe_of(u32 helper)
{
	for (u32 p = 0; p < ARRAY_SIZE(probes); p++)
		if (probes[p].id == helper)
			return &probes[p];
	return NULL;
}

static int arg_zero(struct env *env, struct call *call, u32 i);

static int arg_anything(struct env *env, struct call *call, u32 i)
{
	const struct probe *probe = i == 2 ? probe_of(call->helper->id) : NULL;

	if (probe && probe->user)
		note_user_address(env, i + 1);
	if (env->abi->policy.ptr_leaks || format_value(env, call->helper, i + 1))
		return 0;
	if (probe)
		return probe_arg(env, probe, i + 1);
	if (i == 4 && call->helper->id == HELPER_copy_from_user_task)
		return arg_zero(env, call, i);
	return check_number_arg(env, i + 1);
}

static int arg_const_size(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	TRY(arg_scalar(env, call, i));
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_ALLOC_CONST, i + 1);
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
	const struct reg *reg = cur_reg(env, i + 1);

	if (reg->base != REG_MAP || reg->flags & F_NULL)
		return reject_kind(env, i + 1, "map_ptr");
	if (call->map_of_timer)
		return timer_map(env, call, reg);
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}

/* Whether the helper works on such maps; after all arguments, as people read it. */
static int check_map_arg(struct env *env, const struct call *call)
{
	const struct abi_helper *h = call->helper;
	const struct image_map *map = call->map;

	if (!map || call->map_of_timer)
		return 0;
	TRY(sock_map_change(env, call, map));
	if (map->type >= NR_MAP_TYPES || (h->map_types && !(h->map_types & BIT64(map->type))))
		return reject(env, RULE_HELPER_MAP, map->type, h->name, h->id);
	return writes_map(h->id) ? check_map_mode(env, map, true, 0, 0) : 0;
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

/* Keys or values of @size bytes: the map is known and has them. */
static int check_element(struct env *env, const struct call *call, u32 i, u32 size)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (!call->map)
		return reject(env, RULE_HELPER_NO_MAP);
	if (!size && !(env->abi->policy.open_keys && abi_map_type(call->map->type)->any_key))
		return reject(env, RULE_MEM_SIZE_ZERO, i + 1, 0ull, 0ull);
	/* An object of the host is neither. */
	if (reg->base == REG_BTF && !(reg->flags & F_ALLOC))
		return reject(env, RULE_ARG_MAY_WRITE, call->helper->name, i + 1,
			      reg_class_name(env, reg));
	return 0;
}

static int arg_map_key(struct env *env, struct call *call, u32 i)
{
	TRY(check_element(env, call, i, call->map ? call->map->key_size : 0));
	TRY(mem_arg(env, i + 1, call->map->key_size, false, false,
		    arg_of(call, i)->flags & ARGF_NULL));
	learn_key(env, call, cur_reg(env, i + 1));
	return 0;
}

static int arg_map_value(struct env *env, struct call *call, u32 i)
{
	u8 flags = arg_of(call, i)->flags;

	/* Maps of sockets are given sockets. */
	if (call->map && is_sock_map(call->map))
		return sock_arg(env, call, i);
	TRY(check_element(env, call, i, call->map ? call->map->value_size : 0));
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
	call->dynptr_data = i + 1;
	return arg_mem(env, call, i);
}

static int arg_size(struct env *env, struct call *call, u32 i)
{
	u8 flags;

	BUG_ON(i == 0);
	flags = arg_of(call, i - 1)->flags;
	call->most_bytes = cur_reg(env, i + 1)->num.umax;
	if (format_data(env, call->helper, i))
		return mem_arg_printed(env, i, i + 1);
	return mem_arg_sized(env, i, i + 1, flags & (ARGF_WRITE | ARGF_UNINIT),
			     flags & ARGF_UNINIT, flags & ARGF_NULL,
			     arg_of(call, i)->kind == ARG_SIZE_OR_ZERO);
}

static int arg_number(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);
	u32 size = arg_of(call, i)->kind == ARG_LONG ? 8 : 4;
	struct tnum at = tnum_add(reg->num.bits, tnum_const((u64)(s64)reg->off));

	TRY(mem_arg(env, i + 1, size, true, arg_of(call, i)->flags & ARGF_UNINIT, false));
	if (!tnum_is_aligned(at, size))
		return reject(env, RULE_MISALIGNED_ARG, i + 1, (s64)reg->off, size);
	return 0;
}

int check_const_str(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;

	if (!reg->map->frozen)
		return reject(env, RULE_CONST_STR, regno, "does not point to a readonly map");
	if (!scalar_is_const(reg->num) || off < 0 || off >= reg->map->value_size)
		return reject(env, RULE_CONST_STR, regno, "is not a constant address");
	if (reg->map->data && !memchr((const char *)reg->map->data + off, 0,
				      reg->map->value_size - (u32)off))
		return reject(env, RULE_CONST_STR, regno,
			      "is no text: string is not zero-terminated");
	return 0;
}

static int arg_const_str(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject_kind(env, i + 1, "map_value");
	return check_const_str(env, i + 1);
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
	u8 base = cur_reg(env, i + 1)->base;

	if (base != REG_STACK && base != REG_DYNPTR)
		return reject_kind(env, i + 1, "fp, dynptr_ptr");
	if (flags & ARGF_UNINIT)
		return dynptr_arg_new(env, i + 1, &call->new_dynptr);
	if (flags & ARGF_RELEASE)
		return dynptr_arg_release(env, i + 1, &call->dynptr);
	return dynptr_arg(env, i + 1, &call->dynptr);
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
/* Classes that no field owns. */
static bool never_moves(const struct reg *reg)
{
	return reg->flags & (F_UNTRUSTED | F_USER) ||
	       (reg->flags & F_PERCPU && !(reg->flags & F_ALLOC));
}

static int arg_btf_any(struct env *env, struct call *call, u32 i)
{
	const struct reg *reg = cur_reg(env, i + 1);

	if (!call->field)
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	if (!reg_is_null(reg) && (reg->base != REG_BTF || never_moves(reg)))
		return reject_kind(env, i + 1, "ptr_, trusted_ptr_, rcu_ptr_");
	TRY(slot_takes(env, call->field, i + 1, reg, true));
	call->release_ref = reg->base == REG_BTF ? reg->ref : 0;
	return 0;
}

/* Storage of a host belongs to any object of a type that it registered: the object's
 * address is all that matters. */
static bool is_storage_owner(struct env *env, const struct call *call, u32 i)
{
	const u64 storages = BIT64(MAP_TASK_STORAGE) | BIT64(MAP_INODE_STORAGE) |
			     BIT64(MAP_CGRP_STORAGE);
	const struct reg *reg = cur_reg(env, i + 1);

	return env->abi->storage_of_any && call->map &&
	       storages & BIT64(call->map->type) && !reg->off &&
	       abi_find_storable(env->abi, reg->btf, reg->type);
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
	if (call->helper->id == HELPER_copy_from_user_task && !env->abi->policy.ptr_leaks)
		return space_owner_arg(env, i + 1);
	if (is_storage_owner(env, call, i))
		return check_btf_offset(env, i + 1, reg);
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

static bool is_packet(const struct reg *reg)
{
	return reg->base == REG_PACKET || reg->base == REG_PACKET_META;
}

int helper_check_args(struct env *env, struct call *call)
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
		if (is_packet(cur_reg(env, i + 1)) && kind != ARG_ANYTHING)
			TRY(check_packet_mem(env, call->helper));
		TRY(by_kind[kind](env, call, i));
	}
	if (call->dynptr_data)
		TRY(check_dynptr_data(env, call->dynptr_data));
	if (call->helper->flags & HELPERF_FORMAT && env->abi->policy.formats)
		TRY(check_format(env, cur_reg(env, R3), cur_reg(env, R5)));
	TRY(check_printed(env, call->helper));
	return check_map_arg(env, call);
}
