/* SPDX-License-Identifier: MIT
 *
 * tnum.h: sets of 64-bit numbers known bit by bit ("tristate numbers").
 *
 * A tnum {value, mask} stands for every x with (x & ~mask) == value: a mask bit says "not
 * known". value & mask is always 0. Every operation is sound: the result contains f(a, b)
 * for every a and b in the operands. (Vishwanathan et al., "Sound, Precise, and Fast
 * Abstract Interpretation with Tristate Numbers", CGO 2022, is the theory.)
 */
#ifndef PINTLE_TNUM_H
#define PINTLE_TNUM_H

#include "base/base.h"

struct tnum {
	u64 value, mask;
};

struct tnum tnum_unknown(void);
struct tnum tnum_const(u64 value);
struct tnum tnum_range(u64 min, u64 max); /* the least tnum that holds [min, max] */

struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_neg(struct tnum a);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);
struct tnum tnum_lsh(struct tnum a, u8 shift);
struct tnum tnum_rsh(struct tnum a, u8 shift);
struct tnum tnum_arsh(struct tnum a, u8 shift, u8 bits); /* bits: 32 or 64 */
struct tnum tnum_intersect(struct tnum a, struct tnum b); /* x in both; they must overlap */
struct tnum tnum_union(struct tnum a, struct tnum b);	  /* x in either */
struct tnum tnum_cast(struct tnum a, u8 bytes);		  /* zero-extended low bytes */
struct tnum tnum_bswap(struct tnum a, u8 bytes);
struct tnum tnum_subreg(struct tnum a);			  /* the low 32 bits */
struct tnum tnum_with_subreg(struct tnum a, struct tnum low);

static inline bool tnum_is_const(struct tnum a)
{
	return !a.mask;
}
bool tnum_has(struct tnum a, u64 x);		  /* x is in a */
bool tnum_in(struct tnum a, struct tnum b);	  /* every x of b is in a */
bool tnum_overlap(struct tnum a, struct tnum b);  /* some x is in both */
bool tnum_is_aligned(struct tnum a, u64 size);	  /* all x are multiples of a power of 2 */
/* "0x10" for a constant, "(0x0; 0xff)" otherwise, as the kernel's log prints it. */
int tnum_print(char *buf, size_t size, struct tnum a);

#endif
