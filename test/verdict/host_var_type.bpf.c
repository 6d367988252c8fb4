/* SPDX-License-Identifier: MIT
 *
 * A variable of the host declared as what it is not.
 */
#include "setup.h"

#ifndef FOR_KERNEL
OBJECT_REJECT("extern variable 't_limit': declared here as 'const long t_limit' but the host has 'int t_limit'");

extern const long t_limit __ksym;

ACCEPT
P(number)
{
	return t_limit;
}
#endif
