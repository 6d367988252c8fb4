/* SPDX-License-Identifier: MIT
 *
 * checks.h: enumerating the value domains; used by pintle-test (a quick choice) and by
 * check-domains (all of it).
 *
 * A *frame* places the numbers of a few bits somewhere in 64: at 0, around zero, across
 * bit 31, 32 or 63, spread over the top. An *element* is an abstract value together with
 * those of its members that lie in its frame. A check runs an operation on two elements
 * and looks at every pair of members; it is also told how close the result came to the
 * best.
 */
#ifndef PINTLE_CHECKS_H
#define PINTLE_CHECKS_H

#include "verify/dom/scalar.h"

struct frame {
	const char *name;
	u64 base;
	s8 shift;    /* of the number; below 0: so that its top bit becomes bit -shift */
	bool around; /* numbers lie on both sides of base */
};

enum { MAX_MEMBERS = 32, NR_FRAMES = 11 };
extern const struct frame frames[NR_FRAMES];

struct element {
	struct scalar s;
	u8 count;
	u64 members[MAX_MEMBERS];
};

struct elements {
	struct element *at;
	u32 count, room;
};

/* What was done, and the first thing that went wrong. */
struct tally {
	u64 calls, checks;
	bool measure;
	u64 best; /* when measuring: results that no abstract value betters */
	char wrong[1024];
};

u64 frame_number(const struct frame *f, unsigned bits, unsigned i);

/* All tnums, all intervals, or the abstract values of all sets of @bits-bit numbers. */
void add_tnums(struct elements *e, const struct frame *f, unsigned bits);
void add_intervals(struct elements *e, const struct frame *f, unsigned bits);
void add_sets(struct elements *e, const struct frame *f, unsigned bits);
void elements_free(struct elements *e);

/* Every result of every pair of members is in the result. False: t->wrong says what. */
bool check_alu(struct tally *t, enum isa_alu op, bool wide, const struct element *a,
	       const struct element *b);
bool check_branch(struct tally *t, enum isa_cond cond, bool wide, const struct element *a,
		  const struct element *b);
/* Every pair of elements, every operation, both widths. */
bool check_all_alu(struct tally *t, const struct elements *a, const struct elements *b);
bool check_all_branches(struct tally *t, const struct elements *a,
			const struct elements *b);
/* Each tnum function alone, over all tnums of @bits bits; also that the exact ones are.
 */
bool check_tnums(struct tally *t, unsigned bits);

/* A few numbers drawn from a mixture of shapes, and an abstract value that holds them. */
struct element random_element(u64 *seed);
u64 random_next(u64 *seed);
/* The best abstract value of a set of numbers, up to what the parts can say. */
struct scalar abstract(const u64 *x, u32 count);

#endif
