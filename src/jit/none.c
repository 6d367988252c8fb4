/* SPDX-License-Identifier: MIT
 *
 * none.c: no generator for this machine: everything is interpreted.
 */
#include "jit/jit.h"

int jit_generate(const struct jit_rt *rt, struct log *log, const struct plan *plan,
		 struct jit_out *out)
{
	return log_fail(log, -ENOTSUP, "there is no native code for this machine");
}
