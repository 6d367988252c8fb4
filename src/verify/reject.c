/* SPDX-License-Identifier: MIT
 *
 * reject.c: the rules as a table, and refusing: one log line that carries the kernel's
 * phrase. What a person is told besides is made by explain.c.
 */
#include "verify/walk.h"

#include <stdarg.h>

struct rule_row {
	const char *id;
	int err;
	const char *home, *book, *phrase, *why, *fix;
};

static const struct rule_row rows[NR_RULES] = {
#define RULE(id, err, home, book, phrase, why, fix)                                      \
	[RULE_##id] = {#id, -err, home, book, phrase, why, fix},
#include "verify/rules.def"
#undef RULE
};

static const struct rule_info infos[NR_RULES] = {
#define RULE(id, err, home, book, phrase, why, fix)                                      \
	[RULE_##id] = {#id, home, book, why, fix},
#include "verify/rules.def"
#undef RULE
};

const struct rule_info *rule_info(enum rule_id id)
{
	return id > RULE_NONE && id < NR_RULES ? &infos[id] : NULL;
}

enum rule_id rule_by_name(const char *name)
{
	for (int i = RULE_NONE + 1; i < NR_RULES; i++)
		if (!strcmp(rows[i].id, name))
			return (enum rule_id)i;
	return RULE_NONE;
}

int reject(struct env *env, enum rule_id rule, ...)
{
	const struct rule_row *row = &rows[rule];
	char message[1024];
	va_list args;

	BUG_ON(rule <= RULE_NONE || rule >= NR_RULES);
	va_start(args, rule);
	vsnprintf(message, sizeof(message), row->phrase, args);
	va_end(args);
	log_break(env);
	log_fail(env->log, row->err, "%s", message);
	if (env->why) {
		env->why->rule = rule;
		env->why->insn = env->insn;
		env->why->message = arena_strdup(env->out, message);
		env->why->explanation = explain(env, rule_info(rule), message);
	}
	return row->err;
}
