/* SPDX-License-Identifier: MIT
 *
 * Arguments of host functions and helpers, references, locks, read sections, walking.
 */
#include "unit/rules_host.h"

#define OWNED V FIND("r8") TEST_NULL("r8")

static const struct rules_case references[] = {
	{"F01", ARGS FIND("r8") OUT, RULE_REF_LEAK, .phrase = "Unreleased reference id="},
	{"F02", ARGS FIND("r8") TEST_NULL("r8") PUT("r8") OUT},
	{"F03", ARGS FIND("r8") TEST_NULL("r8") "r1 = *(u64 *)(r9 +8)\nif r1 == 0x7 goto out\n"
		PUT("r8") OUT, RULE_REF_LEAK},
	{"F04", ARGS FIND("r8") TEST_NULL("r8") PUT("r8") "r0 = *(u32 *)(r8 +16)\n" OUT,
	 RULE_MEM_ACCESS, .phrase = "invalid mem access 'scalar'"},
	{"F05", ARGS FIND("r8") TEST_NULL("r8") PUT("r8") PUT("r8") OUT, RULE_KFUNC_PTR},
	{"F06", ARGS FIND("r8") "*(u64 *)(r10 -8) = r8\nr8 = *(u64 *)(r10 -8)\n"
		TEST_NULL("r8") PUT("r8") OUT},
	{"F07", ARGS FIND("r8") TEST_NULL("r8") "*(u64 *)(r10 -8) = r8\nr8 = 0\n"
		"*(u8 *)(r10 -8) = r8\n" OUT, RULE_REF_LEAK},
	{"F09", ARGS FIND("r8") TEST_NULL("r8") "r1 = r9\nr2 = map[id:5]\nr3 = 0\ncall 12\n"
		PUT("r8") OUT, RULE_REF_LEAK, .phrase = "tail_call would lead to reference leak"},
	{"tail call", ARGS "r1 = r9\nr2 = map[id:5]\nr3 = 0\ncall 12\n" OUT},
	{"F11", ARGS FIND("r8") TEST_NULL("r8") "r1 = r8\ncall sub\n" OUT,
	 .sub = "call @t_put\nr0 = 0\nexit\n"},
	{"F12", ARGS "call sub\n" TEST_NULL("r0") PUT("r0") OUT,
	 .sub = "r1 = 1\ncall @t_find\nexit\n"},
	{"F12 leak", ARGS "call sub\n" OUT, RULE_REF_LEAK,
	 .sub = "r1 = 1\ncall @t_find\nexit\n"},
	{"F13", ARGS "call sub\n" OUT, RULE_REF_LEAK,
	 .sub = "r1 = 1\ncall @t_find\nr0 = 0\nexit\n"},
	{"F15", ARGS FIND("r8") TEST_NULL("r8") "*(u64 *)(r10 -8) = r8\nr1 = 4\n"
		"r2 = subprog[sub]\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\n" PUT("r8") OUT,
	 .sub = "r1 = *(u64 *)(r2 +0)\ncall @t_use\nr0 = 0\nexit\n"},
	{"F16", ARGS FIND("r8") TEST_NULL("r8") "*(u64 *)(r10 -8) = r8\nr1 = 4\n"
		"r2 = subprog[sub]\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\n" OUT,
	 RULE_REF_LEAK, .sub = "r1 = *(u64 *)(r2 +0)\ncall @t_put\nr0 = 0\nexit\n"},
	{"F17", ARGS "r1 = 4\nr2 = subprog[sub]\nr3 = 0\nr4 = 0\ncall 181\n" OUT,
	 RULE_REF_LEAK, .sub = "r1 = 1\ncall @t_find\nr0 = 0\nexit\n"},
	{"F18", ARGS "r1 = 4\nr2 = subprog[sub]\nr3 = 0\nr4 = 0\ncall 181\n" OUT,
	 .sub = "r1 = 1\ncall @t_find\nif r0 == 0x0 goto done\nr1 = r0\ncall @t_put\n"
		"done: r0 = 0\nexit\n"},
	{"X29", ARGS "r1 = map[id:0]\nr2 = subprog[sub]\nr3 = 0\nr4 = 0\ncall 164\n" OUT,
	 .sub = "r3 += 16\nr1 = r3\nr2 = 0\ncall 194\nif r0 == 0x0 goto done\nr1 = r0\n"
		"call @t_put\ndone: r0 = 0\nexit\n"},
	{"F20", ARGS "r1 = map[id:0]\nr2 = subprog[sub]\nr3 = 0\nr4 = 0\ncall 164\n" OUT,
	 RULE_REF_LEAK, .sub = "r3 += 16\nr1 = r3\nr2 = 0\ncall 194\nr0 = 0\nexit\n"},
	{"F24", ARGS "r8 = 0\nr1 = *(u64 *)(r9 +8)\nif r1 == 0x7 goto l1\n" FIND("r8")
		"l1: r1 = 1\nr8 = 0\n" OUT, RULE_REF_LEAK},
};
RULES_TEST(rules_references, references)

