/* SPDX-License-Identifier: MIT
 *
 * A struct and its first member have one address, and are two types (rule book B14-B17).
 */
#include "local.h"

#ifndef FOR_KERNEL

extern void m_put(struct M *m) __ksym;

struct parts {
	struct M __kptr *m;
	struct T __kptr *t;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct parts);
} parts SEC(".maps");

static __always_inline struct parts *part(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&parts, &key);
}

REJECT(SLOT_TYPE, "invalid kptr access, R2 type=ptr_T expected=ptr_M") BOOK("X20")
P(part_stored)
{
	struct parts *v = part();
	struct T *p = v ? t_find(n) : NULL;
	struct M *old;

	if (!p)
		return 0;
	old = bpf_kptr_xchg(&v->m, &p->mask);
	if (old)
		m_put(old);
	return 0;
}

REJECT(KFUNC_TYPE, "but R1 has a pointer to STRUCT T") BOOK("C17")
P(whole_put_as_part)
{
	struct T *p = t_find(n);

	if (p)
		m_put(&p->mask);
	return 0;
}

ACCEPT
P(part_put)
{
	struct parts *v = part();
	struct M *old = v ? bpf_kptr_xchg(&v->m, NULL) : NULL;

	if (old)
		m_put(old);
	return 0;
}

/* ---- iterators of a read section ---- */

extern int bpf_iter_t_new(struct bpf_iter_t *it, int n) __ksym;
extern struct T *bpf_iter_t_next(struct bpf_iter_t *it) __ksym;
extern void bpf_iter_t_destroy(struct bpf_iter_t *it) __ksym;

REJECT(ITER_RCU, "expected an RCU CS when using") BOOK("R21")
Q(iterator_outside)
{
	struct bpf_iter_t it;

	bpf_iter_t_new(&it, n);
	bpf_iter_t_destroy(&it);
	return 0;
}

REJECT(KFUNC_RCU_CS, "requires RCU critical section protection") BOOK("R22")
Q(iterator_after_section)
{
	struct bpf_iter_t it;
	struct T *p;

	bpf_rcu_read_lock();
	bpf_iter_t_new(&it, n);
	bpf_rcu_read_unlock();
	p = bpf_iter_t_next(&it);
	bpf_iter_t_destroy(&it);
	return p != NULL;
}

ACCEPT
Q(iterator_in_section)
{
	struct bpf_iter_t it;
	struct T *p;
	int sum = 0;

	bpf_rcu_read_lock();
	bpf_iter_t_new(&it, n);
	while ((p = bpf_iter_t_next(&it)))
		sum |= t_read(p);
	bpf_iter_t_destroy(&it);
	bpf_rcu_read_unlock();
	return sum & 0;
}

/* ---- ends of programs that hold something ---- */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} progs SEC(".maps");

REJECT(RCU_OPEN, "tail_call cannot be used inside bpf_rcu_read_lock-ed region") BOOK("R20")
Q(tail_call_in_section)
{
	bpf_rcu_read_lock();
	bpf_tail_call(ctx, &progs, 0);
	bpf_rcu_read_unlock();
	return 0;
}

REJECT(RCU_OPEN, "bpf_throw cannot be used inside bpf_rcu_read_lock-ed region") BOOK("R20")
Q(throw_in_section)
{
	bpf_rcu_read_lock();
	if (n)
		bpf_throw(0);
	bpf_rcu_read_unlock();
	return 0;
}

REJECT(REF_LEAK, "tail_call would lead to reference leak") BOOK("F09")
P(tail_call_while_holding)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	bpf_tail_call(ctx, &progs, 0);
	t_put(p);
	return 0;
}

REJECT(REF_LEAK, "bpf_throw would lead to reference leak") BOOK("F10")
P(throw_while_holding)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	if (n == 5)
		bpf_throw(0);
	t_put(p);
	return 0;
}

ACCEPT
P(tail_call_after)
{
	struct T *p = t_find(n);

	if (p)
		t_put(p);
	bpf_tail_call(ctx, &progs, 0);
	return 0;
}

#endif
