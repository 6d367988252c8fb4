/* SPDX-License-Identifier: MIT
 *
 * Read sections (rule book K.9), and where functions that block may be called.
 */
#include "setup.h"

REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("R01")
Q(no_section)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("R02") RETVAL(0)
Q(section)
{
	WITH_VALUE(v);
	struct T *p;

	bpf_rcu_read_lock();
	p = v->ref;
	if (p)
		p = t_get(p);
	bpf_rcu_read_unlock();
	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("R03")
Q(used_after_section)
{
	WITH_VALUE(v);
	struct T *p;

	bpf_rcu_read_lock();
	p = v->ref;
	bpf_rcu_read_unlock();
	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("R04") RETVAL(0)
Q(read_after_section)
{
	WITH_VALUE(v);
	struct T *p;

	bpf_rcu_read_lock();
	p = v->ref;
	if (!p) {
		bpf_rcu_read_unlock();
		return 0;
	}
	bpf_rcu_read_unlock();
	return p->pid;
}

/* The end of a section does not prove that a pointer is there. */
REJECT(NULL_DEREF, "invalid mem access 'untrusted_ptr_or_null_") BOOK("R05") POLICY(kernel, accept)
	KERNEL(accept, "the end of a section drops the NULL there")
Q(untested_after_section)
{
	WITH_VALUE(v);
	struct T *p;

	bpf_rcu_read_lock();
	p = v->ref;
	bpf_rcu_read_unlock();
	return p->pid;
}

REJECT(RCU_NEST, "nested rcu read lock") BOOK("R06")
Q(nested)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_rcu_read_unlock();
	return 0;
}

REJECT(RCU_UNMATCHED, "unmatched rcu read unlock") BOOK("R07")
Q(unlock_alone)
{
	bpf_rcu_read_unlock();
	return 0;
}

REJECT(RCU_OPEN, "cannot be used inside bpf_rcu_read_lock-ed region") BOOK("R08")
Q(left_open)
{
	bpf_rcu_read_lock();
	return 0;
}

static __noinline int leave(void)
{
	bpf_rcu_read_unlock();
	return 0;
}

ACCEPT BOOK("R09") RETVAL(0)
Q(closed_by_subprogram)
{
	bpf_rcu_read_lock();
	return leave();
}

__noinline int global_plain(int n)
{
	return n + 1;
}

__noinline int global_nap(int n)
{
	struct T *p = t_find(n);
	int out = 0;

	if (p) {
		out = t_nap(p);
		t_put(p);
	}
	return out;
}

ACCEPT BOOK("R10") RETVAL(2)
Q(global_function_inside)
{
	int out;

	bpf_rcu_read_lock();
	out = global_plain(n);
	bpf_rcu_read_unlock();
	return out;
}

REJECT(GLOBAL_SLEEP, "global functions that may sleep are not allowed") BOOK("R10")
Q(sleeping_global_function_inside)
{
	int out;

	bpf_rcu_read_lock();
	out = global_nap(n);
	bpf_rcu_read_unlock();
	return out;
}

static long raise_one(__u32 i, void *data)
{
	struct T *p = t_find(i);

	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("R11") RETVAL(0)
Q(loop_inside)
{
	bpf_rcu_read_lock();
	bpf_loop(2, raise_one, NULL, 0);
	bpf_rcu_read_unlock();
	return 0;
}

ACCEPT BOOK("R12") RETVAL(0)
P(pair_without_loads)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

/* The run of a program that does not sleep is a section as a whole. */
ACCEPT BOOK("R13") POLICY(kernel, reject, "R1 must be a rcu pointer") RETVAL(0)
	KERNEL(reject, "the end of any section downgrades there")
P(pair_changes_nothing)
{
	WITH_VALUE(v);
	struct T *p;

	bpf_rcu_read_lock();
	p = v->ref;
	bpf_rcu_read_unlock();
	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("R14") RETVAL(0)
Q(lock_is_a_section)
{
	struct locked *l = element(C);
	struct T *p;

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	p = l->ref;
	if (p)
		l->x = p->pid;
	bpf_spin_unlock(&l->lock);
	return 0;
}

REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("R15")
Q(preemption_is_none)
{
	WITH_VALUE(v);
	struct T *p;

	bpf_preempt_disable();
	p = v->ref;
	if (p)
		p = t_get(p);
	bpf_preempt_enable();
	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("R16")
Q(member_outside)
{
	struct T *p = t_get(t->parent);

	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("R17")
Q(member_inside)
{
	struct T *p;

	bpf_rcu_read_lock();
	p = t_get(t->parent);
	bpf_rcu_read_unlock();
	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("R18")
Q(two_members_inside)
{
	struct T *p;

	bpf_rcu_read_lock();
	p = t_get(t->parent->leader);
	bpf_rcu_read_unlock();
	if (p)
		t_put(p);
	return 0;
}

REJECT(SLEEP_RCU, "kernel func t_nap is sleepable within rcu_read_lock region") BOOK("R19")
Q(nap_inside)
{
	bpf_rcu_read_lock();
	t_nap(t);
	bpf_rcu_read_unlock();
	return 0;
}

/* ---- blocking ---- */

REJECT(SLEEP_PROG, "program must be sleepable to call sleepable kfunc t_nap")
P(nap)
{
	return t_nap(t);
}

ACCEPT RETVAL(7)
Q(sleepable_nap)
{
	return t_nap(t);
}

REJECT(SLEEP_PREEMPT, "kernel func t_nap is sleepable within non-preemptible region")
Q(nap_not_preemptible)
{
	bpf_preempt_disable();
	t_nap(t);
	bpf_preempt_enable();
	return 0;
}

REJECT(PREEMPT_OPEN, "cannot be used inside bpf_preempt_disable-ed region")
P(preemption_left_disabled)
{
	bpf_preempt_disable();
	return 0;
}

ACCEPT RETVAL(0)
P(preemption_pairs_nest)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_preempt_enable();
	return 0;
}

REJECT(PREEMPT_UNMATCHED, "unmatched attempt to enable preemption")
P(preemption_enabled_alone)
{
	bpf_preempt_enable();
	return 0;
}
