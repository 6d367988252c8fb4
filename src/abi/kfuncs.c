/* SPDX-License-Identifier: MIT
 *
 * kfuncs.c: why functions of the kernel's are not to be had in a process.
 */
#include "abi/abi.h"

const struct abi_gone *abi_kfunc_gone(const char *name)
{
	static const struct {
		const char *beginning;
		struct abi_gone gone;
	} families[] = {
#define FAMILY(beginning, why, instead) {beginning, {why, instead}},
#include "abi/kfuncs_gone.def"
	};
	const struct abi_gone *best = NULL;
	size_t most = 0;

	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		size_t len = strlen(families[i].beginning);

		if (len <= most || strncmp(name, families[i].beginning, len))
			continue;
		most = len;
		best = &families[i].gone;
	}
	return best;
}
