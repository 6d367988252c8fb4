/* SPDX-License-Identifier: MIT
 *
 * Dynptrs: made, used, cloned and ended; slices of them; those that callbacks are handed.
 */
#include "linux.h"

#include <linux/pkt_cls.h>

extern int bpf_dynptr_from_skb(struct __sk_buff *s, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *x, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer,
			      __u32 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 offset, void *buffer,
				   __u32 size) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} from_user SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[32]);
} bytes SEC(".maps");

static char *element(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&bytes, &key);
}

/* ---- one that holds a record ---- */

ACCEPT
SEC("tc")
int record(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char text[8] = {};

	bpf_ringbuf_reserve_dynptr(&ring, skb->len, 0, &d);
	bpf_dynptr_write(&d, 0, text, sizeof(text), 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference")
SEC("tc")
int record_leaked(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, skb->len, 0, &d);
	return 0;
}

/* Whether it was made does not matter: it is given back. */
REJECT(REF_LEAK, "Unreleased reference")
SEC("tc")
int record_kept_on_failure(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	if (bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d))
		return 0;
	bpf_ringbuf_discard_dynptr(&d, 0);
	return 0;
}

REJECT(DYNPTR_RELEASE, "arg 1 is an unacquired reference")
SEC("tc")
int record_given_back_twice(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_ringbuf_submit_dynptr(&d, 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

REJECT(DYNPTR_OVERWRITE, "cannot overwrite referenced dynptr")
SEC("tc")
int record_overwritten(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	((volatile char *)&d)[3] = 1;
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

REJECT(DYNPTR_OVERWRITE, "cannot overwrite referenced dynptr")
SEC("tc")
int record_made_over(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

REJECT(DYNPTR_WRITE, "potential write to dynptr at off=")
PROG_ASM("tc", record_written_by_helper)
{
	ASM("r1 = %[ring] ll			\n"
	    "r2 = 8				\n"
	    "r3 = 0				\n"
	    "r4 = r10				\n"
	    "r4 += -16				\n"
	    "call %[bpf_ringbuf_reserve_dynptr]	\n"
	    "r1 = r10				\n"
	    "r1 += -24				\n"
	    "r2 = 16				\n"
	    "r3 = 0				\n"
	    "call %[bpf_probe_read_kernel]	\n"
	    "r1 = r10				\n"
	    "r1 += -16				\n"
	    "r2 = 0				\n"
	    "call %[bpf_ringbuf_discard_dynptr]	\n"
	    "r0 = 0				\n"
	    "exit" :: ADDR(ring), SYM(bpf_ringbuf_reserve_dynptr), SYM(bpf_probe_read_kernel),
	    SYM(bpf_ringbuf_discard_dynptr) : "memory");
}

REJECT(STACK_OBJECT, "invalid read from stack")
SEC("tc")
int record_read_as_bytes(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char seen;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	seen = ((volatile char *)&d)[9];
	bpf_ringbuf_submit_dynptr(&d, 0);
	return seen;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int slice_of_record_outlives_it(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char *data;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	data = bpf_dynptr_data(&d, 0, 8);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return data ? *data : 0;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
SEC("tc")
int clone_of_record_outlives_it(struct __sk_buff *skb)
{
	struct bpf_dynptr d, clone;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_dynptr_clone(&d, &clone);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return bpf_dynptr_size(&clone);
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int slice_of_clone_outlives_the_record(struct __sk_buff *skb)
{
	struct bpf_dynptr d, clone;
	char *data;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_dynptr_clone(&d, &clone);
	data = bpf_dynptr_data(&clone, 0, 8);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return data ? *data : 0;
}

ACCEPT
SEC("tc")
int record_given_back_by_its_clone(struct __sk_buff *skb)
{
	struct bpf_dynptr d, clone;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_dynptr_clone(&d, &clone);
	bpf_ringbuf_discard_dynptr(&clone, 0);
	return 0;
}

/* ---- of memory ---- */

ACCEPT
SEC("tc")
int of_a_map_value(struct __sk_buff *skb)
{
	char *value = element(), *data, copy[4];
	struct bpf_dynptr d;

	if (!value)
		return 0;
	bpf_dynptr_from_mem(value, 32, 0, &d);
	bpf_dynptr_read(copy, sizeof(copy), &d, 4, 0);
	bpf_dynptr_adjust(&d, 8, 16);
	data = bpf_dynptr_data(&d, 0, 4);
	if (data)
		data[3] = copy[0];
	return bpf_dynptr_size(&d);
}

REJECT(DYNPTR_MEM, "Unsupported reg type fp for bpf_dynptr_from_mem data")
SEC("tc")
int of_the_stack(struct __sk_buff *skb)
{
	char text[8] = {};
	struct bpf_dynptr d;

	return bpf_dynptr_from_mem(text, sizeof(text), 0, &d);
}

REJECT(DYNPTR_RELEASE, "arg 1 is an unacquired reference")
SEC("tc")
int packet_given_back(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb(skb, 0, &d);
	bpf_ringbuf_discard_dynptr(&d, 0);
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=4 off=4 size=1")
SEC("tc")
int slice_exceeded(struct __sk_buff *skb)
{
	char *value = element(), *data;
	struct bpf_dynptr d;

	if (!value)
		return 0;
	bpf_dynptr_from_mem(value, 32, 0, &d);
	data = bpf_dynptr_data(&d, 0, 4);
	return data ? data[4] : 0;
}

REJECT(NULL_DEREF, "invalid mem access 'mem_or_null'")
SEC("tc")
int slice_untested(struct __sk_buff *skb)
{
	char *value = element();
	struct bpf_dynptr d;

	if (!value)
		return 0;
	bpf_dynptr_from_mem(value, 32, 0, &d);
	return *(char *)bpf_dynptr_data(&d, 0, 4);
}

/* What is written over is none any more, and its slices go with it. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int slice_of_overwritten(struct __sk_buff *skb)
{
	char *value = element(), *data;
	struct bpf_dynptr d;

	if (!value)
		return 0;
	bpf_dynptr_from_mem(value, 32, 0, &d);
	data = bpf_dynptr_data(&d, 0, 4);
	if (!data)
		return 0;
	((volatile char *)&d)[0] = 1;
	return *data;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
SEC("tc")
int never_made(struct __sk_buff *skb)
{
	struct bpf_dynptr d = {};

	return bpf_dynptr_data(&d, 0, 4) != NULL;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
SEC("tc")
int made_on_one_path(struct __sk_buff *skb)
{
	struct bpf_dynptr d = {};

	if (skb->len > 10)
		bpf_dynptr_from_skb(skb, 0, &d);
	return bpf_dynptr_size(&d);
}

/* ---- where it is ---- */

REJECT(DYNPTR_KIND, "arg#0 expected pointer to stack or const struct bpf_dynptr")
SEC("tc")
int in_a_map(struct __sk_buff *skb)
{
	char *value = element();

	return value ? bpf_dynptr_size((struct bpf_dynptr *)value) : 0;
}

REJECT(OBJECT_OFF, "cannot pass in dynptr at an offset=-12")
PROG_ASM("tc", at_odd_offset)
{
	ASM("r1 = r10				\n"
	    "r1 += -12				\n"
	    "call %[bpf_dynptr_size]		\n"
	    "exit" :: SYM(bpf_dynptr_size) : "memory");
}

REJECT(OBJECT_OFF, "cannot pass in dynptr at an offset=-8")
PROG_ASM("tc", half_of_it)
{
	ASM("r2 = 0				\n"
	    "r3 = r10				\n"
	    "r3 += -16				\n"
	    "call %[bpf_dynptr_from_skb]	\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_dynptr_size]		\n"
	    "exit" :: SYM(bpf_dynptr_from_skb), SYM(bpf_dynptr_size) : "memory");
}

REJECT(OBJECT_VAR_OFF, "dynptr has to be at a constant offset")
PROG_ASM("tc", at_unknown_offset)
{
	ASM("r6 = *(u32 *)(r1 + 0)		\n"
	    "r6 &= 8				\n"
	    "r2 = 0				\n"
	    "r3 = r10				\n"
	    "r3 += -32				\n"
	    "r3 += r6				\n"
	    "call %[bpf_dynptr_from_skb]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_dynptr_from_skb) : "memory");
}

/* ---- of packets ---- */

ACCEPT
SEC("tc")
int packet(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8], *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, sizeof(buf));
	if (!p)
		return 0;
	skb->mark = p[7];
	p = bpf_dynptr_slice_rdwr(&d, 0, buf, sizeof(buf));
	if (p)
		p[7] = 1;
	return 0;
}

ACCEPT
SEC("xdp")
int packet_without_buffer(struct xdp_md *xdp)
{
	struct bpf_dynptr d;
	char *p;

	bpf_dynptr_from_xdp(xdp, 0, &d);
	p = bpf_dynptr_slice(&d, 0, NULL, 8);
	return p ? p[0] & 1 : 0;
}

REJECT(MEM_WRITE, "cannot write into rdonly_mem")
SEC("tc")
int slice_to_read_written(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8], *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, sizeof(buf));
	if (p)
		p[0] = 1;
	return 0;
}

REJECT(DYNPTR_RDWR, "the prog does not allow writes to packet data")
SEC("cgroup_skb/egress")
int packet_not_to_be_written(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8], *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice_rdwr(&d, 0, buf, sizeof(buf));
	return p && p[0];
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int slice_after_the_packet_moved(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8], *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, sizeof(buf));
	if (!p || bpf_skb_pull_data(skb, 8))
		return 0;
	return p[0];
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int slice_after_a_write(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8] = {}, *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, sizeof(buf));
	if (!p)
		return 0;
	bpf_dynptr_write(&d, 0, buf, sizeof(buf), 0);
	return p[0];
}

REJECT(NOT_CONST, "R4 must be a known constant")
SEC("tc")
int slice_of_unknown_size(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8] = {}, *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, skb->len & 7);
	return p ? p[0] : 0;
}

