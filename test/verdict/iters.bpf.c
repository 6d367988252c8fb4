/* SPDX-License-Identifier: MIT
 *
 * Open-coded iterators: their life, what they give, and loops by them, which converge and
 * nevertheless let nothing unsafe through.
 */
#include "setup.h"

struct bpf_iter_num {
	__u64 opaque;
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

/* ---- their life ---- */

ACCEPT RETVAL(45)
P(sum_of_numbers)
{
	struct bpf_iter_num it;
	int sum = 0, *v;

	bpf_iter_num_new(&it, 0, 10);
	while ((v = bpf_iter_num_next(&it)))
		sum += *v;
	bpf_iter_num_destroy(&it);
	return sum;
}

/* The first and the last number there are; none; too many. */
ACCEPT RETVAL(6)
P(edges_of_numbers)
{
	struct bpf_iter_num it;
	int seen = 0, err, *v;

	bpf_iter_num_new(&it, -0x7fffffff - 1, -0x7fffffff + 1);
	while ((v = bpf_iter_num_next(&it)))
		seen += *v < 0;
	bpf_iter_num_destroy(&it);
	bpf_iter_num_new(&it, 0x7ffffffe, 0x7fffffff);
	while ((v = bpf_iter_num_next(&it)))
		seen += *v == 0x7ffffffe;
	bpf_iter_num_destroy(&it);
	err = bpf_iter_num_new(&it, 1, 0);
	seen += err == -22 && !bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	err = bpf_iter_num_new(&it, 0, 0x7fffffff);
	seen += err == -7 && !bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_new(&it, 5, 5);
	seen += !bpf_iter_num_next(&it) && !bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return seen;
}

ACCEPT RETVAL(1)
P(one_place_for_two_in_turn)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 1);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_new(&it, 0, 2);
	v = bpf_iter_num_next(&it);
	n = v ? 1 : 0;
	bpf_iter_num_destroy(&it);
	return n;
}

REJECT(REF_LEAK, "Unreleased reference")
P(never_destroyed)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference")
P(not_destroyed_on_one_path)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 3);
	while ((v = bpf_iter_num_next(&it)))
		if (*v == n)
			return 1;
	bpf_iter_num_destroy(&it);
	return 0;
}

REJECT(ITER_INIT, "expected an initialized iter_num as arg #0")
P(next_without_new)
{
	struct bpf_iter_num it = {};

	return bpf_iter_num_next(&it) != NULL;
}

REJECT(ITER_INIT, "expected an initialized iter_num as arg #0")
P(destroyed_twice)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

REJECT(ITER_INIT, "expected an initialized iter_num as arg #0")
P(next_after_destroy)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	return bpf_iter_num_next(&it) != NULL;
}

REJECT(ITER_UNINIT, "expected uninitialized iter_num as arg #0")
P(made_twice)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	return 0;
}

REJECT(ITER_STACK, "arg#0 expected pointer to an iterator on stack")
P(iterator_in_a_map)
{
	WITH_VALUE(v);

	bpf_iter_num_new((struct bpf_iter_num *)v->buf, 0, 3);
	return 0;
}

REJECT(OBJECT_OFF, "cannot pass in iter at an offset=-12")
P_ASM(iterator_at_odd_offset)
{
	ASM("r1 = r10				\n"
	    "r1 += -12				\n"
	    "r2 = 0				\n"
	    "r3 = 3				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new) : "memory");
}

REJECT(OBJECT_VAR_OFF, "iter has to be at a constant offset")
P_ASM(iterator_at_unknown_offset)
{
	ASM("call %[bpf_get_prandom_u32]	\n"
	    "r0 &= 8				\n"
	    "r1 = r10				\n"
	    "r1 += -24				\n"
	    "r1 += r0				\n"
	    "r2 = 0				\n"
	    "r3 = 3				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_get_prandom_u32), SYM(bpf_iter_num_new) : "memory");
}

/* ---- its bytes ---- */

REJECT(STACK_OBJECT, "invalid read from stack off -8+0 size 8")
P_ASM(iterator_read)
{
	ASM("r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 3				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "r6 = *(u64 *)(r10 - 8)		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_destroy) : "memory");
}

REJECT(ITER_INIT, "expected an initialized iter_num as arg #0")
P_ASM(iterator_written)
{
	ASM("r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 3				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "*(u8 *)(r10 - 3) = 1		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_destroy) : "memory");
}

