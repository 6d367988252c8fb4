/* SPDX-License-Identifier: MIT
 *
 * Variables of the host: to be read, as what they are; structs may be passed on.
 */
#include "setup.h"

#ifndef FOR_KERNEL
extern const int t_limit __ksym;
extern struct M t_mask __ksym;
extern const int not_there __ksym __weak;

ACCEPT RETVAL(5)
P(number)
{
	return t_limit;
}

ACCEPT RETVAL(7)
P(struct_passed_on)
{
	return m_count(&t_mask);
}

ACCEPT RETVAL(4)
P(struct_read)
{
	return t_mask.bits[1];
}

ACCEPT RETVAL(1)
P(weak_and_absent)
{
	return &not_there == NULL;
}

REJECT(MEM_WRITE, "cannot write into")
P(number_written)
{
	*(volatile int *)&t_limit = 6;
	return 0;
}

REJECT(BTF_RDONLY, "only read is supported")
P(struct_written)
{
	t_mask.bits[0] = 1;
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory")
P(beyond_the_number)
{
	return ((volatile int *)&t_limit)[1];
}
#endif
