/* SPDX-License-Identifier: MIT
 *
 * Offsets into map values: what branches prove of a number.
 */
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[64]);
} bytes SEC(".maps");

#define WITH_BYTES(v)                                                                    \
	__u32 zero = 0;                                                                  \
	char *v = bpf_map_lookup_elem(&bytes, &zero);                                    \
	if (!v)                                                                          \
		return 0

/* Numbers that nobody knows. */
#define any64() bpf_ktime_get_ns()
#define any32() bpf_get_prandom_u32()

ACCEPT RETVAL(0)
XDP(last_byte)
{
	WITH_BYTES(v);
	return v[63];
}

REJECT(REGION_MIN, "invalid access to map value, value_size=64 off=64 size=1")
XDP(one_past)
{
	WITH_BYTES(v);
	return *(volatile char *)(v + 64);
}

REJECT(REGION_MIN, "invalid access to map value, value_size=64 off=-1 size=1")
XDP(one_before)
{
	WITH_BYTES(v);
	return *(volatile char *)(v - 1);
}

/* The last byte of a wide access counts. */
REJECT(REGION_MIN, "invalid access to map value, value_size=64 off=60 size=8")
XDP(wide_over_end)
{
	WITH_BYTES(v);
	return *(volatile long *)(v + 60) != 0;
}

ACCEPT RETVAL(0)
XDP(masked)
{
	WITH_BYTES(v);
	return v[any32() & 63];
}

REJECT(REGION_MAX, "invalid access to map value, value_size=64 off=127 size=1")
XDP(masked_too_wide)
{
	WITH_BYTES(v);
	return v[any32() & 127];
}

ACCEPT RETVAL(0)
XDP(unsigned_compare)
{
	WITH_BYTES(v);
	__u64 i = any64();

	return i < 64 ? v[i] : 0;
}

REJECT(REGION_MAX, "invalid access to map value")
XDP(off_by_one)
{
	WITH_BYTES(v);
	__u64 i = any64();

	return i <= 64 ? v[i] : 0;
}

/* Signed: a lower bound is wanted, too. */
REJECT(REGION_NEGATIVE, "min value is negative")
XDP(signed_upper_only)
{
	WITH_BYTES(v);
	long i = any64() & 0xff;

	i -= 128;
	return i < 64 ? *(volatile char *)(v + i) : 0;
}

ACCEPT RETVAL(0)
XDP(signed_both)
{
	WITH_BYTES(v);
	long i = any64() & 0xff;

	i -= 128;
	if (i < 0 || i >= 64)
		return 0;
	return *(volatile char *)(v + i);
}

REJECT(REGION_UNBOUNDED, "unbounded memory access")
XDP(shifted_out_of_sight)
{
	WITH_BYTES(v);
	__u64 i = any64() >> 34; /* up to 2^30 */

	return *(volatile char *)(v + i);
}

/* 32-bit comparisons prove the lower half only. */
ACCEPT RETVAL(0)
XDP_ASM(lower_half)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r6 = r0				\n"
	    "*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[bytes] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 1f			\n"
	    "w6 = w6				\n"
	    "if w6 > 63 goto 1f			\n"
	    "r0 += r6				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    "1: r0 = 0				\n"
	    "exit" :: SYM(bpf_ktime_get_ns), SYM(bpf_map_lookup_elem), ADDR(bytes) : "memory");
}

REJECT(PTR_MATH_UNBOUND, "unbounded min value")
XDP_ASM(upper_half_unknown)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r6 = r0				\n"
	    "*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[bytes] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 1f			\n"
	    "if w6 > 63 goto 1f			\n"
	    "r0 += r6				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    "1: r0 = 0				\n"
	    "exit" :: SYM(bpf_ktime_get_ns), SYM(bpf_map_lookup_elem), ADDR(bytes) : "memory");
}

/* A copy made before the test learns from it. */
ACCEPT RETVAL(0)
XDP_ASM(copy_learns)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r6 = r0				\n"
	    "r7 = r6				\n"
	    "*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[bytes] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 1f			\n"
	    "if r7 > 63 goto 1f			\n"
	    "r0 += r6				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    "1: r0 = 0				\n"
	    "exit" :: SYM(bpf_ktime_get_ns), SYM(bpf_map_lookup_elem), ADDR(bytes) : "memory");
}

