/* SPDX-License-Identifier: MIT
 *
 * The engine's own functions are declared by programs: what their arguments are is not for
 * the program to say, by a name that means "is not looked at".
 */
#define bpf_wq_start other_wq_start
#include "verdict.h"
#undef bpf_wq_start

extern int bpf_wq_start(struct bpf_wq *wq__ign, unsigned int flags) __ksym;

REJECT(WQ_VALUE, "arg#0 doesn't point to a map value")
P(work_ignored)
{
	return bpf_wq_start((void *)0x12345678, 0);
}
