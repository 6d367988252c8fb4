/* SPDX-License-Identifier: MIT
 *
 * fields.h: the short names of rows that describe bytes programs may read and write: the
 * members of contexts (linux/ctx.def) and of objects that are tables (tables.def).
 *
 *	N(off, len, reads, writes)  numbers: aligned accesses of these sizes
 *	LOW(off)		    a number of 4 bytes, or its low 2, or its lowest
 *	P(off, size, kind)	    a pointer of enum ctx_kind
 *	T(off, table), T_OR_NULL()  a pointer to an object of that table
 *	B(off, "struct")	    a pointer to a struct of the host
 *
 * Sizes: B, H, W, D as in names of instructions; BHW: any of these.
 */
#ifndef PINTLE_ABI_FIELDS_H
#define PINTLE_ABI_FIELDS_H

#include "abi/abi.h"

enum { SZ_0 = 0, SZ_B = 1, SZ_H = 2, SZ_W = 4, SZ_D = 8, SZ_HW = 6, SZ_BHW = 7, SZ_WD = 12,
       SZ_BHWD = 15 };

#define N(at, len, r, w)                                                                 \
	{.off = at, .size = len, .kind = CTX_SCALAR, .reads = SZ_##r, .writes = SZ_##w}
#define LOW(at) N(at, 4, W, 0), N(at, 2, H, 0), N(at, 1, B, 0)
#define P(at, len, what) {.off = at, .size = len, .kind = CTX_##what, .reads = len}
#define T(at, id)                                                                        \
	{.off = at, .size = 8, .kind = CTX_TABLE, .reads = SZ_D, .table = TABLE_##id}
#define T_OR_NULL(at, id)                                                                \
	{.off = at, .size = 8, .kind = CTX_TABLE_OR_NULL, .reads = SZ_D, .table = TABLE_##id}
#define B(at, struct_name)                                                               \
	{.off = at, .size = 8, .kind = CTX_POINTER, .reads = SZ_D, .name = struct_name}

#endif
