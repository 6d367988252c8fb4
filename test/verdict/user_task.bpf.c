/* SPDX-License-Identifier: MIT
 *
 * Reading the memory of an object's own address space (rule book J18-J20), and texts of the
 * current one: in programs that may sleep.
 */
#include "local.h"

#ifndef FOR_KERNEL
extern int bpf_copy_from_user_str(void *dst, __u32 dst__sz, const void *unsafe_ptr__ign,
				  __u64 flags) __ksym;
extern int bpf_copy_from_user_task_str(void *dst, __u32 dst__sz, const void *unsafe_ptr__ign,
				       struct T *t, __u64 flags) __ksym;

/* In the kernel the object is a task; here any that has a space. */
#define copy_from(dst, size, at, object, flags)                                          \
	bpf_copy_from_user_task(dst, size, (const void *)(at), (void *)(object), flags)

/* No space is given to these here: what cannot be read is -EFAULT, and zeros. */
ACCEPT RETVAL(-14)
Q(copied)
{
	long x = 1;
	long err = copy_from(&x, sizeof(x), 4096, t, 0);

	return x ? x : err;
}

ACCEPT RETVAL(-14)
Q(text_copied)
{
	char text[16] = {1};
	int err = bpf_copy_from_user_task_str(text, sizeof(text), (void *)4096, t, 0);

	return text[0] ? text[0] : err;
}

ACCEPT RETVAL(-14)
Q(current_text_copied)
{
	char text[16] = {1};
	int err = bpf_copy_from_user_str(text, sizeof(text), (void *)4096, 1);

	return text[0] ? text[0] : err;
}

/* By a user pointer, of an object that is owned. */
ACCEPT
Q(owned)
{
	struct T *p = t_find(n);
	long x = 0;

	if (!p)
		return 0;
	copy_from(&x, sizeof(x), p->up, p, 0);
	t_put(p);
	return 0;
}

REJECT(SLEEP_PROG, "helper call might sleep in a non-sleepable prog") BOOK("U10")
P(without_sleep)
{
	long x;

	return copy_from(&x, sizeof(x), 4096, t, 0) & 0;
}

REJECT(SLEEP_PROG, "might sleep in a non-sleepable prog") BOOK("U10")
P(text_without_sleep)
{
	char text[16];

	return bpf_copy_from_user_str(text, sizeof(text), (void *)4096, 0) & 0;
}

REJECT(SLEEP_RCU, "sleepable") BOOK("U11")
Q(inside_a_section)
{
	char text[16];

	bpf_rcu_read_lock();
	bpf_copy_from_user_task_str(text, sizeof(text), (void *)4096, t, 0);
	bpf_rcu_read_unlock();
	return 0;
}

REJECT(SPACE_OWNER, "objects of struct U have no address space")
Q(of_a_type_without)
{
	struct U *u = u_find(n);
	long x = 0;

	if (!u)
		return 0;
	copy_from(&x, sizeof(x), 4096, u, 0);
	u_put(u);
	return 0;
}

REJECT(SPACE_OWNER, "objects of struct T have no address space")
Q(of_a_part)
{
	long x = 0;

	return copy_from(&x, sizeof(x), 4096, (char *)t + 16, 0) & 0;
}

REJECT(ARG_KIND, "type=untrusted_ptr_or_null_")
Q(of_what_may_be_gone)
{
	long x = 0;

	WITH_VALUE(v);
	return copy_from(&x, sizeof(x), 4096, v->un, 0) & 0;
}

REJECT(ARG_KIND, "type=trusted_ptr_ expected=scalar, user_ptr_")
Q(of_the_host_itself)
{
	long x = 0;

	return copy_from(&x, sizeof(x), t, t, 0) & 0;
}

REJECT(ARG_FLAGS, "doesn't support non-zero flags")
Q(with_flags)
{
	long x = 0;

	return copy_from(&x, sizeof(x), 4096, t, 1) & 0;
}

REJECT(COPY_FLAGS, "takes no flags but BPF_F_PAD_ZEROS")
Q(text_with_flags)
{
	char text[16];

	return bpf_copy_from_user_str(text, sizeof(text), (void *)4096, n) & 0;
}

REJECT(SLOT_INDIRECT, "cannot be accessed indirectly")
Q(over_a_field)
{
	WITH_VALUE(v);
	return bpf_copy_from_user_task_str(&v->loc, 8, (void *)4096, t, 0) & 0;
}
#endif
