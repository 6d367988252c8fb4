/* SPDX-License-Identifier: MIT
 *
 * Typed pointers in map values: loads, stores, exchanges, acquisition from a field. Names
 * are those of the rule book's section K where the case is there.
 */
#include "unit/rules_host.h"

#define OWNED V FIND("r8") TEST_NULL("r8")

static const struct rules_case loads[] = {
	{"L01", V "r1 = *(u64 *)(r7 +8)\nr0 = *(u32 *)(r1 +16)\n" OUT, RULE_NULL_DEREF},
	{"L02", V "r1 = *(u64 *)(r7 +8)\n" TEST_NULL("r1") "r0 = *(u32 *)(r1 +16)\n" OUT},
	{"L03", V "r1 = *(u32 *)(r7 +8)\n" OUT, RULE_SLOT_SIZE, .phrase = "BPF_DW"},
	{"L04", V "r1 = *(u64 *)(r7 +9)\n" OUT, RULE_SLOT_MISALIGN},
	{"L05", V "r1 = *(u64 *)(r7 +4)\n" OUT, RULE_SLOT_MISALIGN,
	 .phrase = "kptr access misaligned expected=8 off=4"},
	{"L06", V "r1 = *(u64 *)(r9 +8)\nr1 &= 7\nr7 += r1\nr1 = *(u8 *)(r7 +0)\n" OUT},
	{"L07", V "r1 = *(u64 *)(r9 +8)\nr1 &= 15\nr7 += r1\nr1 = *(u8 *)(r7 +0)\n" OUT,
	 RULE_SLOT_VAR_OFF},
	{"L08", V "r1 = *(u64 *)(r9 +8)\nr1 &= 1\nr1 <<= 3\nr7 += r1\n"
		"r1 = *(u64 *)(r7 +72)\n" OUT, RULE_SLOT_VAR_OFF},
	{"L09", V "r1 = *(s32 *)(r7 +8)\n" OUT, RULE_SLOT_SIZE},
	{"L10", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "call @t_get\n" TEST_NULL("r0")
		PUT("r0") OUT},
	{"L11", V "r1 = *(u64 *)(r7 +16)\ncall @t_get\n" OUT, RULE_KFUNC_NULL,
	 .phrase = "Possibly NULL pointer passed to trusted arg0"},
	{"L12", V "r1 = *(u64 *)(r7 +8)\n" TEST_NULL("r1") "call @t_get\n" OUT,
	 RULE_KFUNC_RCU, .phrase = "R1 must be a rcu pointer"},
	{"L13", V "r1 = *(u64 *)(r7 +24)\n" TEST_NULL("r1") "call @u_rcu\n" OUT,
	 RULE_KFUNC_RCU},
	{"L14", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "*(u32 *)(r1 +16) = 1\n" OUT,
	 RULE_BTF_RDONLY, .phrase = "only read is supported"},
	{"L15", V "r1 = *(u64 *)(r7 +8)\n" TEST_NULL("r1") "*(u32 *)(r1 +16) = 1\n" OUT,
	 RULE_BTF_RDONLY},
	{"L16", V "r1 = *(u64 *)(r7 +32)\n" TEST_NULL("r1")
		"*(u64 *)(r1 +0) = 1\nr0 = *(u64 *)(r1 +8)\n" OUT},
	{"L17", V "r1 = *(u64 *)(r7 +32)\n" TEST_NULL("r1") "*(u64 *)(r1 +0) = 1\n" OUT,
	 RULE_BTF_RDONLY, HOOK_Q},
	{"L18", V "r1 = *(u64 *)(r7 +32)\n" TEST_NULL("r1") "r0 = *(u64 *)(r1 +0)\n" OUT,
	 .type = HOOK_Q},
	{"L20", V "r1 = *(u64 *)(r7 +16)\nr1 += 8\n" OUT, RULE_PTR_NULL_MATH,
	 .phrase = "prohibited"},
	{"L21", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") "r2 = *(u64 *)(r9 +8)\nr2 &= 8\n"
		"r1 += r2\nr0 = *(u32 *)(r1 +16)\n" OUT, RULE_BTF_VAR_OFF,
	 .phrase = "invalid variable offset"},
	{"L22", V "r0 = *(u32 *)(r6 +88)\n" OUT, RULE_BTF_BEYOND,
	 .phrase = "access beyond struct T at off 88 size 4"},
	{"L23", V "r0 = *(u32 *)(r6 -8)\n" OUT, RULE_BTF_NEG,
	 .phrase = "invalid negative access"},
	{"L25", V "r1 = *(u64 *)(r7 +16)\n" TEST_NULL("r1") OUT},
	{"L28", V "r1 = r10\nr2 = *(u64 *)(r9 +8)\nif r2 == 0x0 goto l1\nr1 = r6\ngoto l2\n"
		"l1: *(u64 *)(r10 -16) = 0\nr1 += -16\nl2: r0 = *(u64 *)(r1 +0)\n" OUT,
	 RULE_MIXED_POINTERS},
	{"L30", V KEY "r1 = map[id:1]\ncall 1\nr0 = *(u64 *)(r0 +16)\n" OUT,
	 RULE_NULL_DEREF, .phrase = "map_value_or_null"},
	{"two fields, one load", V "r1 = *(u64 *)(r9 +8)\nr2 = r7\nif r1 == 0x0 goto l1\n"
		"r2 += 56\nl1: r1 = *(u64 *)(r2 +16)\n" OUT},
	{"a value alone is inside", V "r1 = *(u64 *)(r7 +96)\n" OUT},
	{"past the value", V "r1 = *(u64 *)(r7 +104)\n" OUT, RULE_REGION_MIN,
	 .phrase = "invalid access to map value, value_size=104 off=104 size=8"},
	{"past the value, variable", V "r1 = *(u64 *)(r9 +8)\nr1 &= 127\nr7 += r1\n"
		"r1 = *(u8 *)(r7 +0)\n" OUT, RULE_REGION_MAX,
	 .phrase = "outside of the allowed memory range"},
	{"percpu field", V "r1 = *(u64 *)(r7 +40)\n" OUT},
	{"user field", V "r1 = *(u64 *)(r7 +48)\n" OUT},
	{"uptr field", V "r1 = *(u64 *)(r7 +56)\n" OUT},
	{"lock field", VL "r1 = *(u32 *)(r7 +0)\n" OUT, RULE_FIELD_DIRECT,
	 .phrase = "bpf_spin_lock cannot be accessed directly by load/store"},
};
RULES_TEST(rules_slot_loads, loads)

