/* SPDX-License-Identifier: MIT
 *
 * engine.c: functions that programs import as from the host, but that are the engine's own:
 * the verifier knows what each means (enum kfunc_special), so they have no types.
 *
 * A run keeps its execution slot to its end, so "this CPU" never changes and nobody else
 * runs on it: disabling preemption has nothing left to do.
 */
#include "run/run.h"

static void read_lock(void)
{
	run_read_lock(slot_current()->host);
}

static void read_unlock(void)
{
	run_read_unlock(slot_current()->host);
}

static void nothing(void)
{
}

static const struct engine_func {
	const char *name;
	enum kfunc_special special;
	void (*fn)(void);
} funcs[] = {
	{"bpf_rcu_read_lock",	KS_RCU_READ_LOCK,   read_lock},
	{"bpf_rcu_read_unlock", KS_RCU_READ_UNLOCK, read_unlock},
	{"bpf_preempt_disable", KS_PREEMPT_DISABLE, nothing},
	{"bpf_preempt_enable",	KS_PREEMPT_ENABLE,  nothing},
};

int engine_export(struct pintle_host *host)
{
	for (u32 i = 0; i < ARRAY_SIZE(funcs); i++)
		TRY(export_special(host, funcs[i].name, funcs[i].special, funcs[i].fn));
	return 0;
}