REJECT(REF_LEAK, "Unreleased reference")
P_ASM(iterator_written_and_forgotten)
{
	ASM("r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 3				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "r0 = 0				\n"
	    "*(u64 *)(r10 - 8) = r0		\n"
	    "exit" :: SYM(bpf_iter_num_new) : "memory");
}

/* ---- what it gives ---- */

/* NULL, as on the path that is walked first. */
REJECT(MEM_ACCESS, "R0 invalid mem access 'scalar'")
P(element_untested)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	n = *bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return n;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(element_after_destroy)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 3);
	v = bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return v ? *v : 0;
}

REJECT(MEM_WRITE, "cannot write into")
P(element_written)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 3);
	v = bpf_iter_num_next(&it);
	if (v)
		*v = 1;
	bpf_iter_num_destroy(&it);
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=4 off=0 size=8")
P(element_read_too_wide)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 3);
	v = bpf_iter_num_next(&it);
	if (v)
		n = *(long *)v;
	bpf_iter_num_destroy(&it);
	return n;
}

/* ---- loops ---- */

ACCEPT RETVAL(6)
P(one_in_another)
{
	struct bpf_iter_num outer, inner;
	int sum = 0;

	bpf_iter_num_new(&outer, 0, 3);
	while (bpf_iter_num_next(&outer)) {
		bpf_iter_num_new(&inner, 0, 2);
		while (bpf_iter_num_next(&inner))
			sum++;
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&outer);
	return sum;
}

/* Far more laps than are walked. */
ACCEPT RETVAL(1000)
P(many_laps)
{
	struct bpf_iter_num it;
	int sum = 0;

	bpf_iter_num_new(&it, 0, 1000);
	while (bpf_iter_num_next(&it)) {
		sum++;
		hide(sum);
	}
	bpf_iter_num_destroy(&it);
	return sum;
}

/* An index that is tested against the bound in each lap. */
ACCEPT RETVAL(36)
P(array_by_iterator)
{
	struct bpf_iter_num it;
	long bytes[4] = {}, sum = 0;
	int *v;

	bpf_iter_num_new(&it, 0, 9);
	while ((v = bpf_iter_num_next(&it))) {
		unsigned int i = *v;

		if (i < 4)
			bytes[i] = i;
		sum += i;
	}
	bpf_iter_num_destroy(&it);
	return sum;
}

/* A reference taken and given back in each lap. */
ACCEPT RETVAL(3)
P(reference_in_each_lap)
{
	struct bpf_iter_num it;
	int taken = 0;

	bpf_iter_num_new(&it, 0, 3);
	while (bpf_iter_num_next(&it)) {
		struct T *p = t_get(t);

		if (!p)
			break;
		t_put(p);
		taken++;
	}
	bpf_iter_num_destroy(&it);
	return taken;
}

