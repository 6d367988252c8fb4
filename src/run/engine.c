/* SPDX-License-Identifier: MIT
 *
 * engine.c: functions that programs import as from the host, but that are the engine's own:
 * the verifier knows what each means (src/abi/special.def), and they are called as the
 * program declares them, within the shape that special.def allows.
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
	enum kfunc_special special;
	void (*fn)(void);
} funcs[] = {
	{KS_RCU_READ_LOCK,   read_lock},
	{KS_RCU_READ_UNLOCK, read_unlock},
	{KS_PREEMPT_DISABLE, nothing},
	{KS_PREEMPT_ENABLE,  nothing},
};

int engine_export(struct pintle_host *host)
{
	for (u32 i = 0; i < ARRAY_SIZE(funcs); i++)
		TRY(export_special(host, funcs[i].special, funcs[i].fn));
	return 0;
}
