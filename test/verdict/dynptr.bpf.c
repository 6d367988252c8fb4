/* SPDX-License-Identifier: MIT
 *
 * Dynptrs at run time: of map values, of ring buffers, of objects of the host and of
 * contexts; and how long they and what points into them last.
 */
#include "setup.h"

extern void *bpf_dynptr_slice(const struct bpf_dynptr *d, __u32 off, void *buffer,
			      __u32 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *d, __u32 off, void *buffer,
				   __u32 size) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *d, __u32 start, __u32 end) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *d) __ksym;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *d) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *d) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *d, struct bpf_dynptr *to) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *to, __u32 to_off, struct bpf_dynptr *from,
			   __u32 from_off, __u32 size) __ksym;
extern int bpf_dynptr_memset(struct bpf_dynptr *d, __u32 off, __u32 size, __u8 byte) __ksym;

/* The host's. */
extern int t_bytes(struct T *t, __u64 flags, struct bpf_dynptr *d) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *d) __ksym;
extern int bytes_sum(const struct bpf_dynptr *bytes) __ksym;
extern int bytes_fill(struct bpf_dynptr *bytes, int byte) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[64]);
} bytes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[64]);
} buffers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

#define VALUE(map)                                                                       \
	({                                                                               \
		__u32 key_ = 0;                                                          \
		char *at_ = bpf_map_lookup_elem(&(map), &key_);                          \
		if (!at_)                                                                \
			return -1;                                                       \
		at_;                                                                     \
	})

/* ---- plain memory ---- */

ACCEPT RETVAL(1234)
KERNEL(reject, "asks whether the program may write packets, of any memory")
P(parts_of_a_value)
{
	struct bpf_dynptr d, view;
	char *at = VALUE(bytes), *part;
	int sum = 0;

	bpf_dynptr_from_mem(at, 64, 0, &d);
	at[10] = 4;
	part = bpf_dynptr_slice_rdwr(&d, 8, NULL, 8);
	if (!part || part[2] != 4)
		return -1;
	part[3] = 30;
	bpf_dynptr_clone(&d, &view);
	if (bpf_dynptr_adjust(&view, 10, 20))
		return -2;
	if (bpf_dynptr_size(&view) == 10 && bpf_dynptr_size(&d) == 64)
		sum += 1000;
	part = bpf_dynptr_slice(&view, 0, NULL, 2);
	if (part)
		sum += part[0] + part[1];
	if (!bpf_dynptr_slice(&view, 9, NULL, 2) && !bpf_dynptr_slice(&view, -1u, NULL, 2))
		sum += 200;
	at[10] = at[11] = 0;
	return sum;
}

ACCEPT RETVAL(0)
P(edges_of_adjusting)
{
	struct bpf_dynptr d, none;
	int wrong = 0;

	bpf_dynptr_from_mem(VALUE(bytes), 64, 0, &d);
	wrong |= bpf_dynptr_adjust(&d, 2, 1) != -22;
	wrong |= bpf_dynptr_adjust(&d, 0, 65) != -34;
	wrong |= bpf_dynptr_adjust(&d, 64, 64) != 0;
	wrong |= bpf_dynptr_size(&d) != 0;
	wrong |= bpf_dynptr_is_null(&d) || bpf_dynptr_is_rdonly(&d);
	bpf_dynptr_from_mem(VALUE(bytes), 64, 1, &none); /* no such flag */
	wrong |= !bpf_dynptr_is_null(&none) || bpf_dynptr_is_rdonly(&none);
	wrong |= (int)bpf_dynptr_size(&none) != -22;
	wrong |= bpf_dynptr_adjust(&none, 0, 0) != -22;
	wrong |= bpf_dynptr_clone(&none, &d) != -22 || !bpf_dynptr_is_null(&d);
	wrong |= bpf_dynptr_slice(&none, 0, NULL, 1) != NULL;
	wrong |= bpf_dynptr_memset(&none, 0, 0, 0) != -22;
	return wrong;
}

