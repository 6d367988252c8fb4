/* SPDX-License-Identifier: MIT
 *
 * exec_imm.c: 64-bit immediates: numbers, maps, values of data maps, host variables,
 * subprograms. cfg.c has checked the indexes.
 */
#include "verify/walk.h"

static struct reg map_reg(struct env *env, enum reg_base base, u32 map)
{
	struct reg reg = reg_pointer(base, 0);

	reg.map = &env->image->maps[map];
	return reg;
}

/* D1, D4: per-CPU variables must be opened by a helper; structs are typed; the rest is
 * memory to read. */
static int var_reg(struct env *env, const struct image_ksym *sym, struct reg *out)
{
	bool percpu = sym->var && sym->var->percpu;
	const struct btf_type *type;
	u32 id;

	if (!sym->found) {
		*out = reg_const(0); /* weak, and absent */
		return 0;
	}
	if (!sym->btf || sym->is_func)
		return reject(env, RULE_KSYM_TYPE, sym->name);
	id = btf_skip_mods(sym->btf, sym->type);
	type = btf_type(sym->btf, id);
	if (btf_kind(type) == BTF_STRUCT || percpu) {
		u16 trust = env->abi->policy.legacy_walk ? 0 : F_TRUSTED;

		*out = reg_btf(sym->btf, id, percpu ? F_PERCPU : trust);
		return 0;
	}
	*out = reg_pointer(REG_MEM, F_RDONLY);
	if (!btf_size(sym->btf, id, &out->mem_size))
		return reject(env, RULE_KSYM_TYPE, sym->name);
	return 0;
}

int exec_imm64(struct env *env, const struct insn *insn, u32 *next)
{
	struct reg reg = reg_const((u32)insn[0].imm | (u64)(u32)insn[1].imm << 32);

	switch (insn->src) {
	case IMM_MAP:
		reg = map_reg(env, REG_MAP, (u32)insn->imm);
		break;
	case IMM_MAP_VALUE:
		if (env->image->maps[insn->imm].type == MAP_ARENA) {
			reg = reg_unknown(); /* as whoever maps it sees it */
			break;
		}
		reg = map_reg(env, REG_MAP_VALUE, (u32)insn->imm);
		reg.off = insn[1].imm;
		break;
	case IMM_KSYM:
		TRY(var_reg(env, &env->image->ksyms[insn->imm], &reg));
		break;
	case IMM_FUNC:
		reg = reg_pointer(REG_FUNC, 0);
		reg.subprog = (u32)subprog_at(env, jump_target(env, env->insn));
		break;
	default:
		break;
	}
	set_reg(env, insn->dst, reg);
	return 0;
}
