/* SPDX-License-Identifier: MIT
 *
 * A setting of a kernel that is not here.
 */
#include "load.h"

struct load_host;

extern int CONFIG_HZ __kconfig;

SEC("hook/load_hook") int BPF_PROG(read, struct load_host *h, int n)
{
	return CONFIG_HZ;
}
