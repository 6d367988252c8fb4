/* SPDX-License-Identifier: MIT
 *
 * A function of the engine, declared as something that it is not.
 */
#define bpf_preempt_enable preempt_enable_as_it_is
#include "verdict.h"
#undef bpf_preempt_enable

OBJECT_REJECT("which is not what the engine provides under that name");

extern int bpf_preempt_enable(int how) __ksym;

P(declared_with_an_argument)
{
	return bpf_preempt_enable(n);
}
