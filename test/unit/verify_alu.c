/* SPDX-License-Identifier: MIT
 *
 * Verdicts on registers, arithmetic, pointers and bounds.
 */
#include "verify_fixture.h"

TEST(verify_registers)
{
	static const struct verify_case cases[] = {
		ACCEPT("return 0", "r0 = 0\nexit"),
		REJECT("r0 not set", "R0 !read_ok", "exit"),
		REJECT("r2 not set", "R2 !read_ok", "r0 = r2\nexit"),
		REJECT("r0 set on one path", "R0 !read_ok",
		       "r2 = *(u32 *)(r1 +12)\nif r2 == 0 goto +1\nr0 = 0\nexit"),
		REJECT("r1 after a call", "R1 !read_ok", "call 7\nr0 = r1\nexit"),
		REJECT("r5 after a call", "R5 !read_ok", "r5 = 0\ncall 7\nr0 = r5\nexit"),
		ACCEPT("r6 after a call", "r6 = 5\ncall 7\nr0 = r6\nexit"),
		REJECT("write r10", "frame pointer is read only", "r10 = 5\nr0 = 0\nexit"),
		REJECT("add to r10", "frame pointer is read only", "r10 += -8\nr0 = 0\nexit"),
		REJECT("load into r10", "frame pointer is read only",
		       "r10 = *(u32 *)(r1 +0)\nr0 = 0\nexit"),
		REJECT("neg of nothing", "R2 !read_ok", "r2 = -r2\nr0 = 0\nexit"),
		REJECT("store of nothing", "R3 !read_ok", "*(u64 *)(r10 -8) = r3\nr0 = 0\nexit"),
		REJECT("compare with nothing", "R3 !read_ok",
		       "r2 = 0\nif r2 > r3 goto +0\nr0 = 0\nexit"),
		REJECT("return ctx", "R0 leaks addr", "r0 = r1\nexit", "accept"),
		REJECT("return fp", "R0 leaks addr", "r0 = r10\nexit", "accept"),
		REJECT("invalid helper", "unknown#9999", "call 9999\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_pointer_arithmetic)
{
	static const struct verify_case cases[] = {
		REJECT("stack times", "R2 pointer arithmetic with *= operator prohibited",
		       "r2 = r10\nr2 *= 5\nr0 = 0\nexit"),
		REJECT("stack and", "R2 bitwise operator &= on pointer prohibited",
		       "r2 = r10\nr2 &= 5\nr0 = 0\nexit"),
		REJECT("stack or reg", "R2 bitwise operator |= on pointer prohibited",
		       "r2 = r10\nr3 = 5\nr2 |= r3\nr0 = 0\nexit"),
		REJECT("stack shift", "R2 pointer arithmetic with <<= operator prohibited",
		       "r2 = r10\nr2 <<= 5\nr0 = 0\nexit"),
		REJECT("32-bit add", "R2 32-bit pointer arithmetic prohibited",
		       "r2 = r10\nw2 += 5\nr0 = 0\nexit"),
		ACCEPT("32-bit sub is a number", "r2 = r10\nw2 -= 5\nw2 >>= 1\nr0 = 0\nexit"),
		REJECT("32-bit sub shows an address", "R0 leaks addr as return value",
		       "r2 = r10\nw2 -= 5\nr0 = r2\nexit"),
		REJECT("stack minus constant", "R2 subtraction from stack pointer prohibited",
		       "r2 = r10\nr2 -= 8\nr0 = 0\nexit"),
		REJECT("pointer plus pointer", "R2 pointer += pointer prohibited",
		       "r2 = r10\nr2 += r1\nr0 = 0\nexit"),
		ACCEPT("pointer minus pointer",
		       "r2 = r10\nr3 = r10\nr3 += -8\nr2 -= r3\nr0 = r2\nexit"),
		REJECT("pointer minus one of another kind", "R0 leaks addr as return value",
		       "r2 = r10\nr2 -= r1\nr0 = r2\nexit"),
		REJECT("number minus pointer", "R3 tried to subtract pointer from scalar",
		       "r2 = r10\nr3 = 1\nr3 -= r2\nr0 = 0\nexit"),
		ACCEPT("number plus pointer", "r3 = -8\nr3 += r10\n*(u64 *)(r3 +0) = 1\nr0 = 0\nexit"),
		ACCEPT("neg of pointer is a number", "r2 = r10\nr2 = -r2\nr2 /= 2\nr0 = 0\nexit"),
		ACCEPT("w copy of pointer is a number", "r2 = r10\nw0 = w2\nw0 &= 1\nr0 = 0\nexit"),
		REJECT("deref of w copy", "R2 invalid mem access 'scalar'",
		       "w2 = w10\nr0 = *(u8 *)(r2 -8)\nexit"),
		ACCEPT("sign-extended pointer is a number", "r2 = r10\nr0 = (s8)r2\nr0 &= 1\nr0 = 0\nexit"),
		REJECT("unbounded add", "math between fp pointer and register with unbounded",
		       RANDOM "r2 = r10\nr2 += r0\nr0 = 0\nexit"),
		REJECT("huge constant", "math between fp pointer and 536870912 is not allowed",
		       "r2 = r10\nr2 += 536870912\nr0 = 0\nexit"),
		ACCEPT("large but sane constants", "r2 = r10\nr2 += 536870911\nr2 += -536870911\nr0 = 0\nexit"),
		REJECT("offset sum too big", "fp pointer offset",
		       "r2 = r10\nr2 += 536870911\nr2 += 536870911\nr0 = 0\nexit"),
		REJECT("map pointer moved", "R1 pointer arithmetic on map_ptr prohibited",
		       "r1 = map[id:0]\nr1 += 8\nr0 = 0\nexit"),
		REJECT("packet end moved", "R2 pointer arithmetic on pkt_end prohibited",
		       "r2 = *(u32 *)(r1 +4)\nr2 += 8\nr0 = 0\nexit"),
		REJECT("null plus", "pointer arithmetic on map_value_or_null prohibited, null-check it first",
		       "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[id:1]\n"
		       "*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\ncall 1\nr0 += 8\nr0 = 0\nexit"),
		REJECT("ctx moved and read", "dereference of modified ctx ptr R1 off=4",
		       "r1 += 4\nr0 = *(u32 *)(r1 +0)\nexit"),
		REJECT("ctx by variable", "variable ctx access var_off=",
		       "r2 = *(u32 *)(r1 +12)\nr2 &= 4\nr1 += r2\nr0 = *(u32 *)(r1 +12)\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_numbers)
{
	static const struct verify_case cases[] = {
		REJECT("div by 0", "div by zero", "r0 = 1\nr0 /= 0\nexit"),
		REJECT("mod by 0", "div by zero", "r0 = 1\nw0 %= 0\nexit"),
		ACCEPT("div by register 0", "r0 = 1\nr1 = 0\nr0 /= r1\nexit"),
		REJECT("shift by 64", "invalid shift 64", "r0 = 1\nr0 <<= 64\nexit"),
		REJECT("w shift by 32", "invalid shift 32", "w0 = 1\nw0 >>= 32\nexit"),
		REJECT("shift by -1", "invalid shift -1", "r0 = 1\nr0 s>>= -1\nexit"),
		ACCEPT("all forms", "r0 = 5\nr0 = -r0\nw0 *= 3\nr0 ^= r0\nr0 = be16 r0\n"
				    "r0 = bswap64 r0\nw0 s>>= 2\nr0 s/= -1\nw0 s%= 3\nr0 |= 8\nexit"),
		ACCEPT("dead by constants", "r0 = 5\nif r0 == 5 goto +1\nr0 = *(u64 *)(r0 +0)\nexit"),
		ACCEPT("dead by shift", RANDOM "r0 >>= 60\nif r0 > 15 goto +2\nr0 = 0\nexit\n"
				       "r0 = *(u64 *)(r0 +0)\nexit"),
		ACCEPT("dead by mask and test", RANDOM "r0 &= 6\nif r0 & 1 goto +2\nr0 = 0\nexit\n"
						"r0 = *(u64 *)(r0 +0)\nexit"),
		ACCEPT("dead by w compare", RANDOM "w0 = w0\nif r0 s< 0 goto +2\nr0 = 0\nexit\n"
					    "r0 = *(u64 *)(r0 +0)\nexit"),
		ACCEPT("dead by sign extension", RANDOM "r0 = (s8)r0\nif r0 s> 127 goto +2\nr0 = 0\nexit\n"
						 "r0 = *(u64 *)(r0 +0)\nexit"),
		ACCEPT("dead by two tests", RANDOM "if r0 > 10 goto +2\nif r0 > 10 goto +3\nr0 = 1\n"
					    "r0 = 0\nexit\nr0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("alive after one", "R0 invalid mem access 'scalar'",
		       RANDOM "if r0 > 10 goto +2\nr0 = 0\nexit\nr0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("equal once is not linked", "R0 invalid mem access 'scalar'",
		       RANDOM "r6 = r0\n" RANDOM "if r6 != r0 goto +3\n"
					  "if r6 > 5 goto +2\nif r0 > 5 goto +3\nr0 = 0\nr0 = 0\nexit\n"
					  "r0 = *(u64 *)(r0 +0)\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_map_bounds)
{
	static const struct verify_case cases[] = {
		ACCEPT("inside", MAP_VALUE "r0 = *(u64 *)(r0 +40)\nexit"),
		REJECT("past the end", "invalid access to map value, value_size=48 off=41 size=8",
		       MAP_VALUE "r0 = *(u64 *)(r0 +41)\nexit"),
		REJECT("before the start", "R0 min value is outside of the allowed memory range",
		       MAP_VALUE "r0 = *(u64 *)(r0 -8)\nexit"),
		REJECT("not tested", "R0 invalid mem access 'map_value_or_null'",
		       "*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map[id:1]\ncall 1\n"
		       "r0 = *(u64 *)(r0 +0)\nexit"),
		ACCEPT("constant key of an array",
		       "*(u32 *)(r10 -8) = 3\nr2 = r10\nr2 += -8\nr1 = map[id:0]\ncall 1\n"
		       "r0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("constant key past the array", "R0 invalid mem access 'map_value_or_null'",
		       "*(u32 *)(r10 -8) = 16\nr2 = r10\nr2 += -8\nr1 = map[id:0]\ncall 1\n"
		       "r0 = *(u64 *)(r0 +0)\nexit"),
		REJECT("unknown index", "R6 unbounded memory access",
		       MAP_VALUE "r6 = r0\n" RANDOM "r0 >>= 1\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit"),
		REJECT("negative index", "R6 min value is negative",
		       MAP_VALUE "r6 = r0\n" RANDOM "if r0 s> 40 goto +4\nif r0 s< -5 goto +3\nr6 += r0\n"
				 "r0 = *(u8 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		ACCEPT("bounded unsigned", MAP_VALUE "r6 = r0\n" RANDOM
		       "if r0 > 47 goto +3\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		REJECT("bounded one too far", "R6 max value is outside of the allowed memory range",
		       MAP_VALUE "r6 = r0\n" RANDOM
		       "if r0 > 48 goto +3\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		ACCEPT("bounded signed both ways", MAP_VALUE "r6 = r0\n" RANDOM
		       "if r0 s> 40 goto +4\nif r0 s< 0 goto +3\nr6 += r0\nr0 = *(u64 *)(r6 +0)\nexit\n"
		       "r0 = 0\nexit"),
		ACCEPT("masked", MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 31\nr6 += r0\n"
				 "r0 = *(u64 *)(r6 +0)\nexit"),
		ACCEPT("w bounded", MAP_VALUE "r6 = r0\n" RANDOM "w0 = w0\nif w0 > 40 goto +3\n"
				    "r6 += r0\nr0 = *(u64 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		REJECT("w compare says nothing of the upper half", "unbounded min value",
		       MAP_VALUE "r6 = r0\n" RANDOM "if w0 > 40 goto +3\nr6 += r0\n"
		       "r0 = *(u64 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		ACCEPT("learnt of a copy", MAP_VALUE "r6 = r0\n" RANDOM "r7 = r0\nif r7 > 40 goto +3\n"
		       "r6 += r0\nr0 = *(u64 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		ACCEPT("learnt of a copy with a distance",
		       MAP_VALUE "r6 = r0\n" RANDOM "r0 &= 255\nr7 = r0\nr7 += 8\nif r7 > 40 goto +3\n"
		       "r6 += r0\nr0 = *(u64 *)(r6 +8)\nexit\nr0 = 0\nexit"),
		ACCEPT("learnt of a spilled copy",
		       MAP_VALUE "r6 = r0\n" RANDOM "*(u64 *)(r10 -16) = r0\nif r0 > 40 goto +4\n"
		       "r1 = *(u64 *)(r10 -16)\nr6 += r1\nr0 = *(u64 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		REJECT("a link that was cut", "unbounded min value",
		       MAP_VALUE "r6 = r0\n" RANDOM "r7 = r0\nr7 ^= 1\nif r7 > 40 goto +3\n"
		       "r6 += r0\nr0 = *(u64 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		REJECT("store of a pointer", "leaks addr", MAP_VALUE "*(u64 *)(r0 +0) = r10\nr0 = 0\nexit",
		       "accept"),
		ACCEPT("atomics", MAP_VALUE "r1 = 1\nlock *(u64 *)(r0 +0) += r1\n"
				  "r1 = atomic64_fetch_or((u64 *)(r0 +8), r1)\n"
				  "r2 = r0\nr0 = 0\nr0 = atomic64_cmpxchg((u64 *)(r2 +0), r0, r1)\nexit"),
		REJECT("misaligned atomic", "misaligned value access",
		       MAP_VALUE "r1 = 1\nlock *(u64 *)(r0 +4) += r1\nr0 = 0\nexit"),
		REJECT("atomic on ctx", "BPF_ATOMIC stores into R1 ctx is not allowed",
		       "r2 = 1\nlock *(u32 *)(r1 +12) += r2\nr0 = 0\nexit"),
		REJECT("address of a number", "R2 invalid mem access 'scalar'",
		       "r2 = 5\nr0 = *(u8 *)(r2 +0)\nexit"),
		REJECT("deref of a map", "R1 invalid mem access 'map_ptr'",
		       "r1 = map[id:0]\n*(u32 *)(r1 +0) = 5\nr0 = 0\nexit", "reject"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}

TEST(verify_packets)
{
#define DATA "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\n"
	static const struct verify_case cases[] = {
		REJECT("no test", "R2 offset is outside of the packet",
		       DATA "r0 = *(u8 *)(r2 +0)\nexit"),
		ACCEPT("data+14 > end", DATA "if r4 > r3 goto +2\nr0 = *(u8 *)(r2 +13)\nexit\nr0 = 0\nexit"),
		REJECT("data+14 > end, byte 14", "invalid access to packet, off=14 size=1",
		       DATA "if r4 > r3 goto +2\nr0 = *(u8 *)(r2 +14)\nexit\nr0 = 0\nexit"),
		REJECT("the wrong branch", "outside of the packet",
		       DATA "if r4 > r3 goto +2\nr0 = 0\nexit\nr0 = *(u8 *)(r2 +13)\nexit"),
		ACCEPT("data+14 >= end, byte 14", DATA "if r4 >= r3 goto +2\nr0 = *(u8 *)(r2 +14)\nexit\nr0 = 0\nexit"),
		ACCEPT("data+14 < end", DATA "if r4 < r3 goto +2\nr0 = 0\nexit\nr0 = *(u8 *)(r2 +14)\nexit"),
		ACCEPT("data+14 <= end", DATA "if r4 <= r3 goto +2\nr0 = 0\nexit\nr0 = *(u8 *)(r2 +13)\nexit"),
		REJECT("data+14 <= end, byte 14", "outside of the packet",
		       DATA "if r4 <= r3 goto +2\nr0 = 0\nexit\nr0 = *(u8 *)(r2 +14)\nexit"),
		ACCEPT("end < data+14", DATA "if r3 < r4 goto +2\nr0 = *(u8 *)(r2 +13)\nexit\nr0 = 0\nexit"),
		ACCEPT("end <= data+14", DATA "if r3 <= r4 goto +2\nr0 = *(u8 *)(r2 +14)\nexit\nr0 = 0\nexit"),
		ACCEPT("end > data+14", DATA "if r3 > r4 goto +2\nr0 = 0\nexit\nr0 = *(u8 *)(r2 +14)\nexit"),
		ACCEPT("end >= data+14", DATA "if r3 >= r4 goto +2\nr0 = 0\nexit\nr0 = *(u8 *)(r2 +13)\nexit"),
		ACCEPT("variable header",
		       DATA "r5 = *(u32 *)(r1 +12)\nr5 &= 255\nr2 += r5\nr4 = r2\nr4 += 8\n"
			    "if r4 > r3 goto +2\nr0 = *(u64 *)(r2 +0)\nexit\nr0 = 0\nexit"),
		REJECT("variable header, other pointer", "outside of the packet",
		       DATA "r5 = *(u32 *)(r1 +12)\nr5 &= 255\nr6 = r2\nr2 += r5\nr4 = r2\nr4 += 8\n"
			    "if r4 > r3 goto +2\nr0 = *(u64 *)(r6 +0)\nexit\nr0 = 0\nexit"),
		REJECT("moved after the test", "outside of the packet",
		       DATA "if r4 > r3 goto +4\nr5 = *(u8 *)(r2 +0)\nr2 += r5\nr0 = *(u8 *)(r2 +0)\nexit\nr0 = 0\nexit"),
		ACCEPT("meta", "r2 = *(u32 *)(r1 +8)\nr3 = *(u32 *)(r1 +0)\nr4 = r2\nr4 += 4\n"
			       "if r4 > r3 goto +2\nr0 = *(u32 *)(r2 +0)\nexit\nr0 = 0\nexit"),
		ACCEPT("length", "r0 = *(u32 *)(r1 +4)\nr2 = *(u32 *)(r1 +0)\nr0 -= r2\nexit"),
	};

	verify_cases(cases, ARRAY_SIZE(cases));
}
