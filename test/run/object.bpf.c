/* SPDX-License-Identifier: MIT
 *
 * Programs of test/run/object.c.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>
#include <stdbool.h>

#include "object.h"

struct value {
	struct box __kptr *owned;
	struct box __kptr_untrusted *seen;
	long count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} boxes SEC(".maps");

const volatile int bias = 5;
long total;

extern struct box *box_new(long value) __ksym;
extern void box_put(struct box *b) __ksym;
extern void box_sink(struct box *b) __ksym;
extern bool obj_not(bool b) __ksym;
extern signed char obj_s8(int n) __ksym;
extern unsigned short obj_u16(int n) __ksym;
extern int obj_neg(int n) __ksym;
extern long obj_u8_arg(unsigned char c) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int obj_absent(int n) __ksym __weak;

static struct value *at(__u32 i)
{
	return bpf_map_lookup_elem(&boxes, &i);
}

SEC("hook/obj_hook")
int BPF_PROG(keep, struct box *b, int n)
{
	struct value *v = at(0);
	struct box *old, *fresh;

	if (!v)
		return -1;
	v->seen = b;
	fresh = box_new(n);
	if (!fresh)
		return -2;
	old = bpf_kptr_xchg(&v->owned, fresh);
	if (old)
		box_put(old);
	v->count++;
	__sync_fetch_and_add(&total, n);
	return n + bias;
}

SEC("hook/obj_hook")
int BPF_PROG(second, struct box *b, int n)
{
	return b->value + n;
}

SEC("hook.s/obj_slow")
int BPF_PROG(slow, struct box *b, int n)
{
	struct box *fresh = box_new(n);

	if (!fresh)
		return 0;
	box_sink(fresh);
	return fresh != 0;
}

/* An explicit read section in a program that may sleep. */
SEC("hook.s/obj_slow")
int BPF_PROG(section, struct box *b, int n)
{
	struct value *v = at(0);
	struct box *p;
	long value = -1;

	if (!v)
		return -2;
	bpf_rcu_read_lock();
	p = v->owned;
	if (p)
		value = p->value;
	bpf_rcu_read_unlock();
	return value;
}

SEC("objtest")
int packet(struct obj_md *md)
{
	unsigned char *data = (void *)(long)md->data, *end = (void *)(long)md->data_end;
	unsigned int sum = 0;

	for (int i = 0; i < 4; i++) {
		if (data + i + 1 > end)
			break;
		sum += data[i];
	}
	md->mark = sum | 0x80000000;
	return md->width + md->mark;
}

/* What a callee promises of its result and may expect of its arguments. */
SEC("objtest/narrow")
int narrow(struct obj_md *md)
{
	unsigned long n = md->mark;
	int bits = 0;

	bits |= obj_not(n) == 0 ? 1 : 0;
	bits |= obj_s8(n) == -1 ? 2 : 0;
	bits |= obj_u16(n) == 0xffff ? 4 : 0;
	bits |= obj_neg(7) == -7 ? 8 : 0;
	bits |= obj_u8_arg(n) == 0xff ? 16 : 0;
	if (obj_absent)
		bits |= obj_absent(1);
	return bits;
}

/* A pointer that may dangle. */
SEC("objtest/peek")
int peek(struct obj_md *md)
{
	struct value *v = at(0);
	struct box *b;

	if (!v)
		return -1;
	b = v->seen;
	if (!b)
		return -2;
	return b->value + (b->next != 0);
}

char _license[] SEC("license") = "MIT";
