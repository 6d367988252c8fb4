/* SPDX-License-Identifier: MIT
 *
 * object.h: what test/run/object.c and its programs share.
 */
#ifndef TEST_RUN_OBJECT_H
#define TEST_RUN_OBJECT_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct box { /* storable, deferred-put */
	long value;
	int refs;
	struct box *next;
};

struct obj_md { /* the context as programs see it */
	unsigned int data;
	unsigned int data_end;
	unsigned int mark;  /* really 64 bits */
	unsigned int width; /* really 16 bits */
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

#endif