static const struct rules_case kfuncs[] = {
	{"C01", ARGS "r1 = r6\ncall @t_get\n" TEST_NULL("r0") PUT("r0") OUT},
	{"C02", ARGS "r1 = r6\ncall @t_get\n" PUT("r0") OUT, RULE_KFUNC_NULL},
	{"C03", ARGS PUT("r6") OUT, RULE_KFUNC_RELEASE,
	 .phrase = "release kernel function t_put expects refcounted"},
	{"C04", ARGS PUT("0") OUT, RULE_KFUNC_NULL},
	{"C05", ARGS "r1 = r6\nr1 += 8\ncall @t_get\n" OUT, RULE_KFUNC_TYPE,
	 .phrase = "expected pointer to STRUCT T but R1 has a pointer to STRUCT T"},
	{"C06 stack", ARGS "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\ncall @t_get\n" OUT,
	 RULE_KFUNC_PTR},
	{"C06 scalar", ARGS "r1 = *(u64 *)(r9 +8)\ncall @t_get\n" OUT, RULE_KFUNC_PTR},
	{"C07", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "call @t_put\n" OUT,
	 RULE_KFUNC_TRUST, .phrase = "R1 must be referenced or trusted"},
	{"C08", V "r1 = *(u64 *)(r7 +8)\n" TEST_NULL("r1") "call @t_put\n" OUT,
	 RULE_KFUNC_TRUST},
	{"C09", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "call @t_own\n" OUT,
	 RULE_KFUNC_TRUST},
	{"C10", ARGS "r1 = *(u64 *)(r6 +32)\ncall @t_get\n" TEST_NULL("r0") PUT("r0") OUT},
	{"C11", ARGS "r1 = *(u64 *)(r6 +40)\n" TEST_NULL("r1") "call @t_get\n" OUT,
	 RULE_KFUNC_RCU},
	{"C12", ARGS "r1 = *(u64 *)(r6 +32)\nr1 = *(u64 *)(r1 +32)\ncall @t_get\n"
		TEST_NULL("r0") PUT("r0") OUT},
	{"C13", ARGS "r1 = *(u64 *)(r6 +40)\nr0 = *(u32 *)(r1 +16)\n" OUT, RULE_NULL_DEREF},
	{"C13 tested", ARGS "r1 = *(u64 *)(r6 +40)\n" TEST_NULL("r1")
		"r0 = *(u32 *)(r1 +16)\n" OUT},
	{"C14", ARGS "r1 = r6\ncall @m_count\n" OUT},
	{"C16", ARGS "r1 = r6\ncall @b_use\n" OUT, RULE_KFUNC_TYPE},
	{"C26", ARGS "r1 = 1\ncall @xdp_only\n" OUT, RULE_KFUNC_ALLOW,
	 .phrase = "calling kernel function xdp_only is not allowed"},
	{"C26 there", "r1 = 1\ncall @xdp_only\n" OUT, .type = XDP},
	{"C35", ARGS "r1 = *(u64 *)(r6 +56)\ncall @t_get\n" OUT, RULE_KFUNC_RCU},
	{"C36", ARGS "r1 = *(u32 *)(r6 +32)\n" OUT, RULE_BTF_PARTIAL},
	{"O22", ARGS "r1 = 1\nlock *(u32 *)(r6 +16) += r1\n" OUT, RULE_BTF_RDONLY},
	{"trusted member", ARGS "r1 = *(u64 *)(r6 +80)\ncall @t_use\n" OUT},
	{"U07", ARGS "r1 = *(u64 *)(r6 +48)\nr0 = *(u64 *)(r1 +0)\n" OUT, RULE_BTF_USER,
	 .phrase = "access user memory"},
	{"U09", ARGS "r1 = *(u64 *)(r6 +48)\ncall @x_use\n" OUT, RULE_ARG_KIND},
	{"nullable", ARGS "r1 = 0\ncall @t_maybe\n" OUT},
	{"nullable object", ARGS "r1 = r6\ncall @t_maybe\n" OUT},
	{"nullable, not trusted", V "r1 = *(u64 *)(r7 +16)\ncall @t_maybe\n" OUT,
	 RULE_KFUNC_TRUST},
	{"any args take rcu", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "call @t_any\n" OUT},
	{"any args, untrusted", V "r1 = *(u64 *)(r7 +8)\n" TEST_NULL("r1") "call @t_any\n" OUT,
	 RULE_KFUNC_OBJECT},
	{"any args, null", V "r1 = *(u64 *)(r7 +16)\ncall @t_any\n" OUT, RULE_KFUNC_NULL},
	{"result without promise", ARGS "r1 = 1\ncall @t_peek\nr1 = r0\ncall @t_use\n" OUT,
	 RULE_KFUNC_TRUST},
	{"plain struct", ARGS "*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr1 = r10\n"
		"r1 += -16\ncall @w_use\n" OUT},
	{"memory", V "r1 = r7\nr2 = 8\ncall @mem_use\n" OUT},
	{"memory, short", V "r1 = r7\nr1 += 96\nr2 = 9\ncall @mem_use\n" OUT, RULE_REGION_MIN},
	{"memory with a slot", V "r1 = r7\nr2 = 9\ncall @mem_use\n" OUT, RULE_SLOT_INDIRECT,
	 .phrase = "kptr cannot be accessed indirectly by helper"},
	{"constant", ARGS "r1 = 5\ncall @const_use\n" OUT},
	{"not constant", ARGS "r1 = *(u64 *)(r9 +8)\ncall @const_use\n" OUT, RULE_NOT_CONST},
	{"text in a map", V "r1 = r7\ncall @str_use\n" OUT, RULE_CONST_STR},
	{"obj_new", ARGS "r1 = 1\ncall @bpf_obj_new_impl\n" OUT, RULE_OBJ_TYPE},
	{"not a number", ARGS "r1 = r6\ncall @t_find\n" OUT, RULE_KFUNC_SCALAR},
	{"L19", ARGS "r6 += 16\nr0 = *(u32 *)(r6 +0)\n" OUT},
	{"ends inside", ARGS "r0 = *(u64 *)(r6 +84)\n" OUT, RULE_BTF_BEYOND},
	{"F21", ARGS FIND("r8") TEST_NULL("r8") "r7 = *(u64 *)(r8 +32)\n" PUT("r8")
		"r0 = *(u32 *)(r7 +16)\n" OUT},
};
RULES_TEST(rules_kfunc_arguments, kfuncs)

