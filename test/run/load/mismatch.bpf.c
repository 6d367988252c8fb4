/* SPDX-License-Identifier: MIT
 *
 * A host function declared otherwise than it is.
 */
#include "load.h"

struct load_host;

extern long load_twice(struct load_host *h, int n) __ksym;

SEC("hook/load_hook") int BPF_PROG(call, struct load_host *h, int n)
{
	return load_twice(h, n);
}
