/* SPDX-License-Identifier: MIT
 *
 * timers.bpf.c: the programs of timers*.c: timers and work in values of every kind of map
 * that may hold them. Arguments: a key, a number.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "timers.h"

char _license[] SEC("license") = "GPL";

extern long timers_nested(long key) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

struct value {
	struct tick tick;
	struct bpf_timer timer;
	struct bpf_wq wq;
};

#define MAP(name_, type_, n, flags_)                                                     \
	struct {                                                                         \
		__uint(type, type_);                                                     \
		__uint(max_entries, n);                                                  \
		__uint(map_flags, flags_);                                               \
		__type(key, __u32);                                                      \
		__type(value, struct value);                                             \
	} name_ SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY, 8, 0);
MAP(hash, BPF_MAP_TYPE_HASH, 4096, 0);
MAP(lean, BPF_MAP_TYPE_HASH, 1 << 20, BPF_F_NO_PREALLOC);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 8, 0);

static struct value *get(void *map, __u32 key)
{
	struct value empty = {};
	struct value *v = bpf_map_lookup_elem(map, &key);

	if (v)
		return v;
	bpf_map_update_elem(map, &key, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &key);
}

/* What a callback does beside counting; once for each map: a timer is of one. */
#define PROGRAMS(map_)                                                                   \
	static int fire_##map_(void *map, int *key, struct value *v)                     \
	{                                                                                \
		__u32 next = *key + 1, own = *key;                                       \
		struct value *other;                                                     \
                                                                                         \
		__sync_fetch_and_add(&v->tick.fired, 1);                                 \
		v->tick.last = bpf_ktime_get_ns();                                       \
		v->tick.key = own;                                                       \
		switch (v->tick.todo) {                                                  \
		case TODO_CANCEL_OWN:                                                    \
			v->tick.answer = bpf_timer_cancel(&v->timer);                    \
			break;                                                           \
		case TODO_DELETE_OWN:                                                    \
			bpf_map_delete_elem(&map_, &own);                                \
			v->tick.answer = bpf_timer_start(&v->timer, 0, 0);               \
			timers_nested(v->tick.answer);                                   \
			break;                                                           \
		case TODO_CANCEL_OTHER:                                                  \
			other = bpf_map_lookup_elem(&map_, &next);                       \
			if (other)                                                       \
				v->tick.answer = bpf_timer_cancel(&other->timer);        \
			break;                                                           \
		case TODO_CALL_HOST:                                                     \
			v->tick.answer = timers_nested(own);                             \
			break;                                                           \
		case TODO_START_IN_THE_PAST:                                             \
			v->tick.answer = bpf_timer_start(&v->timer, 1, BPF_F_TIMER_ABS); \
			break;                                                           \
		}                                                                        \
		if (v->tick.again)                                                       \
			bpf_timer_start(&v->timer, v->tick.again, 0);                    \
		return 0;                                                                \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(init_##map_, int key, long flags)           \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		return v ? bpf_timer_init(&v->timer, &map_, flags) : 1;                  \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(callback_##map_, int key, long unused)      \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		return v ? bpf_timer_set_callback(&v->timer, fire_##map_) : 1;           \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(start_##map_, int key, long ns)             \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		return v ? bpf_timer_start(&v->timer, ns, 0) : 1;                        \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(start_at_##map_, int key, long ns)          \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		return v ? bpf_timer_start(&v->timer, ns, BPF_F_TIMER_ABS) : 1;          \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(pin_##map_, int key, long flags)            \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		return v ? bpf_timer_start(&v->timer, 1, flags) : 1;                     \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(cancel_##map_, int key, long unused)        \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		return v ? bpf_timer_cancel(&v->timer) : 1;                              \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(all_##map_, int key, long ns)               \
	{                                                                                \
		struct value *v = get(&map_, key);                                       \
                                                                                         \
		if (!v)                                                                  \
			return 1;                                                        \
		bpf_timer_init(&v->timer, &map_, 1);                                     \
		bpf_timer_set_callback(&v->timer, fire_##map_);                          \
		return bpf_timer_start(&v->timer, ns, 0);                                \
	}                                                                                \
	SEC("hook/timers_hook") int BPF_PROG(delete_##map_, int key, long unused)        \
	{                                                                                \
		__u32 k = key;                                                           \
                                                                                         \
		return bpf_map_delete_elem(&map_, &k);                                   \
	}

PROGRAMS(array)
PROGRAMS(hash)
PROGRAMS(lean)
PROGRAMS(lru)

/* An element that went while the program still has it. */
SEC("hook/timers_hook") int BPF_PROG(start_deleted, int key, long ns)
{
	struct value *v = get(&hash, key);
	__u32 k = key;
	int err;

	if (!v)
		return 1;
	bpf_timer_init(&v->timer, &hash, 1);
	bpf_timer_set_callback(&v->timer, fire_hash);
	bpf_map_delete_elem(&hash, &k);
	err = bpf_timer_start(&v->timer, ns, 0);
	if (err != -22)
		return err;
	return bpf_timer_init(&v->timer, &hash, 1);
}

/* --- work --- */

static int work(void *map, int *key, void *value)
{
	struct value *v = value;

	__sync_fetch_and_add(&v->tick.fired, 1);
	v->tick.key = *key;
	if (v->tick.again-- > 0)
		v->tick.answer = bpf_wq_start(&v->wq, 0);
	return 0;
}

SEC("hook/timers_hook") int BPF_PROG(wq_all, int key, long flags)
{
	struct value *v = get(&hash, key);
	int err;

	if (!v)
		return 1;
	err = bpf_wq_init(&v->wq, &hash, flags & 1);
	if (err && err != -16)
		return err;
	err = bpf_wq_set_callback(&v->wq, work, flags & 2);
	return err ?: bpf_wq_start(&v->wq, flags & 4);
}

SEC("hook/timers_hook") int BPF_PROG(wq_start_only, int key, long flags)
{
	struct value *v = get(&hash, key);

	return v ? bpf_wq_start(&v->wq, 0) : 1;
}

/* Its program does not sleep, but work does: this is a read section of its own. */
static int work_in_section(void *map, int *key, void *value)
{
	struct value *v = value;

	bpf_rcu_read_lock();
	v->tick.answer = timers_nested(1);
	bpf_rcu_read_unlock();
	v->tick.again = timers_nested(2);
	return 0;
}

SEC("hook/timers_hook") int BPF_PROG(wq_section, int key, long flags)
{
	struct value *v = get(&hash, key);

	if (!v)
		return 1;
	bpf_wq_init(&v->wq, &hash, 0);
	bpf_wq_set_callback(&v->wq, work_in_section, 0);
	return bpf_wq_start(&v->wq, 0);
}
