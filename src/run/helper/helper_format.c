/* SPDX-License-Identifier: MIT
 *
 * helper_format.c: the printf of programs (abi/format.h has what a format may hold). A
 * format is checked to its end before anything is written. What the verifier did not prove
 * to be readable is not read (J12): a text is "" then. Addresses are hidden: the same number
 * for the same address, and no more; and another for a number, so that nobody finds an
 * address by trying numbers (J2: no leaks).
 */
#include "base/hash.h"
#include "run/helper/helpers.h"
#include "run/run.h"

#include <arpa/inet.h>
#include <stdarg.h>

struct text {
	char *to;
	u32 size;
	u64 len; /* without NUL, had there been room */
	u64 seed;
};

/* One argument, and what is known of it. */
struct arg {
	u64 value;
	u32 room;	/* bytes that may be read where it points; 0: none */
	bool pointer, number, object; /* it is one in some run */
};

/* ------------------------------------------------------------------ parsing */

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

static bool check_format(const char *fmt, u32 size, u32 nargs)
{
	s32 n;

	if (!memchr(fmt, 0, size))
		return false;
	n = format_count(fmt);
	return n >= 0 && (u32)n <= nargs;
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
static void put_as(struct text *text, const struct format_spec *spec, const char *conv, ...)
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

static void put_int(struct text *text, const struct format_spec *spec, u64 arg)
{
	const char conv[4] = {'l', 'l', spec->letter, 0};
	bool is_signed = spec->letter == 'd' || spec->letter == 'i';

	if (!spec->wide)
		arg = is_signed ? (u64)(s64)(s32)arg : (u32)arg;
	put_as(text, spec, conv, (unsigned long long)arg);
}

/* As far as it may be read; false: not at all. */
static bool read_text(char *to, u32 size, const struct arg *arg)
{
	const char *from = helper_ptr(arg->value);
	u32 room = arg->object ? probe_room(arg->value, arg->room) : arg->room;
	u32 most = min_u32(room, size - 1);
	s64 n;

	if (!arg->value || !most)
		return false;
	n = probe_str(to, most, from);
	if (n != most)
		return n > 0;
	to[most] = 0; /* its last byte may be one of the text's */
	if (fault_copy(to + most - 1, from + most - 1, 1) != 1)
		to[most - 1] = 0;
	return true;
}

static void put_str(struct text *text, const struct format_spec *spec, const struct arg *arg)
{
	char s[256];

	if (!read_text(s, sizeof(s), arg))
		s[0] = 0;
	put_as(text, spec, "s", s);
}

static void put_user_str(struct text *text, const struct format_spec *spec,
			 const struct arg *arg)
{
	bool number = arg->number || !arg->pointer;
	char s[256];

	if (user_copy_str(s, sizeof(s), number ? arg->value & (BIT64(USER_ADDR_BITS) - 1)
					       : arg->value, 0) < 0)
		s[0] = 0;
	put_as(text, spec, "s", s);
}

static void put_ip(struct text *text, const struct format_spec *spec, const struct arg *arg)
{
	bool v6 = spec->conv == FORMAT_IP6;
	u32 size = v6 ? 16 : 4, room = arg->room;
	char addr[16], s[64] = "";

	if (arg->object)
		room = probe_room(arg->value, room);
	if (arg->value && room >= size &&
	    fault_copy(addr, helper_ptr(arg->value), size) == size)
		inet_ntop(v6 ? AF_INET6 : AF_INET, addr, s, sizeof(s));
	put_as(text, spec, "s", s);
}

static void put_ptr(struct text *text, const struct format_spec *spec, const struct arg *arg)
{
	u64 seed = arg->pointer ? ~text->seed : ~text->seed * 3;
	char s[24] = "(null)";

	if (arg->value && arg->pointer && arg->number)
		snprintf(s, sizeof(s), "(hidden)");
	else if (arg->value)
		snprintf(s, sizeof(s), "%016x",
			 (u32)hash_bytes(&arg->value, sizeof(arg->value), seed));
	put_as(text, spec, "s", s);
}

static void put_spec(struct text *text, const struct format_spec *spec, const struct arg *arg)
{
	switch (spec->conv) {
	case FORMAT_INT: put_int(text, spec, arg->value); break;
	case FORMAT_CHAR: put_as(text, spec, "c", (int)(u8)arg->value); break;
	case FORMAT_STR: put_str(text, spec, arg); break;
	case FORMAT_USER_STR: put_user_str(text, spec, arg); break;
	case FORMAT_PTR: put_ptr(text, spec, arg); break;
	case FORMAT_IP4:
	case FORMAT_IP6: put_ip(text, spec, arg); break;
	case FORMAT_PERCENT: put(text, "%", 1); break;
	}
}

static struct arg arg_at(const struct format_proof *proof, u32 i, u64 value)
{
	struct arg arg = {.value = value, .number = true};

	if (!proof)
		return arg;
	arg.room = proof->room[i];
	arg.pointer = proof->pointers & BIT(i);
	arg.number = proof->numbers & BIT(i);
	arg.object = proof->objects & BIT(i);
	return arg;
}

s64 format_text(char *to, u32 size, const char *fmt, u32 fmt_size, const u64 *args, u32 nargs,
		const struct format_proof *proof)
{
	struct text text = {.to = to, .size = size, .seed = slot_current()->host->hash_seed};
	struct format_spec spec;
	struct arg arg;
	u32 n = 0;

	if (!check_format(fmt, fmt_size, nargs))
		return -EINVAL;
	while (*fmt) {
		size_t len = strcspn(fmt, "%");

		put(&text, fmt, len);
		fmt += len;
		if (!*fmt++)
			break;
		format_next(&fmt, &spec);
		arg = (struct arg){0};
		if (spec.conv != FORMAT_PERCENT) {
			arg = arg_at(proof, n, args[n]);
			n++;
		}
		if (spec.conv != FORMAT_INT)
			drop_flags(spec.head);
		put_spec(&text, &spec, &arg);
	}
	if (size)
		to[text.len < size ? text.len : size - 1] = 0;
	return (s64)text.len;
}
