/* SPDX-License-Identifier: MIT
 *
 * timer.c: timers in map values: the argument of helpers is exactly the address of one, and
 * a timer belongs to the map that holds it.
 */
#include "verify/rule/hcall.h"

int timer_arg(struct env *env, struct call *call, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;
	const struct field *field;

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject_kind(env, regno, "map_value");
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_TIMER_CONST_OFF, regno);
	field = reg->map->record && off >= 0 && off < reg->map->value_size
			? record_at(reg->map->record, (u32)off)
			: NULL;
	if (!field || field->kind != FIELD_TIMER)
		return reject(env, RULE_TIMER_ARG, regno, off, reg->map->name);
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	call->map_of_timer = true;
	return 0;
}

int timer_map(struct env *env, const struct call *call, const struct reg *map)
{
	if (map->map == call->map && map->map_uid == call->map_uid)
		return 0;
	return reject(env, RULE_TIMER_MAP, call->map_uid, map->map_uid);
}
