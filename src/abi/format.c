/* SPDX-License-Identifier: MIT
 *
 * format.c: see format.h.
 */
#include "abi/format.h"

#include <ctype.h>

static bool is_flag(char c)
{
	return c && strchr("0 +-", c);
}

/* Flags and width into @spec->head; false when too long. */
static bool parse_head(const char **at, struct format_spec *spec)
{
	u32 n = 0;

	spec->head[n++] = '%';
	for (; is_flag(**at); ++*at) {
		if (n == 6)
			return false;
		spec->head[n++] = **at;
	}
	for (u32 digits = 0; isdigit((unsigned char)**at); ++*at) {
		if (++digits > 3)
			return false;
		spec->head[n++] = **at;
	}
	spec->head[n] = 0;
	return true;
}

/* What may follow "%p": longest first. */
static const struct {
	char text[4];
	u8 conv;
} pointers[] = {
	{"i4", FORMAT_IP4}, {"I4", FORMAT_IP4}, {"i6", FORMAT_IP6}, {"I6", FORMAT_IP6},
	{"ks", FORMAT_STR}, {"us", FORMAT_USER_STR},
	{"x", FORMAT_PTR},  {"K", FORMAT_PTR},	{"B", FORMAT_PTR},  {"s", FORMAT_PTR},
	{"S", FORMAT_PTR},
};

static bool is_end(char c)
{
	return !c || isspace((unsigned char)c) || ispunct((unsigned char)c);
}

static bool is_text(enum format_conv conv)
{
	return conv == FORMAT_STR || conv == FORMAT_USER_STR;
}

static bool parse_pointer(const char **at, struct format_spec *spec)
{
	spec->conv = FORMAT_PTR;
	for (u32 i = 0; i < ARRAY_SIZE(pointers); i++) {
		size_t len = strlen(pointers[i].text);

		if (strncmp(*at, pointers[i].text, len))
			continue;
		spec->conv = pointers[i].conv;
		*at += len;
		return !is_text(spec->conv) || is_end(**at);
	}
	return is_end(**at);
}

static bool parse_int(const char **at, struct format_spec *spec)
{
	u32 longs = 0;

	for (; **at == 'l'; ++*at)
		longs++;
	if (longs > 2 || !**at || !strchr("diuxX", **at))
		return false;
	spec->conv = FORMAT_INT;
	spec->wide = longs;
	spec->letter = *(*at)++;
	return true;
}

static bool parse_conv(const char **at, struct format_spec *spec)
{
	switch (**at) {
	case 'c':
		spec->conv = FORMAT_CHAR;
		++*at;
		return true;
	case 's':
		spec->conv = FORMAT_STR;
		++*at;
		return is_end(**at);
	case 'p':
		++*at;
		return parse_pointer(at, spec);
	default:
		return parse_int(at, spec);
	}
}

bool format_next(const char **at, struct format_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	if (**at == '%') {
		spec->conv = FORMAT_PERCENT;
		++*at;
		return true;
	}
	return parse_head(at, spec) && parse_conv(at, spec);
}

static bool is_printed(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x80 || isprint(u) || isspace(u);
}

s32 format_count(const char *fmt)
{
	struct format_spec spec;
	s32 n = 0;

	while (*fmt) {
		if (!is_printed(*fmt))
			return -1;
		if (*fmt++ != '%')
			continue;
		if (!format_next(&fmt, &spec))
			return -1;
		n += spec.conv != FORMAT_PERCENT;
	}
	return n;
}
