/* SPDX-License-Identifier: MIT
 *
 * percpu.c: per-CPU objects and variables (rule book section D): their allocation by
 * programs, and what opens them. Until it is opened a per-CPU pointer is no address of
 * memory: btfptr.c refuses every access.
 */
#include "verify/rule/kcall.h"

enum { MAX_SIZE = 512 };

/* D6 */
int special_percpu_obj_new(struct env *env, struct kcall *call)
{
	const struct btf *btf = env->image->btf;
	const struct record *rec;
	u32 type, size;

	if (env->abi->policy.no_local_types)
		return reject(env, RULE_KFUNC_ALLOW, call->kfunc->name);
	TRY(own_type_arg(env, &type));
	size = btf_type(btf, type)->size;
	if (size > MAX_SIZE)
		return reject(env, RULE_PERCPU_SIZE, size, (u32)MAX_SIZE);
	if (!btf_is_plain_data(btf, type))
		return reject(env, RULE_PERCPU_SCALARS);
	TRY(own_record(env, btf, type, &rec));
	if (rec)
		return reject(env, RULE_PERCPU_SPECIAL);
	return object_born(env, type, F_PERCPU);
}

int special_percpu_obj_drop(struct env *env, struct kcall *call)
{
	return object_dropped(env, call, true);
}

/* D3: not one that the program owns: the field it is in keeps it while it is open. */
int percpu_arg(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);
	u16 trust = reg->flags & (F_RCU | F_TRUSTED);

	if (reg->base != REG_BTF || (reg->flags & ~trust) != F_PERCPU || trust == (F_RCU | F_TRUSTED))
		return reject_kind(env, regno, "percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_");
	TRY(check_btf_offset(env, regno, reg));
	return reg->off ? reject(env, RULE_PERCPU_OFF, regno, reg->off) : 0;
}

/* D4: a host's variable is read, and stays as long as the engine; what a member points to
 * as long as the read section that protects the object. */
static int host_variable(struct env *env, const struct reg *percpu, struct reg *out)
{
	u32 id = btf_skip_mods(percpu->btf, percpu->type);
	u16 section = percpu->flags & F_RCU;

	if (btf_kind(btf_type(percpu->btf, id)) == BTF_STRUCT) {
		*out = reg_btf(percpu->btf, id,
			       env->abi->policy.legacy_walk ? 0 : section ? section : F_TRUSTED);
		return 0;
	}
	*out = reg_pointer(REG_MEM, F_RDONLY | section);
	if (!btf_size(percpu->btf, id, &out->mem_size))
		return reject(env, RULE_KSYM_TYPE, btf_type_name(percpu->btf, id));
	return 0;
}

int percpu_opened(struct env *env, const struct reg *percpu, bool may_miss, struct reg *out)
{
	bool local = percpu->btf == env->image->btf;

	if (local) /* D5 */
		*out = reg_btf(percpu->btf, percpu->type, F_ALLOC | F_RCU);
	else
		TRY(host_variable(env, percpu, out));
	out->owner = percpu->owner;
	if (!may_miss || (local && env->abi->policy.percpu_nonnull)) /* I23 */
		return 0;
	out->flags |= F_NULL;
	out->id = id_new(env);
	return 0;
}
