/* SPDX-License-Identifier: MIT
 *
 * Contexts that are arguments of a function somewhere in a kernel: what the program type
 * says of each, and what no host's hook has: results, structs by value, buffers whose size
 * only the attachment knows.
 */
#include "unit/rules_host.h"


static const struct rules_case args[] = {
	{"number", "r0 = *(u32 *)(r1 +8)\nexit\n", RULE_NONE, HOOK_K},
	{"offset", "r0 = *(u32 *)(r1 +12)\n" OUT, RULE_CTX_ARG_OFF, HOOK_K,
	 .phrase = "func 'f' offset 12 is not multiple of 8"},
	{"offset, not aligned", "r0 = *(u32 *)(r1 +10)\n" OUT, RULE_CTX_ACCESS, HOOK_K},
	{"null", "r2 = *(u64 *)(r1 +0)\nr0 = *(u32 *)(r2 +16)\n" OUT, RULE_NULL_DEREF, HOOK_K},
	{"not null", "r2 = *(u64 *)(r1 +0)\n" TEST_NULL("r2") "r0 = *(u32 *)(r2 +16)\n" OUT,
	 RULE_NONE, HOOK_K},
	{"pointer to pointer", "r2 = *(u64 *)(r1 +32)\n" OUT, RULE_CTX_ARG_TYPE, HOOK_K,
	 .phrase = "not a struct"},
	{"struct by value", "r2 = *(u64 *)(r1 +40)\nr2 = *(u64 *)(r1 +48)\n" OUT, RULE_NONE,
	 HOOK_K},
	{"result", "r2 = *(u64 *)(r1 +56)\nr0 = *(u32 *)(r2 +16)\n" OUT, RULE_NONE, HOOK_K},
	{"behind the result", "r2 = *(u64 *)(r1 +64)\n" OUT, RULE_CTX_ARG, HOOK_K,
	 .phrase = "func 'f' doesn't have 8-th argument"},
	{"key", "r2 = *(u64 *)(r1 +16)\n" TEST_NULL("r2") "r0 = *(u64 *)(r2 +4000)\n" OUT,
	 RULE_NONE, HOOK_K},
	{"key, null", "r2 = *(u64 *)(r1 +16)\nr0 = *(u64 *)(r2 +0)\n" OUT, RULE_NULL_DEREF,
	 HOOK_K, .phrase = "'rdonly_buf_or_null'"},
	{"key, written", "r2 = *(u64 *)(r1 +16)\n" TEST_NULL("r2") "*(u64 *)(r2 +0) = 0\n" OUT,
	 RULE_MEM_WRITE, HOOK_K},
	{"value, written", "r2 = *(u64 *)(r1 +24)\n*(u64 *)(r2 +8) = 0\n" OUT, RULE_NONE,
	 HOOK_K},
	{"value, before", "r2 = *(u64 *)(r1 +24)\nr0 = *(u64 *)(r2 -8)\n" OUT, RULE_BUF_NEG,
	 HOOK_K},
	{"value, anywhere", "r3 = *(u32 *)(r1 +8)\nr3 &= 7\nr2 = *(u64 *)(r1 +24)\n"
	 "r2 += r3\nr0 = *(u8 *)(r2 +0)\n" OUT, RULE_BUF_VAR_OFF, HOOK_K},
	{"path", "call 147\n" OUT, RULE_HELPER_PLACE, HOOK_K, .phrase = "not here"},
	{"no result", "exit\n", RULE_NONE, HOOK_K},
};
RULES_TEST(rules_kernel_arguments, args)