/* ---- handed to a callback ---- */

static long look(struct bpf_dynptr *d, void *ctx)
{
	char copy[4] = {};
	char *p;

	bpf_dynptr_read(copy, sizeof(copy), d, 0, 0);
	p = bpf_dynptr_data(d, 4, 4);
	*(int *)ctx += copy[0] + (p ? p[0] : 0);
	return 0;
}

ACCEPT
SEC("tc")
int drained(struct __sk_buff *skb)
{
	int sum = 0;

	bpf_user_ringbuf_drain(&from_user, look, &sum, 0);
	return sum & 1;
}

static long give_back(struct bpf_dynptr *d, void *ctx)
{
	bpf_ringbuf_discard_dynptr(d, 0);
	return 0;
}

REJECT(DYNPTR_RELEASE_CONST, "cannot release unowned const bpf_dynptr")
SEC("tc")
int drained_given_back(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&from_user, give_back, NULL, 0);
	return 0;
}

static long make_anew(struct bpf_dynptr *d, void *ctx)
{
	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, d);
	return 0;
}

REJECT(DYNPTR_UNINIT, "Dynptr has to be an uninitialized dynptr")
SEC("tc")
int drained_made_anew(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&from_user, make_anew, NULL, 0);
	return 0;
}

static long behind_it(struct bpf_dynptr *d, void *ctx)
{
	return bpf_dynptr_size(d + 1) & 1;
}

