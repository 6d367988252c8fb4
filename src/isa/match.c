/* SPDX-License-Identifier: MIT
 *
 * match.c: one instruction's text against one text of the table.
 *
 * Literal parts match as they stand, blanks freely, except that two words never run
 * together and no blank splits a word or an operator. Operands are those of text.h. A
 * failure says how far the text made sense, so that the caller can report the row that
 * came furthest. The text is not trusted: nothing is read at or past `end`.
 */
#include "isa/match.h"

#include "isa/text.h"

struct number {
	const char *at;
	u64 size;
	bool negative, hex;
};

bool match_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *match_word_end(const char *p, const char *end)
{
	if (p < end && is_digit(*p))
		return p;
	while (p < end && match_is_word(*p))
		p++;
	return p;
}

static void skip_blanks(struct match *m)
{
	while (m->p < m->end && (*m->p == ' ' || *m->p == '\t'))
		m->p++;
}

/* The character at the cursor; 0 at the end. */
static char peek(const struct match *m)
{
	return m->p < m->end ? *m->p : 0;
}

static bool unexpected(struct match *m)
{
	m->at = m->p;
	m->why = NULL;
	return false;
}

/* It was read, up to the cursor, but cannot be. */
static bool wrong(struct match *m, const char *at, const char *why)
{
	m->at = at;
	m->why = why;
	return false;
}

static bool take(struct match *m, char c)
{
	if (peek(m) != c)
		return false;
	m->p++;
	return true;
}

/* Takes exactly that word, or nothing. */
static bool take_word(struct match *m, const char *word)
{
	const char *end = match_word_end(m->p, m->end);
	size_t len = strlen(word);

	if ((size_t)(end - m->p) != len || memcmp(m->p, word, len))
		return false;
	m->p = end;
	return true;
}

/* ---- Registers ---- */

/* Up to two digits that end with the word; -1 for anything else, 99 for much. */
static int reg_number(const char *p, const char *end)
{
	int n = 0;

	if (p == end)
		return -1;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return -1;
		n = n < NR_REGS ? n * 10 + (*p - '0') : 99;
	}
	return n;
}

/* The register's number, or -1. Where @field was set before, it must be @had. */
static int read_reg(struct match *m, char letter, u16 field, u8 had)
{
	const char *at, *end;
	int n = -1;

	skip_blanks(m);
	at = m->p;
	end = match_word_end(at, m->end);
	if (end > at && *at == letter)
		n = reg_number(at + 1, end);
	if (n < 0)
		return unexpected(m), -1;
	m->p = end;
	if (n >= NR_REGS)
		return wrong(m, at, "there is no such register"), -1;
	if ((m->seen & field) && n != had)
		return wrong(m, at, "must be the same register both times"), -1;
	m->seen |= field;
	return n;
}

static bool read_dst_as(struct match *m, char letter)
{
	int reg = read_reg(m, letter, HAS_DST, m->insn->dst);

	if (reg < 0)
		return false;
	m->insn->dst = reg & 15;
	return true;
}

static bool read_src_as(struct match *m, char letter)
{
	int reg = read_reg(m, letter, HAS_SRC, m->insn->src);

	if (reg < 0)
		return false;
	m->insn->src = reg & 15;
	return true;
}

static bool read_dst(struct match *m)
{
	return read_dst_as(m, 'r');
}

static bool read_dst32(struct match *m)
{
	return read_dst_as(m, 'w');
}

static bool read_src(struct match *m)
{
	return read_src_as(m, 'r');
}

static bool read_src32(struct match *m)
{
	return read_src_as(m, 'w');
}

/* ---- Numbers ---- */

