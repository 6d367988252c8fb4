/* SPDX-License-Identifier: MIT
 *
 * print.c: scalars in words, the way the kernel's log writes them.
 *
 * A constant is its number. Otherwise the bounds that are not the widest follow in a
 * fixed order, equal ones joined ("smax=umax=255" is smax=255 and umax=255), then the
 * bits unless all are unknown. Small numbers are decimal, others hexadecimal in their own
 * width.
 */
#include "verify/dom/scalar.h"

#include <inttypes.h>
#include <stdarg.h>

/* snprintf at the end of a text that may already be longer than its buffer. */
FORMAT(4, 5)
static int append(char *buf, size_t size, int len, const char *fmt, ...)
{
	size_t at = (size_t)len < size ? (size_t)len : size;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(size ? buf + at : NULL, size - at, fmt, args);
	va_end(args);
	return len + (n > 0 ? n : 0);
}

static int print_tnum(char *buf, size_t size, int len, struct tnum a)
{
	if (tnum_is_const(a))
		return append(buf, size, len, "0x%" PRIx64, a.value);
	return append(buf, size, len, "(0x%" PRIx64 "; 0x%" PRIx64 ")", a.value, a.mask);
}

int tnum_print(char *buf, size_t size, struct tnum a)
{
	return print_tnum(buf, size, 0, a);
}

/* A bound as an integer of any of the four kinds: its value and how to write it. */
struct bound {
	const char *name;
	bool sign;   /* value may be negative */
	u64 pattern; /* as wide as the kind */
	s64 value;
	bool widest; /* says nothing, or has been said */
};

static int print_number(char *buf, size_t size, int len, const struct bound *b)
{
	if (b->sign ? b->value >= INT16_MIN && b->value <= INT16_MAX
		    : b->pattern <= UINT16_MAX)
		return append(buf, size, len, "%" PRId64, b->value);
	return append(buf, size, len, "0x%" PRIx64, b->pattern);
}

/* Equal as integers, not as patterns: -1 is not 0xffffffffffffffff. */
static bool same_number(const struct bound *a, const struct bound *b)
{
	bool a_negative = a->sign && a->value < 0, b_negative = b->sign && b->value < 0;

	return a->value == b->value && a_negative == b_negative;
}

/* The bound and all later ones that equal it, which are then done with. */
static int print_bound(char *buf, size_t size, int len, struct bound *b, int left)
{
	len = append(buf, size, len, "%s=", b->name);
	for (int i = 1; i < left; i++) {
		if (b[i].widest || !same_number(b, &b[i]))
			continue;
		len = append(buf, size, len, "%s=", b[i].name);
		b[i].widest = true;
	}
	return print_number(buf, size, len, b);
}

/* The log joins a negative 32-bit bound with a 64-bit one only when both are decimal. */
static s64 s32_value(s32 x)
{
	return x < INT16_MIN ? (s64)(u32)x : x;
}

static int print_bounds(char *buf, size_t size, int len, struct scalar a)
{
	struct bound b[] = {
		{"smin", true, (u64)a.smin, a.smin, a.smin == INT64_MIN},
		{"smax", true, (u64)a.smax, a.smax, a.smax == INT64_MAX},
		{"umin", false, a.umin, (s64)a.umin, a.umin == 0},
		{"umax", false, a.umax, (s64)a.umax, a.umax == UINT64_MAX},
		{"smin32", true, (u32)a.s32min, s32_value(a.s32min),
		 a.s32min == INT32_MIN},
		{"smax32", true, (u32)a.s32max, s32_value(a.s32max),
		 a.s32max == INT32_MAX},
		{"umin32", false, a.u32min, a.u32min, a.u32min == 0},
		{"umax32", false, a.u32max, a.u32max, a.u32max == UINT32_MAX},
	};
	const char *comma = "";

	for (int i = 0; i < (int)ARRAY_SIZE(b); i++) {
		if (b[i].widest)
			continue;
		len = append(buf, size, len, "%s", comma);
		len = print_bound(buf, size, len, &b[i], (int)ARRAY_SIZE(b) - i);
		comma = ",";
	}
	return len;
}

int scalar_print(char *buf, size_t size, struct scalar a)
{
	struct bound whole = {"", true, a.bits.value, (s64)a.bits.value, false};
	int open, len;

	if (scalar_empty(a))
		return append(buf, size, 0, "scalar(none)");
	if (scalar_is_const(a))
		return print_number(buf, size, 0, &whole);
	open = append(buf, size, 0, "scalar(");
	len = print_bounds(buf, size, open, a);
	if (a.bits.mask != ~0ull) {
		len = append(buf, size, len, len > open ? ",var_off=" : "var_off=");
		len = print_tnum(buf, size, len, a.bits);
	}
	return append(buf, size, len, ")");
}
