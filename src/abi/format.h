/* SPDX-License-Identifier: MIT
 *
 * format.h: the formats by which programs print. The verifier reads those that it knows to
 * say what each argument is, the run time reads them to print: with one parser, so that
 * both mean the same argument.
 *
 *	%[flags][width]conv   flags of "0 +-", width of up to 3 digits
 *	d i u x X             32 bits; 64 with l or ll before
 *	c                     a character
 *	s, pks                a text; pus: of a client
 *	p, px, pK, pB, ps, pS an address, hidden
 *	pi4 pI4 pi6 pI6       an IP address, by pointer
 *	%%
 *
 * A text is followed by no letter or digit.
 */
#ifndef PINTLE_ABI_FORMAT_H
#define PINTLE_ABI_FORMAT_H

#include "base/base.h"

enum { FORMAT_ARGS = 12 };

enum format_conv {
	FORMAT_INT, FORMAT_CHAR, FORMAT_STR, FORMAT_USER_STR, FORMAT_PTR, FORMAT_IP4,
	FORMAT_IP6, FORMAT_PERCENT,
};

struct format_spec {
	enum format_conv conv;
	char head[16]; /* "%", flags and width */
	char letter;   /* of FORMAT_INT */
	bool wide;     /* FORMAT_INT: 64 bits */
};

/* Reads the conversion at *at, behind its '%', and moves there behind it; false: none. */
bool format_next(const char **at, struct format_spec *spec);

/* How many arguments @fmt takes; -1: it is none. */
s32 format_count(const char *fmt);

/*
 * What was proved of the arguments of one call whose format is known, for the run time.
 * The call gets its address and FORMAT_KNOWN in the register of the format's or of the
 * arguments' size; without it all arguments are numbers, which are no addresses to read.
 */
struct format_proof {
	u32 room[FORMAT_ARGS]; /* bytes that may be read where it points; 0: none */
	u16 pointers, numbers, objects; /* by argument: it is one on some path, as bits */
};

#define FORMAT_KNOWN (1ull << 63)

#endif
