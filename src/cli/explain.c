/* SPDX-License-Identifier: MIT
 *
 * explain.c: `pintle explain RULE`: the rule's row of rules.def, for people.
 */
#include "cli/cli.h"

static int list_rules(void)
{
	for (u32 id = 1; id < NR_RULES; id++) {
		const struct rule_info *r = rule_info((enum rule_id)id);

		printf("%-20s %s\n", r->id, r->why);
	}
	return EXIT_DONE;
}

static void explain_rule(const struct rule_info *r)
{
	printf("%s\n\n%s\n", r->id, r->why);
	if (*r->fix)
		printf("\nUsual mend: %s\n", r->fix);
	if (*r->book)
		printf("\nRule book: %s\n", r->book);
	printf("Decided in: src/verify/%s.c\n", r->home);
}

int cmd_explain(int argc, char **argv)
{
	enum rule_id id;

	if (argc < 2)
		return list_rules();
	if (argc > 2)
		return usage_error("explain takes one rule");
	id = rule_by_name(argv[1]);
	if (id == RULE_NONE)
		return usage_error("no rule '%s'; `pintle explain` lists them", argv[1]);
	explain_rule(rule_info(id));
	return EXIT_DONE;
}
