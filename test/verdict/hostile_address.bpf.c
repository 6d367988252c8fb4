/* SPDX-License-Identifier: MIT
 *
 * Programs that try to learn an address of the host's (rule book B10, J2). What is left of
 * a pointer is a number that still tells: it may be kept, moved and, as a whole, compared
 * for equality, but goes nowhere others can read it. Beside them what ordinary programs do.
 */
#include "local.h"

#ifndef FOR_KERNEL
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;
extern int bpf_iter_t_new(struct bpf_iter_t *it, int n) __ksym;
extern struct T *bpf_iter_t_next(struct bpf_iter_t *it) __ksym;
extern void bpf_iter_t_destroy(struct bpf_iter_t *it) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;

#define host_id(type) __builtin_btf_type_id(*(type *)0, 1)

struct row {
	long a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, long);
	__type(value, struct row);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static long kept;

/* ---- pointers that went ---- */

/* The register after the release holds the address as before. */
REJECT(LEAK, "leaks addr into map") POLICY(kernel, accept)
P(released_then_stored)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	kept = (long)p;
	return 0;
}

REJECT(LEAK, "leaks addr into map") POLICY(kernel, accept)
P(released_then_computed)
{
	struct T *p = t_find(n);
	unsigned long x = 3;

	if (!p)
		return 0;
	t_put(p);
	ASM("%0 ^= %1\n\t%0 >>= 7" : "+r"(x) : "r"(p));
	kept = x;
	return 0;
}

REJECT(LEAK, "leaks addr into map")
P(released_then_spilled)
{
	volatile long slot;
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	slot = (long)p;
	kept = slot;
	return 0;
}

/* ... and read again as a number with a sign, of 4 bytes. */
REJECT(LEAK, "leaks addr into map")
P(released_then_half_read_signed)
{
	volatile long slot;
	struct T *p = t_find(n);
	long x;

	if (!p)
		return 0;
	t_put(p);
	slot = (long)p;
	ASM("r1 = %1\n\t.byte 0x81; .byte 0x11; .short 0; .long 0\n\t%0 = r1"
	    : "=r"(x) : "r"(&slot) : "r1");
	kept = x;
	return 0;
}

/* Of the spilled number one half. */
REJECT(LEAK, "leaks addr into map")
P(released_then_half_read)
{
	volatile union {
		long whole;
		int half[2];
	} slot;
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	slot.whole = (long)p;
	kept = slot.half[0];
	return 0;
}

REJECT(STACK_ADDRESS, "corrupted spill memory")
P(released_then_put_together)
{
	volatile union {
		long whole;
		int half[2];
	} slot;
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	slot.whole = 0;
	slot.half[1] = (int)(long)p;
	kept = slot.whole;
	return 0;
}

REJECT(LEAK, "leaks addr into function argument")
P(released_then_a_key)
{
	struct row row = {0, 0};
	struct T *p = t_find(n);
	long key;

	if (!p)
		return 0;
	t_put(p);
	key = (long)p;
	bpf_map_update_elem(&rows, &key, &row, 0);
	return 0;
}

REJECT(LEAK, "leaks addr into mem")
P(released_then_sent)
{
	struct T *p = t_find(n);
	long *record;

	if (!p)
		return 0;
	t_put(p);
	record = bpf_ringbuf_reserve(&ring, 8, 0);
	if (!record)
		return 0;
	*record = (long)p;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

REJECT(RET_LEAK, "R0 leaks addr as return value")
P(released_then_returned)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	return (int)(long)p;
}

REJECT(ARG_LEAK, "leaks addr into helper function")
P(released_then_printed)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	bpf_printk("%lx", (long)p);
	return 0;
}

REJECT(ARG_LEAK, "leaks addr into helper function")
P(released_then_passed)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	return sum_of((long)p) & 0;
}

__attribute__((noinline)) int global_of(long x)
{
	kept = x;
	return 0;
}

REJECT(ARG_LEAK, "leaks addr into helper function")
P(released_then_to_a_global_function)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	return global_of((long)p);
}

static __attribute__((noinline)) long static_of(struct T *p)
{
	t_put(p);
	return (long)p;
}

REJECT(LEAK, "leaks addr into map")
P(released_in_a_subprogram)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	kept = static_of(p);
	return 0;
}

REJECT(LEAK, "leaks addr into object")
P(released_then_into_an_object)
{
	struct L *l = bpf_obj_new(struct L);
	struct T *p;

	if (!l)
		return 0;
	p = t_find(n);
	if (!p) {
		bpf_obj_drop(l);
		return 0;
	}
	t_put(p);
	l->a = (long)p;
	bpf_obj_drop(l);
	return 0;
}

