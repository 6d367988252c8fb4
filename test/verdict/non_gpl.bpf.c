/* SPDX-License-Identifier: MIT
 *
 * A host may reserve its types and functions to programs under a GPL-compatible licence
 * (rule book B33). This object is not.
 */
#define LICENSE "Proprietary"
#include "verdict.h"

REJECT(BTF_GPL, "Cannot access kernel 'struct T' from non-GPL compatible program") BOOK("L29")
P(object_read)
{
	return t->pid;
}

REJECT(HELPER_GPL, "cannot call GPL-restricted function from non-GPL compatible program")
P(function_called)
{
	return t_use(t);
}

ACCEPT RETVAL(1)
P(neither)
{
	return n;
}
