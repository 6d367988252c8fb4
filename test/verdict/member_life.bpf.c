/* SPDX-License-Identifier: MIT
 *
 * How long what members of an object point to may be used: as long as the object, which is
 * until its reference is given back, or the end of the read section where puts wait for it.
 */
#include "verdict.h"

#ifndef FOR_KERNEL
extern int x_use(struct X *x) __ksym;

struct val {
	struct T __kptr *kept;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct val);
} vals SEC(".maps");

static struct val *find(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&vals, &key);
}

REJECT(BTF_RDONLY, "only read is supported")
Q(percpu_member_is_read)
{
	struct val *v = find();
	struct X *x, *one;
	struct T *kept;

	bpf_rcu_read_lock();
	kept = v ? v->kept : NULL;
	x = kept ? kept->percpu : NULL;
	if (x) {
		one = bpf_this_cpu_ptr(x);
		one->a = n;
	}
	bpf_rcu_read_unlock();
	return 0;
}

ACCEPT RETVAL(0)
Q(percpu_member_in_section)
{
	struct val *v = find();
	struct T *kept;
	struct X *x;
	long a = 0;

	bpf_rcu_read_lock();
	kept = v ? v->kept : NULL;
	x = kept ? kept->percpu : NULL;
	if (x)
		a = ((struct X *)bpf_this_cpu_ptr(x))->a;
	bpf_rcu_read_unlock();
	return a;
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted")
Q(percpu_member_after_section)
{
	struct val *v = find();
	struct X *x, *one;
	struct T *kept;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	kept = v->kept;
	x = kept ? kept->percpu : NULL;
	if (!x) {
		bpf_rcu_read_unlock();
		return 0;
	}
	one = bpf_this_cpu_ptr(x);
	bpf_rcu_read_unlock();
	return x_use(one);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(percpu_member_after_put)
{
	struct U *u = u_find(n);
	struct X *x, *one;

	if (!u)
		return 0;
	x = u->percpu;
	if (!x) {
		u_put(u);
		return 0;
	}
	one = bpf_this_cpu_ptr(x);
	u_put(u);
	return one->a;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(trusted_member_after_put)
{
	struct U *u = u_find(n);
	struct T *chief;

	if (!u)
		return 0;
	chief = u->chief;
	u_put(u);
	return chief ? chief->pid : 0;
}

ACCEPT RETVAL(0)
P(trusted_member_before_put)
{
	struct U *u = u_find(n);
	struct T *chief;
	int pid;

	if (!u)
		return 0;
	chief = u->chief;
	pid = chief ? t_use(chief) : 0;
	u_put(u);
	return pid & 0;
}
#endif
