/* SPDX-License-Identifier: MIT
 *
 * scalar.h: what is known of one 64-bit number: bits (tnum) and unsigned and signed ranges
 * of the whole and of its low 32 bits, kept mutually consistent by scalar_sync().
 *
 * Values: struct in, struct out, no allocation, no environment. A scalar that is empty
 * (no number fits) is marked by scalar_empty() being true; it arises only from
 * branch_refine() on a branch that cannot be taken.
 */
#ifndef PINTLE_SCALAR_H
#define PINTLE_SCALAR_H

#include "isa/isa.h"
#include "verify/dom/tnum.h"

struct scalar {
	struct tnum bits;
	u64 umin, umax;
	s64 smin, smax;
	u32 u32min, u32max; /* of the low half */
	s32 s32min, s32max;
};

struct scalar scalar_unknown(void);
struct scalar scalar_const(u64 value);
struct scalar scalar_urange(u64 min, u64 max);
struct scalar scalar_srange(s64 min, s64 max);

/* Brings all parts to agree as far as they imply one another (to a fixed point). */
struct scalar scalar_sync(struct scalar a);

bool scalar_empty(struct scalar a);
bool scalar_is_const(struct scalar a);
bool scalar_has(struct scalar a, u64 x);
/* Every number of @inner is one of @outer (used for pruning). */
bool scalar_within(struct scalar outer, struct scalar inner);
struct scalar scalar_union(struct scalar a, struct scalar b);

/* dst = dst op src, as isa_alu(): 32-bit forms zero the upper half. Sound and as precise
 * as the published kernel domains; division and modulo by ranges included. */
struct scalar scalar_alu(enum isa_alu op, bool wide, struct scalar dst, struct scalar src);

/* A load of @bytes zero- or sign-extended from an unknown or known number. */
struct scalar scalar_zext(struct scalar a, u8 bytes);
struct scalar scalar_sext(struct scalar a, u8 bytes);

/* The branch `dst cond src`: 1 always taken, 0 never, -1 either. */
int branch_taken(enum isa_cond cond, bool wide, struct scalar dst, struct scalar src);

/* Narrows both operands by the knowledge that the branch was (not) taken. */
void branch_refine(enum isa_cond cond, bool wide, bool taken, struct scalar *dst,
		   struct scalar *src);

/* "R1=42" style text as the kernel's log prints a scalar: "scalar(umax=255,var_off=(0x0;
 * 0xff))", "42" for a constant. */
int scalar_print(char *buf, size_t size, struct scalar a);

#endif