static const struct rules_case sections[] = {
	{"R01", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "call @t_get\n" OUT,
	 RULE_KFUNC_RCU, HOOK_Q},
	{"R02", V READ_LOCK "r1 = *(u64 *)(r7 +16)\nif r1 == 0x0 goto l1\ncall @t_get\nr8 = r0\n"
		READ_UNLOCK TEST_NULL("r8") PUT("r8") "goto out\nl1: " READ_UNLOCK OUT,
	 .type = HOOK_Q},
	{"R03", V READ_LOCK "r8 = *(u64 *)(r7 +16)\n" READ_UNLOCK TEST_NULL("r8")
		"r1 = r8\ncall @t_get\n" OUT, RULE_KFUNC_RCU, HOOK_Q},
	{"R04", V READ_LOCK "r8 = *(u64 *)(r7 +16)\nif r8 == 0x0 goto l1\n" READ_UNLOCK
		"r0 = *(u32 *)(r8 +16)\ngoto out\nl1: " READ_UNLOCK OUT, .type = HOOK_Q},
	{"R05", V READ_LOCK "r8 = *(u64 *)(r7 +16)\n" READ_UNLOCK "r0 = *(u32 *)(r8 +16)\n" OUT,
	 RULE_NULL_DEREF, HOOK_Q},
	{"R06", ARGS READ_LOCK READ_LOCK OUT, RULE_RCU_NEST, HOOK_Q},
	{"R07", ARGS READ_UNLOCK OUT, RULE_RCU_UNMATCHED, HOOK_Q},
	{"R08", ARGS READ_LOCK OUT, RULE_RCU_OPEN, HOOK_Q},
	{"R09", ARGS READ_LOCK "call sub\n" OUT, .type = HOOK_Q,
	 .sub = READ_UNLOCK "r0 = 0\nexit\n"},
	{"R12", ARGS READ_LOCK READ_UNLOCK OUT},
	{"R13", V READ_LOCK "r8 = *(u64 *)(r7 +16)\n" READ_UNLOCK TEST_NULL("r8")
		"r1 = r8\ncall @t_get\n" TEST_NULL("r0") PUT("r0") OUT},
	{"R14", VL LOCK "r8 = *(u64 *)(r7 +8)\nif r8 == 0x0 goto l1\nr0 = *(u32 *)(r8 +16)\nl1: "
		UNLOCK OUT, .type = HOOK_Q, .phrase = "rcu_ptr_"},
	{"R14 after", VL LOCK "r8 = *(u64 *)(r7 +8)\n" UNLOCK TEST_NULL("r8")
		"r1 = r8\ncall @t_get\n" OUT, RULE_KFUNC_RCU, HOOK_Q},
	{"R16", ARGS "r1 = *(u64 *)(r6 +32)\ncall @t_get\n" OUT, RULE_KFUNC_RCU, HOOK_Q},
	{"R17", ARGS READ_LOCK "r1 = *(u64 *)(r6 +32)\ncall @t_get\nr8 = r0\n" READ_UNLOCK
		TEST_NULL("r8") PUT("r8") OUT, .type = HOOK_Q},
	{"R19", ARGS READ_LOCK "r1 = r6\ncall @t_nap\n" READ_UNLOCK OUT, RULE_SLEEP_RCU, HOOK_Q},
	{"nap", ARGS "r1 = r6\ncall @t_nap\n" OUT, .type = HOOK_Q},
	{"no nap", ARGS "r1 = r6\ncall @t_nap\n" OUT, RULE_SLEEP_PROG},
	{"R20", ARGS READ_LOCK "r1 = r9\nr2 = map[id:5]\nr3 = 0\ncall 12\n" READ_UNLOCK OUT,
	 RULE_RCU_OPEN, HOOK_Q},
	{"owned, then put, trusted member", ARGS FIND("r8") TEST_NULL("r8")
		"r7 = *(u64 *)(r8 +80)\n" PUT("r8") "r1 = r7\ncall @t_use\n" OUT,
	 RULE_KFUNC_TRUST, HOOK_Q},
};
RULES_TEST(rules_read_sections, sections)

