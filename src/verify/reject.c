/* SPDX-License-Identifier: MIT
 *
 * reject.c: refusing, with words. One log line carries the kernel's phrase; the
 * explanation tells a person what, where, by which path, and the usual mend.
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

/* --- text that grows in an arena-owned buffer of fixed size --- */

enum { EXPLAIN_MAX = 8192, PATH_MAX_LINES = 24 };

struct words {
	char *buf;
	size_t n;
};

static void say(struct words *w, const char *fmt, ...) FORMAT(2, 3);
static void say(struct words *w, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(w->buf + w->n, EXPLAIN_MAX - w->n, fmt, args);
	va_end(args);
	if (n > 0)
		w->n = w->n + (size_t)n < EXPLAIN_MAX ? w->n + (size_t)n : EXPLAIN_MAX - 1;
}

static void say_place(struct env *env, struct words *w, u32 insn)
{
	const struct image_line *line = image_line_of(env->prog, insn);

	if (line && line->file)
		say(w, "%s:%u", line->file, line->line);
	else
		say(w, "insn %u", insn);
	if (line && line->text && line->text[0])
		say(w, ": %s", line->text);
	else
		say(w, ": %s", insn_text(env, insn));
}

/* --- the path: branches taken, newest last --- */

struct turn {
	u32 insn;
	bool taken;
};

/* Fills @turns with the last branches of the path, oldest first; how many. */
static u32 path_turns(struct env *env, struct turn *turns, u32 max, bool *cut)
{
	u32 n = 0, after = env->insn;

	*cut = false;
	for (const struct state *s = env->cur; s; s = s->parent)
		for (u32 i = s->nsteps; i-- > 0;) {
			u32 insn = s->steps[i].insn;

			if (isa_info(env->notes[insn].op)->kind == KIND_JMP && insn != after) {
				*cut = n == max;
				if (*cut)
					return n;
				turns[n++] = (struct turn){insn, after != insn + 1};
			}
			after = insn;
		}
	return n;
}

static void say_path(struct env *env, struct words *w)
{
	struct turn turns[PATH_MAX_LINES];
	bool cut;
	u32 n;

	if (!env->cur)
		return;
	n = path_turns(env, turns, PATH_MAX_LINES, &cut);
	if (!n)
		return;
	say(w, "The path that leads there:\n");
	if (cut)
		say(w, "  ... (earlier branches left out)\n");
	while (n-- > 0) {
		say(w, "  insn %u, branch %s: ", turns[n].insn, turns[n].taken ? "taken"
									       : "not taken");
		say_place(env, w, turns[n].insn);
		say(w, "\n");
	}
}

/* Where the values come from that the refused instruction reads. */
static void say_sources(struct env *env, struct words *w)
{
	const struct insn *insn = cur_insn(env);
	u16 reads = isa_reads(insn, env->notes[env->insn].op);
	char text[256];

	for (u32 r = 0; r < R_FP; r++) {
		const struct reg *reg;

		if (!(reads & BIT(r)))
			continue;
		reg = cur_reg(env, r);
		if (reg->base == REG_NONE || reg->def >= env->prog->ninsns)
			continue;
		reg_print(env, reg, text, sizeof(text));
		say(w, "R%u is %s, made at insn %u (", r, text, reg->def);
		say_place(env, w, reg->def);
		say(w, ").\n");
	}
}

static const char *explain(struct env *env, const struct rule_row *row, const char *message)
{
	struct words w = {pool_get(env, EXPLAIN_MAX), 0};
	const char *text;

	if (!w.buf)
		return NULL;
	w.buf[0] = 0;
	say(&w, "%s\n", message);
	if (env->insn < env->prog->ninsns) {
		say(&w, "At insn %u, ", env->insn);
		say_place(env, &w, env->insn);
		say(&w, "\n");
		if (env->cur)
			say_sources(env, &w);
	}
	say_path(env, &w);
	say(&w, "Why: %s\nFix: %s\nRule: %s (%s.c%s%s)\n", row->why, row->fix, row->id,
	    row->home, row->book[0] ? ", " : "", row->book);
	text = arena_strndup(env->out, w.buf, w.n);
	pool_put(env, w.buf, EXPLAIN_MAX);
	return text;
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
	if (env->line_open)
		log_print(env->log, LOG_INSN, "\n");
	env->line_open = false;
	log_fail(env->log, row->err, "%s", message);
	if (env->why) {
		env->why->rule = rule;
		env->why->insn = env->insn;
		env->why->message = arena_strdup(env->out, message);
		env->why->explanation = explain(env, row, message);
	}
	return row->err;
}
