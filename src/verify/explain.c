/* SPDX-License-Identifier: MIT
 *
 * explain.c: a refusal for people: what is wrong, at which source line, what the path that
 * leads there did (where each reference was taken, where the values at fault were made,
 * which way each test went), why there is such a rule, and the usual mend.
 */
#include "verify/walk.h"

#include <ctype.h>
#include <stdarg.h>

enum { EXPLAIN_MAX = 8192, MAX_EVENTS = 24, MAX_LOOK = 100000, TEXT_WIDTH = 40 };

/* Text that grows in a buffer of fixed size; what does not fit is dropped. */
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

/* ------------------------------------------------------------------ places */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "policy.bpf.c:17: mine = conn_get(c);", padded; the instruction where no line is known. */
static void say_place(struct env *env, struct words *w, u32 insn)
{
	const struct image_line *line = image_line_of(env->prog, insn);

	if (line && line->file && *line->text)
		say(w, "%s:%u: %-*s", file_name(line->file), line->line, TEXT_WIDTH, line->text);
	else if (line && line->file)
		say(w, "%s:%u: %-*s", file_name(line->file), line->line, TEXT_WIDTH,
		    insn_text(env, insn));
	else
		say(w, "insn %u: %-*s", insn, TEXT_WIDTH, insn_text(env, insn));
}

/* ------------------------------------------------------------------ the path */

enum event_kind { EVENT_BRANCH, EVENT_HELD, EVENT_MADE };

struct event {
	enum event_kind kind;
	u32 insn, times;
	bool taken;	/* branches */
	u32 id;		/* references; registers made */
};

struct story {
	struct event at[MAX_EVENTS]; /* newest first */
	u32 n;
	bool cut;
	u16 regs; /* registers at fault whose making is still to be told */
	u32 held; /* what is held, and matters here, and is still to be told: state->held's */
};

static void tell(struct story *s, struct event e)
{
	struct event *last = s->n ? &s->at[s->n - 1] : NULL;

	if (last && last->kind == e.kind && last->insn == e.insn && last->taken == e.taken &&
	    last->id == e.id) {
		last->times++;
		return;
	}
	s->cut |= s->n == MAX_EVENTS;
	if (s->n < MAX_EVENTS)
		s->at[s->n++] = e;
}

/* The registers that a message names: "R3 ...", or "arg#1" and "arg1" of a call, R2. */
static u16 registers_named(const char *message)
{
	u16 regs = 0;

	for (const char *p = message; *p; p++) {
		bool begins = p == message || !isalnum((unsigned char)p[-1]);
		const char *number = p + 3 + (p[1] && p[2] && p[3] == 's');

		if (begins && p[0] == 'R' && isdigit((unsigned char)p[1]))
			regs |= (u16)BIT(p[1] - '0');
		if (!begins || strncmp(p, "arg", 3))
			continue;
		number += *number == '#';
		if (*number >= '0' && *number < '5')
			regs |= (u16)BIT(R1 + (*number - '0'));
	}
	return regs;
}

/*
 * Registers that the refused instruction reads and that know where they were made: of these
 * the ones that the message names, if any; of a call's else those that are pointers.
 */
static u16 registers_at_fault(struct env *env, const char *message)
{
	u16 reads = isa_reads(cur_insn(env), env->notes[env->insn].op), regs = 0;
	bool call = isa_info(env->notes[env->insn].op)->kind == KIND_CALL;
	u16 named = registers_named(message);

	/* An exit that leaves something held is not R0's fault. */
	if (isa_info(env->notes[env->insn].op)->kind == KIND_EXIT && env->cur->nheld)
		return 0;
	for (u32 r = 0; r < R_FP; r++) {
		const struct reg *reg = cur_reg(env, r);

		if (!(reads & BIT(r)) || reg->base == REG_NONE || reg->def >= env->prog->ninsns)
			continue;
		if (named & reads ? named & BIT(r) : !call || reg_is_pointer(reg))
			regs |= (u16)BIT(r);
	}
	return regs;
}

static bool carried(struct env *env, u16 regs, u32 ref)
{
	for (u32 r = 0; r < R_FP; r++)
		if (regs & BIT(r) && cur_reg(env, r)->ref == ref)
			return true;
	return false;
}

/* What is held matters where the message speaks of it, or a register at fault carries it. */
static u32 held_at_fault(struct env *env, u16 regs, const char *message)
{
	bool locks = strstr(message, "lock"), refs = strstr(message, "reference");
	u32 held = 0;

	for (u32 i = 0; i < env->cur->nheld && i < 32; i++) {
		const struct held *h = &env->cur->held[i];

		if (h->kind == HELD_LOCK ? locks : refs || carried(env, regs, h->id))
			held |= BIT(i);
	}
	return held;
}

