/* SPDX-License-Identifier: MIT
 *
 * helper_format.c: the printf of programs. A format is checked to its end before anything
 * is written. What it may hold:
 *
 *	%[flags][width]conv   flags of "0 +-", width of up to 3 digits
 *	d i u x X o           32 bits; 64 with l or ll before
 *	c                     a character
 *	s, ks, us (%pks ...)  a string, read so that a bad address gives ""
 *	p                     an address hidden: the same number for the same address,
 *	                      and no more; so are px, pK, pB, ps, pS (J2: no leaks)
 *	pi4 pI4 pi6 pI6       an IP address, by pointer
 *	%%
 */
#include "base/hash.h"
#include "run/helpers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>

enum conv { CONV_INT, CONV_CHAR, CONV_STR, CONV_PTR, CONV_IP4, CONV_IP6, CONV_PERCENT };

struct spec {
	enum conv conv;
	char head[16]; /* "%", flags and width */
	char letter;   /* of CONV_INT */
	bool wide;     /* CONV_INT: 64 bits */
};

struct text {
	char *to;
	u32 size;
	u64 len; /* without NUL, had there been room */
};

/* ------------------------------------------------------------------ parsing */

/* Flags and width into @spec->head; false when too long. */
static bool parse_head(const char **at, struct spec *spec)
{
	u32 n = 0;

	spec->head[n++] = '%';
	for (; **at && strchr("0 +-", **at); ++*at) {
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
	enum conv conv;
} pointers[] = {
	{"i4", CONV_IP4}, {"I4", CONV_IP4}, {"i6", CONV_IP6}, {"I6", CONV_IP6},
	{"ks", CONV_STR}, {"us", CONV_STR}, {"x", CONV_PTR},  {"K", CONV_PTR},
	{"B", CONV_PTR},  {"s", CONV_PTR},  {"S", CONV_PTR},
};

static bool parse_pointer(const char **at, struct spec *spec)
{
	spec->conv = CONV_PTR;
	for (u32 i = 0; i < ARRAY_SIZE(pointers); i++) {
		size_t len = strlen(pointers[i].text);

		if (strncmp(*at, pointers[i].text, len))
			continue;
		spec->conv = pointers[i].conv;
		*at += len;
		return true;
	}
	return !isalnum((unsigned char)**at);
}

static bool parse_int(const char **at, struct spec *spec)
{
	u32 longs = 0;

	for (; **at == 'l'; ++*at)
		longs++;
	if (longs > 2 || !**at || !strchr("diuxXo", **at))
		return false;
	spec->conv = CONV_INT;
	spec->wide = longs;
	spec->letter = *(*at)++;
	return true;
}

static bool parse_conv(const char **at, struct spec *spec)
{
	switch (**at) {
	case 'c': spec->conv = CONV_CHAR; break;
	case 's': spec->conv = CONV_STR; break;
	case 'p': ++*at; return parse_pointer(at, spec);
	default: return parse_int(at, spec);
	}
	++*at;
	return true;
}

/* C leaves flags but '-' undefined for strings and characters. */
static void drop_flags(char *head)
{
	char *to = head + 1, *from = to;
	bool left = false;

	for (; *from && strchr("0 +-", *from); from++)
		left |= *from == '-';
	if (left)
		*to++ = '-';
	memmove(to, from, strlen(from) + 1);
}

/* @at stands behind '%'. */
static bool parse_spec(const char **at, struct spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	if (**at == '%') {
		spec->conv = CONV_PERCENT;
		++*at;
		return true;
	}
	if (!parse_head(at, spec) || !parse_conv(at, spec))
		return false;
	if (spec->conv != CONV_INT)
		drop_flags(spec->head);
	return true;
}

static bool plain(char c)
{
	return (c >= ' ' && c <= '~') || (c >= '\t' && c <= '\r');
}

static bool check_format(const char *fmt, u32 size, u32 nargs)
{
	struct spec spec;

	if (!memchr(fmt, 0, size))
		return false;
	while (*fmt) {
		if (!plain(*fmt))
			return false;
		if (*fmt++ != '%')
			continue;
		if (!parse_spec(&fmt, &spec))
			return false;
		if (spec.conv != CONV_PERCENT && !nargs--)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ writing */

static void put(struct text *text, const char *from, size_t len)
{
	if (text->len < text->size) {
		size_t room = text->size - text->len;

		memcpy(text->to + text->len, from, len < room ? len : room);
	}
	text->len += len;
}

/* One converted argument: "%" flags width, and @conv that ends it. */
static void put_as(struct text *text, const struct spec *spec, const char *conv, ...)
{
	char fmt[32], out[1280]; /* a width of 999, a string of 255 */
	va_list args;
	int n;

	snprintf(fmt, sizeof(fmt), "%s%s", spec->head, conv);
	va_start(args, conv);
	n = vsnprintf(out, sizeof(out), fmt, args);
	va_end(args);
	if (n > 0)
		put(text, out, (size_t)n < sizeof(out) ? (size_t)n : sizeof(out) - 1);
}

static void put_int(struct text *text, const struct spec *spec, u64 arg)
{
	const char conv[4] = {'l', 'l', spec->letter, 0};
	bool is_signed = spec->letter == 'd' || spec->letter == 'i';

	if (!spec->wide)
		arg = is_signed ? (u64)(s64)(s32)arg : (u32)arg;
	put_as(text, spec, conv, (unsigned long long)arg);
}

static void put_str(struct text *text, const struct spec *spec, u64 arg)
{
	char s[256];

	if (probe_str(s, sizeof(s), helper_ptr(arg)) < 0)
		s[0] = 0;
	put_as(text, spec, "s", s);
}

static void put_ip(struct text *text, const struct spec *spec, u64 arg)
{
	bool v6 = spec->conv == CONV_IP6;
	char addr[16], s[64] = "";

	if (fault_copy(addr, helper_ptr(arg), v6 ? 16 : 4) == (v6 ? 16 : 4))
		inet_ntop(v6 ? AF_INET6 : AF_INET, addr, s, sizeof(s));
	put_as(text, spec, "s", s);
}

static void put_ptr(struct text *text, const struct spec *spec, u64 arg, u64 seed)
{
	char s[24] = "(null)";

	if (arg)
		snprintf(s, sizeof(s), "%016x",
			 (u32)hash_bytes(&arg, sizeof(arg), ~seed));
	put_as(text, spec, "s", s);
}

static void put_spec(struct text *text, const struct spec *spec, u64 arg, u64 seed)
{
	switch (spec->conv) {
	case CONV_INT: put_int(text, spec, arg); break;
	case CONV_CHAR: put_as(text, spec, "c", (int)(u8)arg); break;
	case CONV_STR: put_str(text, spec, arg); break;
	case CONV_PTR: put_ptr(text, spec, arg, seed); break;
	case CONV_IP4:
	case CONV_IP6: put_ip(text, spec, arg); break;
	case CONV_PERCENT: put(text, "%", 1); break;
	}
}

s64 format_text(char *to, u32 size, const char *fmt, u32 fmt_size, const u64 *args,
		u32 nargs, u64 seed)
{
	struct text text = {.to = to, .size = size};
	struct spec spec;

	if (!check_format(fmt, fmt_size, nargs))
		return -EINVAL;
	while (*fmt) {
		size_t len = strcspn(fmt, "%");

		put(&text, fmt, len);
		fmt += len;
		if (!*fmt++)
			break;
		parse_spec(&fmt, &spec);
		put_spec(&text, &spec, spec.conv == CONV_PERCENT ? 0 : *args++, seed);
	}
	if (size)
		to[text.len < size ? text.len : size - 1] = 0;
	return (s64)text.len;
}
