/* SPDX-License-Identifier: MIT
 *
 * Pinned memory (uptr): fields of task storage that are filled in from outside; and reads of
 * a client's memory that may block.
 */
#include "local.h"

#ifdef FOR_KERNEL
#define task_find t_find
#define task_put t_put
#define SOMEWHERE ((void *)8)
#else
#define SOMEWHERE (t->up)
extern struct task_struct *task_find(int id) __ksym;
extern void task_put(struct task_struct *task) __ksym;
#endif

struct buffer { /* pinned memory */
	long a;
	char *p;
	char bytes[16];
};

union pinned_seen { /* in full, for BTF */
	struct buffer buffer;
} *pinned_seen;

struct pinned {
	struct buffer __uptr *u;
	long x;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pinned);
} storage SEC(".maps");

static __always_inline struct pinned *pinned_of(int id)
{
	struct task_struct *task = task_find(id);
	struct pinned *v = NULL;

	if (task) {
		v = bpf_task_storage_get(&storage, task, 0, 0);
		task_put(task);
	}
	return v;
}

REJECT(NULL_DEREF, "invalid mem access 'mem_or_null'") BOOK("U12")
Q(pinned_untested)
{
	struct pinned *v = pinned_of(n);

	return v ? v->u->a : 0;
}

ACCEPT BOOK("U13") BOOK("D47")
Q(pinned_used)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	if (b)
		b->bytes[15] = ++b->a;
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=32 off=32 size=8") BOOK("U14")
Q(pinned_beyond)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	return b ? ((volatile long *)b)[4] : 0;
}

REJECT(SLOT_STORE_UPTR, "store to uptr disallowed") BOOK("U15")
Q(pinned_emptied)
{
	struct pinned *v = pinned_of(n);

	if (v)
		ASM("*(u64 *)(%0 + 0) = 0" : : "r"(v) : "memory");
	return 0;
}

REJECT(SLOT_STORE_UPTR, "store to uptr disallowed") BOOK("U15")
Q(pinned_stored)
{
	struct pinned *v = pinned_of(n);

	if (v)
		*(struct buffer *volatile *)&v->u = v->u;
	return 0;
}

REJECT(SLOT_SIZE, "kptr access size must be BPF_DW") BOOK("U16")
Q(pinned_half)
{
	struct pinned *v = pinned_of(n);

	return v ? *(volatile int *)&v->u : 0;
}

REJECT(XCHG_NO_KPTR, "doesn't point to kptr") BOOK("U17")
Q(pinned_exchanged)
{
	struct pinned *v = pinned_of(n);

	if (v)
		bpf_kptr_xchg((void **)&v->u, NULL);
	return 0;
}

ACCEPT BOOK("U18")
Q(pinned_as_buffer)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	if (b)
		bpf_get_current_comm(b->bytes, sizeof(b->bytes));
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'") BOOK("U19")
Q(pinned_pointer)
{
	struct pinned *v = pinned_of(n);
	struct buffer *b = v ? v->u : NULL;

	return b ? *b->p : 0;
}

/* Nobody pins anything for an object that a program allocates. */
ACCEPT BOOK("U20")
Q(plain_in_object)
{
	struct pinned *p = bpf_obj_new(struct pinned);

	if (!p)
		return 0;
	*(volatile long *)&p->u = 5;
	bpf_obj_drop(p);
	return 0;
}

REJECT(SLEEP_PROG, "bpf_copy_from_user") BOOK("U10")
P(copied_without_sleep)
{
	long x = 0;

	bpf_copy_from_user(&x, sizeof(x), SOMEWHERE);
	return x & 0;
}