/* One path bounds the number, the other does not: both are walked. */
REJECT(PTR_MATH_UNBOUND, "unbounded min value")
XDP_ASM(one_path_bounds)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r6 = r0				\n"
	    "*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[bytes] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 1f			\n"
	    "r8 = r0				\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "if r0 > 7 goto 2f			\n"
	    "r6 &= 63				\n"
	    "2: r8 += r6			\n"
	    "r0 = *(u8 *)(r8 + 0)		\n"
	    "1: r0 = 0				\n"
	    "exit" :: SYM(bpf_ktime_get_ns), SYM(bpf_map_lookup_elem),
	    SYM(bpf_get_prandom_u32), ADDR(bytes) : "memory");
}

/* Pruning: the second path comes to the same place with a larger number. */
REJECT(REGION_MAX, "invalid access to map value")
XDP_ASM(larger_on_second_path)
{
	ASM("*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[bytes] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "if r0 == 0 goto 1f			\n"
	    "r8 = r0				\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "r6 = r0				\n"
	    "call %[bpf_get_prandom_u32]	\n"
	    "if r0 > 7 goto 2f			\n"
	    "r6 &= 127				\n"
	    "goto 3f				\n"
	    "2: r6 &= 63			\n"
	    "3: r8 += r6			\n"
	    "r0 = *(u8 *)(r8 + 0)		\n"
	    "1: r0 = 0				\n"
	    "exit" :: SYM(bpf_map_lookup_elem), SYM(bpf_get_prandom_u32), ADDR(bytes)
	    : "memory");
}

/* Sign extension of a byte makes a negative offset possible. */
REJECT(REGION_NEGATIVE, "min value is negative")
XDP(sign_extended_byte)
{
	WITH_BYTES(v);
	signed char i = any32();

	return *(volatile char *)(v + i);
}

ACCEPT RETVAL(0)
XDP(multiplied)
{
	WITH_BYTES(v);
	__u64 i = any32() & 7;

	return v[i * 9];
}

REJECT(REGION_MAX, "invalid access to map value")
XDP(multiplied_too_far)
{
	WITH_BYTES(v);
	__u64 i = any32() & 7;

	return *(volatile char *)(v + i * 10);
}

ACCEPT RETVAL(0)
XDP(divided)
{
	WITH_BYTES(v);
	return v[any32() % 64];
}

/* Where no path comes, the frame pointer may be written. */
ACCEPT
XDP_ASM(frame_pointer_in_dead_code)
{
	ASM("r0 = 1			\n"
	    "if r0 == 1 goto +1		\n"
	    "r10 = 0			\n"
	    "exit" ::: "memory");
}

/* A shift by more than there are bits gives anything. */
REJECT(PTR_MATH_UNBOUND, "unbounded min value")
XDP_ASM(shift_too_far)
{
	ASM("r1 = 64			\n"
	    "r0 = 1			\n"
	    "r0 <<= r1			\n"
	    "r1 = r10			\n"
	    "r1 += r0			\n"
	    "r0 = *(u8 *)(r1 -8)	\n"
	    "exit" ::: "memory");
}

/* A host has 128 execution slots unless it says otherwise: so many CPUs are there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[128]);
} by_cpu SEC(".maps");

ACCEPT RETVAL(0)
XDP(every_cpu)
{
	__u32 zero = 0;
	char *v = bpf_map_lookup_elem(&by_cpu, &zero);

	return v ? v[bpf_get_smp_processor_id()] : 0;
}

REJECT(REGION_MAX, "invalid access to map value, value_size=128 off=254 size=1")
XDP(one_cpu_more)
{
	__u32 zero = 0;
	char *v = bpf_map_lookup_elem(&by_cpu, &zero);

	return v ? v[bpf_get_smp_processor_id() + 127] : 0;
}

/* Of 0..3, those that have a bit in common with 6 are 2 and 3. */
ACCEPT RETVAL(0)
POLICY(kernel, reject, "min value is negative")
KERNEL(reject, "it learns of single bits only")
XDP(common_bits)
{
	WITH_BYTES(v);
	long i = any64() & 3;

	hide(i);
	ASM("if %0 & 6 goto +1; %0 = 2; %0 += -2" : "+r"(i));
	return *(volatile char *)(v + i);
}
