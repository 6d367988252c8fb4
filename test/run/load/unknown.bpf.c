/* SPDX-License-Identifier: MIT
 *
 * A program of no type that the host has.
 */
#include "load.h"

SEC("submarine") int dive(void *ctx)
{
	return 0;
}
