/* SPDX-License-Identifier: MIT
 *
 * lock.c: bpf_spin_lock and bpf_spin_unlock (B27, B28): one lock at a time, given back
 * through the same looked-up value, and no calls in between.
 *
 * Which lock: the map, and the id of the looked-up value (two look-ups may be two values);
 * of objects, the id of the one that the program owns. Values of maps with a single element
 * (global data) need no id. What a lock protects is in the same allocation (G8).
 */
#include "verify/rule/rule.h"

int check_call_under_lock(struct env *env, bool allowed)
{
	if (allowed || !held_lock(env->cur))
		return 0;
	return reject(env, RULE_LOCK_CALL);
}

enum { THE_ONLY = INT32_MAX }; /* id of a lock whose map has no other */

/* What a register points into, told apart from all others of its kind. */
struct allocation {
	const struct record *rec;
	const void *owner; /* the map, or the program's types */
	u32 id;		   /* which of them; 0: there is only one */
	const char *what;  /* "map 'x'", "struct x" */
};

static int value_of(struct env *env, u32 regno, struct allocation *at)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject_kind(env, regno, "map_value, ptr_");
	if (!reg->id && (reg->map->max_entries != 1 || reg->map_uid))
		return reject(env, RULE_UNSUPPORTED, "lock of a value that cannot be told apart");
	*at = (struct allocation){reg->map->record, reg->map, reg->id, reg->map->name};
	return 0;
}

/* An object that the program owns is its allocation's only one of this id. */
static int object_of(struct env *env, u32 regno, struct allocation *at)
{
	const struct reg *reg = cur_reg(env, regno);

	TRY(check_btf_offset(env, regno, reg));
	*at = (struct allocation){NULL, reg->btf, reg->id, btf_type_name(reg->btf, reg->type)};
	return own_record(env, reg->btf, reg->type, &at->rec);
}

static int allocation_of(struct env *env, u32 regno, struct allocation *at)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base == REG_BTF && reg->flags == F_ALLOC && reg->ref)
		return object_of(env, regno, at);
	return value_of(env, regno, at);
}

static bool same_allocation(const struct held *held, const struct allocation *at)
{
	return held->owner == at->owner && (!at->id || held->id == at->id);
}

/* The register is the address of the lock of a map value or object. */
static int check_lock_arg(struct env *env, u32 regno, struct allocation *at)
{
	const struct reg *reg = cur_reg(env, regno);
	const struct field *lock;
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;

	TRY(allocation_of(env, regno, at));
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_LOCK_CONST_OFF, regno);
	lock = record_first(at->rec, FIELD_LOCK);
	if (!lock)
		return reject(env, RULE_LOCK_HAS_NONE, at->what);
	if (off != lock->off)
		return reject(env, RULE_LOCK_ARG, regno, off, lock->off, at->what);
	return in_less_callback(env) ? reject(env, RULE_LOCK_IN_LESS) : 0;
}

int lock_take(struct env *env, u32 regno)
{
	struct allocation at;

	TRY(check_lock_arg(env, regno, &at));
	if (held_lock(env->cur))
		return reject(env, RULE_LOCK_TWO);
	return held_add(env, HELD_LOCK, at.id ? at.id : THE_ONLY, at.owner) ? 0 : -E2BIG;
}

static const struct held *held_one(const struct state *state)
{
	for (u32 i = 0; i < state->nheld; i++)
		if (state->held[i].kind == HELD_LOCK)
			return &state->held[i];
	return NULL;
}

static void forget_nonowning(struct reg *reg, void *data)
{
	const struct env *env = data;

	if (reg->base != REG_BTF || !(reg->flags & F_NONOWN))
		return;
	*reg = reg_address();
	reg->def = env->insn;
}

int lock_give(struct env *env, u32 regno)
{
	const struct held *held = held_one(env->cur);
	struct allocation at;

	TRY(check_lock_arg(env, regno, &at));
	if (!held)
		return reject(env, RULE_LOCK_NONE);
	if (!same_allocation(held, &at))
		return reject(env, RULE_LOCK_OTHER);
	held_drop(env->cur, HELD_LOCK, held->id);
	state_each_reg(env->cur, forget_nonowning, env); /* G11 */
	/* B28: the lock was a read section. Kernels forget that it has ended. */
	if (!in_read_section(env) && !env->abi->policy.unlock_612)
		rcu_downgrade(env);
	return 0;
}

int check_locked(struct env *env, u32 regno, const char *what)
{
	const struct held *held = held_one(env->cur);
	const struct field *lock;
	struct allocation at;

	TRY(allocation_of(env, regno, &at));
	lock = record_first(at.rec, FIELD_LOCK);
	if (!lock)
		return reject(env, RULE_LOCK_HAS_NONE, at.what);
	if (!held)
		return reject(env, RULE_LOCK_NEED, lock->off, what);
	if (!same_allocation(held, &at))
		return reject(env, RULE_LOCK_ALLOC, lock->off, what);
	return 0;
}
