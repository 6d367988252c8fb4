/* SPDX-License-Identifier: MIT
 *
 * helper_text.c: helpers on strings: comparing, numbers, formatting, printing. What
 * programs print goes to the host's log, line by line.
 */
#include "run/helper/helpers.h"

#include <limits.h>

/* long(s1, s1_size, s2): as strncmp(3); s1 need not end. */
HELPER_FN(strncmp)
{
	return helper_err(strncmp(helper_ptr(a), helper_ptr(c), (u32)b));
}

/* ------------------------------------------------------------------ numbers */

struct number {
	u64 value;
	bool negative;
	s64 used; /* characters, or -EINVAL, -ERANGE */
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static u32 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : UINT32_MAX;
}

/* Skips "0x" where it fits @base; the base that a prefix tells, when @base is 0. */
static u32 skip_prefix(const char *s, u32 size, u32 *at, u32 base)
{
	bool zero = *at < size && s[*at] == '0';
	bool hex = zero && size - *at > 2 && (s[*at + 1] | 0x20) == 'x' &&
		   digit(s[*at + 2]) < 16;

	if (!base)
		base = hex ? 16 : zero ? 8 : 10;
	if (hex && base == 16)
		*at += 2;
	return base;
}

/* Digits from @at; false when they do not fit in 64 bits. */
static bool parse_digits(const char *s, u32 size, u32 *at, u32 base, u64 *value)
{
	bool fits = true;

	for (u32 d; *at < size && (d = digit(s[*at])) < base; ++*at) {
		fits &= !__builtin_mul_overflow(*value, base, value) &&
			!__builtin_add_overflow(*value, d, value);
	}
	return fits;
}

static struct number parse_number(const char *s, u32 size, u64 flags)
{
	struct number n = {.used = -EINVAL};
	u32 at = 0, start, base = (u32)flags;

	if (flags > 31 || (base != 0 && base != 8 && base != 10 && base != 16))
		return n;
	while (at < size && is_space(s[at]))
		at++;
	n.negative = at < size && s[at] == '-';
	at += n.negative;
	base = skip_prefix(s, size, &at, base);
	start = at;
	n.used = parse_digits(s, size, &at, base, &n.value) ? (s64)at : -ERANGE;
	if (at == start)
		n.used = -EINVAL;
	return n;
}

/* long(buf, size, base, res): characters used; -EINVAL without digits or for another
 * base, -ERANGE. *res is 0 when it fails. */
HELPER_FN(strtol)
{
	struct number n = parse_number(helper_ptr(a), (u32)b, c);
	u64 most = (u64)LLONG_MAX + n.negative;
	s64 value = 0;

	if (n.used > 0 && n.value > most)
		n.used = -ERANGE;
	if (n.used > 0)
		value = (s64)(n.negative ? -n.value : n.value);
	memcpy(helper_ptr(d), &value, sizeof(value));
	return (u64)n.used;
}

/* The same without a sign. */
HELPER_FN(strtoul)
{
	struct number n = parse_number(helper_ptr(a), (u32)b, c);
	u64 value = 0;

	if (n.negative)
		n.used = -EINVAL;
	if (n.used > 0)
		value = n.value;
	memcpy(helper_ptr(d), &value, sizeof(value));
	return (u64)n.used;
}

/* ------------------------------------------------------------------ formatting */

enum { MAX_LINE = 1024 };

/* What was proved, where a size has its place (FORMAT_KNOWN). */
static const struct format_proof *proof_of(u64 size)
{
	return size & FORMAT_KNOWN ? helper_ptr(size & ~FORMAT_KNOWN) : NULL;
}

/* Takes @size bytes of arguments out of @data: how many; -EINVAL. */
static s64 take_args(u64 *args, const void *data, u64 size)
{
	if (size % 8 || size > FORMAT_ARGS * 8 || (!data && size))
		return -EINVAL;
	if (size)
		memcpy(args, data, size);
	return (s64)size / 8;
}

/* long(str, size, fmt, data, data_size): length with the NUL, even when cut; -EINVAL. */
HELPER_FN(snprintf)
{
	const struct format_proof *proof = proof_of(e);
	u64 args[FORMAT_ARGS] = {0};
	s64 n;

	/* A format that is known takes no more than there are. */
	if (proof)
		e = 8 * (u32)format_count(helper_ptr(c));
	n = take_args(args, helper_ptr(d), e);
	if (n < 0 || (u32)b > INT_MAX || (!a && (u32)b))
		return helper_err(-EINVAL);
	n = format_text(helper_ptr(a), (u32)b, helper_ptr(c), UINT32_MAX, args, (u32)n, proof);
	return (u64)(n < 0 ? n : n + 1);
}

static void print_lines(struct pintle_host *host, char *text)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			host_log(host, PINTLE_LOG_PROGRAM, line);
}

static u64 print(const char *fmt, u64 fmt_size, const u64 *args, u32 nargs)
{
	const struct format_proof *proof = proof_of(fmt_size);
	char text[MAX_LINE];
	s64 n = format_text(text, sizeof(text), fmt, proof ? UINT32_MAX : (u32)fmt_size, args,
			    nargs, proof);

	if (n < 0)
		return (u64)n;
	print_lines(slot_current()->host, text);
	return n < MAX_LINE ? (u64)n : MAX_LINE - 1;
}

/* long(fmt, fmt_size, a1, a2, a3): bytes printed, or -EINVAL and nothing printed. */
HELPER_FN(trace_printk)
{
	const u64 args[3] = {c, d, e};

	return print(helper_ptr(a), b, args, 3);
}

/* long(fmt, fmt_size, data, data_size): the same with up to 12 arguments. */
HELPER_FN(trace_vprintk)
{
	u64 args[FORMAT_ARGS] = {0};
	s64 n = take_args(args, helper_ptr(c), d);

	return n < 0 ? (u64)n : print(helper_ptr(a), b, args, (u32)n);
}
