/* SPDX-License-Identifier: MIT
 *
 * References across control flow (rule book K.10).
 */
#include "setup.h"

REJECT(REF_LEAK, "Unreleased reference") BOOK("F01")
P(never_put)
{
	return t_find(n) != NULL;
}

ACCEPT BOOK("F02") RETVAL(1)
P(put)
{
	struct T *p = t_find(n);

	if (p)
		t_put(p);
	return 1;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F03")
P(early_return)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	if (n > 3)
		return 1;
	t_put(p);
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("F04")
P(read_after_put)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	return p->pid;
}

REJECT(KFUNC_PTR, "must point to scalar, or struct with scalar") BOOK("F05")
P(put_twice)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	t_put(p);
	return 0;
}

ACCEPT BOOK("F06") RETVAL(1)
P(spilled_and_put)
{
	struct T *volatile p = t_find(n), *again = p;

	if (again)
		t_put(again);
	return 1;
}

/* A spill that loses a byte is no pointer any more; the reference stays owed. */
REJECT(REF_LEAK, "Unreleased reference") BOOK("F07")
P_ASM(spill_overwritten)
{
	ASM("r1 = 1				\n"
	    "call %[find]			\n"
	    "if r0 == 0 goto 1f			\n"
	    "*(u64 *)(r10 - 8) = r0		\n"
	    "*(u8 *)(r10 - 8) = 0		\n"
	    "1: r0 = 0				\n"
	    "exit" :: CONST(find, t_find) : "memory");
}

ACCEPT BOOK("F08") RETVAL(3)
P(in_a_loop)
{
	int found = 0;

	for (int i = 0; i < 3; i++) {
		struct T *p = t_find(i);

		if (!p)
			continue;
		found++;
		t_put(p);
	}
	return found;
}

static __noinline int give_back(struct T *p)
{
	t_put(p);
	return 1;
}

ACCEPT BOOK("F11") RETVAL(1)
P(put_by_subprogram)
{
	struct T *p = t_find(n);

	return p ? give_back(p) : 0;
}

static __noinline struct T *look_up(int id)
{
	return t_find(id);
}

ACCEPT BOOK("F12") RETVAL(1)
P(taken_by_subprogram)
{
	struct T *p = look_up(n);

	if (p)
		t_put(p);
	return 1;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F12")
P(taken_by_subprogram_not_put)
{
	return look_up(n) != NULL;
}

static __noinline int look_and_lose(int id)
{
	return t_find(id) != NULL;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F13")
P(lost_in_subprogram)
{
	return look_and_lose(n);
}

__noinline int global_lose(int id)
{
	return t_find(id) != NULL;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F14")
P(lost_in_global_function)
{
	return global_lose(n);
}

struct held {
	struct T *p;
	int sum;
};

static long use_held(__u32 i, void *ctx)
{
	struct held *held = ctx;

	held->sum += t_use(held->p);
	return 0;
}

ACCEPT BOOK("F15") RETVAL(2)
P(used_in_callback)
{
	struct held held = {t_find(n), 0};

	if (!held.p)
		return 0;
	bpf_loop(2, use_held, &held, 0);
	t_put(held.p);
	return held.sum;
}

static long put_held(__u32 i, void *ctx)
{
	t_put(((struct held *)ctx)->p);
	return 0;
}

/* The callback might never run ... */
REJECT(REF_LEAK, "Unreleased reference") BOOK("F16")
P(put_in_callback)
{
	struct held held = {t_find(n), 0};

	if (!held.p)
		return 0;
	bpf_loop(1, put_held, &held, 0);
	return 0;
}

/* ... or more than once. */
REJECT(RELEASE_CALLBACK, "Unreleased reference") BOOK("F16")
P(put_in_callback_and_after)
{
	struct held held = {t_find(n), 0};

	if (!held.p)
		return 0;
	bpf_loop(1, put_held, &held, 0);
	t_put(held.p);
	return 0;
}

static long take_and_lose(__u32 i, void *ctx)
{
	return t_find(i) == (void *)1;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F17")
P(lost_in_callback)
{
	bpf_loop(2, take_and_lose, NULL, 0);
	return 0;
}

static long take_and_put(__u32 i, void *ctx)
{
	struct T *p = t_find(i);

	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("F18") RETVAL(2)
P(taken_and_put_in_callback)
{
	return bpf_loop(2, take_and_put, NULL, 0);
}

static long store_held(__u32 i, void *ctx)
{
	struct held *held = ctx;
	struct value *v = element(A);
	struct T *old;

	if (!v)
		return 1;
	old = bpf_kptr_xchg(&v->ref, held->p);
	if (old)
		t_put(old);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F19")
P(stored_in_callback)
{
	struct held held = {t_find(n), 0};

	if (!held.p)
		return 0;
	bpf_loop(1, store_held, &held, 0);
	return 0;
}

static long take_out(void *map, __u32 *key, struct value *v, void *ctx)
{
	return bpf_kptr_xchg(&v->ref, NULL) == (void *)1;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("F20")
P(taken_out_in_callback)
{
	bpf_for_each_map_elem(&A, take_out, NULL, 0);
	return 0;
}

/* The run is one read section: what hung on the object is still there. */
ACCEPT BOOK("F21") RETVAL(1)
P(member_after_put)
{
	struct T *p = t_find(n), *leader;

	if (!p)
		return 0;
	leader = p->leader;
	t_put(p);
	return leader->pid;
}

REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("F22")
Q(member_after_put_sleepable)
{
	struct T *p = t_find(n), *leader;

	if (!p)
		return 0;
	leader = p->leader;
	t_put(p);
	return t_read(leader);
}

ACCEPT BOOK("F23") RETVAL(0)
P(compared)
{
	WITH_VALUE(v);
	struct T *p = t_find(n);
	int same;

	if (!p)
		return 0;
	same = p == v->ref;
	t_put(p);
	return same;
}

/* Both paths come to the same instruction; only one of them owes something. */
REJECT(REF_LEAK, "Unreleased reference") BOOK("F24")
P(two_paths)
{
	struct T *p = NULL;

	if (n > 3)
		p = t_find(n);
	hide(p);
	return n;
}

/* Only what owns a reference can give one back. */
REJECT(KFUNC_RELEASE, "expects refcounted") BOOK("C03")
P(argument_put)
{
	t_put(t);
	return 0;
}

REJECT(KFUNC_TWO_REFS, "more than one arg with ref_obj_id")
P(two_given)
{
	struct T *a = t_find(n), *b;

	if (!a)
		return 0;
	b = t_find(n);
	if (!b) {
		t_put(a);
		return 0;
	}
	t_merge(a, b);
	return 0;
}
