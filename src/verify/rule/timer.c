/* SPDX-License-Identifier: MIT
 *
 * timer.c: timers in map values: the argument of helpers is exactly the address of one, and
 * a timer belongs to the map that holds it.
 */
#include "verify/rule/hcall.h"

static s32 timer_off(const struct record *rec)
{
	for (u32 i = 0; rec && i < rec->n; i++)
		if (rec->fields[i].kind == FIELD_TIMER)
			return (s32)rec->fields[i].off;
	return -1;
}

int timer_arg(struct env *env, struct call *call, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;
	s32 timer;

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject_kind(env, regno, "map_value");
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_TIMER_CONST_OFF, regno);
	timer = timer_off(reg->map->record);
	if (timer < 0 || off != timer)
		return reject(env, RULE_TIMER_ARG, regno, off, timer);
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
