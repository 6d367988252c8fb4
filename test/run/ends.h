/* SPDX-License-Identifier: MIT
 *
 * ends.h: what ends.c and its programs share.
 */
#ifndef TEST_RUN_ENDS_H
#define TEST_RUN_ENDS_H

enum { ENDS_TWO = 1 << 8 }; /* said by the program `two` */

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct ends_box {
	struct ends_box *next;
	int value;
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

#endif
