/* SPDX-License-Identifier: MIT
 *
 * kinds.h: what bench/maps.c and its programs share.
 */
#ifndef BENCH_KINDS_H
#define BENCH_KINDS_H

enum {
	STEPS = 64,   /* operations of a run */
	CELLS = 1024, /* entries of arrays */
};

struct wide {
	unsigned long long words[8];
};

#endif
