/* SPDX-License-Identifier: MIT
 *
 * asm.c: the assembler: the disassembler's text, with labels and comments.
 *
 * A line is any number of `label:` and then one instruction or none. Each instruction is
 * held against every row of the table; of the rows that do not match, the one that came
 * furthest gives the error. Labels are resolved at the end, relative to the slot after
 * the one that jumps, which for the address of a subprogram is its own second slot (as in
 * the kernel).
 */
#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "isa/match.h"

#include <ctype.h>

struct fixup {
	u32 insn, line, column;
	enum match_target target;
	const char *label; /* in the text */
	size_t len;
};

struct assembler {
	struct arena *arena;
	struct log *log;
	const char *line_start;
	u32 line;
	VEC(struct insn) code;
	VEC(struct fixup) fixups;
	struct strmap labels;
};

static u32 column_of(const struct assembler *as, const char *p)
{
	return (u32)(p - as->line_start) + 1;
}

/* At @at something is that nobody expects. */
static int fail_unexpected(const struct assembler *as, const char *at, const char *start,
			   const char *end)
{
	size_t len = 1;

	if (at >= end)
		return log_fail(as->log, -EINVAL, "%u:%u: the instruction ends too early",
				as->line, column_of(as, at));
	while (at > start && match_is_word(at[-1]))
		at--;
	while (match_is_word(*at) && at + len < end && match_is_word(at[len]) && len < 60)
		len++;
	if (!isprint((unsigned char)*at))
		return log_fail(as->log, -EINVAL, "%u:%u: unexpected byte 0x%02x",
				as->line, column_of(as, at), (unsigned char)*at);
	return log_fail(as->log, -EINVAL, "%u:%u: unexpected '%.*s'", as->line,
			column_of(as, at), (int)len, at);
}

static int fail_match(const struct assembler *as, const struct match *best)
{
	if (!best->why)
		return fail_unexpected(as, best->at, best->start, best->end);
	return log_fail(as->log, -EINVAL, "%u:%u: %s", as->line, column_of(as, best->at),
			best->why);
}

/* Came further, or as far with something to say. */
static bool is_better(const struct match *m, const struct match *best)
{
	return m->p > best->p || (m->p == best->p && m->why && !best->why);
}

/* The row whose text is start..end, or OP_BAD; @best is the match, or the failure that
 * came furthest. */
static enum isa_op find_row(const char *start, const char *end, struct match *best)
{
	struct match m = {.start = start, .end = end};

	*best = (struct match){.start = start, .end = end, .p = start, .at = start};
	for (u32 op = 1; op < NR_OPS; op++) {
		if (isa_match(&m, &isa_rows[op])) {
			*best = m;
			return op;
		}
		if (is_better(&m, best))
			*best = m;
	}
	return OP_BAD;
}

static int note_fixup(struct assembler *as, const struct match *m)
{
	struct fixup fixup = {
		.insn = as->code.n,
		.line = as->line,
		.column = column_of(as, m->label),
		.target = m->target,
		.label = m->label,
		.len = m->label_len,
	};

	return vec_push(&as->fixups, fixup) ? 0 : -ENOMEM;
}

static int assemble_insn(struct assembler *as, const char *start, const char *end)
{
	struct match m;
	enum isa_op op = find_row(start, end, &m);

	if (op == OP_BAD)
		return fail_match(as, &m);
	if (m.target != TARGET_NONE)
		TRY(note_fixup(as, &m));
	for (u32 i = 0; i < isa_slots(op); i++)
		if (!vec_push(&as->code, m.insn[i]))
			return -ENOMEM;
	return 0;
}

static int define_label(struct assembler *as, const char *name, size_t len)
{
	char *key;
	u32 at;

	if (strmap_get_n(&as->labels, name, len, &at))
		return log_fail(as->log, -EINVAL, "%u:%u: label '%.*s' stands twice",
				as->line, column_of(as, name), (int)len, name);
	key = arena_strndup(as->arena, name, len);
	if (!key || !strmap_set(&as->labels, key, as->code.n))
		return -ENOMEM;
	return 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

static int assemble_line(struct assembler *as, const char *p, const char *end)
{
	const char *word;

	for (;;) {
		p = skip_blanks(p, end);
		word = match_word_end(p, end);
		if (word == p || word == end || *word != ':')
			break;
		TRY(define_label(as, p, (size_t)(word - p)));
		p = word + 1;
	}
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	return p == end ? 0 : assemble_insn(as, p, end);
}

/* Where the comment of a line starts, or the line ends. A `#` inside a word (helper#1) is
 * no comment. */
static const char *line_end(const char *line)
{
	const char *p = line;

	while (*p && *p != '\n' && *p != ';' &&
	       (*p != '#' || (p > line && !isspace((unsigned char)p[-1]))))
		p++;
	return p;
}

static int assemble_lines(struct assembler *as, const char *text)
{
	while (*text) {
		as->line++;
		as->line_start = text;
		TRY(assemble_line(as, text, line_end(text)));
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return 0;
}

static int fail_fixup(const struct assembler *as, const struct fixup *fixup,
		      const char *why)
{
	return log_fail(as->log, -EINVAL, "%u:%u: label '%.*s' %s", fixup->line,
			fixup->column, (int)fixup->len, fixup->label, why);
}

static int resolve(struct assembler *as, const struct fixup *fixup)
{
	struct insn *insn = &as->code.v[fixup->insn];
	s64 distance;
	u32 target;

	if (!strmap_get_n(&as->labels, fixup->label, fixup->len, &target))
		return fail_fixup(as, fixup,
				  "is nowhere (a helper is written name#number)");
	distance = (s64)target - fixup->insn - 1;
	if (fixup->target == TARGET_IMM) {
		if (distance != (s32)distance)
			return fail_fixup(as, fixup, "is too far away");
		insn->imm = (s32)distance;
		return 0;
	}
	if (distance != (s16)distance)
		return fail_fixup(as, fixup, "is too far away (gotol reaches further)");
	insn->off = (s16)distance;
	return 0;
}

static int assemble(struct assembler *as, const char *text)
{
	TRY(assemble_lines(as, text));
	for (u32 i = 0; i < as->fixups.n; i++)
		TRY(resolve(as, &as->fixups.v[i]));
	return 0;
}

int isa_assemble(struct arena *arena, struct log *log, const char *text,
		 struct insn **insns, u32 *count)
{
	struct assembler as = {.arena = arena, .log = log};
	int err = assemble(&as, text);

	*count = 0;
	*insns = NULL;
	if (!err) {
		*insns = arena_memdup(arena, as.code.v, as.code.n * sizeof(struct insn));
		err = *insns ? 0 : -ENOMEM;
	}
	if (!err)
		*count = as.code.n;
	if (err == -ENOMEM)
		log_fail(log, err, "out of memory");
	vec_free(&as.code);
	vec_free(&as.fixups);
	strmap_free(&as.labels);
	return err;
}