static const struct rules_case stores[] = {
	{"S01", V "*(u64 *)(r7 +8) = 0\n" OUT},
	{"S02", V "*(u64 *)(r7 +8) = 1\n" OUT, RULE_SLOT_IMM,
	 .phrase = "BPF_ST imm must be 0 when storing to kptr at off=8"},
	{"S03", V "r1 = 0\n*(u64 *)(r7 +8) = r1\n" OUT},
	{"S04", V "r1 = *(u64 *)(r9 +8)\n*(u64 *)(r7 +8) = r1\n" OUT, RULE_SLOT_TYPE},
	{"S05", V "r1 = *(u64 *)(r9 +8)\nr2 = 0\nif r1 == 0x5 goto l1\nr2 = r1\nl1: r3 = 1\n"
		"*(u64 *)(r7 +8) = r2\n" OUT, RULE_SLOT_TYPE},
	{"S06", V "*(u32 *)(r7 +8) = r6\n" OUT, RULE_SLOT_SIZE},
	{"S07", V "*(u64 *)(r7 +15) = r6\n" OUT, RULE_SLOT_MISALIGN},
	{"S08", V "r1 = *(u64 *)(r9 +8)\nr1 &= 8\nr7 += r1\n*(u64 *)(r7 +0) = r6\n" OUT,
	 RULE_SLOT_VAR_OFF},
	{"S09", V "*(u64 *)(r7 +8) = r6\n" OUT},
	{"S10", V "r1 = *(u64 *)(r7 +8)\n*(u64 *)(r7 +8) = r1\n" OUT},
	{"S11", V "r1 = *(u64 *)(r7 +16)\n*(u64 *)(r7 +8) = r1\n" OUT},
	{"S12", V "r1 = *(u64 *)(r6 +32)\n*(u64 *)(r7 +8) = r1\nr1 = *(u64 *)(r6 +40)\n"
		"*(u64 *)(r7 +8) = r1\n" OUT},
	{"S13", V "*(u64 *)(r7 +64) = r6\n" OUT},
	{"S14", V "r6 += 8\n*(u64 *)(r7 +64) = r6\n" OUT, RULE_SLOT_TYPE},
	{"S15", V "r6 += 8\n*(u64 *)(r7 +8) = r6\n" OUT, RULE_SLOT_TYPE},
	{"S16", V "r6 += -8\n*(u64 *)(r7 +8) = r6\n" OUT, RULE_BTF_NEG},
	{"S17", V "r1 = *(u64 *)(r9 +8)\nr1 &= 8\nr6 += r1\n*(u64 *)(r7 +8) = r6\n" OUT,
	 RULE_BTF_VAR_ARG},
	{"S18", ARGS "r6 = *(u64 *)(r9 +16)\n" TEST_NULL("r6") VALUE
		"*(u64 *)(r7 +8) = r6\n" OUT, RULE_SLOT_TYPE},
	{"S19 stack", V "*(u64 *)(r7 +8) = r10\n" OUT, RULE_SLOT_TYPE},
	{"S19 ctx", V "*(u64 *)(r7 +8) = r9\n" OUT, RULE_SLOT_TYPE},
	{"S19 value", V "*(u64 *)(r7 +8) = r7\n" OUT, RULE_SLOT_TYPE},
	{"S23 null", V "r1 = 0\n*(u64 *)(r7 +16) = r1\n" OUT, RULE_SLOT_STORE_REF,
	 .phrase = "store to referenced kptr disallowed"},
	{"S23 st", V "*(u64 *)(r7 +16) = 0\n" OUT, RULE_SLOT_STORE_REF},
	{"S24", V "*(u64 *)(r7 +16) = r6\n" OUT, RULE_SLOT_STORE_REF},
	{"S25", V "*(u64 *)(r7 +40) = 0\n" OUT, RULE_SLOT_STORE_REF},
	{"U15", V "*(u64 *)(r7 +56) = 0\n" OUT, RULE_SLOT_STORE_UPTR},
	{"S26", OWNED "*(u64 *)(r7 +8) = r8\n" OUT, RULE_REF_LEAK},
	{"S26 put", OWNED "*(u64 *)(r7 +8) = r8\n" PUT("r8") OUT},
	{"S27", V "*(u64 *)(r7 +96) = r6\n" OUT, RULE_LEAK, .phrase = "leaks addr into map"},
	{"S27 xchg", V "r1 = r6\nr1 = atomic64_xchg((u64 *)(r7 +96), r1)\n" OUT, RULE_LEAK},
	{"S28 add", V "r1 = 8\nlock *(u64 *)(r7 +8) += r1\n" OUT, RULE_SLOT_MODE,
	 .phrase = "BPF_MEM"},
	{"I09", V "r0 = 0\nr1 = 0\nr0 = atomic64_cmpxchg((u64 *)(r7 +16), r0, r1)\n" OUT,
	 RULE_SLOT_MODE},
	{"I10", V "r1 = 8\nr1 = atomic64_fetch_add((u64 *)(r7 +8), r1)\n" OUT,
	 RULE_SLOT_MODE},
	{"S29", VL LOCK "r1 = *(u64 *)(r7 +16)\n*(u64 *)(r7 +16) = r1\n" UNLOCK OUT},
};
RULES_TEST(rules_slot_stores, stores)

