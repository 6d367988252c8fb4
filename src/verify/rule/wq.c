/* SPDX-License-Identifier: MIT
 *
 * rule/wq.c: workqueues in map values: the argument of functions is exactly the address of
 * one, and its callback runs later, alone, and may sleep.
 */
#include "verify/rule/kcall.h"

static s32 wq_off(const struct record *rec)
{
	for (u32 i = 0; rec && i < rec->n; i++)
		if (rec->fields[i].kind == FIELD_WQ)
			return (s32)rec->fields[i].off;
	return -1;
}

int arg_wq(struct env *env, struct kcall *call, const struct karg *arg)
{
	const struct reg *reg = arg->reg;
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;
	s32 wq;

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject(env, RULE_WQ_VALUE, arg->i);
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_WQ_CONST_OFF, arg->regno);
	wq = wq_off(reg->map->record);
	if (wq < 0 || off != wq)
		return reject(env, RULE_WQ_OFF, off, wq);
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	call->map_of_wq = true;
	return 0;
}

static struct reg part_of_map(struct env *env, const struct kcall *call, enum reg_base base)
{
	struct reg reg = reg_pointer(base, 0);

	reg.map = call->map;
	reg.map_uid = call->map_uid;
	reg.id = base == REG_MAP_VALUE ? id_new(env) : 0; /* a lock is known by it */
	return reg;
}

/* int callback(void *map, int *key, void *value) */
int special_wq_set_callback(struct env *env, struct kcall *call)
{
	struct reg args[MAX_KARGS];

	TRY(kfunc_check_args(env, call));
	if (!call->map_of_wq)
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	args[0] = part_of_map(env, call, REG_MAP);
	args[1] = part_of_map(env, call, REG_MAP_KEY);
	args[2] = part_of_map(env, call, REG_MAP_VALUE);
	args[3] = args[4] = reg_none();
	env->notes[env->insn].proof.callback = env->prog->subprogs[call->subprog].start;
	TRY(call_callback(env, call->subprog, CB_WQ, args));
	return kfunc_result(env, call);
}
