/* SPDX-License-Identifier: MIT
 *
 * helper_dynptr.c: helpers that make, read and write dynptrs. What does not fit is
 * refused here: sizes and offsets are known at run time only.
 */
#include "run/helper/dynptr.h"
#include "run/helper/helpers.h"

/* long(data, size, flags, dynptr): 0; -E2BIG, -EINVAL and a dynptr of nothing. */
HELPER_FN(dynptr_from_mem)
{
	struct dynptr *p = helper_ptr(d);

	*p = (struct dynptr){0};
	if (b > DYNPTR_MAX)
		return helper_err(-E2BIG);
	if (c)
		return helper_err(-EINVAL);
	*p = (struct dynptr){helper_ptr(a), (u32)b, 0};
	return 0;
}

/* long(to, len, dynptr, off, flags): 0, -E2BIG out of bounds, -EINVAL. */
HELPER_FN(dynptr_read)
{
	return helper_err(e ? -EINVAL : dynptr_read(helper_ptr(c), (u32)d, helper_ptr(a), (u32)b));
}

/* long(dynptr, off, from, len, flags): 0, -E2BIG out of bounds, -EINVAL. */
HELPER_FN(dynptr_write)
{
	return helper_err(e ? -EINVAL : dynptr_write(helper_ptr(a), (u32)b, helper_ptr(c), (u32)d));
}

/* void *(dynptr, off, len): their address, or NULL. */
HELPER_FN(dynptr_data)
{
	const struct dynptr *p = helper_ptr(a);

	return dynptr_writable(p) ? (uintptr_t)dynptr_at(p, (u32)b, (u32)c) : 0;
}
