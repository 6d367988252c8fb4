/* SPDX-License-Identifier: MIT
 *
 * Arithmetic on pointers and numbers.
 */
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[8]);
} numbers SEC(".maps");

/* The map value in r0, or the program ends with 0. */
#define LOOK_UP                                                                          \
	"*(u32 *)(r10 - 4) = 0			\n"                                           \
	"r2 = r10				\n"                                           \
	"r2 += -4				\n"                                           \
	"r1 = %[numbers] ll			\n"                                           \
	"call %[bpf_map_lookup_elem]		\n"                                           \
	"if r0 == 0 goto 9f			\n"
#define END                                                                              \
	"9: r0 = 0				\n"                                           \
	"exit"
#define MAPS SYM(bpf_map_lookup_elem), ADDR(numbers)

ACCEPT RETVAL(0)
XDP_ASM(known_offset)
{
	ASM(LOOK_UP
	    "r0 += 8				\n"
	    "r0 = *(u64 *)(r0 + 0)		\n"
	    END :: MAPS : "memory");
}

/* 32 bits of an address are no address. */
REJECT(PTR_32BIT, "32-bit pointer arithmetic prohibited")
XDP_ASM(half_width)
{
	ASM(LOOK_UP
	    "w0 += 8				\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_PTR, "pointer += pointer prohibited")
XDP_ASM(pointer_plus_pointer)
{
	ASM(LOOK_UP
	    "r0 += r10				\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_BITWISE, "bitwise operator &= on pointer prohibited")
XDP_ASM(masked)
{
	ASM(LOOK_UP
	    "r0 &= 7				\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_OPERATOR, "pointer arithmetic with *= operator prohibited")
XDP_ASM(multiplied)
{
	ASM(LOOK_UP
	    "r0 *= 2				\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_STACK_SUB, "subtraction from stack pointer prohibited")
XDP_ASM(stack_minus_number)
{
	ASM("r1 = r10				\n"
	    "r1 -= 8				\n"
	    END ::: "memory");
}

/* A number minus a pointer. */
REJECT(PTR_FROM_SCALAR, "tried to subtract pointer from scalar")
XDP_ASM(number_minus_pointer)
{
	ASM(LOOK_UP
	    "r1 = 8				\n"
	    "r1 -= r0				\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_NULL_MATH, "pointer arithmetic on map_value_or_null prohibited")
XDP_ASM(before_the_test)
{
	ASM("*(u32 *)(r10 - 4) = 0		\n"
	    "r2 = r10				\n"
	    "r2 += -4				\n"
	    "r1 = %[numbers] ll			\n"
	    "call %[bpf_map_lookup_elem]	\n"
	    "r0 += 8				\n"
	    END :: MAPS : "memory");
}

/* Of some pointers not even a constant distance makes sense. */
REJECT(PTR_FIXED, "pointer arithmetic on pkt_end prohibited")
XDP(past_packet_end)
{
	void *end = (void *)(long)ctx->data_end;

	ASM("%0 += 8" : "+r"(end));
	return end == NULL;
}

REJECT(PTR_MATH_CONST, "math between map_value pointer and 2147483647 is not allowed")
XDP_ASM(huge_constant)
{
	ASM(LOOK_UP
	    "r1 = 0x7fffffff			\n"
	    "r0 += r1				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_OFFSET, "map_value pointer offset 1073741822 is not allowed")
XDP_ASM(constants_add_up)
{
	ASM(LOOK_UP
	    "r1 = 0x1fffffff			\n"
	    "r0 += r1				\n"
	    "r0 += r1				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    END :: MAPS : "memory");
}

REJECT(PTR_MATH_UNBOUND, "unbounded min value")
XDP_ASM(any_number)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r6 = r0				\n"
	    LOOK_UP
	    "r0 += r6				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    END :: MAPS, SYM(bpf_ktime_get_ns) : "memory");
}

REJECT(PTR_MATH_BOUNDS, "makes map_value pointer be out of bounds")
XDP_ASM(far_back)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r6 = r0				\n"
	    "r6 &= 0xff				\n"
	    "r6 -= 0x7fffffff			\n"
	    LOOK_UP
	    "r0 += r6				\n"
	    "r0 = *(u8 *)(r0 + 0)		\n"
	    END :: MAPS, SYM(bpf_ktime_get_ns) : "memory");
}

REJECT(DIV_ZERO, "div by zero")
XDP_ASM(division_by_zero)
{
	ASM("r0 = 1				\n"
	    ".8byte 0x0000000000000037		\n" /* r0 /= 0 */
	    "exit" ::: "memory");
}

/* By a register that is 0 it gives 0. */
ACCEPT RETVAL(0)
XDP_ASM(division_by_zero_register)
{
	ASM("r0 = 1				\n"
	    "r1 = 0				\n"
	    "r0 /= r1				\n"
	    "exit" ::: "memory");
}

REJECT(SHIFT, "invalid shift 64")
XDP_ASM(shift_by_64)
{
	ASM("r0 = 1				\n"
	    ".8byte 0x0000004000000067		\n" /* r0 <<= 64 */
	    "exit" ::: "memory");
}

ACCEPT RETVAL(2)
XDP_ASM(shift_by_register)
{
	ASM("r0 = 1				\n"
	    "r1 = 65				\n"
	    "r0 <<= r1				\n"
	    "exit" ::: "memory");
}

REJECT(NOT_READABLE, "R2 !read_ok")
XDP_ASM(never_set)
{
	ASM("r0 = r2				\n"
	    "exit" ::: "memory");
}

REJECT(NOT_READABLE, "R1 !read_ok")
XDP_ASM(lost_in_call)
{
	ASM("call %[bpf_ktime_get_ns]		\n"
	    "r0 = *(u32 *)(r1 + 0)		\n"
	    "exit" :: SYM(bpf_ktime_get_ns) : "memory");
}

REJECT(NOT_READABLE, "R0 !read_ok")
XDP_ASM(no_result)
{
	ASM("exit" ::: "memory");
}

/* A number is no address. */
REJECT(MEM_ACCESS, "R1 invalid mem access 'scalar'")
XDP_ASM(number_as_address)
{
	ASM("r1 = 4096				\n"
	    "r0 = *(u32 *)(r1 + 0)		\n"
	    "exit" ::: "memory");
}

REJECT(RET_LEAK, "R0 leaks addr as return value")
	KERNEL(accept, "privileged programs may show addresses")
XDP_ASM(address_returned)
{
	ASM("r0 = r1				\n"
	    "exit" ::: "memory");
}
