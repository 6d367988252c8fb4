/* SPDX-License-Identifier: MIT
 *
 * replace.h: what the tests of replacement and their programs share.
 */
#ifndef TEST_RUN_REPLACE_H
#define TEST_RUN_REPLACE_H

/* In .rodata of the program; the test writes a number over it. */
#define REP_GENERATION 0x7061636b65746567ull

struct rep_box { /* storable */
	int refs;
};

#endif
