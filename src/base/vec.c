/* SPDX-License-Identifier: MIT
 *
 * vec.c: growth of arrays, by half again, never past 2^32 - 1 elements.
 */
#include "base/vec.h"

bool vec_grow(void **v, u32 *cap, u64 need, size_t size)
{
	u64 want = (u64)*cap + *cap / 2 + 8;
	void *p;

	if (want < need)
		want = need;
	if (want > UINT32_MAX || want > SIZE_MAX / size)
		return false;
	p = realloc(*v, (size_t)want * size);
	if (!p)
		return false;
	*v = p;
	*cap = (u32)want;
	return true;
}