static const struct rules_case exchanges[] = {
	{"X01", V XCHG(16, "0") OUT, RULE_REF_LEAK, .phrase = "Unreleased reference id="},
	{"X02", V XCHG(16, "0") TEST_NULL("r0") PUT("r0") OUT},
	{"X03", OWNED XCHG(16, "r8") TEST_NULL("r0") PUT("r0") OUT},
	{"X04", V FIND("r8") XCHG(16, "r8") OUT, RULE_ARG_MAYBE_NULL,
	 .phrase = "Possibly NULL pointer passed to helper arg2"},
	{"X05", OWNED XCHG(16, "r8") TEST_NULL("r0") PUT("r0") "r0 = *(u32 *)(r8 +16)\n" OUT,
	 RULE_MEM_ACCESS, .phrase = "invalid mem access 'scalar'"},
	{"X06", OWNED XCHG(16, "r8") TEST_NULL("r0") PUT("r0") PUT("r8") OUT,
	 RULE_KFUNC_PTR},
	{"X07", OWNED "*(u64 *)(r10 -16) = r8\n" XCHG(16, "r8") TEST_NULL("r0") PUT("r0")
		"r8 = *(u64 *)(r10 -16)\nr0 = *(u32 *)(r8 +16)\n" OUT, RULE_MEM_ACCESS},
	{"X08", V XCHG(8, "0") OUT, RULE_XCHG_NOT_REF,
	 .phrase = "off=8 kptr isn't referenced kptr"},
	{"X09", V XCHG(0, "0") OUT, RULE_XCHG_NO_KPTR, .phrase = "off=0 doesn't point to kptr"},
	{"X10", ARGS KEY "r1 = map[id:4]\ncall 1\n" TEST_NULL("r0") "r7 = r0\n" XCHG(0, "0") OUT,
	 RULE_XCHG_NO_SLOTS, .phrase = "has no valid kptr"},
	{"X11", V "r1 = *(u64 *)(r9 +8)\nr1 &= 8\nr7 += r1\n" XCHG(16, "0") OUT,
	 RULE_XCHG_CONST_OFF, .phrase = "doesn't have constant offset"},
	{"X12", V XCHG(88, "0") TEST_NULL("r0") PUT("r0") OUT},
	{"X14", V "*(u64 *)(r10 -16) = 0\nr1 = r10\nr1 += -16\nr2 = 0\ncall 194\n" OUT,
	 RULE_XCHG_DST, .phrase = "R1 type=fp expected=map_value, ptr_"},
	{"X15", V "r8 = *(u64 *)(r7 +16)\n" TEST_NULL("r8") XCHG(16, "r8") OUT,
	 RULE_RELEASE_UNREF, .phrase = "R2 must be referenced"},
	{"X16", V XCHG(16, "r6") OUT, RULE_RELEASE_UNREF},
	{"X17", V "r8 = *(u64 *)(r9 +8)\n" XCHG(16, "r8") OUT, RULE_ARG_KIND},
	{"X18", OWNED XCHG(24, "r8") OUT, RULE_SLOT_TYPE},
	{"X19", OWNED "r8 += 8\n" XCHG(16, "r8") OUT, RULE_SLOT_TYPE},
	{"X22", OWNED XCHG(32, "r8") OUT, RULE_SLOT_TYPE},
	{"X27", OWNED XCHG(16, "r8") TEST_NULL("r0") PUT("r0") OUT, .type = HOOK_Q},
	{"X28", VL LOCK "r1 = r7\nr1 += 8\nr2 = 0\ncall 194\nr8 = r0\n" UNLOCK TEST_NULL("r8")
		PUT("r8") OUT},
	{"X31", OWNED FIND("r6") "if r6 != 0x0 goto l1\n" PUT("r8") "goto out\nl1: "
		XCHG(16, "r8") "if r0 == 0x0 goto l2\n" PUT("r0") "l2: " XCHG(16, "r6")
		TEST_NULL("r0") PUT("r0") OUT},
	{"U17", V XCHG(56, "0") OUT, RULE_XCHG_NO_KPTR},
	{"percpu", V XCHG(40, "0") OUT, RULE_REF_LEAK},
	{"value may be null", ARGS KEY "r1 = map[id:1]\ncall 1\nr7 = r0\n" XCHG(16, "0") OUT,
	 RULE_PTR_NULL_MATH},
	{"local", V XCHG(32, "0") OUT, RULE_REF_LEAK},
};
RULES_TEST(rules_slot_exchanges, exchanges)