/* Each lap goes one place further: the second lap is not the first. */
REJECT(REGION_MIN, "invalid access to map value")
P(offset_grows)
{
	struct bpf_iter_num it;
	unsigned long at = 0;
	struct plain *v = element(plain);

	if (!v)
		return 0;
	bpf_iter_num_new(&it, 0, 1000);
	while (bpf_iter_num_next(&it)) {
		if (at > 2000)
			break;
		((char *)v)[at] = 1;
		at += 8;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

/* Only the third lap gets there: the test that leads to it must not be pruned away. */
REJECT(NULL_DEREF, "invalid mem access")
P_ASM(third_lap)
{
	ASM("r8 = 0				\n"
	    "r7 = 0				\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 4f			\n"
	    "if r7 == 1 goto 2f			\n"
	    "if r8 == 1 goto 3f			\n"
	    "r8 = 1				\n"
	    "goto 1b				\n"
	    "3: r7 = 1				\n"
	    "goto 1b				\n"
	    "2: *(u32 *)(r10 - 12) = 1		\n"
	    "r2 = r10				\n"
	    "r2 += -12				\n"
	    "r1 = %[A] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "r0 = *(u64 *)(r0 + 0)		\n"
	    "4: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_next), SYM(bpf_iter_num_destroy),
	    ADDR(A), SYM(bpf_map_lookup_elem) : "memory");
}

/* Behind the loop a number matters that changes in it: it must not be taken for what it
 * was before the first lap. */
REJECT(REGION_MIN, "invalid access to map value")
P_ASM(number_behind_the_loop)
{
	ASM("*(u32 *)(r10 - 12) = 1		\n"
	    "r2 = r10				\n"
	    "r2 += -12				\n"
	    "r1 = %[plain] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 5f			\n"
	    "r9 = r0				\n"
	    "r8 = 0				\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 4f			\n"
	    "if r8 == 24 goto 1b		\n"
	    "r8 += 8				\n"
	    "goto 1b				\n"
	    "4: r9 += r8			\n"
	    "r6 = *(u8 *)(r9 + 0)		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "5: r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_next), SYM(bpf_iter_num_destroy),
	    ADDR(plain), SYM(bpf_map_lookup_elem) : "memory");
}

/* A pointer of one lap, given back in the next: gone when it is used. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(used_a_lap_later)
{
	struct bpf_iter_num it;
	struct T *p = t_get(t);
	int sum = 0;

	bpf_iter_num_new(&it, 0, 3);
	if (p) {
		int held = 1;

		while (bpf_iter_num_next(&it)) {
			sum += p->pid;
			if (held)
				t_put(p);
			held = 0;
		}
		if (held)
			t_put(p);
	}
	bpf_iter_num_destroy(&it);
	return sum;
}

/* A lap that makes its own iterator anew never ends. */
REJECT(INFINITE_LOOP, "infinite loop detected")
KERNEL(accept, "it never ends, which kernels do not see")
P_ASM(made_anew_in_each_lap)
{
	ASM("1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "goto 1b" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_next),
	    SYM(bpf_iter_num_destroy) : "memory");
}

/* The same where only a lap that got an element goes round. */
REJECT(BUDGET, "BPF program is too large")
KERNEL(accept, "it never ends, which kernels do not see")
P_ASM(made_anew_behind_an_element)
{
	ASM("1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "r6 = r0				\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "if r6 != 0 goto 1b			\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_next),
	    SYM(bpf_iter_num_destroy) : "memory");
}

/* Two of them, each of which the other's lap makes anew. */
REJECT(TOO_COMPLEX, "is too complex")
KERNEL(accept, "it never ends, which kernels do not see")
P_ASM(made_anew_by_turns)
{
	ASM("r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 8f			\n"
	    "r1 = r10				\n"
	    "r1 += -16				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "2: r1 = r10			\n"
	    "r1 += -16				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 7f			\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "if r0 == 0 goto 3f			\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "goto 2b				\n"
	    "3: r1 = r10			\n"
	    "r1 += -16				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "goto 1b				\n"
	    "7: r1 = r10			\n"
	    "r1 += -16				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "8: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r0 = 0				\n"
	    "exit" :: SYM(bpf_iter_num_new), SYM(bpf_iter_num_next),
	    SYM(bpf_iter_num_destroy), SYM(bpf_get_prandom_u32) : "memory");
}

/* In a subprogram, with the caller's iterator. */
static __noinline int next_of(struct bpf_iter_num *it)
{
	int *v = bpf_iter_num_next(it);

	return v ? *v + 1 : 0;
}

ACCEPT RETVAL(6)
P(caller_has_it)
{
	struct bpf_iter_num it;
	int v, sum = 0;

	bpf_iter_num_new(&it, 0, 3);
	while ((v = next_of(&it)))
		sum += v;
	bpf_iter_num_destroy(&it);
	return sum;
}

static __noinline void leave_one(void)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
}

REJECT(REF_LEAK, "Unreleased reference")
P(left_in_a_subprogram)
{
	leave_one();
	return 0;
}

/* ---- more that pruning must not lose ---- */

#define ITER_OPERANDS                                                                    \
	SYM(bpf_iter_num_new), SYM(bpf_iter_num_next), SYM(bpf_iter_num_destroy),         \
		SYM(bpf_get_prandom_u32)

/* The third lap after one that chance decides moves the offset out of the stack; it is used
 * behind the loop only. */
REJECT(STACK_BOUNDS, "invalid write to stack R1 off=-700 size=1")
P_ASM(offset_used_behind_the_loop)
{
	ASM("r6 = 0				\n"
	    "r7 = -16				\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 9f			\n"
	    "if r6 == 1 goto 2f			\n"
	    "if r6 == 2 goto 3f			\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "if r0 == 0 goto 1b			\n"
	    "r6 = 1				\n"
	    "goto 1b				\n"
	    "2: r6 = 2				\n"
	    "goto 1b				\n"
	    "3: r7 = -700			\n"
	    "r6 = 0				\n"
	    "goto 1b				\n"
	    "9: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r1 = r10				\n"
	    "r1 += r7				\n"
	    "r0 = 0				\n"
	    "*(u8 *)(r1 + 0) = r0		\n"
	    "exit" :: ITER_OPERANDS : "memory");
}

/* The pointer is lost in the second lap of an inner loop, whose first lap any outer lap may
 * have been. */
