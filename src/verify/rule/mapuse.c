/* SPDX-License-Identifier: MIT
 *
 * mapuse.c: whether a program may use the maps that its instructions name, whatever it does
 * with them: by the kernel's program types, and by whether it sleeps. verify.c asks once,
 * before the walk.
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

static const char *field_word(enum field_kind kind)
{
	switch (kind) {
	case FIELD_LIST_HEAD:
	case FIELD_RB_ROOT:
		return "{list_head,rb_root}";
	case FIELD_LOCK:
		return "spin_lock";
	case FIELD_TIMER:
		return "timer";
	default:
		return "wq";
	}
}

static int check_fields(struct env *env, const struct image_map *map)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct record *rec = map->record;

	for (u32 i = 0; rec && i < rec->n; i++)
		if (type->no_fields & BIT(rec->fields[i].kind))
			return reject(env, RULE_MAP_FIELD_USE, type->no_fields_of,
				      field_word(rec->fields[i].kind));
	return 0;
}

static int check_map(struct env *env, const struct image_map *map)
{
	bool inner = map->inner >= 0 && (u32)map->inner < env->image->nmaps;

	TRY(check_fields(env, map));
	if (inner)
		TRY(check_fields(env, &env->image->maps[map->inner]));
	if (env->prog->sleepable && env->abi->sleepable_maps &&
	    !(env->abi->sleepable_maps & BIT64(map->type % 64)))
		return reject(env, RULE_MAP_SLEEPS);
	return 0;
}

int check_maps_used(struct env *env)
{
	const struct insn *insns = env->prog->insns;
	const struct image_map *arena = NULL, *map;

	if (!env->prog->type)
		return 0;
	for (env->insn = 0; env->insn < env->prog->ninsns; env->insn++) {
		u8 op = env->notes[env->insn].op;

		if (op != OP_LD_MAP && op != OP_LD_MAP_VALUE)
			continue;
		map = &env->image->maps[insns[env->insn].imm];
		TRY(check_map(env, map));
		TRY(check_one_arena(env, map, &arena));
	}
	return 0;
}
