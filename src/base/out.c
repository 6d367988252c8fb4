/* SPDX-License-Identifier: MIT
 *
 * out.c: text in a buffer of fixed size.
 */
#include "base/out.h"

#include <stdarg.h>
#include <stdio.h>

void out_add(struct out *out, const char *fmt, ...)
{
	size_t left = out->size - out->n;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(out->buf + out->n, left, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= left) {
		out->full = true;
		out->n = out->size - 1;
		return;
	}
	out->n += (size_t)n;
}

void out_json(struct out *out, const char *text, size_t len)
{
	out_add(out, "\"");
	for (size_t i = 0; i < len && !out->full; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			out_add(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			out_add(out, "\\u%04x", c);
		else
			out_add(out, "%c", c);
	}
	out_add(out, "\"");
}

void out_cut(struct out *out, size_t n)
{
	BUG_ON(n > out->n);
	out->n = n;
	out->buf[n] = 0;
	out->full = false;
}