REJECT(DYNPTR_OFF, "dereference of modified dynptr_ptr ptr R1 off=16 disallowed")
SEC("tc")
int drained_behind(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&from_user, behind_it, NULL, 0);
	return 0;
}

static long before_it(struct bpf_dynptr *d, void *ctx)
{
	return bpf_dynptr_size(d - 1) & 1;
}

REJECT(DYNPTR_NEG, "negative offset dynptr_ptr ptr R1 off=-16 disallowed")
SEC("tc")
int drained_before(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&from_user, before_it, NULL, 0);
	return 0;
}

static long read_it(struct bpf_dynptr *d, void *ctx)
{
	return *(volatile long *)d & 1;
}

REJECT(MEM_ACCESS, "invalid mem access 'dynptr_ptr'")
SEC("tc")
int drained_read(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&from_user, read_it, NULL, 0);
	return 0;
}

static long keep_slice(struct bpf_dynptr *d, void *ctx)
{
	*(char **)ctx = bpf_dynptr_data(d, 0, 4);
	return 0;
}

/* What the callback was shown is gone when it returns. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int drained_slice_outlives_the_callback(struct __sk_buff *skb)
{
	char *kept = NULL;

	bpf_user_ringbuf_drain(&from_user, keep_slice, &kept, 0);
	return kept ? *kept : 0;
}

static long keep_clone(struct bpf_dynptr *d, void *ctx)
{
	bpf_dynptr_clone(d, ctx);
	return 0;
}

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
KERNEL(accept, "the record that the clone shows is the ring's again by then")
SEC("tc")
int drained_clone_outlives_the_callback(struct __sk_buff *skb)
{
	struct bpf_dynptr kept;

	bpf_dynptr_from_skb(skb, 0, &kept);
	bpf_user_ringbuf_drain(&from_user, keep_clone, &kept, 0);
	return bpf_dynptr_size(&kept);
}

/* ---- pruning ---- */

