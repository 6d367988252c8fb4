/* SPDX-License-Identifier: MIT
 *
 * A host function that is not there, and is needed.
 */
#include "load.h"

struct load_host;

extern int load_no_such(int n) __ksym;

SEC("hook/load_hook") int BPF_PROG(call, struct load_host *h, int n)
{
	return load_no_such(n);
}