#define SWAP(off, reg) reg " = atomic64_xchg((u64 *)(r7 +" #off "), " reg ")\n"

static const struct rules_case by_insn[] = {
	{"I01", V "r1 = 0\n" SWAP(8, "r1") TEST_NULL("r1") "r0 = *(u32 *)(r1 +16)\n" OUT},
	{"I02", V "r1 = 0\n" SWAP(16, "r1") OUT, RULE_REF_LEAK},
	{"I03", OWNED SWAP(16, "r8") TEST_NULL("r8") PUT("r8") OUT},
	{"I04", OWNED "r8 += 4\n" SWAP(16, "r8") OUT, RULE_RELEASE_OFF,
	 .phrase = "must have zero offset when passed to release func"},
	{"I05", V "r1 = r6\n" SWAP(16, "r1") OUT, RULE_RELEASE_UNREF},
	{"I06", OWNED "r1 = r8\n" SWAP(16, "r1") "r0 = *(u32 *)(r8 +16)\n" OUT,
	 RULE_MEM_ACCESS, .phrase = "invalid mem access 'scalar'"},
	{"I07", V "r1 = 0\nr1 = atomic_xchg((u32 *)(r7 +16), r1)\n" OUT, RULE_SLOT_SIZE},
	{"I08", V "r1 = *(u64 *)(r9 +8)\nr1 &= 8\nr7 += r1\nr1 = 0\n" SWAP(8, "r1") OUT,
	 RULE_SLOT_VAR_OFF},
	{"I11", V "r1 = *(u64 *)(r9 +8)\n" SWAP(8, "r1") OUT, RULE_SLOT_TYPE},
	{"I12", V "r1 = 0\n" SWAP(8, "r1") TEST_NULL("r1") "call @t_use\n" OUT,
	 RULE_KFUNC_TRUST},
	{"I14", VL LOCK "r8 = 0\n" SWAP(8, "r8") UNLOCK TEST_NULL("r8") PUT("r8") OUT},
	{"I15", OWNED "*(u64 *)(r10 -16) = r8\n" SWAP(16, "r8")
		"r1 = *(u64 *)(r10 -16)\nr0 = *(u32 *)(r1 +16)\n" OUT, RULE_MEM_ACCESS},
	{"untested", V FIND("r8") SWAP(16, "r8") OUT, RULE_ARG_MAYBE_NULL},
	{"owned into unreferenced", OWNED "r1 = r8\n" SWAP(8, "r1") PUT("r8") OUT},
	{"user", V "r1 = 0\n" SWAP(48, "r1") OUT},
};
RULES_TEST(rules_slot_exchange_instruction, by_insn)

