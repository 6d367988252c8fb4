/* SPDX-License-Identifier: MIT
 *
 * arena.c: memory that programs share with whoever maps it (map type arena). An address in
 * it is only 32 bits that the machine adds to the arena's base, so any address may be read
 * and written: what is not mapped reads as 0. Hence no bounds and no trust: any arithmetic
 * on such a pointer is one again, what is read is a number, and pointers are numbers until
 * addr_space_cast says otherwise.
 *
 * An address in it is no secret, since all of it is the programs' and their host's; but no
 * other address becomes one (B10).
 */
#include "verify/rule/kcall.h"
#include "verify/walk.h"

enum { CAST_TO_PROGRAM = 1, CAST_TO_USER = 1 << 16 };

static bool is_arena(const struct image_map *map)
{
	return map->type == MAP_ARENA;
}

/* The program names an arena in one of its instructions. */
static bool has_arena(const struct env *env)
{
	for (u32 i = 0; i < env->prog->ninsns; i++) {
		const struct insn *insn = &env->prog->insns[i];

		if (env->notes[i].op != OP_LD_MAP && env->notes[i].op != OP_LD_MAP_VALUE)
			continue;
		if ((u32)insn->imm < env->image->nmaps &&
		    is_arena(&env->image->maps[insn->imm]))
			return true;
	}
	return false;
}

int check_one_arena(struct env *env, const struct image_map *map, const struct image_map **seen)
{
	if (!is_arena(map))
		return 0;
	if (*seen && *seen != map)
		return reject(env, RULE_ARENA_TWO);
	*seen = map;
	return 0;
}

struct reg arena_reg(void)
{
	return reg_pointer(REG_ARENA, 0);
}

int exec_cast(struct env *env, const struct insn *insn, u32 *next)
{
	if (insn->imm != CAST_TO_PROGRAM && insn->imm != CAST_TO_USER)
		return reject(env, RULE_ARENA_SPACES);
	if (!has_arena(env))
		return reject(env, RULE_ARENA_NONE);
	TRY(check_readable(env, insn->src));
	if (leaks_address(env, cur_reg(env, insn->src)))
		return reject(env, RULE_LEAK, insn->src, "arena");
	set_reg(env, insn->dst, insn->imm == CAST_TO_PROGRAM ? arena_reg() : reg_unknown());
	return 0;
}

int access_arena(struct env *env, struct access *acc)
{
	if (acc->sign)
		return reject(env, RULE_ARENA_LDSX);
	TRY(check_no_leak(env, acc, "arena"));
	acc->class_ = ACCESS_ARENA;
	return 0;
}

/* A number will do: the upper half is not looked at. */
int arena_arg(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);

	TRY(check_readable(env, regno));
	if (reg->base != REG_ARENA && reg->base != REG_SCALAR)
		return reject(env, RULE_ARENA_ARG, regno);
	return check_number_arg(env, regno);
}

/* bpf_arena_alloc_pages(map, addr, ...), bpf_arena_free_pages(map, addr, ...): the rest are
 * numbers. */
static int check_args(struct env *env, struct kcall *call)
{
	const struct reg *map = cur_reg(env, R1);

	TRY(check_readable(env, R1));
	if (map->base != REG_MAP || map->flags || !is_arena(map->map))
		return reject_kind(env, R1, "arena map");
	TRY(arena_arg(env, R2));
	for (u32 i = 2; i < btf_vlen(call->proto); i++)
		TRY(kfunc_check_arg(env, call, i));
	return 0;
}

int special_arena_alloc(struct env *env, struct kcall *call)
{
	TRY(check_args(env, call));
	kfunc_set_result(env, arena_reg());
	return 0;
}

int special_arena_free(struct env *env, struct kcall *call)
{
	TRY(check_args(env, call));
	return kfunc_result(env, call);
}