static void tell_held(struct env *env, struct story *s, u32 insn)
{
	for (u32 i = 0; i < env->cur->nheld && i < 32; i++) {
		const struct held *h = &env->cur->held[i];

		if (h->insn != insn || !(s->held & BIT(i)))
			continue;
		s->held &= ~BIT(i);
		tell(s, (struct event){EVENT_HELD, insn, 1, h->kind == HELD_LOCK, h->id});
	}
}

static void tell_made(struct env *env, struct story *s, u32 insn)
{
	for (u32 r = 0; r < R_FP; r++) {
		if (!(s->regs & BIT(r)) || cur_reg(env, r)->def != insn)
			continue;
		s->regs &= (u16)~BIT(r);
		tell(s, (struct event){EVENT_MADE, insn, 1, false, r});
	}
}

/* Goes back over the path; stops when nothing more would be told. */
static void find_story(struct env *env, struct story *s, const char *message)
{
	u32 after = env->insn, looked = 0;

	s->regs = registers_at_fault(env, message);
	s->held = held_at_fault(env, s->regs, message);
	for (const struct state *st = env->cur; st && looked < MAX_LOOK; st = st->parent)
		for (u32 i = st->nsteps; i-- > 0 && looked < MAX_LOOK; looked++) {
			u32 insn = st->steps[i].insn;

			if (insn == after && i + 1 == st->nsteps && st == env->cur)
				continue; /* the refused instruction itself */
			if (isa_info(env->notes[insn].op)->kind == KIND_JMP)
				tell(s, (struct event){EVENT_BRANCH, insn, 1, after != insn + 1, 0});
			tell_held(env, s, insn);
			tell_made(env, s, insn);
			after = insn;
		}
}

/* "r6 == 0x0" of "(15) if r6 == 0x0 goto pc+6". */
static void say_condition(struct env *env, struct words *w, const struct event *e)
{
	const char *text = insn_text(env, e->insn), *from = strstr(text, "if ");
	const char *to = from ? strstr(from, " goto") : NULL;

	if (to)
		say(w, "<- %.*s is %s", (int)(to - from - 3), from + 3,
		    e->taken ? "true" : "false");
	else
		say(w, "<- %s", e->taken ? "jumps" : "goes on");
}

/* A number that a call left in a register other than R0 was a pointer that died there. */
static bool died_there(struct env *env, u32 regno, u32 insn)
{
	return regno && cur_reg(env, regno)->base == REG_SCALAR &&
	       isa_info(env->notes[insn].op)->kind == KIND_CALL;
}

static void say_made(struct env *env, struct words *w, const struct event *e)
{
	char text[256];

	if (died_there(env, e->id, e->insn)) {
		say(w, "<- the object of R%u is given away here: R%u is a mere number since",
		    e->id, e->id);
		return;
	}
	reg_print(env, cur_reg(env, e->id), text, sizeof(text));
	say(w, "<- R%u is made here: %s", e->id, text);
}

static void say_event(struct env *env, struct words *w, const struct event *e)
{
	say(w, "  ");
	say_place(env, w, e->insn);
	say(w, " ");
	if (e->kind == EVENT_BRANCH)
		say_condition(env, w, e);
	else if (e->kind == EVENT_MADE)
		say_made(env, w, e);
	else if (e->taken) /* there is but one at a time */
		say(w, "<- the lock is taken here");
	else
		say(w, "<- reference %u is taken here", e->id);
	if (e->times > 1)
		say(w, " (%u times)", e->times);
	say(w, "\n");
}

static void say_story(struct env *env, struct words *w, const char *message)
{
	struct story s = {.n = 0};

	find_story(env, &s, message);
	if (s.cut)
		say(w, "  ... (what came earlier is left out)\n");
	while (s.n-- > 0)
		say_event(env, w, &s.at[s.n]);
}

/* ------------------------------------------------------------------ all of it */

const char *explain(struct env *env, const struct rule_info *rule, const char *message)
{
	struct words w = {pool_get(env, EXPLAIN_MAX), 0};
	const char *text;

	if (!w.buf)
		return NULL;
	w.buf[0] = 0;
	say(&w, "%s\n", message);
	if (env->insn < env->prog->ninsns) {
		if (env->cur)
			say_story(env, &w, message);
		say(&w, "  ");
		say_place(env, &w, env->insn);
		say(&w, " <- refused here (insn %u: %s)\n", env->insn, insn_text(env, env->insn));
	}
	say(&w, "Why: %s\nFix: %s\nRule: %s (src/verify/%s.c%s%s)\n", rule->why, rule->fix,
	    rule->id, rule->home, *rule->book ? "; rule book " : "", rule->book);
	text = arena_strndup(env->out, w.buf, w.n);
	pool_put(env, w.buf, EXPLAIN_MAX);
	return text;
}
