// CFLAGS: -g0
/* SPDX-License-Identifier: MIT
 *
 * Without -g: no BTF at all, which is fine when nothing needs it.
 */
#include "load.h"

SEC("hook/load_hook") int answer(void *ctx)
{
	return 42;
}
