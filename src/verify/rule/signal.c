/* SPDX-License-Identifier: MIT
 *
 * signal.c: programs that may run inside a signal handler (rule book J04, J27): what they
 * interrupt may hold any lock of the engine or of the host, and be half way through any
 * change of this thread's. So they call only what is marked as safe there, and move no
 * references: those that went would have to be put.
 */
#include "verify/rule/rule.h"

int check_in_signal(struct env *env, bool safe, const char *what)
{
	if (safe || !env->prog->type || !env->prog->type->in_signals)
		return 0;
	return reject(env, RULE_SIGNAL, what);
}