#define KGET(off) "r1 = r7\nr1 += " #off "\ncall @t_kget\n"

static const struct rules_case kptr_get[] = {
	{"G01", V KGET(16) TEST_NULL("r0") PUT("r0") OUT, .type = HOOK_Q},
	{"G02", V KGET(16) OUT, RULE_REF_LEAK},
	{"G03", V KGET(8) OUT, RULE_XCHG_NOT_REF},
	{"G04", V KGET(0) OUT, RULE_XCHG_NO_KPTR},
	{"G05", V "r1 = *(u64 *)(r9 +8)\nr1 &= 8\nr7 += r1\n" KGET(16) OUT,
	 RULE_XCHG_CONST_OFF},
	{"G06", V KGET(24) OUT, RULE_KFUNC_TYPE},
	{"G07", V "r1 = r10\nr1 += -8\n*(u64 *)(r1 +0) = 0\ncall @t_kget\n" OUT,
	 RULE_KPTR_GET_DST, .phrase = "expected pointer to map value"},
	{"G08", V "r1 = r7\nr1 += 16\ncall @t_badget\n" OUT, RULE_KPTR_GET_PROTO,
	 .phrase = "must be a double pointer"},
	{"G09", V "r1 = r7\nr1 += 16\ncall @b_kget\n" OUT, RULE_KFUNC_TYPE},
	{"G10", V KEY "r1 = map[id:1]\ncall 1\nr1 = r0\ncall @t_kget\n" OUT, RULE_NULL_DEREF},
	{"G12", V KGET(16) TEST_NULL("r0") "r8 = r0\n" XCHG(72, "r8") TEST_NULL("r0") PUT("r0")
		OUT},
};
RULES_TEST(rules_kptr_get, kptr_get)