static const struct rules_case locks[] = {
	{"lock", VL LOCK UNLOCK OUT},
	{"N21", VL LOCK OUT, RULE_LOCK_OPEN},
	{"no lock", VL UNLOCK OUT, RULE_LOCK_NONE},
	{"call under lock", VL LOCK "r1 = r6\ncall @t_use\n" UNLOCK OUT, RULE_LOCK_CALL,
	 .phrase = "function calls are not allowed while holding a lock"},
	{"helper under lock", VL LOCK "call 14\n" UNLOCK OUT, RULE_LOCK_CALL},
	{"two locks", VL LOCK "r8 = r7\n" LOCK UNLOCK OUT, RULE_LOCK_TWO},
	{"another value", VL "r8 = r7\n" LOCKED_VALUE LOCK "r1 = r8\ncall 94\n" OUT,
	 RULE_LOCK_OTHER},
	{"same value, copied", VL "r8 = r7\n" LOCK "r1 = r8\ncall 94\n" OUT},
	{"not the lock", VL "r1 = r7\nr1 += 8\ncall 93\n" OUT, RULE_LOCK_ARG},
	{"map without lock", V LOCK OUT, RULE_LOCK_HAS_NONE},
	{"not a value", ARGS "r1 = r10\nr1 += -8\ncall 93\n" OUT, RULE_ARG_KIND},
};
RULES_TEST(rules_locks, locks)

#define STACK(off) "r2 = r10\nr2 += " #off "\n"

