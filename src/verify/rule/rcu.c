/* SPDX-License-Identifier: MIT
 *
 * rcu.c: explicit read sections (B41-B44), regions without preemption, and where functions that may block can be
 * called (B32).
 *
 * When the last section around a pointer ends, what it protected is untrusted. In programs
 * that do not sleep the whole run is a section, so an explicit pair changes nothing, unless
 * policy unlock_612 asks for the kernel's way (I25, I26).
 */
#include "verify/rule/rule.h"

int rcu_enter(struct env *env, const char *name)
{
	if (env->cur->rcu_depth)
		return reject(env, RULE_RCU_NEST, name);
	env->cur->rcu_depth++;
	return 0;
}

static void downgrade(struct reg *reg, void *data)
{
	const bool *drops_null = data;
	const u16 gone = F_RCU | F_ALLOC | F_NONOWN | (*drops_null ? F_NULL : 0);

	if (reg->base == REG_MEM && reg->flags & F_RCU) { /* of an object's per-CPU member */
		*reg = reg_address();
		return;
	}
	if (reg->base != REG_BTF || !(reg->flags & F_RCU))
		return;
	/* Kernels have no rule for what is left of these. */
	if (*drops_null && (reg->flags & (F_ALLOC | F_NONOWN)) == F_ALLOC) {
		*reg = reg_address();
		return;
	}
	reg->flags = (reg->flags & ~gone) | F_UNTRUSTED;
}

void rcu_downgrade(struct env *env)
{
	bool drops_null = env->abi->policy.unlock_612;

	state_each_reg(env->cur, downgrade, &drops_null);
	iter_downgrade(env);
}

int rcu_leave(struct env *env, const char *name)
{
	if (!env->cur->rcu_depth)
		return reject(env, RULE_RCU_UNMATCHED, name);
	env->cur->rcu_depth--;
	if (!in_read_section(env) || env->abi->policy.unlock_612)
		rcu_downgrade(env);
	return 0;
}

int preempt_enable(struct env *env, const char *name)
{
	if (!env->cur->preempt_depth)
		return reject(env, RULE_PREEMPT_UNMATCHED, name);
	env->cur->preempt_depth--;
	return 0;
}

int check_may_sleep(struct env *env, const char *name, u32 helper)
{
	char who[96];

	if (!env->cur->sleepable)
		return reject(env, RULE_SLEEP_PROG, name);
	if (helper)
		snprintf(who, sizeof(who), "sleepable helper %s#%u in", name, helper);
	else
		snprintf(who, sizeof(who), "kernel func %s is sleepable within", name);
	if (env->cur->rcu_depth)
		return reject(env, RULE_SLEEP_RCU, who);
	if (env->cur->preempt_depth)
		return reject(env, RULE_SLEEP_PREEMPT, who);
	return check_call_under_lock(env, false);
}