/* Within one memory, both ways, and what does not fit. */
ACCEPT RETVAL(0)
P(copies_and_fillings)
{
	struct bpf_dynptr d, other;
	char *at = VALUE(bytes);
	int wrong = 0;

	bpf_dynptr_from_mem(at, 64, 0, &d);
	bpf_dynptr_from_mem(at, 16, 0, &other);
	wrong |= bpf_dynptr_memset(&d, 0, 64, 1) != 0;
	wrong |= bpf_dynptr_memset(&d, 4, 4, 2) != 0;
	wrong |= bpf_dynptr_copy(&d, 6, &other, 4, 4) != 0;
	wrong |= at[3] != 1 || at[4] != 2 || at[9] != 2 || at[10] != 1;
	wrong |= bpf_dynptr_copy(&other, 14, &d, 0, 4) != -7;
	wrong |= bpf_dynptr_copy(&d, 0, &other, 14, 4) != -7;
	wrong |= bpf_dynptr_memset(&other, 16, 1, 0) != -7;
	bpf_dynptr_memset(&d, 0, 64, 0);
	return wrong || at[5];
}

ACCEPT RETVAL(24)
P(functions_of_the_host_see_them)
{
	struct bpf_dynptr d;
	char *at = VALUE(bytes);
	int sum;

	bpf_dynptr_from_mem(at, 8, 0, &d);
	if (bytes_fill(&d, 3) != 8)
		return -1;
	sum = bytes_sum(&d);
	bpf_dynptr_memset(&d, 0, 8, 0);
	return sum;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
P(size_of_nothing)
{
	struct bpf_dynptr d;

	return bpf_dynptr_size(&d);
}

REJECT(NOT_CONST, "R4 must be a known constant")
P(slice_of_unknown_size)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_mem(VALUE(bytes), 64, 0, &d);
	return !bpf_dynptr_slice(&d, 0, NULL, n & 7);
}

REJECT(MEM_WRITE, "R0 cannot write into rdonly_mem")
P(write_of_a_readonly_slice)
{
	struct bpf_dynptr d;
	char *part;

	bpf_dynptr_from_mem(VALUE(bytes), 64, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 8);
	if (part)
		*part = 1;
	return 0;
}

REJECT(NULL_DEREF, "invalid mem access 'mem_or_null'")
P(slice_that_is_not_there)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_mem(VALUE(bytes), 64, 0, &d);
	return *(char *)bpf_dynptr_slice_rdwr(&d, n, NULL, 8);
}

REJECT(REGION_MIN, "invalid access to memory")
P(behind_a_slice)
{
	struct bpf_dynptr d;
	char *part;

	bpf_dynptr_from_mem(VALUE(bytes), 64, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 8);
	return part ? part[8] : 0;
}

/* ---- ring buffers ---- */

ACCEPT RETVAL(7)
KERNEL(reject, "asks whether the program may write packets, of any memory")
P(record_by_parts)
{
	struct bpf_dynptr d, view;
	int *part, result = 0;

	if (!bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &d)) {
		bpf_dynptr_memset(&d, 0, 16, 0);
		bpf_dynptr_clone(&d, &view);
		bpf_dynptr_adjust(&view, 4, 8);
		part = bpf_dynptr_slice_rdwr(&view, 0, NULL, 4);
		if (part)
			*part = 7;
		bpf_dynptr_read(&result, 4, &d, 4, 0);
	}
	bpf_ringbuf_discard_dynptr(&d, 0);
	return result;
}

/* As with kernels, whichever of them gives the record back. */
ACCEPT RETVAL(0)
P(record_given_back_by_an_adjusted_clone)
{
	struct bpf_dynptr d, view;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &d);
	bpf_dynptr_clone(&d, &view);
	bpf_dynptr_adjust(&view, 4, 8);
	bpf_ringbuf_submit_dynptr(&view, 0);
	return 0;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr")
P(clone_of_a_submitted_record)
{
	struct bpf_dynptr d, view;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &d);
	bpf_dynptr_clone(&d, &view);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return bpf_dynptr_size(&view);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_a_submitted_record)
{
	struct bpf_dynptr d;
	int *part;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &d);
	part = bpf_dynptr_slice_rdwr(&d, 0, NULL, 4);
	bpf_ringbuf_submit_dynptr(&d, 0);
	if (part)
		*part = 1;
	return 0;
}

/* ---- objects of the host ---- */