/* What moved into a field is left in the register, too. */
REJECT(LEAK, "leaks addr into map")
P(exchanged_then_stored)
{
	struct T *p, *old;

	WITH_VALUE(v);
	p = t_find(n);
	if (!p)
		return 0;
	old = bpf_kptr_xchg(&v->ref, p);
	if (old)
		t_put(old);
	kept = (long)p;
	return 0;
}

REJECT(LEAK, "leaks addr into packet")
XDP(packet_that_moved)
{
	char *data = (char *)(long)ctx->data, *old = data;
	long *to;

	if (bpf_xdp_adjust_head(ctx, 0))
		return XDP_PASS;
	to = (long *)(long)ctx->data;
	if ((void *)(to + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	*to = (long)old;
	return XDP_PASS;
}

/* An element that went with its iterator, or its next. */
REJECT(LEAK, "leaks addr into map")
P(element_that_went)
{
	struct bpf_iter_t it;
	struct T *p;

	bpf_iter_t_new(&it, n);
	p = bpf_iter_t_next(&it);
	bpf_iter_t_destroy(&it);
	kept = (long)p;
	return 0;
}

/* The iterator itself is gone, its bytes are not. */
REJECT(STACK_ADDRESS, "corrupted spill memory")
P(iterator_that_went)
{
	struct bpf_iter_t it;

	bpf_iter_t_new(&it, n);
	bpf_iter_t_destroy(&it);
	kept = *(volatile long *)&it;
	return 0;
}

/* ---- pointers that are there ---- */

REJECT(LEAK, "leaks addr into map")
P(half_a_pointer)
{
	long x;

	ASM("r2 = %1\n\tw1 = w2\n\t%0 = r1" : "=r"(x) : "r"(t) : "r1", "r2");
	kept = x;
	return 0;
}

REJECT(LEAK, "leaks addr into map")
P(a_byte_of_a_pointer)
{
	long x;

	ASM("r2 = %1\n\t.byte 0xbf; .byte 0x21; .short 8; .long 0\n\t%0 = r1"
	    : "=r"(x) : "r"(t) : "r1", "r2");
	kept = x;
	return 0;
}

/* What instruction @asm_ makes of t, %0 (and of @with, %1), would be kept. */
#define KEPT_AFTER(asm_, with)                                                           \
	do {                                                                             \
		long x_ = (long)t;                                                       \
		ASM(asm_ : "+r"(x_) : "r"(with) : "r1");                                 \
		kept = x_;                                                               \
		return 0;                                                                \
	} while (0)

REJECT(LEAK, "leaks addr into map")
P(negated_pointer)
{
	KEPT_AFTER("%0 = -%0", 0);
}

REJECT(LEAK, "leaks addr into map")
P(swapped_pointer)
{
	KEPT_AFTER("%0 = be64 %0", 0);
}

/* Less what is NULL it is the address. */
REJECT(LEAK, "leaks addr into map")
P(pointer_less_null)
{
	long key = n;

	KEPT_AFTER("%0 -= %1", bpf_map_lookup_elem(&rows, &key));
}

/* So it is less what is read where nothing is. */
REJECT(LEAK, "leaks addr into map")
P(pointer_less_untrusted)
{
	struct T *peer = t->peer;

	if (!peer)
		return 0;
	KEPT_AFTER("%0 -= %1", peer->leader);
}

REJECT(LEAK, "leaks addr into map")
P(pointer_less_another_kind)
{
	KEPT_AFTER("%0 -= r10", 0);
}

REJECT(LEAK, "leaks addr into map")
P(half_a_difference)
{
	KEPT_AFTER("r1 = %0\n\tw1 -= 5\n\t%0 = r1", 0);
}

/* Through another struct a pointer would be a number. */
REJECT(CAST_OTHER, "cannot be cast to struct W")
P(cast_to_numbers)
{
	struct W *w = bpf_rdonly_cast(&t->leader, host_id(struct W));

	kept = w->a;
	return 0;
}

REJECT(CAST_OTHER, "cannot be cast to struct B")
P(cast_to_what_lies_behind)
{
	struct B *b = bpf_rdonly_cast(t, host_id(struct B));

	kept = b->extra;
	return 0;
}

ACCEPT
P(cast_to_a_part)
{
	struct M *m = bpf_rdonly_cast(t, host_id(struct M));

	kept = m->bits[0];
	return 0;
}

/* ---- as bytes ---- */

REJECT(PROBE_POINTER, "are of a pointer, or lead to one")
P(pointer_probed)
{
	long out;

	bpf_probe_read_kernel(&out, sizeof(out), &t->leader);
	kept = out;
	return 0;
}

REJECT(PROBE_POINTER, "are of a pointer, or lead to one")
P(pointer_probed_behind_numbers)
{
	struct T out;

	bpf_probe_read_kernel(&out, __builtin_offsetof(struct T, leader) + 1, t);
	kept = out.pid;
	return 0;
}

ACCEPT RETVAL(0)
P(numbers_probed)
{
	struct T out;

	return bpf_probe_read_kernel(&out, __builtin_offsetof(struct T, leader), t);
}

REJECT(PROBE_POINTER, "are of a pointer, or lead to one")
P(pointer_probed_as_text)
{
	char out[8];

	bpf_probe_read_kernel_str(out, sizeof(out), &t->leader);
	kept = out[0];
	return 0;
}

ACCEPT
P(name_probed_as_text)
{
	char out[16];

	return bpf_probe_read_kernel_str(out, sizeof(out), t->name) < 0;
}

/* One of a union's members is. */
REJECT(PROBE_POINTER, "are of a pointer, or lead to one")
P(pointer_in_a_union_searched)
{
	kept = bpf_strchr((const char *)&t->number, 7);
	return 0;
}

/* Where its neighbours are, a node of a list or tree knows. */
REJECT(FIELD_DIRECT, "bpf_rb_node")
P(node_probed)
{
	struct G *g = bpf_obj_new(struct G);
	long out = 0;

	if (!g)
		return 0;
	bpf_probe_read_kernel(&out, sizeof(out), &g->r);
	kept = out;
	bpf_obj_drop(g);
	return 0;
}

/* ---- bit by bit ---- */

REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(halved_interval)
{
	if ((unsigned long)t > 0x7f0000000000)
		kept |= 1;
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(single_bit)
{
	ASM("if %0 & 4096 goto +1\n\t%0 = 0" : : "r"(t));
	kept |= 1;
	return 0;
}

/* A number of one bit is told by one comparison with a constant. */
REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(bit_of_a_half)
{
	ASM("r1 = %1\n\tw1 = w1\n\tr1 &= 4096\n\tif r1 == 0 goto +1\n\t%0 = 0"
	    : "+r"(n) : "r"(t) : "r1");
	kept = n;
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(bit_of_a_remainder)
{
	struct T *p = t_find(n);
	long x = (long)p;

	if (!p)
		return 0;
	t_put(p);
	ASM("%0 &= 4096\n\tif %0 != 0 goto +1\n\t%1 = 0" : "+r"(x), "+r"(n));
	kept = n;
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(bit_of_a_spill)
{
	volatile union {
		long whole;
		char bytes[8];
	} slot;
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	slot.whole = (long)p;
	if (slot.bytes[1] == 7)
		kept |= 1;
	return 0;
}

/* So does what a callback returns, by how many times it is called. */
static long odd(__u32 i, void *on_stack)
{
	long x = (long)on_stack;

	ASM("r1 = %0\n\tw1 = w1\n\tr1 &= 1\n\t%0 = r1" : "+r"(x) : : "r1");
	return x;
}

REJECT(RET_LEAK, "R0 leaks addr as return value") POLICY(kernel, accept)
P(bit_as_a_callbacks_result)
{
	long on_stack = 0;

	kept = bpf_loop(5, odd, &on_stack, 0);
	return 0;
}

/* And how much memory is zeroed. */
REJECT(ARG_LEAK, "R2 leaks addr into helper function") POLICY(kernel, accept)
P(bits_as_a_size)
{
	char bytes[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct T *p = t_find(n);
	long x = (long)p;

	if (!p)
		return 0;
	t_put(p);
	ASM("%0 &= 7" : "+r"(x));
	bpf_probe_read_kernel(bytes, x, NULL);
	kept = bytes[3];
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(ordered_by_untrusted)
{
	struct T *peer = t->peer;

	if (peer && t > peer->leader)
		kept |= 1;
	return 0;
}

/* A place in a value that the program chooses is any number, less one. */
REJECT(PTR_COMPARE, "pointer comparison prohibited") POLICY(kernel, accept)
P(guessed_by_an_index)
{
	WITH_VALUE(v);
	ASM("r1 = %0\n\tr1 &= 0xffff\n\tr1 += %1\n\tif r1 == 1000 goto +1\n\t%0 = 0"
	    : "+r"(n) : "r"(v) : "r1");
	kept = n;
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited")
P(half_guessed)
{
	ASM("r1 = %1\n\tr2 = %0\n\tif w1 == w2 goto +1\n\t%1 = 0"
	    : "+r"(t), "+r"(n) : : "r1", "r2");
	kept = n;
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited")
P(remainder_guessed)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	if ((long)p < 0x550000000000)
		kept |= 2;
	return 0;
}

REJECT(PTR_COMPARE, "pointer comparison prohibited")
P(ordered_kinds)
{
	int on_stack = 0;

	if ((char *)&on_stack < (char *)t)
		kept |= 1;
	return 0;
}

/* An index that is an address tells it by where it goes. */
REJECT(LEAK, "leaks addr into pointer")
P(address_as_an_index)
{
	char bytes[8] = {0};
	struct T *p = t_find(n);
	long i;

	if (!p)
		return 0;
	t_put(p);
	i = (long)p & 7;
	ASM("r1 = r10\n\tr1 += -8\n\tr1 += %0\n\t*(u8 *)(r1 + 0) = 1"
	    : : "r"(i) : "r1", "memory");
	ASM("" : : "r"(bytes));
	return 0;
}

/* ---- what is on the stack from before ---- */

static __attribute__((noinline)) int leaves(struct T *t)
{
	volatile long slots[4];

	ASM("*(u64 *)(r10 - 8) = %0\n\t*(u64 *)(r10 - 16) = %0\n\t"
	    "*(u64 *)(r10 - 24) = %0\n\t*(u64 *)(r10 - 32) = %0" : : "r"(t) : "memory");
	ASM("" : : "r"(slots));
	return 0;
}

static __attribute__((noinline)) long finds(void)
{
	volatile long slots[4];
	long x, y;

	ASM("%0 = *(u64 *)(r10 - 8)\n\t%1 = *(u64 *)(r10 - 16)\n\t%0 |= %1\n\t"
	    "%1 = *(u64 *)(r10 - 24)\n\t%0 |= %1\n\t%1 = *(u64 *)(r10 - 32)\n\t%0 |= %1"
	    : "=&r"(x), "=&r"(y) : : "memory");
	ASM("" : : "r"(slots));
	return x;
}

/* One callee's stack is where another's was; each begins with zeroes. */
ACCEPT RETVAL(0)
P(stack_of_another_callee)
{
	leaves(t);
	return finds() != 0;
}

/* ---- pruning: the marked path must not hide behind the other ---- */

REJECT(LEAK, "leaks addr into map")
P(joined_paths)
{
	struct T *p = t_find(n);
	long x = 5;

	if (!p)
		return 0;
	t_put(p);
	ASM("if %1 s> 3 goto +1\n\t%0 = %2" : "+r"(x) : "r"((long)n), "r"(p));
	kept = x;
	return 0;
}

/* Nor that of a slot which the other path never wrote. */
#define A_FEW_BRANCHES(i)                                                                \
	"if %" #i " == 5 goto +1\n\t%" #i " += 1\n\tif %" #i " == 6 goto +1\n\t%" #i " += 1\n\t" \
	"if %" #i " == 7 goto +1\n\t%" #i " += 1\n\tif %" #i " == 8 goto +1\n\t%" #i " += 1\n\t"

REJECT(LEAK, "leaks addr into map")
P(joined_with_what_was_not_written)
{
	long x, i = 0;

	ASM("if %1 s> 3 goto +1\n\tgoto +1\n\t*(u64 *)(r10 - 8) = %3\n\t"
	    A_FEW_BRANCHES(2) A_FEW_BRANCHES(2) A_FEW_BRANCHES(1) A_FEW_BRANCHES(1)
	    "%0 = *(u64 *)(r10 - 8)"
	    : "=&r"(x), "+r"(n), "+r"(i) : "r"(t) : "memory");
	kept = x;
	return 0;
}

/* ---- what ordinary programs do ---- */

ACCEPT RETVAL(0)
P(compared_afterwards)
{
	struct T *p = t_find(n), *last = p;

	if (p)
		t_put(p);
	if (last && last == p)
		return 0;
	return 0;
}

ACCEPT RETVAL(0)
P(dead_register_is_null)
{
	struct T *p = t_find(n);

	if (p)
		t_put(p);
	return p ? 0 : 1;
}

/* A constant is all it can be. */
ACCEPT
P(known_number)
{
	struct T *p = t_find(n);

	if (!p)
		return 0;
	t_put(p);
	ASM("if %0 == 7 goto +1\n\t%0 = 7" : "+r"(p));
	kept = (long)p;
	return 0;
}

ACCEPT RETVAL(2)
XDP(length_of_the_packet)
{
	char *data = (char *)(long)ctx->data, *end = (char *)(long)ctx->data_end;

	kept = end - data;
	return XDP_PASS;
}

ACCEPT RETVAL(0)
P(index_in_a_table)
{
	WITH_VALUE(v);
	kept = (char *)&v->x - (char *)v;
	return 0;
}

ACCEPT RETVAL(0)
P(same_object)
{
	WITH_VALUE(v);
	return v->un == t ? 0 : 0;
}
#endif
