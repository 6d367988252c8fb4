/* SPDX-License-Identifier: MIT
 *
 * explain.c: `pintle explain RULE`: the rule's row of rules.def, for people, with a program
 * that the rule refuses and one alike that it does not. The programs are tests: see
 * tools/rule-examples.
 */
#include "cli/cli.h"

static const struct example {
	const char *file, *refused, *accepted;
} examples[NR_RULES] = {
#define EXAMPLE(rule, file, refused, accepted) [RULE_##rule] = {file, refused, accepted},
#include "rule_examples.inc"
#undef EXAMPLE
};

static int list_rules(void)
{
	for (u32 id = 1; id < NR_RULES; id++) {
		const struct rule_info *r = rule_info((enum rule_id)id);

		printf("%-20s %s\n", r->id, r->why);
	}
	return EXIT_DONE;
}

static void print_program(const char *title, const char *text)
{
	printf("\n%s\n\n\t", title);
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n' && text[1] != '\n')
			putchar('\t');
	}
	putchar('\n');
}

static void print_example(const struct example *e)
{
	if (!e->file)
		return;
	print_program("Refused:", e->refused);
	if (*e->accepted)
		print_program("Accepted:", e->accepted);
	printf("\nFrom test/verdict/%s\n", e->file);
}

static void explain_rule(enum rule_id id)
{
	const struct rule_info *r = rule_info(id);

	printf("%s\n\n%s\n", r->id, r->why);
	if (*r->fix)
		printf("\nUsual mend: %s\n", r->fix);
	if (*r->book)
		printf("\nRule book: %s\n", r->book);
	printf("Decided in: src/verify/%s.c\n", r->home);
	print_example(&examples[id]);
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
	explain_rule(id);
	return EXIT_DONE;
}