REJECT(MEM_ACCESS, "R6 invalid mem access 'scalar'")
P_ASM(pointer_lost_in_an_inner_lap)
{
	ASM("r6 = r10				\n"
	    "r6 += -32				\n"
	    "r8 = 0				\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 9f			\n"
	    "r1 = r10				\n"
	    "r1 += -16				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "2: r1 = r10			\n"
	    "r1 += -16				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 3f			\n"
	    "if r8 != 0 goto 4f			\n"
	    "r8 = 1				\n"
	    "goto 2b				\n"
	    "4: r6 = 5				\n"
	    "goto 2b				\n"
	    "3: r1 = r10			\n"
	    "r1 += -16				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "goto 1b				\n"
	    "9: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r0 = *(u8 *)(r6 + 0)		\n"
	    "r0 = 0				\n"
	    "exit" :: ITER_OPERANDS : "memory");
}

/* A counter that stops at 5, and what happens only then. */
REJECT(MEM_ACCESS, "R1 invalid mem access 'scalar'")
P_ASM(only_after_five_laps)
{
	ASM("r6 = 0				\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "1: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "if r0 == 0 goto 9f			\n"
	    "if r6 == 5 goto 1b			\n"
	    "r6 += 1				\n"
	    "goto 1b				\n"
	    "9: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "if r6 != 5 goto 8f			\n"
	    "r1 = 0				\n"
	    "r0 = *(u64 *)(r1 + 0)		\n"
	    "8: r0 = 0				\n"
	    "exit" :: ITER_OPERANDS : "memory");
}

/* The iterator is there on one path only. */
REJECT(ITER_INIT, "expected an initialized iter_num as arg #0")
P_ASM(made_on_one_path)
{
	ASM("call %[bpf_get_prandom_u32]	\n"
	    "if r0 == 0 goto 2f			\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "r2 = 0				\n"
	    "r3 = 10				\n"
	    "call %[bpf_iter_num_new]		\n"
	    "2: r1 = r10			\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_next]		\n"
	    "r1 = r10				\n"
	    "r1 += -8				\n"
	    "call %[bpf_iter_num_destroy]	\n"
	    "r0 = 0				\n"
	    "exit" :: ITER_OPERANDS : "memory");
}

static long take_one(__u32 i, void *it)
{
	return !bpf_iter_num_next(it);
}

ACCEPT RETVAL(4)
P(taken_by_a_callback)
{
	struct bpf_iter_num it;
	int left = 0;

	bpf_iter_num_new(&it, 0, 10);
	bpf_loop(6, take_one, &it, 0);
	while (bpf_iter_num_next(&it))
		left++;
	bpf_iter_num_destroy(&it);
	return left;
}

static long destroy_it(__u32 i, void *it)
{
	bpf_iter_num_destroy(it);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference")
P(destroyed_by_a_callback)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	bpf_loop(1, destroy_it, &it, 0);
	return 0;
}

/* A callback that runs once, and an iterator that is made anew, in each lap of a loop that
 * does not end. */
static long once(__u32 i, void *ctx)
{
	return 0;
}

REJECT(TOO_COMPLEX, "is too complex")
KERNEL(accept, "it never ends, which kernels do not see")
P(callback_beside_one_made_anew)
{
	for (;;) {
		struct bpf_iter_num it;
		int *v;

		bpf_iter_num_new(&it, 0, 10);
		v = bpf_iter_num_next(&it);
		bpf_iter_num_destroy(&it);
		if (!v)
			return 0;
		bpf_loop(1, once, NULL, 0);
	}
}

#ifndef FOR_KERNEL
extern int bpf_iter_t_new(struct bpf_iter_t *it, int n) __ksym;
extern struct T *bpf_iter_t_next(struct bpf_iter_t *it) __ksym;
extern void bpf_iter_t_destroy(struct bpf_iter_t *it) __ksym;

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(memory_of_an_element_gone)
{
	struct bpf_iter_t it;
	const char *text = NULL;
	struct T *p;

	bpf_iter_t_new(&it, 1);
	p = bpf_iter_t_next(&it);
	if (p)
		text = t_text(p, 8);
	bpf_iter_t_destroy(&it);
	return text ? text[0] : 0;
}

ACCEPT
P(memory_of_an_element)
{
	struct bpf_iter_t it;
	const char *text = NULL;
	struct T *p;

	bpf_iter_t_new(&it, 1);
	p = bpf_iter_t_next(&it);
	if (p)
		text = t_text(p, 8);
	n = text ? text[0] : 0;
	bpf_iter_t_destroy(&it);
	return n;
}
#endif