ACCEPT RETVAL(0)
P(name_of_an_object)
{
	struct bpf_dynptr d, local;
	char *buffer = VALUE(buffers), *part;
	int wrong = 0;

	if (t_bytes(t, 0, &d) || bpf_dynptr_size(&d) != 16)
		return -1;
	wrong |= bpf_dynptr_write(&d, 6, "abcd", 4, 0) != 0;
	part = bpf_dynptr_slice_rdwr(&d, 6, buffer, 4); /* not in a row: a copy */
	wrong |= part != buffer || !part || part[0] != 'a' || part[3] != 'd';
	part = bpf_dynptr_slice(&d, 8, NULL, 4);
	wrong |= !part || part[0] != 'c';
	wrong |= bpf_dynptr_slice(&d, 6, NULL, 4) != NULL;
	wrong |= bpf_dynptr_slice(&d, 14, buffer, 4) != NULL;
	wrong |= bpf_dynptr_data(&d, 0, 4) != NULL; /* as a kernel's packets */
	wrong |= bpf_dynptr_adjust(&d, 7, 9) != 0 || bytes_sum(&d) != 'b' + 'c';
	bpf_dynptr_from_mem(buffer, 64, 0, &local);
	wrong |= bpf_dynptr_copy(&local, 0, &d, 0, 2) != 0 || buffer[1] != 'c';
	wrong |= bpf_dynptr_copy(&d, 1, &d, 0, 1) != 0 || bytes_sum(&d) != 2 * 'b';
	wrong |= bpf_dynptr_memset(&d, 0, 2, 0) != 0 || bytes_sum(&d);
	wrong |= bytes_fill(&d, 5) != 2 || bytes_sum(&d) != 10;
	wrong |= bpf_dynptr_write(&d, 0, "abcd", 4, 0) != -7;
	wrong |= t_bytes(t, 1, &local) != -22 || !bpf_dynptr_is_null(&local);
	return wrong;
}

