/* SPDX-License-Identifier: MIT
 *
 * ops.h: the operations struct of test/run/ops*.c and its programs.
 */
#ifndef TEST_RUN_OPS_H
#define TEST_RUN_OPS_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct flow {
	int window;
	int refs;
	long acked;
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

#ifndef OPS_MEMBER /* another layout of the same, for those who want one */
#define OPS_MEMBER
#endif

struct cc_ops {
	OPS_MEMBER
	int (*init)(struct flow *f);
	void (*ack)(struct flow *f, unsigned char bytes, short delta);
	long (*window)(struct flow *f, long unit);
	_Bool (*full)(struct flow *f);
	int (*rest)(struct flow *f);	      /* f may be NULL */
	int (*drop)(struct flow *f, int why); /* f is the program's */
	struct flow *(*pick)(struct flow *f);
	int (*nap)(struct flow *f);
	char name[16];
	unsigned int flags;
	int limits[2];
	void *cookie;
};

#endif