static const struct rules_case helpers[] = {
	{"C28", V KEY "r1 = map[id:1]\nr3 = r7\nr4 = 0\ncall 2\n" OUT, RULE_SLOT_INDIRECT},
	{"C29", V KEY "r1 = map[id:4]\nr3 = r7\nr4 = 0\ncall 2\n" OUT},
	{"C30", V "r1 = map[id:4]\nr2 = r7\nr2 += 8\ncall 1\n" OUT, RULE_SLOT_INDIRECT},
	{"C31", V "r1 = r7\nr2 = 9\ncall 16\n" OUT, RULE_SLOT_INDIRECT},
	{"C31 beside", V "r1 = r7\nr2 = 8\ncall 16\n" OUT},
	{"C33", V "r1 = r10\nr1 += -8\nr2 = 8\nr3 = r7\nr3 += 16\ncall 113\n" OUT,
	 RULE_SLOT_INDIRECT},
	{"C34", V "r3 = *(u64 *)(r7 +8)\n" TEST_NULL("r3") "r1 = r10\nr1 += -8\nr2 = 8\n"
		"call 113\n" OUT},
	{"C27", ARGS "r1 = r6\nr2 = 8\nr3 = 0\ncall 6\n" OUT, RULE_ARG_KIND},
	{"unknown", ARGS "call 9999\n" OUT, RULE_HELPER_UNKNOWN, .phrase = "invalid func unknown#9999"},
	{"not there", ARGS "call 35\n" OUT, RULE_HELPER_PROG_TYPE,
	 .phrase = "program of this type cannot use helper bpf_get_current_task#35"},
	{"map type", ARGS KEY "r1 = map[id:5]\ncall 1\n" OUT, RULE_HELPER_MAP,
	 .phrase = "cannot pass map_type 3 into func bpf_map_lookup_elem#1"},
	{"no map", ARGS KEY "r1 = 5\ncall 1\n" OUT, RULE_ARG_KIND,
	 .phrase = "R1 type=scalar expected=map_ptr"},
	{"write to rodata", ARGS KEY "r1 = map[id:3]\nr3 = r10\nr3 += -24\nr4 = 0\ncall 2\n" OUT,
	 RULE_MAP_WRITE},
	{"leak by helper", ARGS "r1 = map[id:4]\n" KEY "r3 = r10\nr3 += -16\n"
		"*(u64 *)(r10 -16) = 0\nr4 = r6\nr1 = map[id:4]\ncall 2\n" OUT, RULE_ARG_LEAK},
	{"leak by value", ARGS KEY "r3 = r10\nr3 += -16\n*(u64 *)(r10 -16) = r6\nr4 = 0\n"
		"r1 = map[id:4]\ncall 2\n" OUT, RULE_LEAK},
	{"size too large", ARGS "r1 = r10\nr1 += -8\nr2 = 16\ncall 16\n" OUT,
	 RULE_STACK_BOUNDS, .phrase = "invalid indirect access to stack R1 off=-8 size=16"},
	{"size zero", ARGS "r1 = r10\nr1 += -8\nr2 = 0\ncall 16\n" OUT, RULE_MEM_SIZE_ZERO},
	{"size unbounded", ARGS "r1 = r10\nr1 += -8\nr2 = *(u64 *)(r9 +8)\ncall 16\n" OUT,
	 RULE_MEM_SIZE_NEG},
	{"size bounded", ARGS "r1 = r10\nr1 += -8\nr2 = *(u64 *)(r9 +8)\nr2 &= 7\nr2 += 1\n"
		"*(u64 *)(r10 -8) = 0\ncall 16\n" OUT},
	{"inner map", ARGS KEY "r1 = map[id:6]\ncall 1\n" OUT},
	{"inner map not tested", ARGS KEY "r1 = map[id:6]\ncall 1\nr1 = r0\nr2 = r10\nr2 += -8\n"
		"call 1\n" OUT, RULE_ARG_KIND, .phrase = "map_value_or_null"},
	{"cpu number", V "call 8\nr1 = r0\nr1 >>= 13\nif r1 == 0x0 goto out\n"
		"r0 = *(u64 *)(r10 +8)\n" OUT},
	{"ctx", "r1 += 8\nr2 = map[id:5]\nr3 = 0\ncall 12\n" OUT, RULE_CTX_MODIFIED},
	{"callback", ARGS "r1 = 4\nr2 = 7\nr3 = 0\nr4 = 0\ncall 181\n" OUT, RULE_ARG_KIND},
	{"uninitialised", ARGS "r1 = map[id:4]\ncall 1\n" OUT, RULE_NOT_READABLE},
};
RULES_TEST(rules_helpers, helpers)

