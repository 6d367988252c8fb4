/* SPDX-License-Identifier: MIT
 *
 * Refusals that no object can bring about, because the loader refuses it before (the
 * verifier does not rely on that), or because no host has what they need.
 */
#include "verify_fixture.h"

static const struct {
	enum rule_id rule; /* RULE_NONE: accepted */
	const char *text;
} cases[] = {
	{RULE_TAIL_STACK, "*(u64 *)(r10 -256) = 0\ncall f\nexit\n"
			  "f:\nr2 = map[id:2]\nr3 = 0\ncall 12\nr0 = 0\nexit"},
	{RULE_NONE, "*(u64 *)(r10 -240) = 0\ncall f\nexit\n"
		    "f:\nr2 = map[id:2]\nr3 = 0\ncall 12\nr0 = 0\nexit"},
	{RULE_BAD_INDEX, "r1 = map[id:7]\nr0 = 0\nexit"},
	{RULE_MAP_VALUE_OFF, "r1 = map[id:0][0]+48\nr0 = 0\nexit"},
	{RULE_CALL_TARGET, "call pc+1000\nexit"},
	{RULE_ABS_CTX, "r6 = 0\nr0 = *(u8 *)skb[0]\nexit"},
	{RULE_NONE, "r6 = r1\nr0 = *(u8 *)skb[0]\nr7 = 4\nr0 = *(u16 *)skb[r7 + 4]\nexit"},
	{RULE_NOT_READABLE, "r6 = r1\nr0 = *(u8 *)skb[0]\nr0 = r1\nexit"},
	{RULE_NONE, "r1 = map[id:0][0]+40\nr0 = *(u64 *)(r1 +0)\nr0 = 0\nexit"}, /* ACCEPT */
};

TEST(verify_refuses_what_the_loader_should_have)
{
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verified v;

		verify_text(&v, cases[i].text, NULL);
		if (v.why.rule != cases[i].rule)
			test_fail(__FILE__, __LINE__, "%s\n%s", cases[i].text,
				  log_text(&v.log));
		verify_done(&v);
	}
}
