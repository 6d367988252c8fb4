/* SPDX-License-Identifier: MIT
 *
 * Timers and work queues in map values, as hosts have them: what callbacks may do, and that
 * a program's own words about the engine's functions count for nothing.
 */
#include "verdict.h"

struct later {
	long n;
	struct bpf_timer timer;
	struct bpf_wq wq;
	struct T __kptr *kept;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, struct later);
} laters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, struct later);
} others SEC(".maps");

static struct later *find(int key)
{
	return bpf_map_lookup_elem(&laters, &key);
}

static int drop_kept(void *map, int *key, struct later *v)
{
	struct T *old = bpf_kptr_xchg(&v->kept, NULL);

	if (old)
		t_put(old);
	return bpf_timer_start(&v->timer, 1000, 0) & 0;
}

ACCEPT RETVAL(0)
P(timer_ok)
{
	struct later *v = find(n);

	if (!v)
		return 0;
	bpf_timer_init(&v->timer, &laters, 1);
	bpf_timer_set_callback(&v->timer, drop_kept);
	return bpf_timer_start(&v->timer, 1000, 0) + bpf_timer_cancel(&v->timer);
}

static int keeps_it(void *map, int *key, struct later *v)
{
	struct T *old = bpf_kptr_xchg(&v->kept, NULL);

	return old ? 0 : 0;
}

REJECT(REF_LEAK, "Unreleased reference")
P(timer_leaks)
{
	struct later *v = find(n);

	if (v)
		bpf_timer_set_callback(&v->timer, keeps_it);
	return 0;
}

/* Nothing of the program that set it goes into the callback. */
static int returns_one(void *map, int *key, struct later *v)
{
	return 1;
}

REJECT(RET_RANGE, "At async callback return")
P(timer_result)
{
	struct later *v = find(n);

	if (v)
		bpf_timer_set_callback(&v->timer, returns_one);
	return 0;
}

REJECT(TIMER_MAP, "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0")
P(timer_of_another_map)
{
	struct later *v = find(n);

	return v ? bpf_timer_init(&v->timer, &others, 1) : 0;
}

REJECT(FIELD_DIRECT, "bpf_timer cannot be accessed directly by load")
P(timer_is_read)
{
	struct later *v = find(n);

	return v ? *(volatile int *)&v->timer : 0;
}

static int naps(void *map, int *key, void *value)
{
	struct later *v = value;
	struct T *t = bpf_kptr_xchg(&v->kept, NULL);

	if (t) {
		t_nap(t);
		t_put(t);
	}
	return 0;
}

ACCEPT RETVAL(0)
P(work_may_sleep)
{
	struct later *v = find(n);

	if (!v)
		return 0;
	bpf_wq_init(&v->wq, &laters, 0);
	bpf_wq_set_callback(&v->wq, naps, 0);
	return bpf_wq_start(&v->wq, 0) & 0;
}

static int timer_naps(void *map, int *key, struct later *v)
{
	return naps(map, key, v);
}

REJECT(SLEEP_PROG, "program must be sleepable to call sleepable kfunc t_nap")
P(timer_may_not_sleep)
{
	struct later *v = find(n);

	if (v)
		bpf_timer_set_callback(&v->timer, timer_naps);
	return 0;
}

REJECT(WQ_MAP, "workqueue pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0")
P(work_of_another_map)
{
	struct later *v = find(n);

	return v ? bpf_wq_init(&v->wq, &others, 0) & 0 : 0;
}

REJECT(WQ_VALUE, "arg#0 doesn't point to a map value")
P(work_on_the_stack)
{
	struct bpf_wq wq = {};

	return bpf_wq_start(&wq, 0) & 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg1")
P(work_without_function)
{
	struct later *v = find(n);

	return v ? bpf_wq_set_callback(&v->wq, (void *)0, 0) & 0 : 0;
}

/* Callbacks of work queues are no read sections, nor is what they call, though the program
 * does not sleep. */
#ifndef FOR_KERNEL
__noinline int reads_kept(int key)
{
	struct later *v = find(key);

	return v && v->kept ? t_read(v->kept) : 0;
}

static int calls_outside(void *map, int *key, void *value)
{
	return reads_kept(*key) & 0;
}

static int calls_inside(void *map, int *key, void *value)
{
	struct later *v = find(*key);
	int n = 0;

	bpf_rcu_read_lock();
	if (v && v->kept)
		n = t_read(v->kept);
	bpf_rcu_read_unlock();
	return n & 0;
}

ACCEPT RETVAL(0)
P(section_is_the_run)
{
	return reads_kept(n);
}

REJECT(KFUNC_RCU, "R1 must be a rcu pointer")
P(work_calls_outside_sections)
{
	struct later *v = find(n);

	return v ? bpf_wq_set_callback(&v->wq, calls_outside, 0) & 0 : reads_kept(n);
}

ACCEPT RETVAL(0)
P(work_opens_sections)
{
	struct later *v = find(n);

	return v ? bpf_wq_set_callback(&v->wq, calls_inside, 0) & 0 : reads_kept(n);
}
#endif
