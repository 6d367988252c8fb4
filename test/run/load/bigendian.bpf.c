// CFLAGS: --target=bpfeb
/* SPDX-License-Identifier: MIT
 *
 * For another byte order.
 */
#include "load.h"

SEC("hook/load_hook") int answer(void *ctx)
{
	return 42;
}
