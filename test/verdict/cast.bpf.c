/* SPDX-License-Identifier: MIT
 *
 * Casts to structs of the host (rule book B40, J12).
 */
#include "local.h"

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

#define host_id(type) __builtin_btf_type_id(*(type *)0, 1)

REJECT(KFUNC_RCU, "R1 must be a rcu pointer") BOOK("C18")
P(cast_and_acquired)
{
	struct T *p = t_get(bpf_rdonly_cast(t, host_id(struct T)));

	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("C19")
P(cast_and_read)
{
	struct T *p = bpf_rdonly_cast(t, host_id(struct T));

	return p->pid & 0;
}

REJECT(CAST, "R1 type=scalar cannot be cast to a struct of the host") BOOK("C20")
	POLICY(kernel, accept) KERNEL(accept, "whatever a register holds is cast there")
P(number_cast)
{
	struct T *p = bpf_rdonly_cast((void *)(long)n, host_id(struct T));

	return p->pid & 0;
}

/* What is in an object of the program's own are its numbers, whatever became of the object. */
#ifndef FOR_KERNEL
REJECT(CAST, "cannot be cast to a struct of the host")
P(remembered_object_cast)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_rdonly_cast(v->unl, host_id(struct T));
	return p->leader->pid & 0;
}

REJECT(CAST, "cannot be cast to a struct of the host")
Q(object_cast_after_its_section)
{
	struct L *l;
	struct T *p;

	WITH_VALUE(v);
	bpf_rcu_read_lock();
	l = v->loc;
	bpf_rcu_read_unlock();
	p = bpf_rdonly_cast(l, host_id(struct T));
	return p->leader->pid & 0;
}
#endif

REJECT(CAST_TYPE, "type ID argument must be of a struct")
P(cast_to_nothing)
{
	struct T *p = bpf_rdonly_cast(t, 1u << 30);

	return p->pid & 0;
}

/* No program type of a process has a context that is a struct of the host's. */
#ifndef FOR_KERNEL
extern void *bpf_cast_to_kern_ctx(void *obj) __ksym;

REJECT(UNSUPPORTED, "unsupported: bpf_cast_to_kern_ctx")
P(context_cast)
{
	return bpf_cast_to_kern_ctx(ctx) != NULL;
}
#endif