static const struct rules_case contexts[] = {
	{"mark", "r2 = *(u32 *)(r1 +8)\n*(u32 *)(r1 +8) = r2\n" OUT, .type = XDP},
	{"narrow", "r2 = *(u8 *)(r1 +9)\n" OUT, .type = XDP},
	{"not narrow", "r2 = *(u8 *)(r1 +12)\n" OUT, RULE_CTX_ACCESS, XDP,
	 .phrase = "invalid bpf_context access off=12 size=1"},
	{"not writable", "r2 = 0\n*(u32 *)(r1 +12) = r2\n" OUT, RULE_CTX_ACCESS, XDP},
	{"no member", "r2 = *(u32 *)(r1 +16)\n" OUT, RULE_CTX_ACCESS, XDP},
	{"two members", "r2 = *(u64 *)(r1 +8)\n" OUT, RULE_CTX_ACCESS, XDP},
	{"leak", "*(u32 *)(r1 +8) = r10\n" OUT, RULE_LEAK, XDP},
	{"moved", "r1 += 4\nr2 = *(u32 *)(r1 +4)\n" OUT, RULE_CTX_MODIFIED, XDP,
	 .phrase = "dereference of modified ctx ptr R1 off=4 disallowed"},
	{"packet", "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\n"
		"if r4 > r3 goto out\nr0 = *(u16 *)(r2 +12)\n" OUT, .type = XDP},
	{"packet, unchecked", "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\n" OUT,
	 RULE_REGION_PACKET, XDP, .phrase = "invalid access to packet, off=0 size=1, R2("},
	{"packet, too far", "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\n"
		"if r4 > r3 goto out\nr0 = *(u16 *)(r2 +13)\n" OUT, RULE_REGION_PACKET, XDP},
	{"packet, write", "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\n"
		"if r4 > r3 goto out\n*(u16 *)(r2 +12) = 0\n" OUT, RULE_PACKET_WRITE, XDP,
	 .phrase = "cannot write into packet"},
	{"packet end", "r3 = *(u32 *)(r1 +4)\nr0 = *(u8 *)(r3 +0)\n" OUT, RULE_MEM_ACCESS, XDP,
	 .phrase = "invalid mem access 'pkt_end'"},
	{"packet after a change", "r9 = r1\nr6 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\n"
		"r4 = r6\nr4 += 14\nif r4 > r3 goto out\nr2 = 0\ncall 44\n"
		"r0 = *(u16 *)(r6 +12)\n" OUT, RULE_MEM_ACCESS, XDP},
	{"argument", ARGS "r0 = *(u32 *)(r9 +8)\n" OUT},
	{"no argument", ARGS "r0 = *(u64 *)(r9 +24)\n" OUT, RULE_CTX_ARG,
	 .phrase = "func 'hook/p' doesn't have 4-th argument"},
	{"half an argument", ARGS "r0 = *(u32 *)(r9 +4)\n" OUT, RULE_CTX_ARG_OFF},
	{"half a pointer", ARGS "r0 = *(u32 *)(r9 +0)\n" OUT, RULE_CTX_ARG_SIZE},
	{"argument that may be NULL", ARGS "r1 = *(u64 *)(r9 +16)\nr0 = *(u64 *)(r1 +0)\n" OUT,
	 RULE_NULL_DEREF, .phrase = "trusted_ptr_or_null_"},
	{"write an argument", ARGS "r1 = 0\n*(u64 *)(r9 +0) = r1\n" OUT, RULE_CTX_ACCESS},
	{"constant", "r1 = map[id:3][0]+8\nr2 = *(u64 *)(r1 +0)\nif r2 == 0x2a goto out\n"
		"r0 = *(u64 *)(r10 +8)\n" OUT},
	{"write a constant", "r1 = map[id:3][0]+8\n*(u64 *)(r1 +0) = 1\n" OUT, RULE_MAP_WRITE,
	 .phrase = "write into map forbidden"},
};
RULES_TEST(rules_contexts, contexts)
