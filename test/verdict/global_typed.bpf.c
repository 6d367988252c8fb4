/* SPDX-License-Identifier: MIT
 *
 * Global functions with host objects for arguments (rule book B49), and host variables.
 */
#include "setup.h"

__noinline int use_trusted(struct T *t __arg_trusted)
{
	return t_use(t);
}

ACCEPT RETVAL(7)
P(argument)
{
	return use_trusted(t);
}

ACCEPT BOOK("C21") RETVAL(1)
P(owned)
{
	struct T *p = t_find(n);
	int pid;

	if (!p)
		return 0;
	pid = use_trusted(p);
	t_put(p);
	return pid;
}

ACCEPT BOOK("C22") RETVAL(0)
P(protected)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	return p ? use_trusted(p) : 0;
}

/* In a program that sleeps the section may end before the function does. */
REJECT(SIG_TRUSTED, "expected=trusted_ptr_") BOOK("B49")
	KERNEL(accept, "trusted as long as the call, there")
Q(protected_in_section)
{
	WITH_VALUE(v);
	struct T *p;
	int pid = 0;

	bpf_rcu_read_lock();
	p = v->ref;
	if (p)
		pid = use_trusted(p);
	bpf_rcu_read_unlock();
	return pid;
}

REJECT(SIG_TRUSTED, "R1 type=untrusted_ptr_") BOOK("C23")
P(untrusted)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	return p ? use_trusted(p) : 0;
}

__noinline int use_nullable(struct T *t __arg_trusted __arg_nullable)
{
	return t ? t_use(t) : 0;
}

ACCEPT BOOK("C24") RETVAL(0)
P(perhaps_null)
{
	WITH_VALUE(v);
	return use_nullable(v->ref);
}

REJECT(SIG_TRUSTED, "expected=trusted_ptr_")
P(perhaps_null_where_not_allowed)
{
	WITH_VALUE(v);
	return use_trusted(v->ref);
}

__noinline int look(struct T *t __attribute__((btf_decl_tag("arg:untrusted"))))
{
	return t ? t->pid : 0;
}

ACCEPT BOOK("C25") RETVAL(0)
P(untrusted_allowed)
{
	WITH_VALUE(v);
	return look(v->un) + look(v->ref);
}

__noinline int use_outer(struct B *b __arg_trusted)
{
	return b_use(b);
}

REJECT(SIG_STRUCT, "is no pointer to struct B")
P(another_struct)
{
	return use_outer((struct B *)t);
}

/* ---- host variables ---- */

#ifndef FOR_KERNEL
extern const int host_number __ksym;
extern const struct T host_thing __ksym;
extern const void host_void __ksym;

ACCEPT RETVAL(0)
P(variable)
{
	return host_number & 0;
}

REJECT(MEM_WRITE, "cannot write into")
P(variable_written)
{
	int *p = (int *)&host_number;

	hide(p);
	*p = 1;
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=4 off=4 size=4")
P(beyond_variable)
{
	return ((volatile const int *)&host_number)[1];
}

REJECT(KSYM_TYPE, "has no usable type")
P(variable_without_type)
{
	const void *p = &host_void;

	hide(p);
	return p == NULL;
}
#endif

#ifndef FOR_KERNEL
/* A host-freed object may have no count left while the section lasts: not as trusted. */
struct native {
	struct N __kptr *n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct native);
} natives SEC(".maps");

__noinline int native_id(struct N *n __arg_trusted)
{
	return n->id;
}

REJECT(SIG_TRUSTED, "R1 type=rcu_ptr_") BOOK("B49")
P(native_as_trusted)
{
	__u32 zero = 0;
	struct native *v = bpf_map_lookup_elem(&natives, &zero);
	struct N *p = v ? v->n : NULL;

	return p ? native_id(p) : 0;
}

ACCEPT BOOK("J9") RETVAL(0)
P(native_read_in_section)
{
	__u32 zero = 0;
	struct native *v = bpf_map_lookup_elem(&natives, &zero);
	struct N *p = v ? v->n : NULL;

	return p ? p->id : 0;
}
#endif