/* The other path made no dynptr there; what comes after must not be taken as proved. */
REJECT(REF_LEAK, "Unreleased reference")
PROG_ASM("tc", one_path_holds_a_record)
{
	ASM("r6 = *(u32 *)(r1 + 0)		\n"
	    "r0 = 0				\n"
	    "if r6 == 1 goto 1f			\n"
	    "r1 = %[ring] ll			\n"
	    "r2 = 8				\n"
	    "r3 = 0				\n"
	    "r4 = r10				\n"
	    "r4 += -16				\n"
	    "call %[bpf_ringbuf_reserve_dynptr]	\n"
	    "if r6 == 2 goto 1f			\n"
	    "r1 = r10				\n"
	    "r1 += -16				\n"
	    "r2 = 0				\n"
	    "call %[bpf_ringbuf_discard_dynptr]	\n"
	    "1: r0 = 0				\n"
	    "exit" :: ADDR(ring), SYM(bpf_ringbuf_reserve_dynptr),
	    SYM(bpf_ringbuf_discard_dynptr) : "memory");
}

/* On one path the slice is of the packet: only that one dies with a write. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
PROG_ASM("tc", one_path_has_a_slice_of_the_packet)
{
	ASM("r9 = r1				\n"
	    "*(u64 *)(r10 - 40) = 0		\n"
	    "*(u32 *)(r10 - 44) = 0		\n"
	    "r1 = %[bytes] ll			\n"
	    "r2 = r10				\n"
	    "r2 += -44				\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 9f			\n"
	    "r6 = *(u32 *)(r9 + 0)		\n"
	    "if r6 == 1 goto 1f			\n"
	    "r1 = r0				\n"
	    "r2 = 32				\n"
	    "r3 = 0				\n"
	    "r4 = r10				\n"
	    "r4 += -16				\n"
	    "call %[bpf_dynptr_from_mem]	\n"
	    "goto 2f				\n"
	    "1: r1 = r9				\n"
	    "r2 = 0				\n"
	    "r3 = r10				\n"
	    "r3 += -16				\n"
	    "call %[bpf_dynptr_from_skb]	\n"
	    "2: r1 = r10			\n"
	    "r1 += -16				\n"
	    "r2 = 0				\n"
	    "r3 = r10				\n"
	    "r3 += -40				\n"
	    "r4 = 8				\n"
	    "call %[bpf_dynptr_slice]		\n"
	    "if r0 == 0 goto 9f			\n"
	    "r7 = r0				\n"
	    "r1 = r10				\n"
	    "r1 += -16				\n"
	    "r2 = 0				\n"
	    "r3 = r10				\n"
	    "r3 += -40				\n"
	    "r4 = 8				\n"
	    "r5 = 0				\n"
	    "call %[bpf_dynptr_write]		\n"
	    "r0 = *(u8 *)(r7 + 0)		\n"
	    "9: r0 = 0				\n"
	    "exit" :: ADDR(bytes), SYM(bpf_map_lookup_elem), SYM(bpf_dynptr_from_mem),
	    SYM(bpf_dynptr_from_skb), SYM(bpf_dynptr_slice), SYM(bpf_dynptr_write) : "memory");
}
