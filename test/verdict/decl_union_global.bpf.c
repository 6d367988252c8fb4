/* SPDX-License-Identifier: MIT
 *
 * A global variable that is a union.
 */
#include "verdict.h"

POLICY(kernel, accept)
OBJECT_REJECT("members of unions cannot be special fields");

union either {
	struct T __kptr *ref;
	long number;
};

union either either SEC(".data.either") = {.number = 1};
