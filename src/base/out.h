/* SPDX-License-Identifier: MIT
 *
 * out.h: text that is written into a buffer of fixed size. Once something did not fit,
 * `full` is set and the text is cut there; a writer of rows takes a row back by out_cut().
 */
#ifndef PINTLE_BASE_OUT_H
#define PINTLE_BASE_OUT_H

#include "base/base.h"

struct out {
	char *buf;
	size_t n, size; /* n < size: there is always a NUL behind the text */
	bool full;
};

void out_add(struct out *out, const char *fmt, ...) FORMAT(2, 3);
/* A JSON string with its quotes; bytes that are not printable ASCII are escaped. */
void out_json(struct out *out, const char *text, size_t len);
/* Back to the first @n bytes. */
void out_cut(struct out *out, size_t n);

#endif
