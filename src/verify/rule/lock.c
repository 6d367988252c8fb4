/* SPDX-License-Identifier: MIT
 *
 * lock.c: bpf_spin_lock and bpf_spin_unlock (B27, B28): one lock at a time, given back
 * through the same looked-up value, and no calls in between.
 *
 * Which lock: the map, and the id of the looked-up value (two look-ups may be two values).
 * Values of maps with a single element (global data) need no id.
 */
#include "verify/rule/rule.h"

int check_call_under_lock(struct env *env, bool allowed)
{
	if (allowed || !held_lock(env->cur))
		return 0;
	return reject(env, RULE_LOCK_CALL);
}

static const struct field *lock_of(const struct record *rec)
{
	for (u32 i = 0; rec && i < rec->n; i++)
		if (rec->fields[i].kind == FIELD_LOCK)
			return &rec->fields[i];
	return NULL;
}

/* The register is the address of its map value's lock. */
static int check_lock_arg(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	const struct field *lock;

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject_kind(env, regno, "map_value, ptr_");
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_LOCK_CONST_OFF, regno);
	lock = lock_of(reg->map->record);
	if (!lock || (s64)reg->off + (s64)reg->num.bits.value != lock->off)
		return reject(env, RULE_LOCK_ARG, regno,
			      (s64)reg->off + (s64)reg->num.bits.value, reg->map->name);
	if (!reg->id && (reg->map->max_entries != 1 || reg->map_uid))
		return reject(env, RULE_UNSUPPORTED, "lock of a value that cannot be told apart");
	return 0;
}

int lock_take(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);

	TRY(check_lock_arg(env, regno));
	if (held_lock(env->cur))
		return reject(env, RULE_LOCK_TWO);
	return held_add(env, HELD_LOCK, reg->id ? reg->id : id_new(env), reg->map) ? 0 : -E2BIG;
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
	if (reg->base == REG_BTF && reg->flags & F_NONOWN)
		*reg = reg_none();
}

int lock_give(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	const struct held *held = held_one(env->cur);

	TRY(check_lock_arg(env, regno));
	if (!held)
		return reject(env, RULE_LOCK_NONE);
	if (held->owner != reg->map || (reg->id && held->id != reg->id))
		return reject(env, RULE_LOCK_OTHER);
	held_drop(env->cur, HELD_LOCK, held->id);
	state_each_reg(env->cur, forget_nonowning, NULL);
	/* B28: the lock was a read section. */
	if (!in_read_section(env))
		rcu_downgrade(env);
	return 0;
}
