/* SPDX-License-Identifier: MIT
 *
 * format.c: the format of bpf_snprintf(), where it is a constant: a printf of the kernel's,
 * with no more conversions than arguments (8 bytes each).
 *
 *	%[flags 0 + - space][width]conv
 *	conv	d i u x X, after l or ll too; c; s; p, and kinds of it (below)
 *
 * A text (s, pks, pus) is followed by no letter or digit.
 */
#include "verify/rule/hcall.h"

#include <ctype.h>

static bool is_end(char c)
{
	return !c || isspace((unsigned char)c) || ispunct((unsigned char)c);
}

static const char *skip_width(const char *at)
{
	while (*at && strchr("0+- ", *at))
		at++;
	while (isdigit((unsigned char)*at))
		at++;
	return at;
}

/* What follows "%p"; NULL: nothing that is known. */
static const char *pointer_kind(const char *at)
{
	if (is_end(*at))
		return at;
	if (strchr("KxsSB", *at))
		return at + 1;
	if ((*at == 'k' || *at == 'u') && at[1] == 's')
		return is_end(at[2]) ? at + 2 : NULL;
	if ((*at == 'i' || *at == 'I') && (at[1] == '4' || at[1] == '6'))
		return at + 2;
	return NULL;
}

/* Behind the conversion that begins at @at (after '%'); NULL: it is none. */
static const char *conversion(const char *at)
{
	u32 longs = 0;

	at = skip_width(at);
	if (*at == 'p')
		return pointer_kind(at + 1);
	if (*at == 's')
		return is_end(at[1]) ? at + 1 : NULL;
	if (*at == 'c')
		return at + 1;
	while (*at == 'l' && longs++ < 2)
		at++;
	return *at && strchr("diuxX", *at) ? at + 1 : NULL;
}

static bool is_text(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x80 || isprint(u) || isspace(u);
}

static bool format_ok(const char *fmt, u64 nargs)
{
	while (*fmt) {
		if (!is_text(*fmt))
			return false;
		if (*fmt++ != '%')
			continue;
		if (*fmt == '%') {
			fmt++;
			continue;
		}
		fmt = nargs-- ? conversion(fmt) : NULL;
		if (!fmt)
			return false;
	}
	return true;
}

int check_format(struct env *env, const struct reg *format, const struct reg *size)
{
	const struct image_map *map = format->map;
	s64 off = (s64)format->off + (s64)format->num.bits.value;
	const char *text = map->data ? (const char *)map->data + off : "";

	if (size->num.bits.value % 8 || !format_ok(text, size->num.bits.value / 8))
		return reject(env, RULE_FORMAT);
	return 0;
}