ACCEPT RETVAL(16)
P(name_of_an_own_object)
{
	struct T *mine = t_get(t);
	struct bpf_dynptr d;
	int size;

	if (!mine)
		return 0;
	t_bytes(mine, 0, &d);
	size = bpf_dynptr_size(&d);
	t_put(mine);
	return size;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr")
P(name_of_an_object_given_back)
{
	struct T *mine = t_get(t);
	struct bpf_dynptr d;

	if (!mine)
		return 0;
	t_bytes(mine, 0, &d);
	t_put(mine);
	return bpf_dynptr_size(&d);
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr")
P(clone_of_an_object_given_back)
{
	struct T *mine = t_get(t);
	struct bpf_dynptr d, clone;

	if (!mine)
		return 0;
	t_bytes(mine, 0, &d);
	bpf_dynptr_clone(&d, &clone);
	t_put(mine);
	return bpf_dynptr_size(&clone);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_an_object_given_back)
{
	struct T *mine = t_get(t);
	struct bpf_dynptr d;
	char *part;

	if (!mine)
		return 0;
	t_bytes(mine, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 4);
	t_put(mine);
	return part ? *part : 0;
}

/* Nobody reads the dynptr from the branch on, which the slice ends with all the same. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_an_object_given_back_later)
{
	struct T *mine = t_find(n);
	struct bpf_dynptr d;
	char *part;

	if (!mine)
		return 0;
	t_bytes(mine, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 4);
	if (!part) {
		t_put(mine);
		return 0;
	}
	t_put(mine);
	return *part;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_an_object_exchanged_later)
{
	struct T *mine, *old;
	struct bpf_dynptr d;
	char *part;

	WITH_VALUE(v);
	mine = t_find(n);
	if (!mine)
		return 0;
	t_bytes(mine, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 4);
	if (!part) {
		t_put(mine);
		return 0;
	}
	old = bpf_kptr_xchg(&v->ref, mine);
	if (old)
		t_put(old);
	return *part;
}

/* The two paths differ in nothing but whose bytes the slice is of. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_either_object)
{
	struct T *one = t_find(n), *other = one ? t_find(n + 1) : NULL;
	struct bpf_dynptr d;
	char *part;
	int sum = 0;

	if (!one)
		return 0;
	if (!other) {
		t_put(one);
		return 0;
	}
	if (n > 3)
		t_bytes(one, 0, &d);
	else
		t_bytes(other, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 4);
	for (int i = 0; i < 8; i++) {
		barrier_var(sum);
		if (part)
			sum += i & n;
	}
	t_put(other);
	if (part)
		sum += *part;
	t_put(one);
	return sum;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_bytes_that_may_move)
{
	struct bpf_dynptr d;
	char *part;

	t_bytes(t, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 4);
	bpf_dynptr_write(&d, 0, "a", 1, 0);
	return part ? *part : 0;
}

REJECT(KFUNC_TRUST, "must be referenced or trusted")
P(name_of_what_a_read_section_protects)
{
	struct bpf_dynptr d;
	WITH_VALUE(v);
	struct T *seen = v->ref;

	if (!seen)
		return 0;
	t_bytes(seen, 0, &d);
	return bpf_dynptr_size(&d);
}

REJECT(KFUNC_TYPE, "function t_bytes args#0 expected pointer to STRUCT T")
P(name_of_another_type)
{
	struct U *u = u_find(1);
	struct bpf_dynptr d;

	if (!u)
		return 0;
	t_bytes((void *)u, 0, &d);
	u_put(u);
	return 0;
}

/* ---- buffers on the stack ---- */

ACCEPT RETVAL(0)
P(buffer_on_the_stack)
{
	char buffer[8] = {}, *part;
	struct bpf_dynptr d;
	int wrong = 0;

	t_bytes(t, 0, &d);
	bpf_dynptr_write(&d, 4, "abcdefgh", 8, 0);
	part = bpf_dynptr_slice_rdwr(&d, 4, buffer, 8); /* not in a row: a copy */
	if (!part)
		return -1;
	wrong |= part[0] != 'a' || part[7] != 'h';
	part[3] = 'D';
	wrong |= buffer[3] != 'D';
	bpf_dynptr_write(&d, 4, buffer, 8, 0);
	bpf_dynptr_read(buffer, 8, &d, 4, 0);
	return wrong | (buffer[3] != 'D');
}

/* What was known of the buffer is not, when a slice may have written it. */
ACCEPT RETVAL(0)
P(buffer_that_a_slice_writes)
{
	long buffer = 0, *part;
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	bpf_dynptr_write(&d, 4, "\0\0\0\0\0\0\0\0", 8, 0);
	part = bpf_dynptr_slice_rdwr(&d, 4, &buffer, 8);
	if (!part)
		return -1;
	*part = 5;
	return buffer == 5 ? 0 : -2;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_a_buffer_written_since)
{
	char buffer[8], *part;
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	part = bpf_dynptr_slice_rdwr(&d, 4, buffer, 8);
	*(volatile char *)buffer = 1;
	return part ? *part : 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(address_where_a_slice_was)
{
	long buffer = 0, *part;
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	part = bpf_dynptr_slice(&d, 4, &buffer, 8);
	if (!part)
		return 0;
	*(struct T *volatile *)&buffer = t;
	return *part == 7;
}

/* Two slices that may be one buffer. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(buffer_of_two_slices)
{
	char buffer[8], *one, *two;
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	one = bpf_dynptr_slice(&d, 0, buffer, 8);
	two = bpf_dynptr_slice(&d, 4, buffer, 8);
	return one && two ? *one + *two : 0;
}

static __attribute__((noinline)) char *slice_of(struct bpf_dynptr *d)
{
	char buffer[8];

	return bpf_dynptr_slice(d, 4, buffer, 8);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_a_buffer_of_a_callee)
{
	struct bpf_dynptr d;
	char *part;

	t_bytes(t, 0, &d);
	part = slice_of(&d);
	return part ? *part : 0;
}

/* The paths differ in nothing but which buffer the slice may be: both are written. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(slice_of_one_buffer_or_another)
{
	long a = 0, b = 0, *part;
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	if (t->pid == 1)
		part = bpf_dynptr_slice(&d, 4, &a, 8);
	else
		part = bpf_dynptr_slice(&d, 4, &b, 8);
	*(struct T *volatile *)&b = t;
	return part ? *part == 7 : 0;
}

REJECT(UNSUPPORTED, "slices with a buffer anywhere on the stack")
P(buffer_somewhere_on_the_stack)
{
	char buffer[16] = {}, *part;
	unsigned long at = t->pid & 7;
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	asm volatile("" : "+r"(at));
	part = bpf_dynptr_slice(&d, 0, buffer + at, 8);
	return part ? *part : 0;
}

REJECT(UNSUPPORTED, "slices with a buffer that is no map's")
P(buffer_in_a_record)
{
	struct bpf_dynptr d;
	char *buffer = bpf_ringbuf_reserve(&ring, 8, 0), *part;

	if (!buffer)
		return 0;
	t_bytes(t, 0, &d);
	part = bpf_dynptr_slice(&d, 0, buffer, 8);
	bpf_ringbuf_discard(buffer, 0);
	return part ? *part : 0;
}

/* ---- contexts ---- */

ACCEPT RETVAL(0)
XDP(bytes_of_a_packet)
{
	char *buffer = VALUE(buffers), *part;
	struct bpf_dynptr d;
	int wrong;

	if (bpf_dynptr_from_xdp(ctx, 0, &d) || bpf_dynptr_size(&d) != 64)
		return -1;
	wrong = !bpf_dynptr_is_rdonly(&d);
	wrong |= bpf_dynptr_write(&d, 0, "a", 1, 0) != -22;
	wrong |= bpf_dynptr_slice_rdwr(&d, 0, buffer, 14) != NULL;
	part = bpf_dynptr_slice(&d, 50, buffer, 14);
	wrong |= part != buffer;
	wrong |= bpf_dynptr_slice(&d, 51, buffer, 14) != NULL;
	return wrong;
}

/* The packet moves: what pointed into it must not be used; the dynptr asks the host. */
ACCEPT RETVAL(-34)
XDP(dynptr_of_a_shorter_packet)
{
	struct bpf_dynptr d;
	char last;

	bpf_dynptr_from_xdp(ctx, 0, &d);
	bpf_xdp_adjust_head(ctx, 4);
	return bpf_dynptr_read(&last, 1, &d, 63, 0);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
XDP(slice_of_a_packet_that_moved)
{
	struct bpf_dynptr d;
	char *part;

	bpf_dynptr_from_xdp(ctx, 0, &d);
	part = bpf_dynptr_slice(&d, 0, NULL, 8);
	bpf_xdp_adjust_head(ctx, 4);
	return part ? *part : 0;
}

REJECT(KFUNC_ALLOW, "bpf_dynptr_from_xdp")
P(packets_of_another_type)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_xdp((void *)t, 0, &d);
	return 0;
}


/* ---- those of frames that were left ---- */

static __noinline char *part_of(struct T *t)
{
	struct bpf_dynptr d;

	t_bytes(t, 0, &d);
	return bpf_dynptr_slice(&d, 0, NULL, 8);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(part_outlives_its_object)
{
	struct T *found = t_find(n);
	char *part;

	if (!found)
		return 0;
	part = part_of(found);
	t_put(found);
	return part ? *part : 0;
}

ACCEPT
P(part_outlives_its_dynptr)
{
	struct T *found = t_find(n);
	char *part;
	int sum = 0;

	if (!found)
		return 0;
	part = part_of(found);
	if (part)
		sum = *part;
	t_put(found);
	return sum;
}

static __noinline char *part_of_clone(struct bpf_dynptr *d)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(d, &clone);
	return bpf_dynptr_data(&clone, 0, 8);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(part_outlives_its_record)
{
	struct bpf_dynptr d;
	char *part;

	bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &d);
	part = part_of_clone(&d);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return part ? *part : 0;
}

struct parts {
	char *part;
	struct bpf_dynptr *of;
};

static long part_of_turn(__u32 i, struct parts *parts)
{
	parts->part = part_of_clone(parts->of);
	return 1;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(part_of_a_callback_outlives_its_record)
{
	struct bpf_dynptr d;
	struct parts parts = {NULL, &d};

	bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &d);
	bpf_loop(2, part_of_turn, &parts, 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return parts.part ? *parts.part : 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} others SEC(".maps");

/* Whose buffer is in the frame that the other program returns from. */
static __noinline long lends_and_goes(void *ctx, struct T *t, char **part)
{
	struct bpf_dynptr d;
	char buffer[16] = {};

	t_bytes(t, 0, &d);
	*part = bpf_dynptr_slice(&d, 0, buffer, 8);
	bpf_tail_call(ctx, &others, 0);
	*part = NULL;
	return 0;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(buffer_after_a_tail_call)
{
	char *part = NULL;

	lends_and_goes(ctx, t, &part);
	return part ? *part : 0;
}
