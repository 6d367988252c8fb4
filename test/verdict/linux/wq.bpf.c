/* SPDX-License-Identifier: MIT
 *
 * Workqueues, whose callbacks may sleep; texts, maps and functions as arguments of the
 * kernel's functions.
 */
#include "linux.h"

struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_map;

extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
				    int (*callback)(void *map, int *key, void *value),
				    unsigned int flags, void *aux) __ksym;
extern int bpf_copy_from_user_str(void *dst, __u32 size, const void *from,
				  __u64 flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;

struct value {
	long number;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct value);
} works SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct value);
} others SEC(".maps");

#define WITH(v)                                                                          \
	__u32 key_ = 1;                                                                  \
	struct value *v = bpf_map_lookup_elem(&works, &key_);                            \
	if (!v)                                                                          \
		return 0

static int count(void *map, int *key, void *value)
{
	struct value *v = value;
	char text[8];

	bpf_copy_from_user_str(text, sizeof(text), NULL, 0); /* it may sleep */
	v->number += *key;
	return 0;
}

ACCEPT
SEC("tc")
int work(struct __sk_buff *skb)
{
	WITH(v);
	if (bpf_wq_init(&v->work, &works, 0) ||
	    bpf_wq_set_callback_impl(&v->work, count, 0, NULL))
		return 0;
	return bpf_wq_start(&v->work, 0) & 1;
}

static int wrong_result(void *map, int *key, void *value)
{
	return 7;
}

REJECT(RET_RANGE, "At async callback return the register R0 has")
SEC("tc")
int work_that_returns_something(struct __sk_buff *skb)
{
	WITH(v);
	bpf_wq_set_callback_impl(&v->work, wrong_result, 0, NULL);
	return 0;
}

REJECT(WQ_MAP, "workqueue pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0")
SEC("tc")
int work_of_another_map(struct __sk_buff *skb)
{
	WITH(v);
	return bpf_wq_init(&v->work, &others, 0) & 1;
}

REJECT(WQ_OFF, "off 0 doesn't point to 'struct bpf_wq' that is at 8")
SEC("tc")
int beside_the_work(struct __sk_buff *skb)
{
	WITH(v);
	return bpf_wq_start((struct bpf_wq *)&v->number, 0) & 1;
}

REJECT(WQ_VALUE, "arg#0 doesn't point to a map value")
SEC("tc")
int work_on_the_stack(struct __sk_buff *skb)
{
	struct bpf_wq local = {};

	return bpf_wq_start(&local, 0) & 1;
}

REJECT(WQ_CONST_OFF, "bpf_wq has to be at the constant offset")
SEC("tc")
int work_somewhere(struct __sk_buff *skb)
{
	WITH(v);
	return bpf_wq_start((struct bpf_wq *)((char *)&v->number + (skb->len & 8)), 0) & 1;
}

REJECT(KFUNC_MAP, "pointer in R2 isn't map pointer")
SEC("tc")
int work_of_no_map(struct __sk_buff *skb)
{
	WITH(v);
	return bpf_wq_init(&v->work, v, 0) & 1;
}

REJECT(KFUNC_FUNC, "arg1 expected pointer to func")
SEC("tc")
int work_without_function(struct __sk_buff *skb)
{
	WITH(v);
	return bpf_wq_set_callback_impl(&v->work, (void *)v, 0, NULL) & 1;
}

REJECT(FIELD_DIRECT, "direct")
SEC("tc")
int work_read(struct __sk_buff *skb)
{
	WITH(v);
	return *(volatile long *)&v->work & 1;
}