static int digit_value(char c, u32 base)
{
	int value = -1;

	if (is_digit(c))
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

static bool read_digits(struct match *m, struct number *n)
{
	u32 base = n->hex ? 16 : 10;
	const char *first = m->p;
	bool fits = true;
	int digit;

	for (n->size = 0; (digit = digit_value(peek(m), base)) >= 0; m->p++) {
		fits = fits && n->size <= (UINT64_MAX - (u32)digit) / base;
		n->size = n->size * base + (u32)digit;
	}
	if (m->p == first)
		return unexpected(m);
	if (match_is_word(peek(m)))
		return wrong(m, n->at, "not a number");
	return fits || wrong(m, n->at, "does not fit in 64 bits");
}

/* Decimal or 0x hex, after a minus or not. */
static bool read_number(struct match *m, struct number *n)
{
	skip_blanks(m);
	n->at = m->p;
	n->negative = take(m, '-');
	if (n->negative)
		skip_blanks(m);
	if (!is_digit(peek(m)))
		return unexpected(m);
	n->hex = *m->p == '0' && m->end - m->p > 1 && (m->p[1] == 'x' || m->p[1] == 'X');
	if (n->hex)
		m->p += 2;
	return read_digits(m, n);
}

/* The number as two's complement, when it is in -low..high. */
static bool in_range(struct match *m, const struct number *n, u64 low, u64 high,
		     const char *why, u64 *value)
{
	if (n->size > (n->negative ? low : high))
		return wrong(m, n->at, why);
	*value = n->negative ? 0 - n->size : n->size;
	return true;
}

static bool set_imm(struct match *m, const struct number *n, u64 high)
{
	const char *why = high > INT32_MAX ? "does not fit in 32 bits"
					   : "does not fit in 32 bits with a sign";
	u64 value;

	if (!in_range(m, n, BIT64(31), high, why, &value))
		return false;
	m->insn->imm = (s32)(u32)value;
	return true;
}

static bool read_imm(struct match *m)
{
	struct number n;

	return read_number(m, &n) && set_imm(m, &n, INT32_MAX);
}

static bool read_imm_any(struct match *m)
{
	struct number n;

	return read_number(m, &n) && set_imm(m, &n, UINT32_MAX);
}

/* Hex and what is too large are not refused for themselves: they are another row's. */
static bool read_imm_decimal(struct match *m)
{
	struct number n;

	if (!read_number(m, &n))
		return false;
	if (!n.hex && set_imm(m, &n, INT32_MAX))
		return true;
	m->p = n.at;
	return unexpected(m);
}

static bool read_imm_hex(struct match *m)
{
	struct number n;

	return read_number(m, &n) && set_imm(m, &n, n.hex ? UINT32_MAX : INT32_MAX);
}

#define read_imm_hex_any read_imm_any

static bool read_imm64(struct match *m)
{
	struct number n;
	u64 value;

	if (!read_number(m, &n) ||
	    !in_range(m, &n, BIT64(63), UINT64_MAX, "does not fit in 64 bits", &value))
		return false;
	m->insn[0].imm = (s32)(u32)value;
	m->insn[1].imm = (s32)(u32)(value >> 32);
	skip_blanks(m);
	take_word(m, "ll"); /* as clang writes it; nothing more to say */
	return true;
}

static bool read_imm2(struct match *m)
{
	struct number n;
	u64 value;

	if (!read_number(m, &n) ||
	    !in_range(m, &n, 0, UINT32_MAX, "does not fit in 32 bits", &value))
		return false;
	m->insn[1].imm = (s32)(u32)value;
	return true;
}

static bool read_spaces(struct match *m)
{
	static const char why[] = "does not fit in 16 bits";
	struct number to, from;
	u64 high, low;

	if (!read_number(m, &to) || !in_range(m, &to, 0, UINT16_MAX, why, &high))
		return false;
	skip_blanks(m);
	if (!take(m, ','))
		return unexpected(m);
	if (!read_number(m, &from) || !in_range(m, &from, 0, UINT16_MAX, why, &low))
		return false;
	m->insn->imm = (s32)(u32)(high << 16 | low);
	return true;
}

/* +3 or -3; the sign is already known to be there. */
static bool read_signed(struct match *m, struct number *n)
{
	const char *at = m->p;
	bool negative = *m->p++ == '-';

	skip_blanks(m);
	if (!is_digit(peek(m)))
		return unexpected(m);
	if (!read_number(m, n))
		return false;
	n->negative = negative;
	n->at = at;
	return true;
}

static bool set_off(struct match *m, const struct number *n)
{
	u64 value;

	if (!in_range(m, n, BIT64(15), INT16_MAX, "does not fit in 16 bits", &value))
		return false;
	m->insn->off = (s16)(u16)value;
	return true;
}

/* No offset at all is an offset of 0. */
static bool read_off(struct match *m)
{
	struct number n;

	skip_blanks(m);
	if (peek(m) != '+' && peek(m) != '-')
		return true;
	return read_signed(m, &n) && set_off(m, &n);
}

/* ---- Targets of jumps ---- */

static bool read_label(struct match *m, enum match_target target)
{
	const char *end = match_word_end(m->p, m->end);

	if (end == m->p)
		return unexpected(m);
	m->label = m->p;
	m->label_len = (size_t)(end - m->p);
	m->target = target;
	m->p = end;
	return true;
}

static bool read_target(struct match *m, enum match_target target)
{
	struct number n;
	bool pc;

	skip_blanks(m);
	pc = take_word(m, "pc");
	if (peek(m) != '+' && peek(m) != '-')
		return pc ? unexpected(m) : read_label(m, target);
	if (!read_signed(m, &n))
		return false;
	return target == TARGET_OFF ? set_off(m, &n) : set_imm(m, &n, INT32_MAX);
}

static bool read_jump(struct match *m)
{
	return read_target(m, TARGET_OFF);
}

static bool read_jump_long(struct match *m)
{
	return read_target(m, TARGET_IMM);
}

#define read_subprog read_jump_long

/* ---- Things with names ---- */

static bool read_map(struct match *m)
{
	const char *at;

	skip_blanks(m);
	at = m->p;
	if (take_word(m, "id") && take(m, ':'))
		return read_imm(m);
	m->p = at;
	if (take_word(m, "name") && take(m, ':'))
		return wrong(m, at, "names are for reading; write id:number");
	return unexpected(m);
}

#define read_ksym read_map

/* Any name before the number is a comment: bpf_map_lookup_elem#1 is helper 1. */
static bool read_helper(struct match *m)
{
	const char *name;

	skip_blanks(m);
	if (is_digit(peek(m)))
		return read_imm(m);
	name = m->p;
	m->p = match_word_end(m->p, m->end);
	if (m->p == name || (m->p - name == 5 && !memcmp(name, "kfunc", 5)))
		return unexpected(m);
	if (!take(m, '#'))
		return unexpected(m);
	return read_imm(m);
}

static bool read_kfunc(struct match *m)
{
	skip_blanks(m);
	if (!take_word(m, "kfunc") || !take(m, '#'))
		return unexpected(m);
	return read_imm(m);
}

static bool read_operand(struct match *m, char letter)
{
	switch (letter) {
#define READ(letter_, name)                                                              \
	case letter_:                                                                    \
		return read_##name(m);
		TEXT_OPERANDS(READ)
	}
	BUG_ON(true);
	return false;
}

/* ---- Literal text ---- */

/* May blanks stand before @c, though the row writes none? Not inside `+=` or a word. */
static bool splits_before(char previous, char c)
{
	return c && (strchr("()[]*,", c) || (previous && strchr("()[]*,", previous)));
}

static bool match_blank(struct match *m)
{
	skip_blanks(m);
	if (m->p > m->start && match_is_word(m->p[-1]) && match_is_word(peek(m)))
		return unexpected(m);
	return true;
}

static bool match_char(struct match *m, char previous, char c)
{
	if (c == ' ')
		return match_blank(m);
	if (splits_before(previous, c))
		skip_blanks(m);
	return take(m, c) || unexpected(m);
}

static bool match_text(struct match *m, const char *text)
{
	char previous = 0;

	for (; *text; previous = *text++) {
		if (*text == '%' && *++text != '%') {
			if (!read_operand(m, *text))
				return false;
		} else if (!match_char(m, previous, *text)) {
			return false;
		}
	}
	skip_blanks(m);
	return m->p == m->end || unexpected(m);
}

static void set_selector(struct insn *insn, const struct isa_row *row)
{
	switch ((enum isa_select)row->select) {
	case SEL_NONE:
		break;
	case SEL_SRC:
		insn->src = (u8)(row->value & 15);
		break;
	case SEL_OFF:
		insn->off = row->value;
		break;
	case SEL_IMM:
		insn->imm = row->value;
		break;
	}
}

bool isa_match(struct match *m, const struct isa_row *row)
{
	*m = (struct match){.start = m->start, .end = m->end, .p = m->start};
	if (!match_text(m, row->text))
		return false;
	m->insn->code = row->info.code;
	set_selector(m->insn, row);
	return true;
}
